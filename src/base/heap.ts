// Keeps V8's heaps small, in a program that shall live for long on a small machine.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Holds for all threads of the process, until the next one starts: V8 sets the growth of young generations back to its least of 2 whenever it
 * makes a heap. So every thread calls this as it begins. `--max-semi-space-size` would say more, but can't be set any more once
 * the program runs.
 */
export function keepHeapsSmall(): void {
  // The young generation stays as small as it begins: left alone it grows to 32 MB a thread (128 on newer versions) and stays so,
  // 150 MB more for 10,000 probed backends, and nothing is faster for it (docs/performance.md).
  setFlagsFromString('--semi-space-growth-factor=1');
  // What is so small isn't worth four threads, each of which would keep pages of its own.
  setFlagsFromString('--no-parallel-scavenge');
  // Collect when the heap is half as large again as what lives in it, not four times: the control plane is never in a hurry.
  setFlagsFromString('--heap-growing-percent=50');
}

/**
 * Collects the calling thread's heap now; some 20 ms. For once, when a start is over: what it left behind, and the young generation that it
 * needed, would stay until V8 finds the thread idle for long, 15 MB and more.
 */
export function collectHeap(): void {
  // The only way to V8's collector without a start option.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  collect();
}
