// What the last probes add up to: a pure state machine from results to a verdict.

export type Verdict = 'up' | 'down' | 'unknown';

/** When a state changes. */
export interface StateSettings {
  /** Failures until down. */
  readonly fall: number;
  /** Successes in a row until up, and until earlier failures are forgotten. */
  readonly rise: number;
  /** More flips than this within `flapWindowMs` hold the target down. */
  readonly flapFlips: number;
  readonly flapWindowMs: number;
}

/** All that is remembered of a target's probes. */
export interface State {
  /** What counts: `probed`, but down while `flapping`. */
  readonly verdict: Verdict;
  /** What fall and rise alone say. */
  readonly probed: Verdict;
  /** Failures that count towards down; 0 while down. */
  readonly failures: number;
  /** Successes in a row since the last failure or flip, at most `rise`. */
  readonly successes: number;
  /** When `verdict` became what it is, wall clock; null while unknown. */
  readonly sinceMs: number | null;
  /** When `probed` went from up to down or back, the latest last; only those of the last `flapWindowMs`. */
  readonly flips: readonly number[];
  readonly flapping: boolean;
}

/** Before the first probe. */
export const initialState: State = {
  verdict: 'unknown',
  probed: 'unknown',
  failures: 0,
  successes: 0,
  sinceMs: null,
  flips: [],
  flapping: false,
};

/**
 * The state after one more result. Down after `fall` failures without `rise` successes in a row between them, up after `rise`
 * successes in a row; the first result decides the first verdict. A target with more than `flapFlips` flips within the
 * window is flapping, and down, until half of them are older than the window.
 */
export function next(
  state: State,
  result: { readonly ok: boolean; readonly atMs: number },
  settings: StateSettings,
): State {
  const { ok, atMs } = result;
  let { probed, failures, successes } = state;
  let flips = state.flips;
  if (flips.length > 0 && flips[0]! <= atMs - settings.flapWindowMs)
    flips = flips.filter((flip) => flip > atMs - settings.flapWindowMs);
  if (probed === 'unknown') {
    probed = ok ? 'up' : 'down';
    successes = ok ? 1 : 0;
  } else {
    successes = ok ? Math.min(successes + 1, settings.rise) : 0;
    if (probed === 'up') {
      if (!ok) failures++;
      else if (successes >= settings.rise) failures = 0;
    }
    const flipped = probed === 'up' ? failures >= settings.fall : successes >= settings.rise;
    if (flipped) {
      probed = probed === 'up' ? 'down' : 'up';
      failures = 0;
      flips = [...flips, atMs].slice(-settings.flapFlips - 1);
    }
  }
  const flapping = state.flapping ? flips.length > settings.flapFlips / 2 : flips.length > settings.flapFlips;
  const verdict = flapping ? 'down' : probed;
  const sinceMs = verdict === state.verdict ? state.sinceMs : atMs;
  return { verdict, probed, failures, successes, sinceMs, flips, flapping };
}

/**
 * Seconds until the verdict could change at the earliest, whole, at least 0: interval x (fall - failures so far) when up (unknown
 * counts as up), interval x (rise - successes so far) when down. `verdict` is the one that is told, which a freeze may hold.
 */
export function secondsToFlip(state: State, verdict: Verdict, settings: StateSettings, intervalMs: number): number {
  const left =
    verdict !== 'down'
      ? state.probed === 'down'
        ? 0
        : settings.fall - state.failures
      : state.probed === 'up' && !state.flapping
        ? 0
        : settings.rise - (state.probed === 'down' ? state.successes : 0);
  return Math.max(0, Math.floor((left * intervalMs) / 1000));
}
