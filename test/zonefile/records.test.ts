// Records: the forms of a record set, values of each type, and what names they may have.
import { describe, expect, it } from 'vitest';
import { nameToText } from '../../dist/wire/name.js';
import { TYPE } from '../../dist/wire/types.js';
import type { StaticSet } from '../../dist/zone/model.js';
import { errorsOf, modelOf, readZone, warningsOf, withRecords } from '../support/zones.ts';

function sets(records: string): StaticSet[] {
  const model = modelOf(withRecords(records));
  return model.owners.flatMap((owner) => owner.sets).filter((set): set is StaticSet => set.kind === 'static');
}

function bytes(set: StaticSet | undefined): string[] {
  return (set?.records ?? []).map((record) => Buffer.from(record.bytes).toString('hex'));
}

describe('the forms of a record set', () => {
  it('are a scalar, a list, and values with a TTL', () => {
    const [one, list, withTtl] = sets(`
a: { A: 192.0.2.1 }
b: { A: [192.0.2.1, 192.0.2.2] }
c: { A: { ttl: 1d, values: 192.0.2.3 } }`);
    expect(bytes(one)).toEqual(['c0000201']);
    expect(bytes(list)).toEqual(['c0000201', 'c0000202']);
    expect([one?.ttlSeconds, withTtl?.ttlSeconds]).toEqual([300, 86_400]);
    expect(bytes(withTtl)).toEqual(['c0000203']);
  });

  it('are nothing else', () => {
    expect(errorsOf(withRecords('a: { A: { ttl: 60 } }'))).toEqual(['missing-key 8:8']);
    expect(errorsOf(withRecords('a: { A: { values: [] } }'))).toEqual(['no-values 8:21']);
    expect(errorsOf(withRecords('a: { A: [[192.0.2.1]] }'))).toEqual(['wrong-shape 8:12']);
    expect(errorsOf(withRecords('a: { A: { values: 192.0.2.1, answers: 1 } }'))).toEqual(['unknown-key 8:32']);
    expect(errorsOf(withRecords('a: { A: { values: 192.0.2.1, ttl: { max: 9, min: 1 } } }'))).toEqual([
      'wrong-shape 8:37',
    ]);
    expect(errorsOf(withRecords('a: { A: { values: 192.0.2.1, pools: [paris] } }'))).toEqual(['one-of 8:13']);
    expect(errorsOf(withRecords('a: 192.0.2.1'))).toEqual(['wrong-shape 8:6']);
  });

  it('have a TTL within bounds, decimal, without leading zeros', () => {
    const ttl = (text: string) => errorsOf(withRecords(`a: { A: { ttl: ${text}, values: 192.0.2.1 } }`));
    for (const good of ['0', '2147483647', '5m', '1h', '1d', '1w', '"60"']) expect(ttl(good)).toEqual([]);
    for (const bad of ['2147483648', '-1', '5000w']) expect(ttl(bad)).toEqual(['ttl-range 8:18']);
    for (const bad of ['060', '1.5h', '500ms', 'forever', '0x10', '1e3', '5 m', '5M', '""', '[60]']) {
      expect(ttl(bad).join()).toMatch(/^(bad-ttl|wrong-shape) 8:18$/);
    }
  });
});

describe('ADDR with values', () => {
  it('is A and AAAA', () => {
    const found = sets('a: { ADDR: [192.0.2.1, "2001:db8::1", 192.0.2.2] }');
    expect(found.map((set) => [set.type, set.records.length])).toEqual([
      [TYPE.A, 2],
      [TYPE.AAAA, 1],
    ]);
    expect(sets('a: { ADDR: "2001:db8::1" }').map((set) => set.type)).toEqual([TYPE.AAAA]);
  });

  it('does not stand beside either', () => {
    expect(errorsOf(withRecords('a: { ADDR: 192.0.2.1, AAAA: "2001:db8::1" }'))).toEqual(['addr-and-address 8:25']);
    expect(errorsOf(withRecords('a: { A: 192.0.2.1, ADDR: { pools: [paris] } }'))).toEqual(['addr-and-address 8:22']);
  });
});

describe('values', () => {
  it('of every type are accepted in the form of master files', () => {
    const found = sets(`
a:
  AAAA: "2001:db8::1"
  MX: ["10 mail.example.net.", "20 ."]
  TXT: v=spf1 include:example.net -all
  SRV: 0 5 5060 sip.example.net.
  CAA: 0 issue "ca.example.net"
  NAPTR: 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.net!" .
  TLSA: 3 1 1 0000000000000000000000000000000000000000000000000000000000000000
  SSHFP: 4 2 0000000000000000000000000000000000000000000000000000000000000000
  HTTPS: "1 . alpn=h2,h3"
  SVCB: "0 svc.example.net."
  HINFO: '"PC" "Linux"'
  TYPE65280: '\\# 4 0a000001'
  PTR: host.example.net.
  LOC: 52 22 23 N 4 53 32 E 0m`);
    expect(found.map((set) => set.type)).toEqual([28, 15, 16, 33, 257, 35, 52, 44, 65, 64, 13, 65_280, 12, 29]);
    expect(bytes(found.at(-3))).toEqual(['0a000001']);
  });

  it('are errors with their place when they do not fit', () => {
    expect(errorsOf(withRecords('a:\n  MX: ["10 mail.example.net.", "mail"]'))).toEqual(['bad-record 9:34']);
    expect(errorsOf(withRecords('a:\n  A: [192.0.2.1, 192.0.2.256, "2001:db8::1"]'))).toEqual([
      'bad-address 9:20',
      'wrong-family 9:33',
    ]);
    expect(errorsOf(withRecords("a: { TYPE65280: '\\# 4 0a0000' }"))).toEqual(['bad-record 8:19']);
    expect(errorsOf(withRecords('a: { SRV: 0 5 sip.example.net. }'))).toEqual(['bad-record 8:13']);
  });

  it('of TXT are one literal string, or master-file syntax after a quote', () => {
    const [literal, master, long] = sets(`
a: { TXT: v=DKIM1; k=rsa; p=MIG\\x }
b: { TXT: '"one" "two"' }
c: { TXT: ${'x'.repeat(300)} }`);
    expect(bytes(literal)).toEqual([
      Buffer.from('\x16v=DKIM1; k=rsa; p=MIG\\x'.replace('\x16', String.fromCharCode(23))).toString('hex'),
    ]);
    expect(bytes(master)).toEqual(['036f6e6503' + '74776f']);
    expect(long?.records[0]?.bytes.length).toBe(302);
  });

  it('of TXT, SVCB and HTTPS must be quoted in a flow list', () => {
    expect(errorsOf(withRecords('a: { TXT: [v=DKIM1; p=abc, d] }'))).toEqual([
      'quote-in-list 8:14',
      'quote-in-list 8:30',
    ]);
    expect(errorsOf(withRecords('a: { HTTPS: [1 . alpn=h2] }'))).toEqual(['quote-in-list 8:16']);
    expect(errorsOf(withRecords('a: { TXT: ["v=spf1 -all"], HTTPS: [\'1 . alpn=h2\'] }'))).toEqual([]);
    expect(errorsOf(withRecords('a:\n  TXT:\n    - v=spf1 -all\n    - other, with comma'))).toEqual([]);
  });

  it('stand once in a set', () => {
    const text = withRecords('a: { A: [192.0.2.1, 192.0.2.1] }');
    expect(warningsOf(text)).toContain('duplicate-value 8:23');
    expect(modelOf(text).owners[0]?.sets[0]).toMatchObject({ records: { length: 1 } });
  });
});

describe('types', () => {
  it('are those of the registry, in capitals, and TYPEn', () => {
    expect(errorsOf(withRecords('a: { a: 192.0.2.1 }'))).toEqual(['unknown-type 8:8']);
    expect(
      readZone(withRecords('a: { AAA: 192.0.2.1 }')).diagnostics.find((d) => d.code === 'unknown-type')?.fix,
    ).toMatch(/did you mean (AAAA|A)\?/);
    for (const type of ['ANY', 'OPT', 'AXFR', 'TYPE0', 'TYPE65536', 'TYPE001', 'TYPE255']) {
      expect(errorsOf(withRecords(`a: { ${type}: x }`)), type).toEqual(['unknown-type 8:8']);
    }
    expect(errorsOf(withRecords('a: { A: 192.0.2.1, TYPE1: 192.0.2.2 }'))).toEqual(['duplicate-type 8:22']);
  });

  it('are not SOA, DNAME, nor NS at the zone itself', () => {
    expect(errorsOf(withRecords('"@": { SOA: a b 1 2 3 4 5 }'))).toEqual(['soa-in-records 8:10']);
    expect(errorsOf(withRecords('"@": { NS: ns.example.net. }'))).toEqual(['ns-in-records 8:10']);
    expect(errorsOf(withRecords('example.org.: { TYPE6: x }'))).toEqual(['soa-in-records 8:19']);
    expect(errorsOf(withRecords('a: { DNAME: b.example.net. }'))).toEqual(['unsupported 8:8']);
  });
});

describe('owners', () => {
  it('are relative to the zone, or absolute, in lower case', () => {
    const model = modelOf(
      withRecords(
        '"@": { A: 192.0.2.1 }\nWWW: { A: 192.0.2.1 }\na.b: { A: 192.0.2.1 }\nx.Example.Org.: { A: 192.0.2.1 }',
      ),
    );
    expect(model.owners.map((owner) => nameToText(owner.name))).toEqual([
      'example.org.',
      'www.example.org.',
      'a.b.example.org.',
      'x.example.org.',
    ]);
  });

  it('lie in the zone', () => {
    expect(errorsOf(withRecords('www.example.net.: { A: 192.0.2.1 }'))).toEqual(['name-outside-zone 8:3']);
    expect(errorsOf(withRecords('xexample.org.: { A: 192.0.2.1 }'))).toEqual(['name-outside-zone 8:3']);
    expect(warningsOf(withRecords('www.example.org: { A: 192.0.2.1 }'))).toContain('doubled-zone 8:3');
  });

  it('are names', () => {
    expect(errorsOf(withRecords('a..b: { A: 192.0.2.1 }'))).toEqual(['bad-name 8:3']);
    expect(errorsOf(withRecords(`${'x'.repeat(64)}: { A: 192.0.2.1 }`))).toEqual(['bad-name 8:3']);
    expect(errorsOf(withRecords(`${'x.'.repeat(125)}x: { A: 192.0.2.1 }`))).toEqual(['bad-name 8:3']);
    expect(errorsOf(withRecords('"a b": { A: 192.0.2.1 }'))).toEqual(['bad-name 8:3']);
    expect(errorsOf(withRecords('_sip._tcp: { SRV: 0 0 1 a.example.net. }\n010: { A: 192.0.2.1 }'))).toEqual([]);
  });

  it('stand once', () => {
    expect(errorsOf(withRecords('www: { A: 192.0.2.1 }\nWWW.example.org.: { TXT: x }'))).toEqual([
      'duplicate-name 9:3',
    ]);
    expect(errorsOf(withRecords('www: { A: 192.0.2.1 }\nwww: { TXT: x }'))).toEqual(['duplicate-key 9:3']);
  });

  it('have a * only as their whole first label, without NS', () => {
    expect(errorsOf(withRecords('"*": { A: 192.0.2.1 }\n"*.a.b": { CNAME: "@" }'))).toEqual([]);
    // Elsewhere it is a label like others (RFC 4592 2.1.1), which is hardly meant.
    for (const name of ['a.*', 'a*', '*a.b', '*.*', '*.a.*', 'sub.*.wild']) {
      const text = withRecords(`"${name}": { A: 192.0.2.1 }`);
      expect(errorsOf(text), name).toEqual([]);
      expect(warningsOf(text), name).toContain('wildcard-position 8:3');
    }
    expect(errorsOf(withRecords('"*.a": { NS: ns.example.net. }'))).toEqual(['wildcard-ns 8:12']);
    // A length octet of 42 is no asterisk.
    expect(errorsOf(withRecords(`${'y'.repeat(42)}.${'z'.repeat(42)}: { A: 192.0.2.1 }`))).toEqual([]);
  });

  it('may have no records, with a word about it', () => {
    expect(warningsOf(withRecords('www: {}'))).toContain('no-records 8:3');
  });
});
