// Load shedding: nothing below the low mark, nothing left above the high one, in steps between, and no swinging.
import { describe, expect, it } from 'vitest';
import { LOAD_FULL } from '../../dist/board/board.js';
import { nextLoadFactor } from '../../dist/health/load-factor.js';

const MARKS = [0.7, 0.95] as const;

/** The factor after the same load was reported many times. */
function settled(load: number | null, from = LOAD_FULL): number {
  let factor = from;
  for (let i = 0; i < 300; i++) factor = nextLoadFactor(factor, load, MARKS);
  return factor;
}

describe('the load factor', () => {
  it('is whole below the low mark and without a report', () => {
    expect(settled(0.69, 0)).toBe(LOAD_FULL);
    expect(settled(null, 0)).toBe(LOAD_FULL);
  });

  it('is nothing at the high mark, at once', () => {
    expect(nextLoadFactor(LOAD_FULL, 0.95, MARKS)).toBe(0);
    expect(nextLoadFactor(LOAD_FULL, 1, MARKS)).toBe(0);
  });

  it('falls step by step between the marks, never rising with load', () => {
    const factors = [0.7, 0.75, 0.8, 0.85, 0.9, 0.94].map((load) => settled(load));
    expect(factors).toEqual([...factors].sort((a, b) => b - a));
    expect(new Set(factors).size).toBe(factors.length);
    expect(nextLoadFactor(LOAD_FULL, 0.94, MARKS)).toBeGreaterThan(LOAD_FULL * 0.9);
  });

  it('evens out fifty members of different size without swinging', () => {
    // A model: each round, clients spread by weight x factor; a member's load is its share over its size, smoothed as
    // resolvers' caches smooth it (a third of the clients move each round).
    const sizes = Array.from({ length: 50 }, (_, i) => 0.5 + (i % 10) / 10);
    const demand = sizes.reduce((a, b) => a + b) * 0.75;
    let factors = sizes.map(() => LOAD_FULL);
    let clients = sizes.map(() => demand / 50);
    const worst: number[] = [];
    let turns = 0;
    let before: number[] = [];
    let direction = sizes.map(() => 0);
    for (let round = 0; round < 400; round++) {
      const total = factors.reduce((a, b) => a + b, 0);
      clients = clients.map((now, i) => now + ((demand * factors[i]!) / total - now) / 3);
      const loads = clients.map((now, i) => now / sizes[i]!);
      factors = factors.map((factor, i) => nextLoadFactor(factor, loads[i]!, MARKS));
      worst.push(Math.max(...loads));
      if (round > 300) {
        loads.forEach((load, i) => {
          const step = Math.sign(Math.round((load - before[i]!) * 20));
          if (step !== 0 && direction[i] !== 0 && step !== direction[i]) turns++;
          if (step !== 0) direction[i] = step;
        });
      } else direction = sizes.map(() => 0);
      before = loads;
    }
    // At first the small ones carry one and a half times what they can.
    expect(worst[0]).toBeGreaterThan(1.4);
    expect(Math.max(...worst.slice(300))).toBeLessThan(1);
    // Fewer than one visible turn (5% of load) for each member in the last hundred rounds.
    expect(turns).toBeLessThan(50);
  });
});
