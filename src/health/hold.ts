// When verdicts stand still: frozen by hand, or held because of a blackout.
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
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
  /** When they end, in this run's monotonic time. */
  #thawMs = 0;
  #blackoutEndMs = 0;
  #cancelFreeze: (() => void) | null = null;
  #cancelBlackout: (() => void) | null = null;

  constructor(options: HoldOptions) {
    this.#options = options;
  }

  get active(): boolean {
    return this.#frozen !== null || this.#blackout !== null;
  }

  /** The freeze, its end as the wall clock has it now. */
  get frozen(): Freeze | null {
    if (this.#frozen === null || this.#frozen.untilMs === null) return this.#frozen;
    return { ...this.#frozen, untilMs: this.#wallMs(this.#thawMs, this.#frozen.untilMs) };
  }

  /** The blackout, its end as the wall clock has it now. */
  get blackout(): Blackout | null {
    if (this.#blackout === null) return null;
    return { ...this.#blackout, untilMs: this.#wallMs(this.#blackoutEndMs, this.#blackout.untilMs) };
  }

  /** Freezes, in place of a freeze before. */
  freeze(freeze: Freeze): void {
    this.thaw();
    this.#frozen = freeze;
    if (freeze.untilMs === null) return;
    // Counted by this run's own time: a clock that is set meanwhile neither prolongs nor shortens it.
    this.#thawMs = this.#ownMs(Math.min(freeze.untilMs, this.#options.clock.nowMs() + limits.forceMs));
    this.#waitForThaw();
  }

  thaw(): void {
    this.#cancelFreeze?.();
    this.#cancelFreeze = null;
    this.#frozen = null;
  }

  /** A blackout of so many targets begins; the verdicts are held until `untilMs` (wall clock). */
  start(targets: number, untilMs: number): void {
    this.#begin({ sinceMs: this.#options.clock.nowMs(), untilMs, targets });
  }

  /** A blackout of the run before goes on, never longer than it was meant to last. */
  resume(blackout: Blackout): void {
    const { sinceMs, untilMs } = blackout;
    const leftMs = Math.min(untilMs - this.#options.clock.nowMs(), untilMs - sinceMs);
    this.#begin({ ...blackout, untilMs: this.#options.clock.nowMs() + leftMs });
  }

  #begin(blackout: Blackout): void {
    const { clock, ended } = this.#options;
    this.#blackout = blackout;
    this.#blackoutEndMs = this.#ownMs(blackout.untilMs);
    this.#cancelBlackout?.();
    this.#cancelBlackout = clock.after(Math.max(0, Math.min(blackout.untilMs - clock.nowMs(), limits.timerMs)), () => {
      this.#blackout = null;
      ended('blackout');
    });
  }

  stop(): void {
    this.#cancelFreeze?.();
    this.#cancelBlackout?.();
  }

  #waitForThaw(): void {
    const leftMs = this.#thawMs - this.#options.clock.monotonicMs();
    this.#cancelFreeze = this.#options.clock.after(Math.max(0, Math.min(leftMs, limits.timerMs)), () => {
      if (leftMs > limits.timerMs) return this.#waitForThaw();
      this.#frozen = null;
      this.#options.ended('freeze');
    });
  }

  #ownMs(wallMs: number): number {
    return wallMs - this.#options.clock.nowMs() + this.#options.clock.monotonicMs();
  }

  /** An end in wall time: as it was told, unless the clock has been set since. */
  #wallMs(ownMs: number, toldMs: number): number {
    const { clock } = this.#options;
    const wallMs = Math.round(ownMs - clock.monotonicMs() + clock.nowMs());
    return Math.abs(wallMs - toldMs) < limits.driftMs ? toldMs : wallMs;
  }
}
