// Time and randomness as things that are handed in, so that tests own them.

/** What a part may ask of time. Timers are unref'd by nobody: who sets one clears it. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. */
  nowMs(): number;
  /** Monotonic, milliseconds from an arbitrary start, with fractions. */
  monotonicMs(): number;
  /** Calls back once after `delayMs`; returns what cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

/** A source of randomness: a double in [0, 1). */
export type Random = () => number;

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** The machine's own randomness, good enough for spreading and picking, not for secrets. */
export const systemRandom: Random = Math.random;
