// Zonemaster, which registries test delegations with, looks at a zone on two servers and finds nothing to complain about.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressBytes } from '../support/dns.ts';
import { type Host, Internet } from '../support/internet.ts';
import { canMakeNamespaces } from '../support/namespace.ts';
import { have } from '../support/programs.ts';

const able = canMakeNamespaces() && have('dig', 'nsd', 'zonemaster-cli');

// Addresses of the real internet, since Zonemaster objects to those for tests; the namespaces lead nowhere.
const ROOT4 = '185.0.0.1';
const ROOT6 = '2a01:100::1';
const SERVERS = [
  ['185.1.1.53', '2a01:101::53'],
  ['185.2.2.53', '2a01:202::53'],
] as const;
const CHILD = ['185.3.3.53', '2a01:303::53'] as const;

const ZONE = `
version: meridian/v1
zone: net.cat
ttl: 1h
soa: { mname: ns1.net.cat., rname: hostmaster.net.cat., refresh: 14400, retry: 3600, expire: 1209600, minimum: 3600 }
ns: [ns1.net.cat., ns2.net.cat.]
pools:
  moscow: { at: [55.75, 37.62], members: [185.1.1.80, "2a01:101::80"] }
  rio: { at: [-22.9, -43.2], members: [185.2.2.80, "2a01:202::80"] }
records:
  "@":
    ADDR: { ttl: 60, regions: { RU: moscow, default: { closest: [moscow, rio] } } }
    MX: 10 mail
    TXT: "v=spf1 mx -all"
    CAA: 0 issue "ca.example.net"
  ns1: { A: 185.1.1.53, AAAA: "2a01:101::53" }
  ns2: { A: 185.2.2.53, AAAA: "2a01:202::53" }
  mail: { A: 185.1.1.25 }
  www: { CNAME: "@" }
  "*.user": { A: 185.1.1.90 }
  sub: { NS: [ns.sub] }
  ns.sub: { A: 185.3.3.53, AAAA: "2a01:303::53" }
`;

/** Another with nothing but what must be there: all else as it is by default. */
const PLAIN = `
version: meridian/v1
zone: plain.cat
ns: [ns1.net.cat., ns2.net.cat.]
records:
  www: { A: 185.1.1.80 }
`;

/** The name under which an address is looked up. */
function reverse(address: string): string {
  if (!address.includes(':')) return `${address.split('.').reverse().join('.')}.in-addr.arpa.`;
  const nibbles = [...addressBytes(address).toString('hex')];
  return `${nibbles.reverse().join('.')}.ip6.arpa.`;
}

describe.skipIf(!able)('zonemaster-cli', () => {
  let internet: Internet;
  let tester: Host;
  let hints: string;

  beforeAll(async () => {
    internet = new Internet();
    const root = internet.host(ROOT4, ROOT6);
    const servers = SERVERS.map(([v4, v6]) => internet.host(v4, v6));
    tester = internet.host('185.9.9.9', '2a01:909::9');
    hints = tester.write(
      'hints',
      `. 3600000 NS a.root-servers.test.\na.root-servers.test. 3600000 A ${ROOT4}\na.root-servers.test. 3600000 AAAA ${ROOT6}\n`,
    );
    const files = { 'zones/net.cat.yaml': ZONE, 'zones/plain.cat.yaml': PLAIN };
    await Promise.all([root.nsd({ '.': rootZone(), 'cat.': catZone() }), ...servers.map((host) => host.meridian(files, 'net.cat'))]);
  });
  afterAll(() => internet?.close());

  function rootZone(): string {
    return `$TTL 86400
. IN SOA a.root-servers.test. h.root-servers.test. 1 14400 3600 1209600 3600
. IN NS a.root-servers.test.
a.root-servers.test. IN A ${ROOT4}
a.root-servers.test. IN AAAA ${ROOT6}
${SERVERS.flatMap((addresses, i) => addresses.map((a) => `${reverse(a)} IN PTR ns${i + 1}.net.cat.`)).join('\n')}
cat. IN NS a.root-servers.test.
`;
  }

  function catZone(): string {
    const zones = ['net.cat.', 'plain.cat.'];
    return `$TTL 86400
cat. IN SOA a.root-servers.test. h.root-servers.test. 1 14400 3600 1209600 3600
cat. IN NS a.root-servers.test.
${zones.flatMap((zone) => SERVERS.map((_, i) => `${zone} IN NS ns${i + 1}.net.cat.`)).join('\n')}
${SERVERS.map(([v4, v6], i) => `ns${i + 1}.net.cat. IN A ${v4}\nns${i + 1}.net.cat. IN AAAA ${v6}`).join('\n')}
`;
  }

  /** Everything that Zonemaster says of a zone. */
  function test(zone: string, ...more: string[]): { level: string; tag: string; args: object }[] {
    const output = tester.run(
      'zonemaster-cli',
      ...[zone, '--level', 'INFO', '--json', '--raw', '--no-progress', '--hints', hints, ...more],
    );
    return JSON.parse(output) as { level: string; tag: string; args: object }[];
  }

  it('X', () => {
    const servers = SERVERS.flatMap((addresses, i) => addresses.map((address) => `ns${i + 1}.net.cat/${address}`));
    for (const [z, ...m] of [['net.cat', '--level','DEBUG', ...servers.flatMap((server) => ['--ns', server])],['plain.cat']]) {
    const t = performance.now();
    const r = test(z!, ...m);
    console.log(r.filter(x=>!/INFO|DEBUG/.test(x.level)||/CONNECT/i.test(JSON.stringify(x))).map(x=>JSON.stringify(x)).join('\n'), r.length, performance.now() - t);
    }
  }, 120_000);
});
