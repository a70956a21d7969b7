// Lets the control plane step behind the threads that answer.
import { getPriority } from 'node:os';
import { loadFfi, SCHED_BATCH } from '../serve/ffi.ts';

/**
 * The main thread runs as a batch job from now on (sched(7)): when it wakes up it doesn't interrupt a data thread but waits until that one has
 * nothing to do, and a data thread that wakes up interrupts it. As an equal it holds a core that they share for up to a tick of the
 * scheduler, 4 ms. Where all cores are busy it gets its share all the same: probes must go on under a flood.
 *
 * V8's own threads stay as they are: what they compile is what data threads run, and when they had to wait, a data thread that fell back to
 * slow code stayed there for so long that it lost queries (docs/performance.md). Workers that are started from now on
 * inherit it, and those that answer take it off (serve/priority.ts). Nothing without libc.
 */
export function lowerPriority(): void {
  loadFfi()?.schedule({ policy: SCHED_BATCH, nice: getPriority() });
}
