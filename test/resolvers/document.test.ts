// docs/resolvers.md, row by row: what each resolver sends and what it keeps, seen by running it, is what its tables say.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../support/internet.ts';
import { canMakeNamespaces } from '../support/namespace.ts';
import * as resolvers from '../support/resolvers.ts';
import { Sniffer, subnets } from '../support/sniffer.ts';
import { askAs, firstAddress, type World, world } from './world.ts';

const able = canMakeNamespaces() && resolvers.haveResolvers();
const text = readFileSync(new URL('../../docs/resolvers.md', import.meta.url), 'utf8');

/** The cells of a table's row, by the columns' titles. @param title a heading of the document, before the table */
function row(title: string, resolver: string): Record<string, string> {
  const lines = text.slice(text.indexOf(`## ${title}\n`)).split('\n');
  const cells = (line: string): string[] =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const start = lines.findIndex((line) => line.startsWith('|'));
  const columns = cells(lines[start]!);
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break;
    const values = cells(line);
    if (values[0] === resolver) return Object.fromEntries(columns.map((column, i) => [column, values[i]!]));
  }
  throw new Error(`docs/resolvers.md has no row ${resolver} under ${title}`);
}

const LISTED = '192.0.2.9 192.0.2.2 192.0.2.7 192.0.2.4';

const ROWS: readonly [string, resolvers.Start, string, string[]][] = [
  ['Unbound with subnetcache', resolvers.unboundSubnets, 'unbound', ['-V']],
  ['PowerDNS Recursor', resolvers.pdnsRecursor, 'pdns_recursor', ['--version']],
  ['dnsdist', resolvers.dnsdist, 'dnsdist', ['--version']],
  ['dnsmasq with add-subnet', resolvers.dnsmasqSubnets, 'dnsmasq', ['--version']],
  ['dnsmasq', resolvers.dnsmasq, 'dnsmasq', ['--version']],
  ['Unbound', resolvers.unbound, 'unbound', ['-V']],
  ['BIND', resolvers.bind, 'named', ['-v']],
  ['Knot Resolver', resolvers.knotResolver, 'kresd', ['--version']],
  ['stubby', resolvers.stubby, 'stubby', ['-V']],
  ['systemd-resolved', resolvers.systemdResolved, '', []],
];

describe.skipIf(!able)('docs/resolvers.md', () => {
  let here: World;
  beforeAll(async () => {
    here = await world();
  }, 60_000);
  afterAll(() => here?.internet.close());

  describe.each(ROWS)('%s', (name, start, program, versionArgs) => {
    const present = name !== 'systemd-resolved' || resolvers.haveResolved();
    let resolver: Host;
    let sniffer: Sniffer;
    beforeAll(async () => {
      if (!present) return;
      resolver = await here.resolver(start);
      sniffer = new Sniffer(resolver, here.server);
      await sniffer.since();
      // Whatever it wants to know of the zone and its parents, it knows now.
      for (const client of [here.moscow, here.rio]) askAs(client, resolver, 'first.user.net.cat');
    }, 60_000);

    /** The subnets of the queries that reach the server for a name which a client asks for. */
    const sent = async (client: Host, ask: string, ...options: string[]): Promise<string> => {
      await sniffer.since();
      const { status } = askAs(client, resolver, '+tries=1', ...options, ask);
      const queries = (await sniffer.since()).filter(({ questions: [q] }) => q?.name.toLowerCase() === `${ask}.`);
      const text = [...new Set(queries.map(subnets))].join(' then ');
      return status === 'silence' ? `${text}, and drops the answer` : text;
    };
    /** How many queries for a name reach the server while `asking`. */
    const count = async (name: string, asking: () => void): Promise<number> => {
      await sniffer.since();
      asking();
      return (await sniffer.since()).filter(({ questions: [q] }) => q?.name.toLowerCase() === `${name}.`).length;
    };

    it.skipIf(!present)('is the version that the document is about', async () => {
      const debian = /VERSION_ID="(\d+)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
      // Elsewhere another version may do the same.
      if (debian !== '12' || program === '') return;
      expect(row('What they send', name).Version).toBe(resolvers.versionOf(program, ...versionArgs));
    });

    it.skipIf(!present)('sends these subnets', async () => {
      await sniffer.since();
      if (name !== 'stubby') here.moscow.run('dig', `@${resolver.addresses[1]}`, 'six.user.net.cat');
      const six = (await sniffer.since()).filter(({ questions: [q] }) => q?.name.toLowerCase() === 'six.user.net.cat.');
      expect({
        'Public client': await sent(here.moscow, 'a.user.net.cat'),
        'IPv6 client': six.map(subnets)[0]?.replace(/(:0)+\//, '::/') ?? 'not asked',
        'Private client': await sent(here.home, 'b.user.net.cat'),
        'Opt-out (`0/0`)': await sent(here.moscow, 'c.user.net.cat', '+subnet=0/0'),
        'Own subnet (`6.1.1.0/24`)': await sent(here.moscow, 'd.user.net.cat', '+subnet=6.1.1.0/24'),
        'Two (`6.1.1.0/24`, `7.1.1.0/24`)': await sent(
          here.moscow,
          'e.user.net.cat',
          '+ednsopt=8:00011800060101',
          '+ednsopt=8:00011800070101',
        ),
      }).toEqual(Object.fromEntries(Object.entries(row('What they send', name)).slice(2)));
    });

    it.skipIf(!present)('keeps answers in this way', async () => {
      const lower = firstAddress(here.rio, resolver, 'e.halves.net.cat');
      const upper = firstAddress(here.rioUpper, resolver, 'e.halves.net.cat');
      const halves =
        lower === '203.0.113.40' ? '' : lower === upper ? "the first one's, for the whole /24" : 'each its own';

      const shared = await count('f.static.net.cat', () => {
        for (const client of [here.moscow, here.rio, here.home]) firstAddress(client, resolver, 'f.static.net.cat');
      });
      // Moscow has no IPv6: NODATA. Rio has.
      const none = firstAddress(here.moscow, resolver, 'g.user.net.cat', 'AAAA');
      const some = firstAddress(here.rio, resolver, 'g.user.net.cat', 'AAAA');
      expect(none).toBe('NOERROR');
      askAs(here.moscow, resolver, 'missing.net.cat');
      const missing = await count('missing.net.cat', () => void askAs(here.rio, resolver, 'missing.net.cat'));
      const times = 8;
      const ttl = (ask: string): number[] => askAs(here.moscow, resolver, ask).records.map((record) => record.ttl);
      const zeros: number[] = [];
      const zero = await count('h.zero.net.cat', () => {
        for (let i = 0; i < times; i++) zeros.push(...ttl('h.zero.net.cat'));
      });
      const two = Math.max(...ttl('i.two.net.cat'));
      const orders = Array.from({ length: 3 * times }, (_, i) =>
        askAs(here.moscow, resolver, `${i >> 3}.list.net.cat`)
          .records.map((record) => record.data)
          .join(' '),
      );
      const alias = [here.moscow, here.rio].map((client) => firstAddress(client, resolver, 'j.alias.net.cat'));
      expect(alias.map((address) => address.slice(0, 9))).toEqual(['192.0.2.8', '192.0.2.8']);

      expect({
        'Longer scope': halves === '' ? 'sends none' : halves,
        'Scope 0': shared === 1 ? 'one for all' : shared === 3 ? 'asks each time' : `${shared} of 3`,
        'NODATA of one place': some === 'NOERROR' ? 'for everybody' : 'for its subnet',
        NXDOMAIN: missing === 0 ? 'one for all' : 'asks each time',
        'TTL 0': `${Math.max(...zeros)}; ${zero === times ? 'asks each time' : 'kept'}`,
        'TTL 2': `${two}`,
        'Order of addresses': orders.every((order) => order === LISTED) ? 'as sent' : 'changed',
        'CNAME of one place': alias[0] === alias[1] ? 'for everybody' : 'for its subnet',
      }).toEqual(Object.fromEntries(Object.entries(row('What they keep', name)).slice(1)));
    });
  });

  it('Unbound that sends subnets for one zone keeps a chain that leaves it for everybody, and one that stays for its place', async () => {
    const resolver = await here.resolver(resolvers.unboundSubnetsFor('net.cat'));
    const got = (name: string): string[] =>
      [here.moscow, here.rio].map((client) => firstAddress(client, resolver, name));
    expect(got('a.alias.net.cat')).toEqual(['192.0.2.81', '192.0.2.81']);
    expect(got('a.inside.net.cat')).toEqual(['203.0.113.10', '203.0.113.20']);
    expect(got('a.user.net.cat')).toEqual(['203.0.113.10', '203.0.113.20']);
  }, 60_000);
});
