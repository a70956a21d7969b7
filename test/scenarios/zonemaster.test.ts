// Zonemaster, which registries test delegations with, looks at zones on two servers and has nothing to complain about.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressBytes } from '../support/dns.ts';
import { type Host, Internet } from '../support/internet.ts';
import { canMakeNamespaces } from '../support/namespace.ts';
import { have } from '../support/programs.ts';

const able = canMakeNamespaces() && have('dig', 'nsd', 'zonemaster-cli');

// Addresses of the real internet, since Zonemaster objects to those for tests; the namespaces lead nowhere.
const ROOT = ['185.0.0.1', '2a01:100::1'] as const;
const SERVERS = [
  ['185.1.1.53', '2a01:101::53'],
  ['185.2.2.53', '2a01:202::53'],
] as const;
const ADDRESSES = SERVERS.flatMap((addresses, i) =>
  addresses.map((address) => ({ name: `ns${i + 1}.net.cat`, address, i })),
);

// Serials are given: without, each server counts on its own, and Zonemaster wants them to be the same.
const STEERED = `
version: meridian/v1
zone: net.cat
ttl: 1h
soa: { mname: ns1, rname: hostmaster, refresh: 4h, minimum: 3600, serial: 2026010101 }
ns: [ns1, ns2]
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
`;

/** Nothing but what must be there: all else is as it is by default. */
const PLAIN = `
version: meridian/v1
zone: plain.cat
soa: { serial: 1 }
ns: [ns1.net.cat., ns2.net.cat.]
records:
  www: { A: 185.1.1.80 }
`;

/** The labels of an address's reverse name, and the top that it stands under. */
function reverse(address: string): { labels: string; top: string; kind: string } {
  if (!address.includes(':')) {
    return { labels: address.split('.').reverse().join('.'), top: 'in-addr.arpa.', kind: 'origin' };
  }
  const nibbles = [...addressBytes(address).toString('hex')];
  return { labels: nibbles.reverse().join('.'), top: 'ip6.arpa.', kind: 'origin6' };
}

const ROOT_ZONE = `$TTL 86400
. IN SOA a.root-servers.test. h.root-servers.test. 1 14400 3600 1209600 3600
. IN NS a.root-servers.test.
a.root-servers.test. IN A ${ROOT[0]}
a.root-servers.test. IN AAAA ${ROOT[1]}
cat. IN NS a.root-servers.test.
asnlookup.zonemaster.net. IN NS a.root-servers.test.
${ADDRESSES.map(({ address, name }) => `${reverse(address).labels}.${reverse(address).top} IN PTR ${name}.`).join('\n')}
`;
const CAT_ZONE = `$TTL 86400
cat. IN SOA a.root-servers.test. h.root-servers.test. 1 14400 3600 1209600 3600
cat. IN NS a.root-servers.test.
${['net.cat.', 'plain.cat.'].flatMap((zone) => SERVERS.map((_, i) => `${zone} IN NS ns${i + 1}.net.cat.`)).join('\n')}
${ADDRESSES.map(({ address, name }) => `${name}. IN ${address.includes(':') ? 'AAAA' : 'A'} ${address}`).join('\n')}
`;
/** Where Zonemaster looks up which network an address is of. */
const AS_ZONE = `$ORIGIN asnlookup.zonemaster.net.
$TTL 3600
@ IN SOA a.root-servers.test. h.root-servers.test. 1 14400 3600 1209600 3600
@ IN NS a.root-servers.test.
${ADDRESSES.map(({ address, i }) => {
  const network = address.includes(':') ? `2a01:${i + 1}0${i + 1}::/32` : `185.${i + 1}.${i + 1}.0/24`;
  return `${reverse(address).labels}.${reverse(address).kind} IN TXT "${64500 + i} | ${network} | XX | test | 2026-01-01"`;
}).join('\n')}
`;

interface Message {
  readonly level: string;
  readonly tag: string;
  readonly args: object;
}

describe.skipIf(!able)('zonemaster-cli', () => {
  let internet: Internet;
  let tester: Host;
  let hints: string;

  beforeAll(async () => {
    internet = new Internet();
    const root = internet.host(...ROOT);
    const servers = SERVERS.map((addresses) => internet.host(...addresses));
    tester = internet.host('185.9.9.9', '2a01:909::9');
    hints = tester.write(
      'hints',
      `. 9999 NS a.root-servers.test.\na.root-servers.test. 9999 A ${ROOT[0]}\na.root-servers.test. 9999 AAAA ${ROOT[1]}\n`,
    );
    const files = { 'zones/net.cat.yaml': STEERED, 'zones/plain.cat.yaml': PLAIN };
    await Promise.all([
      root.nsd({ '.': ROOT_ZONE, 'cat.': CAT_ZONE, 'asnlookup.zonemaster.net.': AS_ZONE }),
      ...servers.map((host) => host.meridian(files, 'net.cat')),
    ]);
  });
  afterAll(() => internet?.close());

  /** Everything that Zonemaster says of a zone. */
  function examine(zone: string, ...more: string[]): Message[] {
    const options = ['--level', 'INFO', '--json', '--raw', '--no-progress', '--hints', hints];
    return JSON.parse(tester.run('zonemaster-cli', zone, ...options, ...more)) as Message[];
  }

  /** What it says from NOTICE on, beside that nothing is signed. */
  function complaints(messages: readonly Message[]): string[] {
    return messages
      .filter(({ level, tag }) => level !== 'INFO' && tag !== 'NOT_SIGNED' && tag !== 'NEITHER_DNSKEY_NOR_DS')
      .map(({ level, tag, args }) => `${level} ${tag} ${JSON.stringify(args)}`);
  }

  it('finds nothing, not even a NOTICE, in an undelegated zone with steered records', () => {
    const servers = ADDRESSES.flatMap(({ name, address }) => ['--ns', `${name}/${address}`]);
    const messages = examine('net.cat', ...servers);
    expect(complaints(messages)).toEqual([]);
    // It has looked: at every server, over both families.
    const tags = new Set(messages.map(({ tag }) => tag));
    for (const tag of [
      'EDNS0_SUPPORT',
      'AAAA_WELL_PROCESSED',
      'NO_RECURSOR',
      'ONE_SOA_SERIAL',
      'SAME_SOURCE_IP',
      'IPV4_DIFFERENT_ASN',
    ]) {
      expect(tags).toContain(tag);
    }
    expect(messages.filter(({ tag }) => tag === 'QNAME_CASE_SENSITIVE')).toHaveLength(4);
    expect(messages.length).toBeGreaterThan(60);
  });

  it('finds nothing from WARNING on in a delegated zone that has all defaults', () => {
    const found = complaints(examine('plain.cat'));
    expect(found.filter((text) => !text.startsWith('NOTICE'))).toEqual([]);
    // The zone takes no mail; and a minute of "no" is what steering wants, a registry five.
    const notices = [...new Set(found.map((text) => text.split(' ')[1]))].sort();
    expect(notices).toEqual([
      'RNAME_MAIL_DOMAIN_INVALID',
      'SOA_DEFAULT_TTL_MAXIMUM_VALUE_LOWER',
      'Z09_MISSING_MAIL_TARGET',
    ]);
  });
});
