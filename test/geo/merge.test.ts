// Which places a merged geography has: those of its databases, each once.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Database } from '../../dist/geo/mmdb.js';
import { NOWHERE, type PlaceFacts } from '../../dist/geo/place.js';
import { RangeTable } from '../../dist/geo/ranges.js';
import { mergeGeo } from '../support/geo.ts';

/** The first address: public space. */
const FIRST = 0x0b000000;

/** A database that knows a place for each IPv4 address from FIRST on. */
function databaseOf(places: readonly PlaceFacts[]): Database {
  const v4 = new RangeTable(1);
  v4.append(0, 0, 0, 0, 0);
  places.forEach((_, i) => {
    v4.append(FIRST + i, 0, 0, 0, i + 1);
  });
  v4.append(FIRST + places.length, 0, 0, 0, 0);
  const v6 = new RangeTable(4);
  v6.append(0, 0, 0, 0, 0);
  return { file: 'x.mmdb', type: 'X', builtAt: 0, v4, v6, records: places.map((place) => ({ place, as: 0 })) };
}

/** What the merged geography says of address FIRST + `n`. */
function placeAt(places: readonly PlaceFacts[]) {
  const merged = mergeGeo([{ database: databaseOf(places), kind: 'database' }], [], 'overrides.yaml');
  const v4 = merged.v4.table();
  const starts = v4.columns[0].subarray(0, v4.length);
  const at = (n: number): PlaceFacts =>
    merged.places.facts(v4.values[starts.findLastIndex((start) => start <= FIRST + n)]!);
  const all = Array.from({ length: merged.places.count }, (_, id) => merged.places.facts(id));
  return { at, all };
}

const text = fc.constantFrom(null, 'A', 'B', 'São Paulo');
const place = fc.record({
  country: fc.constantFrom('US', 'BR'),
  continent: fc.constantFrom('NA' as const, 'SA' as const),
  subdivision: text,
  district: text,
  city: text,
  // Some of them differ by less than a ten-thousandth of a degree.
  at: fc.option(
    fc.tuple(fc.constantFrom(1, 1.00001, -1), fc.constantFrom(0, 5e-5, 2)).map((pair): [number, number] => pair),
    { nil: null },
  ),
});

describe('the places of a merged geography', () => {
  it('are those that the database says, for each address', () => {
    fc.assert(
      fc.property(fc.array(place, { maxLength: 60 }), (places) => {
        const { at } = placeAt(places);
        places.forEach((facts, n) => {
          expect(at(n)).toEqual(facts);
        });
      }),
    );
  });

  it('are each there once, behind those of nobody', () => {
    fc.assert(
      fc.property(fc.array(place, { maxLength: 60 }), (places) => {
        const all = placeAt(places).all.map((facts) => JSON.stringify(facts));
        expect(new Set(all.slice(1)).size).toBe(all.length - 1);
        // The second is that of special-purpose space.
        expect(all.slice(0, 2)).toEqual([JSON.stringify(NOWHERE), JSON.stringify(NOWHERE)]);
        expect(new Set(all.slice(2))).toEqual(new Set(places.map((facts) => JSON.stringify(facts))));
      }),
    );
  });

  it.each([
    [0, [1.00001, 2]],
    [1, [1, 2.00001]],
  ] as const)('are told apart however near they are (axis %i)', (_, [latitude, longitude]) => {
    const near = { ...NOWHERE, country: 'US', continent: 'NA' as const, at: [1, 2] as const };
    const { at } = placeAt([near, { ...near, at: [latitude, longitude] }]);
    expect([at(0).at, at(1).at]).toEqual([
      [1, 2],
      [latitude, longitude],
    ]);
  });

  it('are told apart by the thousand', () => {
    const places = Array.from({ length: 5_000 }, (_, i) => ({
      ...NOWHERE,
      country: 'US',
      continent: 'NA' as const,
      city: `city ${i % 2_500}`,
    }));
    const { all, at } = placeAt(places);
    expect(all).toHaveLength(2_502);
    expect(at(2_499).city).toBe('city 2499');
    expect(at(2_500).city).toBe('city 0');
  });
});
