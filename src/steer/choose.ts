// Chooses for one query: which pool of the client's lists, which of its members, and for how long (contract, section 3).
import { limits } from '../base/limits.ts';
import type { RegionMapView } from '../regionmap/lookup.ts';
import type { ZoneView } from '../zone/find.ts';
import { POOL, STEER } from '../zone/layout.ts';
import { MemberChoice } from './member-choice.ts';
import { CHOSE_MEMBERS, CHOSE_NODATA, CHOSE_SERVFAIL, MODE_FAIL_OPEN } from './outcome.ts';
import { type Draws, PoolChoice } from './pool-choice.ts';
import { NEVER } from './pool-state.ts';

/** One for each thread; results stay until the next `choose`. */
export class Chooser {
  readonly pools: PoolChoice;
  /** Whom it chose, where the outcome is CHOSE_MEMBERS. */
  readonly members: MemberChoice;
  ttlSeconds = 0;

  constructor(board: Int32Array, random: Draws) {
    this.pools = new PoolChoice(board, random, limits.poolsPerSteering);
    this.members = new MemberChoice(board, random);
  }

  /**
   * Returns CHOSE_*.
   * @param steering word of the steering block in `zone`
   * @param way where the client stands in the set's region map, or null where every client has the default list
   * @param client0 client1 first two words of the client's address, for sticky; `family` 4 or 6
   * @param most records that there is room for
   */
  choose(
    zone: ZoneView,
    steering: number,
    way: RegionMapView | null,
    family: number,
    client0: number,
    client1: number,
    most: number,
  ): number {
    const { pools, members } = this;
    const steer = zone.base + steering;
    const pool = pools.choose(zone, steering, way);
    this.ttlSeconds = ttlOf(zone, steer, pools.flipSeconds);
    members.clear();
    if (pool === 0) return pools.servfail ? CHOSE_SERVFAIL : CHOSE_NODATA;
    // Its other family was asked for its state, and has no record to give: a client isn't sent across the world for that.
    if (zone.words[zone.base + pool + POOL.count] === 0) return CHOSE_NODATA;
    const answers = zone.words[steer + STEER.answers]!;
    members.choose(zone, pool, pools.mode === MODE_FAIL_OPEN, answers, family, client0, client1, most);
    return members.count === 0 ? CHOSE_NODATA : CHOSE_MEMBERS;
  }
}

/** A fixed TTL has its `min` equal to `max`; `{max, min}` follows the earliest moment at which a verdict could flip. */
function ttlOf(zone: ZoneView, steer: number, flipSeconds: number): number {
  const max = zone.words[steer + STEER.ttlMax]!;
  if (flipSeconds === NEVER) return max;
  const min = zone.words[steer + STEER.ttlMin]!;
  return Math.max(min, Math.min(max, flipSeconds));
}
