import { describe, expect, it } from 'vitest';
import { limits } from '../../dist/base/limits.js';
import {
  eachShare,
  SHARE_OTHER,
  SHARE_TABLE_BYTES,
  ShareNames,
  Shares,
  unsharedAnswers,
} from '../../dist/board/shares.js';

const newTable = (): Float64Array => new Float64Array(SHARE_TABLE_BYTES / 8);

function told(table: Float64Array): Map<string, number> {
  const all = new Map<string, number>();
  eachShare(table, (pool, region, answers) => {
    expect(all.has(`${pool} ${region}`)).toBe(false);
    all.set(`${pool} ${region}`, answers);
  });
  return all;
}

describe('the shares of pools', () => {
  it('are counted by pool and region, those with the largest numbers too', () => {
    const table = newTable();
    const shares = new Shares(table);
    const expected = new Map<string, number>();
    const pools = [1, 2, 3, 77, limits.sharePools];
    const regions = [1, 2, 500, limits.shareRegions];
    for (const [i, pool] of pools.entries()) {
      for (const [k, region] of regions.entries()) {
        const times = i * 7 + k + 1;
        for (let n = 0; n < times; n++) shares.count(pool, region);
        expected.set(`${pool} ${region}`, times);
      }
    }
    expect(told(table)).toEqual(expected);
    expect(unsharedAnswers(table)).toBe(0);
  });

  it('lose no answer when the table is full', () => {
    const table = newTable();
    const shares = new Shares(table);
    const pairs = limits.sharePairs + 1000;
    for (let pool = 1; pool <= pairs; pool++) shares.count(pool, 1 + (pool % 7));
    let sum = unsharedAnswers(table);
    for (const answers of told(table).values()) sum += answers;
    expect(sum).toBe(pairs);
    expect(unsharedAnswers(table)).toBeGreaterThan(1000);
    const before = unsharedAnswers(table);
    shares.count(1, 2);
    expect(told(table).get('1 2')).toBe(2);
    expect(unsharedAnswers(table)).toBe(before);
  });

  it('are not counted for what was never linked', () => {
    const table = newTable();
    new Shares(table).count(0, 0);
    expect(told(table).size + unsharedAnswers(table)).toBe(0);
  });
});

describe('the names of what is counted', () => {
  it('keep their numbers for good, whatever comes and goes', () => {
    const names = new ShareNames();
    const first = { zone: 'a.test', pool: 'x', family: 'ipv4' } as const;
    const number = names.pool(first);
    expect(names.pool({ ...first, family: 'ipv6' })).not.toBe(number);
    expect(names.pool({ ...first, zone: 'b.test' })).not.toBe(number);
    expect(names.pool({ ...first })).toBe(number);
    expect(names.poolOf(number)).toEqual(first);
    expect(names.regionOf(names.region('europe'))).toBe('europe');
  });

  it('end with "other"', () => {
    const names = new ShareNames();
    for (let i = 0; i < limits.shareRegions + 5; i++) names.region(`region${i}`);
    expect(names.region('one-more')).toBe(SHARE_OTHER);
    expect(names.regionOf(SHARE_OTHER)).toBe('other');
    expect(names.regionOf(names.region('region7'))).toBe('region7');
  });
});
