// Several databases and the overrides become one set of ranges: for each address one place and one AS number.
import type { Prefix } from '../base/address.ts';
import type { Database } from './mmdb.ts';
import type { Override } from './overrides.ts';
import { type ContinentCode, NOWHERE, type PlaceFacts, SPECIAL_PLACE } from './place.ts';
import { mergeTables, nestPrefixes, type RangeTable } from './ranges.ts';
import { withContinent } from './record.ts';
import { SPECIAL4, SPECIAL6 } from './special.ts';

/** What a source of places contributes, as bits. */
export const GIVES = { countries: 1, subdivisions: 2, cities: 4, coordinates: 8, as: 16 } as const;

/** Where places come from: a database, or the overrides. */
export interface Source {
  readonly kind: 'embedded' | 'database' | 'overrides';
  /** Base name of the file. */
  readonly file: string;
  /** The database's type as it says itself; `overrides`. */
  readonly type: string;
  /** Seconds since 1970 at which the database was built; 0 for the overrides. */
  readonly builtAt: number;
  /** Bits of GIVES. */
  readonly gives: number;
}

export interface MergedPlace {
  readonly facts: PlaceFacts;
  /** Index of the source, -1 where nobody knows the place. */
  readonly source: number;
}

/** Values of `v4` and `v6` from here on stand for SPECIAL_PLACE: one for each block, so that neighbours stay apart. Above every place id. */
export const SPECIAL_MARK = 0xfff0_0000;

/**
 * Everything that the geo image holds. Values of `v4` and `v6` are indexes in `places` or marks of special-purpose blocks, those of `as4`
 * and `as6` AS numbers.
 */
export interface MergedGeo {
  readonly v4: RangeTable;
  readonly v6: RangeTable;
  readonly as4: RangeTable;
  readonly as6: RangeTable;
  /** The first is the place of those that nobody knows, the second SPECIAL_PLACE. */
  readonly places: readonly MergedPlace[];
  readonly sources: readonly Source[];
}

/** What a database gives, as bits of GIVES. */
function givesOf(database: Database): number {
  let gives = 0;
  for (const { place, as } of database.records) gives |= givesOfRecord(place, as);
  return gives;
}

function givesOfRecord(place: PlaceFacts, as: number): number {
  return detailOf(place) | (as > 0 ? GIVES.as : 0);
}

function detailOf(place: PlaceFacts): number {
  return (
    (place.country === null ? 0 : GIVES.countries) |
    (place.subdivision === null ? 0 : GIVES.subdivisions) |
    (place.city === null ? 0 : GIVES.cities) |
    (place.at === null ? 0 : GIVES.coordinates)
  );
}

/** How much is known: a city says more than a subdivision, that more than coordinates, those more than a country. */
function rankOf(gives: number): number {
  const bit = (flag: number, rank: number): number => ((gives & flag) === 0 ? 0 : rank);
  return bit(GIVES.countries, 1) + bit(GIVES.coordinates, 2) + bit(GIVES.subdivisions, 4) + bit(GIVES.cities, 8);
}

/**
 * Merges databases and overrides. Where several databases know an address's country, the most detailed database decides; among equals the one
 * that says most of this address, then the first. Takes databases one after another, sorted by file name, so that the records of one are gone
 * before the next is read: of a city database they are 100 MB.
 */
export class GeoMerger {
  readonly #places = new PlaceList();
  readonly #sources: Source[] = [];
  readonly #located: Located[] = [];
  readonly #numbered: Numbered[] = [];

  /** Bits of GIVES of everything that was added. */
  get gives(): number {
    return this.#sources.reduce((all, source) => all | source.gives, 0);
  }

  /** In the order of file names. The database's tables are the merger's from now on. */
  add(database: Database, kind: 'embedded' | 'database'): void {
    const { file, type, builtAt, v4, v6, records } = database;
    const gives = givesOf(database);
    const located = locateRecords(database, this.#sources.length, gives, this.#places);
    if (located.ranks.some((rank) => rank > 0)) this.#located.push(located);
    if ((gives & GIVES.as) !== 0) this.#numbered.push({ v4, v6, numbers: Uint32Array.from(records, ({ as }) => as) });
    this.#sources.push({ kind, file, type, builtAt, gives });
  }

  /** To be called once: nothing of the databases is held after it. */
  merge(overrides: readonly Override[], overridesFile: string): MergedGeo {
    const places = this.#places;
    const sources = [...this.#sources];
    if (overrides.length > 0) {
      const gives = overrides.reduce((all, { place, as }) => all | givesOfRecord({ ...NOWHERE, ...place }, as), 0);
      sources.push({ kind: 'overrides', file: overridesFile, type: 'overrides', builtAt: 0, gives });
    }
    const placing = overrides.filter((o) => o.place !== null);
    const overridden = new OverriddenPlaces(placing, sources.length - 1, places);
    const numbering = overrides.filter((o) => o.as > 0);
    const located = this.#located.splice(0);
    const numbered = this.#numbered.splice(0);
    // Before the places: those are written over the tables that both read.
    const as4 = mergeNumbers(1, numbered, numbering);
    const as6 = mergeNumbers(4, numbered, numbering);
    const v4 = mergePlaces(1, located, placing, overridden);
    const v6 = mergePlaces(4, located, placing, overridden);
    return { v4, v6, as4, as6, places: places.all, sources };
  }
}

function mergePlaces(
  words: 1 | 4,
  located: readonly Located[],
  placing: readonly Override[],
  overridden: OverriddenPlaces,
): RangeTable {
  const useful = located.filter(({ v4, v6 }) => !isSilent(words === 1 ? v4 : v6));
  const tables = useful.map(({ v4, v6 }) => (words === 1 ? v4 : v6));
  const count = tables.length;
  tables.push(specialTable(words));
  // The overrides' table comes last; without overrides nothing has to be merged with it.
  if (placing.length > 0) tables.push(nestPrefixes(words, prefixesOf(placing)).table);
  return mergeTables(tables, (values) => {
    let best = 0;
    let place = 0;
    for (let k = 0; k < count; k++) {
      const { ranks, placeIds } = useful[k]!;
      const rank = ranks[values[k]!]!;
      if (rank <= best) continue;
      best = rank;
      place = placeIds[values[k]!]!;
    }
    const special = values[count]!;
    const override = values[count + 1] ?? 0;
    if (override !== 0) return overridden.place(override - 1, special === 0 ? place : SPECIAL_PLACE);
    return special === 0 ? place : SPECIAL_MARK + special;
  });
}

/** Special-purpose space: 1 + the number of the block, 0 elsewhere. */
function specialTable(words: 1 | 4): RangeTable {
  const blocks = words === 1 ? SPECIAL4 : SPECIAL6;
  return nestPrefixes(
    words,
    blocks.map(({ prefix }) => prefix),
  ).table;
}

/** Whether a database says nothing of a family: cities of IPv4 and of IPv6 come in two files. */
function isSilent({ length, values }: RangeTable): boolean {
  return length === 1 && values[0] === 0;
}

function mergeNumbers(words: 1 | 4, databases: readonly Numbered[], numbering: readonly Override[]): RangeTable {
  const tables = [nestPrefixes(words, prefixesOf(numbering)).table.map((v) => (v === 0 ? 0 : numbering[v - 1]!.as))];
  tables.push(specialTable(words));
  for (const { v4, v6, numbers } of databases) {
    tables.push((words === 1 ? v4 : v6).map((record) => (record === 0 ? 0 : numbers[record - 1]!)));
  }
  return mergeTables(tables, (values) => {
    if (values[0] !== 0) return values[0]!;
    if (values[1] !== 0) return 0;
    for (let k = 2; k < values.length; k++) if (values[k] !== 0) return values[k]!;
    return 0;
  });
}

function prefixesOf(overrides: readonly Override[]): Prefix[] {
  return overrides.map(({ prefix }) => prefix);
}

/**
 * Distinct places, numbered. A city database has half a million: a Map with a text for each would take 200 MB while it is read, and
 * three times as long.
 */
class PlaceList {
  readonly all: MergedPlace[] = [];
  /** Hash table of ids plus one (0: free), at most half full; by linear probing. */
  #table = new Int32Array(1024);
  readonly #texts = new Map<string, number>();

  constructor() {
    this.id(NOWHERE, -1);
    // No source has this number: it is told apart from the first by it alone.
    this.id(NOWHERE, -2);
  }

  id(facts: PlaceFacts, source: number): number {
    const slot = this.#slotOf(facts, source);
    const known = this.#table[slot]!;
    if (known > 0) return known - 1;
    this.all.push({ facts, source });
    this.#table[slot] = this.all.length;
    if (this.all.length * 2 > this.#table.length) this.#grow();
    return this.all.length - 1;
  }

  /** Where the place stands in the table, or would stand. */
  #slotOf(facts: PlaceFacts, source: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    let slot = this.#hash(facts, source) & mask;
    for (; table[slot] !== 0; slot = (slot + 1) & mask) {
      const place = this.all[table[slot]! - 1]!;
      if (place.source === source && isSamePlace(place.facts, facts)) break;
    }
    return slot;
  }

  #grow(): void {
    this.#table = new Int32Array(this.#table.length * 2);
    this.all.forEach(({ facts, source }, id) => {
      this.#table[this.#slotOf(facts, source)] = id + 1;
    });
  }

  #hash({ country, continent, subdivision, district, city, at }: PlaceFacts, source: number): number {
    let h = source | 0;
    const mix = (value: number): void => {
      h = Math.imul(h ^ value, 0x9e3779b1);
      h ^= h >>> 15;
    };
    for (const text of [country, continent, subdivision, district, city]) mix(this.#number(text));
    // Degrees come with four decimals: what lies closer together meets in the table, and is told apart there.
    mix(at === null ? -1 : (at[0] * 10_000) | 0);
    mix(at === null ? -1 : (at[1] * 10_000) | 0);
    return h;
  }

  /** The number of a text, 0 for none. */
  #number(text: string | null): number {
    if (text === null) return 0;
    let number = this.#texts.get(text);
    if (number === undefined) {
      number = this.#texts.size + 1;
      this.#texts.set(text, number);
    }
    return number;
  }
}

function isSamePlace(a: PlaceFacts, b: PlaceFacts): boolean {
  return (
    a.country === b.country &&
    a.continent === b.continent &&
    a.subdivision === b.subdivision &&
    a.district === b.district &&
    a.city === b.city &&
    a.at?.[0] === b.at?.[0] &&
    a.at?.[1] === b.at?.[1]
  );
}

/** Which AS numbers a database knows, by record. */
interface Numbered {
  readonly v4: RangeTable;
  readonly v6: RangeTable;
  readonly numbers: Uint32Array;
}

/** Which places a database knows. */
interface Located {
  readonly v4: RangeTable;
  readonly v6: RangeTable;
  /** By record (1 + index): the place's id, and how it ranks against what other databases say of the same address (0: nothing). */
  readonly placeIds: Uint32Array;
  readonly ranks: Uint32Array;
}

function locateRecords(database: Database, source: number, gives: number, places: PlaceList): Located {
  const placeIds = new Uint32Array(database.records.length + 1);
  const ranks = new Uint32Array(database.records.length + 1);
  database.records.forEach(({ place }, index) => {
    const detail = detailOf(place);
    if (detail === 0 && place.continent === null) return;
    placeIds[index + 1] = places.id(withContinent(place), source);
    // What doesn't know the country counts only where nobody does.
    ranks[index + 1] = 1 + (place.country === null ? 0 : 256 + rankOf(gives) * 16) + rankOf(detail);
  });
  return { v4: database.v4, v6: database.v6, placeIds, ranks };
}

/** Places of overrides; one without a country keeps the continent of what lies below it. */
class OverriddenPlaces {
  readonly #overrides: readonly Override[];
  readonly #source: number;
  readonly #places: PlaceList;
  readonly #known = new Map<string, number>();

  constructor(overrides: readonly Override[], source: number, places: PlaceList) {
    this.#overrides = overrides;
    this.#source = source;
    this.#places = places;
  }

  /** Place id for the override over a place below. */
  place(index: number, below: number): number {
    const place = this.#overrides[index]!.place!;
    const continent: ContinentCode | null = place.country === null ? this.#places.all[below]!.facts.continent : null;
    const key = `${index}|${continent}`;
    let id = this.#known.get(key);
    if (id === undefined) {
      id = this.#places.id(withContinent({ ...place, district: null, continent }), this.#source);
      this.#known.set(key, id);
    }
    return id;
  }
}
