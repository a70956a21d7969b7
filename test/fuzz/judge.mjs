// Judges an answer to any request at all, from the two messages alone: strict about every octet, and knows nothing of the server's code.

/**
 * What a request was asked over, and what the server was told.
 * @typedef {object} Circumstances
 * @property {boolean} tcp
 * @property {number} udpMax largest UDP answer
 * @property {number} udpMaxWithoutCookie the same to a client without a valid cookie
 * @property {boolean} cookies whether the server speaks cookies
 * @property {(cookie: Buffer) => boolean} isValidCookie whether the server made this cookie for this client
 * @property {boolean} limited whether the rate limit may drop or truncate answers
 */

const OPT = 41;
const FORMERR = 1;
const SERVFAIL = 2;
const NXDOMAIN = 3;
const NOTIMP = 4;
const REFUSED = 5;
const NOTAUTH = 9;
const BADVERS = 16;

export class Violation extends Error {}

function fail(text) {
  throw new Violation(text);
}

// ---- The request ------------------------------------------------------------------------------------------------------

/** What the RFCs make of a request. */
export const request = {
  /** No answer may come. */
  silent: false,
  opcode: 0,
  /** Header counts and form are right as far as they go; `wrong` says what is not. */
  wrong: /** @type {string | null} */ (null),
  /** 0 or 1, and where the question ends; -1: there is none that could be repeated. */
  questions: 0,
  questionEnd: -1,
  type: 0,
  class: 0,
  /** The first OPT, -1: none. */
  optAt: -1,
  udpSize: 0,
  version: 0,
  flags: 0,
  /** The first client subnet: where its data is, and how long; -1: none. */
  subnetAt: -1,
  subnetLength: 0,
  /** Client subnet options that were sent. */
  subnets: 0,
  cookieAt: -1,
  cookieLength: 0,
  nsid: false,
  padding: false,
  keepalive: false,
};

/** Skips a name that may be compressed: where it ends, or -1. */
function skipName(bytes, at, end, pointers) {
  let p = at;
  for (;;) {
    if (p >= end) return -1;
    const octet = bytes[p];
    if (octet === 0) return p + 1;
    if (octet >= 0xc0) return pointers && p + 2 <= end ? p + 2 : -1;
    if (octet > 63) return -1;
    p += octet + 1;
    // RFC 1035 3.1: 255 octets with the root's.
    if (p - at > 254) return -1;
  }
}

/**
 * Reads a request into `request`.
 * @param {Buffer} bytes
 * @param {number} length
 */
export function readRequest(bytes, length) {
  const r = request;
  r.wrong = null;
  r.questions = 0;
  r.questionEnd = -1;
  r.type = r.class = 0;
  r.optAt = r.subnetAt = r.cookieAt = -1;
  r.subnetLength = r.subnets = r.cookieLength = 0;
  r.udpSize = r.version = r.flags = 0;
  r.nsid = r.padding = r.keepalive = false;
  r.silent = length < 12 || (bytes[2] & 0x80) !== 0;
  if (r.silent) return;
  r.opcode = (bytes[2] >> 3) & 15;
  if (length > 4096) {
    r.wrong = 'too long';
  }
  const counts = [4, 6, 8, 10].map((at) => bytes.readUInt16BE(at));
  let p = 12;
  if (counts[0] === 1) {
    const nameEnd = skipName(bytes, 12, length, false);
    if (nameEnd < 0 || nameEnd + 4 > length) {
      r.wrong = 'the question is broken';
      return;
    }
    r.questions = 1;
    r.questionEnd = nameEnd + 4;
    r.type = bytes.readUInt16BE(nameEnd);
    r.class = bytes.readUInt16BE(nameEnd + 2);
    p = r.questionEnd;
  } else if (counts[0] > 1) {
    r.wrong = 'several questions';
    return;
  } else r.questionEnd = 12;
  if (counts[1] > 0) r.wrong = 'answers in a query';
  if (counts[2] > 1 || (counts[2] === 1 && r.type !== 251)) r.wrong = 'authority in a query';
  const records = counts[1] + counts[2] + counts[3];
  for (let i = 0; i < records; i++) {
    const nameEnd = skipName(bytes, p, length, true);
    if (nameEnd < 0 || nameEnd + 10 > length) {
      r.wrong ??= 'a record is cut short';
      return;
    }
    const type = bytes.readUInt16BE(nameEnd);
    const dataEnd = nameEnd + 10 + bytes.readUInt16BE(nameEnd + 8);
    const additional = i >= counts[1] + counts[2];
    if (type === OPT) {
      if (!additional || bytes[p] !== 0 || r.optAt >= 0) r.wrong ??= 'an OPT out of place';
      else {
        r.optAt = p;
        r.udpSize = bytes.readUInt16BE(nameEnd + 2);
        r.version = bytes[nameEnd + 5];
        r.flags = bytes.readUInt16BE(nameEnd + 6);
        if (dataEnd <= length && r.version === 0) readOptions(bytes, nameEnd + 10, dataEnd);
      }
    }
    if (dataEnd > length) {
      r.wrong ??= 'data is cut short';
      return;
    }
    p = dataEnd;
  }
  if (p !== length) r.wrong ??= 'bytes behind the last record';
  if (r.questions === 0 && r.cookieLength === 0) r.wrong ??= 'no question';
  if (r.questions === 1 && (r.type === OPT || r.class === 254)) r.wrong ??= 'nothing that can be asked';
}

/** The first octets of every OPT: the root's name and the type. */
const ROOT_AND_OPT = Buffer.from([0, 0, 41]);

/** Places in a request where an OPT may begin. */
function optsIn(asked, length) {
  let count = 0;
  for (let at = asked.indexOf(ROOT_AND_OPT); at >= 0 && at < length; at = asked.indexOf(ROOT_AND_OPT, at + 1)) count++;
  return count;
}

function readOptions(bytes, from, end) {
  const r = request;
  for (let p = from; p < end; ) {
    if (p + 4 > end) {
      r.wrong ??= 'an option is cut short';
      return;
    }
    const code = bytes.readUInt16BE(p);
    const length = bytes.readUInt16BE(p + 2);
    const data = p + 4;
    p = data + length;
    if (p > end) {
      r.wrong ??= 'an option is cut short';
      return;
    }
    // Of two the one that opts out counts, else the first.
    const optsOut = length >= 4 && bytes[data + 2] === 0;
    if (code === 8) r.subnets++;
    if (code === 8 && (r.subnetAt < 0 || (optsOut && bytes[r.subnetAt + 2] !== 0))) {
      r.subnetAt = data;
      r.subnetLength = length;
      const family = length >= 4 ? bytes.readUInt16BE(data) : 0;
      const source = length >= 4 ? bytes[data + 2] : 0;
      const bits = family === 1 ? 32 : family === 2 ? 128 : family === 0 ? 0 : -1;
      const octets = Math.ceil(source / 8);
      if (length < 4 || source > bits || bytes[data + 3] !== 0 || length !== 4 + octets) r.wrong ??= 'a broken subnet';
      else if (source % 8 !== 0 && (bytes[p - 1] & (255 >> (source % 8))) !== 0)
        r.wrong ??= 'subnet bits past the prefix';
    } else if (code === 10) {
      if (length < 8 || (length > 8 && length < 16) || length > 40) r.wrong ??= 'a broken cookie';
      if (r.cookieAt < 0) {
        r.cookieAt = data;
        r.cookieLength = length;
      }
    } else if (code === 3) r.nsid = true;
    else if (code === 12) r.padding = true;
    else if (code === 11) {
      r.keepalive = true;
      if (length !== 0) r.wrong ??= 'a timeout from a client';
    }
  }
}

// ---- The answer -------------------------------------------------------------------------------------------------------

/** Where a label starts, in the message that this number stands for. */
const labelStarts = new Uint32Array(65_536);
let stamp = 0;

let nameEnd = 0;
let nameHash = 0;

/** Reads a name: its end, and a hash of it without case. */
function readName(bytes, at, end, pointers) {
  let p = at;
  let before = at;
  let behind = -1;
  let octets = 0;
  let hash = 0x811c9dc5;
  for (;;) {
    if (p >= end) fail(`a name at ${at} leaves the message`);
    const octet = bytes[p];
    if (octet >= 0xc0) {
      if (!pointers) fail(`a compressed name at ${at}, where none may be`);
      if (p + 2 > end) fail(`a pointer at ${p} leaves the message`);
      const target = ((octet & 0x3f) << 8) | bytes[p + 1];
      if (target >= before) fail(`a pointer at ${p} to ${target} does not lead back`);
      if (labelStarts[target] !== stamp) fail(`a pointer at ${p} to ${target}, where no label starts`);
      if (behind < 0) behind = p + 2;
      before = target;
      p = target;
      continue;
    }
    if (octet > 63) fail(`a label of type ${octet >> 6} at ${p}`);
    labelStarts[p] = stamp;
    octets += octet + 1;
    hash = Math.imul(hash ^ octet, 0x01000193);
    if (octet === 0) break;
    if (p + octet >= end) fail(`a label at ${p} leaves the message`);
    for (let i = 1; i <= octet; i++) {
      let c = bytes[p + i];
      if (c >= 65 && c <= 90) c += 32;
      hash = Math.imul(hash ^ c, 0x01000193);
    }
    p += octet + 1;
    if (octets > 255) fail(`a name at ${at} of more than 255 octets`);
  }
  if (octets > 255) fail(`a name at ${at} of more than 255 octets`);
  nameEnd = behind < 0 ? p + 1 : behind;
  nameHash = hash;
}

/** Checks the data of a record; `nameHash` is that of a CNAME's target afterwards. */
function readData(bytes, type, at, end) {
  const length = end - at;
  switch (type) {
    case 1:
      if (length !== 4) fail(`an A of ${length} octets`);
      return;
    case 28:
      if (length !== 16) fail(`an AAAA of ${length} octets`);
      return;
    case 2:
    case 5:
    case 12:
      readName(bytes, at, end, true);
      if (nameEnd !== end) fail(`a name that does not fill its data (type ${type})`);
      return;
    case 15:
      readName(bytes, at + 2, end, true);
      if (nameEnd !== end) fail('an MX that does not fill its data');
      return;
    case 6:
      readName(bytes, at, end, true);
      readName(bytes, nameEnd, end, true);
      if (nameEnd + 20 !== end) fail('a SOA of the wrong length');
      return;
    case 33:
      readName(bytes, at + 6, end, false);
      if (nameEnd !== end) fail('an SRV that does not fill its data');
      return;
    case 35: {
      let p = at + 4;
      for (let i = 0; i < 3; i++) p += 1 + bytes[p];
      readName(bytes, p, end, false);
      if (nameEnd !== end) fail('a NAPTR that does not fill its data');
      return;
    }
    case 13:
    case 16: {
      let p = at;
      while (p < end) p += 1 + bytes[p];
      if (p !== end || length === 0) fail(`texts that do not fill their data (type ${type})`);
      return;
    }
    case 64:
    case 65: {
      readName(bytes, at + 2, end, false);
      let last = -1;
      let p = nameEnd;
      while (p < end) {
        const key = bytes.readUInt16BE(p);
        if (key <= last) fail('SVCB keys out of order');
        last = key;
        p += 4 + bytes.readUInt16BE(p + 2);
      }
      if (p !== end) fail('SVCB parameters that do not fill their data');
      return;
    }
    default:
  }
}

/** What the last answer said; `kind` is equal for answers of the same shape. */
export const answer = {
  rcode: 0,
  authoritative: false,
  truncated: false,
  answers: 0,
  authorities: 0,
  additionals: 0,
  kind: 0,
};

/**
 * Judges an answer; throws a Violation.
 * @param {Buffer} asked the request, `askedLength` octets of it
 * @param {number} askedLength
 * @param {Buffer} bytes the answer, `length` octets of it; 0: there was none
 * @param {number} length
 * @param {Circumstances} c
 */
export function judge(asked, askedLength, bytes, length, c) {
  readRequest(asked, askedLength);
  const r = request;
  const a = answer;
  a.kind = 0;
  if (length === 0) {
    if (!r.silent && !(c.limited && !c.tcp)) fail('no answer');
    return;
  }
  if (r.silent) fail('an answer to what must not be answered');
  if (length < 12) fail(`an answer of ${length} octets`);
  stamp = (stamp + 1) >>> 0;
  if (stamp === 0) {
    labelStarts.fill(0);
    stamp = 1;
  }

  // Header: id, opcode, RD and CD as they came; RA, Z and AD never.
  if (bytes[0] !== asked[0] || bytes[1] !== asked[1]) fail('another id');
  if ((bytes[2] & 0xf9) !== (0x80 | (asked[2] & 0x79))) fail('QR, opcode or RD are wrong');
  if ((bytes[3] & 0xf0) !== (asked[3] & 0x10)) fail('RA, Z, AD or CD are wrong');
  a.authoritative = (bytes[2] & 4) !== 0;
  a.truncated = (bytes[2] & 2) !== 0;
  const questions = bytes.readUInt16BE(4);
  a.answers = bytes.readUInt16BE(6);
  a.authorities = bytes.readUInt16BE(8);
  const additionals = bytes.readUInt16BE(10);

  // The question as it came.
  let p = 12;
  if (questions === 1) {
    if (r.questions !== 1) fail('a question that was not asked');
    p = r.questionEnd;
    if (length < p || bytes.compare(asked, 12, p, 12, p) !== 0) fail('another question');
    readName(bytes, 12, p, false);
    if (nameEnd + 4 !== p) fail('another question');
  } else if (questions !== 0) fail(`${questions} questions`);
  const qnameHash = nameHash;

  // Records.
  let optAt = -1;
  let rcode = bytes[3] & 15;
  let kind = 17;
  let chain = qnameHash;
  let chainType = 0;
  let soa = false;
  let ns = false;
  const authorityAt = a.answers;
  const additionalAt = a.answers + a.authorities;
  for (let i = 0; i < additionalAt + additionals; i++) {
    const start = p;
    readName(bytes, p, length, true);
    const owner = nameHash;
    const fixed = nameEnd;
    if (fixed + 10 > length) fail('a record leaves the message');
    const type = bytes.readUInt16BE(fixed);
    const data = fixed + 10;
    const end = data + bytes.readUInt16BE(fixed + 8);
    if (end > length) fail('data leaves the message');
    p = end;
    if (type === OPT) {
      if (i < additionalAt || optAt >= 0 || bytes[start] !== 0 || i !== additionalAt + additionals - 1)
        fail('an OPT out of place');
      optAt = start;
      rcode |= bytes[fixed + 4] << 4;
      if (bytes[fixed + 5] !== 0) fail('an OPT of another version');
      if ((bytes.readUInt16BE(fixed + 6) & 0x7fff) !== 0) fail('EDNS flags that nobody knows');
      kind = kind * 31 + readAnswerOptions(asked, bytes, data, end, length, c);
      continue;
    }
    if (bytes.readUInt16BE(fixed + 2) !== r.class) fail('another class');
    if (bytes[fixed + 4] > 127) fail('a TTL over 2^31');
    readData(bytes, type, data, end);
    if (i < authorityAt) {
      // RFC 1034 4.3.2: the name asked for, then what each CNAME points to, in this order.
      if (owner !== chain) fail('an answer for another name');
      if (chainType !== 0 && chainType !== type) fail('an answer of another type');
      if (type === 5 && r.type !== 5) chain = nameHash;
      else {
        // RFC 8482 4.2; a version told to who asks for ANY in class CH; an IXFR's SOA over UDP (RFC 1995 2).
        const instead = (r.type === 255 && (type === 13 || r.class === 3)) || (r.type === 251 && type === 6);
        if (type !== r.type && !instead) fail(`a record of type ${type}`);
        chainType = type;
      }
      kind = Math.imul(kind, 33) + (i < 12 ? type : 0);
    } else if (i < additionalAt) {
      if (type === 6) soa = true;
      else if (type === 2 || (type === 43 && ns)) ns = true;
      else fail(`a record of type ${type} in the authority section`);
    } else if (type !== 1 && type !== 28) fail(`a record of type ${type} in the additional section`);
  }
  if (p !== length) fail(`${length - p} octets behind the last record`);
  a.rcode = rcode;
  a.additionals = additionals - (optAt >= 0 ? 1 : 0);
  const records = a.answers + a.authorities + a.additionals;

  // The limit.
  const hasOpt = optAt >= 0;
  // A broken request may have an OPT that only a reader finds who goes on behind the mistake: an error to it has one too.
  const mayHaveOpt = r.wrong !== null && rcode !== 0 && optsIn(asked, askedLength) > 0;
  if (hasOpt && r.optAt < 0 && !mayHaveOpt) fail('an OPT to a client without EDNS');
  if (!c.tcp) {
    let limit = 512;
    if (hasOpt) {
      const valid =
        c.cookies &&
        r.wrong === null &&
        r.cookieAt >= 0 &&
        c.isValidCookie(asked.subarray(r.cookieAt, r.cookieAt + r.cookieLength));
      const own = valid ? c.udpMax : Math.min(c.udpMax, c.udpMaxWithoutCookie);
      limit = Math.min(Math.max(512, r.udpSize), Math.max(512, own));
    }
    if (length > limit) fail(`${length} octets, with a limit of ${limit}`);
  } else if (a.truncated) fail('TC over TCP');
  if (a.truncated && records > 0) fail('records in a truncated answer');

  // What kind of answer a request must get.
  const dropped = c.limited && !c.tcp && a.truncated;
  if (r.opcode !== 0) {
    const expected =
      r.opcode === 4 && r.questions === 0 && r.wrong !== null
        ? rcode === NOTIMP || rcode === FORMERR
        : rcode === NOTIMP;
    if (!expected) fail(`rcode ${rcode} to opcode ${r.opcode}`);
    if (records > 0 || a.authoritative) fail('more than the rcode to another opcode');
  } else if (r.wrong !== null) {
    // A version that isn't ours may hide what else is wrong with the OPT.
    if (rcode !== FORMERR && !(rcode === BADVERS && r.version !== 0)) fail(`rcode ${rcode}, but ${r.wrong}`);
    if (records > 0 || a.authoritative) fail('records in an answer to a broken request');
  } else if (r.version !== 0) {
    if (rcode !== BADVERS) fail(`rcode ${rcode} to EDNS version ${r.version}`);
    if (records > 0) fail('records with BADVERS');
  } else {
    if (questions !== r.questions) fail('the question is not repeated');
    if (hasOpt !== r.optAt >= 0) fail('no OPT to a client with EDNS');
    if (r.questions === 0) {
      if (rcode !== 0 || records > 0) fail('more than a cookie to a request without a question');
    } else if (rcode === NXDOMAIN || rcode === 0) {
      if (r.class !== 1 && !(r.class === 3 && rcode === 0)) fail(`rcode ${rcode} in class ${r.class}`);
      if (rcode === NXDOMAIN && !dropped && !a.truncated && !soa) fail('NXDOMAIN without a SOA');
      if (rcode === 0 && !a.truncated && records === 0) fail('NOERROR without a record');
      if (rcode === 0 && !a.truncated && a.answers === 0 && !soa && !ns) fail('NODATA without a SOA');
      if (a.answers === 0 && ns && a.authoritative) fail('a referral with AA');
      if (a.answers === 0 && soa && !a.authoritative) fail('a negative answer without AA');
      if (soa && a.authorities !== 1) fail('more than a SOA in a negative answer');
    } else if (rcode === SERVFAIL || rcode === REFUSED || rcode === NOTAUTH) {
      if (records > 0) fail(`records with rcode ${rcode}`);
      if (a.authoritative) fail(`AA with rcode ${rcode}`);
      if (rcode === NOTAUTH && r.type !== 251 && r.type !== 252) fail('NOTAUTH without a transfer');
    } else fail(`rcode ${rcode} to a good request`);
  }
  // Of a broken request that has two OPTs it may be the one of either, or of one that is not seen here.
  const isSureOfOpt = r.optAt >= 0 && (r.wrong === null || optsIn(asked, askedLength) === 1);
  if (hasOpt && isSureOfOpt && ((bytes[optAt + 7] ^ (r.flags >> 8)) & 0x80) !== 0) fail('DO is not as it came');
  kind = Math.imul(kind, 131) + rcode * 8 + (a.authoritative ? 4 : 0) + (a.truncated ? 2 : 0) + (c.tcp ? 1 : 0);
  kind = Math.imul(kind, 131) + bucket(a.answers) * 64 + bucket(a.authorities) * 8 + bucket(a.additionals);
  kind = Math.imul(kind, 131) + reason(r.wrong);
  a.kind = kind | 0;
}

const bucket = (count) => (count < 4 ? count : count < 16 ? 4 : count < 256 ? 5 : 6);

const REASONS = new Map();
function reason(text) {
  if (text === null) return 0;
  let number = REASONS.get(text);
  if (number === undefined) {
    number = REASONS.size + 1;
    REASONS.set(text, number);
  }
  return number;
}

/** Checks the options of an answer's OPT; returns a number for their kinds. */
function readAnswerOptions(asked, bytes, from, end, length, c) {
  const r = request;
  let kinds = 0;
  for (let p = from; p < end; ) {
    if (p + 4 > end) fail('an option is cut short');
    const code = bytes.readUInt16BE(p);
    const octets = bytes.readUInt16BE(p + 2);
    const data = p + 4;
    p = data + octets;
    if (p > end) fail('an option is cut short');
    const bit = 1 << Math.min(code, 30);
    if ((kinds & bit) !== 0) fail(`option ${code} twice`);
    kinds |= bit;
    switch (code) {
      case 3:
        if (!r.nsid) fail('an NSID that was not asked for');
        break;
      case 8: {
        if (r.subnetAt < 0) fail('a subnet that was not sent');
        // Of a broken request that has two it may be either.
        if (r.wrong !== null && r.subnets > 1) break;
        if (octets !== r.subnetLength) fail('a subnet of another length');
        const at = r.subnetAt;
        if (bytes.compare(asked, at, at + 3, data, data + 3) !== 0) fail('another subnet');
        if (bytes.compare(asked, at + 4, at + octets, data + 4, p) !== 0) fail('another subnet');
        const scope = bytes[data + 3];
        if (scope > (bytes[data + 1] === 1 ? 32 : 128)) fail(`scope ${scope}`);
        if (bytes[data + 2] === 0 && scope !== 0) fail('a scope for source /0');
        kinds ^= scope === 0 ? 0 : 1 << 29;
        break;
      }
      case 10:
        if (!c.cookies || r.cookieAt < 0) fail('a cookie that was not sent');
        if (octets !== 24) fail(`a cookie of ${octets} octets`);
        if (bytes.compare(asked, r.cookieAt, r.cookieAt + 8, data, data + 8) !== 0) fail('another client cookie');
        break;
      case 11:
        if (!c.tcp || !r.keepalive || octets !== 2) fail('a keepalive that was not asked for');
        break;
      case 12:
        if (!c.tcp || !r.padding) fail('padding that was not asked for');
        for (let i = data; i < p; i++) if (bytes[i] !== 0) fail('padding with something in it');
        if (length % 468 !== 0) fail('padding to no block');
        break;
      case 15:
        if (octets < 2) fail('an extended error without a code');
        break;
      default:
        fail(`option ${code}`);
    }
  }
  if (r.subnetAt >= 0 && r.wrong === null && r.version === 0 && r.opcode === 0 && (kinds & (1 << 8)) === 0)
    fail('the subnet is not told back');
  if (
    c.cookies &&
    r.cookieAt >= 0 &&
    r.wrong === null &&
    r.version === 0 &&
    r.opcode === 0 &&
    (kinds & (1 << 10)) === 0
  )
    fail('the cookie is not told back');
  return kinds;
}
