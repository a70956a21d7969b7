// One MMDB file: opened by maxmind, its search tree walked into sorted ranges, then its records read one after another.
import { Reader, type Response } from 'maxmind';
import { MmdbData, MmdbFormatError, type MmdbValue } from './mmdb-data.ts';
import { SearchTree } from './mmdb-tree.ts';
import type { RangeTable } from './ranges.ts';
import { type RecordFacts, readRecord } from './record.ts';

/** A database in memory, free of its file, but for its records. */
export interface ScannedDatabase {
  /** Base name of the file. */
  readonly file: string;
  /** As the file says: `GeoLite2-City`. */
  readonly type: string;
  /** Seconds since 1970 at which the database was built. */
  readonly builtAt: number;
  /** Values: numbers of records from 1 on, 0 where the database says nothing. */
  readonly v4: RangeTable;
  readonly v6: RangeTable;
}

/** The same with all of its records, number 1 first. */
export interface Database extends ScannedDatabase {
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
  const records: RecordFacts[] = [];
  const scanned = scanDatabase(file, bytes, (record) => records.push(read(record)));
  return typeof scanned === 'string' ? scanned : { ...scanned, records };
}

/**
 * As `readDatabase`, without holding all records, of which a city database has half a million.
 * @param each is given one record after another, number 1 first; what is wrong may show only after some of them
 */
export function scanDatabase(file: string, bytes: Buffer, each: (record: MmdbValue) => void): ScannedDatabase | string {
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
    const data = new MmdbData(bytes, dataStart, marker);
    for (let i = 0; i < tree.records; i++) {
      const offset = tree.pointer(i) - nodeCount - SEPARATOR_BYTES;
      if (offset < 0 || dataStart + offset >= marker) throw new MmdbFormatError('the tree points out of the data');
      each(data.decode(offset));
    }
    const builtAt = Math.floor(metadata.buildEpoch.getTime() / 1000);
    return {
      file,
      type: String(metadata.databaseType),
      builtAt: Number.isFinite(builtAt) ? builtAt : 0,
      v4,
      v6,
    };
  } catch (error) {
    // The reader's own mistakes over garbage (types, ranges, its call stack) mean the same to the operator as ours.
    return `it is damaged: ${error instanceof Error ? error.message : String(error)}`;
  }
}
