// When a drained target is safe to switch off: from what the threads noted, and across restarts from what the last run left.
import { z } from 'zod';
import type { DrainView } from '../api/views.ts';
import { joinEntries, nameFew, sortEntries } from '../base/state-entries.ts';
import { StateFile } from '../base/state-file.ts';
import type { Storage } from '../base/storage.ts';
import type { Answered } from '../loading/memory.ts';
import { poolsOf } from '../zone/choices.ts';
import type { ZoneMeta } from '../zone/meta.ts';
import type { Forced } from './forced-states.ts';

/** Unix seconds that a Date can hold. */
const Seconds = z.number().min(0).max(8.64e12);

/** What the file holds; somebody may have edited it. */
const SavedAnswers = z.object({ unknownBeforeMs: z.number().min(0).max(8.64e15), targets: z.unknown() });
const SavedLeft = z.looseObject({ untilSeconds: Seconds, lastSeconds: Seconds, sinceDrain: z.number().int().min(0) });

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

/** What earlier runs answered. One for each run: `load`, `begin` when answers begin, `leave` at the end. */
export class Drains {
  readonly #file: StateFile<void> | null;
  readonly #left = new Map<string, Left>();
  /** Targets whose entry this version can't read: as unknown as after a crash. */
  #unread = new Map<string, unknown>();
  readonly #startedMs: number;
  /** When the run after one that left nothing (it was killed) started; 0: everything is known. */
  #unknownBeforeMs = 0;
  /** What the file shall hold: see StateFile. */
  #text: string | null | undefined = undefined;

  /**
   * Nothing is read before `load`.
   * @param file where a run leaves its notes when it stops; null: nothing is kept
   */
  constructor(options: { file: string | null; storage: Storage; nowMs: number }) {
    const { file, storage, nowMs } = options;
    this.#startedMs = nowMs;
    this.#file =
      file === null
        ? null
        : new StateFile({ file, storage, read: (...args) => this.#read(...args), write: () => this.#text });
  }

  /**
   * Takes up what the run before left.
   * @param earlierRun whether there was one: without its notes its answers can only be bounded
   */
  load(earlierRun: boolean): void {
    this.#unknownBeforeMs = earlierRun ? this.#startedMs : 0;
    this.#file?.load();
  }

  /** Answers begin: what the last run left is not the whole truth any more. Were it to stay, a crash of this run would go unnoticed. */
  async begin(): Promise<void> {
    this.#text = null;
    await this.#file?.store();
  }

  #read(text: string, damage: (reason: string, aside: boolean) => void): void {
    const { unknownBeforeMs, targets } = SavedAnswers.parse(JSON.parse(text));
    const { known, unknown } = sortEntries(targets, SavedLeft);
    for (const [id, left] of known) this.#left.set(id, left);
    this.#unread = unknown;
    this.#unknownBeforeMs = unknownBeforeMs;
    if (unknown.size > 0) damage(`when these were last answered is unknown: ${nameFew(unknown.keys())}`, false);
  }

  /**
   * @param noted what this run's threads noted of the target
   * @param sinceDrain answers of this run that named it after it was drained
   */
  view(id: string, forced: Forced, noted: Answered, sinceDrain: number, nowMs: number): DrainView {
    const left = this.#left.get(id) ?? NOTHING;
    const unknownBeforeMs = this.#unread.has(id) ? this.#startedMs : this.#unknownBeforeMs;
    let untilSeconds = Math.max(noted.untilSeconds, left.untilSeconds);
    const lastSeconds = Math.max(noted.lastSeconds, left.lastSeconds);
    if (unknownBeforeMs > 0) {
      // Nobody knows when the killed run named it last: before it was drained, and before this run started.
      const latestMs = Math.min(forced.sinceMs, unknownBeforeMs);
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
  async leave(targets: readonly LastAnswers[], nowMs: number): Promise<void> {
    // A start that failed has answered nothing: what is there stays as it is.
    if (this.#file === null || this.#text === undefined) return;
    const left = new Map([...this.#left].filter(([, { untilSeconds }]) => untilSeconds > nowMs / 1000));
    for (const target of targets) {
      const old = this.#left.get(target.id) ?? NOTHING;
      left.delete(target.id);
      const untilSeconds = Math.max(target.untilSeconds, old.untilSeconds);
      const sinceDrain = target.sinceDrain < 0 ? 0 : old.sinceDrain + target.sinceDrain;
      if (untilSeconds <= nowMs / 1000 && target.sinceDrain < 0) continue;
      left.set(target.id, { untilSeconds, lastSeconds: Math.max(target.lastSeconds, old.lastSeconds), sinceDrain });
    }
    // An entry that couldn't be read goes on being unknown, whatever this run knows of its target.
    for (const id of this.#unread.keys()) left.delete(id);
    const saved = { unknownBeforeMs: this.#unknownBeforeMs, targets: joinEntries(left, this.#unread) };
    this.#text = `${JSON.stringify(saved)}\n`;
    this.#file.soon();
    await this.#file.close();
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
