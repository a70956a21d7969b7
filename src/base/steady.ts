// Time that nobody sets: the wall clock of the program's start, and what has passed since. The same for all of its threads.

/** Milliseconds of the machine's monotonic clock, which all threads share, unlike `performance.now()`. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** To be called once, by the main thread: what `steadyClock` of every thread goes by. */
export function steadyEpochMs(): number {
  return Date.now() - monotonicMs();
}

/** Milliseconds since 1970 as they were at the start of the program, and on from there. Makes no garbage. */
export function steadyClock(epochMs: number): () => number {
  const originMs = epochMs + monotonicMs() - performance.now();
  return () => originMs + performance.now();
}
