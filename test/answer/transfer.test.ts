// Zone transfers: who gets them, what is in them, and how they are cut into messages.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyPeer } from '../../dist/answer/port.js';
import { mayTransfer } from '../../dist/answer/transfer-gate.js';
import { contains, formatAddress, formatPrefix, maskAddress } from '../../dist/base/address.js';
import { limits } from '../../dist/base/limits.js';
import { fillPeer } from '../../dist/serve/peer.js';
import { ZoneView } from '../../dist/zone/find.js';
import { compileZone } from '../../dist/zonefile/compile.js';
import {
  ecs,
  OPTION,
  optionOf,
  parse,
  query,
  type ResourceRecord,
  record,
  u16,
  u32,
  wireName,
} from '../support/dns.ts';
import { TransferPlane } from '../support/transfers.ts';
import { modelOf } from '../support/zones.ts';

const SERIAL = 2026010101;

function zone(records: string, more = ''): string {
  return `
zone: example.org
ttl: 300
ns: [ns.example.net.]
transfer: { allow: [192.0.2.0/24] }
${more}
records:
${records.replace(/^/gm, '  ')}
`;
}

const SMALL = zone('a: { A: 192.0.2.1 }');

const axfr = (name = 'example.org', more: Parameters<typeof query>[0] = {}): Buffer =>
  query({ name, type: 'AXFR', ...more });

/** An IXFR request of a client that has `serial`. */
function ixfr(serial: number, more: Parameters<typeof query>[0] = {}): Buffer {
  const soa = record('example.org', 'SOA', Buffer.concat([wireName(''), wireName(''), u32(serial), Buffer.alloc(16)]));
  return query({ name: 'example.org', type: 'IXFR', authorities: [soa], ...more });
}

const text = ({ name, type, ttl, data }: ResourceRecord): string => `${name} ${ttl} ${type} ${data}`;

/** The records of a transfer in their order, without the SOAs and the apex's NS. */
async function records(source: string): Promise<string[]> {
  const messages = (await new TransferPlane([source, SERIAL]).whole(axfr())).map(parse);
  const all = messages.flatMap(({ answers }) => answers);
  expect(all[0]!.type).toBe('SOA');
  expect(all.at(-1)).toEqual(all[0]);
  return all.filter(({ type, name }) => type !== 'SOA' && !(type === 'NS' && name === 'example.org.')).map(text);
}

describe('a transfer', () => {
  it('begins and ends with the SOA, is authoritative, and repeats id, question and RD', async () => {
    const request = axfr('example.org', { rd: true });
    const messages = (await new TransferPlane([SMALL, SERIAL]).whole(request)).map(parse);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({
      id: request.readUInt16BE(0),
      qr: true,
      aa: true,
      rd: true,
      ra: false,
      rcode: 'NOERROR',
      questions: [{ name: 'example.org.', type: 'AXFR', class: 1 }],
      opt: null,
    });
    expect(messages[0]!.answers.map(({ type }) => type)).toEqual(['SOA', 'NS', 'A', 'SOA']);
    expect(messages[0]!.answers[0]!.data).toContain(` ${SERIAL} `);
  });

  it('comes in messages of a bounded size, each whole in itself, with an OPT in the first', async () => {
    const lines = Array.from({ length: 5_000 }, (_, i) => `h${i}.${'x'.repeat(i % 40)}y: { A: 10.0.0.1, TXT: t${i} }`);
    const plane = new TransferPlane([zone(lines.join('\n')), SERIAL]);
    const request = axfr('example.org', {
      edns: { options: [ecs('192.0.2.0/24'), { code: OPTION.COOKIE, data: Buffer.alloc(8, 7) }] },
    });
    const raw = await plane.whole(request);
    expect(raw.length).toBeGreaterThan(10);
    for (const message of raw.slice(1)) expect(message.length).toBeLessThanOrEqual(limits.transferMessageBytes);
    const messages = raw.map(parse);
    expect(messages.flatMap(({ answers }) => answers)).toHaveLength(3 + 2 * lines.length);
    expect(messages.map(({ opt }) => opt !== null)).toEqual(messages.map((_, i) => i === 0));
    expect(optionOf(messages[0]!, OPTION.ECS)).toEqual(Buffer.from([0, 1, 24, 0, 192, 0, 2]));
    expect(optionOf(messages[0]!, OPTION.COOKIE)).toHaveLength(24);
    expect(new Set(messages.map(({ id, aa, rcode }) => `${id} ${aa} ${rcode}`)).size).toBe(1);
    expect(plane.count('transferServed')).toBe(1);
  });

  it('gives a record that is larger than a message should be one of its own', async () => {
    const large = `\\# 30000 ${'ab'.repeat(30_000)}`;
    const lines = `a: { A: 192.0.2.1 }\nb: { TYPE65300: ['${large}', '\\# 2 abab'] }\nc: { A: 192.0.2.2 }`;
    const messages = await new TransferPlane([zone(lines), SERIAL]).whole(axfr());
    const sizes = messages.map(({ length }) => length);
    expect(sizes).toHaveLength(3);
    expect(sizes[1]).toBeGreaterThan(30_000);
    expect(messages.map(parse).flatMap(({ answers }) => answers.map(({ name }) => name))).toEqual([
      'example.org.',
      'example.org.',
      'a.example.org.',
      'b.example.org.',
      'b.example.org.',
      'c.example.org.',
      'example.org.',
    ]);
  });

  it('keeps the case of the names in the zone, however the question writes it', async () => {
    const raw = await new TransferPlane([SMALL, SERIAL]).whole(axfr('eXample.ORG'));
    const messages = raw.map(parse);
    expect(messages[0]!.questions[0]!.name).toBe('eXample.ORG.');
    expect(messages[0]!.answers.map(({ type }) => type)).toEqual(['SOA']);
    expect(messages[1]!.answers.map(({ name }) => name)).toEqual(['example.org.', 'a.example.org.', 'example.org.']);
  });

  it('has occluded data, glue, wildcards and the DS of a cut', async () => {
    const lines = `
sub: { NS: [ns.sub.example.org.], DS: ["1 8 2 ${'ab'.repeat(32)}"] }
ns.sub: { A: 192.0.2.7 }
www.sub: { A: 192.0.2.8 }
"*.w": { TXT: any }`;
    expect((await records(zone(lines))).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'sub.example.org. 300 NS',
      'sub.example.org. 300 DS',
      'ns.sub.example.org. 300 A',
      'www.sub.example.org. 300 A',
      '*.w.example.org. 300 TXT',
    ]);
  });

  it('works for the root', async () => {
    const root = `zone: .\nns: [a.ns.]\ntransfer: { allow: [192.0.2.0/24] }\nrecords: { a.ns.: { A: 192.0.2.1 }, org.: { NS: [a.ns.] } }\n`;
    const [message] = (await new TransferPlane([root, 1]).whole(axfr('.'))).map(parse);
    expect(message!.answers.map(({ name, type }) => `${name} ${type}`)).toEqual([
      '. SOA',
      '. NS',
      'a.ns. A',
      'org. NS',
      '. SOA',
    ]);
  });

  it('gives the version that it began with, whatever is published meanwhile', async () => {
    const lines = (address: string): string =>
      Array.from({ length: 3_000 }, (_, i) => `h${i}: { A: ${address} }`).join('\n');
    const plane = new TransferPlane([zone(lines('10.0.0.1')), 1]);
    const iterator = plane.transfer(axfr());
    const got = [parse(Buffer.from((await iterator.next()).value as Uint8Array))];
    for (let i = 2; i < 6; i++) {
      plane.publish([zone(lines(`10.0.0.${i}`)), i]);
    }
    for (let next = await iterator.next(); !next.done; next = await iterator.next())
      got.push(parse(Buffer.from(next.value)));
    const all = got.flatMap(({ answers }) => answers);
    expect(new Set(all.filter(({ type }) => type === 'A').map(({ data }) => data))).toEqual(new Set(['10.0.0.1']));
    expect(all).toHaveLength(3_003);
    expect(all.at(-1)!.data).toContain(' 1 ');
  });

  it('ends with an error when the client takes too long, so that it does not look whole', async () => {
    const lines = Array.from({ length: 3_000 }, (_, i) => `h${i}: { A: 10.0.0.1 }`).join('\n');
    const plane = new TransferPlane([zone(lines), SERIAL]);
    const iterator = plane.transfer(axfr());
    await iterator.next();
    await plane.clock.advance(limits.transferMs + 1);
    await expect(iterator.next()).rejects.toThrow();
    expect(plane.count('transferBrokenOff')).toBe(1);
    expect(plane.count('transferServed')).toBe(0);
  });

  /** Transfers that have begun: as many as can run, from different clients. */
  async function many(plane: TransferPlane, count: number, from: (i: number) => string) {
    const running = Array.from({ length: count }, (_, i) => plane.transfer(axfr(), from(i)));
    await Promise.all(running.map((iterator) => iterator.next()));
    return running;
  }

  const LARGE = zone(Array.from({ length: 3_000 }, (_, i) => `h${i}: { A: 10.0.0.1 }`).join('\n'));

  it('waits for its turn when too many run, and comes as soon as one of them ends', async () => {
    const plane = new TransferPlane([LARGE, SERIAL]);
    const running = await many(plane, limits.transfers, (i) => `192.0.2.${i + 1}`);
    let came = false;
    const first = plane
      .transfer(axfr(), '192.0.2.200')
      .next()
      .then((next) => {
        came = true;
        return next;
      });
    await plane.clock.advance(1);
    expect(came).toBe(false);
    // What needs no copy of the zone does not wait.
    expect(parse((await plane.whole(ixfr(SERIAL)))[0]!).answers).toHaveLength(1);
    await running[0]!.return!();
    expect(parse(Buffer.from((await first).value as Uint8Array)).rcode).toBe('NOERROR');
    expect(plane.count('transferBrokenOff')).toBe(1);
  });

  it('does not wait for a client that does not read, however often that one asks', async () => {
    const plane = new TransferPlane([LARGE, SERIAL]);
    const running = await many(plane, limits.transfersPerClient, () => '192.0.2.1');
    const more = Array.from({ length: 100 }, () => plane.transfer(axfr(), '192.0.2.1').next());
    expect((await plane.transfer(axfr(), '192.0.2.2').next()).done).toBe(false);
    await running[0]!.return!();
    expect((await more[0]!).done).toBe(false);
  });

  it('is SERVFAIL when too many wait already', async () => {
    const plane = new TransferPlane([SMALL, SERIAL]);
    const running = await many(plane, limits.transfers, (i) => `192.0.2.${i + 1}`);
    const waiting = Array.from({ length: limits.transfersWaiting }, () => plane.transfer(axfr()).next());
    const reply = parse((await plane.whole(axfr('example.org', { edns: {} })))[0]!);
    expect(reply).toMatchObject({ rcode: 'SERVFAIL', aa: false, answers: [] });
    expect(optionOf(reply, OPTION.EDE)).toEqual(u16(14));
    for (const iterator of running) await iterator.return!();
    expect((await waiting[0]!).done).toBe(false);
  });
});

describe('steered sets in a transfer', () => {
  const POOLS = `
pools:
  one: { at: [1, 1], members: [192.0.2.1, "2001:db8::1", 192.0.2.2] }
  two: { at: [2, 2], members: [{ address: 198.51.100.1, weight: 0 }, { address: 198.51.100.2, weight: 9 }] }
  nil: { at: [3, 3], members: [{ address: 203.0.113.1, weight: 0 }, { address: 203.0.113.2, weight: 0 }] }
  cdn: { members: [{ address: a.example.net., weight: 0 }, b.example.net., c.example.net.] }
`;
  const of = (steering: string, type = 'A'): Promise<string[]> => records(zone(`x: { ${type}: ${steering} }`, POOLS));
  const ONE = ['x.example.org. 60 A 192.0.2.1', 'x.example.org. 60 A 192.0.2.2'];
  const TWO = ['x.example.org. 60 A 198.51.100.2'];

  it('are the first pool of default', async () => {
    expect(await of('{ ttl: 60, regions: { RU: one, default: [two, one] } }')).toEqual(TWO);
  });

  it('are the first pool of the only region, where the default is nodata', async () => {
    expect(await of('{ ttl: 60, regions: { europe: one, default: nodata } }')).toEqual(ONE);
  });

  it('are the pool that is asked when everybody is up: one that cannot be up is passed over', async () => {
    const pools = POOLS.replace('one: {', 'one: { min-live: 3,');
    expect(await records(zone('x: { A: { ttl: 60, pools: [one, two] } }', pools))).toEqual(TWO);
    expect(await records(zone('x: { A: { ttl: 60, pools: [one] } }', pools))).toEqual(ONE);
  });

  it('are the next pool that has the family, where the set says so', async () => {
    const AAAA = ['x.example.org. 60 AAAA 2001:db8:0:0:0:0:0:1'];
    expect(await of('{ ttl: 60, pools: [two, one], on-missing-family: next }', 'AAAA')).toEqual(AAAA);
  });

  it('are the first pool that is listed, where there is no default', async () => {
    expect(await of('{ ttl: 60, pools: [one, two] }')).toEqual(ONE);
    expect(await of('{ ttl: 60, closest: [two, one] }')).toEqual(TWO);
    expect(await of('{ ttl: 60, weighted: { one: 5, two: 95 } }')).toEqual(ONE);
    expect(await of('{ ttl: 60, regions: { RU: [two, one], FR: one, default: nodata } }')).toEqual(TWO);
  });

  it('leave out weight 0 unless there is nothing else', async () => {
    expect(await of('{ ttl: 60, weighted: { one: 0, two: 95 } }')).toEqual(TWO);
    expect(await of('{ ttl: 60, pools: [nil] }')).toEqual([
      'x.example.org. 60 A 203.0.113.1',
      'x.example.org. 60 A 203.0.113.2',
    ]);
  });

  it('have their largest TTL and all members, whatever answers says', async () => {
    expect(await of('{ ttl: { max: 60, min: 5 }, answers: 1, pools: [one] }')).toEqual(ONE);
  });

  it('have the members of their family, and none where the pool has none', async () => {
    expect(await of('{ ttl: 60, pools: [one, two] }', 'AAAA')).toEqual(['x.example.org. 60 AAAA 2001:db8:0:0:0:0:0:1']);
    expect(await of('{ ttl: 60, pools: [two, one] }', 'AAAA')).toEqual([]);
  });

  it('are one CNAME', async () => {
    expect(await of('{ ttl: 60, pools: [cdn] }', 'CNAME')).toEqual(['x.example.org. 60 CNAME b.example.net.']);
  });
});

describe('IXFR', () => {
  const plane = new TransferPlane([SMALL, SERIAL]);
  const types = async (request: Buffer): Promise<string[]> =>
    (await plane.whole(request)).map(parse).flatMap(({ answers }) => answers.map(({ type }) => type));

  it('is the whole zone for who is behind, in the arithmetic of serials', async () => {
    expect(await types(ixfr(SERIAL - 1))).toEqual(['SOA', 'NS', 'A', 'SOA']);
    expect(await types(ixfr((SERIAL + 0x80000001) >>> 0))).toEqual(['SOA', 'NS', 'A', 'SOA']);
  });

  it('is one SOA for who has this version or a newer one', async () => {
    const before = plane.count('transferCurrent');
    expect(await types(ixfr(SERIAL))).toEqual(['SOA']);
    expect(await types(ixfr(SERIAL + 1))).toEqual(['SOA']);
    expect(plane.count('transferCurrent')).toBe(before + 2);
  });

  it('without the SOA of the client is FORMERR', async () => {
    const request = query({ name: 'example.org', type: 'IXFR' });
    expect(parse((await plane.whole(request))[0]!)).toMatchObject({ rcode: 'FORMERR', answers: [] });
  });

  it('over UDP is the SOA, behind or not, for those who are allowed', () => {
    const reply = parse(plane.respond(ixfr(1), false)!);
    expect(reply).toMatchObject({ rcode: 'NOERROR', aa: true, tc: false });
    expect(reply.answers.map(({ type }) => type)).toEqual(['SOA']);
    expect(parse(plane.respond(ixfr(1), false, '198.51.100.1')!)).toMatchObject({ rcode: 'REFUSED', answers: [] });
  });
});

describe('who asks for a transfer', () => {
  const closed = 'zone: closed.org\nns: [ns.example.net.]\n';
  const plane = new TransferPlane([SMALL, SERIAL], [closed, 1]);
  const ede = (request: Buffer, tcp: boolean, from?: string): [string, number | undefined] => {
    const reply = parse(plane.respond(request, tcp, from)!);
    return [reply.rcode, optionOf(reply, OPTION.EDE)?.readUInt16BE(0)];
  };
  const edns = {};

  it('gets it from an allowed network, over TCP alone', () => {
    expect(plane.respond(axfr('EXAMPLE.org'), true)).toBeNull();
    expect(ede(axfr('example.org', { edns }), false)).toEqual(['REFUSED', 21]);
  });

  it('is REFUSED from elsewhere, and everybody where a zone has no transfer', () => {
    const before = plane.count('transferRefused');
    for (const tcp of [true, false]) {
      expect(ede(axfr('example.org', { edns }), tcp, '192.0.3.1')).toEqual(['REFUSED', 18]);
      expect(ede(axfr('example.org', { edns }), tcp, '2001:db8::1')).toEqual(['REFUSED', 18]);
      expect(ede(axfr('closed.org', { edns }), tcp)).toEqual(['REFUSED', 18]);
      expect(ede(ixfr(1, { edns }), tcp, '192.0.3.1')).toEqual(['REFUSED', 18]);
    }
    expect(plane.count('transferRefused')).toBe(before + 8);
  });

  it('is told NOTAUTH for a name that is no zone here', () => {
    for (const name of ['a.example.org', 'org', 'example.net']) {
      expect(ede(axfr(name, { edns }), true)).toEqual(['NOTAUTH', 20]);
    }
  });

  it('is told REFUSED when the zone has been closed since', async () => {
    const own = new TransferPlane([SMALL, SERIAL]);
    const iterator = own.transfer(axfr());
    own.publish([SMALL.replace(/transfer: .*/, ''), SERIAL]);
    const message = parse(Buffer.from((await iterator.next()).value as Uint8Array));
    expect(message).toMatchObject({ rcode: 'REFUSED', aa: false, answers: [] });
    expect((await iterator.next()).done).toBe(true);
  });

  it('is judged by the networks as they are written, for any address and prefix', () => {
    const address = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => ({ family: 4 as const, bytes })),
      fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => ({ family: 6 as const, bytes })),
    );
    const prefix = fc.tuple(address, fc.nat(128)).map(([of, length]) => {
      const bits = Math.min(length, of.bytes.length * 8);
      return { address: maskAddress(of, bits), length: bits };
    });
    // Half of the time an address of the network, but for one bit.
    const asked = fc.tuple(prefix, address, fc.boolean(), fc.nat(127)).map(([network, other, near, bit]) => {
      if (!near) return { network, client: other };
      const bytes = network.address.bytes.slice();
      bytes[(bit >> 3) % bytes.length]! ^= 0x80 >> (bit & 7);
      return { network, client: { family: network.address.family, bytes } };
    });
    fc.assert(
      fc.property(asked, ({ network, client }) => {
        // v4-mapped peers are IPv4 before anybody sees them.
        fc.pre(!formatAddress(client).startsWith('::ffff:'));
        const source = `zone: x\nns: [ns.example.net.]\ntransfer: { allow: ["${formatPrefix(network)}"] }\n`;
        const { image } = compileZone(modelOf(source));
        const view = new ZoneView();
        view.attach(new Int32Array(image.buffer), image, 0);
        const peer = emptyPeer();
        fillPeer(peer, formatAddress(client), 1);
        expect(mayTransfer(view, peer)).toBe(contains(network, client));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a signed request', () => {
  const plane = new TransferPlane([SMALL, SERIAL]);
  const HMAC = wireName('hmac-sha256');
  const tsig = (rdata?: Buffer): Buffer =>
    record(
      'key.example.',
      'TSIG',
      rdata ??
        Buffer.concat([
          HMAC,
          Buffer.from([0, 0, 1, 2, 3, 4]),
          u16(300),
          u16(32),
          Buffer.alloc(32, 9),
          u16(777),
          u16(0),
          u16(0),
        ]),
      0,
      255,
    );

  it('is NOTAUTH with BADKEY: there are no keys here', async () => {
    const raw = (await plane.whole(axfr('example.org', { additionals: [tsig()] })))[0]!;
    const reply = parse(raw);
    expect(reply).toMatchObject({ rcode: 'NOTAUTH', aa: false, answers: [] });
    expect(reply.additionals).toHaveLength(1);
    expect(reply.additionals[0]).toMatchObject({ name: 'key.example.', type: 'TSIG', class: 255, ttl: 0 });
    // Time and fudge as they came, no MAC, the original id, BADKEY, no other data.
    const rest = Buffer.concat([HMAC, Buffer.from([0, 0, 1, 2, 3, 4]), u16(300), u16(0), u16(777), u16(17), u16(0)]);
    expect(reply.additionals[0]!.data).toBe(rest.toString('hex'));
  });

  it('is FORMERR when its signature stands before another record, or is none', async () => {
    const after = record('x.', 'TYPE65280', Buffer.alloc(2));
    for (const additionals of [
      [tsig(), after],
      [tsig(), tsig()],
      [tsig(Buffer.alloc(0))],
      [tsig(Buffer.from([0, 1, 2]))],
    ]) {
      const reply = parse((await plane.whole(axfr('example.org', { additionals })))[0]!);
      expect(reply).toMatchObject({ rcode: 'FORMERR', answers: [] });
    }
  });

  it('never breaks the reader, whatever its records hold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), fc.constantFrom('TSIG', 'SOA'), async (rdata, type) => {
        const odd = record('k.', type, Buffer.from(rdata), 0, 255);
        const request =
          type === 'SOA'
            ? query({ name: 'example.org', type: 'IXFR', authorities: [odd] })
            : axfr('example.org', { additionals: [odd] });
        for (const message of await plane.whole(request)) parse(message);
      }),
      { numRuns: 300 },
    );
  });
});
