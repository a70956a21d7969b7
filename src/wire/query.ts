// Reads a request: header, question, EDNS and client subnet, into fields that are reused for every packet.
import { limits } from '../base/limits.ts';
import { Labels } from './labels.ts';
import { CLASS, EDNS_OPTION, OPCODE, TYPE } from './types.ts';

/** What the reader made of a request. */
export const READ_OK = 0;
/** Not to be answered at all: no header, a response, source port 0. */
export const READ_SILENT = 1;
/** FORMERR, and the question can't be repeated. */
export const READ_BROKEN = 2;
/** FORMERR, the question stands at its place. */
export const READ_FORMERR = 3;
/** An opcode other than QUERY. */
export const READ_NOTIMP = 4;
/** EDNS version over 0 (RFC 6891 6.1.3). */
export const READ_BADVERS = 5;

export const HEADER_BYTES = 12;

/** The ECS family numbers of RFC 7871 6 (address family numbers). */
export const ECS_IPV4 = 1;
const ECS_IPV6 = 2;

/** One request. All fields are valid until the next `read`. */
export class Query {
  readonly name = new Labels();
  opcode = 0;
  recursionDesired = false;
  checkingDisabled = false;
  type = 0;
  class = 0;
  /** Offset of the first byte behind the question. */
  questionEnd = 0;

  edns = false;
  version = 0;
  /** The client's UDP size as it stands in its OPT. */
  udpSize = 0;
  dnssecOk = false;

  ecs = false;
  ecsFamily = 0;
  ecsSource = 0;
  /** The subnet's address as int32 words (IPv4: the first). */
  ecs0 = 0;
  ecs1 = 0;
  ecs2 = 0;
  ecs3 = 0;

  /** Cookie option: its bytes (8 of the client, up to 32 of the server) are copied here; 0: none. */
  readonly cookie = new Uint8Array(40);
  cookieLength = 0;
  nsid = false;
  padding = false;
  keepalive = false;

  /** Reads `bytes[at .. at+length)`. Returns one of the READ_ values. Never throws. */
  read(bytes: Uint8Array, at: number, length: number): number {
    this.edns = false;
    this.ecs = false;
    this.dnssecOk = false;
    this.cookieLength = 0;
    this.nsid = false;
    this.padding = false;
    this.keepalive = false;
    this.type = 0;
    this.class = 0;
    this.questionEnd = at + HEADER_BYTES;
    this.name.length = 0;
    this.name.count = 0;
    // RFC 1035 7.3: what has no header can't be answered; QR=1 would start a loop between two servers.
    if (length < HEADER_BYTES || (bytes[at + 2]! & 0x80) !== 0) return READ_SILENT;
    const end = at + length;
    const flags = bytes[at + 2]!;
    this.opcode = (flags >> 3) & 15;
    this.recursionDesired = (flags & 1) !== 0;
    this.checkingDisabled = (bytes[at + 3]! & 0x10) !== 0;
    const questions = (bytes[at + 4]! << 8) | bytes[at + 5]!;
    const answers = (bytes[at + 6]! << 8) | bytes[at + 7]!;
    const authorities = (bytes[at + 8]! << 8) | bytes[at + 9]!;
    const additionals = (bytes[at + 10]! << 8) | bytes[at + 11]!;
    let p = at + HEADER_BYTES;
    if (this.opcode !== OPCODE.QUERY && this.opcode !== OPCODE.NOTIFY) {
      this.#findOpt(bytes, p, end, questions, answers + authorities + additionals);
      return READ_NOTIMP;
    }
    if (questions === 1) {
      if (!this.name.read(bytes, p, end)) return READ_BROKEN;
      p += this.name.length;
      if (p + 4 > end) {
        this.name.length = 0;
        return READ_BROKEN;
      }
      this.type = (bytes[p]! << 8) | bytes[p + 1]!;
      this.class = (bytes[p + 2]! << 8) | bytes[p + 3]!;
      p += 4;
      this.questionEnd = p;
    } else if (questions > 1) {
      // RFC 9619: QDCOUNT is at most 1.
      this.#findOpt(bytes, p, end, questions, answers + authorities + additionals);
      return READ_BROKEN;
    }
    if (this.opcode === OPCODE.NOTIFY) {
      this.#findOpt(bytes, p, end, 0, answers + authorities + additionals);
      return READ_NOTIMP;
    }
    // A query has no answers; IXFR (RFC 1995 3) has an SOA in its authority section, which is skipped here.
    if (answers !== 0 || (authorities !== 0 && !(authorities === 1 && this.type === TYPE.IXFR))) {
      this.#findOpt(bytes, p, end, 0, answers + authorities + additionals);
      return READ_FORMERR;
    }
    for (let i = 0; i < authorities; i++) {
      p = skipRecord(bytes, p, end);
      if (p < 0) return READ_FORMERR;
    }
    let badVersion = false;
    for (let i = 0; i < additionals; i++) {
      if (p + 11 <= end && bytes[p] === 0 && ((bytes[p + 1]! << 8) | bytes[p + 2]!) === TYPE.OPT) {
        // RFC 6891 6.1.1: more than one OPT is FORMERR.
        if (this.edns) return READ_FORMERR;
        this.edns = true;
        this.udpSize = (bytes[p + 3]! << 8) | bytes[p + 4]!;
        this.version = bytes[p + 6]!;
        this.dnssecOk = (bytes[p + 7]! & 0x80) !== 0;
        const optionsEnd = p + 11 + ((bytes[p + 9]! << 8) | bytes[p + 10]!);
        if (optionsEnd > end) return READ_FORMERR;
        if (this.version !== 0) badVersion = true;
        else if (!this.#readOptions(bytes, p + 11, optionsEnd)) return READ_FORMERR;
        p = optionsEnd;
      } else {
        p = skipRecord(bytes, p, end);
        if (p < 0) return READ_FORMERR;
      }
    }
    if (badVersion) return READ_BADVERS;
    // Bytes behind the last record are no part of any message.
    if (p !== end) return READ_FORMERR;
    if (questions === 0) {
      // RFC 7873 5.4: a query without a question but with a cookie asks for a server cookie.
      return this.edns && this.cookieLength > 0 ? READ_OK : READ_FORMERR;
    }
    return this.class === CLASS.NONE || this.type === TYPE.OPT ? READ_FORMERR : READ_OK;
  }

  /**
   * RFC 6891 7: an error too has an OPT where the request had one, so it is looked for in requests that are not read further. What can't
   * be skipped ends the search.
   */
  #findOpt(bytes: Uint8Array, from: number, end: number, questions: number, records: number): void {
    let p = from;
    for (let i = 0; i < questions; i++) {
      p = skipName(bytes, p, end) + 4;
      if (p < from + 4 || p > end) return;
    }
    for (let i = 0; i < records && p < end; i++) {
      if (p + 11 <= end && bytes[p] === 0 && ((bytes[p + 1]! << 8) | bytes[p + 2]!) === TYPE.OPT) {
        this.edns = true;
        this.udpSize = (bytes[p + 3]! << 8) | bytes[p + 4]!;
        this.version = bytes[p + 6]!;
        this.dnssecOk = (bytes[p + 7]! & 0x80) !== 0;
        return;
      }
      p = skipRecord(bytes, p, end);
      if (p < 0) return;
    }
  }

  #readOptions(bytes: Uint8Array, from: number, end: number): boolean {
    let p = from;
    while (p < end) {
      if (p + 4 > end) return false;
      const code = (bytes[p]! << 8) | bytes[p + 1]!;
      const length = (bytes[p + 2]! << 8) | bytes[p + 3]!;
      p += 4;
      if (p + length > end) return false;
      if (code === EDNS_OPTION.ECS) {
        // RFC 7871 speaks of one; some senders send two (stubby: its user's and its own). Who opted out has opted out, else the first counts.
        const optsOut = length >= 4 && bytes[p + 2] === 0;
        if ((!this.ecs || (optsOut && this.ecsSource !== 0)) && !this.#readSubnet(bytes, p, length)) return false;
      } else if (code === EDNS_OPTION.COOKIE) {
        // RFC 7873 5.2.2: 8 octets, or 16 to 40; else FORMERR.
        if (length !== 8 && (length < 16 || length > 40)) return false;
        if (this.cookieLength === 0) {
          this.cookieLength = length;
          for (let i = 0; i < length; i++) this.cookie[i] = bytes[p + i]!;
        }
      } else if (code === EDNS_OPTION.NSID) this.nsid = true;
      else if (code === EDNS_OPTION.PADDING) this.padding = true;
      else if (code === EDNS_OPTION.KEEPALIVE) {
        // RFC 7828 3.2.1: a client sends no timeout.
        if (length !== 0) return false;
        this.keepalive = true;
      }
      p += length;
    }
    return true;
  }

  /** RFC 7871 6 and 7.1.2: what breaks a MUST is FORMERR. */
  #readSubnet(bytes: Uint8Array, at: number, length: number): boolean {
    if (length < 4) return false;
    const family = (bytes[at]! << 8) | bytes[at + 1]!;
    const source = bytes[at + 2]!;
    const octets = length - 4;
    if (bytes[at + 3] !== 0) return false;
    if (octets !== (source + 7) >> 3) return false;
    if (family === ECS_IPV4) {
      if (source > 32) return false;
    } else if (family === ECS_IPV6) {
      if (source > 128) return false;
    } else if (family !== 0 || source !== 0) {
      // Family 0 with an empty prefix is how dig asks for "no subnet": taken as source /0.
      return false;
    }
    if ((source & 7) !== 0 && (bytes[at + 3 + octets]! & (0xff >> (source & 7))) !== 0) return false;
    this.ecs = true;
    this.ecsFamily = family;
    this.ecsSource = source;
    this.ecs0 = wordAt(bytes, at + 4, octets);
    this.ecs1 = octets > 4 ? wordAt(bytes, at + 8, octets - 4) : 0;
    this.ecs2 = octets > 8 ? wordAt(bytes, at + 12, octets - 8) : 0;
    this.ecs3 = octets > 12 ? wordAt(bytes, at + 16, octets - 12) : 0;
    return true;
  }
}

/** Four bytes as an int32, the missing ones zero. */
function wordAt(bytes: Uint8Array, at: number, have: number): number {
  return (
    ((have > 0 ? bytes[at]! : 0) << 24) |
    ((have > 1 ? bytes[at + 1]! : 0) << 16) |
    ((have > 2 ? bytes[at + 2]! : 0) << 8) |
    (have > 3 ? bytes[at + 3]! : 0)
  );
}

/** The offset behind the name at `p`; -1 when it isn't whole. */
function skipName(bytes: Uint8Array, p: number, end: number): number {
  let at = p;
  for (;;) {
    if (at >= end) return -1;
    const length = bytes[at]!;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > limits.labelBytes) return -1;
    at += length + 1;
    if (at - p >= limits.nameBytes) return -1;
  }
}

/** The offset behind the record at `p`; -1 when it isn't whole, or is an OPT: they have one place and the root's name. */
function skipRecord(bytes: Uint8Array, p: number, end: number): number {
  let at = skipName(bytes, p, end);
  if (at < 0 || at + 10 > end) return -1;
  // RFC 6891 6.1.1 and 6.1.2.
  if (((bytes[at]! << 8) | bytes[at + 1]!) === TYPE.OPT) return -1;
  at += 10 + ((bytes[at + 8]! << 8) | bytes[at + 9]!);
  return at <= end ? at : -1;
}
