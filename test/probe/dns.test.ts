import { type DecodedPacket, decode, encode, type Packet } from 'dns-packet';
import { afterEach, describe, expect, test } from 'vitest';
import { parseRdata, rdataToText } from '../../dist/wire/rdata.js';
import { rdataForm } from '../../dist/wire/rdata-table.js';
import { typeToText } from '../../dist/wire/types.js';
import { type Backend, tcpBackend, udpBackend } from '../support/backends.ts';
import { dnsCheck } from '../support/checks.ts';
import { tryProbe } from '../support/try.ts';

const open: Backend[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

/** A server whose answers are `make(query)`, the nth of them for the nth query. */
async function server(...make: ((query: DecodedPacket) => Packet | undefined)[]): Promise<number> {
  let n = 0;
  const backend = await udpBackend((data, reply) => {
    const query = decode(data);
    for (const one of make.length === 1 ? make : make.slice(n, n + 1)) {
      const answer = one(query);
      if (answer !== undefined) reply(encode(answer));
    }
    n++;
  });
  open.push(backend);
  return backend.port;
}

const good = (query: DecodedPacket): Packet => ({
  type: 'response',
  id: query.id!,
  questions: query.questions!,
  answers: [{ type: 'A', name: 'example.org', data: '192.0.2.1' }],
});

describe('the DNS probe', () => {
  test('takes only an answer to its own question', async () => {
    const wrong: ((query: DecodedPacket) => Packet)[] = [
      (query) => ({ ...good(query), id: (query.id! + 1) & 0xffff }),
      (query) => ({ ...good(query), type: 'query' }),
      (query) => ({ ...good(query), questions: [{ type: 'A', name: 'example.net' }] }),
      (query) => ({ ...good(query), questions: [{ type: 'AAAA', name: 'example.org' }] }),
      (query) => ({ ...good(query), questions: [] }),
    ];
    for (const one of wrong) {
      expect(await tryProbe(dnsCheck(await server(one)), { timeoutMs: 150 })).toMatchObject({
        ok: false,
        reason: 'timeout: no answer',
      });
    }
  });

  test('does not mind the case of the name, and takes an error that comes without the question', async () => {
    const port = await server((query) => ({ ...good(query), questions: [{ type: 'A', name: 'EXAMPLE.org' }] }));
    expect(await tryProbe(dnsCheck(port))).toMatchObject({ ok: true });
    const refusing = await server((query) => ({ type: 'response', id: query.id!, flags: 5, questions: [] }));
    expect(await tryProbe(dnsCheck(refusing))).toMatchObject({ ok: false, reason: 'rcode REFUSED' });
    expect(await tryProbe(dnsCheck(refusing, { expectRcode: 'refused' }))).toMatchObject({ ok: true });
  });

  test('asks for types by number too', async () => {
    let type = 0;
    const backend = await udpBackend((data, reply) => {
      type = data.readUInt16BE(data.length - 4);
      data.writeUInt16BE(0x8000, 2);
      reply(data);
    });
    open.push(backend);
    expect(await tryProbe(dnsCheck(backend.port, { type: 'TYPE65' }))).toMatchObject({ ok: true });
    expect(type).toBe(65);
    expect(await tryProbe(dnsCheck(backend.port, { type: 'HTTPS' }))).toMatchObject({ ok: true });
    expect(await tryProbe(dnsCheck(backend.port, { type: 'TYPE1234' }))).toMatchObject({ ok: true });
    expect(type).toBe(1234);
  });

  test('asks again when a question or its answer is lost', async () => {
    const port = await server(
      () => undefined,
      () => undefined,
      good,
    );
    expect(await tryProbe(dnsCheck(port), { timeoutMs: 600 })).toMatchObject({ ok: true });
  });

  test('asks with an id of its own each time', async () => {
    const ids = new Set<number>();
    const port = await server((query) => {
      ids.add(query.id!);
      return good(query);
    });
    for (let i = 0; i < 20; i++) await tryProbe(dnsCheck(port));
    expect(ids.size).toBeGreaterThan(15);
  });

  test('compares a value of every type as a master file says it', async () => {
    let record = { type: 1, data: Buffer.alloc(0) };
    const backend = await udpBackend((query, reply) => reply(answerTo(query, [record])));
    open.push(backend);
    const probe = (type: string, expectValue: string) => tryProbe(dnsCheck(backend.port, { type, expectValue }));
    let types = 0;
    for (let type = 1; type < 258; type++) {
      const form = rdataForm(type);
      if (form === undefined) continue;
      types++;
      const read = parseRdata(type, form.example, new Uint8Array(1));
      if (!read.ok) throw new Error(`${type}: ${read.reason}`);
      record = { type, data: Buffer.from(read.bytes) };
      const text = typeToText(type);
      expect(await probe(text, form.example), text).toMatchObject({ ok: true });
      expect(await probe(text, rdataToText(type, read.bytes)), text).toMatchObject({ ok: true });
      expect(await probe(text, `\\# ${read.bytes.length} ${record.data.toString('hex')}`), text).toMatchObject({
        ok: true,
      });
      record = { type: 65_280, data: record.data };
      expect(await probe(text, form.example), text).toMatchObject({ ok: false, reason: 'value does not match' });
    }
    expect(types).toBeGreaterThan(40);
    record = { type: 65_280, data: Buffer.from([1, 2]) };
    expect(await probe('TYPE65280', '\\# 2 0102')).toMatchObject({ ok: true });
    expect(await probe('TYPE65280', '\\# 2 0103')).toMatchObject({ ok: false });
  });

  test('follows pointers in names, whatever the type, and minds neither their case nor how a text is cut', async () => {
    let record = { type: 15, data: Buffer.from('\x00\x0a\x04MAIL\xc0\x0c', 'latin1') };
    const backend = await udpBackend((query, reply) => reply(answerTo(query, [record])));
    open.push(backend);
    const probe = (type: string, expectValue: string) => tryProbe(dnsCheck(backend.port, { type, expectValue }));
    expect(await probe('MX', '10 mail.EXAMPLE.org.')).toMatchObject({
      ok: true,
      evidence: 'NOERROR MX 10 MAIL.example.org.',
    });
    record = { type: 33, data: Buffer.from('\0\x01\0\x02\x01\xbb\xc0\x0c', 'latin1') };
    expect(await probe('SRV', '1 2 443 example.org')).toMatchObject({ ok: true });
    record = { type: 16, data: Buffer.from('\x02he\x03llo', 'latin1') };
    expect(await probe('TXT', 'hello')).toMatchObject({ ok: true });
    expect(await probe('TXT', '"he" "llo"')).toMatchObject({ ok: true });
    expect(await probe('TXT', '"hello"')).toMatchObject({ ok: true });
    expect(await probe('TXT', 'Hello')).toMatchObject({ ok: false });
    // A pointer to itself.
    record = { type: 2, data: Buffer.from([0xc0, 41]) };
    expect(await probe('NS', 'ns.example.org.')).toMatchObject({ ok: false, reason: 'value does not match' });
  });

  test('goes to TCP for a truncated answer, also when it is cut off inside a record', async () => {
    const address = { type: 1, data: Buffer.from([192, 0, 2, 1]) };
    for (const cut of [0, 3, 12, 16]) {
      let udp = 0;
      const { port } = await tcpAndUdp(
        (query) => framed(answerTo(query.subarray(2), [address])),
        (query) => {
          udp++;
          const answer = answerTo(query, [address]);
          answer[2]! |= 2;
          return answer.subarray(0, answer.length - cut);
        },
      );
      expect(await tryProbe(dnsCheck(port, { expectValue: '192.0.2.1' })), `${cut}`).toMatchObject({ ok: true });
      expect(udp).toBe(1);
    }
  });
});

/** The answer to a query, with these records. */
function answerTo(query: Buffer, records: readonly { type: number; data: Buffer }[]): Buffer {
  const header = Buffer.from(query);
  header[2] = 0x84;
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([
    header,
    ...records.map(({ type, data }) => {
      const fixed = Buffer.from([
        0xc0,
        12,
        type >> 8,
        type & 255,
        0,
        1,
        0,
        0,
        0,
        60,
        data.length >> 8,
        data.length & 255,
      ]);
      return Buffer.concat([fixed, data]);
    }),
  ]);
}

function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]);
}

/** A server on one port of both transports. */
async function tcpAndUdp(overTcp: (query: Buffer) => Buffer, overUdp: (query: Buffer) => Buffer): Promise<Backend> {
  for (;;) {
    const tcp = await tcpBackend((socket) => socket.on('data', (data) => socket.write(overTcp(data))));
    const udp = await udpBackend((data, reply) => reply(overUdp(data)), tcp.port).catch(() => undefined);
    open.push(tcp, ...(udp === undefined ? [] : [udp]));
    if (udp !== undefined) return tcp;
  }
}
