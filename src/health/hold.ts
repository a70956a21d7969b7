// When verdicts stand still: frozen by hand, or held because of a blackout.
import type { Clock } from '../base/clock.ts';
import { BlackoutGuard } from './blackout-guard.ts';
import type { Blackout, Freeze } from './saved.ts';

export interface HoldOptions {
  readonly clock: Clock;
  /** A hold has run out by itself. */
  readonly ended: (what: 'freeze' | 'blackout') => void;
}

/** Both reasons for verdicts to stand still, with their timers. */
export class Hold {
  readonly guard = new BlackoutGuard();
  readonly #options: HoldOptions;
  #frozen: Freeze | null = null;
  #blackout: Blackout | null = null;
  #cancelFreeze: (() => void) | null = null;
  #cancelBlackout: (() => void) | null = null;

  constructor(options: HoldOptions) {
    this.#options = options;
  }

  get active(): boolean {
    return this.#frozen !== null || this.#blackout !== null;
  }

  get frozen(): Freeze | null {
    return this.#frozen;
  }

  get blackout(): Blackout | null {
    return this.#blackout;
  }

  /** Freezes, in place of a freeze before. */
  freeze(freeze: Freeze): void {
    this.thaw();
    this.#frozen = freeze;
    if (freeze.untilMs !== null) this.#thawAt(freeze.untilMs);
  }

  thaw(): void {
    this.#cancelFreeze?.();
    this.#cancelFreeze = null;
    this.#frozen = null;
  }

  /** A blackout of so many targets begins; the verdicts are held until `untilMs` (wall clock). */
  start(targets: number, untilMs: number): void {
    const { clock, ended } = this.#options;
    const sinceMs = clock.nowMs();
    this.#blackout = { sinceMs, untilMs, targets };
    this.#cancelBlackout?.();
    this.#cancelBlackout = clock.after(Math.max(0, Math.min(untilMs - sinceMs, 2 ** 30)), () => {
      this.#blackout = null;
      ended('blackout');
    });
  }

  stop(): void {
    this.#cancelFreeze?.();
    this.#cancelBlackout?.();
  }

  /** Timers end at 2^31 ms, freezes needn't. */
  #thawAt(untilMs: number): void {
    const left = untilMs - this.#options.clock.nowMs();
    this.#cancelFreeze = this.#options.clock.after(Math.max(0, Math.min(left, 2 ** 30)), () => {
      if (left > 2 ** 30) return this.#thawAt(untilMs);
      this.#frozen = null;
      this.#options.ended('freeze');
    });
  }
}
