// Several databases and the overrides become one set of ranges: for each address one place and one AS number.
import type { Prefix } from '../base/address.ts';
import { type Database, type ScannedDatabase, scanDatabase } from './mmdb.ts';
import type { Override } from './overrides.ts';
import { type ContinentCode, NOWHERE, type PlaceFacts, SPECIAL_PLACE } from './place.ts';
import { COLUMN, PlaceList } from './place-list.ts';
import { LaidRanges, nestPrefixes, type RangeTable } from './ranges.ts';
import { type RecordFacts, readRecord, withContinent } from './record.ts';
import { SPECIAL_MARK, SPECIAL4, SPECIAL6 } from './special.ts';

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

/**
 * Everything that the geo image holds. Values of `v4` and `v6` are indexes in `places` or marks of special-purpose blocks, those of `as4`
 * and `as6` AS numbers.
 */
export interface MergedGeo {
  readonly v4: LaidRanges;
  readonly v6: LaidRanges;
  readonly as4: LaidRanges;
  readonly as6: LaidRanges;
  /** Whole once `v4` and `v6` have been gone through: overrides add theirs where they apply. */
  readonly places: PlaceList;
  readonly sources: readonly Source[];
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

  /**
   * Adds the database of a whole file, in the order of file names. Returns what is wrong with it, where it can't be read: it counts for
   * nothing then.
   */
  read(file: string, bytes: Buffer, kind: 'embedded' | 'database'): string | null {
    const before = this.#places.mark();
    const records = new RecordColumns(this.#places, this.#sources.length);
    const database = scanDatabase(file, bytes, (record) => records.add(readRecord(record)));
    if (typeof database === 'string') {
      this.#places.rollBack(before);
      return database;
    }
    this.#add(database, records, kind);
    return null;
  }

  /** As `read`, for one that was read already. */
  add(database: Database, kind: 'embedded' | 'database'): void {
    const records = new RecordColumns(this.#places, this.#sources.length);
    for (const record of database.records) records.add(record);
    this.#add(database, records, kind);
  }

  #add({ file, type, builtAt, v4, v6 }: ScannedDatabase, records: RecordColumns, kind: 'embedded' | 'database'): void {
    const { gives } = records;
    if (records.places) this.#located.push({ v4, v6, placeIds: records.placeIds, ranks: records.ranks() });
    if ((gives & GIVES.as) !== 0) this.#numbered.push({ v4, v6, numbers: records.numbers });
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
    return {
      v4: layPlaces(1, located, placing, overridden),
      v6: layPlaces(4, located, placing, overridden),
      as4: layNumbers(1, numbered, numbering),
      as6: layNumbers(4, numbered, numbering),
      places,
      sources,
    };
  }
}

function layPlaces(
  words: 1 | 4,
  located: readonly Located[],
  placing: readonly Override[],
  overridden: OverriddenPlaces,
): LaidRanges {
  const useful = located.filter(({ v4, v6 }) => !isSilent(words === 1 ? v4 : v6));
  const tables = useful.map(({ v4, v6 }) => (words === 1 ? v4 : v6));
  const count = tables.length;
  tables.push(specialTable(words), nestPrefixes(words, prefixesOf(placing)).table);
  // Not the tables: what is made here must not hold those of the other family.
  const known = useful.map(({ ranks, placeIds }) => ({ ranks, placeIds }));
  return new LaidRanges(tables, (values) => {
    let best = 0;
    let place = 0;
    for (let k = 0; k < count; k++) {
      const { ranks, placeIds } = known[k]!;
      const rank = ranks[values[k]!]!;
      if (rank <= best) continue;
      best = rank;
      place = placeIds[values[k]!]!;
    }
    const special = values[count]!;
    const override = values[count + 1]!;
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

function layNumbers(words: 1 | 4, databases: readonly Numbered[], numbering: readonly Override[]): LaidRanges {
  const tables = databases.map(({ v4, v6 }) => (words === 1 ? v4 : v6));
  const count = tables.length;
  tables.push(specialTable(words), nestPrefixes(words, prefixesOf(numbering)).table);
  const numbers = databases.map((database) => database.numbers);
  return new LaidRanges(tables, (values) => {
    const override = values[count + 1]!;
    if (override !== 0) return numbering[override - 1]!.as;
    if (values[count] !== 0) return 0;
    for (let k = 0; k < count; k++) {
      const number = numbers[k]![values[k]!]!;
      if (number !== 0) return number;
    }
    return 0;
  });
}

function prefixesOf(overrides: readonly Override[]): Prefix[] {
  return overrides.map(({ prefix }) => prefix);
}

/** Which AS numbers a database knows, by record. */
interface Numbered {
  readonly v4: RangeTable;
  readonly v6: RangeTable;
  /** By record, the first is number 1. */
  readonly numbers: Uint32Array;
}

/** Which places a database knows. */
interface Located {
  readonly v4: RangeTable;
  readonly v6: RangeTable;
  /** By record, the first is number 1: the place's id, and how it ranks against what other databases say of the same address (0: nothing). */
  readonly placeIds: Uint32Array;
  readonly ranks: Uint16Array;
}

/** What there is to know of the records of one database, in columns by number. */
class RecordColumns {
  readonly #places: PlaceList;
  readonly #source: number;
  #count = 1;
  /** Place ids. */
  placeIds = new Uint32Array(256);
  /** What is known of the place: bits of GIVES, and SOMETHING. */
  #details = new Uint8Array(256);
  /** AS numbers; room for them comes with the first. */
  numbers = new Uint32Array(0);
  /** Bits of GIVES. */
  gives = 0;
  /** Whether any record says something of a place. */
  places = false;

  constructor(places: PlaceList, source: number) {
    this.#places = places;
    this.#source = source;
  }

  add({ place, as }: RecordFacts): void {
    const index = this.#count++;
    if (index === this.placeIds.length) this.#grow();
    if (as > 0) {
      if (this.numbers.length === 0) this.numbers = new Uint32Array(this.placeIds.length);
      this.numbers[index] = as;
    }
    const detail = detailOf(place);
    this.gives |= givesOfRecord(place, as);
    if (detail === 0 && place.continent === null) return;
    this.places = true;
    this.placeIds[index] = this.#places.id(withContinent(place), this.#source);
    this.#details[index] = detail | SOMETHING;
  }

  /** By record: how it ranks against what other databases say of the same address, 0 where it says nothing. */
  ranks(): Uint16Array {
    const whole = 256 + rankOf(this.gives) * 16;
    return Uint16Array.from(this.#details, (detail) =>
      // What doesn't know the country counts only where nobody does.
      detail === 0 ? 0 : 1 + ((detail & GIVES.countries) === 0 ? 0 : whole) + rankOf(detail),
    );
  }

  #grow(): void {
    const larger = <T extends Uint32Array | Uint8Array>(next: T, old: T): T => {
      next.set(old);
      return next;
    };
    const length = this.placeIds.length * 2;
    this.placeIds = larger(new Uint32Array(length), this.placeIds);
    this.#details = larger(new Uint8Array(length), this.#details);
    if (this.numbers.length > 0) this.numbers = larger(new Uint32Array(length), this.numbers);
  }
}

/** Beside the bits of GIVES: there is something to know, be it the continent alone. */
const SOMETHING = 128;

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
    const continent: ContinentCode | null = place.country === null ? this.#continent(below) : null;
    const key = `${index}|${continent}`;
    let id = this.#known.get(key);
    if (id === undefined) {
      id = this.#places.id(withContinent({ ...place, district: null, continent }), this.#source);
      this.#known.set(key, id);
    }
    return id;
  }

  #continent(place: number): ContinentCode | null {
    return this.#places.texts.text(this.#places.word(place, COLUMN.continent)) as ContinentCode | null;
  }
}
