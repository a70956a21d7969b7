// Reads a whole file that somebody else may have put there: a regular one, no larger than it may be, without waiting for a writer.
import { closeSync, constants, fchmodSync, fstatSync, openSync, readSync } from 'node:fs';

/**
 * The file's bytes. Throws what the file system throws (ENOENT, EACCES), and an Error in words for what is no regular file or too large.
 * @param loosest permissions that it may have; looser ones are tightened where that is allowed
 */
export function readBounded(file: string, maxBytes: number, loosest = 0o777): Buffer {
  // O_NONBLOCK: a FIFO would hold the thread until somebody writes.
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error(stat.isDirectory() ? 'it is a folder' : 'it is no regular file');
    if (stat.size > maxBytes) throw new Error(`it has ${stat.size} bytes, more than ${maxBytes}`);
    if ((stat.mode & 0o777 & ~loosest) !== 0) tighten(fd, stat.mode & loosest);
    const bytes = Buffer.allocUnsafe(stat.size);
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(fd, bytes, length, bytes.length - length, length);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

function tighten(fd: number, mode: number): void {
  try {
    fchmodSync(fd, mode);
  } catch {
    // Somebody else's file, or a file system that can't be written.
  }
}
