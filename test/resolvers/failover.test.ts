// How long clients get the old address from each resolver when the answer changes: the TTL, whatever lies in between.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../support/internet.ts';
import { canMakeNamespaces } from '../support/namespace.ts';
import * as resolvers from '../support/resolvers.ts';
import { firstAddress, type World, world } from './world.ts';

const able = canMakeNamespaces() && resolvers.haveResolvers();
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const OLD = '203.0.113.71';
const NEW = '203.0.113.72';
/** The zone's, and what a slow machine may add. */
const TTL_S = 5;
const SLOW_S = 20;

describe.skipIf(!able)('an answer that changes', () => {
  let here: World;
  const asked: [string, Host][] = [];
  beforeAll(async () => {
    here = await world();
    const starts: [string, resolvers.Start][] = [
      ['Unbound with subnetcache', resolvers.unboundSubnets],
      ['PowerDNS Recursor', resolvers.pdnsRecursor],
      ['dnsdist', resolvers.dnsdist],
      ['dnsmasq', resolvers.dnsmasq],
      ['Unbound', resolvers.unbound],
      ['BIND', resolvers.bind],
      ['Knot Resolver', resolvers.knotResolver],
      ['stubby', resolvers.stubby],
    ];
    for (const [name, start] of starts) asked.push([name, await here.resolver(start)]);
    // Three caches in a row: a home router, a load balancer, a provider's resolver.
    const provider = await here.resolver(resolvers.pdnsRecursor);
    const balancer = await here.resolver(resolvers.dnsdist, provider);
    asked.push(['three in a row', await here.resolver(resolvers.dnsmasq, balancer)]);
  }, 90_000);
  afterAll(() => here?.internet.close());

  it('reaches the clients of each resolver within its TTL, through a row of caches too', async () => {
    const ask = (resolver: Host): string => firstAddress(here.moscow, resolver, 'one.moves.net.cat');
    const got: Record<string, number> = {};
    for (const [name, resolver] of asked) expect([name, ask(resolver)]).toEqual([name, OLD]);
    const fromMs = Date.now();
    const config = `${here.server.directory}/meridian.yaml`;
    here.server.run(
      process.execPath,
      MAIN,
      'force',
      'net.cat/first',
      '--for',
      '1h',
      '--reason',
      'a test',
      '--config',
      config,
    );
    while (Object.keys(got).length < asked.length && Date.now() - fromMs < (TTL_S + SLOW_S) * 1000) {
      for (const [name, resolver] of asked) {
        const address = ask(resolver);
        if (address === NEW) got[name] ??= (Date.now() - fromMs) / 1000;
        else expect([name, address]).toEqual([name, OLD]);
        // Never back to the old one.
        if (name in got) expect([name, address]).toEqual([name, NEW]);
      }
    }
    console.info(got);
    expect(Object.keys(got).sort()).toEqual(asked.map(([name]) => name).sort());
  }, 90_000);
});
