// A drained target is safe to switch off when no cache can name it any more, also after a restart and after a crash.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Drains } from '../../dist/targets/drains.js';
import type { Forced } from '../../dist/targets/forced-states.js';
import { TestStorage } from '../support/storage.ts';

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
const storage = new TestStorage();
/** A run that is loaded but has not answered yet. */
const load = (atSeconds: number, earlierRun: boolean): Drains => {
  const drains = new Drains({ file, storage, nowMs: atSeconds * 1000 });
  drains.load(earlierRun);
  return drains;
};
const open = async (atSeconds: number, earlierRun: boolean): Promise<Drains> => {
  const drains = load(atSeconds, earlierRun);
  await drains.begin();
  return drains;
};
const left = (drains: Drains, forced: Forced, noted: typeof nothing, nowSeconds: number): number =>
  drains.view('z/p/a', forced, noted, 0, nowSeconds * 1000).secondsLeft;

describe('a drained target', () => {
  it('is safe when the last answer that named it has run out, counted down', async () => {
    const drains = await open(T0, false);
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

  it('that was never answered is safe at once', async () => {
    expect((await open(T0, false)).view('z/p/a', drained(T0), nothing, 0, T0 * 1000)).toMatchObject({
      lastAnswer: null,
      safeAt: null,
      safe: true,
    });
  });

  it('is as far after a restart as before, with the answers since', async () => {
    const before = await open(T0, false);
    await before.leave(
      [{ id: 'z/p/a', untilSeconds: T0 + 100, lastSeconds: T0 + 40, sinceDrain: 3 }],
      (T0 + 50) * 1000,
    );
    const after = await open(T0 + 55, true);
    expect(after.view('z/p/a', drained(T0 + 45), nothing, 1, (T0 + 60) * 1000)).toMatchObject({
      secondsLeft: 40,
      answersSince: 4,
    });
    // And after the next one.
    await after.leave([{ id: 'z/p/a', untilSeconds: 0, lastSeconds: 0, sinceDrain: 1 }], (T0 + 65) * 1000);
    expect((await open(T0 + 66, true)).view('z/p/a', drained(T0 + 45), nothing, 0, (T0 + 70) * 1000)).toMatchObject({
      secondsLeft: 30,
      answersSince: 4,
    });
  });

  it('keeps what is known through a start that fails, or is killed before it answers', async () => {
    await (await open(T0, false)).leave(
      [{ id: 'z/p/a', untilSeconds: T0 + 100, lastSeconds: T0, sinceDrain: 0 }],
      T0 * 1000,
    );
    const text = readFileSync(file, 'utf8');
    await load(T0 + 5, true).leave([], (T0 + 6) * 1000);
    load(T0 + 7, true);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(left(await open(T0 + 10, true), drained(T0 + 1), nothing, T0 + 20)).toBe(80);
  });

  it("whose entry can't be read is as after a crash, the others are as they were", async () => {
    const good = { untilSeconds: T0 + 100, lastSeconds: T0, sinceDrain: 0 };
    writeFileSync(
      file,
      JSON.stringify({ unknownBeforeMs: 0, targets: { 'z/p/a': { until: 'later' }, 'z/p/b': good } }),
    );
    const drains = await open(T0 + 60, true);
    expect(left(drains, drained(T0), nothing, T0 + 60)).toBe(240);
    expect(drains.view('z/p/b', drained(T0), nothing, 0, (T0 + 60) * 1000).secondsLeft).toBe(40);
    expect(storage.damages).toContain('z/p/a');
    await drains.leave([], (T0 + 61) * 1000);
    expect(JSON.parse(readFileSync(file, 'utf8')).targets).toEqual({ 'z/p/a': { until: 'later' }, 'z/p/b': good });
  });

  it('waits for the longest TTL after a crash, counted from its drain', async () => {
    const drains = await open(T0 + 60, true);
    expect(left(drains, drained(T0), nothing, T0 + 60)).toBe(240);
    // One that is drained later can have been named until the crash, which was before this start.
    expect(left(drains, drained(T0 + 100), nothing, T0 + 100)).toBe(260);
    // A file that is torn says no more than none.
    writeFileSync(file, '{"targets": {"z/p');
    expect(left(await open(T0 + 60, true), drained(T0), nothing, T0 + 60)).toBe(240);
  });

  it('notices a crash after a good run: what a run left is gone while the next one runs', async () => {
    await (await open(T0, false)).leave([], T0 * 1000);
    expect(existsSync(file)).toBe(true);
    await open(T0 + 1, true);
    expect(existsSync(file)).toBe(false);
    expect(left(await open(T0 + 60, true), drained(T0), nothing, T0 + 60)).toBe(240);
  });
});
