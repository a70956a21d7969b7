// Other people's code must see the same in record data as ours does.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameLength, parseName } from '../../dist/wire/name.js';
import { parseRdata, rdataToText } from '../../dist/wire/rdata.js';
import { TYPE, typeFromText, typeToText } from '../../dist/wire/types.js';
import { ARBITRARY_TYPES, rdataOf } from '../support/rdata.ts';

const SCRIPT = fileURLToPath(new URL('../support/dnspython.py', import.meta.url));
const PYTHON = ['/usr/bin/python3', 'python3'].find(
  (command) => spawnSync(command, ['-c', 'import dns.rdata']).status === 0,
);
const ORG = parseName('example.org.', null) as { wire: Uint8Array };

/** Data in master-file syntax that both sides must take for the same octets. */
const TEXTS: readonly (readonly [string, string])[] = [
  ['A', '192.0.2.1'],
  ['AAAA', '2001:db8::192.0.2.1'],
  ['NS', 'ns1'],
  ['CNAME', '@'],
  ['CNAME', 'a\\.b\\032\\255.c.'],
  ['DNAME', 'other.'],
  ['PTR', 'host.example.net.'],
  ['MX', '10 mail'],
  ['SOA', 'ns1 hostmaster\\.x ( 2026010101 7200 900 1209600 300 )'],
  ['TXT', '"a b" c "\\"\\\\\\065\\200"'],
  ['SPF', '"v=spf1 -all"'],
  ['HINFO', 'PC "Linux 6"'],
  ['SRV', '10 60 5060 sip'],
  ['CAA', '128 issuewild "ca.example; account=1"'],
  ['NAPTR', '100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .'],
  ['RP', 'admin text.example.net.'],
  ['AFSDB', '1 afs'],
  ['RT', '10 relay'],
  ['KX', '1 kx'],
  ['X25', '311061700956'],
  ['TLSA', `3 1 1 ${'0a'.repeat(32)}`],
  ['SMIMEA', `3 1 2 ${'0b'.repeat(32)} ${'0c'.repeat(32)}`],
  ['SSHFP', `4 2 ${'ab'.repeat(32)}`],
  ['DS', `60485 RSASHA256 2 ${'cd'.repeat(32)}`],
  ['CDS', '0 0 0 00'],
  ['DNSKEY', '257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4='],
  ['CDNSKEY', '0 3 0 AA=='],
  ['CERT', 'PGP 1 8 mQIN Bfit'],
  ['OPENPGPKEY', 'mQINBFit2ioB'],
  ['DHCID', 'AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA='],
  ['URI', '10 1 "https://www.example.net/a b"'],
  ['LOC', '52 22 23.5 N 4 53 32.000 W -2.00m 1m 10000m 10m'],
  ['LOC', '1 S 1 2 E 100'],
  ['L32', '10 192.0.2.1'],
  ['LP', '10 l64'],
  ['ZONEMD', `2026010101 1 1 ${'ef'.repeat(48)}`],
  ['SVCB', '1 svc alpn="h2,h3" port=8443 ipv4hint=192.0.2.1,192.0.2.2 mandatory=port,alpn'],
  ['HTTPS', '1 . ipv6hint=2001:db8::1 ech=AEn+ key667="a\\200b" alpn=h3 no-default-alpn'],
  ['HTTPS', '1 . alpn="f\\\\\\\\oo\\\\,bar,h2"'],
  ['HTTPS', '0 pool'],
  ['A', '\\# 4 c0000201'],
  ['TYPE65280', '\\# 3 abcdef'],
];

interface Seen {
  readonly hex?: string;
  readonly text?: string;
  readonly error?: string;
}

function askDnspython(questions: readonly object[]): Seen[] {
  const run = spawnSync(PYTHON!, [SCRIPT], {
    input: JSON.stringify(questions),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Seen[];
}

function ours(type: string, text: string): string {
  const parsed = parseRdata(typeFromText(type)!, text, ORG.wire);
  return parsed.ok ? Buffer.from(parsed.bytes).toString('hex') : `${parsed.reason}: ${text}`;
}

/** Types that dnspython doesn't know, and LOC, whose altitudes it rounds. */
const FIXED_ONLY: readonly number[] = [TYPE.MB, TYPE.MINFO, TYPE.LOC];

/**
 * What dnspython is known to do in its own way: \200 in most strings becomes UTF-8, alpn is escaped once too often, the quotes
 * in a URI never are, and some algorithms have other mnemonics.
 */
function beyondDnspython(type: number, text: string): boolean {
  if (type === TYPE.SVCB || type === TYPE.HTTPS) return /alpn="[^"]*\\[0-9]|dohpath|ohttp/.test(text);
  if (type === TYPE.URI) return text.includes('\\');
  if (type === TYPE.CERT) return /^\d+ \d+ (4|6|7|12) /.test(text);
  const strings = type === TYPE.NAPTR || type === TYPE.HINFO || type === TYPE.CAA || type === TYPE.X25;
  return strings && /\\[12][0-9][0-9]/.test(text.slice(0, text.lastIndexOf('"')));
}

describe.skipIf(PYTHON === undefined && process.env.CI !== 'true')('dnspython', () => {
  it('reads the same octets from the same text', () => {
    const seen = askDnspython(TEXTS.map(([type, text]) => ({ type, text })));
    expect(TEXTS.map(([type, text]) => [type, text, ours(type, text)])).toEqual(
      TEXTS.map(([type, text], i) => [type, text, seen[i]!.hex ?? seen[i]!.error]),
    );
  });

  it('reads what we print, and prints what we read, for any data', () => {
    const samples = ARBITRARY_TYPES.filter((type) => !FIXED_ONLY.includes(type)).flatMap((type) =>
      fc
        .sample(rdataOf(type), { numRuns: 150, seed: 7 })
        .filter((bytes) => !beyondDnspython(type, rdataToText(type, bytes)))
        .map((bytes) => ({ type, bytes })),
    );
    const tried = new Map<number, number>();
    for (const { type } of samples) tried.set(type, (tried.get(type) ?? 0) + 1);
    expect(Math.min(...tried.values())).toBeGreaterThan(5);
    expect(tried.size).toBe(ARBITRARY_TYPES.length - FIXED_ONLY.length);
    const ofWire = askDnspython(
      samples.map(({ type, bytes }) => ({ type: typeToText(type), hex: Buffer.from(bytes).toString('hex') })),
    );
    const ofText = askDnspython(
      samples.map(({ type, bytes }) => ({ type: typeToText(type), text: rdataToText(type, bytes) })),
    );
    const problems: unknown[] = [];
    samples.forEach(({ type, bytes }, i) => {
      const hex = Buffer.from(bytes).toString('hex');
      if (ofText[i]!.hex !== hex)
        problems.push([typeToText(type), 'printed', rdataToText(type, bytes), hex, ofText[i]]);
      const read = ofWire[i]!.text === undefined ? ofWire[i]!.error : ours(typeToText(type), ofWire[i]!.text);
      if (read !== hex) problems.push([typeToText(type), 'read', hex, read]);
    });
    expect(problems).toEqual([]);
  });
});

describe('dns-packet', () => {
  it.each([
    ['A', '192.0.2.1', '192.0.2.1'],
    ['AAAA', '2001:db8::1', '2001:db8::1'],
    ['NS', 'ns1', 'ns1.example.org'],
    ['CNAME', 'www.example.net.', 'www.example.net'],
    ['DNAME', 'other.', 'other'],
    ['PTR', 'host', 'host.example.org'],
    ['MX', '10 mail', { preference: 10, exchange: 'mail.example.org' }],
    ['SRV', '1 2 443 www', { priority: 1, weight: 2, port: 443, target: 'www.example.org' }],
    ['TXT', '"a b" "c"', ['a b', 'c']],
    ['TXT', 'v=spf1 -all', ['v=spf1 -all']],
    ['HINFO', 'PC "Linux 6"', { cpu: 'PC', os: 'Linux 6' }],
    ['CAA', '128 issue "ca.example"', { flags: 128, tag: 'issue', value: 'ca.example', issuerCritical: true }],
    ['RP', 'admin txt', { mbox: 'admin.example.org', txt: 'txt.example.org' }],
    ['SSHFP', `4 2 ${'ab'.repeat(32)}`, { algorithm: 4, hash: 2, fingerprint: 'ab'.repeat(32) }],
    [
      'TLSA',
      `3 1 1 ${'ab'.repeat(32)}`,
      { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32, 0xab) },
    ],
    ['DS', `1 13 2 ${'cd'.repeat(32)}`, { keyTag: 1, algorithm: 13, digestType: 2, digest: Buffer.alloc(32, 0xcd) }],
    ['DNSKEY', '257 3 13 q6ur', { flags: 257, algorithm: 13, key: Buffer.alloc(3, 0xab) }],
    [
      'NAPTR',
      '1 2 "u" "E2U" "!a!b!" repl',
      { order: 1, preference: 2, flags: 'u', services: 'E2U', regexp: '!a!b!', replacement: 'repl.example.org' },
    ],
    [
      'SOA',
      'ns1 host 1 2 3 4 5',
      { mname: 'ns1.example.org', rname: 'host.example.org', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 },
    ],
  ] as const)('sees %s %s as we do', (type, text, data) => {
    const message = dnsPacket.encode({
      type: 'response',
      answers: [{ name: '.', type, data } as unknown as dnsPacket.Answer],
    });
    // Behind the header stand the root's name, type, class, TTL and the length of the data.
    const at = 12 + nameLength(message, 12) + 10;
    expect(ours(type, text)).toBe(message.subarray(at).toString('hex'));
  });
});
