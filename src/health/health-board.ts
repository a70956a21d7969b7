// Health's half of the board: writes each target's verdict, the share of its weight that its load leaves it, and the time to its next flip.
import {
  type HealthWord,
  LOAD_FULL,
  loadOf,
  VERDICT_DOWN,
  VERDICT_UNKNOWN,
  VERDICT_UP,
  writeHealth,
} from '../board/board.ts';
import type { TargetHealth, WatchedTarget } from './health.ts';
import { nextLoadFactor } from './load-factor.ts';

const VERDICTS = { unknown: VERDICT_UNKNOWN, up: VERDICT_UP, down: VERDICT_DOWN } as const;

interface Entry {
  readonly target: WatchedTarget;
  /** What it keeps of its weight, 0 to LOAD_FULL with fractions. */
  loadFactor: number;
}

export class HealthBoard {
  readonly #words: Int32Array;
  readonly #entries = new Map<string, Entry>();

  constructor(board: SharedArrayBuffer) {
    this.#words = new Int32Array(board);
  }

  /** A target that is new or has changed. A weight that is being shed goes on from where it was, in an earlier thread too. */
  set(target: WatchedTarget): void {
    const known = this.#entries.get(target.id)?.loadFactor ?? loadOf(Atomics.load(this.#words, target.slot));
    this.#entries.set(target.id, { target, loadFactor: target.shed === null ? LOAD_FULL : known });
  }

  drop(id: string): void {
    this.#entries.delete(id);
  }

  /** Something changed, or a load was reported: moves the weight, and writes the word. */
  report(id: string, health: TargetHealth): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const { shed, capacity } = entry.target;
    if (shed !== null) entry.loadFactor = nextLoadFactor(entry.loadFactor, relativeLoad(health.load, capacity), shed);
    this.write(id, health);
  }

  /** Writes the word as it is now. */
  write(id: string, health: TargetHealth): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) writeHealth(this.#words, entry.target.slot, wordOf(entry, health));
  }
}

function wordOf({ target, loadFactor }: Entry, health: TargetHealth): HealthWord {
  return {
    verdict: VERDICTS[health.verdict],
    load: Math.round(loadFactor),
    watched: target.check !== null,
    flipSeconds: Math.min(health.secondsToFlip, Number.MAX_SAFE_INTEGER),
  };
}

/** A load beside what the backend can take: `capacity` is the report that means full, 1 where none is written. */
export function relativeLoad(load: number | null, capacity: number | null): number | null {
  return load === null ? null : load / (capacity ?? 1);
}
