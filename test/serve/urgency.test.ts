// How urgently the kernel runs a data thread, asked of the kernel itself.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Urgency } from '../../dist/serve/urgency.js';
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

describe('the urgency of a thread', () => {
  it('is asked for once, and changed only when it changes', () => {
    const asked: [number, number, number][] = [];
    const schedule = (...args: [number, number, number]): boolean => asked.push(args) > 0;
    const urgency = new Urgency({ ...ffi, schedule }, true);
    expect(urgency.allowed).toBe(true);
    for (const urgent of [true, true, false, false, true]) urgency.set(urgent);
    expect(asked).toEqual([
      [2, 1, 0],
      [0, 0, 100_000],
      [2, 1, 0],
    ]);
  });

  it.each([
    ['it is not wanted', false, [[0, 0, 100_000]]],
    [
      'the kernel does not allow it',
      true,
      [
        [2, 1, 0],
        [0, 0, 100_000],
      ],
    ],
  ])('is a short time slice, and never asked for again, when %s', (_, wanted, expected) => {
    const asked: number[][] = [];
    const schedule = (...args: number[]): boolean => {
      asked.push(args);
      return args[1] === 0;
    };
    const urgency = new Urgency({ ...ffi, schedule }, wanted);
    expect(urgency.allowed).toBe(false);
    for (const urgent of [true, false]) urgency.set(urgent);
    expect(asked).toEqual(expected);
  });

  it('is what the kernel says of that thread, and of no other', async () => {
    const before = policies();
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       Promise.all(workerData.map((file) => import(file))).then(([{ loadFfi }, { Urgency }]) => {
         const urgency = new Urgency(loadFfi(), true);
         parentPort.postMessage(urgency.allowed);
         parentPort.on('message', (urgent) => {
           urgency.set(urgent);
           parentPort.postMessage(urgent);
         });
       });`,
      {
        eval: true,
        workerData: ['ffi', 'urgency'].map((name) => new URL(`../../dist/serve/${name}.js`, import.meta.url).href),
      },
    );
    const told = (): Promise<unknown> => new Promise((resolve) => worker.once('message', resolve));
    const urgent = (): string[] => [...policies()].filter(([, policy]) => policy === 2).map(([tid]) => tid);
    expect(await told()).toBe(allowedHere());
    const now = urgent();
    expect(now).toHaveLength(allowedHere() ? 1 : 0);
    expect(now.some((tid) => before.has(tid))).toBe(false);
    worker.postMessage(false);
    await told();
    expect(urgent()).toEqual([]);
    worker.postMessage(true);
    await told();
    expect(urgent()).toEqual(now);
    await worker.terminate();
  });
});
