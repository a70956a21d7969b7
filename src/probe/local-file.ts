// Reads the small files that checks name: regular ones only, with a bound, and never so that a hung file system holds more than a few threads.
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isBelow } from '../base/below.ts';
import { limits } from '../base/limits.ts';

/** The first `most` bytes of a regular file. Rejects for anything else: without O_NONBLOCK a named pipe would hold a thread for good. */
export async function readLocalFile(path: string, most: number): Promise<Buffer> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw new Error('not a regular file');
    const buffer = Buffer.alloc(most);
    const { bytesRead } = await handle.read(buffer, 0, most, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** A file that lies, links followed, in none of the folders that settings name. */
export class OutsideError extends Error {}

/** Reads files below certain folders. At most a few at once: each holds a thread of the process, until a hung file system answers. */
export class ConfinedFiles {
  #free: number = limits.fileLooks;
  readonly #waiting: (() => void)[] = [];

  /** As `readLocalFile`; OutsideError where the file is not below a folder. Who is aborted while waiting for a turn never gets one. */
  async read(path: string, folders: readonly string[], most: number, signal: AbortSignal): Promise<Buffer> {
    if (this.#free === 0) await this.#turn(signal);
    else this.#free--;
    try {
      // By its name first: whether other files exist is no business of a check.
      if (!folders.some((folder) => isBelow(resolve(path), folder))) throw new OutsideError();
      const real = await realpath(path);
      if (!(await isReallyBelow(real, folders))) throw new OutsideError();
      return await readLocalFile(real, most);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        const at = this.#waiting.indexOf(go);
        if (at >= 0) this.#waiting.splice(at, 1);
      };
      this.#waiting.push(go);
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
    });
  }
}

async function isReallyBelow(real: string, folders: readonly string[]): Promise<boolean> {
  for (const folder of folders) {
    const root = await realpath(folder).catch(() => null);
    if (root !== null && isBelow(real, root)) return true;
  }
  return false;
}
