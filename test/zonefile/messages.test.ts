// What an operator reads: where each mistake stands, what to write instead, and that nothing is told which only follows from another.
import { describe, expect, it } from 'vitest';
import { parseCommon } from '../../dist/zonefile/common.js';
import { parseZone } from '../../dist/zonefile/parse.js';
import { codesOf, errorsOf, HEAD, modelOf, OPTIONS, readZone, warningsOf, withRecords } from '../support/zones.ts';

const ZONE = 'zone: example.org\nns: [ns.example.net.]\n';

/** All that is told of a text, as `CODE: FIX`. */
function told(text: string): string[] {
  return readZone(text).diagnostics.map(({ code, fix }) => `${code}: ${fix}`);
}

/** A zone with one pool that something uses. */
function pool(text: string, more = ''): string {
  return `${ZONE}${more}pools: { p: { ${text} } }\nrecords: { www: { A: { ttl: 20, pools: [p] } } }\n`;
}

describe('a map that is something else', () => {
  it('is asked for by an example of that very map, made of what stands there where that tells', () => {
    const fixes = [
      ['pools: [192.0.2.1]', '{ paris: { members: [192.0.2.1] } }'],
      ['pools: { paris: [192.0.2.1, "2001:db8::1"] }', '{ members: [192.0.2.1, "2001:db8::1"] }'],
      ['records: [www]', '{ www: { A: 192.0.2.1 } }'],
      ['records: { www: 192.0.2.7 }', '{ A: 192.0.2.7 }'],
      ['records: { www: lb.example.net. }', '{ CNAME: lb.example.net. }'],
      ['checks: tcp', '{ web: { tcp: { port: 443 } } }'],
      ['checks: { web: { tcp: 443 } }', '{ port: 443 }'],
      ['regions: [RU]', '{ east: [RU, BY] }'],
      ['transfer: 192.0.2.1', '{ allow: [192.0.2.0/24], notify: [192.0.2.54] }'],
      ['soa: 5', '{ rname: hostmaster@example.org, minimum: 60 }'],
    ] as const;
    for (const [text, example] of fixes) {
      const [first, ...others] = told(`${ZONE}${text}\n`);
      expect(first, text).toMatch(/^wrong-shape: write a map of .* here, such as /);
      expect(first, text).toContain(example);
      expect(others, text).toEqual([]);
    }
  });

  it('is shown by examples that are right themselves', () => {
    for (const [key, value] of [
      ['soa', '{ rname: hostmaster@example.org, minimum: 60 }'],
      ['transfer', '{ allow: [192.0.2.0/24], notify: [192.0.2.54] }'],
      ['pools', '{ paris: { members: [192.0.2.1] } }'],
      ['checks', '{ web: { tcp: { port: 443 } } }'],
      ['regions', '{ east: [RU, BY] }'],
      ['records', '{ www: { A: 192.0.2.1 } }'],
    ])
      expect(errorsOf(`${ZONE}${key}: ${value}\n`)).toEqual([]);
  });
});

describe('a member', () => {
  it('with a port is told where the port belongs', () => {
    expect(told(pool('members: [127.0.0.1:8080]'))[0]).toBe(
      'bad-address: write 127.0.0.1; the port belongs into the check: { tcp: { port: 8080 } } or { http: { port: 8080 } }',
    );
    expect(told(pool('members: ["[2001:db8::1]:8080"]'))[0]).toContain('write "2001:db8::1"; the port belongs');
    expect(told(pool('members: [192.0.2.0/24]'))[0]).toContain('the address of each backend');
    expect(told(pool('members: ["[2001:db8::1]"]'))[0]).toContain('without brackets');
  });

  it.each([
    ['0.0.0.0', 'unspecified'],
    ['"::"', 'unspecified'],
    ['224.0.0.1', 'multicast'],
    ['"ff02::1"', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['169.254.1.1', 'link-local'],
    ['"fe80::1"', 'link-local'],
    ['"::ffff:192.0.2.1"', 'IPv4'],
  ])('cannot be %s, which is %s', (address, kind) => {
    const family = address.includes('.') && !address.includes(':') ? 'A' : 'AAAA';
    const text = `${ZONE}pools: { p: { members: [${address}] } }\nrecords: { www: { ${family}: { ttl: 20, pools: [p] } } }\n`;
    const { diagnostics } = readZone(text);
    expect(diagnostics.map(({ code, line, col }) => `${code} ${line}:${col}`)).toEqual(['unusable-address 3:25']);
    expect(diagnostics[0]?.message).toContain(kind);
  });

  it('on the link is one mistake: an error where a check would probe it, else a warning', () => {
    const text = pool('check: { tcp: { port: 80 } }, members: [169.254.1.1]');
    expect(readZone(text).diagnostics.map(({ code }) => code)).toEqual(['link-local']);
  });
});

describe('what follows from a mistake', () => {
  it('is not told: what a mistyped name would have used is not unused', () => {
    expect(
      told(`${HEAD}records: { www: { A: { pools: [pariss, tokyo] } }, m: { CNAME: { pools: [cdn] } } }\n`),
    ).toEqual(['unknown-pool: did you mean "paris"?']);
    expect(told(pool('check: wbe, members: [192.0.2.1]', 'checks: { web: { tcp: { port: 80 } } }\n'))).toEqual([
      'unknown-check: did you mean "web"?',
    ]);
    expect(codesOf(pool('members: [192.0.2.1], min-live: 0'))).toEqual(['out-of-range']);
  });

  it('is not told of a check whose timeout is wrong', () => {
    const text = pool('check: { tcp: { port: 80 }, interval: 1s, timeout: 5x }, members: [192.0.2.1]');
    expect(readZone(text).diagnostics.map(({ code }) => code)).toEqual(['bad-duration']);
  });
});

describe('accept', () => {
  const one = withRecords(
    'www: { ADDR: { ttl: 20, pools: [paris, four] } }\nm: { CNAME: { pools: [cdn] } }\nt: { A: { pools: [tokyo] } }',
  ).replace('  cdn:', '  four: { members: [192.0.2.9] }\n  cdn:');

  it('keeps a warning from being told', () => {
    expect(warningsOf(one).map((text) => text.split(' ')[0])).toEqual(['one-family']);
    expect(warningsOf(`accept: [one-family]\n${one}`)).toEqual([]);
    expect(modelOf(`accept: one-family\n${one}`).accept).toEqual(['one-family']);
  });

  it('of a warning that never comes is fine: another machine may have other databases', () => {
    expect(readZone(`accept: [no-as-data]\n${ZONE}`).diagnostics).toEqual([]);
  });

  it('takes no codes that nobody knows, and none of errors', () => {
    expect(told(`accept: [one-famly]\n${ZONE}`)).toEqual(['bad-choice: did you mean one-family?']);
    expect(errorsOf(`accept: [unknown-pool]\n${ZONE}`)).toEqual(['bad-choice 1:10']);
    expect(errorsOf(`accept: [unknown-pool]\n${ZONE}records: { www: { A: { pools: [x] } } }\n`)).toContain(
      'unknown-pool 4:32',
    );
  });

  it('holds for the file that it stands in, _common.yaml too', () => {
    const text = 'pools: { p: { members: [{ address: 192.0.2.1, weight: 0 }] } }\n';
    const codes = (common: string): string[] =>
      parseCommon({ file: '_common.yaml', text: common }, OPTIONS).diagnostics.map(({ code }) => code);
    expect(codes(text)).toEqual(['weights-all-zero']);
    expect(codes(`accept: [weights-all-zero]\n${text}`)).toEqual([]);
  });
});

describe('a TXT', () => {
  const warnings = (value: string): string[] =>
    warningsOf(`${ZONE}records:\n  www:\n    TXT: ${value}\n`).map((text) => text.split(' ')[0]!);

  it('says when an escape of master files has become a part of it', () => {
    expect(warnings("'v=DKIM1\\; p=abc'")).toEqual(['txt-escape']);
    expect(warnings('v=DKIM1; p=abc')).toEqual([]);
    expect(warnings('\'"v=DKIM1\\; p=abc"\'')).toEqual([]);
    expect(warnings('C:\\temp')).toEqual([]);
  });

  it('says when it has a line break, wherever that came from', () => {
    expect(warnings('|\n      abc')).toEqual(['txt-newline']);
    expect(warnings('"a\\nb"')).toEqual(['txt-newline']);
    expect(warnings('>-\n      abc\n      def')).toEqual([]);
    // Lengths of strings may be 10 and 13.
    expect(warnings('\'"0123456789" "0123456789abc"\'')).toEqual([]);
  });

  it('says when there are two SPF records, once', () => {
    expect(warnings('["v=spf1 mx -all", "v=spf1 a -all", "V=SPF1"]')).toEqual(['several-spf']);
    expect(warnings('["v=spf1 mx -all", "v=spf10", "v=DMARC1"]')).toEqual([]);
  });
});

describe('a final dot too many', () => {
  it('is found in every kind of value, where the zone has the name', () => {
    const text = `${ZONE}pools: { p: { members: [lb.] } }
records:
  "@": { MX: 10 mail. }
  mail: { A: 192.0.2.1 }
  www: { CNAME: mail. }
  _sip._tcp: { SRV: 0 0 1 sip.inner. }
  sip.inner: { A: 192.0.2.1 }
  lb: { A: 192.0.2.1 }
  x: { CNAME: { ttl: 20, pools: [p] } }
  y: { CNAME: org. }
`;
    expect(warningsOf(text)).toEqual([
      'extra-final-dot 3:25',
      'extra-final-dot 5:14',
      'extra-final-dot 7:17',
      'extra-final-dot 8:21',
    ]);
    expect(readZone(text).diagnostics.map(({ fix }) => fix)).toEqual([
      'write "lb"',
      'write "mail"',
      'write "mail"',
      'write "sip.inner"',
    ]);
  });
});

describe('coordinates', () => {
  const swapped = (at: string): string[] => warningsOf(pool(`at: ${at}, members: [192.0.2.1]`));

  it('in an ocean or at a pole that would lie on land the other way round were swapped', () => {
    for (const at of [
      '[-74.0, 40.7]',
      '[-43.2, -22.9]',
      '[-46.6, -23.5]',
      '[77.2, 28.6]',
      '[72.9, 19.1]',
      '[-87.6, 41.9]',
    ])
      expect(swapped(at), at).toEqual(['swapped-at 3:19']);
  });

  it('that are right are not doubted, wherever people live', () => {
    for (const at of [
      ['[40.7, -74.0]', '[-22.9, -43.2]', '[55.75, 37.62]', '[1.35, 103.8]', '[-33.9, 151.2]', '[21.3, -157.9]'],
      ['[64.1, -21.9]', '[-54.8, -68.3]', '[69.6, 18.9]', '[61.2, -149.9]', '[78.2, 15.6]', '[-31.9, 115.9]', '[0, 0]'],
      [
        '[14.7, -17.4]',
        '[28.1, -15.4]',
        '[37.7, -25.7]',
        '[-20.3, 57.5]',
        '[4.2, 73.5]',
        '[64.2, -51.7]',
      ],
    ].flat())
      expect(swapped(at), at).toEqual([]);
  });

  it('beyond 90 degrees are told which way round', () => {
    expect(told(pool('at: [139.7, 35.7], members: [192.0.2.1]'))).toEqual([
      'out-of-range: write [35.7, 139.7]: the latitude comes first',
    ]);
    expect(errorsOf(pool('at: [200, 35.7], members: [192.0.2.1]'))).toEqual(['out-of-range 3:20']);
  });

  it('are held against where the databases have the members', () => {
    const found = (at: string): string[] => {
      const geoData = {
        coordinates: true,
        subdivisions: true,
        cities: true,
        asNumbers: true,
        unreached: () => [],
        coordinatesOf: () => [55.7, 37.6] as const,
      };
      const text = pool(`at: ${at}, members: [192.0.2.1]`);
      const source = { file: 'z.yaml', text, expectedName: null };
      return parseZone(source, null, { ...OPTIONS, geoData }).diagnostics.map(({ code }) => code);
    };
    expect(found('[37.6, 55.7]')).toEqual(['swapped-at']);
    expect(found('[55.7, 37.6]')).toEqual([]);
    // Somewhere else altogether: the database may be wrong.
    expect(found('[40.7, -74.0]')).toEqual([]);
  });
});

describe('weights', () => {
  it('of which none is above 0 are told, of members and of pools', () => {
    const zero = '{ address: 192.0.2.1, weight: 0 }, { address: 192.0.2.2, weight: 0 }';
    expect(warningsOf(pool(`members: [${zero}]`))).toEqual(['weights-all-zero 3:24']);
    expect(warningsOf(pool(`members: [${zero}, 192.0.2.3]`))).toEqual([]);
    const weighted = (weights: string): string[] =>
      warningsOf(withRecords(`www: { A: { ttl: 20, weighted: ${weights} } }\nm: { CNAME: { pools: [cdn] } }`));
    expect(weighted('{ paris: 0, tokyo: 0 }')).toEqual(['weights-all-zero 8:34']);
    expect(weighted('{ paris: 0, tokyo: 1 }')).toEqual([]);
  });
});

describe('a check over TLS without a name', () => {
  const warnings = (check: string, member = '192.0.2.1'): string[] =>
    warningsOf(
      `${ZONE}checks:\n  web: ${check}\n  both: { all: [web] }\npools: { p: { check: both, members: [${member}] } }\nrecords: { www: { ${member.endsWith('.') ? 'CNAME' : 'A'}: { ttl: 20, pools: [p] } } }\n`,
    );

  it('is told where it is written, if it probes addresses', () => {
    expect(warnings('{ https: {} }')).toEqual(['nameless-tls 4:10']);
    expect(warnings('{ tcp: { port: 443, tls: true } }')).toEqual(['nameless-tls 4:10']);
    expect(warnings('{ https: { host: www.example.org } }')).toEqual([]);
    expect(warnings('{ https: { sni: www.example.org } }')).toEqual([]);
    expect(warnings('{ https: { verify: false } }')).toEqual([]);
    expect(warnings('{ https: {} }', 'lb.example.net.')).toEqual([]);
    expect(warnings('{ http: {} }')).toEqual([]);
  });
});
