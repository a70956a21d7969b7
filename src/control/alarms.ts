// The alarm of fail-open: says in the log when a record set begins or ends to answer with members that are down.
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { Slices, Unwanted } from '../base/slices.ts';
import type { Serving } from '../loading/serving.ts';
import type { SetStates } from '../targets/set-states.ts';

export interface AlarmsOptions {
  readonly serving: Serving;
  readonly setStates: SetStates;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Alarms {
  readonly #options: AlarmsOptions;
  /** Record sets that failed open when it was last looked at. */
  #failOpen: ReadonlySet<string> = new Set();
  #cancelLook: (() => void) | null = null;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: AlarmsOptions) {
    this.#options = options;
  }

  /** Verdicts or forced states changed: flips come in bunches, so it waits a moment before it looks. */
  look(): void {
    if (this.#stopped) return;
    this.#cancelLook ??= this.#options.clock.after(limits.failOpenLookMs, () => {
      this.#cancelLook = null;
      // One look after the other: each compares with the one before it.
      const looked = this.#looking.then(() => this.#lookNow());
      // What nobody expected in one is told as every other, and the next looks again.
      this.#looking = looked.catch(() => {});
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelLook?.();
    this.#cancelLook = null;
  }

  async #lookNow(): Promise<void> {
    const { serving, setStates, clock } = this.#options;
    const slices = new Slices(() => !this.#stopped, clock);
    const now = new Set<string>();
    try {
      for (const zone of serving.zones.all.values()) {
        for (const set of await setStates.of(zone, 'failOpen', slices)) now.add(set);
      }
    } catch (error) {
      if (error instanceof Unwanted) return;
      throw error;
    }
    if (!this.#stopped) this.#compare(now);
  }

  #compare(now: ReadonlySet<string>): void {
    const { log } = this.#options;
    for (const set of now) {
      if (this.#failOpen.has(set)) continue;
      log.error({ event: 'fail-open', set }, 'fail-open active: nothing is live, so members are answered as if up');
    }
    for (const set of this.#failOpen) {
      if (!now.has(set)) log.info({ event: 'fail-open-end', set }, 'fail-open ended');
    }
    this.#failOpen = now;
  }
}
