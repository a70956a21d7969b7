// Finds the OPT records of a DNS message that may be broken anywhere, and goes through their options (RFC 6891 6.1).
import { HEADER_BYTES } from '../wire/query.ts';
import { TYPE } from '../wire/types.ts';

/** Octets of a record behind its owner's name, before its data. */
const FIXED_OCTETS = 10;

/** Where the types of its OPT records stand in the message: one at most, in a good one. null: it is broken before its end. */
export function findOpts(message: Uint8Array): number[] | null {
  const count = (at: number): number => (message[at]! << 8) | message[at + 1]!;
  if (message.length < HEADER_BYTES) return null;
  const found: number[] = [];
  let p = HEADER_BYTES;
  for (let i = count(4); i > 0 && p >= 0; i--) p = skipName(message, p, 4);
  const before = count(6) + count(8);
  const records = before + count(10);
  for (let i = 0; i < records && p >= 0; i++) {
    const type = skipName(message, p, 0);
    if (type < 0 || type + FIXED_OCTETS > message.length) return null;
    if (i >= before && count(type) === TYPE.OPT) found.push(type);
    p = type + FIXED_OCTETS + count(type + 8);
    if (p > message.length) return null;
  }
  return p < 0 ? null : found;
}

/** The upper eight bits of the response code, from the OPT record at `opt` (RFC 6891 6.1.3). */
export function extendedRcode(message: Uint8Array, opt: number): number {
  return message[opt + 4]!;
}

/** Calls back for each option of the OPT record at `opt`: its code, where its data is in the message and where that ends. */
export function eachOption(
  message: Uint8Array,
  opt: number,
  callback: (code: number, from: number, end: number) => void,
): void {
  const end = Math.min(message.length, opt + FIXED_OCTETS + ((message[opt + 8]! << 8) | message[opt + 9]!));
  let p = opt + FIXED_OCTETS;
  while (p + 4 <= end) {
    const code = (message[p]! << 8) | message[p + 1]!;
    const next = p + 4 + ((message[p + 2]! << 8) | message[p + 3]!);
    callback(code, p + 4, Math.min(next, end));
    p = next;
  }
}

/** The place behind the name at `at` and `more` octets; -1 where the message ends before. */
function skipName(message: Uint8Array, at: number, more: number): number {
  let p = at;
  while (p < message.length) {
    const length = message[p]!;
    // RFC 1035 4.1.4: a pointer ends a name. 0x40 and 0x80 are no labels of today.
    if (length >= 0xc0) p += 2;
    else if (length === 0) p += 1;
    else if (length < 0x40) {
      p += length + 1;
      continue;
    } else return -1;
    return p + more <= message.length ? p + more : -1;
  }
  return -1;
}
