// Which sets of each zone fail open or are empty: worked out in slices, and anew only where a target or the zone changed.
import type { Slices } from '../base/slices.ts';
import type { Board } from '../board/board.ts';
import type { SegmentRef } from '../board/store.ts';
import type { ZoneMeta } from '../zone/meta.ts';
import { type Question, type Served, type SteeredZone, setsOf } from './fail-open.ts';

/** What the chooser looks at in a target's word: verdict, forced state and load. The time to its next flip changes with each probe. */
const CHOICE_BITS = 0xfff;

/** What was found, and what it was found from. */
interface Known {
  readonly meta: ZoneMeta;
  readonly image: SegmentRef | null;
  readonly geoVersion: number;
  readonly slots: Int32Array;
  readonly words: Int32Array;
  readonly sets: Partial<Record<Question, readonly string[]>>;
}

const NONE: readonly string[] = [];

export class SetStates {
  readonly #served: Served;
  readonly #board: Board;
  readonly #words: Int32Array;
  readonly #known = new WeakMap<SteeredZone, Known>();

  constructor(served: Served & { readonly board: Board }) {
    this.#served = served;
    this.#board = served.board;
    this.#words = new Int32Array(served.board.buffer);
  }

  /** As `failOpenSets` and `emptySets` have it. Throws Unwanted. */
  async of(zone: SteeredZone, question: Question, slices: Slices): Promise<readonly string[]> {
    for (;;) {
      if (slices.isOver) await slices.rest();
      const known = this.#current(zone);
      if (known === null) return NONE;
      const told = known.sets[question];
      if (told !== undefined) return told;
      const work = setsOf(zone, this.#served, question);
      let step = work.next();
      while (!step.done) {
        if (slices.isOver) {
          await slices.rest();
          // What was looked at may be gone from memory.
          if (!this.#isServed(zone, known)) break;
        }
        step = work.next();
      }
      if (step.done) {
        // A target that changed meanwhile is noticed by the next who asks.
        known.sets[question] = step.value;
        return step.value;
      }
    }
  }

  /** What is known of the zone as it stands, null where nothing is steered. */
  #current(zone: SteeredZone): Known | null {
    const { meta, image } = zone;
    if (meta === null || meta.steerings.length === 0) return null;
    const known = this.#known.get(zone);
    if (known !== undefined && this.#isServed(zone, known) && this.#isUnchanged(known)) return known;
    const slots = Int32Array.from(meta.targets, ({ id }) => this.#board.slotOf(id) ?? -1);
    const words = slots.map((slot) => this.#word(slot));
    const next = { meta, image, geoVersion: this.#served.images.geoVersion, slots, words, sets: {} };
    // Without its region maps, while it is being loaded, nothing can be said that would hold.
    if (zone.mapKeys.every((key) => this.#served.images.map(key) !== undefined)) this.#known.set(zone, next);
    return next;
  }

  #isServed(zone: SteeredZone, known: Known): boolean {
    return (
      zone.meta === known.meta && zone.image === known.image && this.#served.images.geoVersion === known.geoVersion
    );
  }

  #isUnchanged({ slots, words }: Known): boolean {
    for (let i = 0; i < slots.length; i++) if (this.#word(slots[i]!) !== words[i]) return false;
    return true;
  }

  #word(slot: number): number {
    return slot < 0 ? -1 : Atomics.load(this.#words, slot) & CHOICE_BITS;
  }
}
