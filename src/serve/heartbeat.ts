// The sign of life of a thread with an event loop: a word that changes while the loop goes round.
import { limits } from '../base/limits.ts';

/** Changes the int32 now and again and again, without holding the thread's end up. */
export function giveSigns(beat: SharedArrayBuffer): void {
  const word = new Int32Array(beat);
  Atomics.add(word, 0, 1);
  setInterval(() => Atomics.add(word, 0, 1), limits.heartbeatMs).unref();
}
