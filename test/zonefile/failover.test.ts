// How slow failover can be: the contract's one formula.
import { describe, expect, it } from 'vitest';
import type { Check } from '../../dist/zone/model.js';
import { detectionSeconds, failoverSeconds, longestTtlSeconds } from '../../dist/zonefile/failover.js';

const tcp = {
  kind: 'tcp',
  port: 1,
  tls: false,
  sni: null,
  verify: true,
  caFile: null,
  send: null,
  expect: null,
} as const;
const base: Check = {
  name: 'c',
  probe: tcp,
  intervalMs: 10_000,
  timeoutMs: 2_000,
  fall: 3,
  rise: 2,
  fastRecheck: true,
};

describe('the slowest failover', () => {
  it('with fast recheck is interval + (fall - 1) x max(1 s, timeout) + timeout + TTL', () => {
    expect(failoverSeconds(base, 60)).toBe(10 + 2 * 2 + 2 + 60);
    expect(failoverSeconds({ ...base, timeoutMs: 500 }, 30)).toBe(10 + 2 * 1 + 0.5 + 30);
    expect(failoverSeconds({ ...base, fall: 1 }, 0)).toBe(12);
  });

  it('without it is interval x fall + timeout + TTL', () => {
    expect(failoverSeconds({ ...base, fastRecheck: false }, 60)).toBe(10 * 3 + 2 + 60);
  });

  it('of a combination is that of its slowest part', () => {
    const slow = { ...base, intervalMs: 60_000 };
    const both: Check = { ...base, probe: { kind: 'combined', atLeast: 1, of: [base, slow] } };
    expect(detectionSeconds(both)).toBe(detectionSeconds(slow));
  });

  it('counts the longest TTL that an answer can carry', () => {
    expect(longestTtlSeconds({ max: 300, min: 300, dynamic: false }, base)).toBe(300);
    expect(longestTtlSeconds({ max: 300, min: 20, dynamic: true }, base)).toBe(30);
    expect(longestTtlSeconds({ max: 25, min: 20, dynamic: true }, base)).toBe(25);
    expect(longestTtlSeconds({ max: 300, min: 40, dynamic: true }, base)).toBe(40);
  });
});
