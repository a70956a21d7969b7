// What a name server answers: RFC 1034 4.3.2 with 4592, 2308, 6604, 8020, 8482, 9471.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, OPTION, optionOf, type Reply, type ResourceRecord } from '../support/dns.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { zoneFiles } from '../support/static-zone.ts';
import { CHILD, EXAMPLE, OTHER } from './zones.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ files: zoneFiles([EXAMPLE, CHILD, OTHER]) });
});
afterAll(() => server?.stop());

const at = (name: string, type = 'A'): Promise<Reply> => ask(server, { name, type, edns: {} });
const brief = (records: readonly ResourceRecord[]): string[] =>
  records.map((r) => `${r.name} ${r.type} ${r.data}`).sort();
const names = (records: readonly ResourceRecord[]): string[] => records.map((r) => `${r.name} ${r.type}`).sort();

/** RFC 2308: the SOA of the zone in the authority section says no. */
function expectNegative(reply: Reply, rcode: string, zone: string): void {
  expect(reply.rcode).toBe(rcode);
  expect(reply.aa).toBe(true);
  expect(names(reply.authorities)).toEqual([`${zone} SOA`]);
}

describe('a name that exists', () => {
  it('is answered with its records, AA, and nothing more', async () => {
    const reply = await at('www.example.test.');
    expect(reply).toMatchObject({
      rcode: 'NOERROR',
      aa: true,
      tc: false,
      ra: false,
      ad: false,
      authorities: [],
      additionals: [],
    });
    expect(brief(reply.answers)).toEqual(['www.example.test. A 192.0.2.80', 'www.example.test. A 192.0.2.81']);
    expect(reply.answers.map((r) => r.ttl)).toEqual([120, 120]);
  });

  it('gives NODATA for a type that it lacks', async () => {
    expectNegative(await at('mail.example.test.', 'TXT'), 'NOERROR', 'example.test.');
  });

  it('gives NODATA for types nobody knows', async () => {
    for (const type of ['TYPE65281', 'TYPE0', 'TYPE200', 'NSEC', 'RRSIG', 'DNSKEY']) {
      const reply = await at('mail.example.test.', type);
      expectNegative(reply, 'NOERROR', 'example.test.');
      expect(reply.answers).toEqual([]);
    }
  });

  it('is found in whatever case, and the question is repeated as it came', async () => {
    const reply = await at('wWw.eXaMpLe.TeSt.');
    expect(reply.questions).toEqual([{ name: 'wWw.eXaMpLe.TeSt.', type: 'A', class: 1 }]);
    expect(reply.answers).toHaveLength(2);
    expect((await at('upper.example.test.')).answers).toHaveLength(1);
  });

  it('answers the apex: SOA, NS with their addresses, MX with its', async () => {
    const soa = await at('example.test.', 'SOA');
    expect(brief(soa.answers)).toEqual([
      'example.test. SOA ns1.example.test. hostmaster.example. 2026010101 7200 900 1209600 60',
    ]);
    expect(soa.answers[0]!.ttl).toBe(3600);
    const ns = await at('example.test.', 'NS');
    expect(brief(ns.answers)).toEqual(['example.test. NS ns1.example.test.', 'example.test. NS ns2.example.net.']);
    expect(names(ns.additionals)).toEqual(['ns1.example.test. A', 'ns1.example.test. AAAA']);
    const mx = await at('example.test.', 'MX');
    expect(brief(mx.answers)).toEqual([
      'example.test. MX 10 mail.example.test.',
      'example.test. MX 20 mx.example.org.',
    ]);
    expect(brief(mx.additionals)).toEqual(['mail.example.test. A 192.0.2.25']);
    const srv = await at('_sip._tcp.example.test.', 'SRV');
    expect(brief(srv.answers)).toEqual(['_sip._tcp.example.test. SRV 10 20 5060 www.example.test.']);
    expect(names(srv.additionals)).toEqual(['www.example.test. A', 'www.example.test. A', 'www.example.test. AAAA']);
  });

  it('gives a record of an unknown type as it was written (RFC 3597)', async () => {
    expect(brief((await at('types.example.test.', 'TYPE65280')).answers)).toEqual([
      'types.example.test. TYPE65280 0a000001',
    ]);
  });
});

describe('a name that does not exist', () => {
  it('is NXDOMAIN with the SOA', async () => {
    const reply = await at('missing.example.test.');
    expectNegative(reply, 'NXDOMAIN', 'example.test.');
    expect(reply.answers).toEqual([]);
  });

  it('has the lesser of SOA TTL and minimum as its TTL (RFC 2308 3)', async () => {
    expect((await at('missing.example.test.')).authorities[0]!.ttl).toBe(60);
    expect((await at('missing.child.example.test.')).authorities[0]!.ttl).toBe(30);
    expect((await at('missing.deep.other.test.')).authorities[0]!.ttl).toBe(600);
  });

  it('below a name with data is NXDOMAIN too (RFC 8020)', async () => {
    expectNegative(await at('x.y.www.example.test.'), 'NXDOMAIN', 'example.test.');
  });

  it('with 122 labels, or of 255 octets, is a name like any other', async () => {
    const long = `${'a.'.repeat(120)}example.test.`;
    expectNegative(await at(long), 'NXDOMAIN', 'example.test.');
    const label = 'x'.repeat(63);
    expectNegative(await at(`${label}.${label}.${label}.${'y'.repeat(48)}.example.test.`), 'NXDOMAIN', 'example.test.');
  });
});

describe('an empty non-terminal', () => {
  it.each(['ent', 'c.ent', 'b.c.ent', '_tcp', 'deep.under', 'under', 'del.egated'])(
    '%s gives NODATA, not NXDOMAIN',
    async (name) => {
      const reply = await at(`${name}.example.test.`, 'TXT');
      expectNegative(reply, 'NOERROR', 'example.test.');
      expect(reply.answers).toEqual([]);
    },
  );
});

describe('wildcards (RFC 4592 2.2.1)', () => {
  const wild = (name: string, type: string): Promise<Reply> => at(`${name}.wild.example.test.`, type);

  it('answer with the name that was asked', async () => {
    const reply = await wild('host3', 'MX');
    expect(brief(reply.answers)).toEqual(['host3.wild.example.test. MX 10 host1.wild.example.test.']);
    expect(brief(reply.additionals)).toEqual(['host1.wild.example.test. A 192.0.2.4']);
    expect(reply.aa).toBe(true);
  });

  it('give NODATA for a type they lack', async () => {
    expectNegative(await wild('host3', 'AAAA'), 'NOERROR', 'example.test.');
  });

  it('match names of several labels', async () => {
    expect(brief((await wild('foo.bar', 'TXT')).answers)).toEqual([
      'foo.bar.wild.example.test. TXT "this is a wildcard"',
    ]);
  });

  it('do not match a name that exists, nor below it', async () => {
    expectNegative(await wild('host1', 'MX'), 'NOERROR', 'example.test.');
    expectNegative(await wild('_telnet._tcp.host1', 'SRV'), 'NXDOMAIN', 'example.test.');
  });

  it('do not match below a wildcard, which is a name like any other', async () => {
    expectNegative(await wild('ghost.*', 'MX'), 'NXDOMAIN', 'example.test.');
  });

  it('do not match where an empty non-terminal stands', async () => {
    expectNegative(await wild('host2', 'A'), 'NOERROR', 'example.test.');
    expectNegative(await wild('_tcp.host2', 'A'), 'NOERROR', 'example.test.');
    expectNegative(await wild('x.host2', 'A'), 'NXDOMAIN', 'example.test.');
  });

  it('do not match below a delegation', async () => {
    const reply = await wild('host.subdel', 'A');
    expect(reply).toMatchObject({ rcode: 'NOERROR', aa: false, answers: [] });
    expect(brief(reply.authorities)).toEqual(['subdel.wild.example.test. NS ns.example.com.']);
  });

  it('can be asked for by name', async () => {
    expect(brief((await wild('*', 'A')).answers)).toEqual(['*.wild.example.test. A 192.0.2.3']);
  });

  it('may be CNAMEs', async () => {
    const reply = await at('any.alias.example.test.', 'AAAA');
    expect(brief(reply.answers)).toEqual([
      'any.alias.example.test. CNAME www.example.test.',
      'www.example.test. AAAA 2001:db8:0:0:0:0:0:80',
    ]);
  });

  it('at the apex leave the apex and existing names alone', async () => {
    expect(brief((await at('whatever.other.test.')).answers)).toEqual(['whatever.other.test. A 198.51.100.2']);
    expectNegative(await at('other.test.', 'A'), 'NOERROR', 'other.test.');
    expectNegative(await at('deep.other.test.', 'A'), 'NOERROR', 'other.test.');
    expectNegative(await at('x.deep.other.test.', 'A'), 'NXDOMAIN', 'other.test.');
  });
});

describe('CNAME chains', () => {
  it('are followed to their end, each link with its TTL', async () => {
    const reply = await at('c1.example.test.');
    expect(reply).toMatchObject({ rcode: 'NOERROR', aa: true, authorities: [] });
    expect(reply.answers.map((r) => `${r.name} ${r.type} ${r.ttl}`)).toEqual([
      'c1.example.test. CNAME 300',
      'c2.example.test. CNAME 30',
      'c3.example.test. CNAME 300',
      'www.example.test. A 120',
      'www.example.test. A 120',
    ]);
  });

  it('are not followed for a CNAME query', async () => {
    expect(brief((await at('c1.example.test.', 'CNAME')).answers)).toEqual(['c1.example.test. CNAME c2.example.test.']);
  });

  it('ending in NODATA have its SOA and NOERROR', async () => {
    const reply = await at('cnodata.example.test.', 'AAAA');
    expectNegative(reply, 'NOERROR', 'example.test.');
    expect(names(reply.answers)).toEqual(['cnodata.example.test. CNAME']);
  });

  it('ending at a name that does not exist are NXDOMAIN (RFC 6604)', async () => {
    const reply = await at('cmissing.example.test.');
    expectNegative(reply, 'NXDOMAIN', 'example.test.');
    expect(names(reply.answers)).toEqual(['cmissing.example.test. CNAME']);
  });

  it('ending outside are NOERROR with what was found', async () => {
    const reply = await at('cout.example.test.');
    expect(reply).toMatchObject({ rcode: 'NOERROR', aa: true, authorities: [] });
    expect(brief(reply.answers)).toEqual(['cout.example.test. CNAME www.elsewhere.invalid.']);
  });

  it('go through wildcards', async () => {
    expect(brief((await at('cwild.example.test.')).answers)).toEqual([
      'anything.wild.example.test. A 192.0.2.3',
      'cwild.example.test. CNAME anything.wild.example.test.',
    ]);
    expect((await at('cwildalias.example.test.')).answers).toHaveLength(4);
  });

  it('that lead below a cut end with the referral, AA set for the first name', async () => {
    const reply = await at('ccut.example.test.');
    expect(reply).toMatchObject({ rcode: 'NOERROR', aa: true });
    expect(names(reply.answers)).toEqual(['ccut.example.test. CNAME']);
    expect(names(reply.authorities)).toEqual(['sub.example.test. NS', 'sub.example.test. NS']);
  });

  it('cross zones that are served here', async () => {
    expect(brief((await at('cother.example.test.')).answers)).toEqual([
      'cother.example.test. CNAME www.other.test.',
      'www.other.test. A 198.51.100.1',
    ]);
    expect((await at('back.other.test.')).answers).toHaveLength(6);
    expect(brief((await at('cchild.example.test.')).answers)).toEqual([
      'cchild.example.test. CNAME www.child.example.test.',
      'www.child.example.test. A 192.0.2.102',
    ]);
    expect((await at('any.w.child.example.test.')).answers).toHaveLength(6);
  });

  it('that end in another zone have that zone say no', async () => {
    expectNegative(await at('cothermissing.example.test.'), 'NXDOMAIN', 'other.test.');
    expectNegative(await at('backmissing.other.test.'), 'NXDOMAIN', 'example.test.');
    expectNegative(await at('cchild.example.test.', 'TXT'), 'NOERROR', 'child.example.test.');
  });

  it('that loop are cut, no record twice', async () => {
    for (const name of ['cself', 'loop1', 'loop2', 'intoloop', 'x.loopalias', 'y.loopalias']) {
      const reply = await at(`${name}.example.test.`);
      expect(reply.rcode).toBe('NOERROR');
      const answers = brief(reply.answers);
      expect(answers.length).toBeGreaterThan(0);
      expect(new Set(answers).size).toBe(answers.length);
    }
    expect((await at('loop1.example.test.')).answers).toHaveLength(3);
    expect((await at('intoloop.example.test.')).answers).toHaveLength(4);
  });
});

describe('delegations', () => {
  it('are referrals: no AA, NS in the authority section, glue', async () => {
    for (const name of ['sub', 'x.sub', 'occluded.sub', 'x.occluded2.sub', 'ns.sub']) {
      const reply = await at(`${name}.example.test.`);
      expect(reply).toMatchObject({ rcode: 'NOERROR', aa: false, answers: [] });
      expect(brief(reply.authorities)).toEqual([
        'sub.example.test. NS ns.sub.example.test.',
        'sub.example.test. NS ns2.sub.example.test.',
      ]);
      expect(brief(reply.additionals)).toEqual([
        'ns.sub.example.test. A 192.0.2.77',
        'ns.sub.example.test. AAAA 2001:db8:0:0:0:0:0:77',
        'ns2.sub.example.test. A 192.0.2.78',
      ]);
    }
  });

  it('give sibling glue, and none for hosts elsewhere', async () => {
    const sibling = await at('x.sibling.example.test.');
    expect(names(sibling.additionals)).toEqual([
      'ns.sub.example.test. A',
      'ns.sub.example.test. AAAA',
      'ns1.example.test. A',
      'ns1.example.test. AAAA',
    ]);
    const foreign = await at('x.foreign.example.test.');
    expect(foreign.authorities).toHaveLength(2);
    expect(foreign.additionals).toEqual([]);
  });

  it('refer NS and SOA queries at the cut as well', async () => {
    for (const type of ['NS', 'SOA', 'MX', 'ANY', 'CNAME']) {
      const reply = await at('sub.example.test.', type);
      expect(reply).toMatchObject({ rcode: 'NOERROR', aa: false, answers: [] });
      expect(names(reply.authorities)).toEqual(['sub.example.test. NS', 'sub.example.test. NS']);
    }
  });

  it('answer DS at the cut from the parent, with AA (RFC 4035 3.1.4.1)', async () => {
    const reply = await at('sub.example.test.', 'DS');
    expect(reply).toMatchObject({ rcode: 'NOERROR', aa: true });
    expect(names(reply.answers)).toEqual(['sub.example.test. DS']);
    expectNegative(await at('foreign.example.test.', 'DS'), 'NOERROR', 'example.test.');
  });

  it('refer DS queries below the cut', async () => {
    expect(await at('x.sub.example.test.', 'DS')).toMatchObject({ rcode: 'NOERROR', aa: false, answers: [] });
  });

  it('answer DS of a child that is served too from the parent, and of a lone apex from itself', async () => {
    expectNegative(await at('child.example.test.', 'DS'), 'NOERROR', 'example.test.');
    expectNegative(await at('other.test.', 'DS'), 'NOERROR', 'other.test.');
  });

  it('to a child that is served here are answered from the child', async () => {
    const reply = await at('www.child.example.test.');
    expect(reply).toMatchObject({ rcode: 'NOERROR', aa: true });
    expect(brief(reply.answers)).toEqual(['www.child.example.test. A 192.0.2.102']);
    expectNegative(await at('x.child.example.test.'), 'NXDOMAIN', 'child.example.test.');
  });
});

describe('what is not ours', () => {
  it('is REFUSED, without AA or records, and says so (RFC 8914)', async () => {
    for (const name of ['example.org.', 'test.', '.', 'xexample.test.', 'example.test.example.org.']) {
      const reply = await at(name);
      expect(reply).toMatchObject({ rcode: 'REFUSED', aa: false, answers: [], authorities: [], additionals: [] });
      expect(optionOf(reply, OPTION.EDE)?.readUInt16BE(0)).toBe(20);
    }
  });
});

describe('ANY', () => {
  it('is answered with one HINFO "RFC8482" where the name exists', async () => {
    for (const name of [
      'example.test.',
      'www.example.test.',
      'c1.example.test.',
      'x.wild.example.test.',
      'x.alias.example.test.',
    ]) {
      const reply = await at(name, 'ANY');
      expect(reply).toMatchObject({ rcode: 'NOERROR', aa: true, authorities: [] });
      expect(brief(reply.answers)).toEqual([
        `${name} HINFO ${Buffer.from('\x07RFC8482\x00', 'latin1').toString('hex')}`,
      ]);
    }
  });

  it('is NXDOMAIN where it does not, and NODATA at an empty non-terminal', async () => {
    expectNegative(await at('missing.example.test.', 'ANY'), 'NXDOMAIN', 'example.test.');
    expectNegative(await at('ent.example.test.', 'ANY'), 'NOERROR', 'example.test.');
  });
});

describe('header bits', () => {
  it('RD and CD come back as they came; RA, AD and Z never', async () => {
    for (const flags of [0x0000, 0x0100, 0x0010, 0x0110, 0x0170, 0x05f0]) {
      const reply = await ask(server, { name: 'www.example.test.', flags });
      expect(reply.bytes.readUInt16BE(2)).toBe(0x8400 | (flags & 0x0110));
    }
  });
});

describe('compression', () => {
  it('never points forwards, and is used for every owner that it can be', async () => {
    const reply = await ask(server, { name: 'example.test.', type: 'MX' });
    // Header, question, two owners as pointers, and the apex of each host that is in the zone.
    expect(reply.bytes.length).toBe(12 + 18 + 2 * 12 + (2 + 5 + 2) + (2 + 16) + 16);
  });
});
