import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitsetWords, changesBitset, nextBit, previousBit } from '../../dist/regionmap/bits.js';

describe('the bitset of changes', () => {
  it('finds the change before and after any range, dense or sparse, short or long', () => {
    const values = fc.oneof(
      fc.array(fc.nat(1), { minLength: 1, maxLength: 200 }),
      // Long rows with few changes: two levels of summaries are skipped.
      fc
        .tuple(fc.integer({ min: 1, max: 70_000 }), fc.array(fc.nat(69_999), { maxLength: 4 }))
        .map(([length, flips]) => Array.from({ length }, (_, i) => flips.filter((flip) => flip <= i).length % 2)),
    );
    fc.assert(
      fc.property(values, fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), fc.nat(5), (row, seeds, at) => {
        const bitset = changesBitset(Int32Array.from(row), Int32Array.of(10, 20), new Map());
        expect(bitset.length).toBe(bitsetWords(row.length));
        const words = new Int32Array(at + bitset.length + 3).fill(-1);
        words.set(bitset, at);
        for (const seed of seeds) {
          const i = seed % row.length;
          let previous = i;
          while (previous > 0 && row[previous] === row[previous - 1]) previous--;
          let next = i + 1;
          while (next < row.length && row[next] === row[next - 1]) next++;
          expect(previousBit(words, at, row.length, i)).toBe(previous);
          expect(nextBit(words, at, row.length, i)).toBe(next);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('sets ranges apart whatever their place is', () => {
    const bitset = changesBitset(
      Int32Array.of(0, 0, 0, 1),
      Int32Array.of(5, 6),
      new Map([
        [1, -1],
        [2, 6],
      ]),
    );
    expect([0, 1, 2, 3].map((i) => nextBit(bitset, 0, 4, i))).toEqual([1, 2, 4, 4]);
  });
});
