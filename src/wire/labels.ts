// A name on the answer path: where its labels start and the hash of every suffix, from one pass over the bytes.
import { lowerOctet } from '../base/ascii.ts';
import { hashLabel, NAME_HASH_ROOT } from '../base/hash.ts';
import { limits } from '../base/limits.ts';

/** One name being looked at; reused for every packet. */
export class Labels {
  /** The bytes that the name stands in, and where it starts. */
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  /** Octets on the wire, the final zero included; 0 after a failed read. */
  length = 0;
  /** Labels without the root. */
  count = 0;
  /** Offset from `at` of label i, counted from the left; entry `count` is the root's. */
  readonly starts = new Uint8Array(limits.nameLabels + 1);
  /** Hash of the suffix that starts at label i; entry `count` is the root's. */
  readonly hashes = new Int32Array(limits.nameLabels + 1);

  /**
   * Reads an uncompressed name at `bytes[at]`, not past `end`. Returns false for anything else: a label over 63 octets, a
   * compression pointer (no question has anything to point at), a name over 255 octets, or the end of the data.
   */
  read(bytes: Uint8Array, at: number, end: number): boolean {
    this.bytes = bytes;
    this.at = at;
    this.length = 0;
    const starts = this.starts;
    let p = at;
    let count = 0;
    for (;;) {
      if (p >= end) return false;
      const length = bytes[p]!;
      starts[count] = p - at;
      if (length === 0) break;
      if (length > limits.labelBytes) return false;
      p += length + 1;
      if (p - at >= limits.nameBytes) return false;
      count++;
    }
    this.count = count;
    this.length = p + 1 - at;
    const hashes = this.hashes;
    let h = NAME_HASH_ROOT;
    hashes[count] = h;
    for (let i = count - 1; i >= 0; i--) {
      h = hashLabel(h, bytes, at + starts[i]!);
      hashes[i] = h;
    }
    return true;
  }

  /** Whether the suffix from label `i` on equals the lower-case wire name at `other[otherAt]` of `otherLength` octets. */
  suffixEquals(i: number, other: Uint8Array, otherAt: number, otherLength: number): boolean {
    const start = this.starts[i]!;
    if (this.length - start !== otherLength) return false;
    const bytes = this.bytes;
    const from = this.at + start;
    // To the end in any case: who asks has compared hashes, so names that differ hardly come here.
    let differing = 0;
    for (let k = 0; k < otherLength; k++) differing |= lowerOctet(bytes[from + k]!) ^ other[otherAt + k]!;
    return differing === 0;
  }
}
