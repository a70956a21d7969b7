import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, it, vi } from 'vitest';
import { steadyClock, steadyEpochMs } from '../../dist/base/steady.js';

afterEach(() => void vi.restoreAllMocks());

it('begins with the wall clock, and goes on whatever that is set to', () => {
  const before = Date.now();
  const epochMs = steadyEpochMs();
  const now = steadyClock(epochMs);
  expect(now()).toBeGreaterThanOrEqual(before - 1);
  vi.spyOn(Date, 'now').mockReturnValue(before + 3_600_000);
  // A thread that is started after the clock was set goes by the same time.
  const later = steadyClock(epochMs);
  expect(now() - before).toBeLessThan(1_800_000);
  expect(Math.abs(later() - now())).toBeLessThan(1_000);
});

it('is the same time in every thread', async () => {
  const epochMs = steadyEpochMs();
  const file = JSON.stringify(new URL('../../dist/base/steady.js', import.meta.url).href);
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     import(${file}).then(({ steadyClock }) => parentPort.postMessage(steadyClock(workerData)()));`,
    { eval: true, workerData: epochMs },
  );
  const now = steadyClock(epochMs);
  const before = now();
  const [there] = (await once(worker, 'message')) as [number];
  const after = now();
  await worker.terminate();
  expect(there).toBeGreaterThanOrEqual(before - 1);
  expect(there).toBeLessThanOrEqual(after + 1);
});
