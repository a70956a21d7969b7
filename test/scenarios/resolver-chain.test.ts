// Real resolvers find Meridian as they would out there: from a root, by way of a parent, to two servers and a child zone.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Host, Internet } from '../support/internet.ts';
import { canMakeNamespaces } from '../support/namespace.ts';
import { have, type Program } from '../support/programs.ts';

const able = canMakeNamespaces() && have('dig', 'nsd', 'unbound', 'named');

const NET_CAT = `
version: meridian/v1
zone: net.cat
soa: { minimum: 60 }
ns: [ns1.net.cat., ns2.net.cat.]
pools:
  moscow: { members: [203.0.113.10] }
  rio: { members: [203.0.113.20, "2001:db8::20"] }
  newyork: { members: [203.0.113.30] }
  cdn: { members: [lb.other.cat.] }
records:
  "@":
    ADDR:
      ttl: 60
      regions:
        RU: moscow
        BR: rio
        default: newyork
  www: { CNAME: "@" }
  "*.user": { A: { ttl: 60, regions: { RU: moscow, BR: rio, default: newyork } } }
  "*.fresh": { A: 192.0.2.99 }
  media: { CNAME: { ttl: 60, pools: [cdn] } }
  tochild: { CNAME: host.sub }
  toother: { CNAME: www.other.cat. }
  large: { A: [${Array.from({ length: 100 }, (_, i) => `198.51.100.${i + 1}`).join(', ')}] }
  static: { A: 192.0.2.1, TXT: the same for everybody }
  ns1: { A: 198.18.0.11, AAAA: "fd00::11" }
  ns2: { A: 198.18.0.12, AAAA: "fd00::12" }
  sub: { NS: [ns.sub] }
  ns.sub: { A: 198.18.0.13 }
`;
const OTHER_CAT = `
version: meridian/v1
zone: other.cat
ns: [ns1.net.cat., ns2.net.cat.]
pools: { p: { members: [192.0.2.70] } }
records:
  www: { A: { ttl: 60, pools: [p] } }
  lb: { A: 192.0.2.71 }
  back: { CNAME: www.net.cat. }
`;
/** Where the clients and resolvers are. */
const OVERRIDES = `
version: meridian/v1
networks:
  5.0.0.0/8: RU
  6.0.0.0/8: BR
  7.0.0.0/8: US
  198.18.0.0/24: US
`;

const ROOT = `$TTL 3600
. IN SOA a.root. h.root. 1 1800 900 604800 60
. IN NS a.root.
a.root. IN A 198.18.0.1
cat. IN NS ns.nic.cat.
ns.nic.cat. IN A 198.18.0.2
`;
const CAT = `$ORIGIN cat.
$TTL 3600
@ IN SOA ns.nic h.nic 1 1800 900 604800 60
@ IN NS ns.nic
ns.nic IN A 198.18.0.2
net IN NS ns1.net
net IN NS ns2.net
ns1.net IN A 198.18.0.11
ns1.net IN AAAA fd00::11
ns2.net IN A 198.18.0.12
ns2.net IN AAAA fd00::12
other IN NS ns1.net
other IN NS ns2.net
`;
const SUB = `$ORIGIN sub.net.cat.
$TTL 300
@ IN SOA ns h 1 1800 900 604800 60
@ IN NS ns
ns IN A 198.18.0.13
host IN A 192.0.2.113
up IN CNAME static.net.cat.
`;
const HINTS = '. 3600000 NS a.root.\na.root. 3600000 A 198.18.0.1\n';

describe.skipIf(!able)('a chain of real servers and resolvers', () => {
  let internet: Internet;
  let servers: [Host, Host];
  let programs: [Program, Program];
  /** In Russia, Brazil and the United States, and a second one in the Russian client's network. */
  let moscow: Host;
  let rio: Host;
  let chicago: Host;
  let neighbour: Host;
  let unbound: Host;
  let bind: Host;
  let subnets: Host;

  beforeAll(async () => {
    internet = new Internet();
    const root = internet.host('198.18.0.1');
    const parent = internet.host('198.18.0.2');
    const child = internet.host('198.18.0.13');
    servers = [internet.host('198.18.0.11', 'fd00::11'), internet.host('198.18.0.12', 'fd00::12')];
    moscow = internet.host('5.1.1.10');
    neighbour = internet.host('5.1.1.200');
    rio = internet.host('6.1.1.10');
    chicago = internet.host('7.1.1.10');
    unbound = internet.host('198.18.0.21', 'fd00::21');
    bind = internet.host('198.18.0.22', 'fd00::22');
    subnets = internet.host('198.18.0.23', 'fd00::23');
    const files = {
      'zones/net.cat.yaml': NET_CAT,
      'zones/other.cat.yaml': OTHER_CAT,
      'geoip/overrides.yaml': OVERRIDES,
    };
    const [first, second] = await Promise.all([
      ...servers.map((host) => host.meridian(files, 'net.cat')),
      root.nsd({ '.': ROOT }),
      parent.nsd({ 'cat.': CAT }),
      child.nsd({ 'sub.net.cat.': SUB }),
    ]);
    programs = [first!, second!] as [Program, Program];
    await Promise.all([
      startUnbound(unbound, 'module-config: "iterator"'),
      startUnbound(
        subnets,
        `module-config: "subnetcache validator iterator"
  client-subnet-zone: "net.cat"
  client-subnet-zone: "other.cat"
  max-client-subnet-ipv4: 24`,
      ),
      startBind(bind),
    ]);
  });
  afterAll(() => internet?.close());

  function startUnbound(host: Host, more: string): Promise<void> {
    const hints = host.write('hints', HINTS);
    const conf = host.write(
      'unbound.conf',
      `server:
  directory: "${host.directory}"
  chroot: ""
  username: ""
  pidfile: ""
  do-daemonize: no
  use-syslog: no
  interface: ${host.address}
  access-control: 0.0.0.0/0 allow
  root-hints: "${hints}"
  num-threads: 1
  ${more}
remote-control:
  control-enable: no
`,
    );
    return host.answers(host.start('unbound', '-d', '-c', conf), 'cat.');
  }

  function startBind(host: Host): Promise<void> {
    const hints = host.write('hints', HINTS);
    const conf = host.write(
      'named.conf',
      `options {
  directory "${host.directory}"; pid-file none; session-keyfile none; managed-keys-directory "${host.directory}";
  listen-on { ${host.address}; }; listen-on-v6 { none; };
  recursion yes; allow-query { any; }; allow-recursion { any; }; allow-query-cache { any; };
  dnssec-validation no; qname-minimization strict; empty-zones-enable no;
};
controls { };
zone "." { type hint; file "${hints}"; };
`,
    );
    return host.answers(host.start('named', '-g', '-n', '1', '-c', conf), 'cat.');
  }

  /** The values that a client gets, in order of the alphabet. */
  const values = (client: Host, resolver: Host, ...args: string[]): string[] =>
    client
      .dig(resolver, '+short', ...args)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(';'))
      .sort();
  /** Requests that reached the two servers of net.cat. */
  const asked = (): number => servers.reduce((sum, host) => sum + host.metric('meridian_queries_total'), 0);
  const resolvers = (): [string, Host][] => [
    ['unbound', unbound],
    ['BIND', bind],
    ['unbound with ECS', subnets],
  ];

  it('resolves from the root down: static, steered, wildcard, IPv6 and large answers', () => {
    for (const [name, resolver] of resolvers()) {
      const ask = (...args: string[]): string[] => values(chicago, resolver, ...args);
      expect([name, ask('net.cat')]).toEqual([name, ['203.0.113.30']]);
      expect([name, ask('any.user.net.cat')]).toEqual([name, ['203.0.113.30']]);
      expect([name, ask('static.net.cat', 'TXT')]).toEqual([name, ['"the same for everybody"']]);
      expect([name, ask('www.net.cat')]).toEqual([name, ['203.0.113.30', 'net.cat.']]);
      // Over TCP, between the resolver and us. BIND takes no set of more than 100 records.
      expect([name, ask('large.net.cat', '+tcp').length]).toEqual([name, 100]);
    }
  });

  it('resolves into a child zone, and back out of it', () => {
    for (const [name, resolver] of resolvers()) {
      expect([name, values(rio, resolver, 'host.sub.net.cat')]).toEqual([name, ['192.0.2.113']]);
      expect([name, values(rio, resolver, 'tochild.net.cat')]).toEqual([name, ['192.0.2.113', 'host.sub.net.cat.']]);
      expect([name, values(rio, resolver, 'up.sub.net.cat')]).toEqual([name, ['192.0.2.1', 'static.net.cat.']]);
    }
  });

  it('follows aliases across zones', () => {
    for (const [name, resolver] of resolvers()) {
      expect([name, values(chicago, resolver, 'toother.net.cat')]).toEqual([name, ['192.0.2.70', 'www.other.cat.']]);
      expect([name, values(chicago, resolver, 'media.net.cat')]).toEqual([name, ['192.0.2.71', 'lb.other.cat.']]);
      expect([name, values(chicago, resolver, 'back.other.cat')]).toEqual([
        name,
        ['203.0.113.30', 'net.cat.', 'www.net.cat.'],
      ]);
    }
  });

  it('keeps what does not exist in the caches, for as long as the zone says', () => {
    for (const [name, resolver] of resolvers()) {
      const first = chicago.dig(resolver, 'missing.net.cat');
      expect([name, first]).toEqual([name, expect.stringContaining('status: NXDOMAIN')]);
      const [, ttl] = /^net\.cat\.\s+(\d+)\s+IN\s+SOA/m.exec(first)!;
      expect(Number(ttl)).toBeGreaterThan(50);
      expect(Number(ttl)).toBeLessThanOrEqual(60);
      const nodata = chicago.dig(resolver, 'static.net.cat', 'AAAA');
      expect([name, nodata]).toEqual([name, expect.stringMatching(/status: NOERROR.*ANSWER: 0/s)]);
      const before = asked();
      expect(chicago.dig(resolver, 'missing.net.cat')).toContain('status: NXDOMAIN');
      expect(chicago.dig(resolver, 'static.net.cat', 'AAAA')).toContain('ANSWER: 0');
      expect([name, asked() - before]).toEqual([name, 0]);
    }
  });

  it('gives the clients of a resolver with client subnet each their own answer, and the cache keeps them apart', () => {
    const places: [Host, string][] = [
      [moscow, '203.0.113.10'],
      [rio, '203.0.113.20'],
      [chicago, '203.0.113.30'],
    ];
    for (const [client, address] of places) expect(values(client, subnets, 'ecs.user.net.cat')).toEqual([address]);
    // In another order, from the cache, and for somebody else in a network that has asked.
    const before = asked();
    for (const [client, address] of places.reverse()) {
      expect(values(client, subnets, 'ecs.user.net.cat')).toEqual([address]);
    }
    expect(values(neighbour, subnets, 'ecs.user.net.cat')).toEqual(['203.0.113.10']);
    expect(asked() - before).toBe(0);
    // Steered and static links of a chain, and a family that one pool lacks.
    expect(values(rio, subnets, 'www.net.cat', 'AAAA')).toEqual(['2001:db8::20', 'net.cat.']);
    expect(values(moscow, subnets, 'www.net.cat', 'AAAA')).toEqual(['net.cat.']);
    expect(values(moscow, subnets, 'www.net.cat')).toEqual(['203.0.113.10', 'net.cat.']);
    expect(values(rio, subnets, 'www.net.cat')).toEqual(['203.0.113.20', 'net.cat.']);
  });

  it('asks once for all clients what is the same for all', () => {
    expect(values(moscow, subnets, 'one.fresh.net.cat')).toEqual(['192.0.2.99']);
    const before = asked();
    for (const client of [rio, chicago, neighbour]) {
      expect(values(client, subnets, 'one.fresh.net.cat')).toEqual(['192.0.2.99']);
    }
    expect(asked() - before).toBe(0);
  });

  it("accepts the cookies that BIND sends back, so that BIND's queries are exempt from rate limits", () => {
    for (let i = 0; i < 4; i++) values(moscow, bind, `cookie${i}.fresh.net.cat`);
    const valid = servers.reduce((sum, host) => sum + host.metric('meridian_cookies_total', 'verdict="valid"'), 0);
    expect(valid).toBeGreaterThan(0);
  });

  it('goes on when one of the two servers is killed', async () => {
    programs[0].process.kill('SIGKILL');
    await servers[0].stop();
    for (const [name, resolver] of resolvers()) {
      for (let i = 0; i < 3; i++) {
        expect([name, values(rio, resolver, `after${i}.fresh.net.cat`)]).toEqual([name, ['192.0.2.99']]);
      }
    }
    expect(values(moscow, subnets, 'after.user.net.cat')).toEqual(['203.0.113.10']);
    expect(values(rio, subnets, 'after.user.net.cat')).toEqual(['203.0.113.20']);
  });
});
