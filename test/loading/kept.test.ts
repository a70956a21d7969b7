// What loading keeps in state/ is best effort: zones are served whether or not it can be kept, and kept once it can be.
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../dist/base/log.js';
import { Serving } from '../../dist/loading/serving.js';
import { FakeClock } from '../support/clock.ts';
import { TestStorage } from '../support/storage.ts';

let directory = '';
let serving: Serving;
const zone = (address: string): string =>
  `version: meridian/v1\nzone: a.test\nns: [ns.example.net.]\nrecords: { www: { A: ${address} } }\n`;
const file = (): string => join(directory, 'zones', 'a.test.yaml');
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-kept-'));
  mkdirSync(join(directory, 'zones'));
  writeFileSync(file(), zone('192.0.2.1'));
});
afterEach(async () => {
  await serving.stop();
  rmSync(directory, { recursive: true });
});

function open(clock: FakeClock, storage: TestStorage): Serving {
  serving = new Serving({
    zonesDirectory: join(directory, 'zones'),
    geoDirectory: join(directory, 'geoip'),
    overridesFile: join(directory, 'geoip', 'overrides.yaml'),
    stateDirectory: join(directory, 'state'),
    storage,
    baseDirectory: directory,
    checkRules: { exec: false, files: [], linkLocal: false },
    clock,
    log: createLog('silent'),
  });
  serving.restore();
  return serving;
}

const load = (): Promise<unknown> => serving.load(() => {});

describe('a zone that cannot be kept', () => {
  it('is served, is told, and is kept when the disk takes it', async () => {
    const clock = new FakeClock();
    const storage = new TestStorage(clock);
    const state = join(directory, 'state');
    writeFileSync(state, 'a file where the folder should be');
    open(clock, storage);
    await load();
    serving.keepAgain(load);
    expect(serving.zone('a.test')?.state).toBe('ok');
    const unsaved = (): string[] => storage.unsaved.map((one) => one.file).sort();
    expect(unsaved()).toEqual([join(state, 'serials.json'), join(state, 'zones')]);
    expect(storage.unsaved.find((one) => one.file.endsWith('zones'))?.reason).toContain('a.test');
    writeFileSync(file(), zone('192.0.2.2'));
    await load();
    expect(serving.zone('a.test')?.state).toBe('ok');
    const { serial, image } = serving.zone('a.test')!;
    rmSync(state);
    storage.start();
    await expect
      .poll(
        async () => {
          await clock.advance(5_000);
          return unsaved();
        },
        { timeout: 30_000, interval: 100 },
      )
      .toEqual([]);
    storage.stop();
    expect(existsSync(join(state, 'zones', 'a.test.zone'))).toBe(true);
    // It was made again for that alone: what is served stands.
    expect(serving.zone('a.test')).toMatchObject({ serial, image });
  });

  it('is kept again when somebody deleted the folder', async () => {
    const clock = new FakeClock();
    const storage = new TestStorage(clock);
    open(clock, storage);
    await load();
    serving.keepAgain(load);
    const kept = join(directory, 'state', 'zones', 'a.test.zone');
    expect(existsSync(kept)).toBe(true);
    rmSync(join(directory, 'state'), { recursive: true });
    storage.start();
    await expect
      .poll(
        async () => {
          await clock.advance(5_000);
          return existsSync(kept);
        },
        { timeout: 30_000, interval: 100 },
      )
      .toBe(true);
    storage.stop();
  });
});

it("a file's time that is still to come does not become the serial", async () => {
  const clock = new FakeClock();
  open(clock, new TestStorage(clock));
  // The clock of this test is years behind the one that has just stamped the file; and copies keep a time that was set.
  const nowSeconds = clock.nowMs() / 1000;
  utimesSync(file(), nowSeconds + 86_400, nowSeconds + 86_400);
  await load();
  expect(serving.zone('a.test')?.serial).toBe(nowSeconds);
});
