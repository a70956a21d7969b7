// The geo image's ranges of one family as the builder of region maps walks them: by number, both families alike.
import { EMBEDDED_BLOCKS } from '../geo/embedded.ts';
import type { GeoView } from '../geo/lookup.ts';
import { RangeTable } from '../geo/ranges.ts';

/** Four words of an address; IPv4 uses the first. Unsigned. */
export type AddressWords = readonly [number, number, number, number];

export class FamilyRanges {
  readonly words: 1 | 4;
  readonly count: number;
  /** The place of each range. */
  readonly places: Int32Array;
  readonly #geo: GeoView;

  constructor(geo: GeoView, words: 1 | 4) {
    this.#geo = geo;
    this.words = words;
    this.count = words === 1 ? geo.count4 : geo.count6;
    this.places = geo.placesOfRanges(words === 1 ? 4 : 6);
  }

  start(range: number): AddressWords {
    const geo = this.#geo;
    if (this.words === 1) return [geo.start4(range) >>> 0, 0, 0, 0];
    return [
      geo.start6(range, 0) >>> 0,
      geo.start6(range, 1) >>> 0,
      geo.start6(range, 2) >>> 0,
      geo.start6(range, 3) >>> 0,
    ];
  }

  find(address: AddressWords): number {
    if (this.words === 1) return this.#geo.find4(address[0] | 0);
    return this.#geo.find6(address[0] | 0, address[1] | 0, address[2] | 0, address[3] | 0);
  }

  /** The ranges that embedded IPv4 blocks are: what lies in them is placed as IPv4. */
  blocks(): number[] {
    return this.words === 1 ? [] : EMBEDDED_BLOCKS.map((_, block) => this.#geo.blockRange(block));
  }

  /** The AS numbers that rules name, as a table: 1 + slot, 0 for every other. */
  asTable(slots: ReadonlyMap<number, number>): RangeTable {
    const geo = this.#geo;
    const family = this.words === 1 ? 4 : 6;
    const table = new RangeTable(this.words, 1024);
    for (let range = 0, n = geo.asCount(family); range < n; range++) {
      const slot = slots.get(geo.asNumber(family, range));
      const word = (column: number): number => (column < this.words ? geo.asStart(family, range, column) >>> 0 : 0);
      table.append(word(0), word(1), word(2), word(3), slot === undefined ? 0 : slot + 1);
    }
    return table;
  }
}

/** First address of a range of a table. */
export function startOf(table: RangeTable, range: number): AddressWords {
  const [c0, c1, c2, c3] = table.columns;
  return [c0[range]!, c1[range] ?? 0, c2[range] ?? 0, c3[range] ?? 0];
}

/** Order of two addresses: negative, zero or positive. */
export function compareWords(a: AddressWords, b: AddressWords): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3];
}
