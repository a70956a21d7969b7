// Builds the geo image: one position-independent segment with every range, place and source, in words of 32 bits.
//
// All offsets are in words from the segment's first byte; numbers are in the machine's byte order. Starts are stored with their
// highest bit flipped, so that signed comparison orders them; the columns of IPv6 starts follow each other, most significant first,
// all four flipped.
//
//   word  header (HEADER below)
//    0    magic, 1 format version, 2 length in words, 3 stamp: hash over everything else, the same for the same content
//    4    what the databases (without overrides) give: bits of GIVES
//    5    IPv4 ranges: count, 6 index, 7 starts, 8 place ids
//    9    IPv6 ranges: count, 10 index, 11 starts (4 columns), 12 place ids
//   13    IPv4 AS ranges: count, 14 starts, 15 AS numbers
//   16    IPv6 AS ranges: count, 17 starts (4 columns), 18 AS numbers
//   19    places: count, 20 rows of PLACE_WORDS
//   21    strings: count, 22 offsets in bytes from the pool's start (count + 1), 23 the pool (UTF-8)
//   24    sources: count, 25 rows of SOURCE_WORDS
//   26    the IPv6 range of each embedded IPv4 block, in the order of EMBEDDED_BLOCKS (4 words)
//
// index: for each value h of an address's first 16 bits the range that contains the first address of h; one element more at the end
// that names the last range. A range ends before the next one's start. Range 0 starts at address zero. The embedded blocks are ranges
// of their own, with place 0: their addresses are placed as IPv4.
//
// place: country, continent, subdivision, district, city (string numbers, 0: none), latitude, longitude (float32, NaN: none), source
// (-1: none). Place 0 is the place of those that nobody knows, place 1 that of special-purpose addresses (special.ts): each block of
// them is a range of its own, even beside another.
// source: file, type (string numbers), build time (seconds since 1970), kind (index in SOURCE_KINDS), gives (bits of GIVES)
import { collectHeap } from '../base/heap.ts';
import { EMBEDDED_BLOCKS } from './embedded.ts';
import type { MergedGeo, Source } from './merge.ts';
import { SPECIAL_PLACE } from './place.ts';
import { COLUMN, type PlaceList } from './place-list.ts';
import { type LaidRanges, nestPrefixes, type RangeSink } from './ranges.ts';
import { SPECIAL_MARK } from './special.ts';
import type { TextPool } from './texts.ts';

export const GEO_MAGIC = 0x4f45474d;
/** Raised with every change of the layout: images of other versions are not read. */
export const GEO_VERSION = 2;

/** Words of the header. */
export const HEADER = {
  magic: 0,
  version: 1,
  length: 2,
  stamp: 3,
  gives: 4,
  count4: 5,
  index4: 6,
  starts4: 7,
  places4: 8,
  count6: 9,
  index6: 10,
  starts6: 11,
  places6: 12,
  asCount4: 13,
  asStarts4: 14,
  asNumbers4: 15,
  asCount6: 16,
  asStarts6: 17,
  asNumbers6: 18,
  placeCount: 19,
  places: 20,
  stringCount: 21,
  stringOffsets: 22,
  strings: 23,
  sourceCount: 24,
  sources: 25,
  blocks: 26,
  size: 32,
} as const;

/** Words of a row of the places table. */
export const PLACE = {
  country: 0,
  continent: 1,
  subdivision: 2,
  district: 3,
  city: 4,
  latitude: 5,
  longitude: 6,
  source: 7,
} as const;
export const PLACE_WORDS = 8;

/** Words of a row of the sources table. */
export const SOURCE = { file: 0, type: 1, builtAt: 2, kind: 3, gives: 4 } as const;
export const SOURCE_WORDS = 5;
export const SOURCE_KINDS: readonly Source['kind'][] = ['embedded', 'database', 'overrides'];

/** Flips the highest bit of a word, so that signed order is the addresses' order. */
export const SIGN = 0x80000000 | 0;
/** An image of this size has tables behind it that are worth collecting early. */
const LARGE_BYTES = 64 * 1024 * 1024;
/** Elements of an index by 16 bits. */
const INDEX_WORDS = 65_537;

/** An image that is still to be written. */
export interface PlannedImage {
  readonly bytes: number;
  /**
   * To be called once. Writes it where it shall stay, memory that may hold anything: a copy of a city database's is 140 MB. Returns whether it is whole: one that
   * was kept may be damaged.
   */
  write(target: Uint8Array): boolean;
}

/** Builds the segment. Its bytes may be copied to any multiple of four. */
export function buildGeoImage(geo: MergedGeo): Uint8Array {
  const image = planGeoImage(geo);
  const bytes = new Uint8Array(image.bytes);
  image.write(bytes);
  return bytes;
}

/** As `buildGeoImage`, in two steps: the ranges are counted first, and laid over each other again where they are written. */
export function planGeoImage(geo: MergedGeo): PlannedImage {
  const { as4, as6, v4 } = geo;
  const blocks = nestPrefixes(4, EMBEDDED_BLOCKS).table;
  const v6 = geo.v6.under(blocks, (value) => BLOCK_MARK + value - 1);
  const [count4, count6] = [countRanges(v4), countRanges(v6)];
  const [asCount4, asCount6] = [countRanges(as4), countRanges(as6)];
  // Only now the overrides' places are all there, and behind their texts come those of the sources.
  const { places } = geo;
  const { texts } = places;
  const sources = sourceRows(geo.sources, texts);
  places.finish();

  const header = new Int32Array(HEADER.size);
  let length = HEADER.size;
  const add = (words: number): number => {
    const at = length;
    length += words;
    return at;
  };
  header[HEADER.magic] = GEO_MAGIC;
  header[HEADER.version] = GEO_VERSION;
  header[HEADER.gives] = geo.sources.reduce((all, s) => (s.kind === 'overrides' ? all : all | s.gives), 0);
  header[HEADER.count4] = count4;
  header[HEADER.index4] = add(INDEX_WORDS);
  header[HEADER.starts4] = add(count4);
  header[HEADER.places4] = add(count4);
  header[HEADER.count6] = count6;
  header[HEADER.index6] = add(INDEX_WORDS);
  header[HEADER.starts6] = add(count6 * 4);
  header[HEADER.places6] = add(count6);
  header[HEADER.asCount4] = asCount4;
  header[HEADER.asStarts4] = add(asCount4);
  header[HEADER.asNumbers4] = add(asCount4);
  header[HEADER.asCount6] = asCount6;
  header[HEADER.asStarts6] = add(asCount6 * 4);
  header[HEADER.asNumbers6] = add(asCount6);
  header[HEADER.placeCount] = places.count;
  header[HEADER.places] = add(places.count * PLACE_WORDS);
  header[HEADER.stringCount] = texts.count;
  header[HEADER.stringOffsets] = add(texts.count + 1);
  header[HEADER.strings] = add(Math.ceil(texts.bytes / 4));
  header[HEADER.sourceCount] = geo.sources.length;
  header[HEADER.sources] = add(sources.length);
  header[HEADER.length] = length;

  return {
    bytes: length * 4,
    write(target) {
      const image = new Int32Array(target.buffer, target.byteOffset, length);
      // Every part is written where it stays: of a city database a copy would be 70 MB.
      const part = (at: number, words: number): Int32Array => image.subarray(header[at]!, header[at]! + words).fill(0);
      image.set(header);
      const ranges = (from: LaidRanges, count: number, starts: number, values: number): RangeWriter => {
        const out = new RangeWriter(from.words, count, part(starts, count * from.words), part(values, count));
        from.into(out);
        return out;
      };
      const four = ranges(v4, count4, HEADER.starts4, HEADER.places4);
      turnMarks(four.values, []);
      writeIndex(four, part(HEADER.index4, INDEX_WORDS));
      ranges(as4, asCount4, HEADER.asStarts4, HEADER.asNumbers4);
      for (const done of [v4, as4]) done.release();
      // The tables of IPv4 go before those of IPv6 are needed together with four fifths of the image.
      if (length * 4 > LARGE_BYTES) collectHeap();
      const six = ranges(v6, count6, HEADER.starts6, HEADER.places6);
      turnMarks(six.values, image.subarray(HEADER.blocks, HEADER.blocks + EMBEDDED_BLOCKS.length));
      writeIndex(six, part(HEADER.index6, INDEX_WORDS));
      ranges(as6, asCount6, HEADER.asStarts6, HEADER.asNumbers6);
      writePlaces(places, part(HEADER.places, places.count * PLACE_WORDS));
      texts.writeOffsets(part(HEADER.stringOffsets, texts.count + 1));
      texts.writeTexts(part(HEADER.strings, Math.ceil(texts.bytes / 4)));
      image.set(sources, header[HEADER.sources]!);
      image[HEADER.stamp] = 0;
      image[HEADER.stamp] = stampOf(image);
      return true;
    },
  };
}

/** Looks at an image in pieces whether it is whole and of this program's layout. */
export class ImageCheck {
  #hash = STAMP_SEED;
  #words = 0;
  #header = new Int32Array(0);

  /** The next words; the first piece has the header at least. */
  add(piece: Int32Array): void {
    if (this.#words === 0) {
      this.#header = piece.slice(0, HEADER.size);
      piece = piece.slice();
      piece[HEADER.stamp] = 0;
    }
    this.#hash = stampOf(piece, this.#hash);
    this.#words += piece.length;
  }

  /** Its stamp when it is, else null. */
  get stamp(): number | null {
    const header = this.#header;
    if (!isOfThisProgram(header)) return null;
    return header[HEADER.length] === this.#words && header[HEADER.stamp] === this.#hash ? this.#hash : null;
  }
}

/** Whether an image with this header is laid out as this program reads it. */
export function isOfThisProgram(header: Int32Array): boolean {
  return header[HEADER.magic] === GEO_MAGIC && header[HEADER.version] === GEO_VERSION;
}

const STAMP_SEED = 0x811c9dc5;

/** @param hash of the words before, to go on from */
function stampOf(words: Int32Array, hash: number = STAMP_SEED): number {
  let h = hash;
  for (let i = 0; i < words.length; i++) {
    h = Math.imul(h ^ words[i]!, 0x9e3779b1);
    h ^= h >>> 15;
  }
  return h;
}

/** Marks of the blocks in a merged table: above every place id. */
const BLOCK_MARK = 0xffff_fff0;

/** Counts ranges; equal neighbours are one. */
class RangeCounter implements RangeSink {
  count = 0;
  #last = -1;

  append(_0: number, _1: number, _2: number, _3: number, value: number): void {
    if (value === this.#last) return;
    this.#last = value;
    this.count++;
  }
}

function countRanges(ranges: LaidRanges): number {
  const counter = new RangeCounter();
  ranges.into(counter);
  return counter.count;
}

/** Writes ranges as columns of starts and values; equal neighbours are one. */
class RangeWriter implements RangeSink {
  readonly words: 1 | 4;
  readonly count: number;
  readonly starts: Int32Array;
  readonly values: Int32Array;
  #at = 0;
  #last = -1;

  constructor(words: 1 | 4, count: number, starts: Int32Array, values: Int32Array) {
    this.words = words;
    this.count = count;
    this.starts = starts;
    this.values = values;
  }

  append(w0: number, w1: number, w2: number, w3: number, value: number): void {
    if (value === this.#last) return;
    this.#last = value;
    const at = this.#at++;
    const { count, starts } = this;
    this.values[at] = value;
    starts[at] = w0 ^ SIGN;
    if (this.words === 1) return;
    starts[count + at] = w1 ^ SIGN;
    starts[2 * count + at] = w2 ^ SIGN;
    starts[3 * count + at] = w3 ^ SIGN;
  }
}

/** Puts places in place of marks, and the ranges of the embedded blocks into `blocks`. */
function turnMarks(values: Int32Array, blocks: Int32Array | number[]): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]! >>> 0;
    if (value < SPECIAL_MARK) continue;
    if (value >= BLOCK_MARK) blocks[value - BLOCK_MARK] = i;
    values[i] = value >= BLOCK_MARK ? 0 : SPECIAL_PLACE;
  }
}

function writeIndex({ words, count, starts }: RangeWriter, out: Int32Array): void {
  let range = 0;
  for (let high = 0; high < 65_536; high++) {
    const first = (high << 16) ^ SIGN;
    // The last range that starts at the first address of `high`, or before it.
    while (range + 1 < count) {
      const next = range + 1;
      const start = starts[next]!;
      const isLater = (column: number): boolean => starts[column * count + next] !== SIGN;
      if (start > first || (start === first && words === 4 && (isLater(1) || isLater(2) || isLater(3)))) break;
      range = next;
    }
    out[high] = range;
  }
  out[65_536] = count - 1;
}

function writePlaces(places: PlaceList, out: Int32Array): void {
  const floats = new Float32Array(out.buffer, out.byteOffset, out.length);
  for (let id = 0; id < places.count; id++) {
    const at = id * PLACE_WORDS;
    out[at + PLACE.country] = places.word(id, COLUMN.country);
    out[at + PLACE.continent] = places.word(id, COLUMN.continent);
    out[at + PLACE.subdivision] = places.word(id, COLUMN.subdivision);
    out[at + PLACE.district] = places.word(id, COLUMN.district);
    out[at + PLACE.city] = places.word(id, COLUMN.city);
    floats[at + PLACE.latitude] = places.degrees(id, 0);
    floats[at + PLACE.longitude] = places.degrees(id, 1);
    out[at + PLACE.source] = places.word(id, COLUMN.source);
  }
}

function sourceRows(sources: readonly Source[], texts: TextPool): Int32Array {
  const rows = new Int32Array(sources.length * SOURCE_WORDS);
  sources.forEach((source, i) => {
    const at = i * SOURCE_WORDS;
    rows[at + SOURCE.file] = texts.number(source.file);
    rows[at + SOURCE.type] = texts.number(source.type);
    rows[at + SOURCE.builtAt] = source.builtAt;
    rows[at + SOURCE.kind] = SOURCE_KINDS.indexOf(source.kind);
    rows[at + SOURCE.gives] = source.gives;
  });
  return rows;
}
