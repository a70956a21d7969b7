// Forced states: what operators forced, by target or pool, until when and why; survives restarts.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ForcedState, ForcedView } from '../api/views.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { writeStable } from '../base/stable-file.ts';

export interface Forced {
  readonly state: ForcedState;
  readonly untilMs: number | null;
  readonly reason: string;
  readonly by: string;
  readonly sinceMs: number;
  /** Of a drain: the longest TTL that an answer which named it can have had. */
  readonly longestTtlSeconds?: number | undefined;
}

/** What the file holds; somebody may have edited it. */
const SavedForced = z.record(
  z.string(),
  z.object({
    state: z.enum(['up', 'down', 'drain']),
    untilMs: z.number().nullable(),
    reason: z.string(),
    by: z.string(),
    sinceMs: z.number(),
    longestTtlSeconds: z.number().optional(),
  }),
);

/** Keys are target ids `ZONE/POOL/ADDRESS` or pool ids `ZONE/POOL`. */
export class ForcedStates {
  readonly #file: string | null;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #forced = new Map<string, Forced>();
  #cancelTimer: (() => void) | null = null;

  /** Reads what was forced before; a damaged file is ignored with a warning. `onChange` follows every change and expiry. */
  constructor(options: { file: string | null; clock: Clock; log: Logger; onChange: () => void }) {
    this.#file = options.file;
    this.#clock = options.clock;
    this.#onChange = options.onChange;
    if (this.#file !== null) {
      try {
        const saved = SavedForced.parse(JSON.parse(readFileSync(this.#file, 'utf8')));
        for (const [key, forced] of Object.entries(saved)) this.#forced.set(key, forced);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
          options.log.warn(
            { event: 'hand-unreadable', file: this.#file, error: String(error) },
            'forced states could not be read',
          );
        }
      }
    }
    this.#expire();
  }

  /** A target's own forced state, else its pool's, else null. */
  of(targetId: string, poolId: string): Forced | null {
    return this.#forced.get(targetId) ?? this.#forced.get(poolId) ?? null;
  }

  /** Throws when it can't be stored: then nothing is forced. */
  force(key: string, forced: Forced): void {
    const before = this.#forced.get(key);
    this.#forced.set(key, forced);
    try {
      this.#save();
    } catch (error) {
      if (before) this.#forced.set(key, before);
      else this.#forced.delete(key);
      throw error;
    }
    this.#expire();
    this.#onChange();
  }

  /** Returns whether something was forced. */
  unforce(key: string): boolean {
    if (!this.#forced.delete(key)) return false;
    this.#save();
    this.#expire();
    this.#onChange();
    return true;
  }

  get size(): number {
    return this.#forced.size;
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  #save(): void {
    if (this.#file !== null) writeStable(this.#file, `${JSON.stringify(Object.fromEntries(this.#forced), null, 1)}\n`);
  }

  /** Drops what has run out and waits for the next. */
  #expire(): void {
    this.stop();
    const now = this.#clock.nowMs();
    let next = Number.POSITIVE_INFINITY;
    let dropped = false;
    for (const [key, forced] of this.#forced) {
      if (forced.untilMs === null) continue;
      if (forced.untilMs <= now) {
        this.#forced.delete(key);
        dropped = true;
      } else next = Math.min(next, forced.untilMs);
    }
    if (dropped) {
      this.#save();
      this.#onChange();
    }
    // Timers reach 24.8 days; a later expiry is looked at again then.
    if (next !== Number.POSITIVE_INFINITY) {
      this.#cancelTimer = this.#clock.after(Math.min(next - now, 2 ** 31 - 1), () => this.#expire());
    }
  }
}

export function forcedView(forced: Forced | null): ForcedView | null {
  if (forced === null) return null;
  const until = forced.untilMs === null ? null : new Date(forced.untilMs).toISOString();
  return { state: forced.state, until, reason: forced.reason, by: forced.by };
}
