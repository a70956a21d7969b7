// Long work in slices: whoever does some asks now and then whether its slice is used up, and lets all others have their turn.
import { type Clock, systemClock } from './clock.ts';
import { limits } from './limits.ts';

/** Nobody waits for the result any more: thrown out of `rest`, so that the work ends there. */
export class Unwanted extends Error {}

/** Work of which only one slice is done in each turn of the event loop, however much of it there is. */
const resting: (() => void)[] = [];
let scheduled = false;

function wakeNext(): void {
  const next = resting.shift();
  if (resting.length > 0) setImmediate(wakeNext);
  else scheduled = false;
  next?.();
}

/** One piece of long work. A slice takes `limits.sliceMs`. */
export class Slices {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #isWanted: () => boolean;
  #untilMs = 0;

  /** @param isWanted false ends the work at its next rest */
  constructor(isWanted: () => boolean = () => true, clock: Pick<Clock, 'monotonicMs'> = systemClock) {
    this.#isWanted = isWanted;
    this.#clock = clock;
  }

  /** Whether the slice is used up: true at first, so that work which has just come in waits for its turn too. */
  get isOver(): boolean {
    return this.#clock.monotonicMs() >= this.#untilMs;
  }

  /** Waits for its next turn. Throws Unwanted. */
  async rest(): Promise<void> {
    await new Promise<void>((resolve) => {
      resting.push(resolve);
      if (scheduled) return;
      scheduled = true;
      setImmediate(wakeNext);
    });
    if (!this.#isWanted()) throw new Unwanted();
    this.#untilMs = this.#clock.monotonicMs() + limits.sliceMs;
  }
}

/** Does work that yields its results, or null where others may have their turn. Throws Unwanted. */
export async function* inSlices<T>(steps: Iterable<T | null>, slices: Slices): AsyncGenerator<T> {
  for (const step of steps) {
    if (slices.isOver) await slices.rest();
    if (step !== null) yield step;
  }
}

/** Does work that gives others their turn wherever it yields. Throws Unwanted. */
export async function finish<T>(work: Generator<unknown, T>, slices: Slices): Promise<T> {
  for (;;) {
    if (slices.isOver) await slices.rest();
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** Does it without a pause. */
export function atOnce<T>(work: Generator<unknown, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
