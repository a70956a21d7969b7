// The forms of the log: what stands in a line and in a frame, what is left out of them, and that no bytes break them.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RingReader } from '../../dist/board/ring.js';
import { Dnstap } from '../../dist/querylog/dnstap.js';
import { JsonLines } from '../../dist/querylog/json-lines.js';
import { type LoggedQuery, readLogged } from '../../dist/querylog/logged-query.js';
import { encodeMessage } from '../../dist/querylog/protobuf.js';
import { NameTable } from '../../dist/querylog/zone-names.js';
import { ecs, optRecord, query } from '../support/dns.ts';
import { ask, makeTap, TIME_MS } from './records.ts';

const NAMES = new NameTable();
NAMES.add({
  sinceMs: TIME_MS,
  zones: [
    {
      number: 3,
      name: 'example.org',
      apex: Buffer.from('\x07example\x03org\0', 'latin1'),
      pools: ['moscow', 'rio'],
      regions: [[], ['', 'russia,asia', 'default']],
    },
  ],
});

interface Exchange {
  readonly request: Uint8Array;
  readonly response: Uint8Array;
  readonly short?: boolean;
  readonly six?: boolean;
  readonly steered?: boolean;
}

/** A query as the log's thread reads it, and whether shortened. */
function logged({ request, response, short = true, six = false, steered = false }: Exchange): LoggedQuery {
  const { ring, responder, tap } = makeTap(1, 1 << 20);
  responder.response = response;
  if (six) Object.assign(responder.peer, { family: 6, w0: 0x20010db8, w1: 0x11223344, w2: 0x55667788, w3: 1 });
  else responder.peer.w0 = 0xc0000263 | 0;
  if (steered) {
    responder.tells = (trace) => {
      trace.zone(3);
      trace.steered(1, 0, 1, 0, false, 20, 1);
    };
  }
  ask(tap, request);
  const reader = new RingReader(ring);
  return readLogged(reader.words, reader.bytes, reader.peek(), NAMES, short);
}

const line = (exchange: Exchange): Record<string, unknown> =>
  JSON.parse(new JsonLines(exchange.short ?? true).record(logged(exchange)).toString()) as Record<string, unknown>;

const COOKIE = { code: 10, data: Buffer.from('0123456789abcdef', 'hex') };
const SUBNET = ecs('198.51.100.77/32');

/** The answer to `request`: the same with QR and AA, two answers claimed but none there (the log counts what the header says), an OPT. */
function answer(name: string, options: readonly { code: number; data: Uint8Array }[]): Buffer {
  const bytes = query({ name, type: 'A', edns: { options } });
  bytes[2]! |= 0x84;
  return bytes;
}

describe('a JSON line', () => {
  it('has what was asked and what was answered', () => {
    const request = query({
      name: 'www.example.org',
      type: 'AAAA',
      rd: true,
      edns: { flags: 0x8000, options: [SUBNET] },
    });
    const scoped = Buffer.from(SUBNET.data);
    scoped[3] = 22;
    const response = answer('www.example.org', [{ code: 8, data: scoped }]);
    expect(line({ request, response, steered: true })).toEqual({
      time: '2026-01-02T03:04:05.678Z',
      client: '192.0.2.0/24',
      transport: 'udp',
      name: 'www.example.org.',
      type: 'AAAA',
      flags: ['aa', 'rd', 'do'],
      ecs: '198.51.100.0/24',
      rcode: 'NOERROR',
      zone: 'example.org',
      region: 'russia,asia',
      pool: 'rio',
      answers: 0,
      size: response.length,
      scope: 22,
    });
    expect(line({ request, response, short: false })).toMatchObject({
      client: '192.0.2.99',
      port: 4242,
      ecs: '198.51.100.77/32',
      zone: null,
      region: null,
      pool: null,
    });
    expect(line({ request, response, six: true }).client).toBe('2001:db8:1122:3300::/56');
  });

  it('has null for what nobody answered, other classes and opcodes by name, and names that are no text escaped', () => {
    const request = query({ name: Buffer.from('\x03a"\n\0', 'latin1'), type: 16, class: 3 });
    expect(line({ request, response: new Uint8Array(0) })).toMatchObject({
      name: 'a\\"\\010.',
      class: 'CH',
      rcode: null,
      answers: 0,
      size: 0,
      scope: null,
    });
    expect(line({ request: query({ opcode: 4, name: 'x.', type: 6 }), response: new Uint8Array(0) }).opcode).toBe(4);
  });

  it('reads response codes whose upper bits stand in the OPT record', () => {
    const response = Buffer.concat([query({ name: 'x.', type: 'A' }), optRecord({ extendedRcode: 1 })]);
    response[2]! |= 0x80;
    response[11] = 1;
    expect(line({ request: query({ name: 'x.', type: 'A' }), response }).rcode).toBe('BADVERS');
  });
});

describe('shortened addresses', () => {
  it('leave no trace of the client in the messages either: its subnet beyond /24 or /56, its cookie', () => {
    const six = ecs('2001:db8:1:2:3:4:5:6/128');
    const request = query({ name: 'www.example.org', edns: { options: [SUBNET, COOKIE, six] } });
    const short = Buffer.from(logged({ request, response: request.map((x, i) => (i === 2 ? x | 0x80 : x)) }).request);
    expect(short.length).toBe(request.length);
    expect(short.includes(Buffer.from([198, 51, 100, 0]))).toBe(true);
    expect(short.includes(Buffer.from([198, 51, 100, 77]))).toBe(false);
    expect(short.includes(Buffer.from([0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0]))).toBe(true);
    expect(short.includes(COOKIE.data)).toBe(false);
    expect(Buffer.from(logged({ request, response: request, short: false }).request).equals(request)).toBe(true);
  });

  it('leave the header alone of a message that is broken', () => {
    const request = query({ name: 'www.example.org', edns: { options: [SUBNET] } }).subarray(0, -3);
    const short = logged({ request, response: new Uint8Array(0) }).request;
    expect([...short]).toEqual([...request.subarray(0, 12), ...new Array(request.length - 12).fill(0)]);
  });
});

describe('both forms', () => {
  it('take any bytes for request and response', () => {
    const json = new JsonLines(true);
    const dnstap = new Dnstap('us', 'v');
    const whole = query({ name: 'www.example.org', edns: { options: [SUBNET, COOKIE] } });
    const damaged = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }).map((changes) => {
      const bytes = Uint8Array.from(whole);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
    const message = fc.oneof(fc.uint8Array({ minLength: 12, maxLength: 200 }), damaged);
    fc.assert(
      fc.property(message, message, fc.boolean(), (request, response, short) => {
        request[2]! &= 0x7f;
        const one = logged({ request, response, short });
        expect(() => JSON.parse(json.record(one).toString())).not.toThrow();
        expect(dnstap.record(one).length).toBeGreaterThan(request.length);
      }),
    );
  });
});

describe('names', () => {
  it('are those that the zone had when it answered', () => {
    const table = new NameTable();
    const zone = { number: 0, name: 'a', apex: new Uint8Array(1), regions: [] };
    table.add({ sinceMs: 0, zones: [{ ...zone, pools: ['old'] }] });
    table.add({ sinceMs: 500, zones: [{ ...zone, pools: ['new'] }] });
    expect(table.at(0, 499)?.pools).toEqual(['old']);
    expect(table.at(0, 500)?.pools).toEqual(['new']);
    expect(table.at(7, 500)).toBeNull();
    expect(table.at(-1, 500)).toBeNull();
  });
});

describe('Protocol Buffers', () => {
  it('are written as the standard has them', () => {
    // protobuf.dev, "Encoding": 150 in field 1 is 08 96 01; "testing" in field 2 is 12 07 and its octets.
    expect(Buffer.from(encodeMessage([[1, 'uint', 150]])).toString('hex')).toBe('089601');
    expect(Buffer.from(encodeMessage([[2, 'bytes', Buffer.from('testing')]])).toString('latin1')).toBe(
      '\x12\x07testing',
    );
    expect(Buffer.from(encodeMessage([[9, 'fixed32', 0xff000001]])).toString('hex')).toBe('4d010000ff');
    expect(Buffer.from(encodeMessage([[16, 'uint', 2 ** 35]])).toString('hex')).toBe('8001808080808001');
  });
});
