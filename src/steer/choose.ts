// Chooses for one query: which pool of the client's lists, and which of its members, in which order (contract, section 3).

import { mix32 } from '../base/hash.ts';
import { limits } from '../base/limits.ts';
import type { RandomWords } from '../base/random.ts';
import { flipSecondsOf, isLive, isWithdrawn, LOAD_FULL, loadOf } from '../board/board.ts';
import type { RegionMapView } from '../regionmap/lookup.ts';
import type { ZoneView } from '../zone/find.ts';
import {
  ELEMENT_CLOSEST,
  ELEMENT_POOL,
  LIST_COUNT_MASK,
  LIST_STICKY,
  MEMBER_HASH,
  MEMBER_TARGET,
  MEMBER_WEIGHT,
  MEMBER_WORDS,
  PICK_ORDERED,
  PICK_STICKY,
  POOL,
  STEER,
  STEER_DYNAMIC_TTL,
  WHEN_NODATA,
  WHEN_SERVFAIL,
} from '../zone/layout.ts';

/** `chosen` holds members of `pool`. */
export const CHOSE_MEMBERS = 0;
/** NODATA: the chosen pool has no member of this family, `default: nodata`, `when-all-down: nodata`, or nobody is left. */
export const CHOSE_NODATA = 1;
export const CHOSE_SERVFAIL = 2;

/** Why the members of an answer are in it. */
export const MODE_UP = 0;
/** No pool is up; this one is below its min-live, but has live members. */
export const MODE_BELOW_MIN_LIVE = 1;
/** Nobody is live: fail-open. */
export const MODE_FAIL_OPEN = 2;

/** What explain listens to: each pool that was looked at, in order. */
export interface ChoiceTrace {
  list(position: number, slot: number): void;
  pool(number: number, up: boolean, live: number): void;
}

const TIER = 0x10000;
const NEVER = 0x7fffffff;

/** One for each thread; results stay until the next `choose`. */
export class Chooser {
  /** Word of the chosen pool's block, 0: none. */
  pool = 0;
  /** Words of the chosen members, in the order of the answer. */
  readonly chosen = new Int32Array(limits.membersPerPool);
  count = 0;
  /** There were more members than there was room for. */
  cut = false;
  mode = MODE_UP;
  /** The first list alone didn't decide: the scope must hold for the whole chain. */
  climbed = false;
  /** A list that decided names a pool that picks `sticky`. */
  sticky = false;
  ttlSeconds = 0;
  trace: ChoiceTrace | null = null;

  readonly #board: Int32Array;
  readonly #random: RandomWords;
  readonly #weights = new Float64Array(limits.membersPerPool);
  readonly #tier = new Int32Array(limits.poolsPerSteering);
  readonly #tierWeights = new Float64Array(limits.poolsPerSteering);
  readonly #tierFlips = new Int32Array(limits.poolsPerSteering);
  #live = 0;
  #available = 0;
  /** The earliest flip among the members of the chosen pool and of those passed over; of the pool last looked at. */
  #flipSeconds = NEVER;
  #poolFlip = NEVER;
  #dynamic = false;

  constructor(board: Int32Array, random: RandomWords) {
    this.#board = board;
    this.#random = random;
  }

  /**
   * @param steering word of the steering block in `zone`
   * @param map where the client stands in the set's region map, or null where every client has the default list
   * @param client0 client1 first two words of the client's address, for sticky; `family` 4 or 6
   * @param most records that there is room for
   */
  choose(
    zone: ZoneView,
    steering: number,
    map: RegionMapView | null,
    family: number,
    client0: number,
    client1: number,
    most: number,
  ): number {
    const steer = zone.base + steering;
    const words = zone.words;
    const flags = words[steer + STEER.flags]!;
    this.pool = 0;
    this.count = 0;
    this.cut = false;
    this.mode = MODE_UP;
    this.climbed = false;
    this.sticky = false;
    this.#dynamic = (flags & STEER_DYNAMIC_TTL) !== 0;
    this.#flipSeconds = NEVER;
    const lists = map === null ? 1 : map.words[map.chainAt]!;
    for (let c = 0; c < lists && this.pool === 0; c++) {
      const list = this.#listAt(zone, steer, map, c);
      if ((words[list]! & LIST_COUNT_MASK) === 0) {
        // `default: nodata` is for clients that match no region; it is never climbed to.
        if (c === 0) return this.#finish(zone, steer, CHOSE_NODATA);
        continue;
      }
      this.climbed = c > 0;
      if ((words[list]! & LIST_STICKY) !== 0) this.sticky = true;
      this.pool = this.#firstUp(zone, list, map === null ? 0 : map.variantAt(c) + 1, map);
    }
    if (this.pool === 0) {
      this.climbed = true;
      this.pool = this.#anyPool(zone, steer, map, lists, MODE_BELOW_MIN_LIVE);
      if (this.pool !== 0) this.mode = MODE_BELOW_MIN_LIVE;
      else {
        if ((flags & 3) === WHEN_NODATA) return this.#finish(zone, steer, CHOSE_NODATA);
        if ((flags & 3) === WHEN_SERVFAIL) return this.#finish(zone, steer, CHOSE_SERVFAIL);
        this.pool = this.#anyPool(zone, steer, map, lists, MODE_FAIL_OPEN);
        this.mode = MODE_FAIL_OPEN;
        if (this.pool === 0) return this.#finish(zone, steer, CHOSE_NODATA);
      }
    }
    if (words[zone.base + this.pool + POOL.count] === 0) return this.#finish(zone, steer, CHOSE_NODATA);
    const answers = words[steer + STEER.answers]!;
    this.#pick(zone, this.pool, answers, family, client0, client1, most);
    return this.#finish(zone, steer, this.count === 0 ? CHOSE_NODATA : CHOSE_MEMBERS);
  }

  /** TTL by the contract's rule; `{max, min}` follows the earliest moment at which a verdict could flip. */
  #finish(zone: ZoneView, steer: number, outcome: number): number {
    const max = zone.words[steer + STEER.ttlMax]!;
    const min = zone.words[steer + STEER.ttlMin]!;
    this.ttlSeconds =
      this.#dynamic && this.#flipSeconds !== NEVER ? Math.max(min, Math.min(max, this.#flipSeconds)) : max;
    return outcome;
  }

  /** Absolute word of the list at position `c` of the client's chain. */
  #listAt(zone: ZoneView, steer: number, map: RegionMapView | null, c: number): number {
    const slot = map === null ? zone.words[steer + STEER.defaultSlot]! : map.words[map.variantAt(c)]!;
    if (this.trace !== null) this.trace.list(c, slot);
    return zone.base + zone.words[steer + STEER.size + slot]!;
  }

  /** The first pool of a list that is up, or 0. `order`: where the orders of the list's `closest` groups stand in the map. */
  #firstUp(zone: ZoneView, list: number, order: number, map: RegionMapView | null): number {
    const words = zone.words;
    const elements = words[list]! & LIST_COUNT_MASK;
    let at = list + 1;
    let orderAt = order;
    for (let e = 0; e < elements; e++) {
      const kind = words[at]!;
      if (kind === ELEMENT_POOL) {
        if (this.#isUp(zone, words[at + 1]!)) {
          this.#noteFlip(this.#poolFlip);
          return words[at + 1]!;
        }
        at += 2;
      } else if (kind === ELEMENT_CLOSEST) {
        const n = words[at + 2]!;
        const pool = this.#nearestUp(zone, at + 3, n, map!.words, orderAt);
        if (pool !== 0) return pool;
        orderAt += n;
        at += 3 + n;
      } else {
        const n = words[at + 1]!;
        const pool = this.#drawUp(zone, at + 2, n);
        if (pool !== 0) return pool;
        at += 2 + n * 2;
      }
    }
    return 0;
  }

  /** `closest`: the pools in the client's order; those of one tier (near-ties) share. */
  #nearestUp(zone: ZoneView, pools: number, n: number, order: Int32Array, orderAt: number): number {
    let ties = 0;
    for (let k = 0; k < n; k++) {
      const entry = order[orderAt + k]!;
      if ((entry & TIER) !== 0 && ties > 0) break;
      const pool = zone.words[pools + (entry & (TIER - 1))]!;
      if (!this.#isUp(zone, pool)) continue;
      this.#tier[ties] = pool;
      this.#tierFlips[ties++] = this.#poolFlip;
    }
    if (ties === 0) return 0;
    return this.#take(ties === 1 ? 0 : this.#random.below(ties));
  }

  /** The pool of the tier that is chosen: from now on its members' flips count. */
  #take(k: number): number {
    this.#noteFlip(this.#tierFlips[k]!);
    return this.#tier[k]!;
  }

  #noteFlip(flipSeconds: number): void {
    if (flipSeconds < this.#flipSeconds) this.#flipSeconds = flipSeconds;
  }

  /** `weighted` between pools: a draw among those that are up; weight 0 only when no other is. */
  #drawUp(zone: ZoneView, shares: number, n: number): number {
    let up = 0;
    let total = 0;
    for (let k = 0; k < n; k++) {
      const pool = zone.words[shares + k * 2]!;
      if (!this.#isUp(zone, pool)) continue;
      const weight = zone.words[shares + k * 2 + 1]!;
      this.#tier[up] = pool;
      this.#tierFlips[up] = this.#poolFlip;
      this.#tierWeights[up++] = weight;
      total += weight;
    }
    if (up === 0) return 0;
    if (total === 0) return this.#take(this.#random.below(up));
    let draw = this.#random.below(total);
    for (let k = 0; k < up; k++) {
      draw -= this.#tierWeights[k]!;
      if (draw < 0) return this.#take(k);
    }
    return this.#take(up - 1);
  }

  /** Counts a pool's members, and notes the flips of one that is down; a pool without members of the family takes the state of its other family. */
  #isUp(zone: ZoneView, pool: number): boolean {
    const words = zone.words;
    let block = zone.base + pool;
    if (words[block + POOL.count] === 0 && words[block + POOL.other] !== 0) {
      block = zone.base + words[block + POOL.other]!;
    }
    const board = this.#board;
    const n = words[block + POOL.count]!;
    let live = 0;
    let available = 0;
    let poolFlip = NEVER;
    for (let m = 0, at = block + POOL.members; m < n; m++, at += MEMBER_WORDS) {
      const word = board[words[at + MEMBER_TARGET]!]!;
      if (isLive(word)) live++;
      if (!isWithdrawn(word)) available++;
      if (this.#dynamic) {
        const flip = flipSecondsOf(word);
        if (flip >= 0 && flip < poolFlip) poolFlip = flip;
      }
    }
    this.#live = live;
    this.#available = available;
    this.#poolFlip = poolFlip;
    const up = live >= words[block + POOL.minLive]!;
    // Passed over: should it come back, the answer is another.
    if (!up) this.#noteFlip(poolFlip);
    if (this.trace !== null) this.trace.pool(words[block + POOL.number]!, up, live);
    return up;
  }

  /** Nothing is up: the first pool on the whole way up that has a live (or, failing open, an available) member. */
  #anyPool(zone: ZoneView, steer: number, map: RegionMapView | null, lists: number, mode: number): number {
    const words = zone.words;
    for (let c = 0; c < lists; c++) {
      const list = this.#listAt(zone, steer, map, c);
      let orderAt = map === null ? 0 : map.variantAt(c) + 1;
      const elements = words[list]! & LIST_COUNT_MASK;
      if ((words[list]! & LIST_STICKY) !== 0) this.sticky = true;
      let at = list + 1;
      for (let e = 0; e < elements; e++) {
        const kind = words[at]!;
        const n = kind === ELEMENT_POOL ? 1 : words[at + (kind === ELEMENT_CLOSEST ? 2 : 1)]!;
        for (let k = 0; k < n; k++) {
          let pool: number;
          if (kind === ELEMENT_POOL) pool = words[at + 1]!;
          else if (kind === ELEMENT_CLOSEST) pool = words[at + 3 + (map!.words[orderAt + k]! & (TIER - 1))]!;
          else pool = words[at + 2 + k * 2]!;
          this.#isUp(zone, pool);
          if ((mode === MODE_BELOW_MIN_LIVE ? this.#live : this.#available) > 0) return pool;
        }
        if (kind === ELEMENT_CLOSEST) orderAt += n;
        at += kind === ELEMENT_POOL ? 2 : kind === ELEMENT_CLOSEST ? 3 + n : 2 + n * 2;
      }
    }
    return 0;
  }

  /** Fills `chosen` with members of the pool that may be answered, in the pool's way of picking. */
  #pick(
    zone: ZoneView,
    pool: number,
    answers: number,
    family: number,
    client0: number,
    client1: number,
    most: number,
  ): void {
    const words = zone.words;
    const board = this.#board;
    const block = zone.base + pool;
    const pick = words[block + POOL.flags]! & 3;
    const isName = ((words[block + POOL.flags]! >> 2) & 3) === 2;
    const n = words[block + POOL.count]!;
    const chosen = this.chosen;
    const weights = this.#weights;
    let found = 0;
    let total = 0;
    let written = 0;
    let same = true;
    for (let m = 0, at = block + POOL.members; m < n; m++, at += MEMBER_WORDS) {
      const word = board[words[at + MEMBER_TARGET]!]!;
      if (this.mode === MODE_FAIL_OPEN ? isWithdrawn(word) : !isLive(word)) continue;
      const weight = words[at + MEMBER_WEIGHT]!;
      const load = loadOf(word);
      const scaled = this.mode === MODE_FAIL_OPEN || load === LOAD_FULL ? weight : (weight * load) / LOAD_FULL;
      chosen[found] = at - zone.base;
      weights[found] = scaled;
      if (found > 0 && scaled !== weights[0]) same = false;
      total += scaled;
      written += weight;
      found++;
    }
    if (total === 0 && written > 0) {
      // All shed: the written weights hold.
      same = true;
      for (let k = 0; k < found; k++) {
        weights[k] = words[zone.base + chosen[k]! + MEMBER_WEIGHT]!;
        if (weights[k] !== weights[0]) same = false;
      }
      total = written;
    }
    if (total > 0 && (!same || weights[0] === 0)) found = this.#dropWeightless(found);
    else if (total === 0) for (let k = 0; k < found; k++) weights[k] = 1;
    let wanted = answers !== 0 ? answers : pick === PICK_ORDERED || pick === PICK_STICKY || isName ? 1 : found;
    // RFC 1034 3.6.2: a name has one CNAME.
    if (isName) wanted = 1;
    if (wanted > found) wanted = found;
    this.cut = wanted > most;
    if (this.cut) wanted = Math.max(1, most);
    if (pick === PICK_STICKY) this.#orderSticky(zone, found, wanted, family, client0, client1);
    else if (pick !== PICK_ORDERED)
      this.#orderWeighted(found, wanted, total === 0 ? found : total, same || total === 0);
    this.count = Math.min(wanted, found);
  }

  /** Members of weight 0 serve only when nothing else does. */
  #dropWeightless(found: number): number {
    let kept = 0;
    for (let k = 0; k < found; k++) {
      if (this.#weights[k] === 0) continue;
      this.chosen[kept] = this.chosen[k]!;
      this.#weights[kept++] = this.#weights[k]!;
    }
    return kept;
  }

  /** Random order by weight, without replacement; equal weights need no sums. */
  #orderWeighted(found: number, wanted: number, sum: number, same: boolean): void {
    const chosen = this.chosen;
    const weights = this.#weights;
    let total = sum;
    for (let k = 0; k < wanted && k < found - 1; k++) {
      let at = k;
      if (same) at = k + this.#random.below(found - k);
      else {
        // A double keeps scaled weights exact enough; the last one catches what rounding leaves.
        let draw = ((this.#random.next() >>> 0) / 4294967296) * total;
        while (at < found - 1) {
          draw -= weights[at]!;
          if (draw < 0) break;
          at++;
        }
        total -= weights[at]!;
        const weight = weights[at]!;
        weights[at] = weights[k]!;
        weights[k] = weight;
      }
      const member = chosen[at]!;
      chosen[at] = chosen[k]!;
      chosen[k] = member;
    }
  }

  /**
   * Weighted rendezvous hashing of the client's network (IPv4 /24, IPv6 /56) and the member: the smallest -ln(u)/weight
   * wins, so only the clients of a lost member move. The same on every server: nothing here is seeded.
   */
  #orderSticky(zone: ZoneView, found: number, wanted: number, family: number, client0: number, client1: number): void {
    const chosen = this.chosen;
    const scores = this.#weights;
    const network =
      family === 4 ? mix32((client0 & 0xffffff00) ^ 0x34) : mix32(mix32(client0 ^ 0x36) ^ (client1 & 0xffffff00));
    for (let k = 0; k < found; k++) {
      const hash = mix32(network ^ zone.words[zone.base + chosen[k]! + MEMBER_HASH]!);
      const u = ((hash >>> 0) + 0.5) / 4294967296;
      scores[k] = -Math.log(u) / scores[k]!;
    }
    for (let k = 0; k < wanted; k++) {
      let best = k;
      for (let j = k + 1; j < found; j++) if (scores[j]! < scores[best]!) best = j;
      const member = chosen[best]!;
      const score = scores[best]!;
      // Shift rather than swap: the others keep the file's order among equals.
      for (let j = best; j > k; j--) {
        chosen[j] = chosen[j - 1]!;
        scores[j] = scores[j - 1]!;
      }
      chosen[k] = member;
      scores[k] = score;
    }
  }
}
