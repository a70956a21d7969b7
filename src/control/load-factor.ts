// How much of its weight a loaded member keeps: steps between the pool's two marks, one at a time.
import { LOAD_FULL } from '../board/board.ts';

/** Steps between full weight and none: small enough to damp, few enough to react within some probes. */
const STEPS = 8;

/**
 * @param factor what it keeps now, 0 to LOAD_FULL
 * @param load what the backend reported, 0 to 1; null: nothing, so the full weight holds
 * @param marks below the first nothing is shed, from the second on everything is
 * Returns the next factor: at most one step from the present one, so that a fleet doesn't swing.
 */
export function nextLoadFactor(factor: number, load: number | null, marks: readonly [low: number, high: number]): number {
  const [low, high] = marks;
  const share = load === null || load <= low ? 1 : load >= high ? 0 : (high - load) / (high - low);
  const wanted = Math.round(Math.round(share * STEPS) * (LOAD_FULL / STEPS));
  const step = Math.ceil(LOAD_FULL / STEPS);
  // At the high mark it takes no new clients at once: that is a limit, not a swing.
  if (share === 0) return 0;
  if (wanted > factor) return Math.min(wanted, factor + step);
  return Math.max(wanted, factor - step);
}
