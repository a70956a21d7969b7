// What is remembered of each database between updates: its version at the publisher, and how the last tries went.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { storeStable } from '../base/stable-file.ts';

const PART = z.object({
  url: z.string(),
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  checksum: z.string().nullable(),
});

const ENTRY = z.object({
  /** The version that was fetched last, whether it is still in place or not. */
  parts: z.array(PART),
  /** Milliseconds since 1970; null: never. */
  triedAtMs: z.number(),
  goodAtMs: z.number().nullable(),
  installedAtMs: z.number().nullable(),
  /** Failures since the last good try, and what the last one said; null: it was good. */
  failures: z.number().int(),
  error: z.string().nullable(),
  /** The publisher wants no request before. */
  notBeforeMs: z.number().nullable(),
});

const HISTORY = z.object({ format: z.literal('meridian-geoip-update/1'), databases: z.record(z.string(), ENTRY) });

export type PartVersion = z.infer<typeof PART>;
export type Entry = z.infer<typeof ENTRY>;
/** By base name of the database. */
export type History = Readonly<Record<string, Entry>>;

export const NEVER: Entry = {
  parts: [],
  triedAtMs: 0,
  goodAtMs: null,
  installedAtMs: null,
  failures: 0,
  error: null,
  notBeforeMs: null,
};

/** A file that isn't there or is damaged is as good as none: the next update fetches what it would have known. */
export function readHistory(file: string): History {
  try {
    return HISTORY.parse(JSON.parse(readFileSync(file, 'utf8'))).databases;
  } catch {
    return {};
  }
}

/** Rejects with the file system's error. */
export async function storeHistory(file: string, databases: History): Promise<void> {
  await storeStable(file, `${JSON.stringify({ format: 'meridian-geoip-update/1', databases }, null, 2)}\n`);
}
