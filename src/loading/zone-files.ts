// What lies in the zones folder: which files, and whether they changed since they were last looked at.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { zoneOfStem } from '../wire/zone-name.ts';
import type { SourceText } from './build.ts';

export const COMMON_FILE = '_common.yaml';

/** Inode, size and time of the last change: enough to see an edit, a rename over it, a copy, or a right to read it. */
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

/** The signature of a file, or null where there is none (a link that leads nowhere is none). */
export function signatureOf(file: string): Signature | null {
  try {
    const stat = statSync(file, { bigint: true });
    return stat.isFile() ? `${stat.ino}:${stat.size}:${stat.ctimeNs}` : null;
  } catch {
    return null;
  }
}

/** The zone that a file name stands for, or null: `net.cat.yaml` is net.cat, root.yaml the root, `_...` and hidden files none. */
export function zoneOfFile(name: string): string | null {
  if (!name.endsWith('.yaml') || name.startsWith('_') || name.startsWith('.')) return null;
  return zoneOfStem(name.slice(0, -'.yaml'.length));
}

/** Reads the folder. Throws what the file system throws when it can't. */
export function readFolder(directory: string): FolderContent {
  const zones = new Map<string, ZoneFile>();
  let common: SourceText | null = null;
  for (const name of readdirSync(directory).sort()) {
    const file = join(directory, name);
    if (name === COMMON_FILE) {
      common = readCommonFile(file);
      continue;
    }
    const zone = zoneOfFile(name);
    const signature = zone === null ? null : signatureOf(file);
    if (zone !== null && signature !== null) zones.set(zone, { file, signature });
  }
  return { zones, common };
}

/** Null when it went away meanwhile. Throws when it is there and can't be read: every zone may need it. */
function readCommonFile(file: string): SourceText | null {
  try {
    return { file, text: readFileSync(file, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** When the file of a signature was last changed, Unix seconds; copies that keep the time (rsync -t) agree on it. */
export function changedSeconds(signature: Signature): number {
  return Number(BigInt(signature.split(':')[2] ?? '0') / 1_000_000_000n);
}
