// When a data thread gathers packets before it reads.
import { describe, expect, it } from 'vitest';
import { limits } from '../../dist/base/limits.js';
import { Pace } from '../../dist/serve/pace.js';

const { gatherLookRounds, gatherPackets, gatherRounds } = limits;

/** Rounds that found these numbers of packets, again and again, `times` in all. Returns what each was told. */
function rounds(pace: Pace, times: number, ...received: number[]): boolean[] {
  return Array.from({ length: times }, (_, i) => pace.gathers(received[i % received.length]!));
}

describe('a data thread', () => {
  it('answers at once as long as packets come one or two at a time', () => {
    expect(rounds(new Pace(), 10_000, 1, 2, 1, 3)).not.toContain(true);
  });

  it('gathers when half of the rounds find several packets waiting', () => {
    const told = rounds(new Pace(), gatherLookRounds, 1, gatherPackets);
    expect(told.indexOf(true)).toBe(gatherLookRounds - 1);
  });

  it('does not take a burst for load, however large', () => {
    expect(rounds(new Pace(), 10 * gatherLookRounds, 64, 64, 64, 1, 1, 1, 1, 1)).not.toContain(true);
  });

  it('looks anew after a while, and gathers on only if it still finds several', () => {
    const pace = new Pace();
    rounds(pace, gatherLookRounds, 20);
    expect(rounds(pace, gatherRounds, 20)).toEqual([...Array(gatherRounds - 1).fill(true), false]);
    expect(rounds(pace, gatherLookRounds, 2)).not.toContain(true);
  });

  it('answers at once when it gathered next to nothing', () => {
    const pace = new Pace();
    expect(rounds(pace, gatherLookRounds, 20).at(-1)).toBe(true);
    expect(pace.gathers(gatherPackets - 1)).toBe(false);
    expect(pace.gathers(gatherPackets)).toBe(false);
  });
});
