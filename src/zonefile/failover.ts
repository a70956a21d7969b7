// How long clients can be sent to a backend that is dead: from its last breath to the last cached answer.
import type { Check, Pool, SteeredSet, Ttl } from '../zone/model.ts';

/**
 * Seconds from a backend's death until it is known to be down, at worst. With fast recheck only the first failure has to wait for
 * its turn; the next probe starts a second after the start of the failed one, or when that one has timed out.
 */
export function detectionSeconds(check: Check): number {
  if (check.probe.kind === 'combined') return Math.max(...check.probe.of.map(detectionSeconds));
  const intervalMs = check.intervalMs;
  const { fall, timeoutMs } = check;
  const ms = check.fastRecheck
    ? intervalMs + (fall - 1) * Math.max(1000, timeoutMs) + timeoutMs
    : intervalMs * fall + timeoutMs;
  return ms / 1000;
}

/** Seconds from a backend's death until the last client has forgotten it: detection and then the TTL of the last answer. */
export function failoverSeconds(check: Check, ttlSeconds: number): number {
  return detectionSeconds(check) + ttlSeconds;
}

/** The longest TTL that an answer with members of a checked pool can carry while they are up. */
export function longestTtlSeconds(ttl: Ttl, check: Check): number {
  if (!ttl.dynamic) return ttl.max;
  return Math.max(ttl.min, Math.min(ttl.max, (check.intervalMs * check.fall) / 1000));
}

/** The slowest failover of a record set over the pools given; null when none of them is checked. */
export function slowestFailoverSeconds(set: SteeredSet, pools: Iterable<Pool>): number | null {
  let slowest: number | null = null;
  for (const { check } of pools) {
    if (check !== null) slowest = Math.max(slowest ?? 0, failoverSeconds(check, longestTtlSeconds(set.ttl, check)));
  }
  return slowest;
}
