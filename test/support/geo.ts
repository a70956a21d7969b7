// Makes geo images and region maps in memory for tests, and a plain second implementation of what they must say.
import { type Address, contains, type Prefix, parsePrefix } from '../../dist/base/address.js';
import { buildGeoImage } from '../../dist/geo/image.js';
import { GeoView } from '../../dist/geo/lookup.js';
import { GeoMerger, type MergedGeo } from '../../dist/geo/merge.js';
import { type Database, readDatabase } from '../../dist/geo/mmdb.js';
import type { Override } from '../../dist/geo/overrides.js';
import type { RangeTable } from '../../dist/geo/ranges.js';
import { buildMmdb, type Field, type MmdbOptions } from './mmdb.ts';

export type Records = readonly (readonly [network: string, record: Field])[];

export interface TestDatabase {
  readonly file: string;
  readonly records: Records;
  readonly options?: MmdbOptions;
}

/** Merges databases, which stay as they are, with overrides (in order of precedence). */
export function mergeGeo(
  databases: readonly { readonly database: Database; readonly kind: 'embedded' | 'database' }[],
  overrides: readonly Override[],
  overridesFile: string,
): MergedGeo {
  const merger = new GeoMerger();
  for (const { database, kind } of databases) merger.add(database, kind);
  return merger.merge(overrides, overridesFile);
}

/** A view of an image of these databases, somewhere inside a larger shared memory. */
export function geoOf(databases: readonly TestDatabase[], overrides: readonly Override[] = []): GeoView {
  const read = databases.map(({ file, records, options }) => {
    const database = readDatabase(file, buildMmdb(records, options));
    if (typeof database === 'string') throw new Error(database);
    return { database, kind: 'database' as const };
  });
  return viewOf(buildGeoImage(mergeGeo(read, overrides, 'overrides.yaml')));
}

/** A view of an image that was copied into shared memory, not at its beginning. */
export function viewOf(image: Uint8Array): GeoView {
  const { words, at } = inSharedMemory(image);
  const view = new GeoView();
  view.attach(words, at);
  return view;
}

/** Copies a segment into shared memory behind other words. */
export function inSharedMemory(segment: Uint8Array): { words: Int32Array; at: number } {
  const at = 7;
  const words = new Int32Array(new SharedArrayBuffer(segment.length + at * 4 + 12));
  new Uint8Array(words.buffer).set(segment, at * 4);
  return { words, at };
}

/** The value of the range that an address lies in. */
export function valueAt({ words, length, columns, values }: RangeTable, address: Address): number {
  const wanted = toBigInt(address);
  const startOf = (i: number): bigint =>
    columns.slice(0, words).reduce((all, column) => (all << 32n) | BigInt(column[i]!), 0n);
  let low = 0;
  for (let high = length; high - low > 1; ) {
    const middle = (low + high) >> 1;
    if (startOf(middle) <= wanted) low = middle;
    else high = middle;
  }
  return values[low]!;
}

export function toBigInt(address: Address): bigint {
  return BigInt(`0x${Buffer.from(address.bytes).toString('hex')}`);
}

export function fromBigInt(family: 4 | 6, value: bigint): Address {
  return {
    family,
    bytes: Uint8Array.from(Buffer.from(value.toString(16).padStart(family === 4 ? 8 : 32, '0'), 'hex')),
  };
}

/** The record of the longest network that contains an address, by trying all. */
export function recordFor(records: Records, address: Address): Field | undefined {
  let best: { length: number; record: Field } | undefined;
  for (const [text, record] of records) {
    const prefix: Prefix = parsePrefix(text)!;
    if (contains(prefix, address) && (best === undefined || prefix.length >= best.length))
      best = { length: prefix.length, record };
  }
  return best?.record;
}
