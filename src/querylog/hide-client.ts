// Takes out of a DNS message what would tell one client from its neighbours: the end of its subnet, and its cookie.
import { ECS_IPV4, HEADER_BYTES } from '../wire/query.ts';
import { EDNS_OPTION } from '../wire/types.ts';
import { eachOption, findOpts } from './opt-record.ts';

/** Octets of a client subnet option before the address (RFC 7871 6), and of the address what stays: a /24, a /56. */
const SUBNET_HEAD = 4;
const SUBNET_OCTETS = { 4: 3, 6: 7 } as const;

/**
 * Overwrites it with zeros; the message's length and everything else stay. Of a message that is broken, where nobody can say what is what,
 * only the header stays.
 */
export function hideClient(message: Uint8Array): void {
  const opts = findOpts(message);
  if (opts === null) message.fill(0, Math.min(HEADER_BYTES, message.length));
  for (const opt of opts ?? []) {
    eachOption(message, opt, (code, from, end) => {
      if (code === EDNS_OPTION.COOKIE) message.fill(0, from, end);
      else if (code === EDNS_OPTION.ECS) {
        const family = ((message[from]! << 8) | message[from + 1]!) === ECS_IPV4 ? 4 : 6;
        message.fill(0, Math.min(end, from + SUBNET_HEAD + SUBNET_OCTETS[family]), end);
      }
    });
  }
}
