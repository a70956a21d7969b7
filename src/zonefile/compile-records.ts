// Turns record data into the ready-made records of a zone image: bodies, apex pointers, host names.

import { isAtOrBelow, lowerName, nameLength } from '../wire/name.ts';
import { TYPE } from '../wire/types.ts';
import { RECORD_FIXES_SHIFT, RECORD_HOST_SHIFT } from '../zone/layout.ts';
import type { Rdata } from '../zone/model.ts';
import type { SegmentWriter } from './segment.ts';

/** Octets of type, class, TTL and RDLENGTH in front of the data. */
const FIXED_OCTETS = 10;

/** Where in the data of these types a host name stands whose addresses go into the additional section. */
const HOST_IN_DATA = new Map<number, number>([
  [TYPE.NS, 0],
  [TYPE.CNAME, 0],
  [TYPE.MX, 2],
  [TYPE.SRV, 6],
  [TYPE.SVCB, 2],
  [TYPE.HTTPS, 2],
]);

export interface WrittenRecord {
  /** Word offset of the record. */
  readonly at: number;
  /** Octets of the record in a message: owner pointer and body. */
  readonly octets: number;
  /** Byte offset in the segment of its data. */
  readonly dataByte: number;
}

/** Data with every compressible name that ends in the apex cut to its own labels and two octets for a pointer. */
function compress(rdata: Rdata, apex: Uint8Array): { bytes: Uint8Array; fixes: number[] } {
  const parts: Uint8Array[] = [];
  const fixes: number[] = [];
  let done = 0;
  let length = 0;
  const put = (part: Uint8Array): void => {
    parts.push(part);
    length += part.length;
  };
  for (const at of apex.length > 1 ? rdata.names : []) {
    const end = at + nameLength(rdata.bytes, at);
    const name = rdata.bytes.subarray(at, end);
    if (!isAtOrBelow(name, apex)) continue;
    put(rdata.bytes.subarray(done, end - apex.length));
    fixes.push(length);
    put(new Uint8Array(2));
    done = end;
  }
  put(rdata.bytes.subarray(done));
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, fixes };
}

/**
 * Appends one record.
 * @param hostNode finds the node word of a host name in this zone (0: none)
 */
export function writeRecord(
  out: SegmentWriter,
  type: number,
  ttlSeconds: number,
  rdata: Rdata,
  apex: Uint8Array,
  hostNode: (name: Uint8Array) => number,
): WrittenRecord {
  const { bytes, fixes } = compress(rdata, apex);
  const inData = HOST_IN_DATA.get(type);
  const hostAt = inData === undefined ? 0 : FIXED_OCTETS + inData;
  let host = 0;
  if (inData !== undefined) {
    const name = lowerName(rdata.bytes.subarray(inData, inData + nameLength(rdata.bytes, inData)));
    host = type === TYPE.CNAME ? out.pushBytes(name) * 4 : hostNode(name);
  }
  const body = new Uint8Array(FIXED_OCTETS + bytes.length);
  const view = new DataView(body.buffer);
  view.setUint16(0, type);
  view.setUint16(2, 1);
  view.setUint32(4, ttlSeconds);
  view.setUint16(8, bytes.length);
  body.set(bytes, FIXED_OCTETS);
  const at = out.push(body.length | (fixes.length << RECORD_FIXES_SHIFT) | (hostAt << RECORD_HOST_SHIFT));
  if (hostAt !== 0) out.push(host);
  for (let i = 0; i < fixes.length; i += 2) {
    const second = fixes[i + 1];
    out.push((FIXED_OCTETS + fixes[i]!) | (second === undefined ? 0 : (FIXED_OCTETS + second) << 16));
  }
  const bodyAt = out.pushBytes(body);
  return { at, octets: 2 + body.length, dataByte: bodyAt * 4 + FIXED_OCTETS };
}
