// When a data thread gathers: under load it sleeps for a moment before it reads, so that a batch holds more packets.
//
// A batch costs three system calls, and often a wake-up of whoever waits for the answers, however few packets are in it. A
// thread that is nearly busy finds 7 at a time; after 50 us it finds 15, and each costs a sixth less (docs/performance.md).
// That is what network cards do when they hold back an interrupt. The price is latency, so a thread gathers only while most
// of its time is spent answering: then a packet waits longer in its queue anyway. Below that it answers at once.
import { limits } from '../base/limits.ts';

export class Pace {
  readonly #wallMs: () => number;
  readonly #cpuMs: () => number;
  #busy = false;
  #rounds = 0;
  #sinceWallMs: number;
  #sinceCpuMs: number;

  /**
   * @param wallMs the monotonic clock
   * @param cpuMs the processor time that the thread has used
   */
  constructor(wallMs: () => number, cpuMs: () => number) {
    this.#wallMs = wallMs;
    this.#cpuMs = cpuMs;
    this.#sinceWallMs = wallMs();
    this.#sinceCpuMs = cpuMs();
  }

  /** Whether to sleep before the next round of reading, after one that found `received` packets. */
  gathers(received: number): boolean {
    if (++this.#rounds === limits.gatherRounds) this.#look();
    // What came after a sleep and is so little isn't load any more, whatever the last rounds were.
    return this.#busy && received >= limits.gatherFrom;
  }

  /** The clocks are asked once in many rounds: they cost more than all the rest here. */
  #look(): void {
    const wallMs = this.#wallMs();
    const cpuMs = this.#cpuMs();
    const share = (cpuMs - this.#sinceCpuMs) / Math.max(wallMs - this.#sinceWallMs, 1e-3);
    // Gathering itself makes a thread less busy: what starts it must lie well above what ends it.
    this.#busy = share >= (this.#busy ? limits.gatherUntilShare : limits.gatherFromShare);
    this.#rounds = 0;
    this.#sinceWallMs = wallMs;
    this.#sinceCpuMs = cpuMs;
  }
}
