// How urgently the kernel runs a data thread: before everything else while queries come one or two at a time, like others in a flood.
//
// A query takes microseconds, but a thread that wakes up for one waits for the scheduler's tick, up to 4 ms, when the control plane
// or a garbage collector has its core: with 10,000 probed backends on two cores that was p99 (docs/performance.md). In a flood
// nothing of this holds: then probes need their share, or the flood would turn verdicts.
import type { Ffi } from './ffi.ts';

/** sched.h. */
const SCHED_OTHER = 0;
const SCHED_RR = 2;
/** The lowest of the real-time priorities is before all that have none. */
const PRIORITY = 1;
/** The shortest time slice that Linux gives (6.12 and later); others' is 2.8 ms. A thread with a short one waits less for its turn. */
const SLICE_NS = 100_000;

export class Urgency {
  readonly #ffi: Ffi;
  /** Whether it may be urgent: the setting says so, and the kernel (CAP_SYS_NICE or RLIMIT_RTPRIO, no RestrictRealtime). */
  readonly allowed: boolean;
  #urgent = false;

  /** Of the thread that calls. */
  constructor(ffi: Ffi, wanted: boolean) {
    this.#ffi = ffi;
    this.allowed = wanted && this.#set(true);
    if (!this.allowed) this.#set(false);
  }

  /** A system call, when it is a change. */
  set(urgent: boolean): void {
    if (this.allowed && urgent !== this.#urgent) this.#set(urgent);
  }

  #set(urgent: boolean): boolean {
    this.#urgent = urgent;
    return urgent ? this.#ffi.schedule(SCHED_RR, PRIORITY, 0) : this.#ffi.schedule(SCHED_OTHER, 0, SLICE_NS);
  }
}
