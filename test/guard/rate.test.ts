// Response rate limiting: what one network gets, what others don't lose by it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePrefix } from '../../dist/base/address.js';
import { limits } from '../../dist/base/limits.js';
import type { ClientAddress } from '../../dist/guard/client.js';
import {
  createRateTable,
  RATE_DROP,
  RATE_PASS,
  RATE_SLIP,
  RateLimiter,
  type RateLimits,
} from '../../dist/guard/rate.js';

/** One check at a moment. */
function checkAt(limiter: RateLimiter, client: ClientAddress, kind: number, nowMs: number): number {
  limiter.tick(nowMs);
  return limiter.check(client, kind);
}

const SETTINGS: RateLimits = { responsesPerSecond: 200, slip: 1, ipv4Prefix: 24, ipv6Prefix: 56, exempt: [] };
const T = Date.UTC(2026, 0, 1);

const v4 = (a: number, b: number, c: number, d: number) => ({
  family: 4 as const,
  w0: (a << 24) | (b << 16) | (c << 8) | d,
  w1: 0,
  w2: 0,
  w3: 0,
});
const v6 = (w0: number, w1: number, w2 = 0, w3 = 0) => ({
  family: 6 as const,
  w0: w0 | 0,
  w1: w1 | 0,
  w2: w2 | 0,
  w3: w3 | 0,
});

/** How many of `count` responses at one moment pass. */
function passed(
  limiter: RateLimiter,
  client: ReturnType<typeof v4 | typeof v6>,
  kind: number,
  nowMs: number,
  count: number,
): number {
  let n = 0;
  for (let i = 0; i < count; i++) if (checkAt(limiter, client, kind, nowMs) === RATE_PASS) n++;
  return n;
}

describe('the rate', () => {
  it('lets a second of responses through at once, and then one for every 1/rate seconds', () => {
    const limiter = new RateLimiter(SETTINGS, 1);
    expect(passed(limiter, v4(192, 0, 2, 1), 7, T, 1000)).toBe(200);
    expect(passed(limiter, v4(192, 0, 2, 1), 7, T + 4, 1000)).toBe(0);
    expect(passed(limiter, v4(192, 0, 2, 1), 7, T + 5, 1000)).toBe(1);
    expect(passed(limiter, v4(192, 0, 2, 1), 7, T + 105, 1000)).toBe(20);
    expect(passed(limiter, v4(192, 0, 2, 1), 7, T + 60_000, 1000)).toBe(200);
  });

  it('never lets more than rate x seconds + rate through, whatever the moments', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer(),
        fc.array(fc.tuple(fc.nat({ max: 700 }), fc.integer({ min: 1, max: 300 })), { minLength: 1, maxLength: 30 }),
        (rate, seed, steps) => {
          const limiter = new RateLimiter({ ...SETTINGS, responsesPerSecond: rate }, seed);
          let now = T;
          let asked = 0;
          let n = 0;
          for (const [wait, count] of steps) {
            now += wait;
            asked += count;
            n += passed(limiter, v4(192, 0, 2, 1), 7, now, count);
          }
          const allowed = rate * (1 + (now - T) / 1000);
          expect(n).toBeLessThanOrEqual(Math.ceil(allowed * 1.005));
          // And who stays below the burst in all is never limited.
          if (asked <= rate) expect(n).toBe(asked);
        },
      ),
    );
  });

  it('lets as many through at once as it allows in a second, whatever their number', () => {
    for (let rate = 1; rate <= 300; rate++) {
      const limiter = new RateLimiter({ ...SETTINGS, responsesPerSecond: rate }, rate);
      expect(passed(limiter, v4(192, 0, 2, 1), 7, T, rate)).toBe(rate);
    }
  });

  it('lets a client that asks evenly at the rate go on for ever', () => {
    const limiter = new RateLimiter(SETTINGS, 1);
    for (let i = 0; i < 20_000; i++) expect(checkAt(limiter, v4(192, 0, 2, 1), 7, T + i * 5)).toBe(RATE_PASS);
  });

  it('goes on when the clock is set back or jumps ahead, and after weeks of silence', () => {
    for (const jump of [-86_400_000, -5_000, 3_600_000, 40 * 86_400_000]) {
      const limiter = new RateLimiter(SETTINGS, 1);
      passed(limiter, v4(192, 0, 2, 1), 7, T, 1000);
      expect(passed(limiter, v4(192, 0, 2, 1), 7, T + jump, 1000)).toBe(200);
      expect(passed(limiter, v4(192, 0, 2, 1), 7, T + jump + 500, 1000)).toBe(100);
    }
  });
});

describe('what is counted together', () => {
  it('is one answer: other answers have their own count', () => {
    const limiter = new RateLimiter({ ...SETTINGS, responsesPerSecond: 50 }, 1);
    for (let kind = 0; kind < 50; kind++) expect(passed(limiter, v4(192, 0, 2, 1), kind, T, 300)).toBe(50);
  });

  it('leaves other answers half a burst at high rates, where a whole network is over the limit', () => {
    const limiter = new RateLimiter(SETTINGS, 1);
    expect(passed(limiter, v4(192, 0, 2, 1), 0, T, 300)).toBe(200);
    for (let kind = 1; kind < 50; kind++) expect(passed(limiter, v4(192, 0, 2, 1), kind, T, 300)).toBe(100);
  });

  it('is never two answers or two networks that happen to stand in one set of the table', () => {
    const limiter = new RateLimiter({ ...SETTINGS, responsesPerSecond: 1 }, 5);
    for (let i = 0; i < 2000; i++) expect(checkAt(limiter, v4(192, 0, 2, 1), i, T)).toBe(RATE_PASS);
    for (let i = 1; i < 2000; i++) expect(checkAt(limiter, { ...v4(0, 0, 0, 0), w0: i << 8 }, 1, T)).toBe(RATE_PASS);
  });

  it('is a network of the configured length, IPv4 and IPv6', () => {
    const limiter = new RateLimiter(SETTINGS, 1);
    expect(passed(limiter, v4(192, 0, 2, 1), 7, T, 150)).toBe(150);
    expect(passed(limiter, v4(192, 0, 2, 200), 7, T, 150)).toBe(50);
    expect(passed(limiter, v4(192, 0, 3, 1), 7, T, 300)).toBe(200);
    expect(passed(limiter, v6(0x20010db8, 0x00000001), 7, T, 150)).toBe(150);
    expect(passed(limiter, v6(0x20010db8, 0x000000ff, 5, 6), 7, T, 150)).toBe(50);
    expect(passed(limiter, v6(0x20010db8, 0x00000100), 7, T, 300)).toBe(200);
  });

  it.each([
    [0, 0, 200],
    [32, 128, 600],
  ])('with /%i and /%i', (ipv4Prefix, ipv6Prefix, expected) => {
    const limiter = new RateLimiter({ ...SETTINGS, ipv4Prefix, ipv6Prefix }, 1);
    const four = [v4(1, 2, 3, 4), v4(1, 2, 3, 5), v4(200, 2, 3, 4)].map((c) => passed(limiter, c, 7, T, 300));
    const six = [v6(1, 2, 3, 4), v6(1, 2, 3, 5), v6(-1, 2, 3, 4)].map((c) => passed(limiter, c, 7, T, 300));
    expect(four.reduce((a, b) => a + b)).toBe(expected);
    expect(six.reduce((a, b) => a + b)).toBe(expected);
  });

  it('is not an IPv4 network with an IPv6 network of the same bits', () => {
    const limiter = new RateLimiter({ ...SETTINGS, ipv6Prefix: 32 }, 1);
    expect(passed(limiter, v4(32, 1, 13, 0), 7, T, 300)).toBe(200);
    expect(passed(limiter, v6(0x20010d00, 0), 7, T, 300)).toBe(200);
  });

  it('is counted over all threads that share a table', () => {
    const table = createRateTable();
    const threads = [new RateLimiter(SETTINGS, 9, table), new RateLimiter(SETTINGS, 9, table)];
    let n = 0;
    for (let i = 0; i < 1000; i++) if (checkAt(threads[i & 1]!, v4(192, 0, 2, 1), 7, T) === RATE_PASS) n++;
    expect(n).toBe(200);
  });
});

describe('what happens over the limit', () => {
  const over = (slip: number): number[] => {
    const limiter = new RateLimiter({ ...SETTINGS, slip, responsesPerSecond: 1 }, 1);
    return Array.from({ length: 10 }, () => checkAt(limiter, v4(192, 0, 2, 1), 7, T)).slice(1);
  };

  it('slip 1 truncates all of them', () => {
    expect(over(1)).toEqual(Array(9).fill(RATE_SLIP));
  });

  it('slip 0 drops all of them', () => {
    expect(over(0)).toEqual(Array(9).fill(RATE_DROP));
  });

  it('slip 3 truncates every third', () => {
    const d = RATE_DROP;
    expect(over(3)).toEqual([d, d, RATE_SLIP, d, d, RATE_SLIP, d, d, RATE_SLIP]);
  });
});

describe('exempt networks', () => {
  it('pass whatever they ask, and nobody beside them', () => {
    const exempt = ['192.0.2.0/25', '2001:db8:1::/48', '198.51.100.7/32', '2001:db8:2::5/128'].map(
      (p) => parsePrefix(p)!,
    );
    const limiter = new RateLimiter({ ...SETTINGS, exempt }, 1);
    expect(passed(limiter, v4(192, 0, 2, 127), 7, T, 1000)).toBe(1000);
    expect(passed(limiter, v4(198, 51, 100, 7), 7, T, 1000)).toBe(1000);
    expect(passed(limiter, v6(0x20010db8, 0x0001ffff, 1, 1), 7, T, 1000)).toBe(1000);
    expect(passed(limiter, v6(0x20010db8, 0x00020000, 0, 5), 7, T, 1000)).toBe(1000);
    expect(passed(limiter, v4(192, 0, 2, 128), 8, T, 1000)).toBe(100);
    expect(passed(limiter, v4(198, 51, 100, 8), 8, T, 1000)).toBe(100);
    expect(passed(limiter, v6(0x20010db8, 0x00030000), 7, T, 1000)).toBe(200);
    expect(passed(limiter, v6(0x20010db8, 0x00020000, 0, 6), 8, T, 1000)).toBe(100);
  });

  it('/0 exempts a whole family', () => {
    const limiter = new RateLimiter({ ...SETTINGS, exempt: [parsePrefix('0.0.0.0/0')!] }, 1);
    expect(passed(limiter, v4(203, 0, 113, 1), 7, T, 1000)).toBe(1000);
    expect(passed(limiter, v6(0x20010db8, 0), 7, T, 1000)).toBe(200);
  });
});

describe('a flood of forged sources', () => {
  it('does not free a network of its debt', () => {
    const limiter = new RateLimiter({ ...SETTINGS, responsesPerSecond: 1 }, 42);
    let n = 0;
    // Ten times as many networks as there are buckets, at one moment.
    for (let i = 0; i < limits.rateBuckets * 10; i++) {
      checkAt(limiter, { family: 4, w0: i << 8, w1: 0, w2: 0, w3: 0 }, 7, T);
      if (i % 10_000 === 0 && checkAt(limiter, v4(255, 255, 255, 1), 7, T) === RATE_PASS) n++;
    }
    expect(n).toBeLessThanOrEqual(1);
  });

  it('hardly costs others anything at the default rate', () => {
    const limiter = new RateLimiter(SETTINGS, 42);
    let limited = 0;
    // A million packets a second, each from a network of its own, while a resolver asks a hundred times a second.
    for (let i = 0; i < 1_000_000; i++) {
      const now = T + Math.floor(i / 1000);
      checkAt(limiter, { family: 4, w0: i << 8, w1: 0, w2: 0, w3: 0 }, i & 7, now);
      if (i % 10_000 === 0 && checkAt(limiter, v4(255, 255, 255, 1), 7, now) !== RATE_PASS) limited++;
    }
    expect(limited).toBe(0);
  });
});
