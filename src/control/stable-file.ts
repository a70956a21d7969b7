// Writes files so that a crash at any moment leaves the old or the new content, never a mixture.
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes aside, fsyncs, renames. Makes the folder. Throws what the file system throws; the old file stands then. */
export function writeStable(file: string, data: Uint8Array | string, mode = 0o644): void {
  mkdirSync(dirname(file), { recursive: true });
  const aside = `${file}.${process.pid}.${counter++}.tmp`;
  const fd = openSync(aside, 'w', mode);
  try {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  renameSync(aside, file);
}

let counter = 0;
