// Builder threads: a file that is too much for one costs that file, and nothing else.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Clock, systemClock } from '../../dist/base/clock.js';
import { limits } from '../../dist/base/limits.js';
import type { ZoneJob, ZoneResult } from '../../dist/loading/build.js';
import { Builder, type BuilderBounds } from '../../dist/loading/builder.js';

vi.setConfig({ testTimeout: 180_000 });

let folder = '';
let builder: Builder | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meridian-builder-'));
});
afterEach(async () => {
  await builder?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function zone(name: string, records: number): ZoneJob {
  const lines = Array.from({ length: records }, (_, i) => `  host-${i}: { A: 192.0.2.1 }\n`).join('');
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, `zone: ${name}\nns: [ns.elsewhere.test.]\nrecords:\n${lines}`);
  return { file, name, servedKey: null, served: false, problem: null };
}

async function build(
  jobs: readonly ZoneJob[],
  bounds: BuilderBounds,
  common: string | null = null,
  clock: Clock = systemClock,
): Promise<Map<string, ZoneResult>> {
  builder = new Builder(clock, bounds);
  const results = new Map<string, ZoneResult>();
  const request = {
    jobs,
    common: common === null ? null : { file: join(folder, '_common.yaml'), text: common, problem: null },
    commonProblem: null,
    lastGoodCommon: null,
    baseDirectory: folder,
    checkRules: { exec: false, files: [], linkLocal: false },
    stateDirectory: folder,
  };
  await builder.zones(request, (result) => results.set(result.job.name, result));
  return results;
}

const outcomes = (results: Map<string, ZoneResult>): Record<string, string> =>
  Object.fromEntries([...results].map(([name, { outcome }]) => [name, outcome]));

describe('a zone that takes too much', () => {
  test('memory is an error of that zone; those before and after it are built', async () => {
    const jobs = [zone('a.test', 1), zone('large.test', 150_000), zone('z.test', 1)];
    const results = await build(jobs, { heapMb: 48 });
    expect(outcomes(results)).toEqual({ 'a.test': 'new', 'large.test': 'error', 'z.test': 'new' });
    const [diagnostic] = results.get('large.test')!.diagnostics;
    expect(diagnostic).toMatchObject({ code: 'build-failed', file: jobs[1]!.file });
    expect(diagnostic!.message).toContain('memory');
  });

  test('time is an error of that zone, and its last good version is found', async () => {
    const good = zone('large.test', 1);
    await build([good], {});
    await builder!.stop();
    const jobs = [zone('a.test', 1), zone('large.test', 150_000), zone('z.test', 1)];
    // Large files are given more time than small ones: here their time passes at once, and that of the small ones never.
    const clock: Clock = {
      ...systemClock,
      after: (ms, callback) => (ms > limits.builderFileMs + 20_000 ? systemClock.after(50, callback) : () => {}),
    };
    const results = await build(jobs, {}, null, clock);
    expect(results.get('large.test')!.outcome).toBe('stale');
    expect(results.get('large.test')!.diagnostics[0]!.message).toContain('it takes more than');
    expect(results.get('large.test')!.compiled!.meta.names).toBe(2);
    expect(results.size).toBe(3);
  });

  test('as _common.yaml is an error of that file; zones that take nothing from it are built', async () => {
    const common = `regions:\n${Array.from({ length: 9_000 }, (_, i) => `  r${i}: [${Array.from({ length: 20 }, (_, k) => `10.${i >> 8}.${i & 255}.${k * 8}/29`).join(', ')}]\n`).join('')}`;
    const results = await build([zone('a.test', 1)], { heapMb: 40 }, common);
    expect(outcomes(results)).toEqual({ 'a.test': 'new' });
  });
});
