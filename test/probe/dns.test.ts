import { type DecodedPacket, decode, encode, type Packet } from 'dns-packet';
import { afterEach, describe, expect, test } from 'vitest';
import { type Backend, udpBackend } from '../support/backends.ts';
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
});
