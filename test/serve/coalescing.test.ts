// When a data thread gathers packets before it reads.
import { describe, expect, it } from 'vitest';
import { limits } from '../../dist/base/limits.js';
import { Coalescing } from '../../dist/serve/coalescing.js';

const { coalesceLookRounds, coalescePackets, coalesceRounds } = limits;

/** Rounds that found these numbers of packets, again and again, `times` in all. Returns what each was told. */
function rounds(pace: Coalescing, times: number, ...received: number[]): boolean[] {
  return Array.from({ length: times }, (_, i) => pace.coalesces(received[i % received.length]!));
}

describe('a data thread', () => {
  it('answers at once as long as packets come one or two at a time', () => {
    expect(rounds(new Coalescing(), 10_000, 1, 2, 1, 3)).not.toContain(true);
  });

  it('gathers when half of the rounds find several packets waiting', () => {
    const told = rounds(new Coalescing(), coalesceLookRounds, 1, coalescePackets);
    expect(told.indexOf(true)).toBe(coalesceLookRounds - 1);
  });

  it('does not take a burst for load, however large', () => {
    expect(rounds(new Coalescing(), 10 * coalesceLookRounds, 64, 64, 64, 1, 1, 1, 1, 1)).not.toContain(true);
  });

  it('looks anew after a while, and gathers on only if it still finds several', () => {
    const pace = new Coalescing();
    rounds(pace, coalesceLookRounds, 20);
    expect(rounds(pace, coalesceRounds, 20)).toEqual([...Array(coalesceRounds - 1).fill(true), false]);
    expect(rounds(pace, coalesceLookRounds, 2)).not.toContain(true);
  });

  it('answers at once when it gathered next to nothing', () => {
    const pace = new Coalescing();
    expect(rounds(pace, coalesceLookRounds, 20).at(-1)).toBe(true);
    expect(pace.coalesces(coalescePackets - 1)).toBe(false);
    expect(pace.coalesces(coalescePackets)).toBe(false);
  });
});
