// Coverage: for every country, and every AS, city, subdivision and network that a rule names, which region and pool answers now.

import { type CoverageRow, type CoverageView, RequestError } from '../api/views.ts';
import type { Address } from '../base/address.ts';
import { allCountries, continentOf } from '../geo/countries.ts';
import { locate } from '../geo/locate.ts';
import { NOWHERE, type Place, type PlaceFacts, placeKey } from '../geo/place.ts';
import { regionMatcher } from '../zone/match.ts';
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

/** Finer than countries. */
function isFiner({ kind }: Place): boolean {
  return kind !== 'country' && kind !== 'continent';
}

/** Rows: countries in order, then the rules that are finer than countries in the order of the file. */
function subjectsOf(steering: SteeringMeta): Subject[] {
  const finer = steering.regions.flatMap((region) => region.places).filter(isFiner);
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

/** What coverage tells: the rows, one after the other, and what is known of all of them. Both are worked out in steps. */
export interface CoverageSteps {
  readonly rows: Generator<CoverageRow | null>;
  readonly rest: Generator<null, Omit<CoverageView, 'rows'>>;
}

/** Throws RequestError where the name isn't steered. */
export function coverage(explainer: Explainer, name: string, type: string): CoverageSteps {
  const steering = explainer.steeringOf(name, type);
  if (steering === null)
    throw new RequestError(404, 'not-steered', `${name} ${type} is not steered: every client gets the same`);
  return {
    rows: rowsOf(explainer, steering, name, type),
    rest: restOf(explainer, steering, name, type),
  };
}

function* restOf(
  explainer: Explainer,
  { regions }: SteeringMeta,
  name: string,
  type: string,
): Generator<null, Omit<CoverageView, 'rows'>> {
  const places = regions.flatMap((region) => region.places);
  const asked = [...allCountries().map((code): Place => ({ kind: 'country', code })), ...places.filter(isFiner)];
  yield null;
  const empty = explainer.inhabited().without(explainer.geo(), asked);
  yield null;
  const said = unreached(regions, explainer.geo(), explainer.inhabited());
  return {
    withoutAddresses: asked.filter((place) => empty.has(placeKey(place))).map(placeText),
    warnings: said.map(({ kind, region, message }) =>
      kind === 'place' ? `the region ${region}: ${message}` : message,
    ),
    split: yield* explainer.split(name, type),
  };
}

function* rowsOf(
  explainer: Explainer,
  steering: SteeringMeta,
  name: string,
  type: string,
): Generator<CoverageRow | null> {
  const subjects = subjectsOf(steering);
  const addresses = yield* addressesOf(explainer, steering, subjects);
  for (const [i, { place, facts }] of subjects.entries()) {
    const text = placeText(place);
    const address = addresses[i];
    const as = place.kind === 'as' ? place.number : 0;
    if (address !== undefined) yield { place: text, ...explainer.glance(name, type, address) };
    // Longer networks cover it: no client can match it.
    else if (place.kind === 'network') yield { place: text, region: 'never: other networks cover it', pool: null };
    else yield { place: text, ...explainer.expect(name, type, as, facts ?? NOWHERE) };
  }
}

/** An address for each subject, as far as there is one. Begins anew when the geography is replaced between two steps. */
function* addressesOf(
  explainer: Explainer,
  steering: SteeringMeta,
  subjects: readonly Subject[],
): Generator<null, (Address | undefined)[]> {
  const matching = regionMatcher(steering.regions);
  for (;;) {
    const version = explainer.geoVersion;
    const geo = explainer.geo();
    const deciding = (client: Address): string | null => {
      const { as, facts } = locate(geo, client);
      const first = matching({ address: client, as, facts })[0];
      return first === undefined ? null : placeKey(first.place);
    };
    const wanted: Wanted[] = [];
    for (const { place, facts } of subjects) {
      const rule = facts === null ? place : matching({ address: null, as: 0, facts })[0]?.place;
      const key = rule === undefined ? null : placeKey(rule);
      wanted.push({ place, fits: (address) => deciding(address) === key });
      yield null;
    }
    if (explainer.geoVersion !== version) continue;
    const steps = sampleAddresses(geo, wanted);
    let step = steps.next();
    while (!step.done && explainer.geoVersion === version) {
      yield null;
      if (explainer.geoVersion === version) step = steps.next();
    }
    if (step.done) return step.value;
  }
}
