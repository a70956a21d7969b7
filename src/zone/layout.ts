// The layout of a compiled zone: one position-independent segment, read in place by the answer path.
//
// All offsets are relative to the segment: "word" counts int32 words, "byte" counts bytes. 0 means "none" (the header
// stands there). Multi-byte fields inside record bodies are in network order, everything else is native int32.
//
//  header     see HEADER below
//  nodes      one after another right behind the header, in the order of the file: whoever wants all of them walks there
//  hash table slots of 2 words [suffix hash of the name, node word]; open addressing, linear probing, power of two
//  node       [0] flags | name octets << 8 | set count << 16   [1] node of the cut at or above it, or 0
//             [2] node of its `*` child, or 0                  [3..] set count x SET_WORDS, then the name (wire, lower case)
//  set        static:  [0] type << 8                [1] record count   [2] first record, word     [3] octets when written
//             steered: [0] type << 8 | SET_STEERED  [1] 0              [2] steering, word         [3] 0
//  record     [0] body octets | fixes << 16 | host offset << 24 (offset of a host name in the body that wants additional
//             addresses or, for CNAME, is the target; 0: none)
//             [1] only with a host offset: NS MX SRV HTTPS: node of that name in this zone, or 0; CNAME: byte offset of the
//             whole target name (wire, lower case)
//             then the fixes, two 16-bit offsets a word: where in the body a pointer to the zone's apex goes; then the
//             body (type class ttl rdlength rdata) padded to a word
//  steering   see STEER below, then its lists: per slot a word [list, word]
//  list       [-1] what its regions are counted as, filled in when the zone is linked
//             [0] element count | LIST_STICKY where one of its pools picks sticky, then for each element:
//             POOL     [0][pool, word]
//             CLOSEST  [1][group number within the list][n][pool, word] x n
//             WEIGHTED [2][n]([pool, word][weight]) x n
//  pool       one for each pool and record type that uses it, see POOL below, then its members
//  member     [0] target (number in the zone as compiled, board slot once linked)  [1] weight  [2] hash for sticky
//             [3] IPv4: the address; IPv6: byte offset of 16 octets; name: word of a ready-made CNAME record
//  network    who may transfer the zone, see NETWORK below
//
// A `closest` stands in the order of the file: the client's region map has the order. A `weighted` has its shares of 0 last: they
// serve only when nothing else does.
//
// Signatures (DNSSEC, later) have their place beside what they sign: a set grows by a word that leads to its signatures; of a
// steered set there is one for each variant that its lists can give, made when the zone is compiled or a verdict turns, so that
// answering only copies. That is a new LAYOUT_VERSION; kept images of another version are compiled anew.

import type { Choice } from './model.ts';

const LAYOUT_VERSION = 4;
export const MAGIC = 0x4d5a0000 | LAYOUT_VERSION;

export const HEADER = {
  magic: 0,
  words: 1,
  apexByte: 2,
  apexLength: 3,
  apexLabels: 4,
  table: 5,
  tableMask: 6,
  nodes: 7,
  apexNode: 8,
  /** Ready-made SOA records: as asked for (its TTL), and for negative answers (RFC 2308 3: the lesser of TTL and minimum). */
  soa: 9,
  negativeSoa: 10,
  negativeTtl: 11,
  /** Byte offsets of the serial in both, filled in when the zone is linked. */
  serialByte: 12,
  negativeSerialByte: 13,
  /** Count and list of the word offsets of every member's target number, which linking replaces by board slots. */
  memberCount: 14,
  members: 15,
  records: 16,
  /** Count and first of the networks that may transfer the zone. */
  networkCount: 17,
  networks: 18,
  size: 19,
} as const;

export const NODE_FLAGS = 0;
export const NODE_CUT = 1;
export const NODE_WILDCARD = 2;
export const NODE_SETS = 3;

/** The node owns a delegation (NS below the apex). */
export const FLAG_CUT = 1;
/** The node is itself a `*` name. */
export const FLAG_WILDCARD = 2;

export const SET_WORDS = 4;
export const SET_TYPE = 0;
export const SET_COUNT = 1;
export const SET_DATA = 2;
export const SET_BYTES = 3;
export const SET_STEERED = 1;
/** A TXT that says who asked: made for each query, without records here. */
export const SET_WHOAMI = 2;

/** The record type of a set, from its first word. */
export function typeOf(setWord: number): number {
  return setWord >>> 8;
}

export const RECORD_FIXES_SHIFT = 16;
export const RECORD_HOST_SHIFT = 24;

export const STEER = {
  type: 0,
  /** bits 0-1: when all down (WHEN_*); bit 2: the TTL follows health; bit 3: pools without a member of the family are passed over. */
  flags: 1,
  ttlMax: 2,
  ttlMin: 3,
  /** Most records of an answer; 0: the contract's default. */
  answers: 4,
  /** Number of its region map in the zone, -1: every client has the default list. */
  map: 5,
  defaultSlot: 6,
  /** Its number in the zone: where explain finds its words. */
  number: 7,
  slots: 8,
  size: 9,
} as const;

export const WHEN_SERVE = 0;
export const WHEN_NODATA = 1;
export const WHEN_SERVFAIL = 2;
export const STEER_DYNAMIC_TTL = 4;
export const STEER_NEXT_FAMILY = 8;

/** What answers when nothing is live (WHEN_*), from a steering's flags. */
export function whenOf(steerFlags: number): number {
  return steerFlags & 3;
}

/** Some pool of the list picks `sticky`: its answers hold for a /24 or /56 at most. */
export const LIST_STICKY = 0x10000;
export const LIST_COUNT_MASK = 0xffff;
/** Word before a list: what its regions are counted as. */
export const LIST_REGION = -1;

/** The kinds of a list's elements, one for each kind of `Choice`. */
export const ELEMENT = { pool: 0, closest: 1, weighted: 2 } as const satisfies Record<Choice['kind'], number>;
export type ElementKind = (typeof ELEMENT)[keyof typeof ELEMENT];

export const POOL = {
  /** bits 0-1: PICK_*; bits 2-3: FAMILY_*. */
  flags: 0,
  minLive: 1,
  count: 2,
  /** The same pool's members of the other address family, word; 0: none. */
  other: 3,
  /** The pool's number in the zone: where explain finds its name. */
  number: 4,
  /** What its answers are counted as (see board/shares.ts), filled in when the zone is linked. */
  share: 5,
  members: 6,
} as const;

export const PICK_WEIGHTED = 0;
export const PICK_ORDERED = 1;
export const PICK_STICKY = 2;
export type PickCode = typeof PICK_WEIGHTED | typeof PICK_ORDERED | typeof PICK_STICKY;
export const FAMILY_4 = 0;
export const FAMILY_6 = 1;
export const FAMILY_NAME = 2;

/** How a pool picks its members (PICK_*), from its flags. */
export function pickOf(poolFlags: number): PickCode {
  return (poolFlags & 3) as PickCode;
}

/** What its members are (FAMILY_*), from its flags. */
export function familyOf(poolFlags: number): number {
  return (poolFlags >>> 2) & 3;
}

export const NETWORK = {
  /** Family (4 or 6) | prefix length << 8. */
  head: 0,
  /** Four words; of IPv4 the first. */
  address: 1,
  size: 5,
} as const;

export const MEMBER_WORDS = 4;
export const MEMBER_TARGET = 0;
export const MEMBER_WEIGHT = 1;
export const MEMBER_HASH = 2;
export const MEMBER_DATA = 3;
