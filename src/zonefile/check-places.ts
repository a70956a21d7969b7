// Lint of geography: regions that never match, networks inside of each other, places that stand twice, rules without data.
import { compareAddresses, contains, type Prefix } from '../base/address.ts';
import { allCountries, continentOf } from '../geo/countries.ts';
import type { PlaceKey } from '../geo/place.ts';
import { UNREACHED_CODES } from '../zone/unreached.ts';
import type { GeoData, LintedZone } from './linted-zone.ts';
import type { WrittenPlace } from './regions.ts';
import type { WrittenSteering } from './steering.ts';

type SetRegion = WrittenSteering['regions'][number];

/** A network of a record set, with the region that it stands for. */
interface RegionNetwork {
  readonly region: SetRegion;
  readonly place: WrittenPlace;
  readonly prefix: Prefix;
  /** Share of its addresses that longer networks of the record set take away. */
  taken: number;
}

/** Reports what is doubtful about regions and places. */
export function lintPlaces(zone: LintedZone): void {
  lintRepeated(zone);
  const seen = new Set<string>();
  for (const steering of zone.steerings) {
    // Record sets with the same regions have the same faults.
    const pattern = steering.regions.map(({ name }) => name).join(' ');
    const fresh = pattern !== '' && !seen.has(pattern);
    seen.add(pattern);
    if (!fresh) continue;
    const dead = lintRegions(steering);
    if (zone.geoData !== null) lintUnreached(zone, steering, dead, zone.geoData);
  }
  if (zone.geoData !== null) lintData(zone, zone.geoData);
}

/** A place in two regions: a record set that names both is an error, and whoever reads it will wonder. */
function lintRepeated({ regions, document }: LintedZone): void {
  const seen = new Map<PlaceKey, string>();
  for (const { name, places } of regions.values()) {
    for (const { key, offset } of places) {
      const other = seen.get(key);
      if (other === undefined) seen.set(key, name);
      else {
        const message = `${key} is in the region ${other} too; no record set can name both`;
        document.report('place-in-two-regions', offset, message, 'keep it in one of them');
      }
    }
  }
}

/** Returns the names of the regions that never match. */
function lintRegions({ regions, document, owner, typeText }: WrittenSteering): Set<string> {
  const networks = sortedNetworks(regions);
  const inside: RegionNetwork[] = [];
  for (const network of networks) {
    while (inside.length > 0 && !holds(inside.at(-1)!.prefix, network.prefix)) inside.pop();
    const outer = inside.at(-1);
    if (outer !== undefined) outer.taken += 2 ** (outer.prefix.length - network.prefix.length);
    inside.push(network);
  }
  const countries = new Set<string>();
  for (const { places } of regions)
    for (const { place } of places) if (place.kind === 'country') countries.add(place.code);
  const taken = new Set(networks.filter((network) => network.taken >= 1).map((network) => network.place));
  const dead = new Set<string>();
  for (const region of regions) {
    if (region.places.length === 0) continue;
    if (!region.places.every((place) => taken.has(place) || isSpent(place, countries))) continue;
    dead.add(region.name);
    const message = `${owner} ${typeText}: the region ${region.name} never matches: more specific places of other regions cover it`;
    document.report('region-never-matches', region.offset, message, 'remove it, or the places that cover it');
  }
  return dead;
}

/** Places and regions that no client of the loaded databases is in. */
function lintUnreached(zone: LintedZone, steering: WrittenSteering, dead: ReadonlySet<string>, data: GeoData): void {
  const { document, owner, typeText } = steering;
  const regions = steering.regions.map(({ name, places }) => ({ name, places: places.map(({ place }) => place) }));
  for (const { kind, region: name, place, message, fix } of data.unreached(regions)) {
    if (kind === 'rest' || (kind === 'region' && dead.has(name))) continue;
    const region = steering.regions.find((one) => one.name === name)!;
    // A place stands where its region is written, if that is this file; what record sets name by itself stands there.
    const written = zone.regions.get(name)?.places.find((one) => one.place === place);
    const what = kind === 'place' ? message : `${owner} ${typeText}: ${message}`;
    document.report(UNREACHED_CODES[kind], written?.offset ?? region.offset, what, fix);
  }
}

/** Whether every country of a continent stands in the record set by itself. */
function isSpent({ place }: WrittenPlace, countries: ReadonlySet<string>): boolean {
  if (place.kind !== 'continent') return false;
  return allCountries().every((country) => continentOf(country) !== place.code || countries.has(country));
}

/** By address, then from short to long: what a network holds follows it. */
function sortedNetworks(regions: readonly SetRegion[]): RegionNetwork[] {
  const networks: RegionNetwork[] = [];
  for (const region of regions) {
    for (const place of region.places) {
      if (place.place.kind === 'network') networks.push({ region, place, prefix: place.place.prefix, taken: 0 });
    }
  }
  return networks.sort(({ prefix: a }, { prefix: b }) => {
    if (a.address.family !== b.address.family) return a.address.family - b.address.family;
    return compareAddresses(a.address, b.address) || a.length - b.length;
  });
}

function holds(outer: Prefix, inner: Prefix): boolean {
  return outer.length <= inner.length && contains(outer, inner.address);
}

/** Rules that no loaded database can match: said once for each kind. */
function lintData({ steerings, regions: own }: LintedZone, data: GeoData): void {
  const kinds = {
    as: { has: data.asNumbers, code: 'no-as-data', needs: 'an ASN database (such as GeoLite2-ASN)' },
    city: { has: data.cities, code: 'no-city-data', needs: 'a city database (such as GeoLite2-City)' },
    subdivision: {
      has: data.subdivisions,
      code: 'no-subdivision-data',
      needs: 'a city database (such as GeoLite2-City)',
    },
  } as const;
  const said = new Set<string>();
  for (const { regions, document, closestOffset } of steerings) {
    for (const region of regions) {
      for (const { place, key } of region.places) {
        if (place.kind !== 'as' && place.kind !== 'city' && place.kind !== 'subdivision') continue;
        const { has, code, needs } = kinds[place.kind];
        if (has || said.has(code)) continue;
        said.add(code);
        const message = `no loaded database can match ${key} of the region ${region.name}`;
        // Where the place is written: in the region, if that is this file's.
        const written = own.get(region.name)?.places.find((one) => one.place === place);
        const fix = `put ${needs} into geoip/, or say it in overrides.yaml`;
        document.report(code, written?.offset ?? region.offset, message, fix);
      }
    }
    if (closestOffset !== null && !data.coordinates && !said.has('closest-by-country')) {
      said.add('closest-by-country');
      const message = 'the loaded databases have no coordinates: closest measures from the middle of each country';
      document.report('closest-by-country', closestOffset, message, 'put a city database into geoip/ for more');
    }
  }
}
