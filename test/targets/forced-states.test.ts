// Forced states: a target's beats its pool's, it runs out by the run's own time, and it survives restarts, damage and a disk that takes nothing.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Forced, ForcedStates, forcedView } from '../../dist/targets/forced-states.js';
import { FakeClock } from '../support/clock.ts';
import { TestStorage } from '../support/storage.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-forced-'));
  file = join(directory, 'state', 'hand.json');
  mkdirSync(join(directory, 'state'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function open(clock: FakeClock, onChange = (): void => {}, storage = new TestStorage(clock)): ForcedStates {
  const states = new ForcedStates({ file, storage, clock, onChange });
  states.load();
  return states;
}

const down = { state: 'down', untilMs: null, reason: 'works', by: 'ann', sinceMs: 0 } as const;
const HOUR_MS = 3_600_000;

/** Forced for so long from now. */
function forMs(clock: FakeClock, ms: number): Forced {
  return { ...down, sinceMs: clock.nowMs(), untilMs: clock.nowMs() + ms };
}

describe('a forced state', () => {
  it("of a target beats its pool's, and a target without one has its pool's", async () => {
    const states = open(new FakeClock());
    await states.force('z/p', { ...down, state: 'drain' });
    await states.force('z/p/192.0.2.1', down);
    expect(states.of('z/p/192.0.2.1', 'z/p')?.state).toBe('down');
    expect(states.of('z/p/192.0.2.2', 'z/p')?.state).toBe('drain');
    expect(states.of('z/q/192.0.2.2', 'z/q')).toBeNull();
  });

  it('is there again after a restart', async () => {
    const clock = new FakeClock();
    expect(await open(clock).force('z/p/192.0.2.1', down)).toBe(true);
    expect(open(clock).of('z/p/192.0.2.1', 'z/p')).toMatchObject({ state: 'down', reason: 'works', by: 'ann' });
  });

  it('runs out at its time, is told then, and is not there after a restart', async () => {
    const clock = new FakeClock();
    let changes = 0;
    const states = open(clock, () => changes++);
    await states.force('z/p', forMs(clock, 60_000));
    await clock.advance(59_000);
    expect(states.of('z/p/a', 'z/p')).not.toBeNull();
    await clock.advance(1_001);
    expect(states.of('z/p/a', 'z/p')).toBeNull();
    expect(changes).toBe(2);
    await states.stop();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({});
  });

  it('that ran out while the server was off is gone at the start', async () => {
    const clock = new FakeClock();
    const states = open(clock);
    await states.force('z/p', forMs(clock, 1_000));
    await states.stop();
    await clock.advance(5_000);
    expect(open(clock).size).toBe(0);
  });

  it('is lifted once, is told then, and lifting what is not forced says so', async () => {
    let changes = 0;
    const states = open(new FakeClock(), () => changes++);
    await states.force('z/p', down);
    const first = states.unforce('z/p');
    expect([first.lifted, await first.stored, changes]).toEqual([true, true, 2]);
    expect(states.of('z/p/a', 'z/p')).toBeNull();
    expect(states.unforce('z/p').lifted).toBe(false);
    expect(changes).toBe(2);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({});
  });

  it('of a month outlasts the longest timer', async () => {
    const clock = new FakeClock();
    const states = open(clock);
    await states.force('z/p', forMs(clock, 30 * 24 * HOUR_MS));
    await clock.advance(29 * 24 * HOUR_MS);
    expect(states.size).toBe(1);
    await clock.advance(25 * HOUR_MS);
    expect(states.size).toBe(0);
  });
});

describe('a clock that is set', () => {
  it.each([
    ['back', -HOUR_MS],
    ['forward', HOUR_MS],
  ])('%s neither prolongs nor shortens what was forced, and its end is told in the new time', async (_way, byMs) => {
    const clock = new FakeClock();
    const states = open(clock);
    await states.force('z/p', forMs(clock, 5_000));
    clock.setWall(byMs);
    await clock.advance(4_000);
    const forced = states.of('z/p/a', 'z/p');
    expect(forced?.untilMs).toBe(clock.nowMs() + 1_000);
    expect(forcedView(forced)?.until).toBe(new Date(clock.nowMs() + 1_000).toISOString());
    await clock.advance(1_000);
    expect(states.size).toBe(0);
  });

  it('is written into the file at the end, so that the next run counts on from there', async () => {
    const clock = new FakeClock();
    const states = open(clock);
    await states.force('z/p', forMs(clock, 60_000));
    clock.setWall(HOUR_MS);
    await clock.advance(10_000);
    await states.stop();
    const next = open(clock);
    await clock.advance(49_000);
    expect(next.size).toBe(1);
    await clock.advance(1_000);
    expect(next.size).toBe(0);
  });

  it('back between two runs prolongs nothing beyond what was asked for', async () => {
    const clock = new FakeClock();
    await open(clock).force('z/p', forMs(clock, 5_000));
    clock.setWall(-HOUR_MS);
    const next = open(clock);
    await clock.advance(5_000);
    expect(next.size).toBe(0);
  });
});

describe('the file of forced states', () => {
  const good = { state: 'down', untilMs: null, reason: 'works', by: 'ann', sinceMs: 0 };

  it('costs its unreadable entries, nothing else, and keeps them as they stand', async () => {
    const strange = { state: 'shadow', until: { site: 'x' }, reason: 'a newer version' };
    writeFileSync(file, JSON.stringify({ 'z/new': strange, 'z/p': { ...good, site: 'ams' }, 'z/bad': 7 }));
    const storage = new TestStorage();
    const states = open(new FakeClock(), () => {}, storage);
    expect(states.of('z/p/a', 'z/p')).toMatchObject(good);
    expect(states.of('z/new/a', 'z/new')).toBeNull();
    expect(storage.damages).toContain('z/new, z/bad');
    await states.force('z/q', down);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      'z/new': strange,
      'z/bad': 7,
      // What a newer version says beside what this one knows stays too.
      'z/p': { ...good, site: 'ams' },
      'z/q': down,
    });
    expect(states.unforce('z/new').lifted).toBe(false);
    await states.force('z/bad', down);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      'z/p': { ...good, site: 'ams' },
      'z/q': down,
      'z/bad': down,
    });
  });

  it('that is cut off still has the states before the cut, and is kept beside', async () => {
    const text = JSON.stringify({ 'z/p': good, 'z/{"q': good, 'z/r': good }, null, 1);
    writeFileSync(file, text.slice(0, -40));
    const storage = new TestStorage();
    const states = open(new FakeClock(), () => {}, storage);
    expect(states.size).toBe(2);
    expect(states.of('z/{"q/a', 'z/{"q')).toMatchObject({ state: 'down' });
    expect(storage.damages).toContain('damaged');
    await states.force('z/s', down);
    expect(readFileSync(`${file}.damaged`, 'utf8')).toBe(text.slice(0, -40));
    expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')))).toEqual(['z/p', 'z/{"q', 'z/s']);
  });

  it('is not touched by a start, however damaged', () => {
    for (const text of ['{"z/p": {"sta', '[]', 'null', '7', '', '\0\0\0', '{"z/p": {"state": "sideways"}}']) {
      writeFileSync(file, text);
      expect(open(new FakeClock()).size).toBe(0);
      expect(readFileSync(file, 'utf8')).toBe(text);
    }
  });

  it('with a time that no calendar has is no trouble later', () => {
    for (const untilMs of [1e300, -1, 8.64e15 + 1]) {
      writeFileSync(file, JSON.stringify({ 'z/p': { ...good, untilMs }, 'z/q': good }));
      const states = open(new FakeClock());
      expect(states.size).toBe(1);
      expect(() => forcedView(states.of('z/p/a', 'z/p'))).not.toThrow();
    }
  });

  it('may be a folder by mistake: that is moved aside', async () => {
    mkdirSync(file);
    const states = open(new FakeClock());
    expect(await states.force('z/p', down)).toBe(true);
    expect(existsSync(`${file}.damaged`)).toBe(true);
    expect(open(new FakeClock()).size).toBe(1);
  });
});

describe('a disk that takes nothing', () => {
  it('lets forced states hold, run out and be lifted; all is stored when it is back', async () => {
    const clock = new FakeClock();
    const storage = new TestStorage(clock);
    rmSync(join(directory, 'state'), { recursive: true });
    writeFileSync(join(directory, 'state'), 'a file where the folder should be');
    let changes = 0;
    const states = open(clock, () => changes++, storage);
    expect(await states.force('z/p', forMs(clock, 1_000))).toBe(false);
    expect(await states.force('z/q', down)).toBe(false);
    expect(await states.force('z/r', down)).toBe(false);
    expect(states.size).toBe(3);
    expect(storage.unsaved).toMatchObject([{ file }]);
    await clock.advance(1_001);
    const lifted = states.unforce('z/r');
    expect([lifted.lifted, await lifted.stored]).toEqual([true, false]);
    expect([states.size, changes]).toEqual([1, 5]);
    rmSync(join(directory, 'state'));
    expect(await states.force('z/q', down)).toBe(true);
    expect(storage.unsaved).toEqual([]);
    expect(storage.told).toEqual(['state-unsaved', 'state-saved']);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ 'z/q': down });
  });
});
