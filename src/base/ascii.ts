// ASCII lower case of one octet, for names that compare without regard to case (RFC 4343).

/**
 * The octet in lower case if it is a capital (65 to 90), else itself; a length octet of a name (at most 63) never looks like one.
 * Without a branch: where resolvers throw the case of each letter (0x20), every second one would be predicted wrongly, a quarter of an
 * answer's own cost (`bench/respond.mjs`, mix: 800 ns before, 600 after).
 */
export function lowerOctet(octet: number): number {
  // Both differences are negative, with bit 31 set, for capitals alone; it comes to stand where 32 is.
  return octet | ((((64 - octet) & (octet - 91)) >>> 26) & 32);
}
