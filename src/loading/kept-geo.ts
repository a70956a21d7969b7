// Whether geography is in state/ as it is served: it is made and stored again when the disk takes it.
import { stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { limits } from '../base/limits.ts';
import type { Kept, Storage } from '../base/storage.ts';

export class KeptGeo implements Kept {
  readonly file: string;
  /** Builds it again, which stores it; whoever owns the builds sets it. */
  retry: () => void = () => {};
  readonly #storage: Storage;
  /** Bytes that there must be room for. */
  #bytes = 0;
  #kept = false;
  /** Building costs seconds: after each try in vain the pause is doubled. */
  #pauseMs: number = limits.stateLookMs;
  #nextMs = 0;

  constructor(stateDirectory: string, storage: Storage) {
    this.file = join(stateDirectory, 'geo.image');
    this.#storage = storage;
    storage.add(this);
  }

  /** What became of storing an image of so many bytes; `problem` null: it is there. */
  note(problem: string | null, bytes: number): void {
    this.#bytes = bytes;
    if (problem !== null) {
      this.#nextMs = this.#storage.clock.monotonicMs() + this.#pauseMs;
      this.#pauseMs = Math.min(2 * this.#pauseMs, limits.geoKeepMs);
      this.#storage.failed(this, new Error(problem));
      return;
    }
    this.#pauseMs = limits.stateLookMs;
    this.#storage.stored(this);
    void this.#exists().then((exists) => {
      this.#kept = exists;
    });
  }

  async store(): Promise<void> {
    if (this.#storage.clock.monotonicMs() < this.#nextMs || !(await this.#hasRoom())) return;
    this.retry();
  }

  async isLost(): Promise<boolean> {
    return this.#kept && !(await this.#exists());
  }

  #exists(): Promise<boolean> {
    return stat(this.file).then(
      () => true,
      () => false,
    );
  }

  async #hasRoom(): Promise<boolean> {
    try {
      const { bavail, bsize } = await statfs(dirname(this.file));
      return bavail * bsize > this.#bytes;
    } catch {
      // The folder is gone: it is made with the file.
      return true;
    }
  }
}
