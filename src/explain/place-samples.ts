// An address of each place, out of the geo image: one for which nothing more specific than the place decides.

import type { Address } from '../base/address.ts';
import { limits } from '../base/limits.ts';
import { PLACE } from '../geo/image.ts';
import { addressOf, startOf } from '../geo/locate.ts';
import type { GeoView } from '../geo/lookup.ts';
import { cityNames, foldName, type Place } from '../geo/place.ts';

/** A place that an address is wanted of. */
export interface Wanted {
  readonly place: Place;
  /** Whether this place decides about the address: another may be more specific. */
  fits(address: Address): boolean;
}

/**
 * Returns an address for each wanted place, in their order; undefined where the image has none that fits. Works in steps: when the image is
 * replaced between two, break it off.
 */
export function* sampleAddresses(geo: GeoView, wanted: readonly Wanted[]): Generator<void, (Address | undefined)[]> {
  const found = new Array<Address | undefined>(wanted.length).fill(undefined);
  const tries = new Int32Array(wanted.length);
  const byPlace = yield* placesOf(geo, wanted);
  const byAs = new Map<number, number[]>();
  for (const [i, { place }] of wanted.entries()) {
    if (place.kind === 'as') byAs.set(place.number, [...(byAs.get(place.number) ?? []), i]);
    if (place.kind !== 'network') continue;
    attempt(i, place.prefix.address);
    yield;
  }
  /** Whether there was something to try. */
  function attempt(i: number, address: Address): boolean {
    if (found[i] !== undefined || tries[i]! >= limits.placeSamples) return false;
    tries[i]!++;
    if (wanted[i]!.fits(address)) found[i] = address;
    return true;
  }
  for (const family of [4, 6] as const) {
    const places = geo.placesOfRanges(family);
    for (let range = 0; range < places.length; range++) {
      if (range % limits.placeSampleStep === 0) yield;
      for (const i of byPlace.get(places[range]!) ?? NONE) {
        if (attempt(i, startOf(geo, family, range))) yield;
      }
    }
    for (let range = 0; byAs.size > 0 && range < geo.asCount(family); range++) {
      if (range % limits.placeSampleStep === 0) yield;
      for (const i of byAs.get(geo.asNumber(family, range)) ?? NONE) {
        if (attempt(i, asStartOf(geo, family, range))) yield;
      }
    }
    // IPv6 has its own tries.
    tries.fill(0);
  }
  return found;
}

const NONE: readonly number[] = [];

/** Numbers of the wanted places that each place of the image lies in. */
function* placesOf(geo: GeoView, wanted: readonly Wanted[]): Generator<void, Map<number, number[]>> {
  const byText = new Map<string, number[]>();
  wanted.forEach(({ place }, i) => {
    const key = keyOf(place);
    if (key !== null) byText.set(key, [...(byText.get(key) ?? []), i]);
  });
  // Texts of the pool are read once each: a city database has hundreds of thousands of places.
  const texts = new Map<number, string>();
  const text = (place: number, word: number): string => {
    const number = geo.placeWord(place, word);
    const known = texts.get(number) ?? geo.text(number) ?? '';
    texts.set(number, known);
    return known;
  };
  const folded = new Map<number, readonly string[]>();
  const cities = (place: number): readonly string[] => {
    const number = geo.placeWord(place, PLACE.city);
    const known = folded.get(number) ?? (number === 0 ? [] : cityNames(geo.text(number)!));
    folded.set(number, known);
    return known;
  };
  const wantsCities = wanted.some(({ place }) => place.kind === 'city');
  const byPlace = new Map<number, number[]>();
  for (let place = 1; place < geo.placeCount; place++) {
    if (place % limits.placeSampleStep === 0) yield;
    const areas = [text(place, PLACE.country), text(place, PLACE.subdivision), text(place, PLACE.district)];
    const names = wantsCities ? cities(place) : [];
    const keys = [...areas, ...names.flatMap((name) => areas.map((area) => `${area}/${name}`))];
    const numbers = keys.flatMap((key) => byText.get(key) ?? NONE);
    if (numbers.length > 0) byPlace.set(place, numbers);
  }
  return byPlace;
}

function keyOf(place: Place): string | null {
  if (place.kind === 'country' || place.kind === 'subdivision') return place.code;
  return place.kind === 'city' ? `${place.subdivision ?? place.country}/${foldName(place.name)}` : null;
}

function asStartOf(geo: GeoView, family: 4 | 6, range: number): Address {
  const columns = family === 4 ? [0] : [0, 1, 2, 3];
  return addressOf(columns.map((column) => geo.asStart(family, range, column)));
}
