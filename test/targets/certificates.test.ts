import { describe, expect, it } from 'vitest';
import { certificateWarnings, leastDays } from '../../dist/targets/certificates.js';
import type { Check } from '../../dist/zone/model.js';

const https = (minDays: number | null): Check =>
  ({ name: 'web', probe: { kind: 'http', minDays } }) as unknown as Check;
const of = (id: string, days: number, minDays: number | null) => ({ id, days, check: https(minDays) });

describe('a warning of a certificate', () => {
  it('comes two weeks before the check fails, and not earlier', () => {
    expect(certificateWarnings([of('a', 14, null), of('b', 21, 7)])).toEqual([]);
    expect(certificateWarnings([of('a', 13, null)])).toEqual([
      'certificate-expires: the certificate of a expires in 13 days; its check web fails then: renew it',
    ]);
    expect(certificateWarnings([of('b', 20, 7)])[0]).toContain('fails below 7 (min-days)');
  });

  it('names the most urgent first, and no more than twenty', () => {
    const many = Array.from({ length: 30 }, (_, i) => of(`t${i}`, 10 - (i % 10), i < 10 ? 7 : null));
    const told = certificateWarnings(many);
    expect(told).toHaveLength(21);
    expect(told[0]).toContain(' of t9 ');
    expect(told[20]).toBe('certificate-expires: so do those of 10 more targets');
  });

  it('says so when it has expired', () => {
    expect(certificateWarnings([of('a', -1, null)])[0]).toContain('has expired');
  });

  it('goes by the strictest part of a combined check', () => {
    const both = {
      name: 'both',
      probe: { kind: 'combined', of: [https(3), https(30)], atLeast: 2 },
    } as unknown as Check;
    expect(leastDays(both)).toBe(30);
  });
});
