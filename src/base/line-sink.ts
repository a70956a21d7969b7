// Writes lines to a descriptor that may be slow, full or dead, without ever waiting for it: what finds no room is dropped and counted.
import { closeSync, constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { limits } from './limits.ts';

/** Takes bytes away. Calls back, now or later, with how many it took; all that is left of them is offered again, in order. */
interface Medium {
  write(bytes: Buffer, taken: (count: number, error: Error | null) => void): void;
}

/** Lines for standard output or standard error of a program that must go on whatever becomes of them. */
export class LineSink {
  readonly #medium: Medium;
  readonly #notice: (dropped: number) => string;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #writing = false;
  #retry: NodeJS.Timeout | null = null;
  #dropped = 0;
  /** Drops that no line has told of yet. */
  #untold = 0;
  #idleWaiters: (() => void)[] = [];

  /**
   * @param fd 1 or 2
   * @param notice the line that says how many were dropped, written when lines pass again
   */
  constructor(fd: number, notice: (dropped: number) => string = () => '') {
    this.#medium = mediumOf(fd);
    this.#notice = notice;
  }

  /** Lines that nobody will read. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes one line, its end included. Never waits, never throws. */
  write(line: string): void {
    if (this.#queuedBytes + line.length > limits.logQueueBytes) {
      this.#drop(1);
      return;
    }
    this.#add(line);
    this.#turn();
  }

  /** Resolves when everything is written or dropped, after `limits.logFlushMs` at the latest. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#queue.length === 0) return resolve();
      const late = setTimeout(resolve, limits.logFlushMs);
      this.#idleWaiters.push(() => {
        clearTimeout(late);
        resolve();
      });
    });
  }

  #add(line: string): void {
    const bytes = Buffer.from(line);
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
  }

  #drop(lines: number): void {
    this.#dropped += lines;
    this.#untold += lines;
  }

  /** Offers what waits, unless a write is under way or the reader has just had no room. */
  #turn(): void {
    while (!this.#writing && this.#retry === null && this.#queue.length > 0) {
      const batch = this.#batch();
      this.#writing = true;
      this.#medium.write(batch, (count, error) => {
        this.#writing = false;
        this.#taken(count, error);
      });
      // Written already: on with the rest. Else the callback goes on.
      if (this.#writing) return;
    }
  }

  /** What one write takes: the first lines, whole ones where they fit. */
  #batch(): Buffer {
    if (this.#queue.length === 1 || this.#queue[0]!.length >= limits.logWriteBytes) return this.#queue[0]!;
    const lines: Buffer[] = [];
    let bytes = 0;
    for (const line of this.#queue) {
      if (bytes + line.length > limits.logWriteBytes) break;
      lines.push(line);
      bytes += line.length;
    }
    this.#queue.splice(0, lines.length, Buffer.concat(lines));
    return this.#queue[0]!;
  }

  #taken(count: number, error: Error | null): void {
    const first = this.#queue[0]!;
    if (error !== null) {
      // A full disk, a reader that is gone: this much is lost, and the next line is tried again.
      this.#queue.shift();
      this.#queuedBytes -= first.length;
      this.#drop(lineEnds(first));
    } else {
      this.#queuedBytes -= count;
      if (count === first.length) this.#queue.shift();
      else {
        this.#queue[0] = first.subarray(count);
        if (count === 0) this.#waitForRoom();
      }
      if (this.#untold > 0 && this.#queuedBytes === 0) {
        const line = this.#notice(this.#untold);
        this.#untold = 0;
        if (line !== '') this.#add(line);
      }
    }
    if (this.#queue.length === 0) {
      for (const resolve of this.#idleWaiters.splice(0)) resolve();
    } else this.#turn();
  }

  #waitForRoom(): void {
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#turn();
    }, limits.logRetryMs);
    // A reader that never comes back must not hold the program's end.
    this.#retry.unref();
  }
}

function lineEnds(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}

/** How this descriptor can be written without waiting. */
function mediumOf(fd: number): Medium {
  const stat = statOf(fd);
  if (stat === null) return CLOSED;
  // What journald and containers give; a socket can't be opened a second time.
  if (stat.isSocket()) return socketMedium(fd);
  if (stat.isFile()) return fileMedium(fd);
  try {
    // A description of our own: O_NONBLOCK on the one that was inherited would hold for the shell and everybody else who writes there.
    const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    return nonBlockingMedium(own);
  } catch {
    // No /proc, or a pipe of another user.
    return fileMedium(fd);
  }
}

function statOf(fd: number): ReturnType<typeof fstatSync> | null {
  try {
    return fstatSync(fd);
  } catch {
    return null;
  }
}

const CLOSED: Medium = { write: (_bytes, taken) => taken(0, new Error('closed')) };

/** A pipe or a terminal: a write returns at once, with what there was room for. */
function nonBlockingMedium(fd: number): Medium {
  process.once('exit', () => closeSync(fd));
  return {
    write: (bytes, taken) => {
      try {
        taken(writeSync(fd, bytes), null);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') taken(0, null);
        else taken(0, error as Error);
      }
    },
  };
}

/** A file: written by a thread of libuv's, one write at a time. */
function fileMedium(fd: number): Medium {
  return { write: (bytes, taken) => write(fd, bytes, (error, count) => taken(error ? 0 : count, error)) };
}

function socketMedium(fd: number): Medium {
  const socket = new Socket({ fd, readable: false, writable: true });
  let failed: Error | null = null;
  socket.on('error', (error) => {
    failed = error;
  });
  socket.unref();
  return {
    write: (bytes, taken) => {
      if (failed !== null || socket.destroyed) taken(0, failed ?? new Error('closed'));
      else socket.write(bytes, (error) => taken(error ? 0 : bytes.length, error ?? null));
    },
  };
}
