import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameToText, parseName } from '../../dist/wire/name.js';
import { parseRdata, rdataToText } from '../../dist/wire/rdata.js';
import { rdataForm } from '../../dist/wire/rdata-table.js';
import { TYPE, typeFromText, typeToText } from '../../dist/wire/types.js';
import { ARBITRARY_TYPES, isWellFormed, rdataOf, wireName } from '../support/rdata.ts';

const ROOT = Uint8Array.of(0);
const ORG = parsedName('example.org.');
const DESCRIBED_TYPES = Array.from({ length: 65536 }, (_, type) => type).filter(
  (type) => rdataForm(type) !== undefined,
);

function parsedName(text: string): Uint8Array {
  const parsed = parseName(text, null);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.wire;
}

function parse(type: string, text: string, origin = ORG) {
  const parsed = parseRdata(typeFromText(type)!, text, origin);
  if (!parsed.ok) throw new Error(`${type} ${text}: ${parsed.reason}`);
  return parsed;
}

function hex(type: string, text: string): string {
  return Buffer.from(parse(type, text).bytes).toString('hex');
}

/** What the text says, printed again with absolute names. */
function reprinted(type: string, text: string): string {
  return rdataToText(typeFromText(type)!, parse(type, text).bytes);
}

function mistake(type: string, text: string): { reason: string; fix: string } {
  const parsed = parseRdata(typeFromText(type)!, text, ORG);
  return parsed.ok ? { reason: `no mistake: ${rdataToText(typeFromText(type)!, parsed.bytes)}`, fix: '' } : parsed;
}

describe('record data from text', () => {
  it.each([
    ['A', '192.0.2.1', 'c0000201'],
    ['AAAA', '2001:DB8::1', '20010db8000000000000000000000001'],
    ['AAAA', '::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
    ['MX', '10 @', '000a076578616d706c65036f726700'],
    ['MX', '0 .', '000000'],
    ['SRV', '1 65535 443 .', '0001ffff01bb00'],
    ['HINFO', 'PDP-11 "UNIX v7"', '065044502d313107554e4958207637'],
    // RFC 8659 4.4.
    ['CAA', '0 issue ";"', '000569737375653b'],
    ['CAA', '128 tbs "Unknown"', '8003746273556e6b6e6f776e'],
    // RFC 4034 5.4.
    [
      'DS',
      '60485 5 1 ( 2BB183AF5F22588179A53B0A\n 98631FAD1A292118 )',
      'ec4505012bb183af5f22588179a53b0a98631fad1a292118',
    ],
    [
      'DS',
      '60485 RSASHA1 1 2BB183AF5F22588179A53B0A98631FAD1A292118',
      'ec4505012bb183af5f22588179a53b0a98631fad1a292118',
    ],
    // RFC 4255 3.2.
    ['SSHFP', '2 1 123456789abcdef67890123456789abcdef67890', '0201123456789abcdef67890123456789abcdef67890'],
    // RFC 8078 4.
    ['CDS', '0 0 0 00', '0000000000'],
    ['CDNSKEY', '0 3 0 AA==', '0000030000'],
    ['TLSA', 'DANE-EE Cert Full 0a0B 0c', '0300000a0b0c'],
    // RFC 7553 4.5.
    [
      'URI',
      '10 1 "ftp://ftp1.example.com/public"',
      `000a0001${Buffer.from('ftp://ftp1.example.com/public').toString('hex')}`,
    ],
    // RFC 1876 4 as BIND's documentation encodes it.
    ['LOC', '42 21 54 N 71 06 18 W -24m 30m', '0033161389172dd070be15f000988d20'],
    ['LOC', '0 N 0 E 0m', '00121613800000008000000000989680'],
    ['TYPE65280', '\\# 3 abcdef', 'abcdef'],
    ['TYPE65280', '\\# 0', ''],
    ['A', '\\# 4 0A00 0001', '0a000001'],
  ])('%s %s', (type, text, octets) => {
    expect(hex(type, text)).toBe(octets);
  });

  it('of NAPTR keeps its strings and its replacement', () => {
    // RFC 2915 7.1: the backslash of the expression is written twice in a master file.
    const text = '100 10 "" "" "!^urn:cid:.+@([^\\\\.]+\\\\.)(.*)$!\\\\2!i" .';
    expect(reprinted('NAPTR', text)).toBe(text);
    expect(Buffer.from(parse('NAPTR', text).bytes).toString('latin1')).toContain(
      '!^urn:cid:.+@([^\\.]+\\.)(.*)$!\\2!i',
    );
  });

  it('may stand on several lines inside parentheses, with comments', () => {
    const soa = 'ns1 host (\n 2026010101 ; serial\n 7200 900\n 1209600 300 ) ; done\n';
    expect(reprinted('SOA', soa)).toBe('ns1.example.org. host.example.org. 2026010101 7200 900 1209600 300');
    expect(reprinted('TXT', '( "a b"\n\t"c" )')).toBe('"a b" "c"');
    expect(mistake('SOA', 'ns1 host\n1 2 3 4 5').reason).toContain('second line');
    expect(mistake('SOA', 'ns1 host ( 1 2 3 4 5').reason).toContain('without its )');
    expect(mistake('SOA', 'ns1 host 1 2 3 4 5 )').reason).toContain('without its (');
  });

  it('tells which names may be compressed: only those of RFC 1035', () => {
    expect(parse('SOA', 'a.org. b 1 2 3 4 5').names).toEqual([0, 7]);
    expect(parse('MX', '10 mail').names).toEqual([2]);
    expect(parse('MX', '\\# 3 000a00').names).toEqual([2]);
    expect(parse('SRV', '1 1 1 a').names).toEqual([]);
    expect(parse('DNAME', 'a').names).toEqual([]);
    expect(parse('RP', 'a b').names).toEqual([]);
  });

  it('tells every name that stands in it, as it was written', () => {
    const hosts = (type: string, text: string) => parse(type, text).hosts.map((h) => [h.text, nameToText(h.wire)]);
    expect(hosts('MX', '10 Mail')).toEqual([['Mail', 'Mail.example.org.']]);
    expect(hosts('CNAME', '@')).toEqual([['@', 'example.org.']]);
    expect(hosts('RP', 'a.b c.')).toEqual([
      ['a.b', 'a.b.example.org.'],
      ['c.', 'c.'],
    ]);
    expect(hosts('HTTPS', '1 svc.net port=8443')).toEqual([['svc.net', 'svc.net.example.org.']]);
    expect(hosts('NAPTR', '1 1 "" "" "" _sip')).toEqual([['_sip', '_sip.example.org.']]);
    expect(hosts('SRV', '\\# 9 0001 0001 01bb 016100')).toEqual([['a.', 'a.']]);
    expect(hosts('A', '192.0.2.1')).toEqual([]);
  });

  it('of a known type in the generic form must be well formed', () => {
    expect(mistake('A', '\\# 3 0a0000').reason).toContain('no data of type A');
    expect(mistake('CNAME', '\\# 2 c00c').reason).toContain('no data of type CNAME');
    expect(mistake('A', '\\# 4 0a0000').reason).toContain('3 octets follow');
    expect(mistake('TYPE65280', '\\# 01 ab').reason).toContain('length');
    expect(mistake('TYPE65280', '\\#').reason).toContain('length');
    expect(mistake('TYPE65280', '\\# 1 a').reason).toContain('hexadecimal');
    expect(mistake('TYPE65280', 'ab').fix).toContain('\\# 4 c0000201');
  });

  it('of types that only questions have is refused', () => {
    for (const type of ['ANY', 'AXFR', 'OPT', 'TSIG', 'TYPE0', 'TYPE128']) {
      expect(mistake(type, '\\# 1 00').reason).toContain('questions');
    }
  });

  it('is held to the largest that a message can carry', () => {
    expect(mistake('TXT', 'x'.repeat(65_000)).reason).toContain('at most');
    expect(mistake('OPENPGPKEY', 'AAAA'.repeat(25_000)).reason).toContain('at most');
    expect(mistake('SVCB', `1 . key7000=${'x'.repeat(70_000)}`).reason).toContain('at most');
  });
});

describe('TXT', () => {
  it('without quotes is one literal string', () => {
    const literal = 'v=DMARC1; p=none; rua=(mailto:a@b) \\"x\\032 "y"';
    expect(parse('TXT', literal).bytes).toEqual(Uint8Array.of(literal.length, ...Buffer.from(literal)));
    expect([...parse('TXT', '').bytes]).toEqual([0]);
    expect([...parse('TXT', 'é').bytes]).toEqual([2, 0xc3, 0xa9]);
    expect([...parse('SPF', '(x)').bytes]).toEqual([3, 40, 120, 41]);
  });

  it('without quotes is split at 255 octets', () => {
    const { bytes } = parse('TXT', 'x'.repeat(600));
    expect([bytes.length, bytes[0], bytes[256], bytes[512]]).toEqual([603, 255, 255, 90]);
    expect(parse('TXT', 'x'.repeat(255)).bytes.length).toBe(256);
    expect(parse('TXT', 'x'.repeat(256)).bytes.length).toBe(258);
  });

  it('that begins with a quote is master-file syntax', () => {
    expect([...parse('TXT', '"a\\"\\065" b ""').bytes]).toEqual([3, 97, 34, 65, 1, 98, 0]);
    expect([...parse('TXT', '""').bytes]).toEqual([0]);
    expect([...parse('TXT', '"a""b" c').bytes]).toEqual([1, 97, 1, 98, 1, 99]);
    expect([...parse('TXT', '"é;"').bytes]).toEqual([3, 0xc3, 0xa9, 59]);
  });

  it('in quotes says what is wrong', () => {
    expect(mistake('TXT', `"${'x'.repeat(256)}"`)).toMatchObject({
      reason: expect.stringContaining('256 octets'),
      fix: expect.stringContaining('split it'),
    });
    expect(mistake('TXT', '"abc').reason).toContain('not closed');
    expect(mistake('TXT', '"abc\\"').reason).toContain('not closed');
    expect(mistake('TXT', '"a\\999"').reason).toContain('broken escape');
    expect(mistake('TXT', '"a"b').reason).toContain('follows a quote');
    expect(mistake('TXT', '"a\nb"').reason).toContain('not closed');
  });
});

describe('a mistake in record data', () => {
  it.each([
    ['A', '2001:db8::1', 'IPv6', 'AAAA'],
    ['AAAA', '192.0.2.1', 'IPv4', 'under A,'],
    ['A', '192.0.2.01', 'no IPv4 address', '192.0.2.1'],
    ['A', '192.0.2.1 192.0.2.2', 'one value too many', '192.0.2.1'],
    ['A', '"192.0.2.1"', 'without quotes', '192.0.2.1'],
    ['AAAA', 'fe80::1%eth0', 'no IPv6 address', '2001:db8::1'],
    ['CNAME', '192.0.2.1', 'is an address', 'A or AAAA'],
    ['MX', '10 192.0.2.1.', 'is an address', 'A or AAAA'],
    ['CNAME', 'https://example.net/', 'is a URL', 'host name'],
    ['CNAME', 'bücher.de.', 'xn--bcher-kva.de.', 'CNAME: '],
    ['CNAME', 'a..b', 'empty label', 'CNAME: '],
    ['CNAME', '"a"', 'without quotes', 'CNAME: '],
    ['MX', 'mail', 'no whole number for the preference', '10 mail.example.net.'],
    ['MX', '10', 'mail host is missing', '10 mail.example.net.'],
    ['MX', '65536 mail', 'over 65535', '10 mail.example.net.'],
    ['MX', '010 mail', 'no whole number', '10 mail.example.net.'],
    ['MX', '-1 mail', 'no whole number', '10 mail.example.net.'],
    ['MX', '', 'empty', '10 mail.example.net.'],
    ['SRV', '1 2 443', 'target is missing', '10 5 443'],
    ['SRV', '1 2 70000 a', 'over 65535', '10 5 443'],
    ['CAA', '256 issue "a"', 'over 255', 'letsencrypt.org'],
    ['CAA', '0 issue-wild "a"', 'letters and digits', 'letsencrypt.org'],
    ['CAA', '0 issue a;b', '; outside of quotes', 'quotes'],
    ['CAA', '0 issue ;', 'value is missing', 'letsencrypt.org'],
    ['CAA', '0 issue a="b"', 'inside of', 'quotes'],
    ['CAA', '0 issue x"b"', 'stands inside', 'quotes'],
    ['DS', '1 13 2 abc', 'two digits an octet', '60485'],
    ['DS', '1 13 2 abcd', '32 octets, here stand 2', '60485'],
    ['DS', '1 13 2', 'digest in hexadecimal is missing', '60485'],
    ['CDS', '0 0 1 00', '20 octets', '60485'],
    ['DNSKEY', '257 4 13 AAAA', 'protocol must be 3', '257 3'],
    ['DNSKEY', '257 3 13 AAA', 'no base64', '257 3'],
    ['DNSKEY', '257 3 13 AB==', 'no base64', '257 3'],
    ['DNSKEY', '257 3 13 A-_A', 'no base64', '257 3'],
    ['TLSA', '3 1 1 00', '32 octets', '3 1 1'],
    ['SSHFP', '1 2 00', '32 octets', '4 2'],
    ['URI', '1 1 ""', 'empty', 'https://'],
    ['HINFO', 'a', 'operating system is missing', 'RFC8482'],
    ['LOC', '91 N 0 E 0m', 'over 90', '52 22'],
    ['LOC', '1 60 N 0 E 0m', 'not below 60', '52 22'],
    ['LOC', '1 N 0 E', 'altitude is missing', '52 22'],
    ['LOC', '1 N 0 E 0m 1m 1m 1m 1m', 'one value too many', '52 22'],
    ['LOC', '1 2 3 4 N 0 E 0m', 'latitude must be', '52 22'],
  ])('%s %j says %j', (type, text, reason, fix) => {
    const wrong = mistake(type, text);
    expect(wrong.reason).toContain(reason);
    expect(wrong.fix).toContain(fix);
  });

  it('is not seen in a relative name of numbers in the reverse tree', () => {
    const arpa = parsedName('in-addr.arpa.');
    expect(nameToText(parse('CNAME', '1.2.0.192', arpa).bytes)).toBe('1.2.0.192.in-addr.arpa.');
  });

  it('comes with an example that is right itself', () => {
    for (const type of DESCRIBED_TYPES) {
      const { example } = rdataForm(type)!;
      expect([typeToText(type), parseRdata(type, example, ORG)]).toMatchObject([typeToText(type), { ok: true }]);
    }
  });
});

describe('record data of every type', () => {
  it('is tried here: each described type has an arbitrary, or the form of one that has', () => {
    const alike: number[] = [TYPE.MD, TYPE.MF, TYPE.MG, TYPE.MR];
    expect(DESCRIBED_TYPES.filter((type) => !ARBITRARY_TYPES.includes(type) && !alike.includes(type))).toEqual([]);
  });

  it.each(ARBITRARY_TYPES.map((type) => [typeToText(type), type] as const))(
    '%s: what is printed reads back the same, also in the generic form',
    (_, type) => {
      fc.assert(
        fc.property(rdataOf(type), wireName, (bytes, origin) => {
          expect(isWellFormed(type, bytes)).toBe(true);
          const text = rdataToText(type, bytes);
          expect(text.startsWith('\\#')).toBe(false);
          const read = parseRdata(type, text, origin);
          expect(read).toMatchObject({ ok: true, bytes });
          const generic = parseRdata(type, `\\# ${bytes.length} ${Buffer.from(bytes).toString('hex')}`, ROOT);
          expect(generic).toEqual(read);
        }),
        { numRuns: 100 },
      );
    },
  );

  it.each(ARBITRARY_TYPES.map((type) => [typeToText(type), type] as const))(
    '%s: cut, lengthened or changed octets never throw, and print as what reads back or as what is refused',
    (_, type) => {
      const broken = fc
        .tuple(rdataOf(type), fc.nat(300), fc.nat(255), fc.nat(300), fc.uint8Array({ maxLength: 3 }))
        .map(([bytes, at, octet, cut, tail]) => {
          const changed = bytes.slice(0, Math.max(0, bytes.length - (cut > 30 ? 0 : cut)));
          if (changed.length > 0) changed[at % changed.length] = octet;
          return Uint8Array.from([...changed, ...tail]);
        });
      fc.assert(
        fc.property(fc.oneof(broken, fc.uint8Array({ maxLength: 40 })), (bytes) => {
          const good = isWellFormed(type, bytes);
          const text = rdataToText(type, bytes);
          const read = parseRdata(type, text, ROOT);
          expect(text.startsWith('\\#')).toBe(!good);
          expect(read.ok).toBe(good);
          if (read.ok) expect(read.bytes).toEqual(bytes);
        }),
        { numRuns: 200 },
      );
    },
  );

  it('of any other type is printed and read in the generic form', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(isWellFormed(65280, bytes)).toBe(true);
        const read = parseRdata(65280, rdataToText(65280, bytes), ROOT);
        expect(read).toEqual({ ok: true, bytes, names: [], hosts: [] });
      }),
    );
  });

  it('from any text gives data that is well formed, or a reason with a fix, and never throws', () => {
    const words = fc.constantFrom(
      ...'10 0 1 a.b. @ . " ( ) ; \\ \\# = , alpn=h2 port= key9="x" 192.0.2.1 ::1 00ff AAAA N E 5m é \n'.split(' '),
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words, { maxLength: 9 }).map((list) => list.join(' ')),
      fc.array(words).map((list) => list.join('')),
    );
    fc.assert(
      fc.property(fc.constantFrom(...DESCRIBED_TYPES, 65280), text, (type, written) => {
        const read = parseRdata(type, written, ORG);
        if (read.ok) expect(isWellFormed(type, read.bytes)).toBe(true);
        else expect([read.reason, read.fix]).not.toContain('');
      }),
      { numRuns: 5_000 },
    );
  });
});
