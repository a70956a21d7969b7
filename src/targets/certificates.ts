// Certificates that will soon be the reason why a target is down, told while there is time to renew them.
import { limits } from '../base/limits.ts';
import { plainChecks } from '../health/health.ts';
import type { Check } from '../zone/model.ts';

/** Days that the certificate of a target has left. */
export interface Certificate {
  readonly id: string;
  readonly check: Check;
  readonly days: number;
}

/** The most days that a check asks of a certificate, 0 where it just has to be valid. */
export function leastDays(check: Check): number {
  return Math.max(0, ...plainChecks(check).map(({ probe }) => ('minDays' in probe ? (probe.minDays ?? 0) : 0)));
}

/** A sentence for each certificate that needs renewing, the most urgent first. */
export function certificateWarnings(certificates: Iterable<Certificate>): string[] {
  const soon = [...certificates].filter(({ check, days }) => days < leastDays(check) + limits.certificateWarnDays);
  soon.sort((a, b) => a.days - leastDays(a.check) - (b.days - leastDays(b.check)));
  const told = soon.slice(0, limits.certificatesTold).map(({ id, check, days }) => {
    const least = leastDays(check);
    const what = days < 0 ? 'has expired' : `expires in ${days} ${days === 1 ? 'day' : 'days'}`;
    const then = least === 0 ? 'then' : `below ${least} (min-days)`;
    return `certificate-expires: the certificate of ${id} ${what}; its check ${check.name} fails ${then}: renew it`;
  });
  const more = soon.length - told.length;
  return more > 0 ? [...told, `certificate-expires: so do those of ${more} more targets`] : told;
}
