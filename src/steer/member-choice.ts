// Chooses members of a pool and their order: weighted, ordered or sticky (contract, section 3, "Which members").
import { mix32 } from '../base/hash.ts';
import { limits } from '../base/limits.ts';
import { isLive, isWithdrawn, LOAD_FULL, loadOf } from '../board/board.ts';
import type { ZoneView } from '../zone/find.ts';
import {
  FAMILY_NAME,
  familyOf,
  MEMBER_HASH,
  MEMBER_TARGET,
  MEMBER_WEIGHT,
  MEMBER_WORDS,
  PICK_ORDERED,
  PICK_STICKY,
  PICK_WEIGHTED,
  POOL,
  pickOf,
} from '../zone/layout.ts';
import type { Draws } from './pool-choice.ts';

/** One for each chooser; what it shows stays until the next `choose`. */
export class MemberChoice {
  /** Words of the chosen members, in the order of the answer. */
  readonly chosen = new Int32Array(limits.membersPerPool);
  count = 0;
  /** There were more members than there was room for. */
  cut = false;
  readonly #board: Int32Array;
  readonly #random: Draws;
  readonly #weights = new Float64Array(limits.membersPerPool);

  constructor(board: Int32Array, random: Draws) {
    this.#board = board;
    this.#random = random;
  }

  /** Shows nobody. */
  clear(): void {
    this.count = 0;
    this.cut = false;
  }

  /**
   * Fills `chosen` with members of the pool that may be answered, in the pool's way of picking.
   * @param failOpen nobody is live: all count that no operator took out
   * @param answers most records of an answer, 0: the contract's default
   * @param family client0 client1 the client's: see `Chooser.choose`
   * @param most records that there is room for
   */
  choose(
    zone: ZoneView,
    pool: number,
    failOpen: boolean,
    answers: number,
    family: number,
    client0: number,
    client1: number,
    most: number,
  ): void {
    const words = zone.words;
    const board = this.#board;
    const block = zone.base + pool;
    const flags = words[block + POOL.flags]!;
    const pick = pickOf(flags);
    const isName = familyOf(flags) === FAMILY_NAME;
    const n = words[block + POOL.count]!;
    const chosen = this.chosen;
    const weights = this.#weights;
    let found = 0;
    let total = 0;
    let written = 0;
    let same = true;
    for (let m = 0, at = block + POOL.members; m < n; m++, at += MEMBER_WORDS) {
      const word = board[words[at + MEMBER_TARGET]!]!;
      if (failOpen ? isWithdrawn(word) : !isLive(word)) continue;
      const weight = words[at + MEMBER_WEIGHT]!;
      const load = loadOf(word);
      const scaled = failOpen || load === LOAD_FULL ? weight : (weight * load) / LOAD_FULL;
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
    switch (pick) {
      case PICK_WEIGHTED:
        this.#orderWeighted(found, wanted, total === 0 ? found : total, same || total === 0);
        break;
      case PICK_STICKY:
        this.#orderSticky(zone, found, wanted, family, client0, client1);
        break;
      case PICK_ORDERED:
        break;
      default:
        pick satisfies never;
    }
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
