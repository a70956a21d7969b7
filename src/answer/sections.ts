// Fills the sections of a response from a zone: static sets, referrals, negative answers, additional addresses.
import { limits } from '../base/limits.ts';
import { TYPE } from '../wire/types.ts';
import type { ZoneView } from '../zone/find.ts';
import {
  HEADER,
  NODE_CUT,
  RECORD_FIXES_SHIFT,
  RECORD_HOST_SHIFT,
  SET_BYTES,
  SET_COUNT,
  SET_DATA,
  SET_STEERED,
  SET_TYPE,
  typeOf,
} from '../zone/layout.ts';
import { type Message, POINTER_REACH, SECTION_ADDITIONAL, SECTION_ANSWER, SECTION_AUTHORITY } from './message.ts';

/** Host names whose addresses may go into the additional section, collected while an RRset is written. */
export class Hosts {
  readonly nodes = new Int32Array(limits.additionalHosts);
  readonly offsets = new Int32Array(limits.additionalHosts);
  count = 0;

  /** Remembers a host once; names without a node in the zone or out of a pointer's reach are left. */
  add(node: number, offset: number): void {
    if (node === 0 || offset > POINTER_REACH || this.count === limits.additionalHosts) return;
    for (let i = 0; i < this.count; i++) if (this.nodes[i] === node) return;
    this.nodes[this.count] = node;
    this.offsets[this.count++] = offset;
  }
}

/** The word behind a record: they stand one after another. */
export function nextRecord(zone: ZoneView, record: number): number {
  const head = zone.words[zone.base + record]!;
  const fixes = (head >>> RECORD_FIXES_SHIFT) & 255;
  const host = head >>> RECORD_HOST_SHIFT !== 0 ? 2 : 1;
  return record + host + ((fixes + 1) >> 1) + (((head & 0xffff) + 3) >> 2);
}

/**
 * Writes a whole static set, or nothing.
 * @param hosts collects the names in it that want addresses; null: none wanted
 * Returns false when it doesn't fit.
 */
export function writeSet(
  message: Message,
  zone: ZoneView,
  set: number,
  ownerOffset: number,
  apexOffset: number,
  section: number,
  hosts: Hosts | null,
): boolean {
  if (message.p + zone.at(set + SET_BYTES) > message.end) return false;
  let record = zone.at(set + SET_DATA);
  const type = typeOf(zone.at(set + SET_TYPE));
  const count = zone.at(set + SET_COUNT);
  for (let i = 0; i < count; i++) {
    message.record(zone, record, ownerOffset, apexOffset, -1, section);
    if (hosts !== null) {
      const hostAt = zone.at(record) >>> RECORD_HOST_SHIFT;
      if (hostAt !== 0 && type !== TYPE.CNAME) hosts.add(zone.at(record + 1), message.body + hostAt - message.at);
    }
    record = nextRecord(zone, record);
  }
  return true;
}

/** Adds the static addresses of the collected hosts, each set whole or not at all. Steered addresses never (RFC 7871 7.4). */
export function writeAdditional(message: Message, zone: ZoneView, hosts: Hosts, apexOffset: number): void {
  for (let i = 0; i < hosts.count; i++) {
    const node = hosts.nodes[i]!;
    if (zone.at(node + NODE_CUT) !== 0) continue;
    writeHost(message, zone, node, TYPE.A, hosts.offsets[i]!, apexOffset);
    writeHost(message, zone, node, TYPE.AAAA, hosts.offsets[i]!, apexOffset);
  }
}

/** Returns false when the host has such addresses and they don't fit. */
function writeHost(
  message: Message,
  zone: ZoneView,
  node: number,
  type: number,
  offset: number,
  apexOffset: number,
): boolean {
  const set = zone.set(node, type);
  if (set === 0 || (zone.at(set + SET_TYPE) & SET_STEERED) !== 0) return true;
  return writeSet(message, zone, set, offset, apexOffset, SECTION_ADDITIONAL, null);
}

/** RFC 1034 4.3.2 step 3b: the cut's NS, with the glue that the zone holds. RFC 9471 2: glue that doesn't fit sets TC. */
export function writeReferral(
  message: Message,
  zone: ZoneView,
  cut: number,
  cutOffset: number,
  apexOffset: number,
  hosts: Hosts,
): void {
  hosts.count = 0;
  const set = zone.set(cut, TYPE.NS);
  if (!writeSet(message, zone, set, cutOffset, apexOffset, SECTION_AUTHORITY, hosts)) {
    message.truncated = true;
    return;
  }
  for (let i = 0; i < hosts.count; i++) {
    const node = hosts.nodes[i]!;
    const glue = zone.at(node + NODE_CUT) !== 0;
    const four = writeHost(message, zone, node, TYPE.A, hosts.offsets[i]!, apexOffset);
    const six = writeHost(message, zone, node, TYPE.AAAA, hosts.offsets[i]!, apexOffset);
    if (glue && !(four && six)) message.truncated = true;
  }
}

/** RFC 2308 2 and 3: the SOA that says how long "no" lives. `ttlSeconds` -1: its own negative TTL. */
export function writeNegative(message: Message, zone: ZoneView, apexOffset: number, ttlSeconds: number): void {
  if (!message.record(zone, zone.at(HEADER.negativeSoa), apexOffset, apexOffset, ttlSeconds, SECTION_AUTHORITY)) {
    message.truncated = true;
  }
}

/** RFC 8482 4.2: ANY is answered with a HINFO that says so. */
const ANY_HINFO = Uint8Array.of(7, 0x52, 0x46, 0x43, 0x38, 0x34, 0x38, 0x32, 0);

export function writeAny(message: Message, ownerOffset: number): void {
  const p = message.p;
  if (p + 12 + ANY_HINFO.length > message.end) {
    message.truncated = true;
    return;
  }
  const out = message.bytes;
  out[p] = 0xc0 | (ownerOffset >> 8);
  out[p + 1] = ownerOffset;
  out[p + 2] = 0;
  out[p + 3] = TYPE.HINFO;
  out[p + 4] = 0;
  out[p + 5] = 1;
  out[p + 6] = 0;
  out[p + 7] = 0;
  // One hour: what is synthesised may be cached (RFC 8482 4.2 leaves the TTL to us).
  out[p + 8] = 0x0e;
  out[p + 9] = 0x10;
  out[p + 10] = 0;
  out[p + 11] = ANY_HINFO.length;
  for (let i = 0; i < ANY_HINFO.length; i++) out[p + 12 + i] = ANY_HINFO[i]!;
  message.p = p + 12 + ANY_HINFO.length;
  message.count(SECTION_ANSWER);
}
