import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { limits } from '../../dist/base/limits.js';
import { Watchdog } from '../../dist/control/watchdog.js';
import { FakeClock } from '../support/clock.ts';

const LOOK = limits.watchdogLookMs;

function make(): { clock: FakeClock; watchdog: Watchdog; beat: Int32Array; replaced: () => number; hung: string[] } {
  const clock = new FakeClock();
  const hung: string[] = [];
  const watchdog = new Watchdog({ clock, onHung: (name) => hung.push(name) });
  const beat = new Int32Array(new SharedArrayBuffer(4));
  let count = 0;
  watchdog.watch({ name: 'udp-0', beat, replace: () => count++ });
  return { clock, watchdog, beat, replaced: () => count, hung };
}

it('leaves a thread alone that gives signs of life, however few', async () => {
  const { clock, beat, replaced } = make();
  for (let i = 0; i < 50; i++) {
    if (i % (limits.watchdogLooks - 1) === 0) Atomics.add(beat, 0, 1);
    await clock.advance(LOOK);
  }
  expect(replaced()).toBe(0);
});

it('replaces a thread whose word stands still for so many looks, once, and watches the next one', async () => {
  const { clock, beat, replaced, hung } = make();
  Atomics.store(beat, 0, 7);
  await clock.advance(LOOK * limits.watchdogLooks);
  expect(replaced()).toBe(0);
  await clock.advance(LOOK);
  expect(replaced()).toBe(1);
  expect(hung).toEqual(['udp-0']);
  // The next one takes its time to begin.
  await clock.advance(LOOK * 20);
  expect(replaced()).toBe(1);
  Atomics.store(beat, 0, 3);
  await clock.advance(LOOK * (limits.watchdogLooks + 1));
  expect(replaced()).toBe(2);
});

it('takes a machine that stood still for a minute for no reason', async () => {
  const { clock, beat, replaced } = make();
  Atomics.store(beat, 0, 1);
  await clock.advance(LOOK);
  // One look, late: time is not what is counted.
  Atomics.add(beat, 0, 1);
  await clock.advance(LOOK);
  expect(replaced()).toBe(0);
});

it('stops looking when it is stopped', async () => {
  const { clock, watchdog, beat, replaced } = make();
  Atomics.store(beat, 0, 1);
  watchdog.stop();
  await clock.advance(LOOK * 20);
  expect(replaced()).toBe(0);
  expect(clock.pending).toBe(0);
});

it('ends a thread that really spins', async () => {
  const clock = new FakeClock();
  const shared = new SharedArrayBuffer(4);
  const beat = new Int32Array(shared);
  const worker = new Worker(
    'const { workerData } = require("node:worker_threads"); Atomics.store(new Int32Array(workerData), 0, 1); for (;;);',
    { eval: true, workerData: shared },
  );
  const ended = once(worker, 'exit');
  const watchdog = new Watchdog({ clock, onHung: () => {} });
  watchdog.watch({ name: 'spins', beat, replace: () => void worker.terminate() });
  while (Atomics.load(beat, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(LOOK * (limits.watchdogLooks + 1));
  await ended;
  watchdog.stop();
  expect(Atomics.load(beat, 0)).toBe(0);
});
