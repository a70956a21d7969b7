// Clients in Moscow, in Rio, at home behind a private address and with an opt-out, each behind every resolver: the right pool, from warm caches too.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../support/internet.ts';
import { canMakeNamespaces } from '../support/namespace.ts';
import * as resolvers from '../support/resolvers.ts';
import { firstAddress, type World, world } from './world.ts';

const able = canMakeNamespaces() && resolvers.haveResolvers();

const POOLS: Readonly<Record<string, string>> = {
  '203.0.113.10': 'moscow',
  '203.0.113.20': 'rio',
  '203.0.113.30': 'warsaw',
  '203.0.113.40': 'default',
};

describe.skipIf(!able)('clients behind real resolvers', () => {
  let here: World;
  beforeAll(async () => {
    here = await world();
  }, 60_000);
  afterAll(() => here?.internet.close());

  /** What each gets of a fresh name: in one order and at once again, then of another name in the other order. */
  function pools(resolver: Host, expected: Readonly<Record<string, string>>): Record<string, string[]> {
    const order = Object.keys(expected);
    const got: Record<string, string[]> = Object.fromEntries(order.map((who) => [who, []]));
    const ask = (name: string, who: string): void => {
      const client = who === 'rio' ? here.rio : who === 'home' ? here.home : here.moscow;
      const option = who === 'opt-out' ? ['+subnet=0/0'] : [];
      const address = firstAddress(client, resolver, ...option, name);
      got[who]!.push(POOLS[address] ?? address);
    };
    for (const who of [...order, ...order]) ask('forward.user.net.cat', who);
    order.reverse();
    for (const who of [...order, ...order]) ask('backward.user.net.cat', who);
    return got;
  }
  const always = (expected: Readonly<Record<string, string>>): Record<string, string[]> =>
    Object.fromEntries(Object.entries(expected).map(([who, pool]) => [who, Array<string>(4).fill(pool)]));

  /** Those whose resolver tells where its clients are get their own place; who can't be placed gets the resolver's. */
  const BY_CLIENT = { moscow: 'moscow', rio: 'rio', home: 'warsaw', 'opt-out': 'warsaw' };
  const BY_RESOLVER = { moscow: 'warsaw', rio: 'warsaw', home: 'warsaw', 'opt-out': 'warsaw' };

  it.each([
    ['Unbound with subnetcache', resolvers.unboundSubnets, BY_CLIENT],
    ['PowerDNS Recursor', resolvers.pdnsRecursor, BY_CLIENT],
    ['dnsdist', resolvers.dnsdist, BY_CLIENT],
    // Opt-outs get no answer at all: findings/dnsmasq-own-subnet.sh.
    ['dnsmasq with add-subnet', resolvers.dnsmasqSubnets, { moscow: 'moscow', rio: 'rio', home: 'warsaw' }],
    ['dnsmasq', resolvers.dnsmasq, BY_RESOLVER],
    ['Unbound', resolvers.unbound, BY_RESOLVER],
    ['BIND', resolvers.bind, BY_RESOLVER],
    ['Knot Resolver', resolvers.knotResolver, BY_RESOLVER],
    ['stubby', resolvers.stubby, BY_RESOLVER],
  ])(
    '%s gives each its pool, in both orders and twice',
    async (_, start, expected) => {
      const resolver = await here.resolver(start);
      expect(pools(resolver, expected)).toEqual(always(expected));
    },
    120_000,
  );

  it.each([
    ['stubby in front of Unbound with subnetcache', resolvers.stubby, resolvers.unboundSubnets, BY_RESOLVER],
    ['dnsdist in front of PowerDNS Recursor', resolvers.dnsdist, resolvers.pdnsRecursor, BY_CLIENT],
    ['dnsmasq in front of BIND', resolvers.dnsmasq, resolvers.bind, BY_RESOLVER],
    [
      'dnsmasq with add-subnet in front of Unbound with subnetcache',
      resolvers.dnsmasqSubnets,
      resolvers.unboundSubnets,
      { moscow: 'moscow', rio: 'rio', home: 'warsaw' },
    ],
  ])(
    '%s: the same',
    async (_, front, back, expected) => {
      const resolver = await here.resolver(front, await here.resolver(back));
      expect(pools(resolver, expected)).toEqual(always(expected));
    },
    120_000,
  );

  it.skipIf(!resolvers.haveResolved())(
    'systemd-resolved: the same',
    async () => {
      const resolver = await here.resolver(resolvers.systemdResolved);
      expect(pools(resolver, BY_RESOLVER)).toEqual(always(BY_RESOLVER));
    },
    120_000,
  );

  it('of two subnets an opt-out wins, which stubby adds, else the first', async () => {
    const stubby = await here.resolver(resolvers.stubby);
    const dnsdist = await here.resolver(resolvers.dnsdist);
    const inRio = '+ednsopt=8:00011800c91100';
    const inMoscow = '+ednsopt=8:000118004d5837';
    expect(POOLS[firstAddress(here.moscow, stubby, inRio, 'a.user.net.cat')]).toBe('warsaw');
    expect(POOLS[firstAddress(here.moscow, dnsdist, inRio, inMoscow, 'b.user.net.cat')]).toBe('rio');
    expect(POOLS[firstAddress(here.rio, dnsdist, inMoscow, inRio, 'c.user.net.cat')]).toBe('moscow');
  }, 60_000);
});
