// Forced states: what operators forced, by target or pool, until when and why; survives restarts.

import { z } from 'zod';
import type { ForcedState, ForcedView } from '../api/views.ts';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { joinEntries, nameFew, parseDamaged, sortEntries } from '../base/state-entries.ts';
import { StateFile } from '../base/state-file.ts';
import type { Storage } from '../base/storage.ts';

export interface Forced {
  readonly state: ForcedState;
  /** Wall clock; null: for ever. */
  readonly untilMs: number | null;
  readonly reason: string;
  readonly by: string;
  readonly sinceMs: number;
  /** Of a drain: the longest TTL that an answer which named it can have had. */
  readonly longestTtlSeconds?: number | undefined;
}

/** Times that a Date can hold. */
const TimeMs = z.number().min(0).max(8.64e15);

/** An entry of the file; somebody may have edited it, or written more into it. */
const SavedForced = z.looseObject({
  state: z.enum(['up', 'down', 'drain']),
  untilMs: TimeMs.nullable(),
  reason: z.string(),
  by: z.string(),
  sinceMs: TimeMs,
  longestTtlSeconds: z.number().min(0).optional(),
});

interface Held {
  readonly forced: Forced;
  /** When it ends in this run's monotonic time: a clock that is set meanwhile neither prolongs nor shortens it. */
  readonly endMs: number;
}

/** Keys are target ids `ZONE/POOL/ADDRESS` or pool ids `ZONE/POOL`. */
export class ForcedStates {
  readonly #file: StateFile<void> | null;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #held = new Map<string, Held>();
  /** Entries of the file that this version can't read. */
  #unknown = new Map<string, unknown>();
  #cancelTimer: (() => void) | null = null;

  /**
   * Nothing is read before `load`. `onChange` follows every change and expiry.
   * @param file null: nothing is kept
   */
  constructor(options: { file: string | null; storage: Storage; clock: Clock; onChange: () => void }) {
    this.#clock = options.clock;
    this.#onChange = options.onChange;
    const { file, storage } = options;
    this.#file =
      file === null
        ? null
        : new StateFile({ file, storage, read: (...args) => this.#read(...args), write: () => this.#text() });
  }

  /** Takes up what was forced in earlier runs, as far as it can be read; the wall clock tells what has run out meanwhile. */
  load(): void {
    this.#file?.load();
    this.#expire();
  }

  /** A target's own forced state, else its pool's, else null. */
  of(targetId: string, poolId: string): Forced | null {
    const held = this.#held.get(targetId) ?? this.#held.get(poolId);
    return held === undefined ? null : this.#now(held);
  }

  /** Holds at once. Resolves whether it is stored too: else a restart would lose it, until it can be. */
  force(key: string, forced: Forced): Promise<boolean> {
    const forMs = forced.untilMs === null ? Number.POSITIVE_INFINITY : forced.untilMs - this.#clock.nowMs();
    this.#held.set(key, { forced, endMs: this.#clock.monotonicMs() + forMs });
    this.#unknown.delete(key);
    this.#expire();
    this.#onChange();
    return this.#store();
  }

  /** Whether something was forced and is not any more, and as of `force`. */
  unforce(key: string): { lifted: boolean; stored: Promise<boolean> } {
    // What this version can't read is lifted too: nobody else could.
    const unread = this.#unknown.delete(key);
    const lifted = this.#held.delete(key);
    if (!lifted && !unread) return { lifted, stored: Promise.resolve(true) };
    this.#expire();
    this.#onChange();
    return { lifted, stored: this.#store() };
  }

  get size(): number {
    return this.#held.size;
  }

  /** Ends the timer and stores what is not yet. */
  async stop(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    // Ends are in wall time on disk, which may have been set since.
    if ([...this.#held.values()].some((held) => this.#now(held) !== held.forced)) this.#file?.soon();
    await this.#file?.close();
  }

  #store(): Promise<boolean> {
    return this.#file === null ? Promise.resolve(true) : this.#file.store();
  }

  /** A forced state with its end as the wall clock now has it. */
  #now({ forced, endMs }: Held): Forced {
    if (forced.untilMs === null) return forced;
    const untilMs = this.#clock.nowMs() + endMs - this.#clock.monotonicMs();
    return Math.abs(untilMs - forced.untilMs) < limits.driftMs ? forced : { ...forced, untilMs: Math.round(untilMs) };
  }

  #read(text: string, damage: (reason: string, aside: boolean) => void): void {
    const { value, whole } = parseDamaged(text);
    const { known, unknown } = sortEntries(value, SavedForced);
    const now = this.#clock.nowMs();
    for (const [key, forced] of known) {
      // Never longer than it was meant to last, should the clock have been set back between the runs.
      const leftMs =
        forced.untilMs === null
          ? Number.POSITIVE_INFINITY
          : Math.min(forced.untilMs - now, Math.max(0, forced.untilMs - forced.sinceMs));
      this.#held.set(key, { forced, endMs: this.#clock.monotonicMs() + leftMs });
    }
    this.#unknown = unknown;
    if (!whole) damage(`it is damaged; the forced states of its beginning hold: ${nameFew(known.keys())}`, true);
    if (unknown.size > 0)
      damage(`forced states that cannot be read don't hold, and are kept: ${nameFew(unknown.keys())}`, false);
  }

  #text(): string {
    const held = [...this.#held].map(([key, one]) => [key, this.#now(one)] as const);
    return `${JSON.stringify(joinEntries(held, this.#unknown), null, 1)}\n`;
  }

  /** Drops what has run out and waits for the next. */
  #expire(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const now = this.#clock.monotonicMs();
    let next = Number.POSITIVE_INFINITY;
    let dropped = false;
    for (const [key, { endMs }] of this.#held) {
      if (endMs <= now) {
        this.#held.delete(key);
        dropped = true;
      } else next = Math.min(next, endMs);
    }
    if (dropped) {
      this.#file?.soon();
      this.#onChange();
    }
    // A later expiry than timers reach is looked at again then.
    if (next !== Number.POSITIVE_INFINITY) {
      this.#cancelTimer = this.#clock.after(Math.min(next - now, limits.timerMs), () => this.#expire());
    }
  }
}

export function forcedView(forced: Forced | null): ForcedView | null {
  if (forced === null) return null;
  const until = forced.untilMs === null ? null : new Date(forced.untilMs).toISOString();
  return { state: forced.state, until, reason: forced.reason, by: forced.by };
}
