// Writes small MMDB files for tests: any networks and records in any record size, every type, and files that are broken on purpose.
import { parsePrefix } from '../../dist/base/address.js';

export type Value = string | number | boolean | bigint | readonly Value[] | { readonly [key: string]: Value };

/** A number that is written as a 32-bit unsigned integer; other numbers are doubles. */
export class Uint32 {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** A 16-bit unsigned integer, which libmaxminddb insists on in the metadata. */
class Uint16 extends Uint32 {}

/** A field in octets of one's own: types that JavaScript has no values for, and broken ones. */
export class Octets {
  readonly bytes: Buffer;
  constructor(...parts: readonly (number | Uint8Array)[]) {
    this.bytes = Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)));
  }
}

export function float32(value: number): Octets {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return new Octets(control(15, 4), bytes);
}

export function int32(value: number): Octets {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return new Octets(control(8, 4), bytes);
}

/** Unsigned integers of type 5 (16 bits), 6 (32), 9 (64) or 10 (128) in as few octets as the value needs: none for 0. */
export function unsigned(type: 5 | 6 | 9 | 10, value: bigint): Octets {
  const hex = value === 0n ? '' : value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length & 1), '0'), 'hex');
  return new Octets(control(type, bytes.length), bytes);
}

export function octetString(bytes: Uint8Array): Octets {
  return new Octets(control(4, bytes.length), bytes);
}

/** A pointer to an offset of the data section, in a form of 1 to 4 octets (the specification's size 0 to 3). */
export function pointer(offset: number, octets: 1 | 2 | 3 | 4): Octets {
  const value = offset - [0, 2048, 526_336, 0][octets - 1]!;
  const high = octets === 4 ? 0 : Math.floor(value / 2 ** (8 * octets)) & 7;
  return new Octets(0x20 | ((octets - 1) << 3) | high, uint(BigInt(value) & (256n ** BigInt(octets) - 1n), octets));
}

export type Field = Value | Uint32 | Octets | readonly Field[] | { readonly [key: string]: Field };

export interface MmdbOptions {
  readonly recordSize?: 24 | 28 | 32;
  readonly ipVersion?: 4 | 6;
  readonly type?: string;
  /** Aliases of the IPv4 tree, as in MaxMind's files: v4-mapped, Teredo and 6to4. */
  readonly aliases?: boolean;
  readonly buildEpoch?: number;
  /** Write equal parts once and point at them, as real files do. */
  readonly pointers?: boolean;
  /** The same in the metadata, whose pointers count from their own beginning. */
  readonly metadataPointers?: boolean;
  /** Fields of the metadata that say something else; undefined: left out. */
  readonly metadata?: { readonly [key: string]: Field | undefined };
}

type Node = { children: [Child, Child] };
type Child = Node | number | null;

/** A database of these networks (the longest holds where they overlap) and their records. */
export function buildMmdb(
  records: readonly (readonly [network: string, record: Field])[],
  options: MmdbOptions = {},
): Buffer {
  const {
    recordSize = 24,
    ipVersion = 6,
    type = 'Test',
    aliases = false,
    buildEpoch = 1_700_000_000,
    pointers = true,
    metadataPointers = false,
  } = options;
  const data = new DataSection(pointers);
  const root: Node = { children: [null, null] };
  const parsed = records.map(([text, record]) => ({ prefix: parsePrefix(text)!, offset: data.record(record) }));
  parsed.sort(
    (a, b) =>
      a.prefix.length +
      (a.prefix.address.family === 4 ? 96 : 0) -
      (b.prefix.length + (b.prefix.address.family === 4 ? 96 : 0)),
  );
  for (const { prefix, offset } of parsed) {
    const four = prefix.address.family === 4;
    if (!four && ipVersion === 4) continue;
    const padding = four && ipVersion === 6 ? 96 : 0;
    const bits = [...Array<number>(padding).fill(0), ...bitsOf(prefix.address.bytes).slice(0, prefix.length)];
    insert(root, bits, offset);
  }
  if (aliases) {
    const four = descend(root, Array<number>(96).fill(0));
    for (const alias of ['::ffff:0:0/96', '2001::/32', '2002::/16']) {
      const { address, length } = parsePrefix(alias)!;
      if (four !== null) insert(root, bitsOf(address.bytes).slice(0, length), four);
    }
  }
  const nodes: Node[] = [];
  const numbers = new Map<Node, number>();
  const queue: Node[] = [root];
  for (let i = 0; i < queue.length; i++) {
    const node = queue[i]!;
    if (numbers.has(node)) continue;
    numbers.set(node, nodes.length);
    nodes.push(node);
    for (const child of node.children) if (child !== null && typeof child !== 'number') queue.push(child);
  }
  const recordOf = (child: Child): number =>
    child === null ? nodes.length : typeof child === 'number' ? nodes.length + 16 + child : numbers.get(child)!;
  const tree = Buffer.alloc((nodes.length * recordSize) / 4);
  nodes.forEach((node, i) => {
    writeNode(tree, i, recordSize, recordOf(node.children[0]), recordOf(node.children[1]));
  });
  const metadata = new DataSection(metadataPointers);
  const says: { [key: string]: Field | undefined } = {
    binary_format_major_version: new Uint16(2),
    binary_format_minor_version: new Uint16(0),
    build_epoch: BigInt(buildEpoch),
    database_type: type,
    description: { en: 'made for a test' },
    ip_version: new Uint16(ipVersion),
    languages: ['en'],
    node_count: new Uint32(nodes.length),
    record_size: new Uint16(recordSize),
    ...options.metadata,
  };
  // Last, as everything that it points to stands before it: readers begin with the first octets.
  const said = Object.entries(says).filter((entry): entry is [string, Field] => entry[1] !== undefined);
  const written = metadata.whole(Object.fromEntries(said));
  return Buffer.concat([
    tree,
    Buffer.alloc(16),
    data.bytes(),
    Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'),
    written,
  ]);
}

function bitsOf(bytes: Uint8Array): number[] {
  return [...bytes].flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((shift) => (byte >> shift) & 1));
}

/** Shorter networks come first: a leaf on the way is split, and its record goes on beside the longer one. */
function insert(root: Node, bits: readonly number[], value: Child): void {
  if (bits.length === 0) {
    root.children = [value, value];
    return;
  }
  let node = root;
  bits.slice(0, -1).forEach((bit) => {
    const child = node.children[bit as 0 | 1];
    const next: Node = child === null || typeof child === 'number' ? { children: [child, child] } : child;
    node.children[bit as 0 | 1] = next;
    node = next;
  });
  node.children[bits.at(-1) as 0 | 1] = value;
}

function descend(root: Node, bits: readonly number[]): Child {
  let child: Child = root;
  for (const bit of bits) {
    if (child === null || typeof child === 'number') return child;
    child = child.children[bit as 0 | 1];
  }
  return child;
}

function writeNode(tree: Buffer, index: number, recordSize: number, left: number, right: number): void {
  if (recordSize === 24) {
    tree.writeUIntBE(left, index * 6, 3);
    tree.writeUIntBE(right, index * 6 + 3, 3);
  } else if (recordSize === 28) {
    const at = index * 7;
    tree.writeUIntBE(left & 0xffffff, at, 3);
    tree[at + 3] = ((left >>> 24) << 4) | (right >>> 24);
    tree.writeUIntBE(right & 0xffffff, at + 4, 3);
  } else {
    tree.writeUInt32BE(left, index * 8);
    tree.writeUInt32BE(right, index * 8 + 4);
  }
}

class DataSection {
  readonly #parts: Buffer[] = [];
  readonly #pointers: boolean;
  readonly #known = new Map<string, number>();
  #length = 0;

  constructor(pointers: boolean) {
    this.#pointers = pointers;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** Appends a record and returns its offset; its maps and texts are shared with others where they are equal. */
  record(value: Field): number {
    const key = `record ${stable(value)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const encoded = this.#encode(value, true);
    const at = this.#append(encoded);
    this.#known.set(key, at);
    return at;
  }

  /**
   * The section for a record that must stand first: its pointers lead to what follows. Made twice, since where the rest begins
   * is only known then.
   */
  whole(value: { readonly [key: string]: Field }): Buffer {
    if (!this.#pointers) return this.#plain(value);
    let first = this.#plain(value);
    for (let length = -1; length !== first.length; ) {
      length = first.length;
      this.#parts.length = 0;
      this.#known.clear();
      this.#length = length;
      first = this.#plain(value);
    }
    return Buffer.concat([first, ...this.#parts]);
  }

  #append(bytes: Buffer): number {
    const at = this.#length;
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return at;
  }

  #encode(value: Field, top: boolean): Buffer {
    if (
      this.#pointers &&
      !top &&
      (typeof value === 'string'
        ? value.length > 1
        : typeof value === 'object' && !(value instanceof Uint32) && !(value instanceof Octets))
    ) {
      const key = stable(value);
      let at = this.#known.get(key);
      if (at === undefined) {
        at = this.#append(this.#plain(value));
        this.#known.set(key, at);
      }
      return encodePointer(at);
    }
    return this.#plain(value);
  }

  #plain(value: Field): Buffer {
    if (typeof value === 'string') {
      const text = Buffer.from(value, 'utf8');
      return Buffer.concat([control(2, text.length), text]);
    }
    if (value instanceof Octets) return value.bytes;
    if (value instanceof Uint16) return Buffer.concat([control(5, 2), uint(BigInt(value.value), 2)]);
    if (value instanceof Uint32) return Buffer.concat([control(6, 4), uint(BigInt(value.value), 4)]);
    if (typeof value === 'bigint') return Buffer.concat([control(9, 8), uint(value, 8)]);
    if (typeof value === 'boolean') return control(14, value ? 1 : 0);
    if (typeof value === 'number') {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(value);
      return Buffer.concat([control(3, 8), bytes]);
    }
    if (Array.isArray(value))
      return Buffer.concat([control(11, value.length), ...(value as Field[]).map((item) => this.#encode(item, false))]);
    const entries = Object.entries(value as { readonly [key: string]: Field });
    return Buffer.concat([
      control(7, entries.length),
      ...entries.flatMap(([key, item]) => [this.#encode(key, false), this.#encode(item, false)]),
    ]);
  }
}

function stable(value: Field): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (item instanceof Octets) return `octets ${item.bytes.toString('hex')}`;
    return typeof item === 'bigint' ? `${item}n` : item;
  });
}

function uint(value: bigint, bytes: number): Buffer {
  return Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex');
}

function control(type: number, size: number): Buffer {
  const [code, extra] =
    size < 29 ? [size, []] : size < 285 ? [29, [size - 29]] : [30, [(size - 285) >> 8, (size - 285) & 255]];
  return Buffer.from(type < 8 ? [(type << 5) | code, ...extra] : [code, type - 7, ...extra]);
}

function encodePointer(offset: number): Buffer {
  if (offset < 2048) return Buffer.from([0x20 | (offset >> 8), offset & 255]);
  if (offset < 526_336) {
    const packed = offset - 2048;
    return Buffer.from([0x28 | (packed >> 16), (packed >> 8) & 255, packed & 255]);
  }
  return Buffer.from([0x38, ...uint(BigInt(offset), 4)]);
}
