// What the tap notes: the request as it came, the response as it went, the share that was asked for, and nothing that is no query.
import { describe, expect, it } from 'vitest';
import { RingReader, ringDropped } from '../../dist/board/ring.js';
import { RECORD, wordsOf } from '../../dist/serve/query-record.js';
import { ask, makeTap, TIME_MS } from '../querylog/records.ts';
import { query } from '../support/dns.ts';

const REQUEST = query({ name: 'www.example.org', type: 'A' });

/** Request and response of the oldest record, and its words by name. */
function take(reader: RingReader) {
  const at = reader.peek();
  if (at < 0) return null;
  const word = (name: keyof typeof RECORD): number => reader.words[at + RECORD[name]]!;
  const start = (at + RECORD.size) * 4;
  const response = start + wordsOf(word('requestBytes')) * 4;
  const taken = {
    request: [...reader.bytes.slice(start, start + word('requestBytes'))],
    response: [...reader.bytes.slice(response, response + Math.max(0, word('responseBytes')))],
    timeMs: word('seconds') * 1000 + word('milliseconds'),
    transport: word('transport'),
    port: word('port'),
    numbers: [word('zone'), word('steeredZone'), word('steering'), word('slot'), word('pool')],
    responseBytes: word('responseBytes'),
  };
  reader.release();
  return taken;
}

describe('the tap', () => {
  it('notes request and response, time, transport, peer and what was steered', () => {
    const { ring, responder, tap } = makeTap();
    responder.response = new Uint8Array(101).fill(9);
    responder.tells = (trace) => {
      trace.zone(3);
      trace.zone(4);
      trace.steered(5, 0, 6, 0, false, 20, 7);
    };
    ask(tap, REQUEST, 1);
    responder.tells = () => {};
    responder.response = new Uint8Array(0);
    ask(tap, REQUEST);
    const reader = new RingReader(ring);
    const common = { request: [...REQUEST], timeMs: TIME_MS, port: 4242 };
    expect(take(reader)).toEqual({
      ...common,
      response: new Array(101).fill(9),
      transport: 1,
      numbers: [3, 4, 5, 7, 6],
      responseBytes: 101,
    });
    // Nothing of the query before.
    expect(take(reader)).toEqual({
      ...common,
      response: [],
      transport: 0,
      numbers: [-1, -1, -1, -1, -1],
      responseBytes: 0,
    });
    expect(take(reader)).toBeNull();
  });

  it('keeps the requests of a whole group apart', () => {
    const { ring, responder, tap } = makeTap();
    responder.response = new Uint8Array(50);
    const requests = Array.from({ length: 16 }, (_, i) => query({ name: `host${i}.example.org`, type: 'A' }));
    const bytes = new Uint8Array(16 * 4200);
    tap.beginBatch();
    requests.forEach((request, i) => {
      bytes.set(request, i * 4200);
      tap.readNext(i, bytes, i * 4200, request.length);
    });
    tap.lookAhead();
    for (const i of requests.keys()) tap.answer(i, bytes, i * 4200, 4096, 0);
    tap.endBatch();
    const reader = new RingReader(ring);
    for (const request of requests) expect(take(reader)?.request).toEqual([...request]);
  });

  it('passes over what is no query: responses, and what has no header', () => {
    const { ring, tap } = makeTap();
    const response = Uint8Array.from(REQUEST);
    response[2]! |= 0x80;
    ask(tap, response);
    ask(tap, REQUEST.slice(0, 11));
    expect(new RingReader(ring).peek()).toBe(-1);
  });

  it('notes the share that was asked for', () => {
    const { ring, tap } = makeTap(0.1, 1 << 22);
    for (let i = 0; i < 20_000; i++) ask(tap, REQUEST);
    const reader = new RingReader(ring);
    let count = 0;
    while (take(reader) !== null) count++;
    // Five deviations of the binomial distribution.
    expect(Math.abs(count - 2_000)).toBeLessThan(5 * Math.sqrt(20_000 * 0.1 * 0.9));
  });

  it('drops and counts what finds no room, and answers all the same', () => {
    const { ring, responder, tap } = makeTap(1, 1024);
    responder.response = new Uint8Array(100);
    const bytes = new Uint8Array(4200);
    for (let i = 0; i < 50; i++) {
      bytes.set(REQUEST);
      expect(tap.respond(bytes, 0, REQUEST.length, 4096, 0)).toBe(100);
    }
    expect(ringDropped(ring)).toBeGreaterThan(40);
  });
});
