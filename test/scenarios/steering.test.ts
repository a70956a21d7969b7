// Which backend which client gets, asked over the wire of a real server with databases of its own.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatPrefix, parseAddress } from '../../dist/base/address.js';
import { specialBlockOf } from '../../dist/geo/special.js';
import type { Reply } from '../support/dns.ts';
import { buildMmdb, type Field, Uint32 } from '../support/mmdb.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { admin, askFor, dataOf, force, got, scopeOf } from '../support/story.ts';

function city(country: string, continent: string, region = '', name = '', at: readonly number[] = []): Field {
  return {
    country: { iso_code: country },
    continent: { code: continent },
    ...(region === '' ? {} : { subdivisions: [{ iso_code: region }] }),
    ...(name === '' ? {} : { city: { names: { en: name } } }),
    ...(at.length === 0 ? {} : { location: { latitude: at[0]!, longitude: at[1]! } }),
  };
}

const PLACES: readonly (readonly [string, Field])[] = [
  ['1.0.0.0/8', city('RU', 'EU', 'MOW', 'Moscow', [55.75, 37.62])],
  ['2.0.0.0/16', city('US', 'NA', 'CA', 'San Francisco', [37.8, -122.4])],
  ['2.1.0.0/16', city('US', 'NA', 'IL', 'Springfield', [39.8, -89.6])],
  ['2.2.0.0/16', city('US', 'NA', 'MA', 'Springfield', [42.1, -72.6])],
  ['2.3.0.0/16', city('US', 'NA')],
  ['3.0.0.0/16', city('MX', 'NA', '', 'Mexico City', [19.4, -99.1])],
  ['4.0.0.0/16', city('FR', 'EU', 'IDF', 'Paris', [48.9, 2.4])],
  ['5.0.0.0/16', city('BR', 'SA', 'SP', 'São Paulo', [-23.5, -46.6])],
  ['6.0.0.0/16', city('BR', 'SA', 'RJ', 'Rio de Janeiro', [-22.9, -43.2])],
  ['7.0.0.0/16', city('JP', 'AS')],
  ['2a00::/16', city('RU', 'EU', 'MOW', 'Moscow', [55.75, 37.62])],
  ['2600::/16', city('US', 'NA', 'CA', 'Fresno', [36.7, -119.8])],
];
const NUMBERS: readonly (readonly [string, Field])[] = [
  ['4.0.128.0/17', { autonomous_system_number: new Uint32(64500), autonomous_system_organization: 'Telecom' }],
  ['2.0.64.0/18', { autonomous_system_number: new Uint32(64500) }],
];

const ZONE = `
version: meridian/v1
zone: steer.test
ttl: 5m
soa: { minimum: 300, ttl: 1h }
ns: [ns.elsewhere.test.]
regions:
  office:     [4.0.200.0/24, "2a00:1::/48"]
  telecom:    [AS64500]
  capital:    ["city:US-IL/Springfield", "city:BR/sao paulo"]
  california: [US-CA]
  usa:        [US]
  america:    [north-america, BR]
pools:
  office:     { members: [10.0.0.1] }
  telecom:    { members: [10.0.0.2] }
  capital:    { members: [10.0.0.3] }
  california: { members: [10.0.0.4] }
  usa:        { members: [10.0.0.5] }
  america:    { members: [10.0.0.6] }
  rest:       { members: [10.0.0.7] }
  moscow:     { at: [55.75, 37.62], members: [10.1.0.1, "2001:db8::1"] }
  rio:        { at: [-22.9, -43.2], members: [10.1.0.2] }
  newyork:    { at: [40.7, -74.0], members: [10.1.0.3, "2001:db8::3"] }
  boston:     { at: [42.36, -71.06], members: [10.1.0.4] }
  three:      { min-live: 2, members: [10.2.0.1, 10.2.0.2, 10.2.0.3] }
  half:       { min-live: "50%", members: [10.3.0.1, 10.3.0.2, 10.3.0.3] }
  spare:      { members: [10.4.0.1] }
  only6:      { members: ["2001:db8::60"] }
  only4:      { members: [10.5.0.1] }
  both:       { members: [10.6.0.1, "2001:db8::61"] }
  heavy:      { members: [{ address: 10.7.0.1, weight: 9 }, { address: 10.7.0.2, weight: 1 }, { address: 10.7.0.3, weight: 0 }] }
  order:      { pick: ordered, members: [10.8.0.3, 10.8.0.1, 10.8.0.2] }
  sticky:     { pick: sticky, members: [10.9.0.1, 10.9.0.2, 10.9.0.3, 10.9.0.4] }
  twin:       { pick: sticky, members: [{ address: 10.9.1.1, name: a }, { address: 10.9.1.2, name: b }, { address: 10.9.1.3, name: c },
                { address: "2001:db8::a", name: a }, { address: "2001:db8::b", name: b }, { address: "2001:db8::c", name: c }] }
  eu-lb:      { members: [lb-eu.steer.test.] }
  us-lb:      { members: [lb-us.steer.test., lb-us2.example.net.] }
records:
  "@":
    ADDR:
      ttl: 60
      regions:
        office: office
        telecom: telecom
        capital: capital
        california: california
        usa: usa
        america: america
        default: rest
  place: { A: { regions: { US-CA: california, FR: [rest], europe: moscow, default: nodata } } }
  climbing: { A: { regions: { california: [california], america: america, default: nodata } } }
  near: { ADDR: { ttl: 30, closest: [moscow, rio, newyork, boston] } }
  nearregion: { A: { regions: { RU: rest, default: { closest: [moscow, newyork] } } } }
  canary: { A: { ttl: 30, weighted: { moscow: 95, newyork: 5, rio: 0 } } }
  failover: { A: { ttl: 30, pools: [three, spare] } }
  percent: { A: { ttl: 30, pools: [half, spare] } }
  below: { A: { pools: [three] } }
  serve: { A: { pools: [three, half], when-all-down: serve } }
  nodata: { A: { pools: [three, spare], when-all-down: nodata } }
  servfail: { A: { pools: [three, spare], when-all-down: servfail } }
  six: { ADDR: { regions: { RU: [only4, both], default: [both] } } }
  sixfirst: { ADDR: { pools: [only6, both] } }
  heavy: { A: { pools: [heavy] } }
  one: { A: { answers: 1, pools: [heavy] } }
  two: { A: { answers: 2, pools: [three] } }
  order: { A: { pools: [order] } }
  order2: { A: { answers: 2, pools: [order] } }
  sticky: { A: { pools: [sticky] } }
  twin: { ADDR: { pools: [twin] } }
  lb-eu: { A: 192.0.2.1 }
  lb-us: { A: { regions: { office: office, telecom: telecom, california: california, default: usa } } }
  media: { CNAME: { ttl: 60, regions: { US: us-lb, default: eu-lb } } }
  tosticky: { CNAME: sticky }
  towards: { CNAME: "@" }
  "*.user": { A: { regions: { RU: moscow, default: rest } } }
  static: { A: [192.0.2.7, 192.0.2.8], TXT: hello }
`;

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({
    files: {
      'zones/steer.test.yaml': ZONE,
      'geoip/city.mmdb': buildMmdb(PLACES, { type: 'GeoLite2-City' }),
      'geoip/asn.mmdb': buildMmdb(NUMBERS, { type: 'GeoLite2-ASN' }),
    },
  });
});
afterAll(() => server?.stop());

const at = (subnet: string, name = 'steer.test', type = 'A'): Promise<string> => got(server, name, { subnet, type });

/** Does `body` with targets or pools forced, and lets them go afterwards. */
async function forced(states: Record<string, 'up' | 'down' | 'drain'>, body: () => Promise<void>): Promise<void> {
  for (const [what, state] of Object.entries(states)) await force(server, `steer.test/${what}`, state);
  try {
    await body();
  } finally {
    for (const what of Object.keys(states)) await force(server, `steer.test/${what}`, null);
  }
}

/** The different answers of many questions, with how often each came. */
async function spread(count: number, name: string, subnet?: string): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const reply = await askFor(server, `${name}.steer.test`, subnet === undefined ? {} : { subnet });
    const key = reply.answers.map((record) => record.data).join(' ');
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  return seen;
}

function soaTtl(reply: Reply): number {
  expect(reply.rcode).toBe('NOERROR');
  expect(reply.answers).toEqual([]);
  expect(reply.authorities.map((record) => record.type)).toEqual(['SOA']);
  return reply.authorities[0]!.ttl;
}

describe('regions', () => {
  test('the most specific place wins: network, AS, city, subdivision, country, continent, default', async () => {
    expect(await at('4.0.200.0/24')).toBe('10.0.0.1');
    expect(await at('4.0.201.0/24')).toBe('10.0.0.2');
    expect(await at('4.0.1.0/24')).toBe('10.0.0.7');
    expect(await at('2.0.64.0/24')).toBe('10.0.0.2');
    expect(await at('2.1.0.0/24')).toBe('10.0.0.3');
    expect(await at('5.0.0.0/24')).toBe('10.0.0.3');
    expect(await at('2.0.0.0/24')).toBe('10.0.0.4');
    expect(await at('2.2.0.0/24')).toBe('10.0.0.5');
    expect(await at('2.3.0.0/24')).toBe('10.0.0.5');
    expect(await at('3.0.0.0/24')).toBe('10.0.0.6');
    expect(await at('6.0.0.0/24')).toBe('10.0.0.6');
    expect(await at('7.0.0.0/24')).toBe('10.0.0.7');
    expect(await at('203.0.113.0/24')).toBe('10.0.0.7');
  });

  test('IPv6 clients are placed too, by network and by database', async () => {
    expect(await at('2a00:1::/48')).toBe('10.0.0.1');
    expect(await at('2a00:2::/48')).toBe('10.0.0.7');
    expect(await at('2600::/32')).toBe('10.0.0.4');
  });

  test('IPv4 inside IPv6 is placed as IPv4: mapped, NAT64, 6to4 and Teredo', async () => {
    expect(await at('::ffff:200:1/128')).toBe('10.0.0.4');
    expect(await at('64:ff9b::200:1/128')).toBe('10.0.0.4');
    expect(await at('2002:200:1::/48')).toBe('10.0.0.4');
    expect(await at('2001:0:aaaa:aaaa:0:0:fdff:fffe/128')).toBe('10.0.0.4');
  });

  test('a subnet is placed by its first address, whatever its length', async () => {
    expect(await at('2.0.0.0/8')).toBe('10.0.0.4');
    expect(await at('4.0.200.7/32')).toBe('10.0.0.1');
  });

  test('without a subnet, and with /0, the address of the resolver decides, and the scope is 0', async () => {
    expect(await got(server, 'steer.test')).toBe('10.0.0.7');
    const reply = await askFor(server, 'steer.test', { subnet: '0.0.0.0/0' });
    expect(dataOf(reply)).toEqual(['10.0.0.7']);
    expect(scopeOf(reply)).toBe(0);
  });

  test('a place may stand in a record set as itself', async () => {
    expect(await at('2.0.0.0/24', 'place.steer.test')).toBe('10.0.0.4');
    expect(await at('4.0.0.0/24', 'place.steer.test')).toBe('10.0.0.7');
    expect(await at('1.0.0.0/24', 'place.steer.test')).toBe('10.1.0.1');
  });

  test('`default: nodata` is the answer to clients of no region, for 30 seconds at most', async () => {
    expect(soaTtl(await askFor(server, 'place.steer.test', { subnet: '7.0.0.0/24' }))).toBe(30);
  });

  test('an answer climbs to the other regions that match, most specific first, and then to the default', async () => {
    await forced({ 'office/10.0.0.1': 'down' }, async () => {
      expect(await at('4.0.200.0/24')).toBe('10.0.0.2');
      await forced({ telecom: 'drain' }, async () => expect(await at('4.0.200.0/24')).toBe('10.0.0.7'));
    });
    await forced({ telecom: 'down', california: 'down', usa: 'down' }, async () => {
      expect(await at('2.0.64.0/24')).toBe('10.0.0.6');
      await forced({ america: 'down' }, async () => expect(await at('2.0.64.0/24')).toBe('10.0.0.7'));
    });
  });

  test('`default: nodata` is never climbed to: the way up ends, and fails open', async () => {
    await forced({ california: 'down' }, async () => {
      expect(await at('2.0.0.0/24', 'climbing.steer.test')).toBe('10.0.0.6');
      await forced({ america: 'down' }, async () => {
        expect(soaTtl(await askFor(server, 'climbing.steer.test', { subnet: '2.0.0.0/24' }))).toBeLessThanOrEqual(30);
      });
    });
  });
});

describe('pools', () => {
  test('closest: the nearest pool by great circle, the next nearest when it is down', async () => {
    expect(await at('1.0.0.0/24', 'near.steer.test')).toBe('10.1.0.1');
    expect(await at('2.2.0.0/24', 'near.steer.test')).toBe('10.1.0.4');
    expect(await at('5.0.0.0/24', 'near.steer.test')).toBe('10.1.0.2');
    expect(await at('3.0.0.0/24', 'near.steer.test')).toBe('10.1.0.3');
    await forced({ boston: 'down' }, async () => expect(await at('2.2.0.0/24', 'near.steer.test')).toBe('10.1.0.3'));
    await forced({ boston: 'down', newyork: 'down' }, async () => {
      expect(await at('2.2.0.0/24', 'near.steer.test')).toBe('10.1.0.1');
    });
    await forced({ moscow: 'down' }, async () => expect(await at('1.0.0.0/24', 'near.steer.test')).toBe('10.1.0.4'));
  });

  test('closest: a client without coordinates has those of its country; without a country the listed order holds', async () => {
    expect(await at('2.3.0.0/24', 'near.steer.test')).toMatch(/^10\.1\.0\.[34]$/);
    expect(await at('7.0.0.0/24', 'near.steer.test')).toBe('10.1.0.1');
    expect(await at('203.0.113.0/24', 'near.steer.test')).toBe('10.1.0.1');
    expect(await at('203.0.113.0/24', 'nearregion.steer.test')).toBe('10.1.0.1');
    expect(await at('3.0.0.0/24', 'nearregion.steer.test')).toBe('10.1.0.3');
    expect(await at('1.0.0.0/24', 'nearregion.steer.test')).toBe('10.0.0.7');
  });

  test('weighted between pools: shares are drawn, zero only when nothing else is up', async () => {
    const seen = await spread(400, 'canary');
    expect(seen.get('10.1.0.1')).toBeGreaterThan(330);
    expect(seen.get('10.1.0.3')).toBeGreaterThan(2);
    expect(seen.get('10.1.0.2')).toBeUndefined();
    await forced({ moscow: 'down', newyork: 'drain' }, async () => {
      expect([...(await spread(5, 'canary')).keys()]).toEqual(['10.1.0.2']);
    });
  });

  test('min-live as a count: fewer live members, and the next pool answers', async () => {
    expect(await got(server, 'failover.steer.test')).toBe('10.2.0.1 10.2.0.2 10.2.0.3');
    await forced({ 'three/10.2.0.1': 'down' }, async () => {
      expect(await got(server, 'failover.steer.test')).toBe('10.2.0.2 10.2.0.3');
      await forced({ 'three/10.2.0.2': 'drain' }, async () =>
        expect(await got(server, 'failover.steer.test')).toBe('10.4.0.1'),
      );
    });
  });

  test('min-live in percent is rounded up', async () => {
    await forced({ 'half/10.3.0.1': 'down' }, async () => {
      expect(await got(server, 'percent.steer.test')).toBe('10.3.0.2 10.3.0.3');
      await forced({ 'half/10.3.0.2': 'down' }, async () =>
        expect(await got(server, 'percent.steer.test')).toBe('10.4.0.1'),
      );
    });
  });

  test('a pool below its min-live answers with its live members when nothing else is up', async () => {
    await forced({ 'three/10.2.0.1': 'down', 'three/10.2.0.2': 'down' }, async () => {
      expect(await got(server, 'below.steer.test')).toBe('10.2.0.3');
      await forced({ spare: 'down' }, async () => {
        for (const name of ['serve', 'nodata', 'servfail', 'failover']) {
          if (name === 'serve') continue;
          expect([name, await got(server, `${name}.steer.test`)]).toEqual([name, '10.2.0.3']);
        }
      });
    });
  });

  test('forced members are never in an answer, in fail-open neither; nobody left is NODATA', async () => {
    await forced({ three: 'down', half: 'drain' }, async () => {
      expect(soaTtl(await askFor(server, 'serve.steer.test'))).toBeLessThanOrEqual(30);
      await forced({ 'half/10.3.0.2': 'up' }, async () =>
        expect(await got(server, 'serve.steer.test')).toBe('10.3.0.2'),
      );
    });
  });

  test('when-all-down: nodata and servfail', async () => {
    await forced({ three: 'down', spare: 'drain' }, async () => {
      expect(soaTtl(await askFor(server, 'nodata.steer.test'))).toBeLessThanOrEqual(30);
      expect(await got(server, 'servfail.steer.test')).toBe('SERVFAIL');
    });
  });

  test("a target's hand beats its pool's", async () => {
    await forced({ three: 'down', 'three/10.2.0.2': 'up', 'three/10.2.0.3': 'up' }, async () => {
      expect(await got(server, 'failover.steer.test')).toBe('10.2.0.2 10.2.0.3');
    });
  });

  test('the reply to a force lists the record sets that are left without a member', async () => {
    const reply = await admin(server, 'PUT', '/api/v1/pools/steer.test/order/force', {
      state: 'down',
      for: '1h',
      reason: 'works',
    });
    await force(server, 'steer.test/order', null);
    expect(reply.status).toBe(200);
    expect(reply.json.emptied).toEqual(['steer.test order A', 'steer.test order2 A']);
  });
});

describe('families', () => {
  test('a pool without IPv6 keeps its clients: NODATA for AAAA, as long as its IPv4 is up', async () => {
    expect(await at('1.0.0.0/24', 'six.steer.test')).toBe('10.5.0.1');
    const reply = await askFor(server, 'six.steer.test', { subnet: '1.0.0.0/24', type: 'AAAA' });
    expect(soaTtl(reply)).toBe(30);
    expect(scopeOf(reply)).toBe(8);
    await forced({ only4: 'down' }, async () => {
      expect(await at('1.0.0.0/24', 'six.steer.test', 'AAAA')).toBe('2001:db8::61');
      expect(await at('1.0.0.0/24', 'six.steer.test', 'A')).toBe('10.6.0.1');
    });
    expect(await at('2.0.0.0/24', 'six.steer.test', 'AAAA')).toBe('2001:db8::61');
  });

  test('and a pool without IPv4 likewise', async () => {
    expect(await got(server, 'sixfirst.steer.test', { type: 'AAAA' })).toBe('2001:db8::60');
    expect(await got(server, 'sixfirst.steer.test', { type: 'A' })).toBe('NODATA');
    await forced({ only6: 'down' }, async () => expect(await got(server, 'sixfirst.steer.test')).toBe('10.6.0.1'));
  });
});

describe('members', () => {
  test('weighted: all of them in random order by weight; weight 0 only when nothing else is live', async () => {
    const seen = await spread(200, 'heavy');
    expect([...seen.keys()].sort()).toEqual(['10.7.0.1 10.7.0.2', '10.7.0.2 10.7.0.1']);
    expect(seen.get('10.7.0.1 10.7.0.2')).toBeGreaterThan(140);
    await forced({ 'heavy/10.7.0.1': 'down', 'heavy/10.7.0.2': 'down' }, async () => {
      expect(await got(server, 'heavy.steer.test')).toBe('10.7.0.3');
    });
  });

  test('`answers` bounds how many are in one answer', async () => {
    const one = await spread(60, 'one');
    expect([...one.keys()].sort()).toEqual(['10.7.0.1', '10.7.0.2']);
    const two = await spread(60, 'two');
    expect(two.size).toBe(6);
    expect(Math.max(...[...two.keys()].map((key) => key.split(' ').length))).toBe(2);
  });

  test('ordered: one member, the first in the file that is live', async () => {
    expect([...(await spread(5, 'order')).keys()]).toEqual(['10.8.0.3']);
    expect([...(await spread(5, 'order2')).keys()]).toEqual(['10.8.0.3 10.8.0.1']);
    await forced({ 'order/10.8.0.3': 'drain' }, async () => {
      expect([...(await spread(5, 'order')).keys()]).toEqual(['10.8.0.1']);
    });
  });

  test('sticky: one answer for a /24, spread over the members, and only the clients of a lost member move', async () => {
    const before = new Map<string, string>();
    for (let i = 0; i < 60; i++) {
      const subnet = `1.0.${i}.0/24`;
      before.set(subnet, await at(subnet, 'sticky.steer.test'));
      const other = await askFor(server, 'sticky.steer.test', { subnet: `1.0.${i}.${i + 3}/32` });
      expect(dataOf(other)).toEqual([before.get(subnet)]);
      expect(scopeOf(other)).toBe(24);
    }
    expect(new Set(before.values()).size).toBe(4);
    await forced({ 'sticky/10.9.0.2': 'down' }, async () => {
      for (const [subnet, member] of before) {
        const now = await at(subnet, 'sticky.steer.test');
        if (member === '10.9.0.2') expect(now).not.toBe(member);
        else expect(now).toBe(member);
      }
    });
  });

  test("sticky: a machine's two addresses share its name", async () => {
    const pairs = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const four = await at(`1.9.${i}.0/24`, 'twin.steer.test', 'A');
      const six = await at(`1.9.${i}.0/24`, 'twin.steer.test', 'AAAA');
      pairs.add(`${four} ${six}`);
    }
    expect([...pairs].sort()).toEqual(['10.9.1.1 2001:db8::a', '10.9.1.2 2001:db8::b', '10.9.1.3 2001:db8::c']);
  });

  test('a steered CNAME is one name, followed inside the zone and left where it leads out of it', async () => {
    const inside = await askFor(server, 'media.steer.test', { subnet: '4.0.0.0/24' });
    expect(inside.answers.map((r) => `${r.type} ${r.data}`)).toEqual(['CNAME lb-eu.steer.test.', 'A 192.0.2.1']);
    expect(inside.answers[0]!.ttl).toBe(60);
    const seen = await spread(40, 'media', '2.0.0.0/24');
    expect([...seen.keys()].sort()).toEqual(['lb-us.steer.test. 10.0.0.4', 'lb-us2.example.net.']);
    const cname = await askFor(server, 'media.steer.test', { subnet: '4.0.0.0/24', type: 'CNAME' });
    expect(dataOf(cname)).toEqual(['lb-eu.steer.test.']);
  });

  test('a wildcard can be steered', async () => {
    const reply = await askFor(server, 'Anna.User.steer.test', { subnet: '1.2.3.0/24' });
    expect(reply.answers.map((r) => `${r.name} ${r.data}`)).toEqual(['Anna.User.steer.test. 10.1.0.1']);
    expect(scopeOf(reply)).toBe(8);
    expect(await at('2.0.0.0/24', 'a.b.user.steer.test')).toBe('10.0.0.7');
    expect(await at('2.0.0.0/24', 'user.steer.test')).toBe('NODATA');
  });
});

describe('scope', () => {
  const scope = async (subnet: string, name = 'steer.test', type = 'A'): Promise<number | undefined> =>
    scopeOf(await askFor(server, name, { subnet, type }));

  test('is the shortest prefix in which every client has the same list, longer or shorter than the source', async () => {
    expect(await scope('4.0.200.0/24')).toBe(24);
    expect(await scope('4.0.200.0/16')).toBe(17);
    expect(await scope('4.0.200.9/32')).toBe(24);
    expect(await scope('4.0.255.0/24')).toBe(19);
    expect(await scope('4.0.0.0/24')).toBe(17);
    expect(await scope('2.0.0.0/24')).toBe(18);
    expect(await scope('2.1.0.0/24')).toBe(16);
    expect(await scope('2.2.0.0/24')).toBe(15);
    expect(await scope('2.3.0.0/24')).toBe(15);
  });

  test('static data, negative answers and ANY have scope 0, and the subnet comes back', async () => {
    for (const [name, type] of [
      ['static', 'A'],
      ['static', 'TXT'],
      ['static', 'MX'],
      ['nothing', 'A'],
      ['static', 'ANY'],
    ] as const) {
      expect([name, type, await scope('2.0.0.0/24', `${name}.steer.test`, type)]).toEqual([name, type, 0]);
    }
    const refused = await askFor(server, 'elsewhere.example', { subnet: '2.0.0.0/24' });
    expect([refused.rcode, scopeOf(refused)]).toEqual(['REFUSED', 0]);
  });

  test('a chain of CNAMEs has the longest scope of its links', async () => {
    expect(await scope('1.0.0.0/24', 'tosticky.steer.test')).toBe(24);
    expect(await scope('4.0.200.0/24', 'towards.steer.test')).toBe(24);
    let deep = false;
    for (let i = 0; i < 20 && !deep; i++) {
      const reply = await askFor(server, 'media.steer.test', { subnet: '2.0.0.0/24' });
      deep = dataOf(reply, 'A').length > 0;
      expect(scopeOf(reply)).toBe(deep ? 18 : 14);
    }
    expect(deep).toBe(true);
  });

  test('sticky is at least /24 or /56', async () => {
    expect(await scope('1.0.0.0/8', 'sticky.steer.test')).toBe(24);
    expect(await scope('2a00::/48', 'sticky.steer.test')).toBe(56);
  });

  test('an answer that had to climb has the scope of the whole way up', async () => {
    expect(await scope('2.3.0.0/24')).toBe(15);
    await forced({ usa: 'down' }, async () => expect(await scope('2.3.0.0/24')).toBe(15));
    await forced({ 'office/10.0.0.1': 'down' }, async () => expect(await scope('4.0.200.0/24')).toBe(24));
  });

  test('every client of the scope gets the same answer, and no shorter prefix would do', async () => {
    // The edges of everything that the databases and the zone name.
    const edges = [...PLACES, ...NUMBERS].map(([network]) => network).filter((network) => network.includes('.'));
    edges.push('4.0.200.0/24', '0.0.0.0/8', '240.0.0.0/4');
    const points = edges.flatMap((network) => {
      const [address = '', length = '0'] = network.split('/');
      const first = toNumber(address);
      const last = first + 2 ** (32 - Number(length)) - 1;
      return [first - 1, first, last, last + 1].filter((n) => n >= 0 && n < 2 ** 32);
    });
    const answers = new Map<number, string>();
    const scopes = new Map<number, number>();
    for (const point of points) {
      const reply = await askFor(server, 'steer.test', { subnet: `${toText(point)}/32` });
      // Who is in special-purpose space gets what the resolver gets: another resolver's clients get something else there.
      const special = specialBlockOf(parseAddress(toText(point))!);
      answers.set(point, special === null ? dataOf(reply).join() : formatPrefix(special.prefix));
      scopes.set(point, scopeOf(reply)!);
    }
    for (const point of points) {
      const length = scopes.get(point)!;
      const inside = points.filter((other) => shares(point, other, length));
      expect(new Set(inside.map((other) => answers.get(other))).size).toBe(1);
      if (length === 0) continue;
      const wider = points.filter((other) => shares(point, other, length - 1));
      expect([toText(point), length, new Set(wider.map((other) => answers.get(other))).size]).not.toEqual([
        toText(point),
        length,
        1,
      ]);
    }
  });
});

function toNumber(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

function toText(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

function shares(a: number, b: number, length: number): boolean {
  const size = 2 ** (32 - length);
  return Math.floor(a / size) === Math.floor(b / size);
}
