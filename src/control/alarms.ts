// The alarm of fail-open: says in the log when a record set begins or ends to answer with members that are down.
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import type { Serving } from '../loading/serving.ts';
import { failOpenSets } from '../targets/fail-open.ts';

export interface AlarmsOptions {
  readonly serving: Serving;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Alarms {
  readonly #options: AlarmsOptions;
  /** Record sets that failed open when it was last looked at. */
  #failOpen: ReadonlySet<string> = new Set();
  #cancelLook: (() => void) | null = null;

  constructor(options: AlarmsOptions) {
    this.#options = options;
  }

  /** Verdicts or forced states changed: flips come in bunches, so it waits a moment before it looks. */
  look(): void {
    this.#cancelLook ??= this.#options.clock.after(limits.failOpenLookMs, () => {
      this.#cancelLook = null;
      this.#compare(new Set(this.#failOpenNow()));
    });
  }

  stop(): void {
    this.#cancelLook?.();
    this.#cancelLook = null;
  }

  #failOpenNow(): string[] {
    const { zones, board } = this.#options.serving;
    return [...zones.all.values()].flatMap(({ name, meta }) => (meta === null ? [] : failOpenSets(name, meta, board)));
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
