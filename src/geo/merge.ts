// Several databases and the overrides become one set of ranges: for each address one place and one AS number.
import type { Database } from './mmdb.ts';
import type { Override } from './overrides.ts';
import { type ContinentCode, NOWHERE, type PlaceFacts } from './place.ts';
import { constantTable, mergeTables, nestPrefixes, type RangeTable } from './ranges.ts';
import { withContinent } from './record.ts';

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

/** Everything that the geo image holds. Values of `v4` and `v6` are indexes in `places`, those of `as4` and `as6` AS numbers. */
export interface MergedGeo {
  readonly v4: RangeTable;
  readonly v6: RangeTable;
  readonly as4: RangeTable;
  readonly as6: RangeTable;
  /** The first is the place of those that nobody knows. */
  readonly places: readonly MergedPlace[];
  readonly sources: readonly Source[];
}

/** What a database gives, as bits of GIVES. */
export function givesOf(database: Database): number {
  let gives = 0;
  for (const { place, as } of database.records) gives |= detailOf(place) | (as > 0 ? GIVES.as : 0);
  return gives;
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
 * Merges databases and overrides. Where several databases know an address's country, the most detailed database decides; among
 * equals the one that says most of this address, then the first in the list.
 * @param databases sorted by file name
 * @param overrides in order of precedence among equal networks
 */
export function mergeGeo(
  databases: readonly { readonly database: Database; readonly kind: 'embedded' | 'database' }[],
  overrides: readonly Override[],
  overridesFile: string,
): MergedGeo {
  const places = new PlaceList();
  const sources: Source[] = databases.map(({ database, kind }) => ({
    kind,
    file: database.file,
    type: database.type,
    builtAt: database.builtAt,
    gives: givesOf(database),
  }));
  const located = databases.map(({ database }, source) =>
    locateRecords(database, source, sources[source]!.gives, places),
  );
  if (overrides.length > 0) {
    const gives = overrides.reduce(
      (all, o) => all | (o.place ? detailOf({ ...NOWHERE, ...o.place }) : 0) | (o.as > 0 ? GIVES.as : 0),
      0,
    );
    sources.push({ kind: 'overrides', file: overridesFile, type: 'overrides', builtAt: 0, gives });
  }
  const overridesSource = sources.length - 1;
  const placing = overrides.filter((o) => o.place !== null);
  const numbering = overrides.filter((o) => o.as > 0);
  const overridden = new OverriddenPlaces(placing, overridesSource, places);

  const mergePlaces = (words: 1 | 4): RangeTable => {
    const nested = nestPrefixes(
      words,
      placing.map((o) => o.prefix),
    ).table;
    const tables = [nested, ...databases.map(({ database }) => (words === 1 ? database.v4 : database.v6))];
    return mergeTables(tables, (values) => {
      let best = 0;
      let place = 0;
      for (let k = 0; k < located.length; k++) {
        const record = values[k + 1]!;
        if (record === 0) continue;
        const rank = located[k]!.ranks[record]!;
        if (rank <= best) continue;
        best = rank;
        place = located[k]!.placeIds[record]!;
      }
      return values[0] === 0 ? place : overridden.place(values[0]! - 1, place);
    });
  };
  const mergeNumbers = (words: 1 | 4): RangeTable => {
    const tables = [
      nestPrefixes(
        words,
        numbering.map((o) => o.prefix),
      ).table.map((v) => (v === 0 ? 0 : numbering[v - 1]!.as)),
    ];
    databases.forEach(({ database }, source) => {
      if ((sources[source]!.gives & GIVES.as) === 0) return;
      const table = words === 1 ? database.v4 : database.v6;
      tables.push(table.map((record) => (record === 0 ? 0 : database.records[record - 1]!.as)));
    });
    return mergeTables(tables, (values) => {
      for (const value of values) if (value !== 0) return value;
      return 0;
    });
  };
  return {
    v4: mergePlaces(1),
    v6: databases.length + placing.length === 0 ? constantTable(4, 0) : mergePlaces(4),
    as4: mergeNumbers(1),
    as6: mergeNumbers(4),
    places: places.all,
    sources,
  };
}

/** Distinct places, numbered. */
class PlaceList {
  readonly all: MergedPlace[] = [{ facts: NOWHERE, source: -1 }];
  readonly #ids = new Map<string, number>();

  id(facts: PlaceFacts, source: number): number {
    const { country, continent, subdivision, district, city, at } = facts;
    const key = `${source}|${country}|${continent}|${subdivision}|${district}|${at?.[0]},${at?.[1]}|${city}`;
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.all.length;
      this.all.push({ facts, source });
      this.#ids.set(key, id);
    }
    return id;
  }
}

/** For each record of a database (1 + index) its place and how it ranks against what other databases say of the same address. */
function locateRecords(
  database: Database,
  source: number,
  gives: number,
  places: PlaceList,
): { placeIds: Uint32Array; ranks: Uint32Array } {
  const placeIds = new Uint32Array(database.records.length + 1);
  const ranks = new Uint32Array(database.records.length + 1);
  database.records.forEach(({ place }, index) => {
    const detail = detailOf(place);
    if (detail === 0 && place.continent === null) return;
    placeIds[index + 1] = places.id(withContinent(place), source);
    // What doesn't know the country counts only where nobody does.
    ranks[index + 1] = 1 + (place.country === null ? 0 : 256 + rankOf(gives) * 16) + rankOf(detail);
  });
  return { placeIds, ranks };
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
