// SOA serials that only grow, across edits and restarts.
import { z } from 'zod';
import { joinEntries, nameFew, parseDamaged, sortEntries } from '../base/state-entries.ts';
import { StateFile } from '../base/state-file.ts';
import type { Storage } from '../base/storage.ts';

interface Assigned {
  readonly serial: number;
  /** Key of the source that it stands for. */
  readonly key: string;
}

const SavedSerial = z.looseObject({ serial: z.number().int().min(0).max(0xffff_ffff), key: z.string() });

export class Serials {
  readonly #file: StateFile<void> | null;
  readonly #assigned = new Map<string, Assigned>();
  /** Entries of the file that this version can't read. */
  #unknown = new Map<string, unknown>();
  #dirty = false;

  /** Nothing is read before `load`. Without a file nothing is kept. */
  constructor(kept: { file: string; storage: Storage } | null) {
    this.#file =
      kept === null
        ? null
        : new StateFile({ ...kept, read: (...args) => this.#read(...args), write: () => this.#text() });
  }

  /** Takes up what was assigned in earlier runs. A zone without a serial starts from the clock, which is what they grew with. */
  load(): void {
    this.#file?.load();
  }

  /**
   * The serial of a zone's version: the file's own, else max(last + 1, Unix time of the change).
   * @param key of the version's source: the same source keeps its serial
   */
  assign(zone: string, key: string, given: number | null, nowSeconds: number): number {
    const last = this.#assigned.get(zone);
    if (last?.key === key && given === null) return last.serial;
    const serial = given ?? Math.max((last?.serial ?? 0) + 1, nowSeconds) >>> 0;
    if (last?.serial === serial && last.key === key) return serial;
    this.#assigned.set(zone, { serial, key });
    this.#unknown.delete(zone);
    this.#dirty = true;
    return serial;
  }

  /** Stores what was assigned since the last time. Resolves when it is on disk, or when that can't be waited for. */
  async save(): Promise<void> {
    if (!this.#dirty || this.#file === null) return;
    this.#dirty = false;
    await this.#file.store();
  }

  async stop(): Promise<void> {
    await this.#file?.close();
  }

  #read(text: string, damage: (reason: string, aside: boolean) => void): void {
    const { value, whole } = parseDamaged(text);
    const { known, unknown } = sortEntries(value, SavedSerial);
    for (const [zone, assigned] of known) this.#assigned.set(zone, assigned);
    this.#unknown = unknown;
    if (!whole) damage(`it is damaged; the serials of its first ${known.size} zones are known`, true);
    if (unknown.size > 0) damage(`serials that cannot be read start from the clock: ${nameFew(unknown.keys())}`, false);
  }

  #text(): string {
    return `${JSON.stringify(joinEntries(this.#assigned, this.#unknown))}\n`;
  }
}
