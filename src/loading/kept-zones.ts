// Which zones' images aren't in state/ as they are served: they are made and stored again when the disk takes them.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../base/stable-file.ts';
import type { Kept, Storage } from '../base/storage.ts';

export class KeptZones implements Kept {
  readonly file: string;
  /** Loads again, so that what `due` names is stored; whoever owns the loads sets it. */
  retry: () => Promise<unknown> = async () => {};
  readonly #storage: Storage;
  readonly #unsaved = new Map<string, string>();
  /** Zones whose images are on disk, as far as known. */
  readonly #saved = new Set<string>();
  #due: ReadonlySet<string> = new Set();

  constructor(stateDirectory: string, storage: Storage) {
    this.file = join(stateDirectory, 'zones');
    this.#storage = storage;
    storage.add(this);
  }

  /** What became of storing a zone's image; `problem` null: it is there. */
  note(zone: string, problem: string | null): void {
    if (problem === null) {
      this.#unsaved.delete(zone);
      this.#saved.add(zone);
    } else {
      this.#unsaved.set(zone, problem);
      this.#saved.delete(zone);
    }
  }

  /** A zone is served no more. */
  forget(zone: string): void {
    this.#unsaved.delete(zone);
    this.#saved.delete(zone);
  }

  /** After a load: tells the storage how it stands. */
  tell(): void {
    const [first] = this.#unsaved;
    if (first === undefined) this.#storage.stored(this);
    else this.#storage.failed(this, new Error(this.#text(...first)));
  }

  #text(zone: string, problem: string): string {
    const others = this.#unsaved.size - 1;
    return `${zone}${others === 0 ? '' : ` and ${others} more`}: ${problem}`;
  }

  /** Zones to be stored by the load that begins, though their files are as they were. For once. */
  takeDue(): ReadonlySet<string> {
    const due = this.#due;
    this.#due = new Set();
    return due;
  }

  async store(): Promise<void> {
    this.#due = new Set(this.#unsaved.keys());
    // A load that fails says so in the log, and the next look asks again.
    await this.retry().catch(() => {});
  }

  async isLost(): Promise<boolean> {
    if (this.#saved.size === 0) return false;
    const gone = await stat(this.file).then(() => false, isMissing);
    if (gone) for (const zone of [...this.#saved]) this.note(zone, 'the folder is gone');
    return gone;
  }
}
