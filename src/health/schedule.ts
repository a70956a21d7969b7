// When which probe runs: the first at once, then spread over the interval, never more at a time than allowed, none late because of another.

import type { Clock, Random } from '../base/clock.ts';
import { limits } from '../base/limits.ts';

/** Something to do again and again. */
export interface Job {
  readonly intervalMs: number;
  /** One try. Must not reject, and must end soon after the controller aborts. Returns whether the next try is a fast recheck. */
  run(controller: AbortController): Promise<boolean>;
  /** Whether the next try is likely to take its whole timeout (the target is down): such tries leave room for the others. */
  suspect(): boolean;
}

/** What the schedule says about itself. */
export interface ScheduleStats {
  readonly jobs: number;
  readonly running: number;
  /** Tries that are due and wait for a free place. */
  readonly waiting: number;
  readonly started: number;
  /** The latest start of all so far, except in the first round: milliseconds after it was due. */
  readonly mostLateMs: number;
  /** How many started later after they were due than each of LATE_MS says, except in the first round. */
  readonly late: readonly number[];
}

/** Bounds of lateness that are counted. */
export const LATE_MS = [5, 10, 20, 50, 100, 200, 500, 1_000, 5_000] as const;

interface Entry {
  readonly job: Job;
  dueMs: number;
  /** Position in the heap; -1: not in it. */
  at: number;
  /** In the first round (not counted as late), and until it has been spread over the interval. */
  first: boolean;
  spread: boolean;
  /** Until when the second try may be put off, should the first round still be going on; 0: not at all. */
  untilMs: number;
  running: AbortController | null;
  gone: boolean;
}

/** A try may start earlier than due by this share of the interval, so that servers and targets don't march in step. */
const JITTER = 0.05;

/** Runs jobs at their times on one timer: a heap of what is due when, and two queues of what waits for a place. */
export class Schedule {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #maxConcurrent: number;
  readonly #maxSuspects: number;
  readonly #entries = new Map<Job, Entry>();
  readonly #heap: Entry[] = [];
  readonly #waiting: { entries: Entry[]; from: number }[] = [
    { entries: [], from: 0 },
    { entries: [], from: 0 },
  ];
  #running = 0;
  #suspects = 0;
  /** First tries that wait for a place. */
  #firstWaiting = 0;
  #started = 0;
  #mostLateMs = 0;
  readonly #late: number[] = LATE_MS.map(() => 0);
  #cancelTimer: (() => void) | null = null;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(options: { clock: Clock; random: Random; maxConcurrent: number }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#maxConcurrent = Math.max(1, options.maxConcurrent);
    this.#maxSuspects = Math.max(1, Math.floor(this.#maxConcurrent * limits.suspectShare));
  }

  /** Takes a job up; its first try is due at once. */
  add(job: Job): void {
    const entry: Entry = {
      job,
      dueMs: this.#clock.monotonicMs(),
      at: -1,
      first: true,
      spread: false,
      untilMs: 0,
      running: null,
      gone: false,
    };
    this.#entries.set(job, entry);
    this.#push(entry);
    this.#arm();
  }

  /** Drops a job at once: a try that is under way is aborted. */
  remove(job: Job): void {
    const entry = this.#entries.get(job);
    if (entry === undefined) return;
    this.#entries.delete(job);
    entry.gone = true;
    if (entry.at >= 0) this.#unheap(entry);
    entry.running?.abort();
  }

  /** Drops all jobs. */
  stop(): void {
    for (const job of [...this.#entries.keys()]) this.remove(job);
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  stats(): ScheduleStats {
    const waiting = this.#waiting.reduce((sum, queue) => sum + queue.entries.length - queue.from, 0);
    return {
      jobs: this.#entries.size,
      running: this.#running,
      waiting,
      started: this.#started,
      mostLateMs: this.#mostLateMs,
      late: [...this.#late],
    };
  }

  #countLate(lateMs: number): void {
    this.#mostLateMs = Math.max(this.#mostLateMs, lateMs);
    for (let i = 0; i < LATE_MS.length && lateMs > LATE_MS[i]!; i++) this.#late[i]!++;
  }

  /** Moves what is due to the queues, starts what has a place, and sets the timer for the next. */
  #turn(): void {
    const now = this.#clock.monotonicMs();
    // Half a millisecond: timers have whole ones.
    while (this.#heap.length > 0 && this.#heap[0]!.dueMs <= now + 0.5) {
      const entry = this.#heap[0]!;
      this.#unheap(entry);
      if (this.#firstWaiting > 0 && entry.untilMs > now + 1) {
        // It would only wait behind the first round: its turn may come any time before its interval is over.
        entry.dueMs = now + 1 + this.#random() * (entry.untilMs - now - 1);
        this.#push(entry);
        continue;
      }
      if (entry.first) this.#firstWaiting++;
      this.#waiting[entry.job.suspect() ? 1 : 0]!.entries.push(entry);
    }
    for (let suspect = 0; suspect < 2; suspect++) {
      const queue = this.#waiting[suspect]!;
      while (
        queue.from < queue.entries.length &&
        this.#running < this.#maxConcurrent &&
        (suspect === 0 || this.#suspects < this.#maxSuspects)
      ) {
        const entry = queue.entries[queue.from++]!;
        if (entry.first) this.#firstWaiting--;
        if (!entry.gone) void this.#start(entry, suspect, now);
      }
      if (queue.from === queue.entries.length || queue.from > 1024) {
        queue.entries.splice(0, queue.from);
        queue.from = 0;
      }
    }
    this.#arm();
  }

  async #start(entry: Entry, suspect: number, startMs: number): Promise<void> {
    const { job } = entry;
    const controller = new AbortController();
    entry.running = controller;
    this.#running++;
    this.#suspects += suspect;
    this.#started++;
    if (!entry.first) this.#countLate(startMs - entry.dueMs);
    const recheck = await job.run(controller);
    this.#running--;
    this.#suspects -= suspect;
    entry.running = null;
    entry.first = false;
    if (!entry.gone) {
      const now = this.#clock.monotonicMs();
      // After the first round everything would be due at the same time: the second tries are spread over the whole interval.
      const early = entry.spread ? JITTER * this.#random() : this.#random();
      const wait = recheck ? Math.min(limits.recheckMs, job.intervalMs) : job.intervalMs * (1 - early);
      entry.untilMs = !recheck && !entry.spread ? startMs + job.intervalMs : 0;
      if (!recheck) entry.spread = true;
      entry.dueMs = Math.max(now, startMs + wait);
      this.#push(entry);
    }
    if (this.#waiting[0]!.entries.length + this.#waiting[1]!.entries.length > 0) this.#turn();
    else this.#arm();
  }

  #arm(): void {
    const dueMs = this.#heap[0]?.dueMs ?? Number.POSITIVE_INFINITY;
    if (this.#cancelTimer !== null && this.#timerMs <= dueMs) return;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#timerMs = dueMs;
    const delay = Math.min(limits.timerMs, Math.max(0, Math.ceil(dueMs - this.#clock.monotonicMs())));
    this.#cancelTimer = this.#clock.after(delay, () => {
      this.#cancelTimer = null;
      this.#turn();
    });
  }

  // ---- A binary heap by due time whose entries know their place ----------------------------------------------------

  #push(entry: Entry): void {
    entry.at = this.#heap.push(entry) - 1;
    this.#up(entry);
  }

  #unheap(entry: Entry): void {
    const last = this.#heap.pop()!;
    if (last !== entry) {
      last.at = entry.at;
      this.#heap[last.at] = last;
      this.#up(last);
      this.#down(last);
    }
    entry.at = -1;
  }

  #up(entry: Entry): void {
    while (entry.at > 0) {
      const parent = this.#heap[(entry.at - 1) >> 1]!;
      if (parent.dueMs <= entry.dueMs) return;
      this.#swap(entry, parent);
    }
  }

  #down(entry: Entry): void {
    for (;;) {
      const left = this.#heap[entry.at * 2 + 1];
      const right = this.#heap[entry.at * 2 + 2];
      const child = right !== undefined && right.dueMs < left!.dueMs ? right : left;
      if (child === undefined || child.dueMs >= entry.dueMs) return;
      this.#swap(child, entry);
    }
  }

  #swap(a: Entry, b: Entry): void {
    [a.at, b.at] = [b.at, a.at];
    this.#heap[a.at] = a;
    this.#heap[b.at] = b;
  }
}
