// The hashes that more than one module must agree on: of names, and of (client network, member) for sticky.
import { lowerOctet } from './ascii.ts';

/** Start of a name's hash: the root's. */
export const NAME_HASH_ROOT = 0x2f0b4c47;

/**
 * One label added to the hash of the name to its right, so that one pass from the root gives the hash of every suffix.
 * `at` points at the length byte of the label. ASCII capitals count as lower case (RFC 4343). Returns an int32.
 */
export function hashLabel(suffixHash: number, bytes: Uint8Array, at: number): number {
  const length = bytes[at]!;
  let h = suffixHash ^ length;
  for (let i = at + 1, end = at + 1 + length; i < end; i++) {
    h = Math.imul(h ^ lowerOctet(bytes[i]!), 0x01000193);
  }
  // FNV's low bits are good, its high bits late: fold, or names that differ in the last byte share buckets.
  h ^= h >>> 15;
  return Math.imul(h, 0x2c1b3c6d) ^ (h >>> 13);
}

/** Avalanche of a 32-bit word (murmur3's finaliser): every input bit reaches every output bit. */
export function mix32(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** FNV-1a over the UTF-8 bytes of a text, mixed: the same on every server and in every version. Returns an int32. */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) h = Math.imul(h ^ byte, 0x01000193);
  return mix32(h);
}
