// What lies in the zones folder: which files, and whether they changed since they were last looked at.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceText } from './build.ts';

export const COMMON_FILE = '_common.yaml';

/** Inode, size and modification time: enough to see an edit, a rename over it, or a copy. */
export type Signature = string;

export interface ZoneFile {
  readonly file: string;
  readonly signature: Signature;
}

export interface FolderContent {
  /** By zone name; `.` for root.yaml. */
  readonly zones: ReadonlyMap<string, ZoneFile>;
  readonly common: SourceText | null;
}

/** The signature of a file, or null where there is none. */
export function signatureOf(file: string): Signature | null {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat?.isFile() ? `${stat.ino}:${stat.size}:${stat.mtimeNs}` : null;
}

/** The zone that a file name stands for, or null: `net.cat.yaml` is net.cat, root.yaml the root, `_...` and hidden files none. */
export function zoneOfFile(name: string): string | null {
  if (!name.endsWith('.yaml') || name.startsWith('_') || name.startsWith('.')) return null;
  const zone = name.slice(0, -'.yaml'.length).toLowerCase();
  return zone === 'root' ? '.' : zone;
}

/** Reads the folder. Throws what the file system throws when it can't. */
export function readFolder(directory: string): FolderContent {
  const zones = new Map<string, ZoneFile>();
  let common: SourceText | null = null;
  for (const name of readdirSync(directory).sort()) {
    const file = join(directory, name);
    if (name === COMMON_FILE) {
      common = { file, text: readFileSync(file, 'utf8') };
      continue;
    }
    const zone = zoneOfFile(name);
    const signature = zone === null ? null : signatureOf(file);
    if (zone !== null && signature !== null) zones.set(zone, { file, signature });
  }
  return { zones, common };
}
