// Writes a response over the request it answers: header, records, and nothing past the limit.

import { lowerOctet } from '../base/ascii.ts';
import type { ZoneView } from '../zone/find.ts';
import { RECORD_FIXES_SHIFT, RECORD_HOST_SHIFT } from '../zone/layout.ts';

export const SECTION_ANSWER = 0;
export const SECTION_AUTHORITY = 1;
export const SECTION_ADDITIONAL = 2;

const POINTER = 0xc000;
/** The furthest offset that a compression pointer reaches (RFC 1035 4.1.4). */
export const POINTER_REACH = 0x3fff;

/** The response being written; one for each thread. Offsets named `...Offset` count from the start of the message. */
export class Message {
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the message starts in `bytes`. */
  at = 0;
  /** Where the first record goes, in `bytes`: behind the question, or the header where the question can't be repeated. */
  first = 0;
  /** Where the next octet goes, in `bytes`. */
  p = 0;
  /** Records may not reach past this place in `bytes`. */
  end = 0;
  answers = 0;
  authorities = 0;
  additionals = 0;
  authoritative = false;
  truncated = false;
  rcode = 0;
  /** Where the body of the record last written starts, in `bytes`. */
  body = 0;

  /** Starts a response whose records begin at `first`. */
  start(bytes: Uint8Array, at: number, first: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.first = first;
    this.p = first;
    this.end = end;
    this.answers = 0;
    this.authorities = 0;
    this.additionals = 0;
    this.authoritative = false;
    this.truncated = false;
    this.rcode = 0;
  }

  /** Forgets all records that were written. */
  clear(): void {
    this.p = this.first;
    this.answers = 0;
    this.authorities = 0;
    this.additionals = 0;
  }

  count(section: number): void {
    if (section === SECTION_ANSWER) this.answers++;
    else if (section === SECTION_AUTHORITY) this.authorities++;
    else this.additionals++;
  }

  /**
   * Writes one ready-made record of a zone.
   * @param record its word in the zone
   * @param ownerOffset where its owner's name stands in the message, at most POINTER_REACH
   * @param apexOffset where the zone's apex stands in the message
   * @param ttlSeconds instead of the record's own; -1: its own
   * Returns false, with nothing written, when it doesn't fit.
   */
  record(
    zone: ZoneView,
    record: number,
    ownerOffset: number,
    apexOffset: number,
    ttlSeconds: number,
    section: number,
  ): boolean {
    const head = zone.words[zone.base + record]!;
    const octets = head & 0xffff;
    let p = this.p;
    if (p + 2 + octets > this.end) return false;
    const fixes = (head >>> RECORD_FIXES_SHIFT) & 255;
    const fixWord = zone.base + record + (head >>> RECORD_HOST_SHIFT !== 0 ? 2 : 1);
    const out = this.bytes;
    out[p] = (POINTER | ownerOffset) >> 8;
    out[p + 1] = ownerOffset;
    p += 2;
    this.body = p;
    const source = zone.bytes;
    let from = (fixWord + ((fixes + 1) >> 1)) * 4;
    const stop = p + octets;
    for (let to = p; to < stop; to++, from++) out[to] = source[from]!;
    for (let i = 0; i < fixes; i++) {
      const pair = zone.words[fixWord + (i >> 1)]!;
      const to = p + ((i & 1) === 0 ? pair & 0xffff : pair >>> 16);
      out[to] = (POINTER | apexOffset) >> 8;
      out[to + 1] = apexOffset;
    }
    if (ttlSeconds >= 0) {
      out[p + 4] = ttlSeconds >>> 24;
      out[p + 5] = ttlSeconds >>> 16;
      out[p + 6] = ttlSeconds >>> 8;
      out[p + 7] = ttlSeconds;
    }
    this.p = stop;
    this.count(section);
    return true;
  }

  /** Writes an A record. Returns false when it doesn't fit. */
  address4(ownerOffset: number, ttlSeconds: number, address: number): boolean {
    const p = this.p;
    if (p + 16 > this.end) return false;
    const out = this.bytes;
    this.#fixed(p, ownerOffset, 1, ttlSeconds, 4);
    out[p + 12] = address >>> 24;
    out[p + 13] = address >>> 16;
    out[p + 14] = address >>> 8;
    out[p + 15] = address;
    this.p = p + 16;
    this.answers++;
    return true;
  }

  /** Writes an AAAA record with the 16 octets at `source[from]`. Returns false when it doesn't fit. */
  address6(ownerOffset: number, ttlSeconds: number, source: Uint8Array, from: number): boolean {
    const p = this.p;
    if (p + 28 > this.end) return false;
    const out = this.bytes;
    this.#fixed(p, ownerOffset, 28, ttlSeconds, 16);
    for (let i = 0; i < 16; i++) out[p + 12 + i] = source[from + i]!;
    this.p = p + 28;
    this.answers++;
    return true;
  }

  #fixed(p: number, ownerOffset: number, type: number, ttlSeconds: number, octets: number): void {
    const out = this.bytes;
    out[p] = (POINTER | ownerOffset) >> 8;
    out[p + 1] = ownerOffset;
    out[p + 2] = 0;
    out[p + 3] = type;
    out[p + 4] = 0;
    out[p + 5] = 1;
    out[p + 6] = ttlSeconds >>> 24;
    out[p + 7] = ttlSeconds >>> 16;
    out[p + 8] = ttlSeconds >>> 8;
    out[p + 9] = ttlSeconds;
    out[p + 10] = 0;
    out[p + 11] = octets;
  }

  /** Offset of the suffix left after `skip` labels of the name at `offset`, with pointers followed: fit to point at. */
  suffixOffset(offset: number, skip: number): number {
    const out = this.bytes;
    let p = this.at + offset;
    for (let k = skip; ; k--) {
      while (out[p]! >= 0xc0) p = this.at + (((out[p]! & 0x3f) << 8) | out[p + 1]!);
      if (k === 0) return p - this.at;
      p += out[p]! + 1;
    }
  }

  /** Whether one of the first `count` names at `offsets` is the uncompressed name at `bytes[at]`. */
  hasName(offsets: Int32Array, count: number, bytes: Uint8Array, at: number): boolean {
    for (let i = 0; i < count; i++) if (this.nameEquals(offsets[i]!, bytes, at)) return true;
    return false;
  }

  /** Whether the name at `offset`, with pointers followed, is the lower-case wire name at `other[otherAt]`. */
  nameEquals(offset: number, other: Uint8Array, otherAt: number): boolean {
    const out = this.bytes;
    let p = this.at + offset;
    let q = otherAt;
    for (;;) {
      while (out[p]! >= 0xc0) p = this.at + (((out[p]! & 0x3f) << 8) | out[p + 1]!);
      const length = out[p]!;
      if (length !== other[q]) return false;
      if (length === 0) return true;
      for (let i = 1; i <= length; i++) {
        if (lowerOctet(out[p + i]!) !== other[q + i]) return false;
      }
      p += length + 1;
      q += length + 1;
    }
  }

  /** Writes the header over the request's and returns the length of the message. `questions`: 0 or 1. */
  finish(questions: number): number {
    const out = this.bytes;
    const at = this.at;
    // RFC 1035 4.1.1: QR, AA and TC are ours, opcode and RD the request's; RA is never set: no recursion here.
    out[at + 2] = 0x80 | (out[at + 2]! & 0x79) | (this.authoritative ? 4 : 0) | (this.truncated ? 2 : 0);
    // RFC 4035 3.1.6 and 3.2.2: CD is copied, AD is never set.
    out[at + 3] = (out[at + 3]! & 0x10) | (this.rcode & 15);
    out[at + 4] = 0;
    out[at + 5] = questions;
    out[at + 6] = this.answers >> 8;
    out[at + 7] = this.answers;
    out[at + 8] = this.authorities >> 8;
    out[at + 9] = this.authorities;
    out[at + 10] = this.additionals >> 8;
    out[at + 11] = this.additionals;
    return this.p - at;
  }
}
