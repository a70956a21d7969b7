// How urgently the kernel runs a data thread: before everything else, unless it has too much to do or takes the core from those who ask.
//
// A query takes microseconds, but a thread that wakes up for one waits for the scheduler's tick, up to 4 ms, when the control plane,
// a garbage collection or the kernel's own work has its core, and longer when there is more to do than cores (docs/performance.md).
// Overload is another matter: then probes need their share, or a flood would turn verdicts. And where those who ask run on this very
// machine, a thread that goes first interrupts them for every packet and never finds two at once, which costs twice as much.
import { getPriority } from 'node:os';
import { limits } from '../base/limits.ts';
import { type Ffi, SCHED_OTHER, SCHED_RR } from './ffi.ts';

/** The lowest of the real-time priorities is before all that have none. */
const PRIORITY = 1;
/** The shortest time slice that Linux gives (6.12 and later); others' is 2.8 ms. A thread with a short one waits less for its turn. */
const SLICE_NS = 100_000;

export class Priority {
  readonly #ffi: Ffi;
  readonly #monotonicMs: () => number;
  /** Whether it may be urgent: the setting says so, and the kernel (CAP_SYS_NICE or RLIMIT_RTPRIO, no RestrictRealtime). */
  readonly allowed: boolean;
  #raised = false;
  /** Packets since the last look, those of them that came from this machine, when that was, and what CPU the thread had used. */
  #packets = 0;
  #local = 0;
  #sinceMs: number;
  #sinceCpuMs: number;
  /** What share of a core the thread has used of late. */
  #share = 0;

  /** Of the thread that calls. */
  constructor(ffi: Ffi, wanted: boolean, monotonicMs: () => number) {
    this.#ffi = ffi;
    this.#monotonicMs = monotonicMs;
    this.#sinceMs = monotonicMs();
    this.#sinceCpuMs = ffi.threadCpuMs();
    this.allowed = wanted && this.#set(true);
    if (!this.allowed) this.#set(false);
  }

  /** Packets were received, from this machine itself or from elsewhere: looks at the load, now and then. */
  received(packets: number, local: boolean): void {
    this.#packets += packets;
    if (local) this.#local += packets;
    if (this.#packets < limits.priorityLookPackets || !this.allowed) return;
    const now = this.#monotonicMs();
    const cpuMs = this.#ffi.threadCpuMs();
    const urgent = this.#should(now - this.#sinceMs, cpuMs - this.#sinceCpuMs);
    this.#packets = 0;
    this.#local = 0;
    this.#sinceMs = now;
    this.#sinceCpuMs = cpuMs;
    if (urgent !== this.#raised) this.#set(urgent);
  }

  /** Whether to be urgent after so much time, and CPU time. */
  #should(elapsedMs: number, cpuMs: number): boolean {
    // CPU says what load there is: a queue also comes of waiting for the core, and so does a single busy look.
    this.#share += (cpuMs / elapsedMs - this.#share) * Math.min(1, elapsedMs / limits.priorityShareMs);
    if (this.#share > limits.priorityShare) return false;
    const elsewhere = this.#local * 2 < this.#packets;
    return elsewhere || this.#packets * 1000 <= limits.priorityLocalPacketsPerSecond * elapsedMs;
  }

  #set(urgent: boolean): boolean {
    this.#raised = urgent;
    return urgent ? this.#ffi.schedule({ policy: SCHED_RR, nice: 0, priority: PRIORITY }) : scheduleAsOthers(this.#ffi);
  }
}

/** Schedules the calling thread, which answers, like other programs' threads, but soon when it wakes up: the control plane steps behind it. */
export function scheduleAsOthers(ffi: Ffi): boolean {
  return ffi.schedule({ policy: SCHED_OTHER, nice: getPriority(), sliceNs: SLICE_NS });
}
