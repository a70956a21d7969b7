// When something that failed is tried again: after a pause that doubles each time.
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';

export class Backoff {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #pauseMs = 0;
  #againMs = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Whether the pause is over, or there is none. */
  get over(): boolean {
    return this.#pauseMs === 0 || this.#clock.monotonicMs() >= this.#againMs;
  }

  failed(): void {
    this.#pauseMs = Math.min(limits.queryLogRetryMostMs, Math.max(limits.queryLogRetryMs, this.#pauseMs * 2));
    this.#againMs = this.#clock.monotonicMs() + this.#pauseMs;
  }

  succeeded(): void {
    this.#pauseMs = 0;
  }
}
