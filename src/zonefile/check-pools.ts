// Lint of pools: those that can never be up, weights that choose nobody, coordinates that were swapped.
import type { Coordinates } from '../geo/place.ts';
import { lintAt } from './check-at.ts';
import type { GeoData } from './linted-zone.ts';
import { familiesOf, type WrittenPool } from './pools.ts';

/** Members that are looked up in the databases, of a pool: they stand together. */
const LOOKED_UP = 5;

/** Reports what is doubtful about a pool by itself. `data` is null where nothing is known of addresses. */
export function lintPool(written: WrittenPool, data: GeoData | null): void {
  const { pool, document, minLiveOffset, membersOffset, atOffset, broken } = written;
  if (broken) return;
  for (const family of familiesOf(pool)) {
    const count = pool.members.filter((member) => member.family === family).length;
    if (pool.minLive.kind === 'count' && pool.minLive.count > count) {
      const members = `${count} ${family === 'name' ? '' : `IPv${family} `}member${count === 1 ? '' : 's'}`;
      const message = `min-live is ${pool.minLive.count}, but the pool ${pool.name} has ${members}: it can never be up`;
      document.report('min-live-unreachable', minLiveOffset, message, `write min-live: ${count}, or add members`);
    }
  }
  if (pool.members.length > 0 && pool.members.every(({ weight }) => weight === 0)) {
    const message = `every member of the pool ${pool.name} has weight 0: all share alike, as the last resort of each other`;
    document.report('weights-all-zero', membersOffset, message, 'give those a weight that are to serve');
  }
  if (pool.at === null) return;
  const places: Coordinates[] = [];
  for (const { family, bytes } of pool.members.slice(0, LOOKED_UP)) {
    const place = family === 'name' ? null : (data?.coordinatesOf({ family, bytes }) ?? null);
    if (place !== null) places.push(place);
  }
  lintAt(document, atOffset, pool.name, pool.at, places);
}
