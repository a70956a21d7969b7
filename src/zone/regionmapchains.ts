// Which lists a client goes through, by its place: chains of list variants, each distinct one once.
import { coordinatesOf } from '../geo/centres.ts';
import { type UnitVector, unitVector, vectorDistanceKm } from '../geo/distance.ts';
import { PLACE } from '../geo/image.ts';
import type { GeoView } from '../geo/lookup.ts';
import { foldName, type Place } from '../geo/place.ts';
import type { ClosestSpec, MapSpec } from './mapspec.ts';
import { TIER_START } from './regionmaplayout.ts';

/** No rule for this. */
const NONE = -1;

/** Chains and variants of one map. */
export class ChainBuilder {
  /** By number: the numbers of the chain's variants. */
  readonly chains: (readonly number[])[] = [];
  /** By number: slot, then the entries of its `closest` groups. */
  readonly variants: (readonly number[])[] = [];
  /** For each place the chain of its clients whose network and AS no rule names. */
  readonly chainOfPlace: Int32Array;

  readonly #geo: GeoView;
  readonly #spec: MapSpec;
  readonly #rules: PlaceRules;
  readonly #closest: readonly (readonly ClosestOrder[])[];
  readonly #chainNumbers = new Map<string, number>();
  readonly #variantNumbers = new Map<string, number>();
  /** Variants of slots without `closest`. */
  readonly #constantVariants = new Map<number, number>();
  readonly #listOfPlace: Int32Array;
  readonly #lists: (readonly number[])[] = [];

  constructor(geo: GeoView, spec: MapSpec) {
    this.#geo = geo;
    this.#spec = spec;
    this.#rules = new PlaceRules(geo, spec);
    this.#closest = spec.slots.map((slot) => slot.closest.map((closest) => new ClosestOrder(closest)));
    this.#listOfPlace = this.#rules.listOfPlace(this.#lists);
    this.chainOfPlace = new Int32Array(geo.placeCount);
    const chainOfList = new Map<number, number>();
    for (let place = 0; place < geo.placeCount; place++) {
      const list = this.#listOfPlace[place]!;
      let chain = chainOfList.get(list);
      if (chain === undefined) {
        const slots = this.#withDefault(this.#lists[list]!);
        chain = this.#chain(slots, place);
        if (slots.every((slot) => this.#closest[slot]!.length === 0)) chainOfList.set(list, chain);
      }
      this.chainOfPlace[place] = chain;
    }
  }

  /** The chain of a client whose network and AS are named by rules: `prefix` are their slots, most specific first. */
  chainFor(prefix: readonly number[], place: number): number {
    return this.#chain(this.#withDefault([...prefix, ...this.#lists[this.#listOfPlace[place]!]!]), place);
  }

  /** The first list's variant. */
  firstVariant(chain: number): number {
    return this.chains[chain]![0]!;
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
      number = this.chains.length;
      this.chains.push(variants);
      this.#chainNumbers.set(key, number);
    }
    return number;
  }

  #variant(slot: number, place: number): number {
    const groups = this.#closest[slot]!;
    const constant = this.#constantVariants.get(slot);
    if (constant !== undefined) return constant;
    const at = groups.length === 0 ? null : vectorOfPlace(this.#geo, place);
    const variant = [slot];
    for (const group of groups) variant.push(...group.order(at));
    const key = variant.join();
    let number = this.#variantNumbers.get(key);
    if (number === undefined) {
      number = this.variants.length;
      this.variants.push(variant);
      this.#variantNumbers.set(key, number);
    }
    if (groups.length === 0) this.#constantVariants.set(slot, number);
    return number;
  }
}

/** From where a place's clients measure; null where not even the country is known. */
function vectorOfPlace(geo: GeoView, place: number): UnitVector | null {
  const at = coordinatesOf(geo.facts(place));
  return at === null ? null : unitVector(at);
}

/** The pools of one `closest` in the order of their distance. */
class ClosestOrder {
  readonly #points: readonly { readonly vector: UnitVector; readonly bias: number }[];
  readonly #spreadKm: number;

  constructor(spec: ClosestSpec) {
    this.#points = spec.points.map(({ at, bias }) => ({ vector: unitVector(at), bias }));
    this.#spreadKm = spec.spreadKm;
  }

  /** Entries: numbers of pools, nearest first, tiers marked. Without coordinates the listed order, each a tier of its own. */
  order(at: UnitVector | null): number[] {
    if (at === null) return this.#points.map((_, i) => i | TIER_START);
    const near = this.#points
      .map(({ vector, bias }, i) => ({ i, km: vectorDistanceKm(at, vector) * bias }))
      .sort((a, b) => a.km - b.km || a.i - b.i);
    const entries: number[] = [];
    for (let from = 0; from < near.length; ) {
      let to = from + 1;
      while (to < near.length && near[to]!.km - near[from]!.km <= this.#spreadKm) to++;
      // One tier is a set: its order must not tell clients apart.
      const tier = near.slice(from, to).map(({ i }) => i);
      tier.sort((a, b) => a - b);
      tier.forEach((i, k) => {
        entries.push(k === 0 ? i | TIER_START : i);
      });
      from = to;
    }
    return entries;
  }
}

/** The rules that name cities, subdivisions, countries and continents, by the image's text numbers. */
class PlaceRules {
  readonly #geo: GeoView;
  /** Slots by place key, for each kind. */
  readonly #subdivisions = new Map<string, number>();
  readonly #countries = new Map<string, number>();
  readonly #continents = new Map<string, number>();
  /** By country: slots by subdivision (or '' for any) and folded city name. */
  readonly #cities = new Map<string, Map<string, number>>();

  constructor(geo: GeoView, spec: MapSpec) {
    this.#geo = geo;
    for (const { places, slot } of spec.regions) for (const place of places) this.#add(place, slot);
  }

  #add(place: Place, slot: number): void {
    const put = (rules: Map<string, number>, key: string): void => {
      if (!rules.has(key)) rules.set(key, slot);
    };
    if (place.kind === 'subdivision') put(this.#subdivisions, place.code);
    else if (place.kind === 'country') put(this.#countries, place.code);
    else if (place.kind === 'continent') put(this.#continents, place.code);
    else if (place.kind === 'city') {
      let cities = this.#cities.get(place.country);
      if (cities === undefined) {
        cities = new Map();
        this.#cities.set(place.country, cities);
      }
      put(cities, cityKey(place.subdivision, foldName(place.name)));
    }
  }

  /** For each place the number of its list of slots, most specific first; new lists are pushed to `lists`. */
  listOfPlace(lists: (readonly number[])[]): Int32Array {
    const geo = this.#geo;
    const out = new Int32Array(geo.placeCount);
    const numbers = new Map<string, number>();
    const country = this.#byText(this.#countries);
    const continent = this.#byText(this.#continents);
    const subdivision = this.#byText(this.#subdivisions);
    const withCities = this.#byText(new Map([...this.#cities.keys()].map((code, i) => [code, i])));
    // Neighbours in the table are mostly of the same region: a city database has 100,000 places and more.
    let last = '';
    let lastNumber = NONE;
    for (let place = 0; place < out.length; place++) {
      const countryText = geo.placeWord(place, PLACE.country);
      const slots = withCities(countryText) === NONE ? [] : this.#citySlots(place);
      for (const slot of [
        subdivision(geo.placeWord(place, PLACE.district)),
        subdivision(geo.placeWord(place, PLACE.subdivision)),
        country(countryText),
        continent(geo.placeWord(place, PLACE.continent)),
      ]) {
        if (slot !== NONE && !slots.includes(slot)) slots.push(slot);
      }
      const key = slots.join();
      if (key !== last || lastNumber === NONE) {
        last = key;
        lastNumber = numbers.get(key) ?? lists.push(slots) - 1;
        numbers.set(key, lastNumber);
      }
      out[place] = lastNumber;
    }
    return out;
  }

  /** A rule table as a function of text numbers, each text read once. */
  #byText(rules: ReadonlyMap<string, number>): (text: number) => number {
    if (rules.size === 0) return () => NONE;
    const known = new Int32Array(this.#geo.textCount).fill(NONE - 1);
    return (text) => {
      if (known[text] === NONE - 1) known[text] = rules.get(this.#geo.text(text) ?? '') ?? NONE;
      return known[text]!;
    };
  }

  /** Rules that name the city with its subdivision come before those that name it without. */
  #citySlots(place: number): number[] {
    const { country, subdivision, district, city } = this.#geo.facts(place);
    const rules = this.#cities.get(country ?? '');
    if (rules === undefined || city === null) return [];
    const name = foldName(city);
    const slots = [district, subdivision, null].flatMap((area, i) =>
      area === null && i < 2 ? [] : (rules.get(cityKey(area, name)) ?? []),
    );
    return [...new Set(slots)];
  }
}

function cityKey(subdivision: string | null, foldedName: string): string {
  return `${subdivision ?? ''}/${foldedName}`;
}
