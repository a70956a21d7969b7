// When a data thread gathers: under load it sleeps for a moment before it reads, so that a batch holds more packets.
//
// A batch costs three system calls, and often a wake-up of whoever waits for the answers, however few packets are in it. A
// thread at its limit finds 8 at a time by itself; after 75 us it finds 40, and each costs a tenth less (docs/performance.md).
// That is what network cards do when they hold back an interrupt. The price is latency, so a thread gathers only when packets
// queue up anyway: when most rounds of reading find several waiting. Up to two thirds of what it can do they find one or two,
// but for bursts.
import { limits } from '../base/limits.ts';

export class Coalescing {
  /** Rounds left for which packets are gathered; 0: they are looked at as they come. */
  #coalescingRounds = 0;
  /** Rounds that were looked at, and those of them that found several packets. */
  #rounds = 0;
  #full = 0;

  /** Whether to sleep before the next round of reading, after one that found `received` packets. */
  coalesces(received: number): boolean {
    const several = received >= limits.coalescePackets;
    if (this.#coalescingRounds > 0) {
      // What came while it slept and is so little isn't load any more.
      this.#coalescingRounds = several ? this.#coalescingRounds - 1 : 0;
      return this.#coalescingRounds > 0;
    }
    this.#rounds++;
    if (several) this.#full++;
    if (this.#rounds < limits.coalesceLookRounds) return false;
    // Gathering hides what comes by itself: it ends after a while, and a look decides anew.
    if (this.#full * 2 >= this.#rounds) this.#coalescingRounds = limits.coalesceRounds;
    this.#rounds = 0;
    this.#full = 0;
    return this.#coalescingRounds > 0;
  }
}
