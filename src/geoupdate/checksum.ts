// Checksums as publishers write them beside their files.
import { createHash } from 'node:crypto';

/** Hexadecimal digits of each. */
const DIGITS = { sha256: 64, md5: 32 } as const;

/**
 * The digest in a checksum file, lower case: alone, `DIGEST  NAME` (GNU), or `MD5 (NAME) = DIGEST` (BSD). undefined: there is none, or
 * several that differ.
 */
export function readChecksum(text: string, algorithm: keyof typeof DIGITS): string | undefined {
  const found = text.match(/(?<![0-9A-Za-z])[0-9A-Fa-f]+(?![0-9A-Za-z])/g) ?? [];
  const digests = new Set(found.filter(({ length }) => length === DIGITS[algorithm]).map((hex) => hex.toLowerCase()));
  return digests.size === 1 ? [...digests][0] : undefined;
}

export function digestOf(bytes: Uint8Array, algorithm: keyof typeof DIGITS): string {
  return createHash(algorithm).update(bytes).digest('hex');
}
