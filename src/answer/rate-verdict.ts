// What rate limiting makes of a response: it passes, is sent truncated, or isn't sent.
import { COUNT } from '../board/counters.ts';
import { RATE_DROP, RATE_PASS, type RateLimiter } from '../guard/rate.ts';
import type { Message } from './message.ts';
import type { Peer } from './port.ts';

/** Counts the response under `hash`, and truncates it where that is due. Returns whether it must not be sent. */
export function isDropped(
  rate: RateLimiter,
  peer: Peer,
  hash: number,
  message: Message,
  counters: Float64Array,
): boolean {
  const verdict = rate.check(peer, hash ^ (message.rcode << 8));
  if (verdict === RATE_PASS) return false;
  if (verdict === RATE_DROP) {
    counters[COUNT.rateLimitDropped]!++;
    return true;
  }
  counters[COUNT.rateLimitSlipped]!++;
  message.clear();
  message.truncated = true;
  return false;
}
