// The query log in a file that is rotated by its size, or in a named pipe or a device.
//
// Writes wait for the disk, which is why this has a thread of its own: one that hangs holds up nothing else.
import { closeSync, constants, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { Backoff } from './backoff.ts';
import type { Format } from './format.ts';
import type { Output, OutputNews } from './output.ts';

export interface FileOutputOptions {
  readonly path: string;
  readonly rotateBytes: number;
  /** Files that are kept beside the current one: PATH.1, the youngest, to PATH.n. */
  readonly keep: number;
  readonly format: Pick<Format, 'begin' | 'end'>;
  readonly news: OutputNews;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** A pipe without a reader is an error, one that is full isn't waited for; neither concerns files. */
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOCTTY;
/** Who was asked what is for the server's own group alone. */
const MODE = 0o640;

export class FileOutput implements Output {
  readonly #options: FileOutputOptions;
  readonly #backoff: Backoff;
  #fd = -1;
  #isFile = false;
  /** Bytes in the file. */
  #size = 0;
  /** What must be written before the records: the format's beginning. */
  #before: Uint8Array = new Uint8Array(0);
  #waiting: Uint8Array = new Uint8Array(0);
  #records = 0;
  /** Bytes of `#waiting` that are written. */
  #done = 0;

  constructor(options: FileOutputOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.clock);
  }

  get ready(): boolean {
    return this.#fd >= 0 && this.#records === 0;
  }

  write(bytes: Uint8Array, records: number): void {
    this.#waiting = bytes;
    this.#records = records;
    this.#done = 0;
    this.turn();
  }

  turn(): void {
    if (!this.#backoff.over) return;
    try {
      if (this.#fd < 0) this.#open();
      if (this.#isFull) this.#rotate();
      this.#flush();
      this.#backoff.succeeded();
      this.#options.news.trouble(null);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // A pipe that is full: its reader may come back.
      if (code === 'EAGAIN') return;
      this.#backoff.failed();
      // What open(2) says of a named pipe without a reader isn't what people understand.
      this.#options.news.trouble(code === 'ENXIO' ? 'nobody reads the pipe' : message);
      if (!this.#isFile) this.#close();
    }
  }

  reopen(): void {
    if (!this.#isFile) return;
    // Half of what is left in the old file would be no use in the new one.
    this.#end();
    this.#done = 0;
    this.turn();
  }

  async close(): Promise<void> {
    if (this.#records > 0) this.turn();
    if (this.#records > 0) this.#options.news.dropped(this.#records);
    this.#end();
  }

  /** Whether what waits, all of it, belongs into a new file. */
  get #isFull(): boolean {
    const { rotateBytes } = this.#options;
    return this.#isFile && this.#done === 0 && this.#size > 0 && this.#size + this.#waiting.length > rotateBytes;
  }

  #open(): void {
    const { path, format } = this.#options;
    this.#fd = openSync(path, FLAGS, MODE);
    const stat = fstatSync(this.#fd);
    this.#isFile = stat.isFile();
    this.#size = stat.size;
    this.#done = 0;
    this.#before = format.begin;
    // A file of such a form has one beginning: what an earlier run left is put aside.
    if (this.#isFile && this.#size > 0 && format.begin.length > 0) this.#rotate();
  }

  #rotate(): void {
    const { path, keep } = this.#options;
    this.#end();
    for (let i = keep; i > 1; i--) moveIfThere(`${path}.${i - 1}`, `${path}.${i}`);
    if (keep > 0) moveIfThere(path, `${path}.1`);
    else rmSync(path, { force: true });
    this.#open();
  }

  /** Writes what waits. Throws where it can't. */
  #flush(): void {
    while (this.#before.length > 0) {
      const count = writeSync(this.#fd, this.#before);
      this.#size += count;
      this.#before = this.#before.subarray(count);
    }
    while (this.#done < this.#waiting.length) {
      const count = writeSync(this.#fd, this.#waiting, this.#done);
      this.#size += count;
      this.#done += count;
    }
    if (this.#records === 0) return;
    const records = this.#records;
    this.#records = 0;
    this.#waiting = new Uint8Array(0);
    this.#done = 0;
    this.#options.news.written(records);
  }

  /** Ends the file properly, if it was begun and the last record in it is whole. */
  #end(): void {
    const { format } = this.#options;
    if (this.#fd >= 0 && this.#before.length === 0 && this.#done === 0 && format.end.length > 0) {
      try {
        writeSync(this.#fd, format.end);
      } catch {
        // It is complete without.
      }
    }
    this.#close();
  }

  #close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
