import { describe, expect, it } from 'vitest';
import {
  countryColumn,
  countryOfColumn,
  NUMBERS,
  NUMBERS_ROW,
  observe,
  SIZE_BOUNDS,
  TYPE_LABELS,
  typeColumn,
  typeLabelColumn,
} from '../../dist/answer/numbers.js';
import { Sampler } from '../../dist/answer/sampler.js';
import { limits } from '../../dist/base/limits.js';
import { allCountries } from '../../dist/geo/countries.js';
import { typeFromText } from '../../dist/wire/types.js';

describe('the columns of what is counted', () => {
  it('have one for every type and transport, and one for all others', () => {
    for (const [label, name] of TYPE_LABELS.entries()) {
      if (name === 'other') continue;
      for (const tcp of [0, 1] as const) expect(typeColumn(typeFromText(name)!, tcp)).toBe(typeLabelColumn(label, tcp));
    }
    for (const type of [0, 41, 200, 259, 260, 32_769, 65_535])
      expect(typeColumn(type, 1)).toBe(typeLabelColumn(TYPE_LABELS.length - 1, 1));
  });

  it('have one for every country', () => {
    for (const code of allCountries())
      expect(countryOfColumn(countryColumn(code.charCodeAt(0), code.charCodeAt(1)))).toBe(code);
    for (const [a, b] of [
      [0, 0],
      [0x61, 0x62],
      [0x41, 0x5b],
      [255, 255],
    ] as const)
      expect(countryOfColumn(countryColumn(a, b))).toBe('unknown');
    expect(countryOfColumn(NUMBERS.countries - 1)).toBe(null);
  });

  it('put a value into the first bucket whose bound it does not exceed', () => {
    const row = new Float64Array(NUMBERS_ROW);
    for (const size of [1, 64, 65, 512, 65_535, 70_000])
      observe(row, SIZE_BOUNDS, NUMBERS.sizes, NUMBERS.sizeSum, size, 2);
    expect([...row.subarray(NUMBERS.sizes, NUMBERS.sizes + SIZE_BOUNDS.length + 1)]).toEqual([
      4, 2, 0, 2, 0, 0, 0, 0, 0, 2, 2,
    ]);
    expect(row[NUMBERS.sizeSum]).toBe(2 * (1 + 64 + 65 + 512 + 65_535 + 70_000));
  });
});

describe('the sampler', () => {
  /** Weights of so many batches in each of some seconds. */
  function weights(sampler: Sampler, seconds: number, perSecond: number): number[] {
    const all: number[] = [];
    for (let second = 1; second <= seconds; second++) {
      for (let batch = 0; batch < perSecond; batch++) {
        sampler.beginBatch(second);
        all.push(sampler.weight);
      }
    }
    return all;
  }

  it('looks at every batch of a quiet thread', () => {
    const all = weights(new Sampler(new Float64Array(NUMBERS_ROW)), 5, limits.samplesPerSecond);
    expect(all.every((weight) => weight === 1)).toBe(true);
  });

  it.each([100, 1000, 50_000])('looks at few of %i batches a second, which stand for all', (perSecond) => {
    const all = weights(new Sampler(new Float64Array(NUMBERS_ROW)), 8, perSecond).slice(perSecond);
    const looked = all.filter((weight) => weight > 0);
    expect(looked.length / 7).toBeLessThanOrEqual(
      Math.max(limits.samplesPerSecond, perSecond / limits.sampleEvery) + 1,
    );
    const sum = looked.reduce((total, weight) => total + weight, 0);
    expect(Math.abs(sum - all.length) / all.length).toBeLessThan(0.03);
  });
});
