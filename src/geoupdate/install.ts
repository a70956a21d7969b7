// Puts a database in its place: written aside, synced, renamed; the one before stays beside it, and at no moment is there none.
import { readdirSync, rmSync } from 'node:fs';
import { copyFile, link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** What the one before is called: no .mmdb, so that it isn't read. */
export function previousOf(file: string): string {
  return `${file}.previous`;
}

/**
 * Replaces the file's content. `keep`: what is there now becomes the one before. Rejects with the file system's error; everything
 * stands as it was then.
 */
export async function install(file: string, bytes: Uint8Array, keep: boolean): Promise<void> {
  const aside = `${file}.${process.pid}.tmp`;
  const old = `${previousOf(file)}.${process.pid}.tmp`;
  try {
    await rm(aside, { force: true });
    const handle = await open(aside, 'wx', 0o644);
    try {
      await handle.writeFile(bytes);
      const owner = await ownerFor(file);
      if (owner !== null) await handle.chown(owner.uid, owner.gid);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (keep) {
      await rm(old, { force: true });
      // A second name for the same file; where the file system knows no such thing, a copy.
      await link(file, old).catch(() => copyFile(file, old));
      await rename(old, previousOf(file));
    }
    await rename(aside, file);
  } catch (error) {
    await Promise.all([rm(aside, { force: true }), rm(old, { force: true })]);
    throw error;
  }
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Removes what updates of this file left behind that were killed. Throws when the folder can't be read. */
export function sweep(file: string): void {
  for (const name of readdirSync(dirname(file))) {
    if (!name.startsWith(`${basename(file)}.`)) continue;
    const [, pid] = /\.(\d+)\.tmp$/.exec(name) ?? [];
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(dirname(file), name), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Run by root for a server that runs as somebody else: the file belongs to whom the old one or the folder belongs to. */
async function ownerFor(file: string): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  return stat(file).catch(() => stat(dirname(file)));
}

/** What stands in a file; null where there is none. Rejects with what else keeps it from being read. */
export async function contentOf(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
