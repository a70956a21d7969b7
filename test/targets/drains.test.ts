// A drained target is safe to switch off when no cache can name it any more, also after a restart and after a crash.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Drains } from '../../dist/targets/drains.js';
import type { Forced } from '../../dist/targets/forced-states.js';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-drains-'));
  file = join(directory, 'answered.json');
});
afterEach(() => rmSync(directory, { recursive: true }));

const T0 = 1_700_000_000;
const drained = (atSeconds: number): Forced => ({
  state: 'drain',
  untilMs: null,
  reason: 'move',
  by: 'ann',
  sinceMs: atSeconds * 1000,
  longestTtlSeconds: 300,
});
const nothing = { untilSeconds: 0, lastSeconds: 0, answers: 0 };
const open = (atSeconds: number, earlierRun: boolean): Drains =>
  new Drains({ file, earlierRun, nowMs: atSeconds * 1000 });
const left = (drains: Drains, forced: Forced, noted: typeof nothing, nowSeconds: number): number =>
  drains.view('z/p/a', forced, noted, 0, nowSeconds * 1000).secondsLeft;

describe('a drained target', () => {
  it('is safe when the last answer that named it has run out, counted down', () => {
    const drains = open(T0, false);
    const noted = { untilSeconds: T0 + 40, lastSeconds: T0 + 10, answers: 7 };
    expect(drains.view('z/p/a', drained(T0 + 11), noted, 2, (T0 + 15) * 1000)).toEqual({
      lastAnswer: new Date((T0 + 10) * 1000).toISOString(),
      safeAt: new Date((T0 + 40) * 1000).toISOString(),
      secondsLeft: 25,
      safe: false,
      answersSince: 2,
    });
    expect(drains.view('z/p/a', drained(T0 + 11), noted, 2, (T0 + 40) * 1000)).toMatchObject({
      secondsLeft: 0,
      safe: true,
    });
  });

  it('that was never answered is safe at once', () => {
    expect(open(T0, false).view('z/p/a', drained(T0), nothing, 0, T0 * 1000)).toMatchObject({
      lastAnswer: null,
      safeAt: null,
      safe: true,
    });
  });

  it('is as far after a restart as before, with the answers since', () => {
    const before = open(T0, false);
    before.leave([{ id: 'z/p/a', untilSeconds: T0 + 100, lastSeconds: T0 + 40, sinceDrain: 3 }], (T0 + 50) * 1000);
    const after = open(T0 + 55, true);
    expect(after.view('z/p/a', drained(T0 + 45), nothing, 1, (T0 + 60) * 1000)).toMatchObject({
      secondsLeft: 40,
      answersSince: 4,
    });
    // And after the next one.
    after.leave([{ id: 'z/p/a', untilSeconds: 0, lastSeconds: 0, sinceDrain: 1 }], (T0 + 65) * 1000);
    expect(open(T0 + 66, true).view('z/p/a', drained(T0 + 45), nothing, 0, (T0 + 70) * 1000)).toMatchObject({
      secondsLeft: 30,
      answersSince: 4,
    });
  });

  it('keeps what is known through a start that fails', () => {
    open(T0, false).leave([{ id: 'z/p/a', untilSeconds: T0 + 100, lastSeconds: T0, sinceDrain: 0 }], T0 * 1000);
    open(T0 + 5, true).leave([], (T0 + 6) * 1000);
    expect(left(open(T0 + 10, true), drained(T0 + 1), nothing, T0 + 20)).toBe(80);
  });

  it('waits for the longest TTL after a crash, counted from its drain', () => {
    const drains = open(T0 + 60, true);
    expect(left(drains, drained(T0), nothing, T0 + 60)).toBe(240);
    // One that is drained later can have been named until the crash, which was before this start.
    expect(left(drains, drained(T0 + 100), nothing, T0 + 100)).toBe(260);
    // A file that is torn says no more than none.
    writeFileSync(file, '{"targets": {"z/p');
    expect(left(open(T0 + 60, true), drained(T0), nothing, T0 + 60)).toBe(240);
  });

  it('notices a crash after a good run: what a run left is gone while the next one runs', () => {
    open(T0, false).leave([], T0 * 1000);
    expect(existsSync(file)).toBe(true);
    open(T0 + 1, true);
    expect(existsSync(file)).toBe(false);
    expect(left(open(T0 + 60, true), drained(T0), nothing, T0 + 60)).toBe(240);
  });
});
