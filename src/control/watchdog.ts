// Replaces threads that spin or hang: each bumps a word while it lives, and a thread whose word stands still for long is ended.
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';

/** A thread as the watchdog sees it. */
export interface Watched {
  readonly name: string;
  /** An int32 that the thread changes again and again; it reads 0 until the thread runs. */
  readonly beat: Int32Array;
  /** Ends the thread, whose owner then starts another. */
  replace(): void;
}

interface Sight {
  last: number;
  still: number;
}

/** Looks at threads again and again. One for the process. */
export class Watchdog {
  readonly #clock: Clock;
  readonly #onHung: (name: string, looks: number) => void;
  readonly #watched = new Map<Watched, Sight>();
  #cancel: (() => void) | null = null;

  /** @param onHung told before a thread is replaced */
  constructor(options: { clock: Clock; onHung: (name: string, looks: number) => void }) {
    this.#clock = options.clock;
    this.#onHung = options.onHung;
  }

  /** Watches a thread from now on; returns what ends that. */
  watch(thread: Watched): () => void {
    this.#watched.set(thread, { last: 0, still: 0 });
    this.#cancel ??= this.#clock.after(limits.watchdogLookMs, () => this.#look());
    return () => {
      this.#watched.delete(thread);
    };
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#watched.clear();
  }

  #look(): void {
    this.#cancel = this.#clock.after(limits.watchdogLookMs, () => this.#look());
    for (const [thread, sight] of [...this.#watched]) {
      const beat = Atomics.load(thread.beat, 0);
      // A thread that hasn't begun loads its modules: how long that takes is its starter's matter.
      const still = beat !== 0 && beat === sight.last;
      sight.still = still ? sight.still + 1 : 0;
      sight.last = beat;
      if (sight.still < limits.watchdogLooks) continue;
      this.#onHung(thread.name, sight.still);
      // The next one begins at 0, and one that can't be ended is tried again after as many looks.
      sight.still = 0;
      Atomics.store(thread.beat, 0, 0);
      thread.replace();
    }
  }
}
