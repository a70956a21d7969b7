// Steering where rules, zones and settings meet: what an outsider tries once the plain things work.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, ecs } from '../support/dns.ts';
import { buildMmdb } from '../support/mmdb.ts';
import { PLACES } from '../support/plane.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { admin, askFor, Backends, dataOf, force, got, replace, scopeOf, until, verdicts } from '../support/story.ts';

const COMMON = `
ttl: 90
regions:
  east: [RU]
  south: [BR]
checks:
  none: { tcp: { port: 1 }, interval: 60s, timeout: 200ms, fall: 1, rise: 1 }
pools:
  shared: { members: [10.0.0.1, 10.0.0.2] }
  replaced: { members: [10.0.0.3] }
`;

const ZONE = `
zone: corner.test
ns: [ns.elsewhere.test.]
regions:
  east:   [FR]                      # replaces that of _common.yaml
  wide:   [4.0.0.0/8]
  narrow: [4.4.0.0/16]
  host:   [4.4.4.4/32]
  six:    ["2a00::/16"]
pools:
  replaced: { members: [10.1.0.1] }
  wide:   { members: [10.1.0.2] }
  narrow: { members: [10.1.0.3] }
  host:   { members: [10.1.0.4] }
  six:    { members: [10.1.0.5] }
  rest:   { members: [10.1.0.6] }
  moscow: { at: [55.75, 37.62], members: [10.2.0.1] }
  paris:  { at: [48.9, 2.4], members: [10.2.0.2] }
  near1:  { at: [55.76, 37.62], members: [10.2.0.3] }
  far:    { at: [56.75, 37.62], bias: 1000, members: [10.2.0.4] }
  s6:     { pick: sticky, members: ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"] }
  weights: { pick: sticky, members: [{ address: 10.3.0.1, weight: 3 }, { address: 10.3.0.2, weight: 1 }, { address: 10.3.0.3, weight: 0 }] }
  cap:    { members: [10.4.0.1, 10.4.0.2, 10.4.0.3] }
records:
  "@": { A: { pools: [shared] } }
  common: { A: { regions: { east: shared, south: replaced, default: rest } } }
  nested: { A: { regions: { wide: wide, narrow: narrow, host: host, six: six, default: rest } } }
  mixed: { A: { regions: { RU: [{ closest: [paris, moscow] }, rest], default: [{ weighted: { wide: 1, narrow: 1 } }, rest] } } }
  bias: { A: { closest: [far, paris] } }
  spread: { A: { closest: [moscow, near1, paris], spread: 50km } }
  listed: { A: { regions: { FR: [wide, narrow], BR: [narrow, wide], JP: [wide, narrow], default: [rest] } } }
  climb: { A: { regions: { BR: host, US: host, south-america: wide, north-america: narrow, default: rest } } }
  s6: { AAAA: { pools: [s6] } }
  weights: { A: { pools: [weights] } }
  cap: { A: { answers: 2, pools: [cap] } }
  Upper: { A: { pools: [shared] } }
  loop1: { CNAME: loop2 }
  loop2: { CNAME: loop1 }
  over: { CNAME: www.child.corner.test. }
  out: { CNAME: www.elsewhere.test. }
  "*.wild": { CNAME: common }
  child: { NS: [ns.child] }
  ns.child: { A: 192.0.2.53 }
`;
const CHILD = `
zone: child.corner.test
ns: [ns.child.corner.test.]
records:
  ns: { A: 192.0.2.53 }
  www: { A: { ttl: 7, regions: { RU: a, default: b } } }
  back: { CNAME: nested.corner.test. }
pools: { a: { members: [10.5.0.1] }, b: { members: [10.5.0.2] } }
`;
const ROOT = `
zone: "."
ns: [ns.elsewhere.test.]
pools: { p: { members: [10.6.0.1, 10.6.0.2] } }
records:
  "@": { A: { pools: [p] } }
  test: { TXT: top }
  ns.elsewhere.test: { A: 192.0.2.53 }
  "*": { A: 10.6.0.9 }
`;

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({
    files: {
      'zones/_common.yaml': COMMON,
      'zones/corner.test.yaml': ZONE,
      'zones/child.corner.test.yaml': CHILD,
      'zones/root.yaml': ROOT,
      'geoip/city.mmdb': buildMmdb(PLACES, { type: 'GeoLite2-City' }),
    },
  });
});
afterAll(() => server?.stop());

const at = (label: string, subnet?: string, type = 'A'): Promise<string> =>
  got(server, `${label}.corner.test`, subnet === undefined ? { type } : { subnet, type });

describe('what is shared', () => {
  test("a zone's regions and pools replace those of _common.yaml by name; ttl is taken from there", async () => {
    expect(await at('common', '4.0.0.0/24')).toBe('10.0.0.1 10.0.0.2');
    expect(await at('common', '1.0.0.0/24')).toBe('10.1.0.6');
    expect(await at('common', '2.0.0.0/24')).toBe('10.1.0.1');
    expect((await askFor(server, 'common.corner.test')).answers[0]!.ttl).toBe(90);
  });

  test('targets of a common pool are of the zone _common, once, whoever uses them', async () => {
    const ids = Object.keys(await verdicts(server));
    expect(ids.filter((id) => id.startsWith('_common/')).sort()).toEqual([
      '_common/replaced/10.0.0.3',
      '_common/shared/10.0.0.1',
      '_common/shared/10.0.0.2',
    ]);
    await force(server, '_common/shared/10.0.0.1', 'down');
    expect(await got(server, 'corner.test')).toBe('10.0.0.2');
    await force(server, '_common/shared', 'down');
    expect(await got(server, 'corner.test')).toBe('NODATA');
    await force(server, '_common/shared', null);
    await force(server, '_common/shared/10.0.0.1', null);
    expect(await got(server, 'corner.test')).toBe('10.0.0.1 10.0.0.2');
  });

  test('the root is a zone like every other', async () => {
    expect(await got(server, '.')).toBe('10.6.0.1 10.6.0.2');
    expect(await got(server, 'anything.example')).toBe('10.6.0.9');
    expect(await got(server, 'test', { type: 'TXT' })).toBe('"top"');
    expect((await admin(server, 'GET', '/api/v1/zones/root')).json.name).toBe('.');
    expect(Object.keys(await verdicts(server))).toContain('./p/10.6.0.1');
    await force(server, './p/10.6.0.1', 'drain');
    expect(await got(server, '.')).toBe('10.6.0.2');
    await force(server, './p/10.6.0.1', null);
  });
});

describe('rules', () => {
  test('of nested networks the longest wins, and its clients climb to the wider ones', async () => {
    expect(await at('nested', '4.4.4.4/32')).toBe('10.1.0.4');
    expect(await at('nested', '4.4.4.5/32')).toBe('10.1.0.3');
    expect(await at('nested', '4.5.0.0/24')).toBe('10.1.0.2');
    expect(await at('nested', '2a00:1::/48')).toBe('10.1.0.5');
    await force(server, 'corner.test/host', 'down');
    expect(await at('nested', '4.4.4.4/32')).toBe('10.1.0.3');
    await force(server, 'corner.test/narrow', 'down');
    expect(await at('nested', '4.4.4.4/32')).toBe('10.1.0.2');
    await force(server, 'corner.test/wide', 'down');
    expect(await at('nested', '4.4.4.4/32')).toBe('10.1.0.6');
    for (const pool of ['host', 'narrow', 'wide']) await force(server, `corner.test/${pool}`, null);
  });

  test('their scopes are honest: /32 around one host, and as short as may be beside it', async () => {
    const scope = async (subnet: string): Promise<number | undefined> =>
      scopeOf(await askFor(server, 'nested.corner.test', { subnet }));
    expect(await scope('4.4.4.4/32')).toBe(32);
    expect(await scope('4.4.4.5/32')).toBe(32);
    expect(await scope('4.4.4.6/32')).toBe(31);
    expect(await scope('4.4.4.0/32')).toBe(30);
    expect(await scope('4.4.128.0/24')).toBe(17);
    expect(await scope('4.5.0.0/24')).toBe(16);
    expect(await scope('2a00:1::/48')).toBe(16);
    expect(await scope('::ffff:404:404/128')).toBe(128);
    expect(await scope('2002:404:500::/48')).toBe(16 + 24);
  });

  test('a list may hold closest and weighted among pools', async () => {
    expect(await at('mixed', '1.0.0.0/24')).toBe('10.2.0.1');
    await force(server, 'corner.test/moscow', 'down');
    expect(await at('mixed', '1.0.0.0/24')).toBe('10.2.0.2');
    await force(server, 'corner.test/paris', 'down');
    expect(await at('mixed', '1.0.0.0/24')).toBe('10.1.0.6');
    await force(server, 'corner.test/moscow', null);
    await force(server, 'corner.test/paris', null);
    const drawn = new Set<string>();
    for (let i = 0; i < 60; i++) drawn.add(await at('mixed', '2.0.0.0/24'));
    expect([...drawn].sort()).toEqual(['10.1.0.2', '10.1.0.3']);
    await force(server, 'corner.test/wide', 'drain');
    expect(await at('mixed', '2.0.0.0/24')).toBe('10.1.0.3');
    await force(server, 'corner.test/narrow', 'drain');
    expect(await at('mixed', '2.0.0.0/24')).toBe('10.1.0.6');
    await force(server, 'corner.test/wide', null);
    await force(server, 'corner.test/narrow', null);
  });

  test('bias stretches distances, spread makes near-ties share', async () => {
    expect(await at('bias', '1.0.0.0/24')).toBe('10.2.0.2');
    const shared = new Set<string>();
    for (let i = 0; i < 40; i++) shared.add(await at('spread', '1.0.0.0/24'));
    expect([...shared].sort()).toEqual(['10.2.0.1', '10.2.0.3']);
    expect(await at('spread', '4.0.0.0/24')).toBe('10.2.0.2');
    // Who is nearer of the two is no reason for another scope.
    const reply = await askFor(server, 'spread.corner.test', { subnet: '1.0.0.0/24' });
    expect(scopeOf(reply)).toBeLessThanOrEqual(8);
  });

  test('regions with one list share a scope', async () => {
    // FR is 4/8 and JP 5/8: together they are 4/7.
    const scope = async (subnet: string): Promise<number | undefined> =>
      scopeOf(await askFor(server, 'listed.corner.test', { subnet }));
    expect(await scope('4.0.0.0/24')).toBe(7);
    expect(await scope('5.0.0.0/24')).toBe(7);
    expect(await scope('2.0.0.0/24')).toBe(8);
  });
});

describe('climbing', () => {
  test('an answer that had to climb is for those alone who climb the same way', async () => {
    const asked = async (subnet: string): Promise<string> => {
      const reply = await askFor(server, 'climb.corner.test', { subnet });
      return `${dataOf(reply).join()} /${scopeOf(reply)}`;
    };
    // BR is 2/8 and US 3/8: as long as their list answers they are one, 2/7.
    expect([await asked('2.0.0.0/24'), await asked('3.0.0.0/24')]).toEqual(['10.1.0.4 /7', '10.1.0.4 /7']);
    await force(server, 'corner.test/host', 'down');
    expect([await asked('2.0.0.0/24'), await asked('3.0.0.0/24')]).toEqual(['10.1.0.2 /8', '10.1.0.3 /8']);
    await force(server, 'corner.test/wide', 'down');
    expect([await asked('2.0.0.0/24'), await asked('3.0.0.0/24')]).toEqual(['10.1.0.6 /8', '10.1.0.3 /8']);
    for (const pool of ['host', 'wide']) await force(server, `corner.test/${pool}`, null);
  });
});

describe('members', () => {
  test('sticky keeps an IPv6 /56 together, by weight', async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 24; i++) {
      const network = `2400:db8:0:${i.toString(16)}00`;
      const first = await at('s6', `${network}::/56`, 'AAAA');
      seen.add(first);
      expect(await at('s6', `2400:db8:0:${i.toString(16)}7f::/64`, 'AAAA')).toBe(first);
    }
    expect(seen.size).toBe(4);
    const counts = new Map<string, number>();
    for (let i = 0; i < 200; i++) {
      const address = await at('weights', `3.${i}.0.0/24`);
      counts.set(address, (counts.get(address) ?? 0) + 1);
    }
    expect(counts.get('10.3.0.3')).toBeUndefined();
    expect(counts.get('10.3.0.1')).toBeGreaterThan(120);
    expect(counts.get('10.3.0.2')).toBeGreaterThan(25);
  });

  test('TCP is limited by `answers` alone', async () => {
    expect((await askFor(server, 'cap.corner.test', { tcp: true })).answers.length).toBe(2);
  });

  test('names are compared without case and come back as they were asked', async () => {
    const reply = await askFor(server, 'uPPer.CORNER.test');
    expect(reply.answers[0]!.name).toBe('uPPer.CORNER.test.');
  });
});

describe('chains and zones', () => {
  test('a chain goes on in another zone of this server, with the longest scope', async () => {
    const reply = await askFor(server, 'back.child.corner.test', { subnet: '4.4.4.4/32' });
    expect(reply.answers.map((r) => `${r.type} ${r.data}`)).toEqual(['CNAME nested.corner.test.', 'A 10.1.0.4']);
    expect(scopeOf(reply)).toBe(32);
    expect(await at('x.wild', '4.0.0.0/24')).toBe('10.0.0.1 10.0.0.2');
  });

  test('a child that is served here answers itself, its parent only for DS', async () => {
    expect(await at('www.child', '1.0.0.0/24')).toBe('10.5.0.1');
    expect(await at('over', '1.0.0.0/24')).toBe('10.5.0.1');
    expect((await askFor(server, 'over.corner.test', { subnet: '1.0.0.0/24' })).answers.at(-1)!.ttl).toBe(7);
    const ds = await askFor(server, 'child.corner.test', { type: 'DS' });
    expect([ds.rcode, ds.authorities[0]!.name]).toEqual(['NOERROR', 'corner.test.']);
  });

  test('loops and names of others end the chain', async () => {
    const loop = await askFor(server, 'loop1.corner.test');
    expect(loop.rcode).toBe('NOERROR');
    expect(loop.answers.map((r) => r.type)).toEqual(['CNAME', 'CNAME']);
    const out = await askFor(server, 'out.corner.test');
    expect(out.answers[0]!.data).toBe('www.elsewhere.test.');
  });
});

describe('clients', () => {
  test('IPv6 transport, a subnet of the other family, and /0 of both families', async () => {
    expect(await got(server.v6, 'nested.corner.test')).toBe('10.1.0.6');
    expect(await got(server.v6, 'nested.corner.test', { subnet: '4.4.4.4/32' })).toBe('10.1.0.4');
    expect(await got(server, 'nested.corner.test', { subnet: '2a00:1::/48' })).toBe('10.1.0.5');
    for (const subnet of ['0.0.0.0/0', '::/0']) {
      expect(scopeOf(await askFor(server, 'nested.corner.test', { subnet }))).toBe(0);
    }
  });

  test('what comes back is the subnet as it was sent', async () => {
    const reply = await ask(server, { name: 'nested.corner.test', edns: { options: [ecs('4.4.4.0/23')] } });
    expect(reply.opt!.options[0]!.data.subarray(0, 3)).toEqual(Buffer.from([0, 1, 23]));
    expect(reply.opt!.options[0]!.data.subarray(4)).toEqual(Buffer.from([4, 4, 4]));
    expect(dataOf(reply)).toEqual(['10.1.0.3']);
    expect(scopeOf(reply)).toBe(30);
  });
});

describe('changes while it serves', () => {
  let backends: Backends;
  beforeAll(async () => {
    backends = await Backends.start(['127.60.0.1', '127.60.0.2']);
  });
  afterAll(() => backends?.stop());

  test('a force outlives edits of its zone; new members of a forced pool are forced; what is gone and back is still forced', async () => {
    const zone = (members: string): string =>
      `zone: edit.test\nns: [ns.elsewhere.test.]\npools: { a: { members: [${members}] } }\nrecords: { www: { A: { pools: [a] } } }\n`;
    const file = join(server.directory, 'zones/edit.test.yaml');
    const becomes = (wanted: string): Promise<number> =>
      until(
        () => got(server, 'www.edit.test'),
        (seen) => seen === wanted,
      );
    replace(file, zone('10.9.0.1, 10.9.0.2'));
    await becomes('10.9.0.1 10.9.0.2');
    await force(server, 'edit.test/a/10.9.0.1', 'drain');
    await becomes('10.9.0.2');
    replace(file, zone('10.9.0.1, 10.9.0.2, 10.9.0.3'));
    await becomes('10.9.0.2 10.9.0.3');
    replace(file, zone('10.9.0.3'));
    await becomes('10.9.0.3');
    replace(file, zone('10.9.0.1, 10.9.0.3, 10.9.0.4'));
    await becomes('10.9.0.3 10.9.0.4');
    await force(server, 'edit.test/a/10.9.0.1', null);
    await becomes('10.9.0.1 10.9.0.3 10.9.0.4');
    await force(server, 'edit.test/a', 'down');
    await becomes('NODATA');
    replace(file, zone('10.9.0.1, 10.9.0.5'));
    await until(
      async () => Object.keys(await verdicts(server)),
      (ids) => ids.includes('edit.test/a/10.9.0.5'),
    );
    expect(await got(server, 'www.edit.test')).toBe('NODATA');
    await force(server, 'edit.test/a', null);
    await becomes('10.9.0.1 10.9.0.5');
  });

  test('equal probes run once: one backend in three pools of two zones', async () => {
    const zone = (name: string): string => `zone: ${name}
ns: [ns.elsewhere.test.]
checks: { alive: { tcp: { port: ${backends.port} }, interval: 60s, timeout: 1s, fall: 1, rise: 1 } }
pools: { a: { check: alive, members: [127.60.0.1] }, b: { check: alive, members: [127.60.0.1, 127.60.0.9] } }
records: { www: { A: { pools: [b, a] } } }
`;
    replace(join(server.directory, 'zones/p1.test.yaml'), zone('p1.test'));
    replace(join(server.directory, 'zones/p2.test.yaml'), zone('p2.test'));
    await until(
      () => verdicts(server),
      (seen) => seen['p2.test/b/127.60.0.9'] === 'down' && seen['p1.test/a/127.60.0.1'] === 'up',
    );
    expect(await verdicts(server)).toMatchObject({ 'p2.test/a/127.60.0.1': 'up', 'p1.test/b/127.60.0.9': 'down' });
    expect(backends.connections.get('127.60.0.1')).toBe(1);
  });

  test('a hundred edits under load: every query is answered, and nothing is left behind', async () => {
    const zone = (n: number): string =>
      `zone: load.test\nns: [ns.elsewhere.test.]\npools: { a: { members: [10.10.${n}.1, 10.10.${n}.2] } }\nrecords: { www: { A: { regions: { RU: a, default: a } } } }\n`;
    const file = join(server.directory, 'zones/load.test.yaml');
    replace(file, zone(0));
    await until(
      () => got(server, 'www.load.test'),
      (seen) => seen.startsWith('10.10.0'),
    );
    const before = Object.keys(await verdicts(server)).length;
    let done = false;
    let asked = 0;
    const mixed: string[] = [];
    const asking = Promise.all(
      [1, 2].map(async () => {
        while (!done) {
          const reply = await askFor(server, 'www.load.test', { subnet: '1.0.0.0/24' });
          const thirds = new Set(dataOf(reply).map((address) => address.split('.')[2]));
          if (reply.rcode !== 'NOERROR' || reply.answers.length !== 2 || thirds.size !== 1)
            mixed.push(dataOf(reply).join());
          asked++;
        }
      }),
    );
    for (let n = 1; n <= 100; n++) {
      replace(file, zone(n));
      await admin(server, 'POST', '/api/v1/reload');
    }
    done = true;
    await asking;
    expect(mixed).toEqual([]);
    expect(asked).toBeGreaterThan(100);
    expect(await got(server, 'www.load.test')).toBe('10.10.100.1 10.10.100.2');
    expect(Object.keys(await verdicts(server)).length).toBe(before);
  });
});
