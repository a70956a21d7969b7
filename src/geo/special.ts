// Special-purpose address space: IANA's registries. Nobody there is anywhere, whatever a database says.
import { type Address, contains, type Prefix, parsePrefix } from '../base/address.ts';
import { placedAddress } from './embedded.ts';

/** A block of a registry, and the word for those who are in it: "the subnet is private". */
export interface SpecialBlock {
  readonly prefix: Prefix;
  readonly what: string;
}

/**
 * IANA's IPv4 special-purpose registry (RFC 6890 and its successors; the globally reachable ones too: they are anycast), and
 * multicast, which has a registry of its own. IPv4 inside IPv6 (embedded.ts) is judged by these as well.
 */
export const SPECIAL4: readonly SpecialBlock[] = [
  block('0.0.0.0/8', 'this network (RFC 791)'),
  block('10.0.0.0/8', 'private'),
  block('100.64.0.0/10', 'shared by a carrier (RFC 6598)'),
  block('127.0.0.0/8', 'loopback'),
  block('169.254.0.0/16', 'link-local'),
  block('172.16.0.0/12', 'private'),
  block('192.0.0.0/24', 'for protocols (RFC 6890)'),
  block('192.0.2.0/24', 'for documentation'),
  block('192.31.196.0/24', 'anycast (AS112)'),
  block('192.52.193.0/24', 'anycast (AMT)'),
  block('192.88.99.0/24', 'anycast (6to4 relays)'),
  block('192.168.0.0/16', 'private'),
  block('192.175.48.0/24', 'anycast (AS112)'),
  block('198.18.0.0/15', 'for benchmarks'),
  block('198.51.100.0/24', 'for documentation'),
  block('203.0.113.0/24', 'for documentation'),
  block('224.0.0.0/4', 'multicast'),
  block('240.0.0.0/4', 'reserved'),
];

/**
 * IANA's IPv6 special-purpose registry, and what lies outside of 2000::/3, from which alone global addresses are given out
 * (RFC 4291 2.4). A longer prefix stands for itself within a shorter one. Without the blocks that carry IPv4 (embedded.ts).
 */
export const SPECIAL6: readonly SpecialBlock[] = [
  block('::/3', 'reserved'),
  block('::/128', 'unspecified'),
  block('::1/128', 'loopback'),
  block('64:ff9b:1::/48', 'for local translation (RFC 8215)'),
  block('100::/64', 'discarded (RFC 6666)'),
  block('100:0:0:1::/64', 'a dummy prefix (RFC 9780)'),
  block('2001::/23', 'for protocols (RFC 2928)'),
  block('2001:db8::/32', 'for documentation'),
  block('2620:4f:8000::/48', 'anycast (AS112)'),
  block('3fff::/20', 'for documentation'),
  block('4000::/2', 'reserved'),
  block('5f00::/16', 'for segment routing (RFC 9602)'),
  block('8000::/1', 'reserved'),
  block('fc00::/7', 'private'),
  block('fe80::/10', 'link-local'),
  block('ff00::/8', 'multicast'),
];

/** Values of `v4` and `v6` from here on stand for SPECIAL_PLACE: one for each block, so that neighbours stay apart. Above every place id. */
export const SPECIAL_MARK = 0xfff0_0000;

function block(text: string, what: string): SpecialBlock {
  return { prefix: parsePrefix(text)!, what };
}

/** The block that an address lies in, the longest; null for public addresses. IPv4 inside IPv6 counts as IPv4. Not for the answer path. */
export function specialBlockOf(asked: Address): SpecialBlock | null {
  const address = placedAddress(asked);
  let found: SpecialBlock | null = null;
  for (const special of address.family === 4 ? SPECIAL4 : SPECIAL6) {
    if (contains(special.prefix, address) && (found === null || special.prefix.length > found.prefix.length))
      found = special;
  }
  return found;
}

/** Whether an IPv4 address (int32) can lie in such a block at all: for most clients the first octet says no. */
export function maybeSpecial4(address: number): boolean {
  const high = address >>> 24;
  return high >= 192
    ? high === 192 || high === 198 || high === 203 || high >= 224
    : high === 10 || high === 127 || MIDDLE[high] === 1;
}

/** First octets below 192 of the smaller blocks. */
const MIDDLE = new Uint8Array(192);
for (const high of [0, 100, 169, 172]) MIDDLE[high] = 1;

/** The same of the first word of an IPv6 address that carries no IPv4 address. */
export function maybeSpecial6(w0: number): boolean {
  if (w0 >>> 29 !== 1) return true;
  const high = w0 >>> 16;
  return high === 0x2001 || high === 0x2620 || high === 0x3fff;
}
