// IPv4 addresses inside IPv6 ones: v4-mapped, NAT64, 6to4 and Teredo, each a block of its own.
import { type Address, bitsOf, contains, type Prefix, parsePrefix } from '../base/address.ts';

/** No block: an ordinary IPv6 address. */
export const NOT_EMBEDDED = -1;

/** The blocks, in the order of their numbers (and of the words in the geo image that say where they are). */
export const EMBEDDED_BLOCKS: readonly Prefix[] = [
  // RFC 4291 2.5.5.2: IPv4-mapped.
  parsePrefix('::ffff:0:0/96')!,
  // RFC 6052 2.1: the well-known prefix of NAT64.
  parsePrefix('64:ff9b::/96')!,
  // RFC 3056 2: 6to4.
  parsePrefix('2002::/16')!,
  // RFC 4380 2.6: Teredo.
  parsePrefix('2001::/32')!,
];

const TEREDO = 3;

/** Bits that precede the IPv4 address, by block. In 6to4 sixteen bits of it stand in the first word and sixteen in the second. */
const PRECEDING_BITS: readonly number[] = [96, 96, 16, 96];

/** The number of the block that the address (four int32 words) lies in, or NOT_EMBEDDED. */
export function embeddedBlock(w0: number, w1: number, w2: number, _w3: number): number {
  // Nearly every address leaves here: its first 16 bits are neither 0, 0x64, 0x2001 nor 0x2002.
  const high = w0 >>> 16;
  if (high === 0x2001) return (w0 & 0xffff) === 0 ? TEREDO : NOT_EMBEDDED;
  if (high === 0x2002) return 2;
  if (w0 === 0 && w1 === 0 && w2 === 0xffff) return 0;
  if (w0 === 0x0064ff9b && w1 === 0 && w2 === 0) return 1;
  return NOT_EMBEDDED;
}

/** The IPv4 address (int32) inside an address of that block. Teredo hides the client's by inverting it (RFC 4380 4). */
export function embeddedAddress(block: number, w0: number, w1: number, _w2: number, w3: number): number {
  if (block === 2) return (w0 << 16) | (w1 >>> 16);
  return block === TEREDO ? ~w3 : w3;
}

/** How many bits of the IPv6 address precede the IPv4 address. */
export function embeddedPrecedingBits(block: number): number {
  return PRECEDING_BITS[block]!;
}

/** The IPv4 address in an IPv6 one, as an address; the address itself where there is none inside. */
export function placedAddress(address: Address): Address {
  if (address.family === 4) return address;
  const view = new DataView(address.bytes.buffer, address.bytes.byteOffset, 16);
  const w0 = view.getInt32(0);
  const w1 = view.getInt32(4);
  const w2 = view.getInt32(8);
  const w3 = view.getInt32(12);
  const block = embeddedBlock(w0, w1, w2, w3);
  if (block === NOT_EMBEDDED) return address;
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, embeddedAddress(block, w0, w1, w2, w3));
  return { family: 4, bytes };
}

/**
 * What a network covers when addresses inside these blocks are placed as IPv4: itself, the IPv4 network that it stands for
 * (`::ffff:192.0.2.0/120` is 192.0.2.0/24), or undefined for a part of a block that is no IPv4 network.
 */
export function placedPrefix(prefix: Prefix): Prefix | undefined {
  if (prefix.address.family === 4) return prefix;
  const block = EMBEDDED_BLOCKS.findIndex((b) => b.length <= prefix.length && contains(b, prefix.address));
  if (block < 0) return prefix;
  const length = prefix.length - PRECEDING_BITS[block]!;
  if (block === TEREDO || length < 0 || length > bitsOf(4)) return undefined;
  return { address: placedAddress(prefix.address), length };
}
