// Which lists a client goes through, by its place: chains of list variants, each distinct one once.
import type { GeoView } from '../geo/lookup.ts';
import { ClosestOrder, PlaceVectors } from './closest.ts';
import { PlaceRules } from './rules.ts';
import type { MapSpec } from './spec.ts';

/** Chains and variants of one map. */
export class ChainBuilder {
  /** By number: the numbers of the chain's variants. */
  readonly chains: (readonly number[])[] = [];
  /** By number: slot, then the entries of its `closest` groups. */
  readonly variants: (readonly number[])[] = [];
  /** For each place the chain of its clients whose network and AS no rule names. */
  readonly chainOfPlace: Int32Array;

  readonly #spec: MapSpec;
  readonly #closest: readonly (readonly ClosestOrder[])[];
  readonly #vectors: PlaceVectors;
  readonly #chainNumbers = new Map<string, number>();
  readonly #variantNumbers = new Map<string, number>();
  /** Variants of slots without `closest`. */
  readonly #constantVariants = new Map<number, number>();
  readonly #listOfPlace: Int32Array;
  /** Slots by number of list, most specific first. */
  readonly #lists: (readonly number[])[] = [];

  constructor(geo: GeoView, spec: MapSpec) {
    this.#spec = spec;
    this.#closest = spec.slots.map((slot) => slot.closest.map((closest) => new ClosestOrder(closest)));
    this.#vectors = new PlaceVectors(geo);
    this.#listOfPlace = new PlaceRules(geo, spec).listOfPlace(this.#lists);
    const withDefault = this.#lists.map((list) => this.#withDefault(list));
    const constant = withDefault.map((slots) =>
      slots.some((slot) => this.#measures(slot)) ? -1 : this.#chain(slots, 0),
    );
    this.chainOfPlace = this.#listOfPlace.map((list, place) => {
      const chain = constant[list]!;
      return chain >= 0 ? chain : this.#chain(withDefault[list]!, place);
    });
  }

  /** The chain of a client whose network and AS are named by rules: `rules` are their slots, most specific first. */
  chainFor(rules: readonly number[], place: number): number {
    return this.#chain(this.#withDefault([...rules, ...this.#lists[this.#listOfPlace[place]!]!]), place);
  }

  /** A number that is equal for places that have equal chains behind these rules. */
  kindOf(rules: readonly number[], place: number): number {
    const places = this.#listOfPlace.length;
    if (rules.some((slot) => this.#measures(slot))) return place;
    // Whether the list is empty says whether the chain is the default's alone, which rules may take away.
    return places + this.chainOfPlace[place]! * 2 + (this.#lists[this.#listOfPlace[place]!]!.length === 0 ? 1 : 0);
  }

  /** Whether a slot's list depends on the client's coordinates. */
  #measures(slot: number): boolean {
    return this.#closest[slot]!.length > 0;
  }

  /** Every slot once, where it comes first; the default at the end. */
  #withDefault(slots: readonly number[]): number[] {
    const { defaultSlot, defaultClimbs } = this.#spec;
    return [...new Set(defaultClimbs || slots.length === 0 ? [...slots, defaultSlot] : slots)];
  }

  #chain(slots: readonly number[], place: number): number {
    const variants = slots.map((slot) => this.#variant(slot, place));
    const key = variants.join();
    let number = this.#chainNumbers.get(key);
    if (number === undefined) {
      number = this.chains.push(variants) - 1;
      this.#chainNumbers.set(key, number);
    }
    return number;
  }

  #variant(slot: number, place: number): number {
    const constant = this.#constantVariants.get(slot);
    if (constant !== undefined) return constant;
    const variant = [slot];
    if (this.#measures(slot)) {
      const at = this.#vectors.of(place);
      for (const group of this.#closest[slot]!) group.order(at, variant);
    }
    const key = variant.join();
    let number = this.#variantNumbers.get(key);
    if (number === undefined) {
      number = this.variants.push(variant) - 1;
      this.#variantNumbers.set(key, number);
    }
    if (!this.#measures(slot)) this.#constantVariants.set(slot, number);
    return number;
  }
}
