// The NOTIFY message and what counts as the answer to it (RFC 1996 3).
import { Message, SECTION_ANSWER } from '../answer/message.ts';
import { lowerOctet } from '../base/ascii.ts';
import { limits } from '../base/limits.ts';
import { nameLength } from '../wire/name.ts';
import { HEADER_BYTES } from '../wire/query.ts';
import { CLASS, OPCODE, TYPE } from '../wire/types.ts';
import { ZoneView } from '../zone/find.ts';
import { HEADER } from '../zone/layout.ts';

const QR = 0x80;
const OPCODE_BITS = 0x78;
const AA = 0x04;

/** The NOTIFY of a linked image, id 0: the question names the zone, the answer is its SOA (RFC 1996 3.7, 4.5). */
export function notifyMessage(image: Int32Array): Uint8Array {
  const zone = new ZoneView();
  zone.attach(image, new Uint8Array(image.buffer, image.byteOffset, image.byteLength), 0);
  const out = new Uint8Array(limits.plainUdpBytes);
  const apex = zone.at(HEADER.apexByte);
  out.set(zone.bytes.subarray(apex, apex + zone.apexLength), HEADER_BYTES);
  const questionEnd = HEADER_BYTES + zone.apexLength + 4;
  const view = new DataView(out.buffer);
  view.setUint16(questionEnd - 4, TYPE.SOA);
  view.setUint16(questionEnd - 2, CLASS.IN);
  const message = new Message();
  message.start(out, 0, questionEnd, out.length);
  // The SOA is a hint: one with names too long for the message is left out.
  message.record(zone, zone.at(HEADER.soa), HEADER_BYTES, HEADER_BYTES, -1, SECTION_ANSWER);
  out[2] = (OPCODE.NOTIFY << 3) | AA;
  view.setUint16(4, 1);
  view.setUint16(6, message.answers);
  return out.slice(0, message.p);
}

/** Whether `bytes` answers that NOTIFY: its id and opcode, and its question where there is one. */
export function isNotifyReply(bytes: Uint8Array, notify: Uint8Array): boolean {
  if (bytes.length < HEADER_BYTES || bytes[0] !== notify[0] || bytes[1] !== notify[1]) return false;
  if ((bytes[2]! & (QR | OPCODE_BITS)) !== (QR | (OPCODE.NOTIFY << 3))) return false;
  if (bytes[4] === 0 && bytes[5] === 0) return true;
  if (bytes[4] !== 0 || bytes[5] !== 1) return false;
  const end = HEADER_BYTES + nameLength(notify, HEADER_BYTES) + 4;
  if (bytes.length < end) return false;
  for (let i = HEADER_BYTES; i < end; i++) if (lowerOctet(bytes[i]!) !== lowerOctet(notify[i]!)) return false;
  return true;
}
