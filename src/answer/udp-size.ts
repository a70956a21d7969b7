// How large a response over UDP may be.
import { limits } from '../base/limits.ts';
import type { Query } from '../wire/query.ts';
import type { AnswerParts } from './parts.ts';

/** Octets; `trusted`: a valid cookie came with the request. */
export function udpBytes(query: Query, parts: AnswerParts, trusted: boolean): number {
  const own = trusted ? parts.udpMaxBytes : Math.min(parts.udpMaxBytes, parts.udpMaxBytesWithoutCookie);
  // RFC 6891 6.2.3: a client's size below 512 counts as 512.
  return query.edns ? Math.min(Math.max(query.udpSize, limits.plainUdpBytes), own) : limits.plainUdpBytes;
}
