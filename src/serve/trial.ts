// Whether a data thread under load should go before everything else: tries both in turns, and sees what a packet costs each way.
//
// Going first, it never waits for the kernel's own work, a compiler or a collector: that is most of p99 under load. But where
// the one who asks runs on the same core, it interrupts him for every packet, never finds two at once, and each costs twice as
// much (docs/performance.md). Nothing tells a thread which of the two it lives with, but the price does.
import { limits } from '../base/limits.ts';

const AS_USUAL = 0;
const GOING_FIRST = 1;
const SETTLED = 2;

export class Trial {
  /** Whether to go first until the next look. */
  first = false;
  /** What is being measured. */
  #window: typeof AS_USUAL | typeof GOING_FIRST | typeof SETTLED = AS_USUAL;
  #packets = 0;
  #cpuMs = 0;
  /** CPU milliseconds a packet in the last whole window as usual. */
  #usualMs = 0;
  /** When what was settled has to be tried anew. */
  #untilMs = 0;

  /** Under load, since the last look and with the thread doing what `first` said: packets, their CPU time; and the time, monotonic. */
  look(packets: number, cpuMs: number, nowMs: number): void {
    if (this.#window === SETTLED) {
      if (nowMs >= this.#untilMs) this.#begin();
      return;
    }
    this.#packets += packets;
    this.#cpuMs += cpuMs;
    if (this.#packets < limits.trialPackets) return;
    const eachMs = this.#cpuMs / this.#packets;
    if (this.#window === AS_USUAL) {
      this.#usualMs = eachMs;
      this.#enter(GOING_FIRST, true);
    } else {
      this.#untilMs = nowMs + limits.trialGoodMs;
      this.#enter(SETTLED, eachMs <= limits.trialPrice * this.#usualMs);
    }
  }

  /** The load went away, or is too much to go first: what was half measured counts for nothing. */
  interrupt(): void {
    if (this.#window !== SETTLED) this.#begin();
  }

  #begin(): void {
    this.#enter(AS_USUAL, false);
  }

  #enter(window: typeof AS_USUAL | typeof GOING_FIRST | typeof SETTLED, first: boolean): void {
    this.#window = window;
    this.first = first;
    this.#packets = 0;
    this.#cpuMs = 0;
  }
}
