// The rules of a map that name cities, subdivisions, countries and continents, applied to every place of the geo image.
import { PLACE } from '../geo/image.ts';
import type { GeoView } from '../geo/lookup.ts';
import { cityNames, foldName, type Place } from '../geo/place.ts';
import type { MapSpec } from './spec.ts';

/** No rule. */
const NONE = -1;
const NOT_ASKED = -2;

export class PlaceRules {
  readonly #geo: GeoView;
  readonly #slots: number;
  /** Slots by code. */
  readonly #subdivisions = new Map<string, number>();
  readonly #countries = new Map<string, number>();
  readonly #continents = new Map<string, number>();
  /** By country: slots by subdivision (or none) and folded city name. */
  readonly #cities = new Map<string, Map<string, number>>();

  constructor(geo: GeoView, spec: MapSpec) {
    this.#geo = geo;
    this.#slots = spec.slots.length;
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
      const cities = this.#cities.get(place.country) ?? new Map<string, number>();
      this.#cities.set(place.country, cities);
      put(cities, cityKey(place.subdivision, foldName(place.name)));
    }
  }

  /** For each place the number of its list of slots, most specific first, each slot once; the lists are pushed to `lists`. */
  listOfPlace(lists: (readonly number[])[]): Int32Array {
    const geo = this.#geo;
    const out = new Int32Array(geo.placeCount);
    const countries = new TextRules(geo, this.#countries);
    const continents = new TextRules(geo, this.#continents);
    const subdivisions = new TextRules(geo, this.#subdivisions);
    const withCities = new TextRules(geo, new Map([...this.#cities.keys()].map((code) => [code, 0])));
    const numbers = new Map<string, number>();
    // Four rules as one number while it is exact; a city database has 100,000 places and more.
    const base = this.#slots + 1;
    const known = base ** 4 < Number.MAX_SAFE_INTEGER ? new Map<number, number>() : null;
    for (let place = 0; place < out.length; place++) {
      const countryText = geo.placeWord(place, PLACE.country);
      const district = subdivisions.slot(geo.placeWord(place, PLACE.district));
      const subdivision = subdivisions.slot(geo.placeWord(place, PLACE.subdivision));
      const country = countries.slot(countryText);
      const continent = continents.slot(geo.placeWord(place, PLACE.continent));
      const cities = withCities.slot(countryText) === NONE ? [] : this.#citySlots(place);
      const key = (((district + 1) * base + subdivision + 1) * base + country + 1) * base + continent + 1;
      let number = cities.length === 0 ? known?.get(key) : undefined;
      if (number === undefined) {
        const slots = [...new Set([...cities, district, subdivision, country, continent])].filter(
          (slot) => slot !== NONE,
        );
        const text = slots.join();
        number = numbers.get(text) ?? lists.push(slots) - 1;
        numbers.set(text, number);
        if (cities.length === 0) known?.set(key, number);
      }
      out[place] = number;
    }
    return out;
  }

  /** Rules that name the city with its subdivision come before those that name it without; those of its whole name before all. */
  #citySlots(place: number): number[] {
    const { country, subdivision, district, city } = this.#geo.facts(place);
    const rules = this.#cities.get(country ?? '');
    if (rules === undefined || city === null) return [];
    const areas = [district, subdivision].filter((area) => area !== null);
    return cityNames(city).flatMap((name) => [...areas, null].flatMap((area) => rules.get(cityKey(area, name)) ?? []));
  }
}

/** Rules by text as rules by the image's text numbers, each text read once. */
class TextRules {
  readonly #geo: GeoView;
  readonly #rules: ReadonlyMap<string, number>;
  readonly #known: Int32Array;

  constructor(geo: GeoView, rules: ReadonlyMap<string, number>) {
    this.#geo = geo;
    this.#rules = rules;
    this.#known = new Int32Array(rules.size === 0 ? 0 : geo.textCount).fill(NOT_ASKED);
  }

  slot(text: number): number {
    if (this.#rules.size === 0) return NONE;
    const known = this.#known[text]!;
    if (known !== NOT_ASKED) return known;
    const slot = this.#rules.get(this.#geo.text(text) ?? '') ?? NONE;
    this.#known[text] = slot;
    return slot;
  }
}

function cityKey(subdivision: string | null, foldedName: string): string {
  return `${subdivision ?? ''}/${foldedName}`;
}
