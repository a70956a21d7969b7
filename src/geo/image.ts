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
import { EMBEDDED_BLOCKS } from './embedded.ts';
import { type MergedGeo, type Source, SPECIAL_MARK } from './merge.ts';
import { SPECIAL_PLACE } from './place.ts';
import { mergeTables, nestPrefixes, type RangeTable } from './ranges.ts';

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
/** Elements of an index by 16 bits. */
const INDEX_WORDS = 65_537;

/** An image that is still to be written. */
export interface PlannedImage {
  readonly bytes: number;
  /** Writes it where it shall stay, memory that may hold anything: a copy of a city database's is 140 MB. */
  write(target: Uint8Array): void;
}

/** Builds the segment. Its bytes may be copied to any multiple of four. */
export function buildGeoImage(geo: MergedGeo): Uint8Array {
  const image = planGeoImage(geo);
  const bytes = new Uint8Array(image.bytes);
  image.write(bytes);
  return bytes;
}

/** As `buildGeoImage`, in two steps. */
export function planGeoImage(geo: MergedGeo): PlannedImage {
  const strings = new StringPool();
  const places = placeRows(geo, strings);
  const sources = sourceRows(geo.sources, strings);
  // Nothing below holds the ranges without blocks: they are 80 MB.
  const { v4, as4, as6 } = geo;
  const v6 = withBlocks(geo.v6);

  const header = new Int32Array(HEADER.size);
  const parts: { readonly at: number; readonly words: number; readonly write: (out: Int32Array) => void }[] = [];
  let length = HEADER.size;
  // Every part is written where it stays: of a city database each copy is 70 MB.
  const add = (words: number, write: (out: Int32Array) => void): number => {
    const at = length;
    parts.push({ at, words, write });
    length += words;
    return at;
  };
  const addStarts = (table: RangeTable): number => add(table.length * table.words, (out) => writeStarts(table, out));
  const addValues = (table: RangeTable): number =>
    add(table.length, (out) => out.set(table.values.subarray(0, table.length)));
  header[HEADER.magic] = GEO_MAGIC;
  header[HEADER.version] = GEO_VERSION;
  header[HEADER.gives] = geo.sources.reduce((all, s) => (s.kind === 'overrides' ? all : all | s.gives), 0);
  header[HEADER.count4] = v4.length;
  header[HEADER.index4] = add(INDEX_WORDS, (out) => writeIndex(v4, out));
  header[HEADER.starts4] = addStarts(v4);
  header[HEADER.places4] = add(v4.length, (out) => writePlaces(v4, out));
  header[HEADER.count6] = v6.length;
  header[HEADER.index6] = add(INDEX_WORDS, (out) => writeIndex(v6, out));
  header[HEADER.starts6] = addStarts(v6);
  header[HEADER.places6] = add(v6.length, (out) => writePlaces(v6, out));
  header[HEADER.asCount4] = as4.length;
  header[HEADER.asStarts4] = addStarts(as4);
  header[HEADER.asNumbers4] = addValues(as4);
  header[HEADER.asCount6] = as6.length;
  header[HEADER.asStarts6] = addStarts(as6);
  header[HEADER.asNumbers6] = addValues(as6);
  header[HEADER.placeCount] = geo.places.length;
  header[HEADER.places] = add(places.length, (out) => out.set(places));
  header[HEADER.stringCount] = strings.count;
  header[HEADER.stringOffsets] = add(strings.count + 1, (out) => strings.writeOffsets(out));
  header[HEADER.strings] = add(Math.ceil(strings.bytes / 4), (out) => strings.writeTexts(out));
  header[HEADER.sourceCount] = geo.sources.length;
  header[HEADER.sources] = add(sources.length, (out) => out.set(sources));
  EMBEDDED_BLOCKS.forEach((_, block) => {
    header[HEADER.blocks + block] = blockRange(v6, block);
  });
  header[HEADER.length] = length;

  return {
    bytes: length * 4,
    write(target) {
      const image = new Int32Array(target.buffer, target.byteOffset, length);
      image.set(header);
      for (const { at, words, write } of parts) write(image.subarray(at, at + words).fill(0));
      image[HEADER.stamp] = 0;
      image[HEADER.stamp] = stampOf(image);
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
    if (header[HEADER.magic] !== GEO_MAGIC || header[HEADER.version] !== GEO_VERSION) return null;
    return header[HEADER.length] === this.#words && header[HEADER.stamp] === this.#hash ? this.#hash : null;
  }
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

/** The table with the embedded blocks as ranges of their own; their values are the blocks' marks. */
function withBlocks(v6: RangeTable): RangeTable {
  const blocks = nestPrefixes(4, EMBEDDED_BLOCKS).table;
  return mergeTables([blocks, v6], (values) => (values[0] === 0 ? values[1]! : BLOCK_MARK + values[0]! - 1));
}

function blockRange(v6: RangeTable, block: number): number {
  return v6.values.subarray(0, v6.length).indexOf(BLOCK_MARK + block);
}

function writeStarts(table: RangeTable, out: Int32Array): void {
  const n = table.length;
  for (let c = 0; c < table.words; c++) {
    const column = table.columns[c]!;
    for (let i = 0; i < n; i++) out[c * n + i] = column[i]! ^ SIGN;
  }
}

/** The place of each range; none in the embedded blocks. */
function writePlaces(table: RangeTable, out: Int32Array): void {
  for (let i = 0; i < table.length; i++) {
    const value = table.values[i]!;
    out[i] = value >= BLOCK_MARK ? 0 : value >= SPECIAL_MARK ? SPECIAL_PLACE : value;
  }
}

function writeIndex(table: RangeTable, out: Int32Array): void {
  const [c0, c1, c2, c3] = table.columns;
  let range = 0;
  for (let high = 0; high < 65_536; high++) {
    const first = (high << 16) >>> 0;
    // The last range that starts at the first address of `high`, or before it.
    while (range + 1 < table.length) {
      const start = c0[range + 1]!;
      const low = table.words === 1 ? 0 : c1[range + 1]! | c2[range + 1]! | c3[range + 1]!;
      if (start > first || (start === first && low !== 0)) break;
      range++;
    }
    out[high] = range;
  }
  out[65_536] = table.length - 1;
}

function placeRows(geo: MergedGeo, strings: StringPool): Int32Array {
  const rows = new Int32Array(geo.places.length * PLACE_WORDS);
  const floats = new Float32Array(rows.buffer);
  geo.places.forEach(({ facts, source }, id) => {
    const at = id * PLACE_WORDS;
    rows[at + PLACE.country] = strings.number(facts.country);
    rows[at + PLACE.continent] = strings.number(facts.continent);
    rows[at + PLACE.subdivision] = strings.number(facts.subdivision);
    rows[at + PLACE.district] = strings.number(facts.district);
    rows[at + PLACE.city] = strings.number(facts.city);
    floats[at + PLACE.latitude] = facts.at?.[0] ?? Number.NaN;
    floats[at + PLACE.longitude] = facts.at?.[1] ?? Number.NaN;
    rows[at + PLACE.source] = source;
  });
  return rows;
}

function sourceRows(sources: readonly Source[], strings: StringPool): Int32Array {
  const rows = new Int32Array(sources.length * SOURCE_WORDS);
  sources.forEach((source, i) => {
    const at = i * SOURCE_WORDS;
    rows[at + SOURCE.file] = strings.number(source.file);
    rows[at + SOURCE.type] = strings.number(source.type);
    rows[at + SOURCE.builtAt] = source.builtAt;
    rows[at + SOURCE.kind] = SOURCE_KINDS.indexOf(source.kind);
    rows[at + SOURCE.gives] = source.gives;
  });
  return rows;
}

/** Texts, each once; number 0 stands for none. */
class StringPool {
  readonly #texts = [''];
  readonly #numbers = new Map<string, number>();
  /** Octets of all texts in a row, in UTF-8. */
  bytes = 0;

  get count(): number {
    return this.#texts.length;
  }

  number(text: string | null): number {
    if (text === null) return 0;
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#texts.length;
      this.#texts.push(text);
      this.#numbers.set(text, number);
      this.bytes += Buffer.byteLength(text);
    }
    return number;
  }

  /** Start of each text in bytes, and the end of the last. */
  writeOffsets(out: Int32Array): void {
    this.#texts.forEach((text, i) => {
      out[i + 1] = out[i]! + Buffer.byteLength(text);
    });
  }

  /** The texts in a row. */
  writeTexts(out: Int32Array): void {
    const bytes = Buffer.from(out.buffer, out.byteOffset, out.byteLength);
    let at = 0;
    for (const text of this.#texts) at += bytes.write(text, at);
  }
}
