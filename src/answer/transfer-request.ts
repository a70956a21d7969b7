// What a transfer needs of a request beyond the query: the serial of an IXFR client, and a signature that can't be checked.
import { CLASS, TYPE } from '../wire/types.ts';

/** TSIG error: the key is not known (RFC 8945 5.2.1). */
const BADKEY = 17;
/** Octets of a TSIG's data behind the algorithm's name, up to the MAC: time signed, fudge, MAC size. */
const TSIG_FIXED = 10;

export interface TransferRequest {
  /** The serial that an IXFR client has (RFC 1995 3); null: it doesn't tell. */
  readonly serial: number | null;
  /** The TSIG record of the answer to a signed request: BADKEY, unsigned; null: the request was not signed. */
  readonly badKey: Uint8Array | null;
  /** There is a TSIG, but it is none: FORMERR. */
  readonly broken: boolean;
}

interface RecordPlace {
  /** Offsets in the message: of the owner, of the type, of the data, and behind it. */
  readonly owner: number;
  readonly type: number;
  readonly data: number;
  readonly end: number;
}

/** Reads a request that `Query.read` took for good, with its question. */
export function readTransferRequest(request: Uint8Array, questionEnd: number): TransferRequest {
  const view = new DataView(request.buffer, request.byteOffset, request.byteLength);
  let at = questionEnd;
  const next = (): RecordPlace => {
    const type = nameEnd(request, at);
    const place = { owner: at, type, data: type + 10, end: type + 10 + view.getUint16(type + 8) };
    at = place.end;
    return place;
  };
  let serial: number | null = null;
  for (let left = view.getUint16(8); left > 0; left--) {
    const record = next();
    const names =
      view.getUint16(record.type) === TYPE.SOA ? nameEnd(request, nameEnd(request, record.data)) : record.end;
    // RFC 1035 3.3.13: five numbers behind two names.
    if (names + 20 === record.end) serial = view.getUint32(names);
  }
  let badKey: Uint8Array | null = null;
  for (let left = view.getUint16(10); left > 0; left--) {
    const record = next();
    if (view.getUint16(record.type) !== TYPE.TSIG) continue;
    // RFC 8945 5.1: one, and it stands last.
    badKey = left === 1 ? refusedSignature(request, view, record) : null;
    if (badKey === null) return { serial, badKey, broken: true };
  }
  return { serial, badKey, broken: false };
}

/** RFC 8945 5.2.1 and 5.3.2: the request's TSIG with the error, without a MAC. null: it isn't well-formed. */
function refusedSignature(request: Uint8Array, view: DataView, record: RecordPlace): Uint8Array | null {
  const fixedAt = nameEnd(request, record.data);
  if (fixedAt + TSIG_FIXED > record.end || view.getUint16(record.type + 2) !== CLASS.ANY) return null;
  const afterMac = fixedAt + TSIG_FIXED + view.getUint16(fixedAt + 8);
  if (afterMac + 6 > record.end) return null;
  // RFC 8945 4.2: neither the key's name nor the algorithm's is compressed.
  if (hasPointer(request, record.owner) || hasPointer(request, record.data)) return null;
  const owner = request.subarray(record.owner, record.type);
  const algorithm = request.subarray(record.data, fixedAt);
  const out = new Uint8Array(owner.length + 10 + algorithm.length + TSIG_FIXED + 6);
  const written = new DataView(out.buffer);
  out.set(owner);
  written.setUint16(owner.length, TYPE.TSIG);
  written.setUint16(owner.length + 2, CLASS.ANY);
  const data = owner.length + 10;
  written.setUint16(data - 2, out.length - data);
  out.set(algorithm, data);
  const fixed = data + algorithm.length;
  // Time signed and fudge as they came; no MAC; the original id; the error; nothing else.
  out.set(request.subarray(fixedAt, fixedAt + 8), fixed);
  written.setUint16(fixed + TSIG_FIXED, view.getUint16(afterMac));
  written.setUint16(fixed + TSIG_FIXED + 2, BADKEY);
  return out;
}

/** Offset behind the name at `at`; behind the message's end where it has none. */
function nameEnd(bytes: Uint8Array, at: number): number {
  let p = at;
  while (p < bytes.length) {
    const length = bytes[p]!;
    if (length === 0) return p + 1;
    if (length >= 0xc0) return p + 2;
    p += length + 1;
  }
  return bytes.length + 1;
}

function hasPointer(bytes: Uint8Array, at: number): boolean {
  let p = at;
  while (bytes[p]! > 0 && bytes[p]! < 0xc0) p += bytes[p]! + 1;
  return bytes[p]! >= 0xc0;
}
