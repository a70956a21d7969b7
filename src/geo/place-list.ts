// Distinct places by number, in columns: a city database has half a million of them, which as objects would be 200 MB.
import { type ContinentCode, NOWHERE, type PlaceFacts } from './place.ts';
import { TextPool } from './texts.ts';

/** Columns of a place's words: text numbers and the source. */
export const COLUMN = { country: 0, continent: 1, subdivision: 2, district: 3, city: 4, source: 5 } as const;
const COLUMNS = 6;
/** Rows of a chunk: what grows by chunks is never copied. */
const CHUNK_BITS = 14;
const CHUNK_ROWS = 1 << CHUNK_BITS;

/** What a list was like, to go back to. */
export interface PlaceListMark {
  readonly places: number;
  readonly texts: number;
}

export class PlaceList {
  readonly texts = new TextPool();
  count = 0;
  readonly #words: Int32Array[] = [];
  /** Latitude and longitude, NaN where there are none. */
  readonly #degrees: Float64Array[] = [];
  /** Hash table of ids plus one (0: free), at most half full; by linear probing. */
  #table = new Int32Array(1024);
  /** The row that is looked for. */
  readonly #wanted = new Int32Array(COLUMNS);

  /** The first place is the one of those that nobody knows, the second that of special-purpose space. */
  constructor() {
    this.id(NOWHERE, -1);
    // No source has this number: it is told apart from the first by it alone.
    this.id(NOWHERE, -2);
  }

  /** The number of the place, which is added where it isn't there. */
  id(facts: PlaceFacts, source: number): number {
    const { texts } = this;
    const row = this.#wanted;
    row[COLUMN.country] = texts.number(facts.country);
    row[COLUMN.continent] = texts.number(facts.continent);
    row[COLUMN.subdivision] = texts.number(facts.subdivision);
    row[COLUMN.district] = texts.number(facts.district);
    row[COLUMN.city] = texts.number(facts.city);
    row[COLUMN.source] = source;
    const latitude = facts.at?.[0] ?? Number.NaN;
    const longitude = facts.at?.[1] ?? Number.NaN;
    const mask = this.#table.length - 1;
    let slot = hashOf(row, 0, latitude, longitude) & mask;
    for (; this.#table[slot] !== 0; slot = (slot + 1) & mask) {
      const id = this.#table[slot]! - 1;
      if (this.#isSame(id, latitude, longitude)) return id;
    }
    const id = this.#add(latitude, longitude);
    this.#table[slot] = id + 1;
    if (this.count * 2 > this.#table.length) this.#index(this.#table.length * 2);
    return id;
  }

  word(id: number, column: number): number {
    return this.#words[id >>> CHUNK_BITS]![(id & (CHUNK_ROWS - 1)) * COLUMNS + column]!;
  }

  /** NaN where the place has no coordinates. */
  degrees(id: number, axis: 0 | 1): number {
    return this.#degrees[id >>> CHUNK_BITS]![(id & (CHUNK_ROWS - 1)) * 2 + axis]!;
  }

  facts(id: number): PlaceFacts {
    const text = (column: number): string | null => this.texts.text(this.word(id, column));
    const latitude = this.degrees(id, 0);
    return {
      country: text(COLUMN.country),
      continent: text(COLUMN.continent) as ContinentCode | null,
      subdivision: text(COLUMN.subdivision),
      district: text(COLUMN.district),
      city: text(COLUMN.city),
      at: Number.isNaN(latitude) ? null : [latitude, this.degrees(id, 1)],
    };
  }

  mark(): PlaceListMark {
    return { places: this.count, texts: this.texts.count };
  }

  /** Forgets what was added since the mark. */
  rollBack({ places, texts }: PlaceListMark): void {
    this.texts.cut(texts);
    this.count = places;
    this.#index(this.#table.length);
  }

  /** Gives back what only finding and adding places needs, once all are there. */
  finish(): void {
    this.#table = new Int32Array(1024);
    this.texts.finish();
  }

  #add(latitude: number, longitude: number): number {
    const id = this.count++;
    const chunk = id >>> CHUNK_BITS;
    const row = id & (CHUNK_ROWS - 1);
    this.#words[chunk] ??= new Int32Array(CHUNK_ROWS * COLUMNS);
    this.#degrees[chunk] ??= new Float64Array(CHUNK_ROWS * 2);
    this.#words[chunk].set(this.#wanted, row * COLUMNS);
    this.#degrees[chunk][row * 2] = latitude;
    this.#degrees[chunk][row * 2 + 1] = longitude;
    return id;
  }

  #isSame(id: number, latitude: number, longitude: number): boolean {
    const words = this.#words[id >>> CHUNK_BITS]!;
    const degrees = this.#degrees[id >>> CHUNK_BITS]!;
    const row = id & (CHUNK_ROWS - 1);
    for (let c = 0; c < COLUMNS; c++) if (words[row * COLUMNS + c] !== this.#wanted[c]) return false;
    const known = degrees[row * 2]!;
    // NaN is like nothing else.
    if (Number.isNaN(known)) return Number.isNaN(latitude);
    return known === latitude && degrees[row * 2 + 1] === longitude;
  }

  #index(slots: number): void {
    const table = new Int32Array(slots);
    const mask = slots - 1;
    for (let id = 0; id < this.count; id++) {
      const words = this.#words[id >>> CHUNK_BITS]!;
      const row = (id & (CHUNK_ROWS - 1)) * COLUMNS;
      let slot = hashOf(words, row, this.degrees(id, 0), this.degrees(id, 1)) & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = id + 1;
    }
    this.#table = table;
  }
}

function hashOf(words: Int32Array, row: number, latitude: number, longitude: number): number {
  let h = 0;
  for (let c = 0; c < COLUMNS; c++) h = mixed(h, words[row + c]!);
  // Degrees come with four decimals: what lies closer together meets in the table, and is told apart there. NaN becomes 0.
  return mixed(mixed(h, (latitude * 10_000) | 0), (longitude * 10_000) | 0);
}

function mixed(hash: number, value: number): number {
  const h = Math.imul(hash ^ value, 0x9e3779b1);
  return h ^ (h >>> 15);
}
