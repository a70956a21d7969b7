// What only shows when the whole zone is known: final dots, aliases, nameservers, delegations, hints.
import { describe, expect, it } from 'vitest';
import { errorsOf, readZone, warningsOf, withRecords } from '../support/zones.ts';

const errors = (records: string) => errorsOf(withRecords(records));
/** Warnings about names: those about unused pools and the like are left out. */
const warnings = (records: string) => warningsOf(withRecords(records)).filter((w) => !/^(unused|one-family)/.test(w));

describe('the missing final dot', () => {
  it('is an error where the zone has no such name, and shows both spellings', () => {
    const { diagnostics } = readZone(withRecords('www: { CNAME: www.example.net }'));
    const found = diagnostics.find((d) => d.code === 'missing-final-dot');
    expect(found).toMatchObject({ severity: 'error', line: 8, col: 17 });
    expect(found?.message).toContain('www.example.net.example.org.');
    expect(found?.fix).toContain('"www.example.net."');
  });

  it.each([
    'MX: "10 mail.example.net"',
    'NS: ns.example.net',
    'SRV: 0 0 1 a.b',
    'PTR: a.b',
    'HTTPS: "1 a.b"',
    'NAPTR: 1 1 "u" "x" "" a.b',
  ])('is found in %s', (record) => expect(errors(`x: { ${record} }`)[0]).toMatch(/^missing-final-dot 8:/));

  it('is found in nameservers, SOA, checks and members', () => {
    expect(errorsOf('zone: example.org\nns: [ns.example.net]\n')).toEqual(['missing-final-dot 2:6']);
    const text = `zone: example.org
ns: [ns.example.net.]
soa: { mname: a.b, rname: hostmaster.example.org }
checks: { d: { dns: { name: a.b } } }
pools: { cdn: { members: [lb.example.net] } }
`;
    expect(errorsOf(text)).toEqual([
      'missing-final-dot 3:15',
      'missing-final-dot 3:27',
      'missing-final-dot 4:29',
      'missing-final-dot 5:27',
    ]);
  });

  it('is no question for names that exist, as owners or between them', () => {
    expect(errors('x: { CNAME: a.b }\na.b: { A: 192.0.2.1 }')).toEqual([]);
    expect(errors('x: { CNAME: a.b }\nc.a.b: { A: 192.0.2.1 }')).toEqual([]);
    expect(errors('x: { CNAME: A.B }\na.b: { A: 192.0.2.1 }')).toEqual([]);
  });

  it('is no question below a wildcard or a cut', () => {
    expect(errors('x: { CNAME: a.user }\n"*.user": { A: 192.0.2.1 }')).toEqual([]);
    expect(errors('x: { CNAME: a.b.user }\n"*.user": { A: 192.0.2.1 }')).toEqual([]);
    expect(errors('x: { CNAME: a.sub }\nsub: { NS: ns.example.net. }')).toEqual([]);
    expect(errors('x: { CNAME: a.b.sub }\nsub: { NS: ns.example.net. }')).toEqual([]);
    // A name in between stops the wildcard (RFC 4592 3.3.1).
    expect(errors('x: { CNAME: a.b.user }\n"*.user": { A: 192.0.2.1 }\nb.user: { A: 192.0.2.1 }')).toEqual([
      'missing-final-dot 8:15',
    ]);
  });

  it('is no question without an inner dot, with a final one, or in TXT', () => {
    expect(errors('x: { CNAME: nowhere }\ny: { CNAME: a.b. }\nz: { TXT: a.b }\nw: { CNAME: "a\\\\.b" }')).toEqual([]);
  });
});

describe('aliases', () => {
  it('stand alone', () => {
    expect(errors('x: { CNAME: a.example.net., A: 192.0.2.1 }')).toEqual(['cname-and-other-data 8:8']);
    expect(errors('x: { TXT: hi, CNAME: { pools: [cdn] } }')).toEqual(['cname-and-other-data 8:17']);
    expect(errors('x: { ADDR: { pools: [paris] }, CNAME: a.example.net. }')).toEqual(['cname-and-other-data 8:34']);
  });

  it('are noticed beside data that is in error itself', () => {
    expect(errors('x: { CNAME: a.example.net., A: nonsense }')).toEqual([
      'cname-and-other-data 8:8',
      'bad-address 8:34',
    ]);
  });

  it('are not the zone itself, steered or not', () => {
    expect(errors('"@": { CNAME: a.example.net. }')).toEqual(['cname-at-apex 8:10']);
    expect(errors('"@": { CNAME: { pools: [cdn] } }')).toEqual(['cname-at-apex 8:10']);
  });

  it('have one target', () => {
    expect(errors('x: { CNAME: [a.example.net., b.example.net.] }')).toEqual(['several-cnames 8:32']);
  });

  it('that go round or nowhere are warned about', () => {
    expect(warnings('a: { CNAME: b }\nb: { CNAME: a }')).toEqual(['cname-loop 8:8', 'cname-loop 9:8']);
    expect(warnings('a: { CNAME: a }')).toEqual(['cname-loop 8:8']);
    expect(warnings('a: { CNAME: nowhere }')).toEqual(['target-missing 8:15']);
    expect(warnings('a: { CNAME: b }\nb: { CNAME: c }\nc: { A: 192.0.2.1 }')).toEqual([]);
  });

  it('are no targets of MX and SRV', () => {
    expect(warnings('"@": { MX: "10 mail" }\nmail: { CNAME: a.example.net. }')).toEqual(['target-is-alias 8:14']);
    expect(warnings('s: { SRV: 0 0 1 mail }\nmail: { CNAME: a.example.net. }')).toEqual(['target-is-alias 8:13']);
    expect(warnings('"@": { MX: ["10 mail", "20 .", "30 nowhere"] }\nmail: { A: 192.0.2.1 }')).toEqual([
      'target-missing 8:34',
    ]);
  });
});

describe('nameservers', () => {
  const zone = (ns: string, records: string) => errorsOf(`zone: example.org\nns: ${ns}\nrecords:\n${records}`);

  it('inside of the zone need addresses', () => {
    expect(zone('[ns1, ns2.example.org.]', '  ns1: { A: 192.0.2.1 }\n')).toEqual(['ns-without-address 2:11']);
    expect(zone('[ns1]', '  ns1: { AAAA: "2001:db8::1" }\n')).toEqual([]);
    expect(zone('["@"]', '  "@": { A: 192.0.2.1 }\n')).toEqual([]);
    expect(zone('[a.b]', '  "*.b": { A: 192.0.2.1 }\n')).toEqual([]);
    expect(zone('[ns1]', '  ns1: { TXT: x }\n')).toEqual(['ns-without-address 2:6']);
  });

  it('are no aliases', () => {
    expect(zone('[ns1]', '  ns1: { CNAME: a.example.net. }\n')).toEqual(['ns-is-alias 2:6']);
  });

  it('of a delegation need glue when they lie below it', () => {
    expect(errors('sub: { NS: ns.sub }')).toEqual(['ns-without-address 8:14']);
    expect(errors('sub: { NS: ns.sub }\nns.sub: { A: 192.0.2.1 }')).toEqual([]);
    expect(errors('sub: { NS: sub }\n')).toEqual(['ns-without-address 8:14']);
    expect(errors('sub: { NS: ns }\nns: { A: 192.0.2.1 }')).toEqual([]);
    // Below another delegation the address is that zone's business.
    expect(errors('sub: { NS: ns.other }\nother: { NS: ns.example.net. }')).toEqual([]);
  });

  it('of a delegation have the same glue for everybody', () => {
    expect(errors('sub: { NS: ns.sub }\nns.sub: { A: { pools: [paris] } }')).toEqual(['steered-glue 8:14']);
  });
});

describe('data below a cut', () => {
  it('is accepted with a warning, but for glue', () => {
    const text =
      'sub: { NS: [ns.sub, x.sub], DS: "1 13 2 0000000000000000000000000000000000000000000000000000000000000000" }\n';
    expect(warnings(`${text}ns.sub: { A: 192.0.2.1 }\nx.sub: { AAAA: "2001:db8::1" }`)).toEqual([]);
    expect(
      warnings(`${text}ns.sub: { A: 192.0.2.1, TXT: x }\nx.sub: { A: 192.0.2.1 }\nwww.sub: { A: 192.0.2.1 }`),
    ).toEqual(['below-cut 9:27', 'below-cut 11:14']);
    expect(errors(`${text}ns.sub: { A: 192.0.2.1, TXT: x }\nx.sub: { A: 192.0.2.1 }`)).toEqual([]);
  });

  it('includes what stands at the cut itself', () => {
    expect(warnings('sub: { NS: ns.example.net., TXT: x, A: 192.0.2.1 }')).toEqual([
      'below-cut 8:31',
      'below-cut 8:39',
    ]);
  });

  it('includes delegations below it', () => {
    expect(warnings('sub: { NS: ns.example.net. }\na.sub: { NS: ns.example.net. }')).toEqual(['below-cut 9:12']);
  });
});

describe('DS', () => {
  it('belongs to a delegation', () => {
    const ds = 'DS: "1 13 2 0000000000000000000000000000000000000000000000000000000000000000"';
    expect(warnings(`sub: { ${ds} }`)).toEqual(['ds-without-ns 8:10']);
    expect(warnings(`sub: { NS: ns.example.net., ${ds} }`)).toEqual([]);
  });
});

describe('address hints', () => {
  it('for a steered target are an error', () => {
    const bad = [
      '"@": { ADDR: { pools: [paris] }, HTTPS: "1 . ipv4hint=192.0.2.1" }',
      '"@": { HTTPS: "1 www ipv6hint=2001:db8::1" }\nwww: { AAAA: { pools: [paris] } }',
      '"@": { SVCB: "1 a.user alpn=h2 ipv4hint=192.0.2.1" }\n"*.user": { A: { pools: [paris] } }',
      '"@": { HTTPS: "1 www ipv4hint=192.0.2.1" }\nwww: { CNAME: web }\nweb: { A: { pools: [paris] } }',
      '"@": { HTTPS: "1 www ipv4hint=192.0.2.1" }\nwww: { CNAME: { pools: [cdn] } }',
    ];
    for (const records of bad) expect(errors(records).join(), records).toMatch(/^hint-bypasses-steering 8:\d+$/);
  });

  it('for any other target are fine', () => {
    const good = [
      '"@": { A: 192.0.2.1, HTTPS: "1 . ipv4hint=192.0.2.1" }',
      '"@": { ADDR: { pools: [paris] }, HTTPS: "1 . alpn=h2" }',
      '"@": { ADDR: { pools: [paris] }, HTTPS: "1 www.example.net. ipv4hint=192.0.2.1" }',
    ];
    for (const records of good) expect(errors(records), records).toEqual([]);
  });
});

describe('record sets', () => {
  const texts = (count: number): string => Array.from({ length: count }, (_, i) => `"t${i}"`).join(', ');

  it('of more records than BIND takes are warned about', () => {
    expect(warnings(`x: { TXT: [${texts(101)}] }`)).toEqual(['many-records 8:8']);
    expect(warnings(`x: { TXT: [${texts(100)}] }`)).toEqual([]);
  });
});
