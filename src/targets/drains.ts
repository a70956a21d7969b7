// When a drained target is safe to switch off: from what the threads noted, and across restarts from what the last run left.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import type { DrainView } from '../api/views.ts';
import { writeStable } from '../base/stable-file.ts';
import type { Answered } from '../loading/memory.ts';
import type { ZoneMeta } from '../zone/meta.ts';
import { poolsOf } from '../zonefile/compile-steering.ts';
import type { Forced } from './forced-states.ts';

/** What the file holds, by target; somebody may have edited it. */
const SavedAnswers = z.object({
  unknownBeforeMs: z.number(),
  targets: z.record(
    z.string(),
    z.object({ untilSeconds: z.number(), lastSeconds: z.number(), sinceDrain: z.number().int().min(0) }),
  ),
});

interface Left {
  readonly untilSeconds: number;
  readonly lastSeconds: number;
  /** Answers that named it after it was drained. */
  readonly sinceDrain: number;
}

/** A target as it is at the end of a run; `sinceDrain` -1: it isn't drained. */
export interface LastAnswers extends Left {
  readonly id: string;
}

const NOTHING: Left = { untilSeconds: 0, lastSeconds: 0, sinceDrain: 0 };

/** What earlier runs answered. One for each run. */
export class Drains {
  readonly #file: string | null;
  readonly #left: Readonly<Record<string, Left>>;
  /** When the run after one that left nothing (it was killed) started; 0: everything is known. */
  readonly #unknownBeforeMs: number;

  /**
   * @param file where a run leaves its notes when it stops; null: nothing is kept
   * @param earlierRun whether there was one: without its notes its answers can only be bounded
   */
  constructor(options: { file: string | null; earlierRun: boolean; nowMs: number }) {
    this.#file = options.file;
    let left: z.infer<typeof SavedAnswers> | null = null;
    if (this.#file !== null && existsSync(this.#file)) {
      try {
        left = SavedAnswers.parse(JSON.parse(readFileSync(this.#file, 'utf8')));
      } catch {
        // Torn or foreign: like none.
      }
      // What a run left is true until the next begins; were it to stay, a crash of this one would go unnoticed.
      rmSync(this.#file, { force: true });
    }
    this.#left = left?.targets ?? {};
    this.#unknownBeforeMs = left?.unknownBeforeMs ?? (options.earlierRun ? options.nowMs : 0);
  }

  /**
   * @param noted what this run's threads noted of the target
   * @param sinceDrain answers of this run that named it after it was drained
   */
  view(id: string, forced: Forced, noted: Answered, sinceDrain: number, nowMs: number): DrainView {
    const left = this.#left[id] ?? NOTHING;
    let untilSeconds = Math.max(noted.untilSeconds, left.untilSeconds);
    const lastSeconds = Math.max(noted.lastSeconds, left.lastSeconds);
    if (this.#unknownBeforeMs > 0) {
      // Nobody knows when the killed run named it last: before it was drained, and before this run started.
      const latestMs = Math.min(forced.sinceMs, this.#unknownBeforeMs);
      untilSeconds = Math.max(untilSeconds, Math.ceil(latestMs / 1000) + (forced.longestTtlSeconds ?? 0));
    }
    const secondsLeft = Math.max(0, Math.ceil(untilSeconds - nowMs / 1000));
    return {
      lastAnswer: isoOf(lastSeconds),
      safeAt: isoOf(untilSeconds),
      secondsLeft,
      safe: secondsLeft === 0,
      answersSince: left.sinceDrain + sinceDrain,
    };
  }

  /** Leaves for the next run what caches may still hold, and what drained targets were asked for. */
  leave(targets: readonly LastAnswers[], nowMs: number): void {
    if (this.#file === null) return;
    // A start that failed knows no targets: what is still true stays.
    const left: Record<string, Left> = Object.fromEntries(
      Object.entries(this.#left).filter(([, { untilSeconds }]) => untilSeconds > nowMs / 1000),
    );
    for (const target of targets) {
      const old = this.#left[target.id] ?? NOTHING;
      delete left[target.id];
      const untilSeconds = Math.max(target.untilSeconds, old.untilSeconds);
      const sinceDrain = target.sinceDrain < 0 ? 0 : old.sinceDrain + target.sinceDrain;
      if (untilSeconds <= nowMs / 1000 && target.sinceDrain < 0) continue;
      left[target.id] = { untilSeconds, lastSeconds: Math.max(target.lastSeconds, old.lastSeconds), sinceDrain };
    }
    writeStable(this.#file, `${JSON.stringify({ unknownBeforeMs: this.#unknownBeforeMs, targets: left })}\n`);
  }
}

/** The longest TTL of the record sets that have a pool in a list of theirs. */
export function longestTtlOf(zones: readonly ZoneMeta[], zone: string, pool: string): number {
  const sets = zones
    .filter((meta) => meta.pools.some((p) => p.zone === zone && p.name === pool))
    .flatMap((meta) => meta.steerings.filter(({ lists }) => lists.some((list) => poolsOf(list).includes(pool))));
  return Math.max(0, ...sets.map(({ ttlMax }) => ttlMax));
}

function isoOf(seconds: number): string | null {
  return seconds === 0 ? null : new Date(seconds * 1000).toISOString();
}
