// What the chooser would choose, for those who ask without a packet: coverage, status, alarms and transfers.
import { limits } from '../base/limits.ts';
import { TIER_START } from '../regionmap/layout.ts';
import type { RegionMapView } from '../regionmap/lookup.ts';
import { oneChain } from '../regionmap/one-chain.ts';
import type { ZoneView } from '../zone/find.ts';
import { ELEMENT, POOL, STEER } from '../zone/layout.ts';
import { ListCursor } from '../zone/list-cursor.ts';
import { Chooser } from './choose.ts';
import { CHOSE_MEMBERS, MODE_BELOW_MIN_LIVE, MODE_FAIL_OPEN, MODE_NOBODY, MODE_UP } from './outcome.ts';
import type { Draws } from './pool-choice.ts';

/** What a client gets who goes this way up. */
export interface ProbedChoice {
  /** Word of the chosen pool's block in the image, and its number in the zone; null: none is chosen. */
  readonly pool: { readonly at: number; readonly number: number } | null;
  /** The pool has somebody live, if only of its other family. */
  readonly live: boolean;
  /** The answer has members that are down, as if they were up. */
  readonly failsOpen: boolean;
  /** The way up has members of the family, and all of them are forced down or drained. */
  readonly nobody: boolean;
}

/** A draw gives the first that could be drawn. */
const FIRST: Draws = { next: () => 0, below: () => 0 };

/** Runs the chooser for the control plane and for transfers. It takes some 30 KB. */
export class ChoiceProbe {
  readonly #chooser: Chooser;
  readonly #list = new ListCursor();

  /** @param board null: everybody is up */
  constructor(board: Int32Array | null) {
    this.#chooser = new Chooser(board ?? new Int32Array(limits.targets), FIRST);
  }

  /**
   * @param steering word of the steering block in the zone's image
   * @param way null: the set has no region map
   */
  choose(zone: ZoneView, steering: number, way: RegionMapView | null): ProbedChoice {
    const { pools } = this.#chooser;
    const outcome = this.#chooser.choose(zone, steering, way, 4, 0, 0, limits.membersPerPool);
    const { pool, mode } = pools;
    return {
      pool: pool === 0 ? null : { at: pool, number: zone.at(pool + POOL.number) },
      live: pool !== 0 && (mode === MODE_UP || mode === MODE_BELOW_MIN_LIVE),
      failsOpen: mode === MODE_FAIL_OPEN && outcome === CHOSE_MEMBERS,
      nobody: mode === MODE_NOBODY,
    };
  }

  /** The choice from one list alone, each `closest` in its listed order; null: the list is empty. */
  chooseListed(zone: ZoneView, steering: number, slot: number): ProbedChoice | null {
    const list = this.#list;
    list.open(zone.words, zone.base + zone.at(steering + STEER.size + slot), new Int32Array(0), 0);
    if (list.isEmpty) return null;
    const variant = [slot];
    while (list.next()) {
      if (list.kind === ELEMENT.closest) for (let k = 0; k < list.count; k++) variant.push(k | TIER_START);
    }
    return this.choose(zone, steering, oneChain([variant]));
  }
}
