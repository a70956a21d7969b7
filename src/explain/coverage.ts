// Coverage: for every country, and every AS, city, subdivision and network that a rule names, which region and pool answers now.

import { type CoverageRow, type CoverageView, RequestError } from '../api/views.ts';
import type { Address } from '../base/address.ts';
import { allCountries, continentOf } from '../geo/countries.ts';
import { Inhabited } from '../geo/inhabited.ts';
import { locate } from '../geo/locate.ts';
import type { GeoView } from '../geo/lookup.ts';
import { NOWHERE, type Place, type PlaceFacts, placeKey } from '../geo/place.ts';
import { matchRegions } from '../zone/match.ts';
import type { SteeringMeta } from '../zone/meta.ts';
import { unreached } from '../zone/unreached.ts';
import type { Explainer } from './explainer.ts';
import { sampleAddresses, type Wanted } from './place-samples.ts';
import { placeText } from './place-text.ts';

/** A row to be: the facts of a client who is known by its place alone, and the rule that decides about such a client. */
interface Subject {
  readonly place: Place;
  readonly facts: PlaceFacts | null;
}

/** Rows: countries in order, then the rules that are finer than countries in the order of the file. */
function subjectsOf(steering: SteeringMeta): Subject[] {
  const finer = steering.regions
    .flatMap((region) => region.places)
    .filter((place) => place.kind !== 'country' && place.kind !== 'continent');
  return [
    ...allCountries().map((code): Subject => ({ place: { kind: 'country', code }, facts: factsOf(code, null, null) })),
    ...finer.map((place): Subject => {
      if (place.kind === 'subdivision') return { place, facts: factsOf(place.code.slice(0, 2), place.code, null) };
      if (place.kind === 'city') return { place, facts: factsOf(place.country, place.subdivision, place.name) };
      return { place, facts: null };
    }),
  ];
}

function factsOf(country: string, subdivision: string | null, city: string | null): PlaceFacts {
  return { ...NOWHERE, country, continent: continentOf(country), subdivision, city };
}

/** Throws RequestError where the name isn't steered. */
export function coverage(explainer: Explainer, name: string, type: string): CoverageView {
  const steering = explainer.steeringOf(name, type);
  if (steering === null)
    throw new RequestError(404, 'not-steered', `${name} ${type} is not steered: every client gets the same`);
  return explainer.withGeo((geo) => {
    const inhabited = new Inhabited(geo);
    const subjects = subjectsOf(steering);
    const places = subjects.map(({ place }) => place);
    const empty = inhabited.without(geo, places);
    return {
      rows: rowsOf(explainer, name, type, steering, geo, subjects),
      withoutAddresses: places.filter((place) => empty.has(placeKey(place))).map(placeText),
      warnings: unreached(steering.regions, geo, inhabited).map(({ kind, region, message }) =>
        kind === 'place' ? `the region ${region}: ${message}` : message,
      ),
      split: explainer.split(name, type),
    };
  });
}

function rowsOf(
  explainer: Explainer,
  name: string,
  type: string,
  steering: SteeringMeta,
  geo: GeoView,
  subjects: readonly Subject[],
): CoverageRow[] {
  const { regions } = steering;
  const deciding = (client: Address): string | null => {
    const { as, facts } = locate(geo, client);
    const first = matchRegions(regions, { address: client, as, facts })[0];
    return first === undefined ? null : placeKey(first.place);
  };
  const wanted = subjects.map(({ place, facts }): Wanted => {
    const rule = facts === null ? place : matchRegions(regions, { address: null, as: 0, facts })[0]?.place;
    const key = rule === undefined ? null : placeKey(rule);
    return { place, fits: (address) => deciding(address) === key };
  });
  const found = sampleAddresses(geo, wanted);
  return subjects.map(({ place, facts }, i): CoverageRow => {
    const text = placeText(place);
    const address = found[i];
    if (address !== undefined) return { place: text, ...explainer.glance(name, type, address) };
    // Longer networks cover it: no client can match it.
    if (place.kind === 'network') return { place: text, region: 'never: other networks cover it', pool: null };
    const as = place.kind === 'as' ? place.number : 0;
    return { place: text, ...explainer.expect(name, type, as, facts ?? NOWHERE) };
  });
}
