// Where addresses are: which countries, subdivisions, cities and AS numbers any range of a geo image lies in.
import { nearest } from '../base/nearest.ts';
import { PLACE } from './image.ts';
import type { GeoView } from './lookup.ts';
import {
  type ContinentCode,
  cityNames,
  continentName,
  foldName,
  type Place,
  type PlaceFacts,
  type PlaceKey,
  placeKey,
  SPECIAL_PLACE,
} from './place.ts';

/** What is known of the clients of a part of the world, but for their cities. */
export type Area = Pick<PlaceFacts, 'country' | 'continent' | 'subdivision' | 'district'>;

type City = Extract<Place, { kind: 'city' }>;

/** Reads an image once; does not keep it. Takes some milliseconds, with a city database tens of them. */
export class Inhabited {
  /** Changes whenever the content of the image does. */
  readonly stamp: number;
  /** Every area that an address lies in. */
  readonly areas: readonly Area[];
  readonly #names: ReadonlySet<string>;
  /** By place of the image: 1 where a range lies in it. Overrides were put over others. */
  readonly #used: Uint8Array;

  constructor(geo: GeoView) {
    this.stamp = geo.stamp;
    this.#used = usedPlaces(geo);
    this.areas = areasOf(geo, this.#used);
    const names = this.areas.flatMap(({ country, continent, subdivision, district }) => [
      country,
      continent === null ? null : continentName(continent),
      subdivision,
      district,
    ]);
    this.#names = new Set(names.filter((name) => name !== null));
  }

  /**
   * Of these places those that no address lies in; networks never are among them.
   * @param geo the image that this was made of
   */
  without(geo: GeoView, places: readonly Place[]): Set<PlaceKey> {
    const cities = places.filter((place) => place.kind === 'city');
    const numbers = places.flatMap((place) => (place.kind === 'as' ? [place.number] : []));
    const found = new Set([
      ...(cities.length > 0 ? citiesWith(geo, this.#used, cities) : []),
      ...numbersWith(geo, numbers),
    ]);
    const empty = places.filter((place) => {
      if (place.kind === 'network') return false;
      const key = placeKey(place);
      return !(place.kind === 'city' || place.kind === 'as' ? found : this.#names).has(key);
    });
    return new Set(empty.map(placeKey));
  }

  /** The city of the same country (and subdivision, where one is named) whose name is nearest; undefined where none is near. */
  nearestCity(geo: GeoView, city: City): string | undefined {
    const names = new Map<string, string>();
    eachCity(geo, this.#used, new Set([city.country]), (name, _country, areas) => {
      if (city.subdivision !== null && !areas.includes(city.subdivision)) return;
      // Districts behind a name are no other city.
      for (const folded of cityNames(name))
        if (!names.has(folded)) names.set(folded, name.replace(/\s*\([^)]*\)$/, ''));
    });
    const found = nearest(foldName(city.name), names.keys());
    return found === undefined ? undefined : names.get(found);
  }
}

/** Marks the places of the image that a range lies in: others were put over them. */
function usedPlaces(geo: GeoView): Uint8Array {
  const used = new Uint8Array(geo.placeCount);
  for (const family of [4, 6] as const) {
    const places = geo.placesOfRanges(family);
    for (let range = 0; range < places.length; range++) used[places[range]!] = 1;
  }
  // Nobody's place, and that of special-purpose space.
  used[0] = 0;
  used[SPECIAL_PLACE] = 0;
  return used;
}

function areasOf(geo: GeoView, used: Uint8Array): Area[] {
  const areas: Area[] = [];
  // A city database has 100,000 places and more: what was seen is kept by the numbers of the texts.
  const seen = new Map<number, Set<number>>();
  const texts = geo.textCount;
  for (let place = 0; place < used.length; place++) {
    if (used[place] === 0) continue;
    const country = geo.placeWord(place, PLACE.country);
    const continent = geo.placeWord(place, PLACE.continent);
    const subdivision = geo.placeWord(place, PLACE.subdivision);
    const district = geo.placeWord(place, PLACE.district);
    const outer = country * texts + continent;
    const inner = subdivision * texts + district;
    let within = seen.get(outer);
    if (within === undefined) {
      within = new Set();
      seen.set(outer, within);
    }
    if (within.has(inner)) continue;
    within.add(inner);
    areas.push({
      country: geo.text(country),
      continent: geo.text(continent) as ContinentCode | null,
      subdivision: geo.text(subdivision),
      district: geo.text(district),
    });
  }
  return areas;
}

/** Calls back for each city of these countries that an address lies in; the same city may come several times. */
function eachCity(
  geo: GeoView,
  used: Uint8Array,
  countries: ReadonlySet<string>,
  tell: (name: string, country: string, areas: readonly (string | null)[]) => void,
): void {
  const texts = new Map<number, string | null>();
  const text = (number: number): string | null => {
    let known = texts.get(number);
    if (known === undefined) {
      known = geo.text(number);
      texts.set(number, known);
    }
    return known;
  };
  for (let place = 0; place < used.length; place++) {
    if (used[place] === 0) continue;
    const country = text(geo.placeWord(place, PLACE.country));
    if (country === null || !countries.has(country)) continue;
    const name = text(geo.placeWord(place, PLACE.city));
    if (name === null) continue;
    tell(name, country, [text(geo.placeWord(place, PLACE.subdivision)), text(geo.placeWord(place, PLACE.district))]);
  }
}

/** Keys of those cities that an address lies in. */
function citiesWith(geo: GeoView, used: Uint8Array, cities: readonly City[]): Set<PlaceKey> {
  const wanted = new Set(cities.map(placeKey));
  const found = new Set<PlaceKey>();
  const folded = new Map<string, readonly string[]>();
  eachCity(geo, used, new Set(cities.map(({ country }) => country)), (name, country, areas) => {
    let names = folded.get(name);
    if (names === undefined) {
      names = cityNames(name);
      folded.set(name, names);
    }
    for (const area of [country, ...areas]) {
      if (area === null) continue;
      for (const one of names) {
        const key = `city:${area}/${one}`;
        if (wanted.has(key)) found.add(key);
      }
    }
  });
  return found;
}

/** Keys of those AS numbers that an address has. */
function numbersWith(geo: GeoView, numbers: readonly number[]): Set<PlaceKey> {
  const wanted = new Set(numbers);
  const found = new Set<PlaceKey>();
  for (const family of [4, 6] as const) {
    for (let range = 0; wanted.size > 0 && range < geo.asCount(family); range++) {
      const number = geo.asNumber(family, range);
      if (wanted.delete(number)) found.add(`AS${number}`);
    }
  }
  return found;
}
