// What the answer path of a thread is made from.
import type { Clock } from '../base/clock.ts';
import type { RandomWords } from '../base/random.ts';
import type { StoreReader } from '../board/store.ts';
import type { Cookies } from '../guard/cookies.ts';
import type { RateLimiter } from '../guard/rate.ts';
import type { Identity } from './chaos.ts';
import type { EdnsSettings } from './edns.ts';

/** Everything that an answer depends on beside the request and shared memory. */
export interface AnswerParts {
  readonly reader: StoreReader;
  readonly board: Int32Array;
  /** This thread's row of counters, its row for each zone, and its notes on targets (see `NOTE`). */
  readonly counters: Float64Array;
  readonly zoneCounters: Float64Array;
  readonly notes: Float64Array;
  readonly random: RandomWords;
  readonly clock: Clock;
  /** Milliseconds since 1970 that no setting of the clock changes: how long caches may hold an answer is counted by it. */
  readonly steadyMs: () => number;
  readonly cookies: Cookies | null;
  readonly rate: RateLimiter | null;
  readonly edns: EdnsSettings;
  readonly identity: Identity;
  /** Largest UDP answer, and the largest to a client without a valid cookie. */
  readonly udpMaxBytes: number;
  readonly udpMaxBytesWithoutCookie: number;
}
