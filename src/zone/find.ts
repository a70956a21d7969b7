// Finds a name in a zone image: exact, wildcard, referral or none (RFC 1034 4.3.2 as corrected by RFC 4592).
import type { Labels } from '../wire/labels.ts';
import {
  FLAG_CUT,
  HEADER,
  NODE_CUT,
  NODE_FLAGS,
  NODE_SETS,
  NODE_WILDCARD,
  SET_TYPE,
  SET_WORDS,
  typeOf,
} from './layout.ts';

const FIND_NODE = 0;
const FIND_WILDCARD = 1;
export const FIND_REFERRAL = 2;
export const FIND_NONE = 3;

/** The node of a name with this hash, very likely the one that `ZoneView.lookup` will find; 0: none. `table` as in `ZoneView`. */
export function nodeByHash(words: Int32Array, table: number, tableMask: number, hash: number): number {
  let slot = hash & tableMask;
  for (;;) {
    const node = words[table + slot * 2 + 1]!;
    if (node === 0 || words[table + slot * 2] === hash) return node;
    slot = (slot + 1) & tableMask;
  }
}

/** A zone image where it stands in shared memory. Word and byte offsets that it hands out are relative to the zone. */
export class ZoneView {
  words: Int32Array = new Int32Array(0);
  bytes: Uint8Array = new Uint8Array(0);
  /** First word of the image in `words`. */
  base = 0;
  /** First byte of the image in `bytes`. */
  byteBase = 0;
  /** First word of the hash table in `words`, and its size less one. */
  table = 0;
  tableMask = 0;
  apexLabels = 0;
  apexLength = 0;
  /** What `find` found: the node to answer from, or the cut's. 0 with FIND_NONE. */
  node = 0;

  attach(words: Int32Array, bytes: Uint8Array, base: number): void {
    this.words = words;
    this.bytes = bytes;
    this.base = base;
    this.byteBase = base * 4;
    this.table = base + words[base + HEADER.table]!;
    this.tableMask = words[base + HEADER.tableMask]!;
    this.apexLabels = words[base + HEADER.apexLabels]!;
    this.apexLength = words[base + HEADER.apexLength]!;
  }

  /** A word of the image. */
  at(word: number): number {
    return this.words[this.base + word]!;
  }

  /**
   * Finds a name at or below the apex.
   * @param atCut the type asked for belongs to the parent's side of a cut (DS): a cut itself is then an ordinary node
   */
  find(labels: Labels, atCut: boolean): number {
    let node = this.lookup(labels, 0);
    if (node !== 0) {
      const cut = this.at(node + NODE_CUT);
      if (cut === 0 || (atCut && cut === node)) {
        this.node = node;
        return FIND_NODE;
      }
      this.node = cut;
      return FIND_REFERRAL;
    }
    const apexAt = labels.count - this.apexLabels;
    for (let i = 1; i <= apexAt; i++) {
      node = this.lookup(labels, i);
      if (node === 0) continue;
      // RFC 4592 3.3.1: this is the closest encloser.
      const cut = this.at(node + NODE_CUT);
      if (cut !== 0) {
        this.node = cut;
        return FIND_REFERRAL;
      }
      this.node = this.at(node + NODE_WILDCARD);
      return this.node !== 0 ? FIND_WILDCARD : FIND_NONE;
    }
    this.node = 0;
    return FIND_NONE;
  }

  /** The node of the suffix that starts at label `i`, or 0. */
  lookup(labels: Labels, i: number): number {
    const words = this.words;
    const base = this.base;
    const hash = labels.hashes[i]!;
    const table = this.table;
    const mask = this.tableMask;
    const octets = labels.length - labels.starts[i]!;
    let slot = hash & mask;
    for (;;) {
      const node = words[table + slot * 2 + 1]!;
      if (node === 0) return 0;
      if (words[table + slot * 2] === hash) {
        const flags = words[base + node + NODE_FLAGS]!;
        if (((flags >>> 8) & 255) === octets) {
          const nameByte = this.byteBase + (node + NODE_SETS + (flags >>> 16) * SET_WORDS) * 4;
          if (labels.suffixEquals(i, this.bytes, nameByte, octets)) return node;
        }
      }
      slot = (slot + 1) & mask;
    }
  }

  /** The set of a type at a node, as a word offset; 0: none. */
  set(node: number, type: number): number {
    const words = this.words;
    let at = this.base + node + NODE_SETS;
    const end = at + (words[this.base + node + NODE_FLAGS]! >>> 16) * SET_WORDS;
    for (; at < end; at += SET_WORDS) {
      if (typeOf(words[at + SET_TYPE]!) === type) return at - this.base;
    }
    return 0;
  }

  /** Sets of a node. */
  setCount(node: number): number {
    return this.words[this.base + node + NODE_FLAGS]! >>> 16;
  }

  isCut(node: number): boolean {
    return (this.words[this.base + node + NODE_FLAGS]! & FLAG_CUT) !== 0;
  }

  /** Octets of a node's name, and where it stands in `bytes`. */
  nameLength(node: number): number {
    return (this.words[this.base + node + NODE_FLAGS]! >>> 8) & 255;
  }

  nameAt(node: number): number {
    return this.byteBase + (node + NODE_SETS + this.setCount(node) * SET_WORDS) * 4;
  }

  /** Labels of a node's name, the root's not counted. */
  labelCount(node: number): number {
    const { bytes } = this;
    let count = 0;
    for (let p = this.nameAt(node); bytes[p] !== 0; p += bytes[p]! + 1) count++;
    return count;
  }
}
