// SOA serials that only grow, across edits and restarts.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeStable } from '../base/stable-file.ts';

interface Assigned {
  readonly serial: number;
  /** Key of the source that it stands for. */
  readonly key: string;
}

const SavedSerials = z.record(z.string(), z.object({ serial: z.number().int().min(0), key: z.string() }));

export class Serials {
  readonly #file: string | null;
  #assigned: Record<string, Assigned> = {};
  #dirty = false;

  constructor(file: string | null) {
    this.#file = file;
    if (file === null) return;
    try {
      this.#assigned = SavedSerials.parse(JSON.parse(readFileSync(file, 'utf8')));
    } catch {
      // None yet, or torn: serials then start from the clock, which is what they grew with.
    }
  }

  /**
   * The serial of a zone's version: the file's own, else max(last + 1, Unix time of the change).
   * @param key of the version's source: the same source keeps its serial
   */
  assign(zone: string, key: string, given: number | null, nowSeconds: number): number {
    const last = this.#assigned[zone];
    if (last?.key === key && given === null) return last.serial;
    const serial = given ?? Math.max((last?.serial ?? 0) + 1, nowSeconds) >>> 0;
    if (last?.serial === serial && last.key === key) return serial;
    this.#assigned[zone] = { serial, key };
    this.#dirty = true;
    return serial;
  }

  /** Stores what was assigned since the last time. */
  save(): void {
    if (!this.#dirty || this.#file === null) return;
    writeStable(this.#file, `${JSON.stringify(this.#assigned)}\n`);
    this.#dirty = false;
  }
}
