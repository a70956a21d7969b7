// Packets that no client should send: what is answered, what isn't, and that nobody is harmed (docs/protocol.md).
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ask,
  ecs,
  OPTION,
  optionOf,
  optRecord,
  parse,
  type QueryFields,
  query,
  type Reply,
  record,
  sendTcp,
  sendUdp,
  u16,
  wireName,
} from '../support/dns.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { zoneFiles } from '../support/static-zone.ts';
import { EXAMPLE } from './zones.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ files: zoneFiles([EXAMPLE]) });
});
afterAll(() => server?.stop());

const WWW = { name: 'www.example.test.', type: 'A' } as const;

/** The answer to bytes as they are, over UDP; TCP must say the same. */
async function send(bytes: Buffer): Promise<Reply | null> {
  const answer = await sendUdp(server, bytes, 3000);
  const overTcp = await sendTcp(server, bytes, 3000);
  if (answer === null) {
    expect(overTcp).toBeNull();
    return null;
  }
  expect(overTcp?.toString('hex')).toBe(answer.toString('hex'));
  const reply = parse(answer);
  expect(reply).toMatchObject({ qr: true, ra: false, ad: false, tc: false });
  expect(reply.id).toBe(bytes.readUInt16BE(0));
  expect(reply.opcode).toBe((bytes[2]! >> 3) & 15);
  return reply;
}

/** These get no answer: shown by the answer to a query that was sent behind them on the same socket. */
async function expectSilence(packets: readonly Buffer[]): Promise<void> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  try {
    await once(socket, 'listening');
    const got: Buffer[] = [];
    const marker = query({ ...WWW, id: 0xfffe });
    const done = new Promise<void>((resolve) => {
      socket.on('message', (bytes) => {
        got.push(bytes);
        if (bytes.readUInt16BE(0) === 0xfffe) resolve();
      });
    });
    for (const packet of packets) socket.send(packet, server.port, server.host);
    socket.send(marker, server.port, server.host);
    await done;
    expect(got.map((bytes) => bytes.toString('hex'))).toHaveLength(1);
  } finally {
    socket.close();
  }
}

const formerr = { rcode: 'FORMERR', aa: false, answers: [], authorities: [], additionals: [] };

describe('silence', () => {
  it('is the answer to less than a header', async () => {
    await expectSilence(Array.from({ length: 11 }, (_, length) => query(WWW).subarray(0, length + 1)));
  });

  it('is the answer to responses: two servers would talk for ever', async () => {
    await expectSilence([
      query({ ...WWW, flags: 0x8000 }),
      query({ ...WWW, flags: 0x8403 }),
      query({ ...WWW, flags: 0xffff }),
      query({ ...WWW, flags: 0x8000 }).subarray(0, 12),
    ]);
  });
});

describe('a broken question is FORMERR with a header alone', () => {
  const header = query({ questions: 0, counts: { questions: 1 } });
  const label = Buffer.concat([Buffer.from([63]), Buffer.alloc(63, 0x61)]);
  const tail = Buffer.concat([u16(1), u16(1)]);
  it.each([
    ['no question where one is counted', header],
    ['a name that ends in a label', Buffer.concat([header, Buffer.from('\x03ww')])],
    ['a name without its end', Buffer.concat([header, Buffer.from('\x03www')])],
    ['no type and class', Buffer.concat([header, wireName('www.example.test.')])],
    ['half a class', Buffer.concat([header, wireName('www.example.test.'), tail.subarray(0, 3)])],
    [
      'a label of 64 octets',
      Buffer.concat([header, Buffer.from([64]), Buffer.alloc(64, 0x61), Buffer.from([0]), tail]),
    ],
    ['an extended label type', Buffer.concat([header, Buffer.from([0x41, 1, 0]), tail])],
    ['a name over 255 octets', Buffer.concat([header, label, label, label, label, Buffer.from([0]), tail])],
    ['a pointer to itself', Buffer.concat([header, Buffer.from([0xc0, 12]), tail])],
    ['a pointer into the header', Buffer.concat([header, Buffer.from([0xc0, 0]), tail])],
    ['a pointer forwards', Buffer.concat([header, Buffer.from([0xc0, 18]), tail, Buffer.from([0])])],
    ['two questions (RFC 9619)', query({ ...WWW, questions: 2 })],
    ['65,535 questions', query({ ...WWW, counts: { questions: 65535 } })],
  ])('%s', async (_, bytes) => {
    const reply = await send(bytes);
    expect(reply).toMatchObject({ ...formerr, questions: [], opt: null });
    expect(reply!.bytes).toHaveLength(12);
  });
});

describe('a question with something wrong around it is FORMERR with the question', () => {
  const a = Buffer.from([192, 0, 2, 1]);
  const soa = record('example.test.', 'SOA', Buffer.alloc(22));
  const cases: [string, QueryFields][] = [
    ['an answer in a query', { answers: [record('x.', 'A', a)] }],
    ['an authority record in a query', { authorities: [soa] }],
    ['an answer that is counted and missing', { counts: { answers: 1 } }],
    ['an additional record that is counted and missing', { counts: { additionals: 1 } }],
    ['an additional record cut short', { counts: { additionals: 1 }, trailing: record('x.', 'A', a).subarray(0, -1) }],
    [
      'RDATA longer than the message',
      {
        counts: { additionals: 1 },
        trailing: Buffer.concat([wireName('x.'), u16(1), u16(1), Buffer.alloc(4), u16(5), a]),
      },
    ],
    ['bytes behind the question', { trailing: Buffer.from([0]) }],
    ['bytes behind the OPT', { edns: {}, trailing: Buffer.from('garbage') }],
    ['two OPT records', { additionals: [optRecord({})], edns: {} }],
    ['an OPT that is not at the root', { edns: { owner: wireName('example.test.') } }],
    ['an OPT in the answer section', { answers: [optRecord({})] }],
    ['an OPT in the authority section', { authorities: [optRecord({})] }],
    ['an option cut short', { edns: { rdata: Buffer.from([0, 10, 0]) } }],
    ['an option longer than the OPT', { edns: { rdata: Buffer.from([0, 100, 0, 4, 1, 2, 3]) } }],
    ['a keepalive with a timeout from a client', { edns: { options: [{ code: OPTION.KEEPALIVE, data: u16(5) }] } }],
    ['QTYPE OPT', { type: 41 }],
    ['class NONE', { class: 254 }],
  ];
  it.each(cases)('%s', async (_, fields) => {
    const reply = await send(query({ ...WWW, ...fields }));
    expect(reply).toMatchObject({ ...formerr, questions: [{ name: 'www.example.test.' }] });
  });

  it.each([1, 7, 9, 15, 41, 60])('a cookie of %i octets', async (length) => {
    const reply = await send(
      query({ ...WWW, edns: { options: [{ code: OPTION.COOKIE, data: Buffer.alloc(length, 1) }] } }),
    );
    expect(reply).toMatchObject(formerr);
    expect(optionOf(reply!, OPTION.COOKIE)).toBeUndefined();
  });

  it('a request over 4096 bytes', async () => {
    const long = (octets: number): Buffer =>
      query({ ...WWW, id: 77, edns: { options: [{ code: 65001, data: Buffer.alloc(octets) }] } });
    const overhead = long(0).length;
    expect(await send(long(4096 - overhead))).toMatchObject({ rcode: 'NOERROR' });
    expect(await send(long(4097 - overhead))).toMatchObject({ rcode: 'FORMERR', answers: [] });
    expect(await send(long(20_000))).toMatchObject({ rcode: 'FORMERR', answers: [] });
  });
});

describe('no question at all', () => {
  it('is FORMERR', async () => {
    expect(await send(query({ questions: 0 }))).toMatchObject({ ...formerr, questions: [] });
    expect(await send(query({ questions: 0, edns: {} }))).toMatchObject({ ...formerr, questions: [] });
  });

  it('with a cookie is how a client asks for a server cookie (RFC 7873 5.4)', async () => {
    const options = [{ code: OPTION.COOKIE, data: Buffer.alloc(8, 7) }];
    const reply = await send(query({ questions: 0, edns: { options } }));
    expect(reply).toMatchObject({ rcode: 'NOERROR', questions: [], answers: [], authorities: [] });
    expect(optionOf(reply!, OPTION.COOKIE)).toHaveLength(24);
  });
});

describe('other operations', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 15])('opcode %i is NOTIMP, with the opcode', async (opcode) => {
    expect(await send(query({ ...WWW, opcode }))).toMatchObject({ ...formerr, rcode: 'NOTIMP', opcode });
  });

  it('an opcode nobody knows is NOTIMP whatever stands behind the header', async () => {
    expect(await send(query({ ...WWW, opcode: 9 }).subarray(0, 12))).toMatchObject({ rcode: 'NOTIMP', questions: [] });
    expect(await send(query({ opcode: 9, trailing: Buffer.alloc(40, 0xc0) }))).toMatchObject({ rcode: 'NOTIMP' });
  });

  it.each([0, 2, 4, 5, 255, 65535])('class %i is REFUSED', async (recordClass) => {
    expect(await send(query({ ...WWW, class: recordClass }))).toMatchObject({ ...formerr, rcode: 'REFUSED' });
  });

  it.each(['AXFR', 'IXFR'])('%s over UDP is REFUSED, as it is over TCP for who is not allowed', async (type) => {
    const authorities =
      type === 'IXFR' ? [record('example.test.', 'SOA', Buffer.concat([Buffer.from([0, 0]), Buffer.alloc(20)]))] : [];
    const fields = { name: 'example.test.', type, authorities };
    expect(await ask(server, fields)).toMatchObject({ ...formerr, rcode: 'REFUSED' });
    expect(await ask(server, { ...fields, tcp: true })).toMatchObject({ rcode: 'REFUSED', answers: [] });
  });

  it.each([253, 254])('QTYPE %i (MAILB, MAILA) is REFUSED', async (type) => {
    expect(await send(query({ ...WWW, type }))).toMatchObject({ rcode: 'REFUSED' });
  });
});

describe('what is odd and right', () => {
  it('additional records that are not understood are skipped', async () => {
    const unknown = record('key.', 'TYPE65280', Buffer.alloc(20, 1));
    const reply = await send(query({ ...WWW, additionals: [unknown], edns: {} }));
    expect(reply).toMatchObject({ rcode: 'NOERROR', opt: { version: 0 } });
    expect(reply!.answers).toHaveLength(2);
  });

  it('an OPT may stand before other additional records', async () => {
    const unknown = record('key.', 'TYPE65280', Buffer.alloc(20, 1));
    expect(await send(query({ ...WWW, additionals: [optRecord({}), unknown] }))).toMatchObject({
      rcode: 'NOERROR',
      opt: { version: 0 },
    });
  });

  it('reserved bits, RCODE and AA in a query mean nothing', async () => {
    expect(await send(query({ ...WWW, flags: 0x07ff & ~0x0200 }))).toMatchObject({ rcode: 'NOERROR', aa: true });
  });

  it('TC in a query means nothing', async () => {
    expect(await send(query({ ...WWW, flags: 0x0200 }))).toMatchObject({ rcode: 'NOERROR', aa: true });
  });

  it('an extended RCODE in a query means nothing', async () => {
    expect(await send(query({ ...WWW, edns: { extendedRcode: 255 } }))).toMatchObject({ rcode: 'NOERROR' });
  });

  it('names may hold any octet', async () => {
    const octets = Buffer.from(Array.from({ length: 60 }, (_, i) => (i * 37 + 1) & 0xff));
    const name = Buffer.concat([Buffer.from([60]), octets, wireName('wild.example.test.')]);
    const reply = await send(query({ name, type: 'A' }));
    expect(reply).toMatchObject({ rcode: 'NOERROR', answers: [{ data: '192.0.2.3' }] });
    expect(reply!.bytes.subarray(12, 12 + name.length)).toEqual(name);
  });
});

describe('whatever comes', () => {
  /** Queries as they are, then bytes changed, cut, doubled and inserted. */
  const base = fc.constantFrom<QueryFields>(
    WWW,
    { name: 'c1.example.test.', type: 'A', edns: { options: [ecs('198.51.100.0/24')] } },
    { name: 'x.sub.example.test.', type: 'NS', edns: { flags: 0x8000 } },
    {
      name: 'missing.example.test.',
      type: 'TXT',
      edns: { options: [{ code: OPTION.COOKIE, data: Buffer.alloc(24, 3) }] },
    },
    { name: 'x.wild.example.test.', type: 'ANY', edns: { options: [{ code: OPTION.NSID, data: Buffer.alloc(0) }] } },
  );
  const change = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), at: fc.nat(), value: fc.nat({ max: 255 }) }),
    fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), value: fc.nat({ max: 7 }) }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), value: fc.constant(0) }),
    fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), value: fc.nat({ max: 255 }) }),
    fc.record({ kind: fc.constant('double' as const), at: fc.nat(), value: fc.nat({ max: 60 }) }),
  );

  function mutate(bytes: Buffer, changes: readonly { kind: string; at: number; value: number }[]): Buffer {
    let b = Buffer.from(bytes);
    for (const { kind, at, value } of changes) {
      const p = b.length === 0 ? 0 : at % b.length;
      if (kind === 'set' && b.length > 0) b[p] = value;
      else if (kind === 'flip' && b.length > 0) b[p] = b[p]! ^ (1 << value);
      else if (kind === 'cut') b = b.subarray(0, p);
      else if (kind === 'insert') b = Buffer.concat([b.subarray(0, p), Buffer.from([value]), b.subarray(p)]);
      else if (kind === 'double') b = Buffer.concat([b.subarray(0, p + value), b.subarray(p)]);
    }
    return b;
  }

  it('every answer can be parsed, repeats the id, and stays within the limit; and the server lives', async () => {
    const packets = fc
      .sample(fc.tuple(base, fc.array(change, { minLength: 1, maxLength: 6 })), { numRuns: 5000, seed: 20260101 })
      .map(([fields, changes]) => mutate(query(fields), changes));
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 }).bind(0, '127.0.0.1');
    try {
      await once(socket, 'listening');
      let answers = 0;
      for (let from = 0; from < packets.length; from += 100) {
        const batch = packets.slice(from, from + 100);
        const marker = query({ ...WWW, id: 0xfffe });
        await new Promise<void>((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error(`no answer behind packet ${from}`)), 3000);
          socket.removeAllListeners('message');
          socket.on('message', (bytes) => {
            try {
              parse(bytes);
              expect(bytes.length).toBeLessThanOrEqual(1232);
              answers++;
            } catch (error) {
              clearTimeout(timer);
              reject(new Error(`${bytes.toString('hex')}: ${(error as Error).message}`));
            }
            if (bytes.readUInt16BE(0) !== 0xfffe) return;
            clearTimeout(timer);
            resolve();
          });
          for (const packet of batch) socket.send(packet, server.port, server.host);
          socket.send(marker, server.port, server.host);
        });
      }
      expect(answers).toBeGreaterThan(packets.length / 2);
    } finally {
      socket.close();
    }
    expect(await send(query(WWW))).toMatchObject({ rcode: 'NOERROR', aa: true });
  });
});
