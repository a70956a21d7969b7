// The contract's rule in plain words: which regions a client matches, the most specific first. For explain and coverage.
import { type Address, contains, formatAddress, maskAddress, type Prefix } from '../base/address.ts';
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
 * Finds all regions that a client matches, each once: longest network, then AS, city, subdivision, country, continent. The first wins; the
 * others are where its answer climbs to, before `default`. Networks, of which there may be many thousands, are found by their length.
 */
export function regionMatcher(
  regions: readonly { readonly name: string; readonly places: readonly Place[] }[],
): (client: MatchedClient) => Candidate[] {
  const others: Candidate[] = [];
  const networks = new Map<string, Candidate[]>();
  const lengths: Record<4 | 6, Set<number>> = { 4: new Set(), 6: new Set() };
  for (const { name, places } of regions) {
    for (const place of places) {
      const network = place.kind === 'network' ? placedPrefix(place.prefix) : undefined;
      if (place.kind !== 'network') others.push({ region: name, place });
      else if (network !== undefined) {
        const key = networkKey(network.address, network.length);
        networks.set(key, [...(networks.get(key) ?? []), { region: name, place }]);
        lengths[network.address.family].add(network.length);
      }
    }
  }
  return (client) => {
    const near = [...others];
    if (client.address !== null) {
      const address = placedAddress(client.address);
      for (const length of lengths[address.family]) near.push(...(networks.get(networkKey(address, length)) ?? []));
    }
    return inOrder(near, client);
  };
}

function networkKey(address: Address, length: number): string {
  return `${formatAddress(maskAddress(address, length))}/${length}`;
}

function inOrder(candidates: readonly Candidate[], client: MatchedClient): Candidate[] {
  const matches = candidates
    .map((candidate) => ({ ...candidate, rank: rankOf(candidate.place, client) }))
    .filter(({ rank }) => rank > 0)
    .sort((a, b) => b.rank - a.rank);
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
