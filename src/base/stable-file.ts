// Writes files so that a crash at any moment leaves the old or the new content, never a mixture.
import { chownSync, closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface StableOptions {
  /** Permissions of the file; 0o644 unless told. */
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
  { mode = 0o644, owner }: StableOptions = {},
): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
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
    rmSync(aside, { force: true });
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
  { mode = 0o644 }: StableOptions = {},
): Promise<void> {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
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
    await rm(aside, { force: true });
    throw error;
  }
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

let counter = 0;
