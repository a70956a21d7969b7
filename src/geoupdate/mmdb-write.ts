// Writes an MMDB file (MaxMind DB file format 2.0): sorted ranges become the search tree, records the data section.
import type { RangeTable } from '../geo/ranges.ts';

/** A value of a record: what country databases consist of. */
export type MmdbField = string | Uint | readonly MmdbField[] | { readonly [key: string]: MmdbField };

/** An unsigned integer and the octets of its type. */
interface Uint {
  readonly uint: number;
  readonly bytes: 2 | 4 | 8;
}

export interface MmdbContent {
  /** Values: 1 + index in `records`, 0 for none. */
  readonly v4: RangeTable;
  readonly v6: RangeTable;
  readonly records: readonly MmdbField[];
  readonly type: string;
  /** In English. */
  readonly description: string;
  /** Seconds since 1970. */
  readonly builtAt: number;
}

const SEPARATOR = Buffer.alloc(16);
const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
/** Numbers of the data types. */
const TYPE = { string: 2, uint16: 5, uint32: 6, map: 7, uint64: 9, array: 11 } as const;
/** Depth at which the IPv4 tree hangs: it stands for ::/96. */
const IPV4_DEPTH = 96;

/** The file's bytes. The IPv6 table says nothing of ::/96: IPv4 lies there. */
export function writeMmdb({ v4, v6, records, type, description, builtAt }: MmdbContent): Buffer {
  const encoded = records.map(encode);
  const offsets = [0];
  for (const bytes of encoded) offsets.push(offsets.at(-1)! + bytes.length);
  const tree = new Tree();
  const four = tree.add(v4);
  const root = tree.root(tree.addAround(v6, four));
  const nodes = tree.count;
  const pointer = (branch: number): number => {
    if (branch >= 0) return root - branch;
    return branch === NOWHERE ? nodes : nodes + SEPARATOR.length + offsets[-branch - 2]!;
  };
  const recordSize = nodes + SEPARATOR.length + offsets.at(-1)! < 2 ** 24 ? 24 : 32;
  const metadata = encode({
    binary_format_major_version: { uint: 2, bytes: 2 },
    binary_format_minor_version: { uint: 0, bytes: 2 },
    build_epoch: { uint: builtAt, bytes: 8 },
    database_type: type,
    description: { en: description },
    ip_version: { uint: 6, bytes: 2 },
    languages: ['en'],
    node_count: { uint: nodes, bytes: 4 },
    record_size: { uint: recordSize, bytes: 2 },
  });
  return Buffer.concat([tree.bytes(recordSize, pointer), SEPARATOR, ...encoded, MARKER, metadata]);
}

/** A branch that leads nowhere; a branch of 0 and above is a node, one below this the record -branch - 2. */
const NOWHERE = -1;

/** Nodes in the order in which they are done: children before their parents, so the root is the last. */
class Tree {
  count = 0;
  #branches = new Int32Array(1 << 16);

  /** The tree of a table. Returns its root. */
  add(table: RangeTable): number {
    return this.#branch(table, 0, table.length - 1, 0, [0, 0, 0, 0], -1, NOWHERE);
  }

  /** The same with another tree at ::/96. */
  addAround(table: RangeTable, four: number): number {
    return this.#branch(table, 0, table.length - 1, 0, [0, 0, 0, 0], IPV4_DEPTH, four);
  }

  /**
   * The branch for the block that starts at `start` and is 2^(bits - depth) long; ranges `from` to `to` are those that reach into it.
   * `graftDepth`: where, on the way along zeros, `graft` stands instead; -1 elsewhere.
   */
  #branch(
    table: RangeTable,
    from: number,
    to: number,
    depth: number,
    start: number[],
    graftDepth: number,
    graft: number,
  ): number {
    if (depth === graftDepth) return graft;
    if (from === to && graftDepth < 0) {
      const value = table.values[from]!;
      return value === 0 ? NOWHERE : -value - 1;
    }
    const word = depth >>> 5;
    const middle = start.slice();
    middle[word] = (middle[word]! | (0x80000000 >>> (depth & 31))) >>> 0;
    // The first range that starts in the right half, and whether it starts right at the middle.
    let low = from + 1;
    let high = to + 1;
    while (low < high) {
      const probe = (low + high) >> 1;
      if (compare(table, probe, middle) >= 0) high = probe;
      else low = probe + 1;
    }
    const rightFrom = low <= to && compare(table, low, middle) === 0 ? low : low - 1;
    const left = this.#branch(table, from, low - 1, depth + 1, start, graftDepth, graft);
    const right = this.#branch(table, rightFrom, to, depth + 1, middle, -1, graft);
    return left === right && left < 0 ? left : this.#node(left, right);
  }

  /** A file has at least one node. */
  root(branch: number): number {
    return branch < 0 ? this.#node(branch, branch) : branch;
  }

  #node(left: number, right: number): number {
    if (this.count * 2 === this.#branches.length) {
      const larger = new Int32Array(this.#branches.length * 2);
      larger.set(this.#branches);
      this.#branches = larger;
    }
    this.#branches[this.count * 2] = left;
    this.#branches[this.count * 2 + 1] = right;
    return this.count++;
  }

  /** The search tree, the last node first: a reader begins at node 0. */
  bytes(recordSize: 24 | 32, pointer: (branch: number) => number): Buffer {
    const width = recordSize / 8;
    const out = Buffer.alloc(this.count * 2 * width);
    for (let i = 0; i < this.count; i++) {
      const at = (this.count - 1 - i) * 2 * width;
      out.writeUIntBE(pointer(this.#branches[i * 2]!), at, width);
      out.writeUIntBE(pointer(this.#branches[i * 2 + 1]!), at + width, width);
    }
    return out;
  }
}

function compare({ words, columns }: RangeTable, i: number, address: readonly number[]): number {
  for (let word = 0; word < words; word++) {
    const difference = columns[word as 0 | 1 | 2 | 3][i]! - address[word]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function encode(value: MmdbField): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([control(TYPE.string, text.length), text]);
  }
  if (Array.isArray(value)) return Buffer.concat([control(TYPE.array, value.length), ...value.map(encode)]);
  if (isUint(value)) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(value.uint));
    const type = value.bytes === 2 ? TYPE.uint16 : value.bytes === 4 ? TYPE.uint32 : TYPE.uint64;
    return Buffer.concat([control(type, value.bytes), bytes.subarray(8 - value.bytes)]);
  }
  const entries = Object.entries(value as { readonly [key: string]: MmdbField });
  return Buffer.concat([
    control(TYPE.map, entries.length),
    ...entries.flatMap(([key, field]) => [encode(key), encode(field)]),
  ]);
}

function isUint(value: MmdbField): value is Uint {
  return typeof value === 'object' && 'uint' in value && 'bytes' in value;
}

/** Type and size of a value; sizes up to 284, more than any text here has. */
function control(type: number, size: number): Buffer {
  const [short, more] = size < 29 ? [size, []] : [29, [size - 29]];
  return Buffer.from(type <= 7 ? [(type << 5) | short, ...more] : [short, type - 7, ...more]);
}
