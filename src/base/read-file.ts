// Looks at and reads the files that operators name: regular files only, of bounded size, and nothing waits for a file system that hangs.
import {
  closeSync,
  constants,
  fstatSync,
  lstat,
  openSync,
  readlink,
  readSync,
  type Stats,
  stat,
  statSync,
} from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Clock, systemClock } from './clock.ts';
import { limits } from './limits.ts';

/** Opening a FIFO waits for a writer, unless told not to; a terminal must not become ours. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** A file that is there but can't be read as one; `code` is the system's, or one of ours: EFTYPE, EFBIG, ETIMEDOUT. */
export class FileError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** What a path is when it is no regular file, in words. */
export function kindOf(stats: Pick<Stats, 'isDirectory' | 'isFIFO' | 'isSocket'>): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

function demandRegular(stats: Stats, maxBytes: number): void {
  if (!stats.isFile()) throw new FileError('EFTYPE', `it is ${kindOf(stats)}, not a file`);
  if (stats.size > maxBytes) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): FileError {
  return new FileError('EFBIG', `it is larger than ${Math.ceil(maxBytes / 1024 / 1024)} MiB`);
}

/**
 * Reads a regular file on the calling thread, which waits as long as the file system does: for commands, and for threads that can be
 * given up. Throws what the file system throws, and FileError.
 */
export function readFileHere(file: string, maxBytes: number = limits.operatorFileBytes): Buffer<ArrayBuffer> {
  // Opening a device can have effects of its own, so it is looked at first; and again, for it may be another file by now.
  demandRegular(statSync(file), maxBytes);
  const fd = openSync(file, OPEN_FLAGS);
  try {
    const stats = fstatSync(fd);
    demandRegular(stats, maxBytes);
    // A byte more than is expected, to see the end: files of /proc say that they are empty, and others grow.
    let bytes = Buffer.allocUnsafeSlow(Math.max(stats.size + 1, 4096));
    let length = 0;
    for (;;) {
      const read = readSync(fd, bytes, length, bytes.length - length, null);
      length += read;
      if (read === 0) return bytes.subarray(0, length);
      if (length > maxBytes) throw tooLarge(maxBytes);
      if (length === bytes.length) bytes = Buffer.concat([bytes], length * 2);
    }
  } finally {
    closeSync(fd);
  }
}

/** Size, time of the last change (ms) and last bytes of a regular file, on the calling thread; throws as `readFileHere` does. */
export function readTailHere(file: string, bytes: number): { size: number; mtimeMs: number; tail: Buffer } {
  demandRegular(statSync(file), Number.MAX_SAFE_INTEGER);
  const fd = openSync(file, OPEN_FLAGS);
  try {
    const stats = fstatSync(fd);
    demandRegular(stats, Number.MAX_SAFE_INTEGER);
    const tail = Buffer.alloc(Math.min(bytes, stats.size));
    readSync(fd, tail, 0, tail.length, stats.size - tail.length);
    return { size: stats.size, mtimeMs: stats.mtimeMs, tail };
  } finally {
    closeSync(fd);
  }
}

/** As `readFileHere`, as text. */
export function readTextHere(file: string, maxBytes?: number): string {
  return readFileHere(file, maxBytes).toString('utf8');
}

/** What a look at a path told; null: nothing is there. */
export type Look = Stats | null;

/**
 * Looks and reads without the calling thread ever waiting: libuv's threads do. A call that takes too long fails with ETIMEDOUT and is
 * left alone; until it comes back, its path fails at once, and so does every link into the folder where it leads to. Two of libuv's four
 * threads at most are ever lost that way.
 */
export class FileLane {
  readonly #clock: Clock;
  #free: number = limits.hungFiles;
  readonly #waiting: (() => void)[] = [];
  /** Paths that hang, and folders into which a link that hangs leads. */
  readonly #hung = new Set<string>();
  /** The last call into each folder that links lead to: one at a time, so that a folder that hangs costs one thread. */
  readonly #linked = new Map<string, Promise<unknown>>();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Whether calls are under way that may never come back: a process with one can't end in the usual way. */
  get busy(): boolean {
    return this.#free < limits.hungFiles;
  }

  /** What is at a path; links are followed. Null: nothing is there. Throws else what the file system throws, and FileError. */
  async look(path: string): Promise<Look> {
    const found = await this.#call(path, path, lstat);
    if (found?.isSymbolicLink() !== true) return found;
    const folder = await this.#leadsTo(path);
    return folder === null ? null : this.#inFolder(folder, () => this.#call(path, folder, stat));
  }

  /** Names in a folder, sorted. */
  async list(folder: string): Promise<string[]> {
    return this.#run(folder, folder, async () => (await readdir(folder)).sort());
  }

  /** A regular file's bytes. */
  async read(file: string, maxBytes: number = limits.operatorFileBytes): Promise<Buffer> {
    const found = await this.look(file);
    if (found === null) throw new FileError('ENOENT', 'it does not exist');
    demandRegular(found, maxBytes);
    const read = async (): Promise<Buffer> => {
      const handle = await open(file, OPEN_FLAGS);
      try {
        demandRegular(await handle.stat(), maxBytes);
        const bytes = await handle.readFile();
        if (bytes.length > maxBytes) throw tooLarge(maxBytes);
        return bytes;
      } finally {
        await handle.close();
      }
    };
    const folder = await this.#leadsTo(file);
    return folder === null ? this.#run(file, file, read) : this.#inFolder(folder, () => this.#run(file, folder, read));
  }

  async readText(file: string, maxBytes?: number): Promise<string> {
    return (await this.read(file, maxBytes)).toString('utf8');
  }

  /** The folder that a link leads to, as far as its own text tells; null for what is no link. */
  #leadsTo(path: string): Promise<string | null> {
    return new Promise((done) =>
      readlink(path, (error, target) => done(error === null ? dirname(resolve(dirname(path), target)) : null)),
    );
  }

  #inFolder<T>(folder: string, call: () => Promise<T>): Promise<T> {
    const before = this.#linked.get(folder) ?? Promise.resolve();
    const mine = before.then(call, call);
    const tail = mine
      .catch(() => {})
      .finally(() => {
        if (this.#linked.get(folder) === tail) this.#linked.delete(folder);
      });
    this.#linked.set(folder, tail);
    return mine;
  }

  #call(
    path: string,
    place: string,
    call: (path: string, done: (error: NodeJS.ErrnoException | null, stats: Stats) => void) => void,
  ): Promise<Look> {
    const begin = (): Promise<Look> =>
      new Promise((done, fail) => {
        call(path, (error, stats) => {
          if (error === null) done(stats);
          else if (error.code === 'ENOENT' || error.code === 'ENOTDIR') done(null);
          else fail(error);
        });
      });
    return this.#run(path, place, begin);
  }

  /** @param place what hangs when the call does: the path, or the folder that it leads to */
  async #run<T>(path: string, place: string, begin: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#hung.has(place)) throw timedOut(path);
      if (this.#free > 0) break;
      if (this.#hung.size >= limits.hungFiles) throw timedOut(path);
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
    this.#free--;
    return new Promise((done, fail) => {
      const cancel = this.#clock.after(limits.fileLookMs, () => {
        this.#hung.add(place);
        this.#wake();
        fail(timedOut(path));
      });
      const end = (): void => {
        cancel();
        this.#hung.delete(place);
        this.#free++;
        this.#wake();
      };
      begin().then(
        (value) => {
          end();
          done(value);
        },
        (error: Error) => {
          end();
          fail(error);
        },
      );
    });
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function timedOut(path: string): FileError {
  return new FileError('ETIMEDOUT', `${path}: the file system does not answer`);
}

/** The one lane of the program: the bound of lost threads is the process's. */
export const fileLane = new FileLane();
