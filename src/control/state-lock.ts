// The lock on the state folder: the kernel holds it for the process and lets go when that ends, however it ends.
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isMissing, STATE_MODE } from '../base/stable-file.ts';
import type { Kept } from '../base/storage.ts';
import type { Ffi } from '../serve/ffi.ts';

/** sys/file.h */
const LOCK_EX = 2;
const LOCK_NB = 4;
/** errno.h of Linux. */
const EINTR = 4;
const EBADF = 9;
const EWOULDBLOCK = 11;

/** The process number is written over the last one in place: that needs no room on a full disk. */
const PID_CHARACTERS = 20;

export type Taken =
  | { readonly state: 'locked' }
  | { readonly state: 'busy'; readonly pid: number | null }
  /** Read-only, without permission, or on a file system or platform without locks. */
  | { readonly state: 'unlockable'; readonly reason: string };

export class StateLock implements Kept {
  readonly file: string;
  readonly #ffi: Pick<Ffi, 'flock' | 'errno'> | null;
  /** Open for as long as the lock is held. */
  #fd: number | null = null;

  /** @param ffi null: no locks on this platform */
  constructor(file: string, ffi: Pick<Ffi, 'flock' | 'errno'> | null) {
    this.file = file;
    this.#ffi = ffi;
  }

  /** Tries once. */
  take(): Taken {
    if (this.#ffi === null) return { state: 'unlockable', reason: 'no locks on this platform' };
    // Open for reading alone: a file that is open for writing would keep the disk from being made read-only.
    const taken = this.#try(this.#ffi, constants.O_RDONLY);
    // NFS makes it a lock of another kind, which needs the right to write.
    return taken === EBADF ? (this.#try(this.#ffi, constants.O_RDWR) as Taken) : taken;
  }

  #try(ffi: Pick<Ffi, 'flock' | 'errno'>, how: number): Taken | typeof EBADF {
    let fd: number;
    try {
      fd = openSync(this.file, how | constants.O_CREAT | constants.O_NONBLOCK, STATE_MODE);
    } catch (error) {
      return { state: 'unlockable', reason: (error as Error).message };
    }
    let errno = 0;
    do errno = ffi.flock(fd, LOCK_EX | LOCK_NB) === 0 ? 0 : ffi.errno();
    while (errno === EINTR);
    if (errno !== 0) {
      const pid = errno === EWOULDBLOCK ? readPid(fd) : null;
      closeSync(fd);
      if (errno === EWOULDBLOCK) return { state: 'busy', pid };
      return errno === EBADF && how === constants.O_RDONLY
        ? EBADF
        : { state: 'unlockable', reason: `flock: errno ${errno}` };
    }
    this.release();
    this.#fd = fd;
    this.#writePid();
    return { state: 'locked' };
  }

  #writePid(): void {
    try {
      const fd = openSync(this.file, constants.O_WRONLY);
      try {
        writeSync(fd, `${String(process.pid).padEnd(PID_CHARACTERS)}\n`, 0);
      } finally {
        closeSync(fd);
      }
    } catch {
      // Held all the same: a second server only can't say by whom.
    }
  }

  /** Takes the lock of a folder that came in place of the locked one. */
  async store(): Promise<void> {
    this.take();
  }

  /** Whether the path names another file now, or none. */
  async isLost(): Promise<boolean> {
    const fd = this.#fd;
    if (fd === null) return false;
    return stat(this.file).then(({ ino }) => ino !== fstatSync(fd).ino, isMissing);
  }

  release(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}

function readPid(fd: number): number | null {
  const bytes = Buffer.alloc(PID_CHARACTERS);
  const length = readSync(fd, bytes, 0, PID_CHARACTERS, 0);
  const pid = Number(bytes.toString('latin1', 0, length).trim());
  return Number.isInteger(pid) && pid > 0 ? pid : null;
}
