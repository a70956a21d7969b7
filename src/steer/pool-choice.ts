// Chooses the pool: through the lists of the client's way up, the first that is up, the nearest, or a draw (contract, section 3).
import type { RandomWords } from '../base/random.ts';
import type { RegionMapView } from '../regionmap/lookup.ts';
import type { ZoneView } from '../zone/find.ts';
import {
  ELEMENT,
  POOL,
  STEER,
  STEER_DYNAMIC_TTL,
  STEER_NEXT_FAMILY,
  WHEN_SERVE,
  WHEN_SERVFAIL,
  whenOf,
} from '../zone/layout.ts';
import { ListCursor } from '../zone/list-cursor.ts';
import { type ChoiceTrace, MODE_BELOW_MIN_LIVE, MODE_FAIL_OPEN, MODE_NOBODY, MODE_UP } from './outcome.ts';
import { NEVER, PoolState } from './pool-state.ts';

/** Draws that need no random numbers. */
export type Draws = Pick<RandomWords, 'next' | 'below'>;

const NO_ORDER = new Int32Array(0);

/** One for each chooser; what it shows stays until the next `choose`. */
export class PoolChoice {
  /** Word of the chosen pool's block, 0: none. */
  pool = 0;
  /** MODE_*. */
  mode = MODE_UP;
  /** No pool, since nothing is live and the set wants SERVFAIL then; else no pool is NODATA. */
  servfail = false;
  /** The first list alone didn't decide: the scope must hold for the whole way up. */
  climbed = false;
  /** A list that decided names a pool that picks `sticky`. */
  sticky = false;
  /** Seconds until the earliest flip among the members of the chosen pool and of those passed over, or NEVER. */
  flipSeconds = NEVER;
  trace: ChoiceTrace | null = null;

  readonly #state: PoolState;
  readonly #list = new ListCursor();
  readonly #random: Draws;
  /** The pools that a draw decides between. */
  readonly #drawn: Int32Array;
  readonly #weights: Float64Array;
  readonly #flips: Int32Array;
  #withFlips = false;
  #borrow = true;
  /** A pool that `#firstWith` looked at has members of the asked family. */
  #hasFamily = false;

  /** @param most pools of one draw */
  constructor(board: Int32Array, random: Draws, most: number) {
    this.#state = new PoolState(board);
    this.#random = random;
    this.#drawn = new Int32Array(most);
    this.#weights = new Float64Array(most);
    this.#flips = new Int32Array(most);
  }

  /**
   * Returns the pool, 0 where there is none.
   * @param steering word of the steering block in `zone`
   * @param way where the client stands in the set's region map, or null where every client has the default list
   */
  choose(zone: ZoneView, steering: number, way: RegionMapView | null): number {
    const steer = zone.base + steering;
    const flags = zone.words[steer + STEER.flags]!;
    this.mode = MODE_UP;
    this.servfail = false;
    this.climbed = false;
    this.sticky = false;
    this.flipSeconds = NEVER;
    this.#withFlips = (flags & STEER_DYNAMIC_TTL) !== 0;
    this.#borrow = (flags & STEER_NEXT_FAMILY) === 0;
    const lists = way === null ? 1 : way.listCount;
    let pool = 0;
    let c = 0;
    for (; c < lists && pool === 0; c++) {
      const list = this.#open(zone, steer, way, c);
      // `default: nodata` is for clients that match no region; it is never climbed to.
      if (list.isEmpty && c === 0) break;
      if (list.isSticky) this.sticky = true;
      if (!list.isEmpty) this.climbed = c > 0;
      pool = this.#firstUp(zone, list);
    }
    if (this.trace !== null) this.#tellWay(this.trace, zone, steer, way, Math.max(1, c));
    // `default: nodata` ended it before it began.
    if (pool === 0 && c > 0) pool = this.#allDown(zone, steer, way, lists, whenOf(flags));
    return this.#take(pool);
  }

  #take(pool: number): number {
    this.pool = pool;
    return pool;
  }

  /** Stands before the list at position `c` of the way. */
  #open(zone: ZoneView, steer: number, way: RegionMapView | null, c: number): ListCursor {
    const words = zone.words;
    const list = this.#list;
    if (way === null) {
      const slot = words[steer + STEER.defaultSlot]!;
      list.open(words, zone.base + words[steer + STEER.size + slot]!, NO_ORDER, 0);
    } else {
      const variant = way.variantAt(c);
      const slot = way.words[variant]!;
      list.open(words, zone.base + words[steer + STEER.size + slot]!, way.words, variant + 1);
    }
    return list;
  }

  /** The first pool of a list that is up, or 0. */
  #firstUp(zone: ZoneView, list: ListCursor): number {
    while (list.next()) {
      const pool = this.#upOfGroup(zone, list);
      if (pool !== 0) return pool;
    }
    return 0;
  }

  #upOfGroup(zone: ZoneView, list: ListCursor): number {
    switch (list.kind) {
      case ELEMENT.pool: {
        const pool = list.pool(0);
        if (!this.#isUp(zone, pool)) return 0;
        this.#noteFlip(this.#state.flipSeconds);
        return pool;
      }
      case ELEMENT.closest:
        return this.#nearestUp(zone, list);
      case ELEMENT.weighted:
        return this.#drawUp(zone, list);
    }
  }

  /** `closest`: the pools in the client's order; those of one tier (near-ties) share. */
  #nearestUp(zone: ZoneView, list: ListCursor): number {
    let ties = 0;
    for (let k = 0; k < list.count; k++) {
      if (ties > 0 && list.startsTier(k)) break;
      const pool = list.pool(k);
      if (this.#isUp(zone, pool)) this.#candidate(ties++, pool, 1);
    }
    if (ties === 0) return 0;
    return this.#draw(ties === 1 ? 0 : this.#random.below(ties));
  }

  /** `weighted` between pools: a draw among those that are up; weight 0 only when no other is. */
  #drawUp(zone: ZoneView, list: ListCursor): number {
    let up = 0;
    let total = 0;
    for (let k = 0; k < list.count; k++) {
      const pool = list.pool(k);
      if (!this.#isUp(zone, pool)) continue;
      const weight = list.weight(k);
      this.#candidate(up++, pool, weight);
      total += weight;
    }
    if (up === 0) return 0;
    if (total === 0) return this.#draw(this.#random.below(up));
    let draw = this.#random.below(total);
    for (let k = 0; k < up; k++) {
      draw -= this.#weights[k]!;
      if (draw < 0) return this.#draw(k);
    }
    return this.#draw(up - 1);
  }

  #candidate(k: number, pool: number, weight: number): void {
    this.#drawn[k] = pool;
    this.#weights[k] = weight;
    this.#flips[k] = this.#state.flipSeconds;
  }

  /** The pool that the draw fell on: from now on its members' flips count. */
  #draw(k: number): number {
    this.#noteFlip(this.#flips[k]!);
    return this.#drawn[k]!;
  }

  #noteFlip(flipSeconds: number): void {
    if (flipSeconds < this.flipSeconds) this.flipSeconds = flipSeconds;
  }

  /** Looks at a pool, and notes the flips of one that is passed over: should it come back, the answer is another. */
  #isUp(zone: ZoneView, pool: number): boolean {
    const state = this.#state;
    const up = state.look(zone, pool, this.#borrow, this.#withFlips);
    if (!up) this.#noteFlip(state.flipSeconds);
    return up;
  }

  /** No pool is up: a live member somewhere on the way up, else what the set wants. */
  #allDown(zone: ZoneView, steer: number, way: RegionMapView | null, lists: number, when: number): number {
    this.climbed = true;
    const below = this.#firstWith(MODE_BELOW_MIN_LIVE, zone, steer, way, lists);
    if (below !== 0) {
      this.mode = MODE_BELOW_MIN_LIVE;
      return below;
    }
    // `on-missing-family: next` came to the end of the way: the name has no such records, up or down.
    if (!this.#borrow && !this.#hasFamily) return 0;
    const open = this.#firstWith(MODE_FAIL_OPEN, zone, steer, way, lists);
    if (open !== 0 && when === WHEN_SERVE) {
      this.mode = MODE_FAIL_OPEN;
      return open;
    }
    if (open === 0 && this.#hasFamily) this.mode = MODE_NOBODY;
    this.servfail = when === WHEN_SERVFAIL;
    return 0;
  }

  /** The first pool on the whole way up that has a live (or, failing open, an available) member. */
  #firstWith(mode: number, zone: ZoneView, steer: number, way: RegionMapView | null, lists: number): number {
    const state = this.#state;
    this.#hasFamily = false;
    for (let c = 0; c < lists; c++) {
      const list = this.#open(zone, steer, way, c);
      if (list.isSticky) this.sticky = true;
      while (list.next()) {
        for (let k = 0; k < list.count; k++) {
          const pool = list.pool(k);
          state.look(zone, pool, this.#borrow, false);
          if (state.members > 0) this.#hasFamily = true;
          if ((mode === MODE_BELOW_MIN_LIVE ? state.live : state.available) > 0) return pool;
        }
      }
    }
    return 0;
  }

  /** The pools of the lists that were looked at. */
  #tellWay(trace: ChoiceTrace, zone: ZoneView, steer: number, way: RegionMapView | null, lists: number): void {
    const state = this.#state;
    let draw = 0;
    for (let c = 0; c < lists; c++) {
      const list = this.#open(zone, steer, way, c);
      trace.list(c, way === null ? zone.words[steer + STEER.defaultSlot]! : way.words[way.variantAt(c)]!);
      while (list.next()) {
        for (let k = 0; k < list.count; k++) {
          if (k === 0 || (list.kind === ELEMENT.closest && list.startsTier(k))) draw++;
          const pool = list.pool(k);
          state.look(zone, pool, true, false);
          const { up, live, members } = state;
          trace.pool(zone.words[zone.base + pool + POOL.number]!, draw, up, members === 0 ? 0 : live, members);
        }
      }
    }
  }
}
