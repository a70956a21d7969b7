// Coverage: for every country, and every AS, city, subdivision and network that a rule names, which region and pool answers now.
import type { Address } from '../base/address.ts';
import type { GeoView } from '../geo/lookup.ts';
import type { Place } from '../geo/place.ts';
import type { Explainer } from './explain.ts';
import { placeText } from './place-text.ts';
import { type CoverageRow, RequestError } from './views.ts';

function addressOf(word: number): Address {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, word);
  return { family: 4, bytes };
}

/** An IPv4 address of each country, subdivision and city that the databases know, by the text of the place. */
function samples(geo: GeoView): Map<string, Address> {
  const found = new Map<string, Address>();
  const seen = new Set<number>();
  for (let range = 0; range < geo.count4; range++) {
    const place = geo.place4(range);
    if (place === 0 || seen.has(place)) continue;
    seen.add(place);
    const facts = geo.facts(place);
    const address = addressOf(geo.start4(range));
    const add = (key: string | null): void => {
      if (key !== null && !found.has(key)) found.set(key, address);
    };
    add(facts.country);
    add(facts.subdivision);
    if (facts.city !== null) {
      add(`city:${facts.country}/${facts.city}`.toLowerCase());
      add(`city:${facts.subdivision}/${facts.city}`.toLowerCase());
    }
  }
  return found;
}

function sampleOf(place: Place, known: Map<string, Address>, geo: GeoView): Address | undefined {
  if (place.kind === 'network') return place.prefix.address;
  if (place.kind === 'city') return known.get(placeText(place).toLowerCase());
  if (place.kind === 'as') {
    for (let range = 0; range < geo.asCount(4); range++) {
      if (geo.asNumber(4, range) === place.number) return addressOf(geo.asStart(4, range, 0));
    }
    return undefined;
  }
  return known.get(placeText(place));
}

/** Throws RequestError where the name isn't steered. Rows: countries in order, then the rules that are finer than countries. */
export function coverage(explainer: Explainer, name: string, type: string): CoverageRow[] {
  const steering = explainer.steeringOf(name, type);
  if (steering === null) throw new RequestError(404, 'not-steered', `${name} ${type} is not steered: every client gets the same`);
  return explainer.withGeo((geo) => {
    const known = samples(geo);
    const row = (place: string, address: Address | undefined): CoverageRow => {
      if (address === undefined) return { place, region: 'unknown: no loaded database has it', pool: null };
      const { region, pool } = explainer.glance(name, type, address);
      return { place, region: region ?? 'default', pool };
    };
    const countries = [...known.keys()].filter((key) => /^[A-Z]{2}$/.test(key)).sort();
    const finer = steering.regions
      .flatMap((region) => region.places)
      .filter((place) => place.kind !== 'country' && place.kind !== 'continent');
    return [
      ...countries.map((country) => row(country, known.get(country))),
      ...finer.map((place) => row(placeText(place), sampleOf(place, known, geo))),
    ];
  });
}
