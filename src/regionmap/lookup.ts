// Reads a region map on the answer path: the lists of a client's address, and the shortest honest scope. No allocation.
import { embeddedAddress, embeddedBlock, embeddedPrecedingBits, NOT_EMBEDDED } from '../geo/embedded.ts';
import type { GeoView } from '../geo/lookup.ts';
import { nextBit, previousBit } from './bits.ts';
import { boundsColumn, MAP, MAP_MAGIC, MAP_VERSION } from './layout.ts';

const SIGN = 0x80000000 | 0;

/** A view of one region map and the place of one client in it; both are set anew for each query. */
export class RegionMapView {
  /** The memory that holds the map, and the map's first word in it. */
  words: Int32Array = new Int32Array(0);
  base = 0;
  /** Word of the client's chain in `words`: [n, ...], see `variantAt`. */
  chainAt = 0;
  /** The client's place in the geo image: 0 where nobody knows it, -1 where a network of the set decided before geography. */
  place = 0;

  #geo!: GeoView;
  /** Block of IPv4 inside IPv6 that the client lies in, or NOT_EMBEDDED. */
  #block = NOT_EMBEDDED;
  #isFour = true;
  /** The client's IPv4 address; its IPv6 address. */
  #address = 0;
  #w0 = 0;
  #w1 = 0;
  #w2 = 0;
  #w3 = 0;
  /** Ranges of the geo image that the client lies in, where geography decides. */
  #range4 = 0;
  #range6 = 0;
  /** Number of the client's segment in each family's table, where there are segments. */
  #segment4 = 0;
  #segment6 = 0;

  /** Looks at the map at word `atWords`, which was built for this geo image. */
  attach(words: Int32Array, atWords: number, geo: GeoView): void {
    this.words = words;
    this.base = atWords;
    this.#geo = geo;
  }

  /** Whether there is a map of this version, built for the attached geo image. Not for every query. */
  fits(): boolean {
    const { words, base } = this;
    return (
      words[base] === MAP_MAGIC &&
      words[base + MAP.version] === MAP_VERSION &&
      words[base + MAP.geoStamp] === this.#geo.stamp
    );
  }

  /** How many lists the client's chain has. */
  get listCount(): number {
    return this.words[this.chainAt]!;
  }

  /** The word of the `i`th list's variant: [slot, then the entries of its `closest` groups, in order]. */
  variantAt(i: number): number {
    return this.base + this.words[this.chainAt + 1 + i]!;
  }

  /** Finds the lists of an IPv4 client (int32). `range` is the geo image's for that address, -1 where nobody has looked. */
  locate4(address: number, range: number): void {
    this.#isFour = true;
    this.#block = NOT_EMBEDDED;
    this.#locate4(address, range);
  }

  /** Finds the lists of an IPv6 client (four int32 words); an IPv4 address inside is what counts. */
  locate6(w0: number, w1: number, w2: number, w3: number): void {
    this.#isFour = false;
    this.#w0 = w0;
    this.#w1 = w1;
    this.#w2 = w2;
    this.#w3 = w3;
    const block = embeddedBlock(w0, w1, w2, w3);
    this.#block = block;
    if (block !== NOT_EMBEDDED) {
      this.#locate4(embeddedAddress(block, w0, w1, w2, w3), -1);
      return;
    }
    const chain = this.#findSegment6();
    if (chain >= 0) {
      this.place = -1;
      this.#setChain(chain);
      return;
    }
    const range = this.#geo.find6(w0, w1, w2, w3);
    this.#range6 = range;
    this.place = this.#geo.place6(range);
    this.#setChain(this.#chainOfPlace(this.place));
  }

  /**
   * The shortest prefix length, in the client's family, in which every client has the same first list (level 0) or the same
   * whole chain (level 1).
   */
  scope(level: 0 | 1): number {
    if (this.#isFour) return this.#scope4(level);
    if (this.#block === NOT_EMBEDDED) return this.#scope6(level);
    const inside = this.#scope4(level);
    if (inside > 0) return embeddedPrecedingBits(this.#block) + inside;
    // All of IPv4 has one value: the block is like a single range among its neighbours.
    this.#findSegment6();
    this.#range6 = this.#geo.blockRange(this.#block);
    return this.#scope6(level);
  }

  #locate4(address: number, known: number): void {
    this.#address = address;
    const chain = this.#findSegment4(address);
    if (chain >= 0) {
      this.place = -1;
      this.#setChain(chain);
      return;
    }
    const range = known >= 0 ? known : this.#geo.find4(address);
    this.#range4 = range;
    this.place = this.#geo.place4(range);
    this.#setChain(this.#chainOfPlace(this.place));
  }

  #setChain(chain: number): void {
    const { words, base } = this;
    this.chainAt = base + words[base + words[base + MAP.chains]! + chain]!;
  }

  #chainOfPlace(place: number): number {
    const m = this.words;
    const base = this.base;
    const shift = m[base + MAP.placeShift]!;
    const word = m[base + m[base + MAP.placeChain]! + (place >>> shift)]!;
    const bits = 32 >> shift;
    return (word >>> ((place & ((1 << shift) - 1)) * bits)) & m[base + MAP.placeMask]!;
  }

  /** Sets the client's segment and returns the chain that it has itself, -1 where geography decides. */
  #findSegment4(address: number): number {
    const m = this.words;
    const base = this.base;
    const n = m[base + MAP.segmentCount4]!;
    if (n === 0) return -1;
    const starts = base + m[base + MAP.segments4]!;
    const key = address ^ SIGN;
    let low = 0;
    let high = n - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (m[starts + middle]! <= key) low = middle;
      else high = middle - 1;
    }
    this.#segment4 = low;
    return m[starts + n + low]!;
  }

  #findSegment6(): number {
    const m = this.words;
    const base = this.base;
    const n = m[base + MAP.segmentCount6]!;
    if (n === 0) return -1;
    const starts = base + m[base + MAP.segments6]!;
    const k0 = this.#w0 ^ SIGN;
    const k1 = this.#w1 ^ SIGN;
    const k2 = this.#w2 ^ SIGN;
    const k3 = this.#w3 ^ SIGN;
    let low = 0;
    let high = n - 1;
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
    this.#segment6 = low;
    return m[starts + 4 * n + low]!;
  }

  #scope4(level: 0 | 1): number {
    const m = this.words;
    const base = this.base;
    const geo = this.#geo;
    const address = this.#address;
    let first = 0;
    let after = 0;
    const n = m[base + MAP.segmentCount4]!;
    const segments = base + m[base + MAP.segments4]!;
    const segment = this.#segment4;
    const own = n !== 0 && m[segments + n + segment]! >= 0;
    if (!own) {
      const bits = base + m[base + MAP.bits4 + level]!;
      const count = m[base + MAP.count4]!;
      const range = this.#range4;
      first = geo.start4(previousBit(m, bits, count, range));
      const next = nextBit(m, bits, count, range);
      after = next === count ? 0 : geo.start4(next);
    }
    if (n !== 0) {
      // Where the run reaches the edge of the segment, the edge knows how it goes on.
      if (own || (first ^ SIGN) <= m[segments + segment]!)
        first = m[segments + boundsColumn(1, level, 0) * n + segment]!;
      if (own || after === 0 || (segment + 1 < n && (after ^ SIGN) >= m[segments + segment + 1]!)) {
        after = m[segments + boundsColumn(1, level, 1) * n + segment]!;
      }
    }
    const left = first === 0 ? -1 : Math.clz32(address ^ (first - 1));
    const right = after === 0 ? -1 : Math.clz32(address ^ after);
    return (left > right ? left : right) + 1;
  }

  #scope6(level: 0 | 1): number {
    const m = this.words;
    const base = this.base;
    const geo = this.#geo;
    const n = m[base + MAP.segmentCount6]!;
    const segments = base + m[base + MAP.segments6]!;
    const segment = this.#segment6;
    const own = n !== 0 && m[segments + 4 * n + segment]! >= 0;
    let left = -1;
    let right = -1;
    let leftAtEdge = own;
    let rightAtEdge = own;
    if (!own) {
      const bits = base + m[base + MAP.bits6 + level]!;
      const count = m[base + MAP.count6]!;
      const range = this.#range6;
      const first = previousBit(m, bits, count, range);
      const next = nextBit(m, bits, count, range);
      leftAtEdge = n !== 0 && !this.#startsAfter(first, segments, n, segment);
      rightAtEdge =
        n !== 0 && (next === count || (segment + 1 < n && !this.#startsBefore(next, segments, n, segment + 1)));
      if (!leftAtEdge)
        left = this.#bitsBefore(geo.start6(first, 0), geo.start6(first, 1), geo.start6(first, 2), geo.start6(first, 3));
      if (!rightAtEdge && next !== count) {
        right = this.#bitsCommon(geo.start6(next, 0), geo.start6(next, 1), geo.start6(next, 2), geo.start6(next, 3));
      }
    }
    if (leftAtEdge) {
      const at = segments + boundsColumn(4, level, 0) * n + segment;
      left = this.#bitsBefore(m[at]!, m[at + n]!, m[at + 2 * n]!, m[at + 3 * n]!);
    }
    if (rightAtEdge) {
      const at = segments + boundsColumn(4, level, 1) * n + segment;
      right = this.#bitsAfter(m[at]!, m[at + n]!, m[at + 2 * n]!, m[at + 3 * n]!);
    }
    return (left > right ? left : right) + 1;
  }

  /** Whether a range of the geo image starts after the start of a segment. */
  #startsAfter(range: number, segments: number, n: number, segment: number): boolean {
    return this.#orderOf(range, segments, n, segment) > 0;
  }

  #startsBefore(range: number, segments: number, n: number, segment: number): boolean {
    return this.#orderOf(range, segments, n, segment) < 0;
  }

  #orderOf(range: number, segments: number, n: number, segment: number): number {
    for (let c = 0; c < 4; c++) {
      const a = this.#geo.start6(range, c) ^ SIGN;
      const b = this.words[segments + c * n + segment]!;
      if (a !== b) return a < b ? -1 : 1;
    }
    return 0;
  }

  /** Leading bits that the client shares with the address before a run; -1 where the run begins the space. */
  #bitsBefore(f0: number, f1: number, f2: number, f3: number): number {
    if ((f0 | f1 | f2 | f3) === 0) return -1;
    const borrow2 = f3 === 0;
    const borrow1 = borrow2 && f2 === 0;
    const borrow0 = borrow1 && f1 === 0;
    return this.#bitsCommon(
      (borrow0 ? f0 - 1 : f0) | 0,
      (borrow1 ? f1 - 1 : f1) | 0,
      (borrow2 ? f2 - 1 : f2) | 0,
      (f3 - 1) | 0,
    );
  }

  /** Leading bits that the client shares with the address after a run; -1 where the run ends the space. */
  #bitsAfter(a0: number, a1: number, a2: number, a3: number): number {
    return (a0 | a1 | a2 | a3) === 0 ? -1 : this.#bitsCommon(a0, a1, a2, a3);
  }

  #bitsCommon(a0: number, a1: number, a2: number, a3: number): number {
    if (a0 !== this.#w0) return Math.clz32(a0 ^ this.#w0);
    if (a1 !== this.#w1) return 32 + Math.clz32(a1 ^ this.#w1);
    if (a2 !== this.#w2) return 64 + Math.clz32(a2 ^ this.#w2);
    return 96 + Math.clz32(a3 ^ this.#w3);
  }
}
