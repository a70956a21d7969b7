// Lets the control plane, and V8's threads that compile and collect in the background, step behind the threads that answer.
import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { loadFfi, SCHED_BATCH } from '../serve/ffi.ts';

/**
 * Every thread that the process has now runs as a batch job from now on (sched(7)): when it wakes up it doesn't interrupt a data thread but waits
 * until that one has nothing to do, and a data thread that wakes up interrupts it. As equals they hold a core for up to
 * 3 ms at a time, which was most of p99 where they share it with a data thread (docs/performance.md). Where all cores are busy they
 * get their share all the same: probes must go on under a flood, and code that isn't compiled soon is what makes a core busy. So nobody
 * is made nicer here: in one run of fifteen with nicer helpers a data thread stayed slow for seconds and lost queries.
 *
 * Called before workers are started: they inherit it, and those that answer take it off (serve/urgency.ts). Nothing without libc.
 */
export function stepBehind(): void {
  const ffi = loadFfi();
  if (ffi === null) return;
  for (const task of readdirSync('/proc/self/task')) {
    ffi.schedule({ thread: Number(task), policy: SCHED_BATCH, nice: getPriority() });
  }
}
