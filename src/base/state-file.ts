// One file of state/: read once at the start, then memory is the truth and the disk follows, soon after each change and as often as it takes.
import { rename, stat } from 'node:fs/promises';
import { limits } from './limits.ts';
import { readTextHere } from './read-file.ts';
import { isMissing, removeStable, STATE_MODE, storeStable, tighten } from './stable-file.ts';
import type { Kept, Storage } from './storage.ts';

export interface StateFileOptions<T> {
  readonly file: string;
  readonly storage: Storage;
  /** Permissions: STATE_MODE unless told. */
  readonly mode?: number;
  /** Bytes that are read at most; limits.stateFileBytes unless told. */
  readonly maxBytes?: number;
  /** Shortest time between two writings that nobody waits for, for what changes often. */
  readonly everyMs?: number;
  /**
   * What the text of the file says. Throws for a text that can't be used at all (a zod schema's `parse` does).
   * `damage` tells of what can't be used in part; `aside`: and won't be written back, so that the file is kept as `NAME.damaged`.
   */
  readonly read: (text: string, damage: (reason: string, aside: boolean) => void) => T;
  /** The file's text as it is to be now; null: there shall be no file; undefined: nothing is known yet, the file stays as it is. */
  readonly write: () => string | null | undefined;
}

/** Nothing of it throws or rejects: trouble goes to the storage, which tells it and tries again. */
export class StateFile<T> implements Kept {
  readonly file: string;
  readonly #options: StateFileOptions<T>;
  /** The last writing, and the one that begins when it has ended: who comes meanwhile shares it. */
  #writing: Promise<boolean> = Promise.resolve(true);
  #queued: Promise<boolean> | null = null;
  #cancel: (() => void) | null = null;
  #dueMs = Number.POSITIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;
  #changed = false;
  #closed = false;
  /** It was on disk when it was last looked at. */
  #there = false;
  /** What lies there can't be read and is moved aside before it would be written over. */
  #foreign = false;

  constructor(options: StateFileOptions<T>) {
    this.file = options.file;
    this.#options = options;
    options.storage.add(this);
  }

  /** What an earlier run left; null: nothing, or nothing of use, which is told. */
  load(): T | null {
    const { file, storage, mode = STATE_MODE, maxBytes = limits.stateFileBytes, read } = this.#options;
    try {
      const text = readTextHere(file, maxBytes);
      if (!storage.readOnly) tighten(file, mode);
      this.#there = true;
      return read(text, (reason, aside) => {
        this.#foreign ||= aside;
        storage.damage(file, reason);
      });
    } catch (error) {
      if (isMissing(error)) return null;
      this.#there = true;
      this.#foreign = true;
      storage.damage(file, `it cannot be read and is ignored: ${oneLine((error as Error).message)}`);
      return null;
    }
  }

  /** Something changed: it is stored within `withinMs`, as soon as may be by default. */
  soon(withinMs = 0): void {
    const { storage, everyMs = 0 } = this.#options;
    this.#changed = true;
    if (this.#closed || storage.readOnly) return;
    const nowMs = storage.clock.monotonicMs();
    const dueMs = Math.max(nowMs + withinMs, this.#lastMs + everyMs);
    if (dueMs >= this.#dueMs) return;
    this.#cancel?.();
    this.#dueMs = dueMs;
    this.#cancel = storage.clock.after(dueMs - nowMs, () => void this.store());
  }

  /** Stores it now. Resolves true when it is on disk, false when it could not be stored or that takes longer than anybody should wait. */
  store(): Promise<boolean> {
    if (this.#options.storage.readOnly) return Promise.resolve(false);
    this.#cancel?.();
    this.#cancel = null;
    this.#dueMs = Number.POSITIVE_INFINITY;
    if (this.#queued === null) {
      this.#queued = this.#writing.then(() => {
        this.#queued = null;
        return this.#write();
      });
      this.#writing = this.#queued;
    }
    return this.#waitFor(this.#queued);
  }

  async isLost(): Promise<boolean> {
    return (
      this.#there &&
      !(await stat(this.file).then(
        () => true,
        (error: unknown) => !isMissing(error),
      ))
    );
  }

  /** Stores what has changed and ends. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    this.#cancel = null;
    if (this.#changed) await this.store();
    else await this.#waitFor(this.#writing);
  }

  async #write(): Promise<boolean> {
    const { file, storage, mode = STATE_MODE, write } = this.#options;
    const cancel = storage.clock.after(limits.stateHungMs, () => {
      storage.failed(this, new Error('the disk does not answer'));
    });
    try {
      const text = write();
      if (text === undefined) return true;
      this.#lastMs = storage.clock.monotonicMs();
      this.#changed = false;
      if (this.#foreign) {
        await rename(file, `${file}.damaged`).catch(ignoreMissing);
        this.#foreign = false;
      }
      if (text === null) await removeStable(file);
      else await storeStable(file, text, { mode });
      this.#there = text !== null;
      storage.stored(this);
      return true;
    } catch (error) {
      this.#changed = true;
      // A folder lies where the file should: the next try moves it aside.
      if ((error as NodeJS.ErrnoException).code === 'EISDIR') this.#foreign = true;
      storage.failed(this, error);
      return false;
    } finally {
      cancel();
    }
  }

  #waitFor(writing: Promise<boolean>): Promise<boolean> {
    const { storage } = this.#options;
    return new Promise((resolve) => {
      // Whoever waits goes on; that it isn't stored is told only when the disk hangs, not when this thread is busy.
      const cancel = storage.clock.after(limits.stateWaitMs, () => resolve(false));
      void writing.then((stored) => {
        cancel();
        resolve(stored);
      });
    });
  }
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}

/** Of a message of many lines (zod's are JSON) a beginning that fits into a log line. */
function oneLine(message: string): string {
  const text = message.replaceAll(/\s+/g, ' ');
  return text.length <= 200 ? text : `${text.slice(0, 200)} ...`;
}
