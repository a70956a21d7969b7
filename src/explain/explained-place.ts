// Where a client is, as an explanation tells it.
import type { Explanation } from '../api/views.ts';
import { type Address, formatPrefix, type Prefix } from '../base/address.ts';
import { locate } from '../geo/locate.ts';
import type { GeoView } from '../geo/lookup.ts';
import { severalCountries } from '../geo/spread.ts';

/** @param subnet the client subnet that the address is the first of; null: there is none */
export function explainedPlace(geo: GeoView, client: Address, subnet: Prefix | null): Explanation['place'] {
  const { facts, source, network, as } = locate(geo, client);
  return {
    network: source === null ? null : formatPrefix(network),
    country: facts.country,
    continent: facts.continent,
    subdivision: facts.subdivision,
    city: facts.city,
    as: as === 0 ? null : as,
    at: facts.at,
    database: source?.file ?? null,
    built: source === null || source.builtAt === 0 ? null : new Date(source.builtAt * 1000).toISOString(),
    countries: subnet === null ? [] : severalCountries(geo, subnet),
  };
}
