// The operators' hand: a target's beats its pool's, it runs out, and it survives restarts and damage.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../dist/base/log.js';
import { ForcedStates } from '../../dist/targets/forced-states.js';
import { FakeClock } from '../support/clock.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-hand-'));
  file = join(directory, 'state', 'hand.json');
});
afterEach(() => rmSync(directory, { recursive: true }));

const log = createLog('silent');

function open(clock: FakeClock, onChange = (): void => {}): ForcedStates {
  return new ForcedStates({ file, clock, log, onChange });
}

const down = { state: 'down', untilMs: null, reason: 'works', by: 'ann', sinceMs: 0 } as const;

describe('the hand', () => {
  it("of a target beats its pool's, and a target without one has its pool's", () => {
    const hand = open(new FakeClock());
    hand.force('z/p', { ...down, state: 'drain' });
    hand.force('z/p/192.0.2.1', down);
    expect(hand.of('z/p/192.0.2.1', 'z/p')?.state).toBe('down');
    expect(hand.of('z/p/192.0.2.2', 'z/p')?.state).toBe('drain');
    expect(hand.of('z/q/192.0.2.2', 'z/q')).toBeNull();
  });

  it('is there again after a restart', () => {
    const clock = new FakeClock();
    open(clock).force('z/p/192.0.2.1', down);
    expect(open(clock).of('z/p/192.0.2.1', 'z/p')).toMatchObject({ state: 'down', reason: 'works', by: 'ann' });
  });

  it('runs out at its time, is told then, and is not there after a restart', async () => {
    const clock = new FakeClock();
    let changes = 0;
    const hand = open(clock, () => changes++);
    hand.force('z/p', { ...down, untilMs: clock.nowMs() + 60_000 });
    await clock.advance(59_000);
    expect(hand.of('z/p/a', 'z/p')).not.toBeNull();
    await clock.advance(1_001);
    expect(hand.of('z/p/a', 'z/p')).toBeNull();
    expect(changes).toBe(2);
    expect(open(clock).size).toBe(0);
  });

  it('that ran out while the server was off is gone at the start', async () => {
    const clock = new FakeClock();
    const hand = open(clock);
    hand.force('z/p', { ...down, untilMs: clock.nowMs() + 1_000 });
    hand.stop();
    await clock.advance(5_000);
    expect(open(clock).size).toBe(0);
  });

  it('is lifted once, and lifting what is not forced says so', () => {
    const hand = open(new FakeClock());
    hand.force('z/p', down);
    expect(hand.unforce('z/p')).toBe(true);
    expect(hand.unforce('z/p')).toBe(false);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({});
  });

  it('of a torn or foreign file is empty, not a crash', () => {
    for (const text of ['{"z/p": {"sta', '[]', '{"z/p": {"state": "sideways"}}']) {
      const hand = open(new FakeClock());
      hand.force('z/p', down);
      writeFileSync(file, text);
      expect(open(new FakeClock()).size).toBe(0);
    }
  });
});
