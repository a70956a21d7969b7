// Server cookies: RFC 9018's examples, lifetimes, secrets.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../dist/base/address.js';
import { COOKIE_BAD, COOKIE_CLIENT_ONLY, COOKIE_VALID, Cookies } from '../../dist/guard/cookies.js';
import { SipHash24, sipKey } from '../../dist/guard/siphash.js';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

function client(text: string) {
  const address = parseAddress(text)!;
  const view = new DataView(address.bytes.buffer);
  const word = (i: number): number => (i * 4 < address.bytes.length ? view.getInt32(i * 4) : 0);
  return { family: address.family, w0: word(0), w1: word(1), w2: word(2), w3: word(3) };
}

function check(
  cookies: Cookies,
  received: string,
  address: string,
  nowSeconds: number,
): { verdict: number; reply: string } {
  const scratch = new Uint8Array(40).fill(0xee);
  const bytes = hex(received);
  scratch.set(bytes);
  const reply = new Uint8Array(24);
  const verdict = cookies.check(scratch, bytes.length, client(address), nowSeconds, reply);
  return { verdict, reply: Buffer.from(reply).toString('hex') };
}

const SECRET = hex('e5e973e5a6b2a43f48e7dc849e37bfcf');

describe('the examples of RFC 9018, appendix A', () => {
  it('A.1: a new client learns a server cookie', () => {
    expect(check(new Cookies([SECRET]), '2464c4abcf10c957', '198.51.100.100', 1559731985)).toEqual({
      verdict: COOKIE_CLIENT_ONLY,
      reply: '2464c4abcf10c957010000005cf79f111f8130c3eee29480',
    });
  });

  it('A.2: the same client gets a fresh one 40 minutes later', () => {
    const received = '2464c4abcf10c957010000005cf79f111f8130c3eee29480';
    expect(check(new Cookies([SECRET]), received, '198.51.100.100', 1559734385)).toEqual({
      verdict: COOKIE_VALID,
      reply: '2464c4abcf10c957010000005cf7a871d4a564a1442aca77',
    });
  });

  it('A.3: reserved octets that are set are part of the hash, and are zero in the fresh cookie', () => {
    const received = 'fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5';
    const cookies = new Cookies([SECRET]);
    // The example renews it two hours later; RFC 9018 4.3 says that it is too old by then.
    expect(check(cookies, received, '203.0.113.203', 1559734700)).toEqual({
      verdict: COOKIE_BAD,
      reply: 'fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e',
    });
    const young = check(cookies, received, '203.0.113.203', 1559727985 + 60);
    expect(young.verdict).toBe(COOKIE_VALID);
    expect(young.reply.slice(16, 32)).toBe(`01000000${(1559727985 + 60).toString(16)}`);
  });

  it('A.4: an IPv6 client with a cookie under the old secret gets one under the new secret', () => {
    const cookies = new Cookies([hex('445536bcd2513298075a5d379663c962'), hex('dd3bdf9344b678b185a6f5cb60fca715')]);
    const received = '22681ab97d52c298010000005cf7c57926556bd0934c72f8';
    expect(check(cookies, received, '2001:db8:220:1:59de:d0f4:8769:82b8', 1559741961)).toEqual({
      verdict: COOKIE_VALID,
      reply: '22681ab97d52c298010000005cf7c609a6bb79d16625507a',
    });
  });
});

describe('the life of a cookie', () => {
  const T = 1_800_000_000;
  const ADDRESS = '192.0.2.7';
  const learn = (cookies: Cookies, at: number): string => check(cookies, '0102030405060708', ADDRESS, at).reply;

  it.each([
    ['at once', 0, COOKIE_VALID, true],
    ['after half an hour', 1800, COOKIE_VALID, true],
    ['after half an hour and a second', 1801, COOKIE_VALID, false],
    ['after an hour', 3600, COOKIE_VALID, false],
    ['after an hour and a second', 3601, COOKIE_BAD, false],
    ['five minutes ahead of our clock', -300, COOKIE_VALID, true],
    ['more than five minutes ahead of our clock', -301, COOKIE_BAD, false],
  ])('%s', (_, age, verdict, reused) => {
    const cookies = new Cookies([SECRET]);
    const received = learn(cookies, T);
    const answer = check(cookies, received, ADDRESS, T + age);
    expect(answer.verdict).toBe(verdict);
    if (reused) expect(answer.reply).toBe(received);
    else expect(answer.reply).toBe(learn(cookies, T + age));
  });

  it('goes on across the end of 32-bit time', () => {
    const cookies = new Cookies([SECRET]);
    const end = 2 ** 32;
    expect(check(cookies, learn(cookies, end - 10), ADDRESS, end + 20).verdict).toBe(COOKIE_VALID);
    expect(check(cookies, learn(cookies, end + 20), ADDRESS, end - 10).verdict).toBe(COOKIE_VALID);
    expect(check(cookies, learn(cookies, 2 ** 31 - 5), ADDRESS, 2 ** 31 + 5).verdict).toBe(COOKIE_VALID);
  });

  it('is bad for another client, another client cookie, another version, and with any bit changed', () => {
    const cookies = new Cookies([SECRET]);
    const received = learn(cookies, T);
    expect(check(cookies, received, '192.0.2.8', T).verdict).toBe(COOKIE_BAD);
    expect(check(cookies, received, '::c000:207', T).verdict).toBe(COOKIE_BAD);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 24 * 8 - 1 }), (bit) => {
        const bytes = hex(received);
        bytes[bit >> 3]! ^= 0x80 >> (bit & 7);
        return check(cookies, Buffer.from(bytes).toString('hex'), ADDRESS, T).verdict === COOKIE_BAD;
      }),
      { numRuns: 400 },
    );
  });

  it('is made anew where a reserved octet was set, valid as it was', () => {
    // Made by hand with the hasher: no server of ours sets them.
    for (const at of [9, 10, 11]) {
      const message = Buffer.concat([
        hex('010203040506070801000000'),
        Buffer.from(T.toString(16), 'hex'),
        Buffer.from([192, 0, 2, 7]),
      ]);
      message[at] = 1;
      const sip = new SipHash24();
      sip.hash(sipKey(SECRET), message, 20);
      const hash = Buffer.alloc(8);
      hash.writeInt32LE(sip.low, 0);
      hash.writeInt32LE(sip.high, 4);
      const received = Buffer.concat([message.subarray(0, 16), hash]).toString('hex');
      const cookies = new Cookies([SECRET]);
      expect(check(cookies, received, ADDRESS, T)).toEqual({ verdict: COOKIE_VALID, reply: learn(cookies, T) });
    }
  });

  it('is bad with a server cookie of another length, even if it begins like ours', () => {
    const cookies = new Cookies([SECRET]);
    const received = learn(cookies, T);
    for (const length of [16, 17, 23, 25, 40]) {
      const cut = received.padEnd(80, '0').slice(0, length * 2);
      expect(check(cookies, cut, ADDRESS, T)).toEqual({ verdict: COOKIE_BAD, reply: received });
    }
  });

  it('outlives a rotation while the old secret is kept, and ends with it', () => {
    const cookies = new Cookies([SECRET]);
    const received = learn(cookies, T);
    const fresh = hex('00112233445566778899aabbccddeeff');
    cookies.replaceSecrets([fresh, SECRET]);
    const answer = check(cookies, received, ADDRESS, T + 1);
    expect(answer.verdict).toBe(COOKIE_VALID);
    expect(answer.reply).toBe(learn(new Cookies([fresh]), T + 1));
    cookies.replaceSecrets([fresh]);
    expect(check(cookies, received, ADDRESS, T + 1).verdict).toBe(COOKIE_BAD);
    expect(check(cookies, answer.reply, ADDRESS, T + 2).verdict).toBe(COOKIE_VALID);
  });

  it('is made for every client and accepted from that client alone', () => {
    const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const address = fc.oneof(
      fc.record({
        family: fc.constant(4 as const),
        w0: word,
        w1: fc.constant(0),
        w2: fc.constant(0),
        w3: fc.constant(0),
      }),
      fc.record({ family: fc.constant(6 as const), w0: word, w1: word, w2: word, w3: word }),
    );
    const cookies = new Cookies([SECRET]);
    fc.assert(
      fc.property(address, address, fc.uint8Array({ minLength: 8, maxLength: 8 }), (a, b, cookie) => {
        const reply = new Uint8Array(24);
        const again = new Uint8Array(24);
        expect(cookies.check(cookie, 8, a, T, reply)).toBe(COOKIE_CLIENT_ONLY);
        expect(reply.subarray(0, 8)).toEqual(cookie);
        expect(cookies.check(reply, 24, a, T + 5, again)).toBe(COOKIE_VALID);
        expect(again).toEqual(reply);
        const same = JSON.stringify(a) === JSON.stringify(b);
        expect(cookies.check(reply, 24, b, T, again)).toBe(same ? COOKIE_VALID : COOKIE_BAD);
      }),
    );
  });
});
