// An address space cut into ranges that each carry a number: the form in which databases, overrides and rules are merged.
import type { Prefix } from '../base/address.ts';

const EMPTY = new Uint32Array(0);

/** Takes ranges in the order of their starts, as `RangeTable.append` does. */
export interface RangeSink {
  append(w0: number, w1: number, w2: number, w3: number, value: number): void;
}

/**
 * The whole space of one family as sorted ranges without gaps. A range begins at its start and ends before the next one's;
 * the first starts at address zero. Addresses are words of 32 bits, most significant first: one for IPv4, four for IPv6.
 */
export class RangeTable implements RangeSink {
  readonly words: 1 | 4;
  length = 0;
  /** Starts, a column per word; the last three are empty for IPv4. Only the first `length` elements count. */
  readonly columns: [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  values: Uint32Array = EMPTY;

  /** @param capacity ranges there is room for; of much room the part that is never used takes no memory */
  constructor(words: 1 | 4, capacity = 16) {
    this.words = words;
    this.columns = [EMPTY, EMPTY, EMPTY, EMPTY];
    this.#reserve(capacity);
  }

  /**
   * Adds a range that starts at the address and reaches to the end of the space until another is added. Starts must come in
   * ascending order, the first at zero. Equal neighbours become one; a start that is there already takes the new value.
   */
  append(w0: number, w1: number, w2: number, w3: number, value: number): void {
    let at = this.length;
    const columns = this.columns;
    if (at > 0) {
      const last = at - 1;
      if (
        columns[0][last] === w0 &&
        (this.words === 1 || (columns[1][last] === w1 && columns[2][last] === w2 && columns[3][last] === w3))
      ) {
        if (last > 0 && this.values[last - 1] === value) this.length = last;
        else this.values[last] = value;
        return;
      }
      if (this.values[last] === value) return;
    }
    if (at === this.values.length) {
      this.#reserve(Math.max(16, this.values.length * 2));
      at = this.length;
    }
    columns[0][at] = w0;
    if (this.words === 4) {
      columns[1][at] = w1;
      columns[2][at] = w2;
      columns[3][at] = w3;
    }
    this.values[at] = value;
    this.length = at + 1;
  }

  /** The same ranges with other values; neighbours that become equal are merged. */
  map(change: (value: number) => number): RangeTable {
    const out = new RangeTable(this.words, Math.max(16, this.length >> 2));
    const [c0, c1, c2, c3] = this.columns;
    for (let i = 0; i < this.length; i++)
      out.append(c0[i]!, c1[i] ?? 0, c2[i] ?? 0, c3[i] ?? 0, change(this.values[i]!));
    return out;
  }

  /** Room for so many ranges, in one piece: from 32 MB on the system takes untouched pages of it for free, and has it back at once. */
  #reserve(capacity: number): void {
    const room = new ArrayBuffer((this.words + 1) * capacity * 4);
    const column = (c: number, old: Uint32Array): Uint32Array => {
      const next = new Uint32Array(room, c * capacity * 4, capacity);
      next.set(old);
      return next;
    };
    for (let c = 0; c < this.words; c++) this.columns[c] = column(c, this.columns[c]!);
    this.values = column(this.words, this.values);
  }
}

/** A table of one range with one value. */
function constantTable(words: 1 | 4, value: number): RangeTable {
  const table = new RangeTable(words);
  table.append(0, 0, 0, 0, value);
  return table;
}

/** Tables of one family, laid over each other: ranges that are made anew each time they are asked for, and never held all together. */
export class LaidRanges {
  readonly words: 1 | 4;
  #tables: readonly RangeTable[];
  readonly #combine: (values: Uint32Array) => number;

  /**
   * @param combine is given the value of each table, in their order, in one array that is used again for the next call, and returns the
   *   value of that stretch
   */
  constructor(tables: readonly RangeTable[], combine: (values: Uint32Array) => number) {
    this.words = tables[0]!.words;
    this.#tables = tables;
    this.#combine = combine;
  }

  /** With a table on top: where it has a value other than 0, the value that is made of it. */
  under(top: RangeTable, change: (value: number) => number): LaidRanges {
    const last = this.#tables.length;
    return new LaidRanges([...this.#tables, top], (values) =>
      values[last] === 0 ? this.#combine(values) : change(values[last]!),
    );
  }

  /** Hands over the ranges; neighbours may be equal. Linear in their number. */
  into(out: RangeSink): void {
    layTables(this.#tables, this.#combine, out);
  }

  /** Lets go of the tables: nothing is asked for any more. */
  release(): void {
    this.#tables = [];
  }

  table(): RangeTable {
    return mergeTables(this.#tables, this.#combine);
  }
}

/** Lays tables of one family over each other, see LaidRanges. */
export function mergeTables(tables: readonly RangeTable[], combine: (values: Uint32Array) => number): RangeTable {
  // A few more than the longest has: one that must grow for four ranges doubles.
  const out = new RangeTable(tables[0]!.words, Math.max(...tables.map((t) => t.length)) + 64);
  layTables(tables, combine, out);
  return out;
}

function layTables(tables: readonly RangeTable[], combine: (values: Uint32Array) => number, out: RangeSink): void {
  const words = tables[0]!.words;
  const count = tables.length;
  const at = new Uint32Array(count);
  const values = Uint32Array.from(tables, (table) => table.values[0]!);
  let w0 = 0;
  let w1 = 0;
  let w2 = 0;
  let w3 = 0;
  for (;;) {
    out.append(w0, w1, w2, w3, combine(values));
    let next = -1;
    for (let k = 0; k < count; k++) {
      const table = tables[k]!;
      const i = at[k]! + 1;
      if (i >= table.length) continue;
      const c = table.columns;
      const a0 = c[0][i]!;
      if (words === 1) {
        if (next < 0 || a0 < w0) {
          next = k;
          w0 = a0;
        }
        continue;
      }
      const a1 = c[1][i]!;
      const a2 = c[2][i]!;
      const a3 = c[3][i]!;
      if (next < 0 || a0 < w0 || (a0 === w0 && (a1 < w1 || (a1 === w1 && (a2 < w2 || (a2 === w2 && a3 < w3)))))) {
        next = k;
        w0 = a0;
        w1 = a1;
        w2 = a2;
        w3 = a3;
      }
    }
    if (next < 0) return;
    for (let k = 0; k < count; k++) {
      const table = tables[k]!;
      const i = at[k]! + 1;
      if (i >= table.length) continue;
      const c = table.columns;
      if (c[0][i] !== w0 || (words === 4 && (c[1][i] !== w1 || c[2][i] !== w2 || c[3][i] !== w3))) continue;
      at[k] = i;
      values[k] = table.values[i]!;
    }
  }
}

/** The result of laying networks over each other. */
export interface NestedPrefixes {
  /** Value: 1 + index of the longest network there, 0 where there is none. */
  readonly table: RangeTable;
  /** For each network the index of the next shorter one that contains it, or -1. */
  readonly parents: Int32Array;
}

/** Lays the networks of one family (others are left out) over each other; of equal networks the first in the list wins. */
export function nestPrefixes(words: 1 | 4, prefixes: readonly Prefix[]): NestedPrefixes {
  const bits = words * 32;
  const table = constantTable(words, 0);
  const parents = new Int32Array(prefixes.length).fill(-1);
  const items = prefixes
    .map((prefix, index) => {
      const hostBits = BigInt(bits - prefix.length);
      const first =
        (prefix.address.family === 4) === (words === 1)
          ? (toBigInt(prefix.address.bytes) >> hostBits) << hostBits
          : -1n;
      return { index, length: prefix.length, first, end: first + (1n << hostBits) };
    })
    .filter((item) => item.first >= 0n)
    .sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : a.length - b.length || a.index - b.index));
  const open: typeof items = [];
  const put = (address: bigint, value: number): void => {
    if (address >> BigInt(bits) !== 0n) return;
    if (words === 1) table.append(Number(address), 0, 0, 0, value);
    else {
      const word = (shift: bigint): number => Number((address >> shift) & 0xffffffffn);
      table.append(word(96n), word(64n), word(32n), word(0n), value);
    }
  };
  const closeUntil = (address: bigint): void => {
    for (let top = open.at(-1); top !== undefined && top.end <= address; top = open.at(-1)) {
      open.pop();
      put(top.end, (open.at(-1)?.index ?? -1) + 1);
    }
  };
  for (const item of items) {
    closeUntil(item.first);
    const around = open.at(-1);
    if (around !== undefined) {
      parents[item.index] = around.index;
      if (around.length === item.length) continue;
    }
    open.push(item);
    put(item.first, item.index + 1);
  }
  closeUntil(1n << BigInt(bits));
  return { table, parents };
}

function toBigInt(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}
