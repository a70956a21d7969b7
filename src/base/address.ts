// IP addresses and prefixes: text to bytes and back, and the arithmetic on them.
import { isIPv4, isIPv6 } from 'node:net';

/** An IP address: 4 bytes (IPv4) or 16 (IPv6), network order. */
export interface Address {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
}

/** A network: its first address and the number of leading bits that count. */
export interface Prefix {
  readonly address: Address;
  readonly length: number;
}

/** Bits of an address of this family: 32 or 128. */
export function bitsOf(family: 4 | 6): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/**
 * Reads an address as people write it (`192.0.2.1`, `2001:db8::1`, `::ffff:192.0.2.1`); no zone ids, no octal, no short forms.
 * Returns undefined for anything else.
 */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, bytes: Uint8Array.from(text.split('.'), Number) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const bytes = new Uint8Array(16);
  let head = text;
  const dotted = text.lastIndexOf(':') + 1;
  if (text.includes('.')) {
    const tail = text.slice(dotted).split('.').map(Number) as [number, number, number, number];
    head = `${text.slice(0, dotted)}${((tail[0] << 8) | tail[1]).toString(16)}:${((tail[2] << 8) | tail[3]).toString(16)}`;
  }
  const [left = '', right] = head.split('::') as [string, string?];
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((g) => Number.parseInt(g, 16)));
  const start = groups(left);
  const end = right === undefined ? [] : groups(right);
  const write = (list: number[], from: number): void => {
    list.forEach((group, i) => {
      bytes[(from + i) * 2] = group >> 8;
      bytes[(from + i) * 2 + 1] = group & 0xff;
    });
  };
  write(start, 0);
  write(end, 8 - end.length);
  return { family: 6, bytes };
}

/** The canonical text of an address: dotted quad, or RFC 5952. */
export function formatAddress(address: Address): string {
  const b = address.bytes;
  if (address.family === 4) return `${b[0]}.${b[1]}.${b[2]}.${b[3]}`;
  // RFC 5952 5: addresses known to embed IPv4 (v4-mapped) show it dotted.
  if (b.subarray(0, 10).every((x) => x === 0) && b[10] === 0xff && b[11] === 0xff) {
    return `::ffff:${b[12]}.${b[13]}.${b[14]}.${b[15]}`;
  }
  const groups = Array.from({ length: 8 }, (_, i) => (b[i * 2]! << 8) | b[i * 2 + 1]!);
  // RFC 5952 4.2: the longest run of zero groups (the first of equals), never a single group.
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i > bestLength) {
      best = i;
      bestLength = j - i;
    }
  }
  const hex = (list: number[]): string => list.map((g) => g.toString(16)).join(':');
  if (best < 0) return hex(groups);
  return `${hex(groups.slice(0, best))}::${hex(groups.slice(best + bestLength))}`;
}

/** Reads `192.0.2.0/24`. Returns undefined when it is no prefix; bits past the length are kept (see `hasHostBits`). */
export function parsePrefix(text: string): Prefix | undefined {
  const match = /^([^/]+)\/(0|[1-9][0-9]{0,2})$/.exec(text);
  const address = match ? parseAddress(match[1]!) : undefined;
  const length = match ? Number(match[2]) : 0;
  return address && length <= bitsOf(address.family) ? { address, length } : undefined;
}

/** The prefix's canonical text, `192.0.2.0/24`. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.address)}/${prefix.length}`;
}

/** Whether bits past the prefix length are set, as in `192.0.2.1/24`. */
export function hasHostBits(prefix: Prefix): boolean {
  const network = maskAddress(prefix.address, prefix.length);
  return network.bytes.some((byte, i) => byte !== prefix.address.bytes[i]);
}

/** The address with every bit past `length` cleared. */
export function maskAddress(address: Address, length: number): Address {
  const bytes = address.bytes.slice();
  for (let i = 0; i < bytes.length; i++) {
    const keep = Math.max(0, Math.min(8, length - i * 8));
    bytes[i] = bytes[i]! & (0xff00 >> keep);
  }
  return { family: address.family, bytes };
}

/** Whether `address` lies in `prefix` (same family). */
export function contains(prefix: Prefix, address: Address): boolean {
  if (prefix.address.family !== address.family) return false;
  const masked = maskAddress(address, prefix.length).bytes;
  const network = maskAddress(prefix.address, prefix.length).bytes;
  return masked.every((byte, i) => byte === network[i]);
}

/** Byte-wise order of two addresses of one family: negative, zero or positive. */
export function compareAddresses(a: Address, b: Address): number {
  for (let i = 0; i < a.bytes.length; i++) {
    const difference = a.bytes[i]! - b.bytes[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** 127.0.0.0/8, also where it is v4-mapped, or ::1. */
export function isLoopback({ family, bytes }: Address): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (family === 4) return isLoopbackWords(4, view.getInt32(0), 0, 0, 0);
  return isLoopbackWords(6, view.getInt32(0), view.getInt32(4), view.getInt32(8), view.getInt32(12));
}

/** The same of an address in words of network order, an IPv4 address in the first: for the answer path. */
export function isLoopbackWords(family: 4 | 6, w0: number, w1: number, w2: number, w3: number): boolean {
  if (family === 4) return w0 >>> 24 === 127;
  return (w0 | w1) === 0 && (w2 === 0 ? w3 === 1 : w2 === 0xffff && w3 >>> 24 === 127);
}
