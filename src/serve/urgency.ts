// How urgently the kernel runs a data thread: before everything else while queries come at an easy rate, like others beyond that.
//
// A query takes microseconds, but a thread that wakes up for one waits for the scheduler's tick, up to 4 ms, when the control plane
// or a garbage collector has its core: with 10,000 probed backends on two cores that was p99 (docs/performance.md). Under load it
// is the other way round: then probes need their share, or a flood would turn verdicts, and who interrupts whatever runs for every
// packet never finds two at once, which costs twice as much.
import { getPriority } from 'node:os';
import { limits } from '../base/limits.ts';
import { type Ffi, SCHED_OTHER, SCHED_RR } from './ffi.ts';

/** The lowest of the real-time priorities is before all that have none. */
const PRIORITY = 1;
/** The shortest time slice that Linux gives (6.12 and later); others' is 2.8 ms. A thread with a short one waits less for its turn. */
const SLICE_NS = 100_000;

export class Urgency {
  readonly #ffi: Ffi;
  readonly #monotonicMs: () => number;
  /** Whether it may be urgent: the setting says so, and the kernel (CAP_SYS_NICE or RLIMIT_RTPRIO, no RestrictRealtime). */
  readonly allowed: boolean;
  #urgent = false;
  /** Packets since the last look at the rate, when that was, and what CPU the thread had used. */
  #packets = 0;
  #sinceMs: number;
  #sinceCpuMs: number;

  /** Of the thread that calls. */
  constructor(ffi: Ffi, wanted: boolean, monotonicMs: () => number) {
    this.#ffi = ffi;
    this.#monotonicMs = monotonicMs;
    this.#sinceMs = monotonicMs();
    this.#sinceCpuMs = ffi.threadCpuMs();
    this.allowed = wanted && this.#set(true);
    if (!this.allowed) this.#set(false);
  }

  /** Packets were received: looks at the rate, now and then. */
  received(packets: number): void {
    this.#packets += packets;
    if (this.#packets < limits.urgentLookPackets || !this.allowed) return;
    const now = this.#monotonicMs();
    const cpuMs = this.#ffi.threadCpuMs();
    const elapsedMs = now - this.#sinceMs;
    // The second is for a slow core, or answers that cost much. A queue would say less: it also comes of waiting for the core.
    const easy =
      this.#packets * 1000 <= limits.urgentPacketsPerSecond * elapsedMs &&
      cpuMs - this.#sinceCpuMs <= limits.urgentShare * elapsedMs;
    this.#packets = 0;
    this.#sinceMs = now;
    this.#sinceCpuMs = cpuMs;
    if (easy !== this.#urgent) this.#set(easy);
  }

  #set(urgent: boolean): boolean {
    this.#urgent = urgent;
    return urgent ? this.#ffi.schedule({ policy: SCHED_RR, nice: 0, priority: PRIORITY }) : likeOthers(this.#ffi);
  }
}

/** Schedules the calling thread, which answers, like other programs' threads, but soon when it wakes up: the control plane steps behind it. */
export function likeOthers(ffi: Ffi): boolean {
  return ffi.schedule({ policy: SCHED_OTHER, nice: getPriority(), sliceNs: SLICE_NS });
}
