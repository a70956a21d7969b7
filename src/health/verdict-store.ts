// Keeps the verdicts on disk: soon after each change, but not more often than once a second, and now and then without one.
import { limits } from '../base/limits.ts';
import { StateFile } from '../base/state-file.ts';
import type { Storage } from '../base/storage.ts';
import { readSaved, type Saved, type Unread, writeSaved } from './saved.ts';

export interface VerdictStoreOptions {
  readonly file: string;
  readonly storage: Storage;
  /** What is to be written, as it is now; null: nothing is known yet, leave the file as it is. */
  readonly snapshot: () => Saved | null;
}

/** The writer of the verdicts' file; trouble is the storage's, never thrown. */
export class VerdictStore {
  readonly #file: StateFile<Saved>;
  #unread: Unread = { held: new Map(), leaves: new Map() };

  constructor({ file, storage, snapshot }: VerdictStoreOptions) {
    this.#file = new StateFile({
      file,
      storage,
      everyMs: limits.verdictsSoonestMs,
      read: (text, damage) => {
        const { saved, unread } = readSaved(text, damage);
        this.#unread = unread;
        return saved;
      },
      write: () => {
        const saved = snapshot();
        if (saved === null) return undefined;
        this.#file.soon(limits.verdictsLatestMs);
        return writeSaved(saved, this.#unread);
      },
    });
  }

  /** What was saved; null when there is nothing of use. */
  load(): Saved | null {
    return this.#file.load();
  }

  /** Something changed: write as soon as may be. */
  soon(): void {
    this.#file.soon();
  }

  /** Writes now; resolves when it is on disk (or has failed). */
  async write(): Promise<void> {
    await this.#file.store();
  }

  /** Writes for the last time. */
  stop(): Promise<void> {
    this.#file.soon();
    return this.#file.close();
  }
}

/** What a file holds, for who doesn't write it; null when there is nothing of use. */
export function loadSaved(file: string, storage: Storage): Saved | null {
  const read: StateFile<Saved> = new StateFile({
    file,
    storage,
    read: (text, damage) => readSaved(text, damage).saved,
    write: () => undefined,
  });
  return read.load();
}
