// A clock that stands still until a test moves it.

interface Timer {
  dueMs: number;
  callback: () => void;
}

/** A clock under the test's control; both times start at `startMs`. */
export class FakeClock {
  #nowMs: number;
  #wallOffsetMs = 0;
  #timers = new Set<Timer>();

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs + this.#wallOffsetMs;
  }

  /** Sets the wall clock forward (or back) as an administrator does: no time passes. */
  setWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time on, firing what falls due in its order, and lets promises run in between. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await flush();
    for (;;) {
      let first: Timer | undefined;
      for (const timer of this.#timers)
        if (timer.dueMs <= endMs && (!first || timer.dueMs < first.dueMs)) first = timer;
      if (first === undefined) break;
      this.#timers.delete(first);
      this.#nowMs = Math.max(this.#nowMs, first.dueMs);
      first.callback();
      await flush();
    }
    this.#nowMs = endMs;
  }
}

/** Lets all promises that can settle do so. */
export async function flush(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
