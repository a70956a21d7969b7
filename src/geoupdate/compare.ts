// How much of the address space has another country in one database than in another.
import { readDatabase } from '../geo/mmdb.ts';
import type { MmdbValue } from '../geo/mmdb-data.ts';
import { mergeTables, type RangeTable } from '../geo/ranges.ts';
import { type RecordFacts, readCountryAndAs } from '../geo/record.ts';

/** What is kept of a database for comparing: a number for each country (or AS), 0 for none. Far smaller than the database. */
export interface Placed {
  readonly v4: RangeTable;
  readonly v6: RangeTable;
  /** Whether the numbers are countries; else it is a database of AS numbers. */
  readonly countries: boolean;
  /** Seconds since 1970. */
  readonly builtAt: number;
}

/** Reads a database for comparing; a text says what is wrong with it. */
export function readPlaced(file: string, bytes: Buffer): Placed | string {
  const database = readDatabase(file, bytes, sharedFacts());
  if (typeof database === 'string') return database;
  const { v4, v6, records, builtAt } = database;
  const countries = records.some(({ place }) => place.country !== null);
  const numbers = new Uint32Array(records.length + 1);
  records.forEach(({ place, as }, i) => {
    const { country } = place;
    if (!countries) numbers[i + 1] = as;
    else if (country !== null) numbers[i + 1] = (country.charCodeAt(0) << 8) | country.charCodeAt(1);
  });
  const number = (record: number): number => numbers[record]!;
  if (!countries && numbers.every((as) => as === 0)) return 'there is neither a country nor an AS number in it';
  return { v4: v4.map(number), v6: v6.map(number), countries, builtAt };
}

/** Equal facts are one object: a city database has a million records, and 250 countries. */
function sharedFacts(): (record: MmdbValue) => RecordFacts {
  const known = new Map<string, RecordFacts>();
  return (record) => {
    const facts = readCountryAndAs(record);
    const key = `${facts.place.country} ${facts.as}`;
    const shared = known.get(key);
    if (shared !== undefined) return shared;
    known.set(key, facts);
    return facts;
  };
}

/**
 * Of the addresses that have a country in either, the share whose country isn't the same in both, 0 to 1: the larger one of IPv4's and
 * IPv6's, since a family in ruins is ruin enough. Databases of AS numbers are compared by these.
 */
export function shareChanged(before: Placed, after: Placed): number {
  if (before.countries !== after.countries) return 1;
  return Math.max(familyChanged(before.v4, after.v4), familyChanged(before.v6, after.v6));
}

const NOTHING = 0;
const SAME = 1;
const CHANGED = 2;

function familyChanged(before: RangeTable, after: RangeTable): number {
  const merged = mergeTables([before, after], ([a, b]) => (a === b ? (a === 0 ? NOTHING : SAME) : CHANGED));
  const sizes = [0, 0, 0];
  for (let i = 0; i < merged.length; i++) sizes[merged.values[i]!]! += sizeOf(merged, i);
  const placed = sizes[SAME]! + sizes[CHANGED]!;
  return placed === 0 ? 0 : sizes[CHANGED]! / placed;
}

/** Addresses of a range. Subtracted word by word: starts of IPv6 as doubles would lose all ranges below a /56. */
function sizeOf({ words, columns, length }: RangeTable, i: number): number {
  const last = i + 1 === length;
  let size = 0;
  for (let word = 0; word < words; word++) {
    const end = last ? (word === 0 ? 2 ** 32 : 0) : columns[word as 0 | 1 | 2 | 3][i + 1]!;
    size = size * 2 ** 32 + (end - columns[word as 0 | 1 | 2 | 3][i]!);
  }
  return size;
}
