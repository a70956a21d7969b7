// How urgently the kernel runs a data thread, asked of the kernel itself.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { limits } from '../../dist/base/limits.js';
import { SCHED_OTHER, SCHED_RR, type Schedule } from '../../dist/serve/ffi.js';
import { Priority } from '../../dist/serve/priority.js';
import { ffiHere } from '../support/toy-thread.ts';

const ffi = ffiHere();

/** Whether this user may have real-time priority: the program that sets it says so. */
function allowedHere(): boolean {
  try {
    execFileSync('chrt', ['--rr', '1', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Scheduling policies of this process's threads (0 other, 2 round robin), from /proc. */
function policies(): Map<string, number> {
  const result = new Map<string, number>();
  for (const tid of readdirSync('/proc/self/task')) {
    const stat = readFileSync(`/proc/self/task/${tid}/stat`, 'latin1');
    // proc(5): field 41, counted behind the name in parentheses.
    result.set(tid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[41 - 3]));
  }
  return result;
}

describe('the priority of a thread', () => {
  const { priorityLookPackets: look, priorityLocalPacketsPerSecond: rate } = limits;

  /** An priority with a clock of its own, that takes packets at a rate; notes what the kernel is asked for. */
  function thread(wanted = true, allow = true) {
    let now = 0;
    const asked: Schedule[] = [];
    const schedule = (how: Schedule): boolean => {
      asked.push(how);
      return allow || how.policy !== SCHED_RR;
    };
    let cpuMs = 0;
    const priority = new Priority({ ...ffi, schedule, threadCpuMs: () => cpuMs }, wanted, () => now);
    const take = (packets: number, perSecond: number, batch = 1, packetCpuMs = 0.01, local = true): void => {
      for (let taken = 0; taken < packets; taken += batch) {
        now += (batch * 1000) / perSecond;
        cpuMs += batch * packetCpuMs;
        priority.received(batch, local);
      }
    };
    return { priority, asked, take };
  }
  const URGENT: Schedule = { policy: SCHED_RR, nice: 0, priority: 1 };
  const USUAL: Schedule = { policy: SCHED_OTHER, nice: getPriority(), sliceNs: 100_000 };

  it('is given back beyond the rate of queries from this machine, whether packets come one by one or many at a time, and comes again below it', () => {
    const { priority, asked, take } = thread();
    expect(priority.allowed).toBe(true);
    take(10 * look, rate * 0.9);
    expect(asked).toEqual([URGENT]);
    take(10 * look, rate * 1.1);
    expect(asked).toEqual([URGENT, USUAL]);
    take(10 * look, rate * 10, 64);
    expect(asked).toEqual([URGENT, USUAL]);
    take(2 * look, rate * 0.9, 8);
    expect(asked).toEqual([URGENT, USUAL, URGENT]);
  });

  it('is given back at any rate by a thread that uses most of a core for it', () => {
    const { asked, take } = thread();
    take(4 * look, rate / 10, 1, (10_000 / rate) * limits.priorityShare * 1.1);
    expect(asked).toEqual([URGENT, USUAL]);
    take(2 * look, rate / 10, 1, (10_000 / rate) * limits.priorityShare * 0.9);
    expect(asked).toEqual([URGENT, USUAL, URGENT]);
  });

  it('stays beyond the rate while those who ask are elsewhere and the thread has time left', () => {
    const { asked, take } = thread();
    take(20 * look, rate * 2, 1, 0.01, false);
    take(20 * look, rate * 2, 64, 0.01, false);
    expect(asked).toEqual([URGENT]);
  });

  it('is given back in a flood from elsewhere, but not for one busy look', () => {
    const { asked, take } = thread();
    const flood = rate * 4;
    take(10 * look, rate, 1, 0.015, false);
    // A queue after a pause: one look in which the thread did nothing else.
    take(look, flood, 64, 1000 / flood, false);
    take(look, rate, 1, 0.015, false);
    expect(asked).toEqual([URGENT]);
    take((flood * limits.priorityShareMs * 3) / 1000, flood, 64, 1000 / flood, false);
    expect(asked).toEqual([URGENT, USUAL]);
  });

  it('stays while packets queue up because the thread had to wait', () => {
    const { asked, take } = thread();
    take(20 * look, rate / 2, limits.udpBatch);
    expect(asked).toEqual([URGENT]);
  });

  it('knows how much of a core its own thread used', () => {
    const before = ffi.threadCpuMs();
    const end = performance.now() + 30;
    while (performance.now() < end);
    const used = ffi.threadCpuMs() - before;
    expect(used).toBeGreaterThan(1);
    expect(used).toBeLessThan(60);
  });

  it('ends within one look of a flood that comes after silence', () => {
    const { asked, take } = thread();
    take(1, 0.01);
    take(2 * look, rate * 20, 64);
    expect(asked).toEqual([URGENT, USUAL]);
  });

  it.each([
    ['it is not wanted', false, true, [USUAL]],
    ['the kernel does not allow it', true, false, [URGENT, USUAL]],
  ])('is a short time slice, and never asked for again, when %s', (_, wanted, allow, expected) => {
    const { priority, asked, take } = thread(wanted, allow);
    expect(priority.allowed).toBe(false);
    take(4 * look, rate * 2);
    take(4 * look, rate / 2);
    expect(asked).toEqual(expected);
  });

  it('is what the kernel says of that thread, and of no other', async () => {
    const before = policies();
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       Promise.all(workerData.map((file) => import(file))).then(([{ loadFfi }, { Priority }]) => {
         let now = 0;
         const priority = new Priority(loadFfi(), true, () => now);
         parentPort.postMessage(priority.allowed);
         parentPort.on('message', (afterMs) => {
           now += afterMs;
           priority.received(100_000, true);
           parentPort.postMessage(afterMs);
         });
       });`,
      {
        eval: true,
        workerData: ['ffi', 'priority'].map((name) => new URL(`../../dist/serve/${name}.js`, import.meta.url).href),
      },
    );
    const told = (): Promise<unknown> => new Promise((resolve) => worker.once('message', resolve));
    const urgent = (): string[] => [...policies()].filter(([, policy]) => policy === 2).map(([tid]) => tid);
    expect(await told()).toBe(allowedHere());
    const now = urgent();
    expect(now).toHaveLength(allowedHere() ? 1 : 0);
    expect(now.some((tid) => before.has(tid))).toBe(false);
    worker.postMessage(1);
    await told();
    expect(urgent()).toEqual([]);
    worker.postMessage(1_000_000);
    await told();
    expect(urgent()).toEqual(now);
    await worker.terminate();
  });
});
