// Geography is built beside what is served: zones don't wait for it, and what it replaces is taken over at once.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../dist/base/clock.js';
import { createLog } from '../../dist/base/log.js';
import { HEADER } from '../../dist/geo/image.js';
import { Builder, type BuiltGeo } from '../../dist/loading/builder.js';
import { Serving } from '../../dist/loading/serving.js';
import { FakeClock } from '../support/clock.ts';
import { TestStorage } from '../support/storage.ts';
import { countries } from '../support/story.ts';

/** Builds geography only when it is let. */
class HeldBuilder extends Builder {
  gate: Promise<void> = Promise.resolve();
  begun = 0;

  override async geo(request: Parameters<Builder['geo']>[0]): Promise<BuiltGeo> {
    this.begun++;
    await this.gate;
    return super.geo(request);
  }
}

let directory = '';
let serving: Serving;
const put = (file: string, text: string): void => writeFileSync(join(directory, file), text);
const zone = (address: string): string => `zone: a.test\nns: [ns.example.net.]\nrecords: { www: { A: ${address} } }\n`;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-geography-'));
  for (const folder of ['zones', 'geoip']) mkdirSync(join(directory, folder));
  put('zones/a.test.yaml', zone('192.0.2.1'));
});
afterEach(async () => {
  await serving.stop();
  rmSync(directory, { recursive: true });
});

/** A server's loading, through a builder that can be held up. */
function open(state: string | null): HeldBuilder {
  const builder = new HeldBuilder(systemClock);
  const clock = new FakeClock();
  const paths = {
    geoDirectory: join(directory, 'geoip'),
    overridesFile: join(directory, 'geoip', 'overrides.yaml'),
    stateDirectory: state,
  };
  const files = { directory: paths.geoDirectory, overridesFile: paths.overridesFile };
  serving = new Serving({
    ...paths,
    zonesDirectory: join(directory, 'zones'),
    storage: new TestStorage(clock),
    baseDirectory: directory,
    checkRules: { exec: false, files: [], linkLocal: false },
    firstGeo: { builder, geo: builder.geo({ files, stateDirectory: state, first: true }) },
    clock,
    log: createLog('silent'),
  });
  return builder;
}

const load = (): ReturnType<Serving['load']> => serving.load(() => {});

it('a zone edit does not wait for geography that is being built', async () => {
  const builder = open(null);
  await load();
  const first = serving.zone('a.test')!.key;

  let letGo = (): void => {};
  builder.gate = new Promise((resolve) => {
    letGo = resolve;
  });
  put('geoip/overrides.yaml', 'networks:\n  203.0.113.0/24: RU\n');
  expect(await load()).toMatchObject({ changed: [], geoChanged: false });
  expect(builder.begun).toBe(2);
  put('zones/a.test.yaml', zone('192.0.2.77'));
  expect(await load()).toMatchObject({ changed: ['a.test'], geoChanged: false });
  expect(serving.zone('a.test')!.key).not.toBe(first);

  letGo();
  await serving.geography.settled();
  expect(await load()).toMatchObject({ changed: [], geoChanged: true });
  expect(serving.geo!.sources.map(({ kind }) => kind)).toContain('overrides');
});

it('a kept image is used as it is, and one that was damaged on the disk is made anew', {
  timeout: 600_000,
}, async () => {
  writeFileSync(join(directory, 'geoip', 'x.mmdb'), countries({ '1.0.0.0/8': 'RU' }));
  const state = join(directory, 'state');
  const image = join(state, 'geo.image');
  /** How often geography was asked for, and the image that is served then. */
  const start = async (): Promise<[number, Buffer]> => {
    const builder = open(state);
    const kept = new Promise<void>((resolve) => {
      builder.onKept = () => resolve();
    });
    await load();
    await kept;
    const { images } = serving;
    const words = images.store.words(images.geo);
    const bytes = Buffer.from(new Uint8Array(words.buffer, words.byteOffset, words[HEADER.length]! * 4));
    await serving.stop();
    return [builder.begun, bytes];
  };
  const [, first] = await start();
  expect(readFileSync(image).equals(first)).toBe(true);
  expect((await start())[0]).toBe(1);
  const damaged = Buffer.from(first);
  damaged[damaged.length >> 1]! ^= 4;
  for (const content of [damaged, first.subarray(0, -4), Buffer.concat([first, Buffer.alloc(4)])]) {
    writeFileSync(image, content);
    const [begun, served] = await start();
    expect(begun).toBe(content === damaged ? 2 : 1);
    expect(served.equals(first)).toBe(true);
    expect(readFileSync(image).equals(first)).toBe(true);
  }
});
