// How urgently the kernel runs a data thread: before everything else, unless it has too much to do or that makes packets dear.
//
// A query takes microseconds, but a thread that wakes up for one waits for the scheduler's tick, up to 4 ms, when the control plane,
// a garbage collection or the kernel's own work has its core: that was p99, with 10,000 probed backends on two cores and under load
// alone (docs/performance.md). Overload is another matter: then probes need their share, or a flood would turn verdicts. Between the
// two a trial decides.
import { getPriority } from 'node:os';
import { limits } from '../base/limits.ts';
import { type Ffi, SCHED_OTHER, SCHED_RR } from './ffi.ts';
import { Trial } from './trial.ts';

/** The lowest of the real-time priorities is before all that have none. */
const PRIORITY = 1;
/** The shortest time slice that Linux gives (6.12 and later); others' is 2.8 ms. A thread with a short one waits less for its turn. */
const SLICE_NS = 100_000;

export class Urgency {
  readonly #ffi: Ffi;
  readonly #monotonicMs: () => number;
  /** Whether it may be urgent: the setting says so, and the kernel (CAP_SYS_NICE or RLIMIT_RTPRIO, no RestrictRealtime). */
  readonly allowed: boolean;
  readonly #trial = new Trial();
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

  /** Packets were received, and the next will be gathered or not (pace.ts): looks at the rate, now and then. */
  received(packets: number, gathers: boolean): void {
    this.#packets += packets;
    if (this.#packets < limits.urgentLookPackets || !this.allowed) return;
    const nowMs = this.#monotonicMs();
    const cpuMs = this.#ffi.threadCpuMs();
    const urgent = this.#should(this.#packets, nowMs - this.#sinceMs, cpuMs - this.#sinceCpuMs, gathers, nowMs);
    this.#packets = 0;
    this.#sinceMs = nowMs;
    this.#sinceCpuMs = cpuMs;
    if (urgent !== this.#urgent) this.#set(urgent);
  }

  /** Whether to be urgent after so many packets in so much time, and CPU time. */
  #should(packets: number, elapsedMs: number, cpuMs: number, gathers: boolean, nowMs: number): boolean {
    const trial = this.#trial;
    // A queue would say less about load than the CPU: it also comes of waiting for the core. Who gathers has let go of latency already.
    const overloaded = gathers || cpuMs > limits.urgentShare * elapsedMs;
    const easy = packets * 1000 <= limits.urgentPacketsPerSecond * elapsedMs;
    if (overloaded || easy) {
      trial.interrupt();
      return !overloaded;
    }
    // What was used while it did something else than the trial says is no part of it.
    if (this.#urgent === trial.first) trial.look(packets, cpuMs, nowMs);
    return trial.first;
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
