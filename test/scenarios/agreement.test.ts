// Other people's programs ask a real server: dig, kdig, unbound; and `explain` tells the story that the wire tells.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildMmdb } from '../support/mmdb.ts';
import { PLACES } from '../support/plane.ts';
import { freePort } from '../support/ports.ts';
import { have, Program } from '../support/programs.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { admin, askFor, dataOf, got, meridian, scopeOf, until } from '../support/story.ts';

const run = promisify(execFile);

const ZONE = `
zone: tools.test
ttl: 300
soa: { mname: ns1.tools.test., rname: hostmaster.tools.test., minimum: 60 }
ns: [ns1.tools.test., ns2.tools.test.]
regions:
  east: [RU]
  west: [US, "4.4.0.0/16"]
pools:
  moscow:  { at: [55.75, 37.62], members: [10.0.1.1, 10.0.1.2, 10.0.1.3, "2001:db8::1"] }
  rio:     { at: [-22.9, -43.2], members: [10.0.2.1] }
  newyork: { at: [40.7, -74.0], pick: ordered, members: [10.0.3.1, 10.0.3.2, "2001:db8::3"] }
  sticky:  { pick: sticky, members: [10.0.4.1, 10.0.4.2, 10.0.4.3] }
  lb:      { members: [lb.tools.test.] }
  big:     { members: [${Array.from({ length: 40 }, (_, i) => `10.1.0.${i + 1}`).join(', ')}] }
records:
  "@": { ADDR: { ttl: 45, regions: { east: moscow, west: newyork, default: rio } }, MX: ["10 mail"], TXT: ["v=spf1 -all"] }
  ns1: { A: 192.0.2.53 }
  ns2: { A: 192.0.2.54 }
  mail: { A: 192.0.2.25 }
  www: { CNAME: "@" }
  near: { ADDR: { ttl: 30, closest: [moscow, rio, newyork] } }
  sticky: { A: { ttl: 20, pools: [sticky] } }
  canary: { A: { ttl: 10, weighted: { moscow: 1, rio: 1 } } }
  media: { CNAME: { ttl: 60, regions: { east: lb, default: lb } } }
  lb: { A: { ttl: 15, regions: { east: moscow, default: newyork } } }
  big: { A: { pools: [big] } }
  static: { A: [192.0.2.1, 192.0.2.2] }
  "*.user": { A: { regions: { east: moscow, default: rio } } }
  sub: { NS: [ns.sub.tools.test.] }
  ns.sub: { A: 192.0.2.77 }
`;

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({
    files: { 'zones/tools.test.yaml': ZONE, 'geoip/city.mmdb': buildMmdb(PLACES, { type: 'GeoLite2-City' }) },
  });
});
afterAll(() => server?.stop());

/** Standard output of a program that ends well. */
async function out(program: string, ...args: string[]): Promise<string> {
  return (await run(program, args, { timeout: 120_000 })).stdout;
}

const sorted = (text: string): string => text.trim().split('\n').sort().join(' ');

describe.runIf(have('dig'))('dig', () => {
  const dig = (...args: string[]): Promise<string> =>
    out('dig', '@127.0.0.1', '-p', String(server.port), '+tries=1', '+time=3', ...args);

  test('plain, with a subnet, over TCP, with a buffer size, without EDNS, over IPv6', async () => {
    expect(sorted(await dig('+short', 'tools.test'))).toBe('10.0.2.1');
    expect(sorted(await dig('+short', '+subnet=1.2.3.0/24', 'tools.test'))).toBe('10.0.1.1 10.0.1.2 10.0.1.3');
    expect(sorted(await dig('+short', '+subnet=3.2.3.4', 'tools.test'))).toBe('10.0.3.1');
    expect(sorted(await dig('+short', '+subnet=2a00::/48', 'tools.test', 'AAAA'))).toBe('2001:db8::1');
    expect(sorted(await dig('+short', '+tcp', '+subnet=1.2.3.0/24', 'www.tools.test'))).toBe(
      '10.0.1.1 10.0.1.2 10.0.1.3 tools.test.',
    );
    const text = await dig('+subnet=1.2.3.0/24', 'tools.test');
    expect(text).toMatch(/CLIENT-SUBNET: 1\.2\.3\.0\/24\/8/);
    expect(text).toMatch(/status: NOERROR/);
    expect(text).toMatch(/flags: qr aa rd;/);
    expect(text).toMatch(/tools\.test\.\s+45\s+IN\s+A\s+10\.0\.1\.[123]/);
    expect(text).not.toMatch(/WARNING: (?!recursion)|malformed/);
    expect((await dig('+short', '+bufsize=512', '+ignore', 'big.tools.test')).trim().split('\n').length).toBeLessThan(
      40,
    );
    expect((await dig('+short', '+bufsize=1232', 'big.tools.test')).trim().split('\n').length).toBe(40);
    expect((await dig('+short', '+noedns', 'big.tools.test')).trim().split('\n').length).toBe(30);
    const six = await out('dig', '@::1', '-p', String(server.v6.port), '+short', '+subnet=3.0.0.0/8', 'tools.test');
    expect(sorted(six)).toBe('10.0.3.1');
  });

  test('SOA, NS with glue, MX with its address, TXT, referral, NXDOMAIN, wildcard', async () => {
    expect(await dig('+short', 'SOA', 'tools.test')).toMatch(/^ns1\.tools\.test\. hostmaster\.tools\.test\. \d+ /);
    expect(await dig('NS', 'tools.test')).toMatch(/ns1\.tools\.test\.\s+300\s+IN\s+A\s+192\.0\.2\.53/);
    expect(await dig('MX', 'tools.test')).toMatch(/mail\.tools\.test\.\s+300\s+IN\s+A\s+192\.0\.2\.25/);
    expect((await dig('+short', 'TXT', 'tools.test')).trim()).toBe('"v=spf1 -all"');
    const referral = await dig('+norecurse', 'www.sub.tools.test');
    expect(referral).toMatch(/flags: qr;.*ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 2/);
    expect(referral).toMatch(/ns\.sub\.tools\.test\.\s+300\s+IN\s+A\s+192\.0\.2\.77/);
    expect(await dig('nothing.tools.test')).toMatch(/status: NXDOMAIN[\s\S]*tools\.test\.\s+60\s+IN\s+SOA/);
    expect(sorted(await dig('+short', 'anybody.user.tools.test'))).toBe('10.0.2.1');
    expect(await dig('elsewhere.example')).toMatch(/status: REFUSED/);
  });
});

describe.runIf(have('kdig'))('kdig', () => {
  test('plain, with a subnet, over TCP kept open, with NSID and padding', async () => {
    const kdig = (...args: string[]): Promise<string> => out('kdig', '@127.0.0.1', '-p', String(server.port), ...args);
    expect(sorted(await kdig('+short', 'tools.test'))).toBe('10.0.2.1');
    expect(sorted(await kdig('+short', '+subnet=3.0.0.0/24', 'tools.test'))).toBe('10.0.3.1');
    expect(sorted(await kdig('+short', '+tcp', '+keepopen', 'static.tools.test', 'mail.tools.test'))).toContain(
      '192.0.2.25',
    );
    expect(await kdig('+subnet=1.2.0.0/16', '+edns', 'near.tools.test')).toMatch(/CLIENT-SUBNET: 1\.2\.0\.0\/16\/\d+/i);
    expect(await kdig('+tcp', '+padding=128', '+nsid', 'static.tools.test')).toMatch(/status: NOERROR/);
  });
});

describe.runIf(have('unbound'))('unbound', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meridian-unbound-'));
  let unbound: Program;
  let port = 0;

  beforeAll(async () => {
    port = await freePort();
    writeFileSync(
      join(folder, 'unbound.conf'),
      `server:
  directory: "${folder}"
  username: ""
  chroot: ""
  pidfile: "${folder}/pid"
  use-syslog: no
  logfile: ""
  interface: 127.0.0.1@${port}
  do-not-query-localhost: no
  module-config: "iterator"
  qname-minimisation: yes
  use-caps-for-id: yes
  local-zone: "test." nodefault
stub-zone:
  name: "tools.test"
  stub-addr: 127.0.0.1@${server.port}
remote-control:
  control-enable: no
`,
    );
    unbound = new Program('unbound', ['-d', '-c', join(folder, 'unbound.conf')]);
    await unbound.until(
      async () => (await askFor({ host: '127.0.0.1', port }, 'mail.tools.test').catch(() => null)) !== null,
    );
  });
  afterAll(async () => {
    await unbound?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('asks the server with names in random case and minimised, and hands on what it says', async () => {
    const resolver = { host: '127.0.0.1', port };
    const through = async (name: string, type = 'A'): Promise<string> => {
      const { stdout } = await run('dig', ['@127.0.0.1', '-p', String(port), '+short', name, type]);
      return sorted(stdout);
    };
    expect(await through('mail.tools.test')).toBe('192.0.2.25');
    expect(await through('tools.test')).toBe('10.0.2.1');
    expect(await through('www.tools.test')).toBe('10.0.2.1 tools.test.');
    expect(await through('media.tools.test')).toBe('10.0.3.1 lb.tools.test.');
    expect(await through('a.user.tools.test')).toBe('10.0.2.1');
    expect(await through('static.tools.test')).toBe('192.0.2.1 192.0.2.2');
    expect(await through('tools.test', 'MX')).toBe('10 mail.tools.test.');
    expect((await through('big.tools.test')).split(' ').length).toBe(40);
    expect((await askFor(resolver, 'nothing.tools.test')).rcode).toBe('NXDOMAIN');
    expect(await got(resolver, 'tools.test', { type: 'AAAA' })).toBe('NODATA');
    const steered = await askFor(resolver, 'tools.test');
    expect(steered.answers[0]!.ttl).toBeLessThanOrEqual(45);
  });
});

describe('explain', () => {
  interface Explained {
    readonly client: { readonly source: string };
    readonly pools: readonly {
      readonly name: string;
      readonly members: readonly { readonly address: string; readonly state: string; readonly chosen: boolean }[];
      readonly chosen: boolean;
    }[];
    readonly answer: {
      readonly rcode: string;
      readonly records: readonly string[];
      readonly ttl: number | null;
      readonly scope: number;
      readonly sizes: readonly { readonly transport: string; readonly octets: number }[];
    };
  }
  const explain = async (asked: Record<string, string>): Promise<Explained> =>
    (await admin(server, 'GET', `/api/v1/explain?${new URLSearchParams(asked)}`)).json as Explained;

  test('UDP, TCP and explain agree on candidates, TTL and scope, for any client', async () => {
    const client4 = fc
      .tuple(fc.integer({ min: 1, max: 7 }), fc.nat(255), fc.nat(255), fc.constantFrom(8, 16, 20, 24, 32))
      .map(([a, b, c, length]) =>
        length === 8
          ? `${a}.0.0.0/8`
          : length === 16
            ? `${a}.${b}.0.0/16`
            : length === 20
              ? `${a}.${b}.${c & 0xf0}.0/20`
              : `${a}.${b}.${c}.${length === 24 ? 0 : 9}/${length}`,
      );
    const client6 = fc
      .tuple(fc.constantFrom('2a00', '2600', '2a03', '2001'), fc.nat(0xffff), fc.constantFrom(32, 48, 56))
      .map(([a, b, length]) => `${a}:${b.toString(16)}::/${length}`);
    const names = [
      'tools.test',
      'www.tools.test',
      'near.tools.test',
      'sticky.tools.test',
      'canary.tools.test',
      'media.tools.test',
      'x.user.tools.test',
      'big.tools.test',
      'static.tools.test',
      'nothing.tools.test',
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.constantFrom('A', 'AAAA'),
        fc.oneof(client4, client6),
        async (name, type, subnet) => {
          const udp = await askFor(server, name, { type, subnet });
          const tcp = await askFor(server, name, { type, subnet, tcp: true });
          const told = await explain({ name, type, subnet });
          for (const reply of [udp, tcp]) {
            expect(told.answer.rcode).toBe(reply.rcode);
            expect(told.answer.scope).toBe(scopeOf(reply));
            if (reply.answers.length > 0) expect(told.answer.ttl).toBe(Math.min(...reply.answers.map((r) => r.ttl)));
            if (name === 'canary.tools.test') continue;
            expect(told.answer.records.length).toBe(reply.answers.length);
            // A pool that picks at random shuffles; which members it has to pick from is what must agree.
            expect(told.answer.records.map((r) => r.split(/\s+/).at(-1)).sort()).toEqual(
              reply.answers
                .map((r) => r.data)
                .map((data) => (data.includes(':') ? dataOf(reply)[0] : data))
                .sort(),
            );
          }
          const chosen = told.pools.find((pool) => pool.chosen);
          const addresses = chosen?.members
            .filter((m) => m.chosen)
            .map((m) => m.address)
            .sort();
          if (addresses !== undefined && name !== 'canary.tools.test' && chosen?.name !== 'lb')
            expect(addresses).toEqual(dataOf(udp));
        },
      ),
      { numRuns: 150 },
    );
  });

  test('asks as a resolver without a subnet, as a client of /32, with a subnet; the command says the same', async () => {
    expect((await explain({ name: 'tools.test', resolver: '1.1.1.1' })).client.source).toBe('resolver');
    expect((await explain({ name: 'tools.test', resolver: '1.1.1.1' })).answer.records.length).toBe(3);
    expect(await explain({ name: 'tools.test', client: '3.0.0.1', resolver: '1.1.1.1' })).toMatchObject({
      client: { address: '3.0.0.1', source: 'ecs' },
      region: { name: 'west', match: 'US' },
      place: { country: 'US', city: 'New York' },
      answer: { rcode: 'NOERROR', ttl: 45, scope: 8 },
    });
    const ran = await meridian([
      'explain',
      'tools.test',
      'A',
      '--client',
      '3.0.0.1',
      '--json',
      '--admin',
      server.admin,
    ]);
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.out)).toMatchObject({ region: { name: 'west' }, answer: { scope: 8 } });
    const offline = await meridian([
      ...['explain', 'tools.test', 'A', '--client', '3.0.0.1', '--json', '--offline'],
      ...['--config', join(server.directory, 'meridian.yaml')],
    ]);
    expect(offline.code).toBe(0);
    expect(JSON.parse(offline.out)).toMatchObject({ region: { name: 'west' }, answer: { scope: 8, ttl: 45 } });
  });

  test('its sizes are those on the wire', async () => {
    const { answer } = await explain({ name: 'big.tools.test', subnet: '1.2.3.0/24' });
    const size = (transport: string): number => answer.sizes.find((s) => s.transport === transport)!.octets;
    expect(size('edns1232')).toBe((await askFor(server, 'big.tools.test', { subnet: '1.2.3.0/24' })).bytes.length);
    expect(size('tcp')).toBe(
      (await askFor(server, 'big.tools.test', { subnet: '1.2.3.0/24', tcp: true })).bytes.length,
    );
    expect(size('udp512')).toBeLessThanOrEqual(512);
  });

  test('a sticky client keeps its member across a restart, and on another server', async () => {
    const of = async (asked: RunningServer): Promise<string[]> =>
      Promise.all(Array.from({ length: 20 }, (_, i) => got(asked, 'sticky.tools.test', { subnet: `1.2.${i}.0/24` })));
    const before = await of(server);
    expect(new Set(before).size).toBe(3);
    const other = await startServer({
      files: { 'zones/tools.test.yaml': ZONE, 'geoip/city.mmdb': buildMmdb(PLACES, { type: 'GeoLite2-City' }) },
    });
    try {
      expect(await of(other)).toEqual(before);
    } finally {
      await other.stop();
    }
  });

  test('the counters of the zone tell how clients were known', async () => {
    await until(
      async () =>
        (await admin(server, 'GET', '/api/v1/zones/tools.test')).json.queries as { ecs: number; resolver: number },
      ({ ecs, resolver }) => ecs > 100 && resolver > 5,
    );
  });
});
