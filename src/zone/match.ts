// The contract's rule in plain words: which regions a client matches, the most specific first. For explain and coverage.
import { type Address, contains, type Prefix } from '../base/address.ts';
import { placedAddress, placedPrefix } from '../geo/embedded.ts';
import { cityNames, foldName, type Place, type PlaceFacts } from '../geo/place.ts';

/** What decides about a client. */
export interface MatchedClient {
  /** null where only a place is asked about, as coverage does: networks don't match then. */
  readonly address: Address | null;
  /** 0: not known. */
  readonly as: number;
  readonly facts: PlaceFacts;
}

/** A region that a client matches, by its most specific place. */
export interface Candidate {
  readonly region: string;
  readonly place: Place;
}

/**
 * All regions that the client matches, each once: longest network, then AS, city, subdivision, country, continent. The first wins;
 * the others are where its answer climbs to, before `default`.
 */
export function matchRegions(
  regions: readonly { readonly name: string; readonly places: readonly Place[] }[],
  client: MatchedClient,
): Candidate[] {
  const matches = regions.flatMap(({ name, places }) =>
    places.map((place) => ({ region: name, place, rank: rankOf(place, client) })).filter(({ rank }) => rank > 0),
  );
  matches.sort((a, b) => b.rank - a.rank);
  const seen = new Set<string>();
  return matches
    .filter(({ region }) => !seen.has(region) && seen.add(region))
    .map(({ region, place }) => ({ region, place }));
}

/** How specific a place is for a client, 0 where the client is elsewhere. */
function rankOf(place: Place, { address, as, facts }: MatchedClient): number {
  switch (place.kind) {
    case 'network': {
      const network = networkLength(place.prefix, address);
      return network < 0 ? 0 : 100 + network;
    }
    case 'as':
      return place.number === as ? 90 : 0;
    case 'city': {
      if (facts.country !== place.country || facts.city === null) return 0;
      const name = cityNames(facts.city).indexOf(foldName(place.name));
      if (name < 0) return 0;
      const base = name === 0 ? 83 : 80;
      // With its subdivision, the inner first, a city is named more exactly than without.
      if (place.subdivision === null) return base;
      return place.subdivision === facts.district ? base + 2 : place.subdivision === facts.subdivision ? base + 1 : 0;
    }
    case 'subdivision':
      return place.code === facts.district ? 71 : place.code === facts.subdivision ? 70 : 0;
    case 'country':
      return place.code === facts.country ? 60 : 0;
    case 'continent':
      return place.code === facts.continent ? 50 : 0;
  }
}

/** The length of a network that the client lies in, or -1. Addresses inside IPv6 that carry IPv4 are IPv4 addresses. */
function networkLength(prefix: Prefix, client: Address | null): number {
  const network = placedPrefix(prefix);
  if (client === null || network === undefined) return -1;
  return contains(network, placedAddress(client)) ? network.length : -1;
}
