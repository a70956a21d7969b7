// Reads the geo image where it lies in shared memory: from an address to its range, place and AS, without allocation.
import {
  GEO_MAGIC,
  GEO_VERSION,
  HEADER,
  PLACE,
  PLACE_WORDS,
  SIGN,
  SOURCE,
  SOURCE_KINDS,
  SOURCE_WORDS,
} from './image.ts';
import type { Source } from './merge.ts';
import { type ContinentCode, type Coordinates, NOWHERE, type PlaceFacts } from './place.ts';

const LITTLE_ENDIAN = new Uint8Array(new Int32Array([1]).buffer)[0] === 1;

/**
 * A view of one geo image. IPv4 addresses are int32 words; IPv6 addresses four int32 words, most significant first. `find` gives
 * the number of a range, from 0 in the order of addresses; a range with its neighbours covers the space without gaps.
 * The view doesn't look for IPv4 inside IPv6: callers ask embedded.ts first (locate.ts does it itself).
 */
export class GeoView {
  /** The memory that holds the image, and the image's first word in it. */
  words: Int32Array = new Int32Array(0);
  base = 0;
  count4 = 0;
  count6 = 0;
  #index4 = 0;
  #starts4 = 0;
  #places4 = 0;
  #index6 = 0;
  #starts6 = 0;
  #places6 = 0;

  /** Looks at the image at word `atWords`. Throws when there is no image of this version: that is a mistake of the program. */
  attach(words: Int32Array, atWords: number): void {
    if (words[atWords] !== GEO_MAGIC || words[atWords + HEADER.version] !== GEO_VERSION)
      throw new Error('no geo image there');
    this.words = words;
    this.base = atWords;
    this.count4 = this.#header(HEADER.count4);
    this.count6 = this.#header(HEADER.count6);
    this.#index4 = atWords + this.#header(HEADER.index4);
    this.#starts4 = atWords + this.#header(HEADER.starts4);
    this.#places4 = atWords + this.#header(HEADER.places4);
    this.#index6 = atWords + this.#header(HEADER.index6);
    this.#starts6 = atWords + this.#header(HEADER.starts6);
    this.#places6 = atWords + this.#header(HEADER.places6);
  }

  #header(word: number): number {
    return this.words[this.base + word]!;
  }

  /** Changes whenever the content does. */
  get stamp(): number {
    return this.#header(HEADER.stamp);
  }

  /** What the loaded databases (overrides aside) give: bits of GIVES. */
  get gives(): number {
    return this.#header(HEADER.gives);
  }

  get placeCount(): number {
    return this.#header(HEADER.placeCount);
  }

  /** An IPv6 range among those that an address with this first word may lie in. */
  near6(w0: number): number {
    const m = this.words;
    const index = this.#index6 + (w0 >>> 16);
    return (m[index]! + m[index + 1]! + 1) >>> 1;
  }

  /** The range of an IPv4 address. */
  find4(address: number): number {
    const m = this.words;
    const starts = this.#starts4;
    const index = this.#index4 + (address >>> 16);
    const key = address ^ SIGN;
    let range = m[index]!;
    // Ranges behind `range` that may be the one.
    let count = m[index + 1]! - range;
    while (count > 0) {
      const half = (count + 1) >>> 1;
      // -1 where that one starts at the address or before it, else 0: a branch would be predicted wrongly every second time. Starts of one index
      // element are at most 65,536 from the address, so the difference has its sign.
      const notAfter = (m[starts + range + half]! - key - 1) >> 31;
      range += half & notAfter;
      // One too many where it starts after the address: it does so again.
      count -= half;
    }
    return range;
  }

  /** The range of an IPv6 address. */
  find6(w0: number, w1: number, w2: number, w3: number): number {
    const m = this.words;
    const n = this.count6;
    const starts = this.#starts6;
    const index = this.#index6 + (w0 >>> 16);
    const k0 = w0 ^ SIGN;
    const k1 = w1 ^ SIGN;
    const k2 = w2 ^ SIGN;
    const k3 = w3 ^ SIGN;
    let low = m[index]!;
    let high = m[index + 1]!;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const at = starts + middle;
      const s0 = m[at]!;
      let notAfter = s0 < k0;
      if (s0 === k0) {
        const s1 = m[at + n]!;
        const s2 = m[at + 2 * n]!;
        notAfter = s1 < k1 || (s1 === k1 && (s2 < k2 || (s2 === k2 && m[at + 3 * n]! <= k3)));
      }
      if (notAfter) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Length of the shortest IPv4 prefix around an address that lies in its range. */
  prefixOfRange4(address: number, range: number): number {
    const first = this.start4(range);
    const next = range + 1;
    const left = first === 0 ? -1 : Math.clz32(address ^ (first - 1));
    const right = next === this.count4 ? -1 : Math.clz32(address ^ this.start4(next));
    return (left > right ? left : right) + 1;
  }

  /** The same for IPv6. */
  prefixOfRange6(range: number, w0: number, w1: number, w2: number, w3: number): number {
    const next = range + 1;
    const f0 = this.start6(range, 0);
    const f1 = this.start6(range, 1);
    const f2 = this.start6(range, 2);
    const f3 = this.start6(range, 3);
    let left = -1;
    if ((f0 | f1 | f2 | f3) !== 0) {
      // The address before the first one: what is borrowed goes up through zeros.
      const b2 = f3 === 0;
      const b1 = b2 && f2 === 0;
      const b0 = b1 && f1 === 0;
      left = commonBits(
        (b0 ? f0 - 1 : f0) | 0,
        (b1 ? f1 - 1 : f1) | 0,
        (b2 ? f2 - 1 : f2) | 0,
        (f3 - 1) | 0,
        w0,
        w1,
        w2,
        w3,
      );
    }
    const right =
      next === this.count6
        ? -1
        : commonBits(
            this.start6(next, 0),
            this.start6(next, 1),
            this.start6(next, 2),
            this.start6(next, 3),
            w0,
            w1,
            w2,
            w3,
          );
    return (left > right ? left : right) + 1;
  }

  /** The place of an IPv4 range. */
  place4(range: number): number {
    return this.words[this.#places4 + range]!;
  }

  /** The place of an IPv6 range. */
  place6(range: number): number {
    return this.words[this.#places6 + range]!;
  }

  /** The places of all ranges of a family, where they lie. */
  placesOfRanges(family: 4 | 6): Int32Array {
    return family === 4
      ? this.words.subarray(this.#places4, this.#places4 + this.count4)
      : this.words.subarray(this.#places6, this.#places6 + this.count6);
  }

  /** First address of an IPv4 range, int32. */
  start4(range: number): number {
    return this.words[this.#starts4 + range]! ^ SIGN;
  }

  /** Word `column` (0 to 3) of the first address of an IPv6 range, int32. */
  start6(range: number, column: number): number {
    return this.words[this.#starts6 + column * this.count6 + range]! ^ SIGN;
  }

  /** The IPv6 range that an embedded block is. */
  blockRange(block: number): number {
    return this.#header(HEADER.blocks + block);
  }

  /** Ranges of AS numbers of a family. */
  asCount(family: 4 | 6): number {
    return this.#header(family === 4 ? HEADER.asCount4 : HEADER.asCount6);
  }

  /** The AS number of a range of AS numbers, 0 for none; an unsigned number. */
  asNumber(family: 4 | 6, range: number): number {
    const numbers = this.base + this.#header(family === 4 ? HEADER.asNumbers4 : HEADER.asNumbers6);
    return this.words[numbers + range]! >>> 0;
  }

  /** Word `column` of the first address of a range of AS numbers, int32. */
  asStart(family: 4 | 6, range: number, column: number): number {
    const starts = this.base + this.#header(family === 4 ? HEADER.asStarts4 : HEADER.asStarts6);
    return this.words[starts + column * this.asCount(family) + range]! ^ SIGN;
  }

  /** A text of the pool; null for number 0. */
  text(number: number): string | null {
    if (number === 0) return null;
    const offsets = this.base + this.#header(HEADER.stringOffsets) + number;
    const bytes = this.words.byteOffset + (this.base + this.#header(HEADER.strings)) * 4;
    const from = this.words[offsets]!;
    const length = this.words[offsets + 1]! - from;
    // A copy, since text decoders refuse shared memory.
    return Buffer.from(new Uint8Array(this.words.buffer, bytes + from, length)).toString('utf8');
  }

  /** Writes a text, at most `room` octets of it, to `out`; returns how many. Nothing is allocated. */
  copyText(number: number, out: Uint8Array, at: number, room: number): number {
    const offsets = this.base + this.#header(HEADER.stringOffsets) + number;
    const pool = (this.base + this.#header(HEADER.strings)) * 4 + this.words[offsets]!;
    const length = Math.min(room, this.words[offsets + 1]! - this.words[offsets]!);
    for (let i = 0; i < length; i++) {
      const byte = pool + i;
      out[at + i] = (this.words[byte >> 2]! >>> ((byte & 3) * 8)) & 255;
    }
    return length;
  }

  /** How many texts there are, number 0 included. */
  get textCount(): number {
    return this.#header(HEADER.stringCount);
  }

  /** A word of a place's row: one of PLACE. */
  placeWord(placeId: number, word: number): number {
    return this.words[this.base + this.#header(HEADER.places) + placeId * PLACE_WORDS + word]!;
  }

  /** The two letters of a place's country, first << 8 | second; 0 where it has none. For the answer path: no text is made. */
  countryCode(placeId: number): number {
    const number = this.placeWord(placeId, PLACE.country);
    if (number === 0) return 0;
    const m = this.words;
    const at =
      (this.base + this.#header(HEADER.strings)) * 4 + m[this.base + this.#header(HEADER.stringOffsets) + number]!;
    return (octet(m, at) << 8) | octet(m, at + 1);
  }

  /** What is known of a place. */
  facts(placeId: number): PlaceFacts {
    if (placeId === 0) return NOWHERE;
    const text = (word: number): string | null => this.text(this.placeWord(placeId, word));
    return {
      country: text(PLACE.country),
      continent: text(PLACE.continent) as ContinentCode | null,
      subdivision: text(PLACE.subdivision),
      district: text(PLACE.district),
      city: text(PLACE.city),
      at: this.coordinates(placeId),
    };
  }

  /** The coordinates that a source gave for a place. */
  coordinates(placeId: number): Coordinates | null {
    const latitude = this.#degrees(placeId, PLACE.latitude);
    return Number.isNaN(latitude) ? null : [latitude, this.#degrees(placeId, PLACE.longitude)];
  }

  /** Four decimals (11 m) of the 32-bit float are its own; more would be noise. */
  #degrees(placeId: number, word: number): number {
    floatWord[0] = this.placeWord(placeId, word);
    return Math.round(float[0]! * 10_000) / 10_000;
  }

  /** The source that said where a place is; null where nobody did. */
  sourceOf(placeId: number): Source | null {
    return this.sources()[this.placeWord(placeId, PLACE.source)] ?? null;
  }

  /** Every database in use, and the overrides. */
  sources(): Source[] {
    return Array.from({ length: this.#header(HEADER.sourceCount) }, (_, i) => {
      const at = this.base + this.#header(HEADER.sources) + i * SOURCE_WORDS;
      return {
        kind: SOURCE_KINDS[this.words[at + SOURCE.kind]!]!,
        file: this.text(this.words[at + SOURCE.file]!) ?? '',
        type: this.text(this.words[at + SOURCE.type]!) ?? '',
        builtAt: this.words[at + SOURCE.builtAt]! >>> 0,
        gives: this.words[at + SOURCE.gives]!,
      };
    });
  }
}

/** Leading bits that two IPv6 addresses share. */
function commonBits(
  a0: number,
  a1: number,
  a2: number,
  a3: number,
  b0: number,
  b1: number,
  b2: number,
  b3: number,
): number {
  if (a0 !== b0) return Math.clz32(a0 ^ b0);
  if (a1 !== b1) return 32 + Math.clz32(a1 ^ b1);
  if (a2 !== b2) return 64 + Math.clz32(a2 ^ b2);
  return 96 + Math.clz32(a3 ^ b3);
}

const floatWord = new Int32Array(1);
const float = new Float32Array(floatWord.buffer);

/** Octet `at` of memory that is seen as words. */
function octet(words: Int32Array, at: number): number {
  const word = words[at >> 2]!;
  return LITTLE_ENDIAN ? (word >>> ((at & 3) << 3)) & 255 : (word >>> ((3 - (at & 3)) << 3)) & 255;
}
