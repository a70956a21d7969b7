// What lies in the zones folder: which files, and whether they changed since they were last looked at.
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { limits } from '../base/limits.ts';
import { FileError, type FileLane, kindOf } from '../base/read-file.ts';
import type { Unread } from '../geo/folder.ts';
import { COMMON_FILE, zoneOfFile } from '../zonefile/zone-file-name.ts';
import { possibleFolders, unreadFiles, unreadFolder } from './unread-zones.ts';

/**
 * Inode, size, time of the last change (enough to see an edit, a rename over it, a copy, or a right to read it), and time of the last modification
 * (of the serial).
 */
export type Signature = string;

export interface ZoneFile {
  readonly file: string;
  readonly signature: Signature;
  /** Why it can't be read, as far as a look tells; null: nothing is known against it. */
  readonly problem: string | null;
}

/** `_common.yaml`: its text, or why it can't be read. */
export interface CommonFile {
  readonly file: string;
  readonly text: string | null;
  readonly problem: string | null;
}

export interface FolderContent {
  /** By zone name; `.` for root.yaml. At most as many as asked for. */
  readonly zones: ReadonlyMap<string, ZoneFile>;
  /** Files beyond that, which are left out. */
  readonly leftOut: readonly string[];
  readonly common: CommonFile | null;
  /** What looks meant to be read, and isn't. */
  readonly unread: readonly Unread[];
}

/** A signature that nothing has: what has it is looked at again each time. */
export const NO_SIGNATURE: Signature = '';

/** The signature of what a look found. Stats in milliseconds have fractions that tell microseconds apart. */
export function signatureOf(stats: Stats): Signature {
  return `${stats.ino}:${stats.size}:${stats.ctimeMs}:${stats.mtimeMs}`;
}

/**
 * Reads the folder; a file in it that can't be looked at has a problem. Throws what the file system throws, and FileError, when the folder
 * itself can't be read.
 * @param served zones that are served: of too many files theirs come first
 * @param most zones at most
 */
export async function readFolder(
  lane: FileLane,
  directory: string,
  served: ReadonlyMap<string, unknown>,
  most: number = limits.zones,
): Promise<FolderContent> {
  const names = await lane.list(directory);
  const wanted: { readonly zone: string; readonly file: string }[] = [];
  for (const name of names) {
    const zone = zoneOfFile(name);
    if (zone !== null) wanted.push({ zone, file: join(directory, name) });
  }
  const zones = new Map<string, ZoneFile>();
  const leftOut: string[] = [];
  if (wanted.length > most) wanted.sort((a, b) => Number(served.has(b.zone)) - Number(served.has(a.zone)));
  // A few at once keep the threads that look busy; the order decides which of two files of one zone counts.
  for (let at = 0; at < wanted.length; at += limits.fileLooksAtOnce) {
    const part = wanted.slice(at, at + limits.fileLooksAtOnce);
    const found = await Promise.all(part.map(({ file }) => lookAt(lane, file)));
    part.forEach(({ zone, file }, i) => {
      if (found[i] === null || zones.has(zone)) return;
      if (zones.size < most) zones.set(zone, found[i]!);
      else leftOut.push(file);
    });
  }
  const common = names.includes(COMMON_FILE) ? await readCommonFile(lane, directory) : null;
  const unread = [...unreadFiles(directory, names), ...(await findUnreadFolders(lane, directory, names))];
  return { zones, leftOut, common, unread };
}

/** Folders with zone files in them. What can't be looked at is none. */
async function findUnreadFolders(lane: FileLane, directory: string, names: readonly string[]): Promise<Unread[]> {
  const unread: Unread[] = [];
  for (const name of possibleFolders(names)) {
    try {
      const path = join(directory, name);
      if ((await lane.look(path))?.isDirectory() !== true) continue;
      const found = unreadFolder(directory, name, await lane.list(path));
      if (found !== null) unread.push(found);
    } catch {
      // It may be anything, and whatever it is, it isn't served.
    }
  }
  return unread;
}

/** Null where there is no file (a link that leads nowhere is none). */
async function lookAt(lane: FileLane, file: string): Promise<ZoneFile | null> {
  try {
    const stats = await lane.look(file);
    if (stats === null) return null;
    const problem = stats.isFile() ? null : `it is ${kindOf(stats)}, not a file`;
    return { file, signature: signatureOf(stats), problem };
  } catch (error) {
    return { file, signature: NO_SIGNATURE, problem: (error as Error).message };
  }
}

/** Null when it went away meanwhile. */
async function readCommonFile(lane: FileLane, directory: string): Promise<CommonFile | null> {
  const file = join(directory, COMMON_FILE);
  try {
    return { file, text: await lane.readText(file, limits.yamlFileBytes), problem: null };
  } catch (error) {
    if (error instanceof FileError && error.code === 'ENOENT') return null;
    return { file, text: null, problem: (error as Error).message };
  }
}

/** When the file of a signature was last modified, Unix seconds; copies that keep the time (rsync -t) agree on it. */
export function modifiedSeconds(signature: Signature): number {
  return Math.floor(Number(signature.split(':')[3] ?? '0') / 1000);
}
