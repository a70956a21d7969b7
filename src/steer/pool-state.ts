// How a pool stands for one record type: what the board says of its members (contract, section 3, "Families").
import { flipSecondsOf, isLive, isWithdrawn } from '../board/board.ts';
import type { ZoneView } from '../zone/find.ts';
import { MEMBER_TARGET, MEMBER_WORDS, POOL } from '../zone/layout.ts';

/** No verdict can flip. */
export const NEVER = 0x7fffffff;

/** One for each chooser; shows the pool that was looked at last. */
export class PoolState {
  /** Enough members are live. */
  up = false;
  live = 0;
  /** Members that no operator forced down or drained. */
  available = 0;
  /** Members of the asked family. Where there are none, all else here is that of the other family, or nothing. */
  members = 0;
  /** Seconds until the earliest flip of a member, or NEVER. */
  flipSeconds = NEVER;
  readonly #board: Int32Array;

  constructor(board: Int32Array) {
    this.#board = board;
  }

  /**
   * @param pool word of the pool's block
   * @param borrow a pool without a member of the family takes the state of its other family; else it has none
   * @param withFlips whether anybody wants to know `flipSeconds`
   */
  look(zone: ZoneView, pool: number, borrow: boolean, withFlips: boolean): boolean {
    const words = zone.words;
    const board = this.#board;
    let block = zone.base + pool;
    let n = words[block + POOL.count]!;
    this.members = n;
    if (n === 0 && borrow && words[block + POOL.other] !== 0) {
      block = zone.base + words[block + POOL.other]!;
      n = words[block + POOL.count]!;
    }
    let live = 0;
    let available = 0;
    let flipSeconds = NEVER;
    for (let m = 0, at = block + POOL.members; m < n; m++, at += MEMBER_WORDS) {
      const word = board[words[at + MEMBER_TARGET]!]!;
      if (isLive(word)) live++;
      if (!isWithdrawn(word)) available++;
      if (withFlips) {
        const flip = flipSecondsOf(word);
        if (flip >= 0 && flip < flipSeconds) flipSeconds = flip;
      }
    }
    this.live = live;
    this.available = available;
    this.flipSeconds = flipSeconds;
    this.up = live >= words[block + POOL.minLive]!;
    return this.up;
  }
}
