// When a data thread gathers: under load it sleeps for a moment before it reads, so that a batch holds more packets.
//
// A batch costs three system calls, and often a wake-up of whoever waits for the answers, however few packets are in it. A
// thread at its limit finds 8 at a time by itself; after 75 us it finds 40, and each costs a tenth less (docs/performance.md).
// That is what network cards do when they hold back an interrupt. The price is latency, so a thread gathers only when packets
// queue up anyway: when most rounds of reading find several waiting. Up to two thirds of what it can do they find one or two,
// but for bursts.
import { limits } from '../base/limits.ts';

export class Pace {
  /** Rounds left for which packets are gathered; 0: they are looked at as they come. */
  #gathering = 0;
  /** Rounds that were looked at, and those of them that found several packets. */
  #rounds = 0;
  #full = 0;

  /** Whether to sleep before the next round of reading, after one that found `received` packets. */
  gathers(received: number): boolean {
    const several = received >= limits.gatherPackets;
    if (this.#gathering > 0) {
      // What came while it slept and is so little isn't load any more.
      this.#gathering = several ? this.#gathering - 1 : 0;
      return this.#gathering > 0;
    }
    this.#rounds++;
    if (several) this.#full++;
    if (this.#rounds < limits.gatherLookRounds) return false;
    // Gathering hides what comes by itself: it ends after a while, and a look decides anew.
    if (this.#full * 2 >= this.#rounds) this.#gathering = limits.gatherRounds;
    this.#rounds = 0;
    this.#full = 0;
    return this.#gathering > 0;
  }
}
