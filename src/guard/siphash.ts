// SipHash-2-4 with a 64-bit result, in 32-bit halves: BigInt would allocate for every packet.

/** One hasher, reused for every message. The 64-bit result of `hash` stands in `low` and `high`, as int32 words. */
export class SipHash24 {
  low = 0;
  high = 0;

  /**
   * Hashes `message[0 .. length)`.
   * @param key the 128 bits as four little-endian words, see `sipKey`
   */
  hash(key: Int32Array, message: Uint8Array, length: number): void {
    // v0 to v3 as the paper names them, in local halves: v the low, h the high one.
    let v0 = key[0]! ^ 0x70736575;
    let h0 = key[1]! ^ 0x736f6d65;
    let v1 = key[2]! ^ 0x6e646f6d;
    let h1 = key[3]! ^ 0x646f7261;
    let v2 = key[0]! ^ 0x6e657261;
    let h2 = key[1]! ^ 0x6c796765;
    let v3 = key[2]! ^ 0x79746573;
    let h3 = key[3]! ^ 0x74656462;
    let kept = 0;
    // Two rounds for each word of the message, the last of which holds the length in its highest byte; four to finalise.
    const last = length & ~7;
    for (let at = 0; at <= last + 8; at += 8) {
      const finalising = at > last;
      let low = 0;
      let high = 0;
      if (finalising) v2 ^= 0xff;
      else {
        low = wordAt(message, at, length);
        high = wordAt(message, at + 4, length);
        if (at === last) high |= length << 24;
      }
      v3 ^= low;
      h3 ^= high;
      for (let round = finalising ? 4 : 2; round > 0; round--) {
        // v0 += v1; v1 <<<= 13; v1 ^= v0; v0 <<<= 32
        kept = v0;
        v0 = (v0 + v1) | 0;
        h0 = (h0 + h1 + (v0 >>> 0 < kept >>> 0 ? 1 : 0)) | 0;
        kept = v1;
        v1 = ((v1 << 13) | (h1 >>> 19)) ^ v0;
        h1 = ((h1 << 13) | (kept >>> 19)) ^ h0;
        kept = v0;
        v0 = h0;
        h0 = kept;
        // v2 += v3; v3 <<<= 16; v3 ^= v2
        kept = v2;
        v2 = (v2 + v3) | 0;
        h2 = (h2 + h3 + (v2 >>> 0 < kept >>> 0 ? 1 : 0)) | 0;
        kept = v3;
        v3 = ((v3 << 16) | (h3 >>> 16)) ^ v2;
        h3 = ((h3 << 16) | (kept >>> 16)) ^ h2;
        // v0 += v3; v3 <<<= 21; v3 ^= v0
        kept = v0;
        v0 = (v0 + v3) | 0;
        h0 = (h0 + h3 + (v0 >>> 0 < kept >>> 0 ? 1 : 0)) | 0;
        kept = v3;
        v3 = ((v3 << 21) | (h3 >>> 11)) ^ v0;
        h3 = ((h3 << 21) | (kept >>> 11)) ^ h0;
        // v2 += v1; v1 <<<= 17; v1 ^= v2; v2 <<<= 32
        kept = v2;
        v2 = (v2 + v1) | 0;
        h2 = (h2 + h1 + (v2 >>> 0 < kept >>> 0 ? 1 : 0)) | 0;
        kept = v1;
        v1 = ((v1 << 17) | (h1 >>> 15)) ^ v2;
        h1 = ((h1 << 17) | (kept >>> 15)) ^ h2;
        kept = v2;
        v2 = h2;
        h2 = kept;
      }
      v0 ^= low;
      h0 ^= high;
    }
    this.low = v0 ^ v1 ^ v2 ^ v3;
    this.high = h0 ^ h1 ^ h2 ^ h3;
  }
}

/** A key's 16 bytes as the four little-endian words that `SipHash24.hash` takes. */
export function sipKey(bytes: Uint8Array): Int32Array {
  return Int32Array.from([0, 4, 8, 12], (at) => wordAt(bytes, at, 16));
}

/** Four bytes in little-endian order as an int32; those at `end` and behind it count as zero. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  return (
    (at < end ? bytes[at]! : 0) |
    ((at + 1 < end ? bytes[at + 1]! : 0) << 8) |
    ((at + 2 < end ? bytes[at + 2]! : 0) << 16) |
    ((at + 3 < end ? bytes[at + 3]! : 0) << 24)
  );
}
