// Writes files so that a crash at any moment leaves the old or the new content, never a mixture.
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What is kept is for the server's user and its group: zone images hold the headers of checks, which may be secrets. */
export const STATE_MODE = 0o640;
const FOLDER_MODE = 0o750;

export interface StableOptions {
  /** Permissions of the file; STATE_MODE unless told. */
  readonly mode?: number;
  /** Who shall own it; absent: who runs this. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * Writes aside, syncs, renames, syncs the folder. Makes the folder. Throws what the file system throws; the old file stands then.
 */
export function writeStable(
  file: string,
  data: Uint8Array | string,
  { mode = STATE_MODE, owner }: StableOptions = {},
): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  const aside = nameAside(file);
  try {
    rmSync(aside, { force: true });
    const fd = openSync(aside, 'wx', mode);
    try {
      const bytes = typeof data === 'string' ? Buffer.from(data) : data;
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (owner !== undefined) chownSync(aside, owner.uid, owner.gid);
    renameSync(aside, file);
  } catch (error) {
    try {
      rmSync(aside, { force: true });
    } catch {
      // A file system that can't be written: what went wrong first is what counts.
    }
    throw error;
  }
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The same without keeping the thread waiting for the disk: for what is large or written often. */
export async function storeStable(
  file: string,
  data: Uint8Array | string,
  { mode = STATE_MODE }: StableOptions = {},
): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const aside = nameAside(file);
  try {
    await rm(aside, { force: true });
    const handle = await open(aside, 'wx', mode);
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(aside, file);
  } catch (error) {
    // It may be the removal that hangs or fails next; what went wrong first is what counts.
    await rm(aside, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(folder);
}

/** Removes a file so that it stays removed. Rejects with the file system's error; a file that isn't there is fine. */
export async function removeStable(file: string): Promise<void> {
  await rm(file, { force: true });
  await syncFolder(dirname(file)).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A name that no other process or call uses; after a restart with the same process number, as in containers, what a killed one left is reused. */
function nameAside(file: string): string {
  return `${file}.${process.pid}.${counter++}.tmp`;
}

/** Whether the file system says that there is no such file, or that a folder above it is none. */
export function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Takes others the rights to a file that is to have at most these, where that is allowed. */
export function tighten(file: string, mode: number): void {
  try {
    const stats = statSync(file);
    if (stats.isFile() && (stats.mode & 0o777 & ~mode) !== 0) chmodSync(file, stats.mode & mode);
  } catch {
    // Somebody else's file, or a file system that can't be written.
  }
}

const ASIDE = /\.(\d+)\.\d+\.tmp$/;

/**
 * Removes what writers left in a folder when they were killed. A folder that can't be read or written has none.
 * @param alone no other process writes there now; else only what processes left that have ended
 */
export function removeLeftovers(folder: string, alone: boolean): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) {
    const pid = ASIDE.exec(name)?.[1];
    if (pid === undefined || (!alone && Number(pid) !== process.pid && runs(Number(pid)))) continue;
    try {
      rmSync(join(folder, name), { force: true });
    } catch {
      // It stays until it can be removed.
    }
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

let counter = 0;
