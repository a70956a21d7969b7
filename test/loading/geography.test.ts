// Geography is built beside what is served: zones don't wait for it, and what it replaces is taken over at once.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../dist/base/clock.js';
import { createLog } from '../../dist/base/log.js';
import { Builder, type BuiltGeo } from '../../dist/loading/builder.js';
import { Serving } from '../../dist/loading/serving.js';
import { FakeClock } from '../support/clock.ts';
import { TestStorage } from '../support/storage.ts';

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

it('a zone edit does not wait for geography that is being built', async () => {
  const builder = new HeldBuilder(systemClock);
  const clock = new FakeClock();
  const paths = {
    geoDirectory: join(directory, 'geoip'),
    overridesFile: join(directory, 'geoip', 'overrides.yaml'),
    stateDirectory: null,
  };
  const files = { directory: paths.geoDirectory, overridesFile: paths.overridesFile };
  serving = new Serving({
    ...paths,
    zonesDirectory: join(directory, 'zones'),
    storage: new TestStorage(clock),
    baseDirectory: directory,
    checkRules: { exec: false, files: [], linkLocal: false },
    firstGeo: { builder, geo: builder.geo({ files, stateDirectory: null, first: true }) },
    clock,
    log: createLog('silent'),
  });
  const load = (): ReturnType<Serving['load']> => serving.load(() => {});
  await load();
  const first = serving.zone('a.test')!.key;

  let open = (): void => {};
  builder.gate = new Promise((resolve) => {
    open = resolve;
  });
  put('geoip/overrides.yaml', 'networks:\n  203.0.113.0/24: RU\n');
  expect(await load()).toMatchObject({ changed: [], geoChanged: false });
  expect(builder.begun).toBe(2);
  put('zones/a.test.yaml', zone('192.0.2.77'));
  expect(await load()).toMatchObject({ changed: ['a.test'], geoChanged: false });
  expect(serving.zone('a.test')!.key).not.toBe(first);

  open();
  await serving.geography.settled();
  expect(await load()).toMatchObject({ changed: [], geoChanged: true });
  expect(serving.geo!.sources.map(({ kind }) => kind)).toContain('overrides');
});
