// Keeps the state file fresh: soon after each change, but not more often than once a second.
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { loadSaved, type Saved, storeSaved } from './saved.ts';

/** Shortest time between two writings. */
const EVERY_MS = 1_000;
/** The file is written at least this often: latencies and counts change without a flip. */
const AT_LEAST_MS = 60_000;

export interface KeeperOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** null: nothing is kept. */
  readonly file: string | null;
  /** What is to be written, as it is now; null: nothing is known yet, leave the file as it is. */
  readonly snapshot: () => Saved | null;
}

/** The writer of one state file; trouble is logged, never thrown. */
export class VerdictStore {
  readonly #options: KeeperOptions;
  #writing: Promise<void> = Promise.resolve();
  #cancel: (() => void) | null = null;
  #dueMs = Number.POSITIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** What was saved; undefined when there is nothing of use. */
  load(): Saved | undefined {
    const { file, log } = this.#options;
    const saved = file === null ? undefined : loadSaved(file);
    if (typeof saved !== 'string') return saved;
    log.warn(
      { event: 'health-state-ignored', file, error: saved },
      'the saved verdicts cannot be used and are ignored',
    );
    return undefined;
  }

  /** Something changed: write as soon as may be, at the latest in `withinMs`. */
  soon(withinMs = 0): void {
    const { clock, file } = this.#options;
    if (file === null || this.#stopped) return;
    const nowMs = clock.monotonicMs();
    const dueMs = Math.max(nowMs + withinMs, this.#lastMs + EVERY_MS);
    if (dueMs >= this.#dueMs) return;
    this.#cancel?.();
    this.#dueMs = dueMs;
    this.#cancel = clock.after(dueMs - nowMs, () => void this.write());
  }

  /** Writes now; resolves when it is on disk (or has failed). */
  write(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  /** Writes for the last time. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.write();
  }

  async #write(): Promise<void> {
    const { file, clock, log, snapshot } = this.#options;
    const saved = file === null ? null : snapshot();
    if (file === null || saved === null) return;
    this.#lastMs = clock.monotonicMs();
    try {
      await storeSaved(file, saved);
    } catch (error) {
      log.error({ event: 'health-save-failed', file, error: String(error) }, 'verdicts could not be saved');
    }
    this.soon(AT_LEAST_MS);
  }
}
