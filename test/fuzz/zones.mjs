// The zones of the fuzzer: every kind of data, every shape of name, answers of every size.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const label63 = 'l'.repeat(63);
/** Three labels of 63 octets and one that fills the name `....long.fuzz.test.` up to 255. */
const longest = [label63, label63, label63, 'm'.repeat(255 - 3 * 64 - 'long.fuzz.test.'.length - 2)].join('.');

const MAIN = `
version: meridian/v1
zone: fuzz.test
ttl: 300
soa: { mname: ns1, rname: hostmaster, minimum: 60, serial: 7 }
ns: [ns1.fuzz.test., ns2.fuzz.test., ns.other.test.]
transfer: { allow: [127.0.0.0/8, "::1/128"] }
regions:
  east: [RU, BY, KZ]
  office: [198.51.100.0/24, "2001:db8:1::/48"]
  deep: [203.0.113.77/32, "2001:db8:2::1/128"]
  telecom: [AS64500]
  bay: ["city:US-CA/Fresno"]
pools:
  moscow: { at: [55.75, 37.62], check: { tcp: { port: 1 } }, members: [203.0.113.10, { address: 203.0.113.11, weight: 3, name: m2 }, "2001:db8::10"] }
  rio: { at: [-22.9, -43.2], bias: 0.8, check: { tcp: { port: 1 } }, min-live: 2, members: [203.0.113.20, 203.0.113.21, 203.0.113.22] }
  newyork: { at: [40.7, -74.0], pick: ordered, check: { tcp: { port: 1 } }, members: [203.0.113.30, 203.0.113.31, "2001:db8::30"] }
  many: { pick: weighted, members: [${Array.from({ length: 300 }, (_, i) => `10.0.${i >> 8}.${i & 255}`).join(', ')}] }
  many6: { pick: weighted, check: { tcp: { port: 1 } }, members: [${Array.from({ length: 300 }, (_, i) => `"2001:db8:6::${i.toString(16)}"`).join(', ')}] }
  stuck: { pick: sticky, check: { tcp: { port: 1 } }, members: [${Array.from({ length: 20 }, (_, i) => `{ address: 10.9.0.${i}, name: s${i} }, { address: "2001:db8:9::${i + 1}", name: s${i} }`).join(', ')}] }
  v4only: { members: [203.0.113.40] }
  zero: { members: [{ address: 203.0.113.50, weight: 0 }, { address: 203.0.113.51, weight: 0 }] }
  cdn: { check: { tcp: { port: 1 } }, members: [www.other.test., lb.fuzz.test., missing.fuzz.test., outside.example.] }
records:
  "@":
    ADDR:
      ttl: { max: 300, min: 20 }
      answers: 2
      regions:
        east: [moscow, newyork]
        office: { weighted: { moscow: 95, newyork: 5 } }
        deep: v4only
        telecom: stuck
        bay: newyork
        south-america: rio
        FR: newyork
        default: { closest: [moscow, rio, newyork] }
    MX: ["10 mail", "20 steered", "30 mx.other.test.", "40 host1.wild"]
    TXT: ["v=spf1 -all", '"two" "strings"']
    CAA: 0 issue "ca.example.net"
    HTTPS: 1 . alpn=h2,h3
    NAPTR: 100 10 "S" "SIP+D2U" "" _sip._tcp.fuzz.test.
    HINFO: '"PC" "Linux"'
    DNSKEY: 257 3 13 kXKkvWU3vGYfTJGl3qBd4qhiWp5aRs7YtkCJxD2d+t7KXqwahww5IgJtxJT2yFItlggazyfXqJEVOmMJ3qT0tQ==
  ns1: { A: 192.0.2.53, AAAA: "2001:db8::53" }
  ns2: { A: 192.0.2.54 }
  mail: { A: 192.0.2.25, AAAA: "2001:db8::25" }
  www: { A: [192.0.2.80, 192.0.2.81], AAAA: "2001:db8::80" }
  steered: { ADDR: { ttl: 30, pools: [moscow, newyork] } }
  near: { ADDR: { ttl: 30, spread: 50km, closest: [moscow, rio, newyork] } }
  canary: { A: { ttl: 30, weighted: { newyork: 99, moscow: 1 } } }
  many: { A: { ttl: 20, pools: [many] }, AAAA: { ttl: 20, pools: [many6] } }
  stuck: { ADDR: { ttl: 20, answers: 7, pools: [stuck] } }
  servfail: { A: { ttl: 20, when-all-down: servfail, pools: [newyork] } }
  nodata: { A: { ttl: 20, when-all-down: nodata, pools: [moscow] } }
  only: { A: { ttl: 20, regions: { RU: moscow, default: nodata } } }
  fouronly: { ADDR: { ttl: 20, pools: [v4only, newyork] } }
  zero: { A: { ttl: 20, pools: [zero] } }
  media: { CNAME: { ttl: 60, pools: [cdn] } }
  lb: { CNAME: { ttl: 60, regions: { RU: cdn, default: cdn } } }
  tomedia: { CNAME: media }
  tosteered: { CNAME: steered }
  tomany: { CNAME: many }
  todown: { CNAME: servfail }
  tobroken: { CNAME: www.broken.test. }
  totext: { CNAME: big }
  "*.wild": { A: 192.0.2.3, TXT: wild, MX: 10 host1.wild }
  host1.wild: { A: 192.0.2.4 }
  "*.steer.wild": { ADDR: { ttl: 10, pools: [stuck] } }
  "*.alias": { CNAME: www }
  "*.loopalias": { CNAME: x.loopalias }
  a.b.c.ent: { A: 192.0.2.2 }
  c1: { CNAME: c2 }
  c2: { CNAME: c3 }
  c3: { CNAME: c4 }
  c4: { CNAME: c5 }
  c5: { CNAME: c6 }
  c6: { CNAME: c7 }
  c7: { CNAME: c8 }
  c8: { CNAME: c9 }
  c9: { CNAME: c10 }
  c10: { CNAME: www }
  loop1: { CNAME: loop2 }
  loop2: { CNAME: loop1 }
  cmissing: { CNAME: missing }
  cout: { CNAME: www.elsewhere.invalid. }
  ccut: { CNAME: host.sub.fuzz.test. }
  cother: { CNAME: back.other.test. }
  cchild: { CNAME: www.child }
  clong: { CNAME: ${longest}.long }
  "*.clong2": { CNAME: ${longest}.long }
  "${longest}.long": { A: [192.0.2.91, 192.0.2.92], TXT: the longest name, MX: 10 ${longest}.long, CNAME: [] }
  sub: { NS: [ns.sub, ns2.sub], DS: 12345 13 2 4444444444444444444444444444444444444444444444444444444444444444 }
  ns.sub: { A: 192.0.2.77, AAAA: "2001:db8::77" }
  ns2.sub: { A: 192.0.2.78 }
  occluded.sub: { A: 192.0.2.66 }
  sibling: { NS: [ns.sub, ns1] }
  foreign: { NS: [ns.example.com., ns.example.org.] }
  bigcut: { NS: [${Array.from({ length: 30 }, (_, i) => `a-rather-long-name-for-a-server-${i}.bigcut`).join(', ')}] }
${Array.from({ length: 30 }, (_, i) => `  a-rather-long-name-for-a-server-${i}.bigcut: { A: 192.0.2.${i}, AAAA: "2001:db8::${i}" }`).join('\n')}
  child: { NS: [ns1] }
  static: { A: [${Array.from({ length: 28 }, (_, i) => `192.0.2.${i + 1}`).join(', ')}] }
  big: { A: [${Array.from({ length: 3900 }, (_, i) => `10.1.${i >> 8}.${i & 255}`).join(', ')}], TXT: [${Array.from({ length: 150 }, (_, i) => `"${'t'.repeat(390)}${i}"`).join(', ')}], MX: [${Array.from({ length: 700 }, (_, i) => `"${i} mx${i}.${'x'.repeat(50)}"`).join(', ')}] }
${Array.from({ length: 40 }, (_, i) => `  mx${i + 655}.${'x'.repeat(50)}: { A: 192.0.2.${i} }`).join('\n')}
  "*.${'x'.repeat(50)}": { TXT: any }
  text: { TXT: "${'0123456789'.repeat(6400)}" }
  _sip._tcp: { SRV: ["10 20 5060 www", "20 20 5060 steered", "30 1 1 ."] }
  types:
    PTR: www
    TLSA: 3 1 1 0000000000000000000000000000000000000000000000000000000000000000
    SSHFP: 4 2 0000000000000000000000000000000000000000000000000000000000000000
    TYPE65280: '\\# 4 0a000001'
    TYPE65281: '\\# 0'
    SVCB: 1 www alpn=h2 port=8443
    LOC: 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
    DNAME: []
  svc: { HTTPS: 1 www alpn=h2 }
  'dot\\.label': { A: 192.0.2.5 }
  '\\000\\255': { A: 192.0.2.6 }
`.replace(/, CNAME: \[\]|\n {4}DNAME: \[\]/g, '');

const CHILD = `
version: meridian/v1
zone: child.fuzz.test
soa: { minimum: 30, serial: 1 }
ns: [ns1.fuzz.test.]
records:
  "@": { A: 192.0.2.101 }
  www: { A: 192.0.2.102 }
  "*.w": { CNAME: c1.fuzz.test. }
  up: { CNAME: tosteered.fuzz.test. }
`;

const OTHER = `
version: meridian/v1
zone: other.test
soa: { minimum: 7200, ttl: 600, serial: 4294967295 }
ns: [ns]
transfer: { allow: [0.0.0.0/0, "::/0"] }
pools: { p: { pick: sticky, members: [198.51.100.1, "2001:db8::99"] } }
records:
  ns: { A: 198.51.100.53 }
  www: { ADDR: { ttl: 5, pools: [p] } }
  mx: { A: 198.51.100.25 }
  back: { CNAME: c8.fuzz.test. }
  "*": { A: 198.51.100.2, TXT: any name }
  deep: { TXT: hides the wildcard }
`;

/** Never had a good version: SERVFAIL. */
const BROKEN = `
version: meridian/v1
zone: broken.test
ns: [ns.broken.test.]
`;

const ROOT = `
version: meridian/v1
zone: .
soa: { mname: a.root-servers.test., rname: host.root-servers.test., serial: 1 }
ns: [a.root-servers.test.]
records:
  a.root-servers.test.: { A: 192.0.2.4 }
  example.: { NS: ns.example. }
  ns.example.: { A: 192.0.2.44 }
  "*.": { TXT: every name }
  alias.: { CNAME: tosteered.fuzz.test. }
`.replace('  "*.": { TXT: every name }\n', '');

const OVERRIDES = `
version: meridian/v1
networks:
  1.0.0.0/8: { country: RU, city: Moscow, at: [55.75, 37.62] }
  2.0.0.0/8: { country: BR, at: [-22.9, -43.2] }
  3.0.0.0/9: { country: US, subdivision: US-CA, city: Fresno, at: [36.7, -119.8], as: 64501 }
  4.0.0.0/8: FR
  4.1.0.0/16: { country: FR, as: 64500 }
  2a00::/16: { country: RU, at: [55.75, 37.62] }
  "2600::/16": { country: US, at: [40.7, -74] }
`;

/** Settings of the real server. */
const settings = (extra) => `
version: meridian/v1
listen: ["127.0.0.1:0"]
rate-limit: off
identity: { nsid: fuzz-1, version: fuzzed, hostname: here }
log: { level: error }
${extra}`;

/**
 * Writes a server's folder.
 * @param {string} directory that exists
 * @param {{ root?: boolean, settings?: string }} [options] whether the root zone is served as well; more lines of meridian.yaml
 */
export function writeZones(directory, options = {}) {
  for (const folder of ['zones', 'geoip', 'state']) mkdirSync(join(directory, folder), { recursive: true });
  const zones = { 'fuzz.test': MAIN, 'child.fuzz.test': CHILD, 'other.test': OTHER, 'broken.test': BROKEN };
  if (options.root) zones.root = ROOT;
  for (const [name, text] of Object.entries(zones)) writeFileSync(join(directory, 'zones', `${name}.yaml`), text);
  writeFileSync(join(directory, 'geoip', 'overrides.yaml'), OVERRIDES);
  writeFileSync(join(directory, 'meridian.yaml'), settings(options.settings ?? ''));
}

/** Names that queries start from: of the zones, beside them, of nobody. */
export const NAMES = [
  ...['@', 'www', 'steered', 'near', 'canary', 'many', 'stuck', 'servfail', 'nodata', 'only', 'fouronly', 'zero'],
  ...['media', 'lb', 'tomedia', 'tosteered', 'tomany', 'todown', 'tobroken', 'totext', 'x.wild', 'y.x.wild', 'wild'],
  ...[
    '*.wild',
    'z.steer.wild',
    'steer.wild',
    'q.alias',
    'q.loopalias',
    'a.b.c.ent',
    'b.c.ent',
    'ent',
    'c1',
    'c2',
    'c5',
  ],
  ...['c9', 'loop1', 'cmissing', 'cout', 'ccut', 'cother', 'cchild', 'clong', 'x.clong2', `${longest}.long`, 'long'],
  ...[label63, `${label63}.long`, 'sub', 'host.sub', 'ns.sub', 'occluded.sub', 'sibling', 'x.sibling', 'foreign'],
  ...['bigcut', 'x.bigcut', 'child', 'www.child', 'x.w.child', 'up.child', 'no.child', 'static', 'big', 'text'],
  ...['_sip._tcp', 'types', 'svc', 'missing', 'ns1', 'mail', 'dot\\.label', '\\000\\255'],
]
  .map((name) => (name === '@' ? 'fuzz.test.' : `${name}.fuzz.test.`))
  .concat(['other.test.', 'www.other.test.', 'x.other.test.', 'x.deep.other.test.', 'back.other.test.'])
  .concat([
    'broken.test.',
    'www.broken.test.',
    'test.',
    '.',
    'com.',
    'example.',
    'x.example.',
    'alias.',
    'example.com.',
  ])
  .concat(['version.bind.', 'version.server.', 'hostname.bind.', 'id.server.', 'a.root-servers.test.']);
