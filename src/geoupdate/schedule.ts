// When the databases are updated by themselves, and what is told of that: never more than a line, whatever goes wrong.
import type { Clock, Random } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { type Entry, NEVER, readHistory } from './history.ts';
import type { UpdateReply } from './run-update.ts';
import { SOURCES } from './sources.ts';
import type { UpdateJob, UpdateResult } from './update.ts';

/** Servers that were started together don't ask together: as late as this share of the interval, up to so long. */
const JITTER_SHARE = 0.1;

/** When a database is due, in milliseconds since 1970, without jitter. */
export function dueAtMs({ triedAtMs, goodAtMs, failures, notBeforeMs }: Entry, everyMs: number): number {
  if (triedAtMs === 0) return 0;
  if (failures === 0) return (goodAtMs ?? triedAtMs) + everyMs;
  const waitMs = limits.geoUpdateFirstWaitMs * 2 ** Math.min(failures - 1, 20);
  return Math.max(triedAtMs + Math.min(waitMs, limits.geoUpdateLongestWaitMs, everyMs), notBeforeMs ?? 0);
}

/** What is known of one database's updates. */
export interface UpdateState {
  /** Base name. */
  readonly file: string;
  readonly entry: Entry;
  /** Milliseconds since 1970; null: only by command. */
  readonly nextAtMs: number | null;
}

export interface ScheduleOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly run: (job: UpdateJob, signal: AbortSignal) => Promise<UpdateReply>;
  readonly onResult: (result: UpdateResult) => void;
  /** The whole update came to nothing. */
  readonly onError: (message: string) => void;
}

export class UpdateSchedule {
  readonly #options: ScheduleOptions;
  #job: UpdateJob | null = null;
  #cancel: (() => void) | null = null;
  #running: AbortController | null = null;
  #jitter: number;
  /** By database, beside the history: of a disk that is full nobody may ask the publisher again and again. */
  readonly #entries = new Map<string, Entry>();

  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#jitter = options.random();
  }

  /** Goes by this job from now on; null: nothing is updated. What runs is ended when the job is another. */
  set(job: UpdateJob | null): void {
    if (JSON.stringify(job) === JSON.stringify(this.#job)) return;
    this.stop();
    this.#job = job;
    this.#entries.clear();
    this.#wait();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#running?.abort();
    this.#running = null;
  }

  /** Reads the history. */
  states(): readonly UpdateState[] {
    const job = this.#job;
    if (job === null) return [];
    const { everyMs, source } = job.settings;
    const history = readHistory(job.historyFile);
    return SOURCES[source](job.settings, new Date(this.#options.clock.nowMs())).map(({ file }) => {
      const stored = history[file] ?? NEVER;
      const own = this.#entries.get(file) ?? NEVER;
      const entry = own.triedAtMs > stored.triedAtMs ? own : stored;
      return { file, entry, nextAtMs: everyMs === null ? null : this.#dueAtMs(entry, everyMs) };
    });
  }

  #dueAtMs(entry: Entry, everyMs: number): number {
    const due = dueAtMs(entry, everyMs);
    // The first of all comes at once: there may be no database yet.
    return due === 0 ? 0 : due + this.#jitter * Math.min(everyMs * JITTER_SHARE, limits.geoUpdateJitterMs);
  }

  #leftMs(): number {
    const dueMs = Math.min(...this.states().map(({ nextAtMs }) => nextAtMs ?? Number.POSITIVE_INFINITY));
    return Math.max(0, dueMs - this.#options.clock.nowMs());
  }

  #wait(): void {
    if (this.#job === null || this.#job.settings.everyMs === null) return;
    this.#cancel = this.#options.clock.after(Math.min(this.#leftMs(), limits.geoUpdateLookMs), () => {
      this.#cancel = null;
      if (this.#leftMs() > 0) this.#wait();
      else void this.#update(this.#job!);
    });
  }

  async #update(job: UpdateJob): Promise<void> {
    const { random, run, onResult, onError } = this.#options;
    const running = new AbortController();
    this.#running = running;
    const reply = await run(job, running.signal).catch((error: Error): UpdateReply => ({ error: error.message }));
    if (running.signal.aborted) return;
    this.#running = null;
    if ('error' in reply) {
      this.#failed(reply.error);
      onError(reply.error);
    } else {
      for (const result of reply.results) {
        this.#entries.set(result.file, result.entry);
        onResult(result);
      }
    }
    this.#jitter = random();
    this.#wait();
  }

  /** Of a failure of the whole job no history knows. */
  #failed(error: string): void {
    const triedAtMs = this.#options.clock.nowMs();
    for (const { file, entry } of this.states())
      this.#entries.set(file, { ...entry, triedAtMs, error, failures: entry.failures + 1 });
  }
}
