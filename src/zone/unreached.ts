// Rules that no client matches, as far as the loaded databases know: places without addresses, and regions that others cover.
import type { Inhabited } from '../geo/inhabited.ts';
import type { GeoView } from '../geo/lookup.ts';
import { GIVES } from '../geo/merge.ts';
import { type Place, placeKey } from '../geo/place.ts';
import { areAllSubdivisions, subdivisionName } from '../geo/subdivisions.ts';

/** Subdivisions in ISO 3166-2 that have a country code of their own, which databases use. */
const TERRITORIES = /^(?:CN-(?:HK|MO|TW)|FR-(?:BL|MF|NC|PF|PM|TF|WF)|NL-(?:AW|CW|SX)|US-(?:AS|GU|MP|PR|UM|VI))$/;

export interface SetRegions {
  readonly name: string;
  readonly places: readonly Place[];
}

/** What is said about a region, in the words of `check` and `status`. */
export interface Unreached {
  readonly kind: 'place' | 'region' | 'rest';
  readonly region: string;
  /** The place, for `place`. */
  readonly place: Place | null;
  readonly message: string;
}

/**
 * What the regions of one record set name in vain. Kinds of places that no loaded database knows at all are left to others to
 * say, but for codes that nobody has.
 * @param inhabited made of `geo`
 */
export function unreached(regions: readonly SetRegions[], geo: GeoView, inhabited: Inhabited): Unreached[] {
  const empty = inhabited.without(
    geo,
    regions.flatMap(({ places }) => places),
  );
  const found: Unreached[] = [];
  for (const { name, places } of regions) {
    for (const place of places) {
      if (!empty.has(placeKey(place)) || !isJudged(place, geo.gives)) continue;
      const message = `no loaded database has an address in ${placeWords(place)}`;
      found.push({ kind: 'place', region: name, place, message });
    }
  }
  const reach = reachOf(regions, inhabited);
  for (const { name, places } of regions) {
    // What else the region has decides, or is said already.
    const areas = places.filter(isArea);
    if (areas.length < places.length || areas.every((place) => empty.has(placeKey(place)))) continue;
    const how = reach.get(name);
    if (how === undefined) {
      const message = `the region ${name} never matches: more specific places of other regions have every address in it`;
      found.push({ kind: 'region', region: name, place: null, message });
    } else if (how === 'rest') {
      const message = `the region ${name} matches only clients whose subdivision no database knows: all subdivisions are in other regions`;
      found.push({ kind: 'rest', region: name, place: null, message });
    }
  }
  return found;
}

/** Whether a database could have said that it knows the place: where none has cities, that is what is wrong. */
function isJudged(place: Place, gives: number): boolean {
  if (place.kind === 'city') return (gives & GIVES.cities) !== 0;
  if (place.kind === 'as') return (gives & GIVES.as) !== 0;
  if (place.kind === 'subdivision') return (gives & GIVES.subdivisions) !== 0 || subdivisionName(place.code) === null;
  return true;
}

function isArea(place: Place): boolean {
  return place.kind === 'country' || place.kind === 'continent' || place.kind === 'subdivision';
}

/**
 * How clients get to each region by geography: `some` do, only the `rest` do of whom no database knows the subdivision while all
 * subdivisions stand in other regions, or (not in the map) none. Cities, networks and AS numbers only take clients away.
 */
function reachOf(regions: readonly SetRegions[], inhabited: Inhabited): Map<string, 'some' | 'rest'> {
  const owner = new Map<string, string>();
  for (const { name, places } of regions) {
    for (const place of places)
      if (isArea(place)) owner.set('code' in place ? `${place.kind} ${place.code}` : '', name);
  }
  const listed = new Set(
    regions.flatMap(({ places }) => places.flatMap((place) => (place.kind === 'subdivision' ? [place.code] : []))),
  );
  const subdivided = new Set(
    inhabited.areas.flatMap(({ country, subdivision }) => (subdivision === null ? [] : [country])),
  );
  const reach = new Map<string, 'some' | 'rest'>();
  for (const { country, continent, subdivision, district } of inhabited.areas) {
    const bySubdivision = owner.get(`subdivision ${district}`) ?? owner.get(`subdivision ${subdivision}`);
    const name = bySubdivision ?? owner.get(`country ${country}`) ?? owner.get(`continent ${continent}`);
    if (name === undefined || reach.get(name) === 'some') continue;
    const isRest =
      country !== null &&
      subdivision === null &&
      (subdivided.has(country) ? hasAny(listed, country) : areAllListed(country, listed));
    reach.set(name, isRest ? 'rest' : 'some');
  }
  return reach;
}

function hasAny(codes: ReadonlySet<string>, country: string): boolean {
  for (const code of codes) if (code.startsWith(`${country}-`)) return true;
  return false;
}

function areAllListed(country: string, listed: ReadonlySet<string>): boolean {
  return hasAny(listed, country) && areAllSubdivisions(country, listed);
}

function placeWords(place: Place): string {
  if (place.kind === 'subdivision') {
    const name = subdivisionName(place.code);
    return name === null ? place.code : `${place.code} (${name})`;
  }
  return place.kind === 'city' ? `city:${place.subdivision ?? place.country}/${place.name}` : placeKey(place);
}

/** What to do about it; to look for the city that was meant takes a while. */
export function fixFor({ kind, place }: Unreached, geo: GeoView, inhabited: Inhabited): string {
  if (kind === 'region') return 'remove it, or the places that cover it';
  if (kind === 'rest') return 'nothing, if that is meant';
  if (place?.kind === 'city') {
    const near = inhabited.nearestCity(geo, place);
    return near === undefined
      ? 'write the city as the database does (meridian explain shows it), or remove it'
      : `did you mean ${near}?`;
  }
  if (place?.kind === 'subdivision' && subdivisionName(place.code) === null) {
    return TERRITORIES.test(place.code)
      ? `write ${place.code.slice(3)}: databases have it as a country`
      : 'correct it: it is no code of ISO 3166-2';
  }
  return 'correct it, or remove it; nothing, if it is right';
}
