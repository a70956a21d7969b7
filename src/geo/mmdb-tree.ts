// The search tree of an MMDB file, walked once over the bytes into sorted ranges.
import { limits } from '../base/limits.ts';
import { MmdbFormatError } from './mmdb-data.ts';
import { RangeTable } from './ranges.ts';

/** The binary tree that leads from an address's bits to a record. */
export class SearchTree {
  readonly #pointers = new PointerList();
  readonly #bytes: Buffer;
  readonly #nodeCount: number;
  readonly #recordSize: number;
  readonly #ipVersion: 4 | 6;
  /** Steps that are left: a tree that shares branches, or runs in circles, would take 2^128. */
  #steps: number;
  #lastPointer = 0;
  #lastValue = 0;

  constructor(bytes: Buffer, nodeCount: number, recordSize: number, ipVersion: 4 | 6) {
    this.#bytes = bytes;
    this.#nodeCount = nodeCount;
    this.#recordSize = recordSize;
    this.#ipVersion = ipVersion;
    this.#steps = 8 * nodeCount + 1_000_000;
  }

  /** How many records the walk met. */
  get records(): number {
    return this.#pointers.count;
  }

  /** What leads to the record of this index, in the order in which the walk met them: its offset from the data, above the nodes' numbers. */
  pointer(index: number): number {
    return this.#pointers.at(index);
  }

  walk(): { v4: RangeTable; v6: RangeTable } {
    // A tree has one leaf more than nodes, unless branches are shared.
    const leaves = Math.min(this.#nodeCount + 2, limits.geoRangesAhead);
    const v4 = new RangeTable(1, leaves);
    const v6 = new RangeTable(4, this.#ipVersion === 4 ? 1 : leaves);
    if (this.#ipVersion === 4) {
      this.#walk4(0, v4);
      v6.append(0, 0, 0, 0, 0);
    } else {
      // IPv4 lives under ::/96.
      let node = 0;
      for (let depth = 0; depth < 96 && node < this.#nodeCount; depth++) node = this.#child(node, 0);
      this.#walk4(node, v4);
      this.#walk6(v6);
    }
    return { v4, v6 };
  }

  /** Walks the branch of IPv4 below a node, left before right, and appends a range for every leaf. */
  #walk4(root: number, out: RangeTable): void {
    const nodeCount = this.#nodeCount;
    // Right branches that are still to be visited: node, depth, address.
    const stack = new Int32Array(33 * 3);
    let top = 0;
    let node = root;
    let depth = 0;
    let address = 0;
    for (;;) {
      if (node < nodeCount) {
        if (depth === 32) throw new MmdbFormatError('the search tree is deeper than an address is long');
        this.#step();
        stack[top] = this.#child(node, 1);
        stack[top + 1] = depth + 1;
        stack[top + 2] = address | (0x80000000 >>> depth);
        top += 3;
        depth++;
        node = this.#child(node, 0);
        continue;
      }
      out.append(address >>> 0, 0, 0, 0, this.#value(node));
      if (top === 0) return;
      top -= 3;
      node = stack[top]!;
      depth = stack[top + 1]!;
      address = stack[top + 2]!;
    }
  }

  /** The same for IPv6, from the root. */
  #walk6(out: RangeTable): void {
    const nodeCount = this.#nodeCount;
    // Node, depth, and four words of the address.
    const stack = new Int32Array(129 * 6);
    let top = 0;
    let node = 0;
    let depth = 0;
    let w0 = 0;
    let w1 = 0;
    let w2 = 0;
    let w3 = 0;
    for (;;) {
      if (node < nodeCount && !isAlias(depth, w0, w1, w2)) {
        if (depth === 128) throw new MmdbFormatError('the search tree is deeper than an address is long');
        this.#step();
        const word = depth >>> 5;
        const bit = 0x80000000 >>> (depth & 31);
        stack[top] = this.#child(node, 1);
        stack[top + 1] = depth + 1;
        stack[top + 2] = word === 0 ? w0 | bit : w0;
        stack[top + 3] = word === 1 ? w1 | bit : w1;
        stack[top + 4] = word === 2 ? w2 | bit : w2;
        stack[top + 5] = word === 3 ? w3 | bit : w3;
        top += 6;
        depth++;
        node = this.#child(node, 0);
        continue;
      }
      out.append(w0 >>> 0, w1 >>> 0, w2 >>> 0, w3 >>> 0, this.#value(node));
      if (top === 0) return;
      top -= 6;
      node = stack[top]!;
      depth = stack[top + 1]!;
      w0 = stack[top + 2]!;
      w1 = stack[top + 3]!;
      w2 = stack[top + 4]!;
      w3 = stack[top + 5]!;
    }
  }

  #step(): void {
    if (--this.#steps < 0) throw new MmdbFormatError('the search tree runs in circles');
  }

  /** 1 + number of the record that a leaf points to, 0 for none (and for a branch that is left out). */
  #value(node: number): number {
    if (node <= this.#nodeCount) return 0;
    if (node !== this.#lastPointer) {
      this.#lastPointer = node;
      this.#lastValue = 1 + this.#pointers.index(node);
    }
    return this.#lastValue;
  }

  #child(node: number, side: 0 | 1): number {
    const b = this.#bytes;
    if (this.#recordSize === 24) {
      const at = node * 6 + side * 3;
      return (b[at]! << 16) | (b[at + 1]! << 8) | b[at + 2]!;
    }
    if (this.#recordSize === 28) {
      // The middle byte holds the four highest bits of both: the left's first.
      const at = node * 7;
      const middle = b[at + 3]!;
      if (side === 0) return ((middle & 0xf0) << 20) | (b[at]! << 16) | (b[at + 1]! << 8) | b[at + 2]!;
      return ((middle & 0x0f) << 24) | (b[at + 4]! << 16) | (b[at + 5]! << 8) | b[at + 6]!;
    }
    return b.readUInt32BE(node * 8 + side * 4);
  }
}

/**
 * Whether the branch holds copies of the IPv4 tree, which are not IPv6 networks: ::/96 itself, and where databases alias it
 * (v4-mapped, NAT64, 6to4, Teredo).
 */
function isAlias(depth: number, w0: number, w1: number, w2: number): boolean {
  if (depth === 96) {
    if (w1 !== 0) return false;
    return w0 === 0 ? w2 === 0 || w2 === 0xffff : w0 === 0x0064ff9b && w2 === 0;
  }
  if (depth === 32) return w0 === 0x20010000;
  return depth === 16 && w0 === 0x20020000;
}

/** Distinct numbers in the order in which they came; a Map of half a million is 40 MB. */
class PointerList {
  count = 0;
  #pointers = new Float64Array(512);
  /** Hash table of indexes plus one (0: free), at most half full; by linear probing. */
  #table = new Int32Array(1024);

  at(index: number): number {
    return this.#pointers[index]!;
  }

  /** The index of a pointer, which is added where it isn't there. */
  index(pointer: number): number {
    const slot = this.#slotOf(pointer);
    const known = this.#table[slot]!;
    if (known > 0) return known - 1;
    if (this.count === this.#pointers.length) this.#grow();
    this.#pointers[this.count++] = pointer;
    this.#table[this.#slotOf(pointer)] = this.count;
    return this.count - 1;
  }

  #slotOf(pointer: number): number {
    const mask = this.#table.length - 1;
    let slot = (Math.imul(pointer, 0x9e3779b1) >>> 7) & mask;
    while (this.#table[slot] !== 0 && this.#pointers[this.#table[slot]! - 1] !== pointer) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const pointers = new Float64Array(this.#pointers.length * 2);
    pointers.set(this.#pointers);
    this.#pointers = pointers;
    this.#table = new Int32Array(this.#table.length * 2);
    for (let i = 0; i < this.count; i++) this.#table[this.#slotOf(pointers[i]!)] = i + 1;
  }
}
