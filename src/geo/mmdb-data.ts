// The data section of an MMDB file: values from bytes, with bounds on depth and amount, so that garbage ends soon.
import { limits } from '../base/limits.ts';

/** What a record is made of. Maps have no prototype, so that a key of any name is only a key. */
export type MmdbValue = string | number | bigint | boolean | Uint8Array | MmdbValue[] | { [key: string]: MmdbValue };

/** The file's bytes contradict the format. Stays inside this module: whoever opens a file turns it into a problem. */
export class MmdbFormatError extends Error {}

const TYPE = {
  pointer: 1,
  string: 2,
  double: 3,
  bytes: 4,
  uint16: 5,
  uint32: 6,
  map: 7,
  int32: 8,
  uint64: 9,
  uint128: 10,
} as const;
const EXTENDED_TYPE = { array: 11, boolean: 14, float: 15 } as const;
const POINTER_BASE = [0, 2048, 526_336, 0] as const;

/** Decodes values of one data section. */
export class MmdbData {
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  readonly #kept = new Map<number, MmdbValue>();
  #at = 0;
  #budget = 0;

  /** `bytes` is the whole file; the section is [start, end). */
  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  /**
   * The value at an offset from the section's start. Of a map of `names` by language only the English one is kept, or the
   * first. Throws MmdbFormatError.
   */
  decode(offset: number): MmdbValue {
    this.#at = this.#start + offset;
    this.#budget = limits.mmdbRecordValues;
    return this.#value(0, false);
  }

  #value(depth: number, names: boolean): MmdbValue {
    if (depth > limits.mmdbDepth) throw new MmdbFormatError('values are nested too deep');
    if (--this.#budget < 0) throw new MmdbFormatError('a record is too large');
    const control = this.#byte();
    let type = control >> 5;
    if (type === TYPE.pointer) {
      const target = this.#pointer(control);
      const kept = this.#kept.get(target);
      if (kept !== undefined) return kept;
      const after = this.#at;
      this.#at = target;
      const value = this.#value(depth + 1, names);
      this.#at = after;
      if (this.#kept.size >= limits.mmdbKeptValues) this.#kept.clear();
      this.#kept.set(target, value);
      return value;
    }
    if (type === 0) type = this.#byte() + 7;
    const size = this.#size(control & 0x1f);
    switch (type) {
      case TYPE.string: {
        const from = this.#take(size);
        return this.#bytes.toString('utf8', from, from + size);
      }
      case TYPE.double:
        if (size !== 8) throw new MmdbFormatError('a double without 8 bytes');
        return this.#bytes.readDoubleBE(this.#take(8));
      case EXTENDED_TYPE.float:
        if (size !== 4) throw new MmdbFormatError('a float without 4 bytes');
        return this.#bytes.readFloatBE(this.#take(4));
      case TYPE.bytes: {
        const from = this.#take(size);
        return this.#bytes.subarray(from, from + size);
      }
      case TYPE.uint16:
      case TYPE.uint32:
        return Number(this.#integer(size, 4));
      case TYPE.int32:
        return Number(BigInt.asIntN(32, this.#integer(size, 4)));
      case TYPE.uint64:
      case TYPE.uint128:
        return this.#integer(size, 16);
      case TYPE.map:
        return this.#map(size, depth, names);
      case EXTENDED_TYPE.array: {
        const list: MmdbValue[] = [];
        for (let i = 0; i < size; i++) list.push(this.#value(depth + 1, false));
        return list;
      }
      case EXTENDED_TYPE.boolean:
        return size !== 0;
      default:
        throw new MmdbFormatError(`unknown type ${type}`);
    }
  }

  #map(size: number, depth: number, names: boolean): MmdbValue {
    const map = Object.create(null) as { [key: string]: MmdbValue };
    for (let i = 0; i < size; i++) {
      const key = this.#value(depth + 1, false);
      if (typeof key !== 'string') throw new MmdbFormatError('a key that is no text');
      const value = this.#value(depth + 1, key === 'names');
      if (!names || key === 'en' || i === 0) map[key] = value;
    }
    return map;
  }

  #pointer(control: number): number {
    const size = (control >> 3) & 3;
    const from = this.#take(size + 1);
    const low = this.#bytes.readUIntBE(from, size + 1);
    // The longest form ignores the three bits that the others put in front.
    const value = size === 3 ? low : (control & 7) * 2 ** (8 * (size + 1)) + low;
    const target = this.#start + value + POINTER_BASE[size as 0 | 1 | 2 | 3];
    if (target >= this.#end) throw new MmdbFormatError('a pointer leads out of the file');
    return target;
  }

  #size(code: number): number {
    if (code < 29) return code;
    const bytes = code - 28;
    const from = this.#take(bytes);
    return this.#bytes.readUIntBE(from, bytes) + (bytes === 1 ? 29 : bytes === 2 ? 285 : 65_821);
  }

  #integer(size: number, most: number): bigint {
    if (size > most) throw new MmdbFormatError('a number is too long');
    let value = 0n;
    for (let from = this.#take(size), i = 0; i < size; i++) value = (value << 8n) | BigInt(this.#bytes[from + i]!);
    return value;
  }

  #byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  /** Moves on by `count` bytes and returns where they begin. */
  #take(count: number): number {
    const from = this.#at;
    if (count > this.#end - from) throw new MmdbFormatError('a value goes beyond the end');
    this.#at = from + count;
    return from;
  }
}
