// How much of its weight a loaded member keeps: between the pool's two marks, moved a little with each report.
import { LOAD_FULL } from '../board/board.ts';

/**
 * Share of the way to the wanted factor that one report moves it. A change of weight shows in the load only as caches run
 * out, some reports later; a sixteenth keeps the loop calm for delays of several reports (test/health/load-factor.test.ts).
 */
const DAMPING = 1 / 16;

/**
 * @param factor what it keeps now, 0 to LOAD_FULL, with fractions
 * @param load what the backend reported, 0 to 1; null: nothing, so it wants its full weight
 * @param marks below the first nothing is shed, from the second on everything is
 * Returns the next factor: nearer to what the load asks for; nothing at once at the high mark, where it takes no new clients.
 */
export function nextLoadFactor(
  factor: number,
  load: number | null,
  marks: readonly [low: number, high: number],
): number {
  const [low, high] = marks;
  if (load !== null && load >= high) return 0;
  const share = load === null || load <= low ? 1 : (high - load) / (high - low);
  const wanted = share * LOAD_FULL;
  // Within one unit there is nothing to see in answers.
  return Math.abs(wanted - factor) < 1 ? wanted : factor + (wanted - factor) * DAMPING;
}
