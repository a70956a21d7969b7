import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Holdings } from '../../dist/geoupdate/holdings.js';

type Row = readonly [first: number, last: number, value: number];

const row = fc
  .tuple(fc.nat(60), fc.nat(60), fc.integer({ min: 1, max: 5 }))
  .map(([a, b, value]): Row => [Math.min(a, b), Math.max(a, b), value]);

/** The value of each small place, by trying all: the latest start counts, then the earliest end, then the first. */
function byTrying(rows: readonly Row[], place: number): number {
  const around = rows
    .map((item, index) => ({ item, index }))
    .filter(({ item: [first, last] }) => first <= place && place <= last)
    .sort((a, b) => b.item[0] - a.item[0] || a.item[1] - b.item[1] || a.index - b.index);
  return around[0]?.item[2] ?? 0;
}

describe('holdings', () => {
  /** Word of an upper half of IPv6 addresses, where one word carries to the other. */
  const word = (place: number, at: 0 | 1): number => {
    const whole = 0x2a00_0000_ffff_ffe0n + BigInt(place);
    return Number(at === 0 ? whole >> 32n : whole & 0xffff_ffffn);
  };

  it('become ranges in which the inner one counts, in any order, overlapping or not', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), (rows) => {
        const four = new Holdings(1);
        const six = new Holdings(4);
        for (const [first, last, value] of rows) {
          four.add(0xffff_ffc3 + first, 0, 0xffff_ffc3 + last, 0, value);
          six.add(word(first, 0), word(first, 1), word(last, 0), word(last, 1), value);
        }
        const v4 = four.table();
        const v6 = six.table();
        for (let place = 0; place <= 60; place++) {
          const expected = byTrying(rows, place);
          expect(valueAt(v4.columns[0], v4.columns[0], v4.values, v4.length, 0xffff_ffc3 + place, null)).toBe(expected);
          expect(valueAt(v6.columns[0], v6.columns[1], v6.values, v6.length, word(place, 0), word(place, 1))).toBe(
            expected,
          );
        }
      }),
      { numRuns: 500 },
    );
  });
});

function valueAt(
  high: Uint32Array,
  low: Uint32Array,
  values: Uint32Array,
  length: number,
  word0: number,
  word1: number | null,
): number {
  let value = 0;
  for (let i = 0; i < length; i++) {
    if (high[i]! > word0 || (high[i] === word0 && word1 !== null && low[i]! > word1)) break;
    value = values[i]!;
  }
  return value;
}
