// One MMDB file: opened by maxmind, then its whole search tree walked once over the bytes into sorted ranges.
import { Reader, type Response } from 'maxmind';
import { MmdbData, MmdbFormatError, type MmdbValue } from './mmdb-data.ts';
import { RangeTable } from './ranges.ts';
import { type RecordFacts, readRecord } from './record.ts';

/** A database in memory, free of its file. */
export interface Database {
  /** Base name of the file. */
  readonly file: string;
  /** As the file says: `GeoLite2-City`. */
  readonly type: string;
  /** Seconds since 1970 at which the database was built. */
  readonly builtAt: number;
  /** Values: 1 + index in `records`, 0 where the database says nothing. */
  readonly v4: RangeTable;
  readonly v6: RangeTable;
  readonly records: readonly RecordFacts[];
}

/** Stands between the tree and the data (specification: sixteen zero bytes). */
const SEPARATOR_BYTES = 16;
/** The specification: the marker is found within the last 128 KiB. */
const METADATA_BYTES = 128 * 1024;
const METADATA_MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');

/**
 * Reads a database. `bytes` is the whole file; it is not kept. Returns a text about what is wrong with the file when it is
 * truncated, garbage or of an unknown version; never throws.
 * @param read makes facts of a record; for who needs few of them
 */
export function readDatabase(
  file: string,
  bytes: Buffer,
  read: (record: MmdbValue) => RecordFacts = readRecord,
): Database | string {
  try {
    const marker = bytes.lastIndexOf(METADATA_MARKER);
    if (marker < 0 || marker < bytes.length - METADATA_BYTES) {
      if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'it is compressed (gzip): unpack it';
      return 'it is no MMDB file, or its end is missing (the metadata stand there)';
    }
    const { metadata } = new Reader<Response>(bytes);
    const { nodeCount, recordSize, ipVersion, binaryFormatMajorVersion } = metadata;
    if (binaryFormatMajorVersion !== 2) return `its format version is ${binaryFormatMajorVersion}, not 2`;
    if (ipVersion !== 4 && ipVersion !== 6) return `its IP version is ${ipVersion}, neither 4 nor 6`;
    const treeBytes = (nodeCount * recordSize) / 4;
    const dataStart = treeBytes + SEPARATOR_BYTES;
    if (!Number.isInteger(nodeCount) || nodeCount < 1 || dataStart > marker)
      return 'its search tree is longer than the file';
    const tree = new SearchTree(bytes, nodeCount, recordSize, ipVersion);
    const { v4, v6 } = tree.walk();
    v4.trim();
    v6.trim();
    const data = new MmdbData(bytes, dataStart, marker);
    const records = tree.pointers.map((pointer) => {
      const offset = pointer - nodeCount - SEPARATOR_BYTES;
      if (offset < 0 || dataStart + offset >= marker) throw new MmdbFormatError('the tree points out of the data');
      return read(data.decode(offset));
    });
    const builtAt = Math.floor(metadata.buildEpoch.getTime() / 1000);
    return {
      file,
      type: String(metadata.databaseType),
      builtAt: Number.isFinite(builtAt) ? builtAt : 0,
      v4,
      v6,
      records,
    };
  } catch (error) {
    // The reader's own mistakes over garbage (types, ranges, its call stack) mean the same to the operator as ours.
    return `it is damaged: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The binary tree that leads from an address's bits to a record. */
class SearchTree {
  /** Record pointers in the order in which the walk met them, each once. */
  readonly pointers: number[] = [];
  readonly #bytes: Buffer;
  readonly #nodeCount: number;
  readonly #recordSize: number;
  readonly #ipVersion: 4 | 6;
  readonly #indexOf = new Map<number, number>();
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

  walk(): { v4: RangeTable; v6: RangeTable } {
    const v4 = new RangeTable(1, 1024);
    const v6 = new RangeTable(4, 1024);
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
      this.#lastValue = this.#index(node);
    }
    return this.#lastValue;
  }

  #index(pointer: number): number {
    let index = this.#indexOf.get(pointer);
    if (index === undefined) {
      this.pointers.push(pointer);
      index = this.pointers.length;
      this.#indexOf.set(pointer, index);
    }
    return index;
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
