// Lets the control thread and the health thread step behind the threads that answer, and the first behind the second.
import { getPriority } from 'node:os';
import { loadFfi, SCHED_BATCH } from '../serve/ffi.ts';

/** A short time slice: of two threads that wait, the kernel takes the one that asks for less (Linux 6.12 and later). */
const HEALTH_SLICE_NS = 100_000;

/**
 * The main thread runs as a batch job from now on (sched(7)): when it wakes up it doesn't interrupt a data thread but waits until that one has
 * nothing to do, and a data thread that wakes up interrupts it. As an equal it holds a core that they share for up to a tick of the
 * scheduler, 4 ms. Where all cores are busy it gets its share all the same: the admin must answer under a flood.
 *
 * V8's own threads stay as they are: what they compile is what data threads run, and when they had to wait, a data thread that fell back to
 * slow code stayed there for so long that it lost queries (docs/performance.md). Workers that are started from now on
 * inherit it, and those that answer take it off (serve/priority.ts). Nothing without libc.
 */
export function lowerPriority(): void {
  loadFfi()?.schedule({ policy: SCHED_BATCH, nice: getPriority() });
}

/**
 * The health thread is a batch job too, for the same reason: a probe may wait for a tick, a query may not. Where it and the control thread
 * wait for one core, it goes first. Under a flood it gets its share, or verdicts would turn.
 * @param nice the process's own: a new thread doesn't inherit one below 0 (SCHED_FLAG_RESET_ON_FORK)
 */
export function scheduleHealth(nice: number): void {
  loadFfi()?.schedule({ policy: SCHED_BATCH, nice, sliceNs: HEALTH_SLICE_NS });
}
