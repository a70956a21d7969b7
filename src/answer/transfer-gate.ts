// Judges a request for a zone transfer on the answer path: who may have the zone, and over what (RFC 5936, RFC 1995).
import { HEADER_BYTES, type Query } from '../wire/query.ts';
import { EXTENDED_ERROR, RCODE, TYPE } from '../wire/types.ts';
import type { ZoneView } from '../zone/find.ts';
import { HEADER, NETWORK } from '../zone/layout.ts';
import type { Edns } from './edns.ts';
import { type Message, SECTION_ANSWER } from './message.ts';
import type { Peer } from './port.ts';

/** The error stands in `message`. */
const GATE_REFUSED = 0;
/** The answer stands in `message`. */
export const GATE_ANSWERED = 1;
/** The zone goes to this client, over this connection. */
export const GATE_TRANSFER = 2;

/** Whether the zone's file allows this client to have all of it. */
export function mayTransfer(zone: ZoneView, peer: Readonly<Peer>): boolean {
  let at = zone.at(HEADER.networks);
  for (let left = zone.at(HEADER.networkCount); left > 0; left--, at += NETWORK.size) {
    const head = zone.at(at + NETWORK.head);
    if ((head & 255) !== peer.family) continue;
    const bits = head >>> 8;
    const address = at + NETWORK.address;
    if (!sameStart(zone.at(address), peer.w0, bits) || !sameStart(zone.at(address + 1), peer.w1, bits - 32)) continue;
    if (sameStart(zone.at(address + 2), peer.w2, bits - 64) && sameStart(zone.at(address + 3), peer.w3, bits - 96)) {
      return true;
    }
  }
  return false;
}

/** Whether the first `bits` bits of two words are equal; none are for 0 and less, all from 32 on. */
function sameStart(a: number, b: number, bits: number): boolean {
  return bits <= 0 || (a ^ b) >>> (bits >= 32 ? 0 : 32 - bits) === 0;
}

/**
 * Judges an AXFR or IXFR request; returns one of the GATE_ values.
 * @param zoneLabel where the name of the zone that is served starts in the name asked for; -1: none is
 * @param zone that zone; null: none is, or it has no good version
 */
export function gateTransfer(
  message: Message,
  edns: Edns,
  query: Query,
  peer: Readonly<Peer>,
  zoneLabel: number,
  zone: ZoneView | null,
  tcp: boolean,
): number {
  if (zoneLabel !== 0) {
    // RFC 5936 2.2.1: NotAuth where the name is no zone of ours.
    message.rcode = RCODE.NOTAUTH;
    edns.extendedError = EXTENDED_ERROR.NOT_AUTHORITATIVE;
    return GATE_REFUSED;
  }
  if (zone === null) {
    message.rcode = RCODE.SERVFAIL;
    edns.extendedError = EXTENDED_ERROR.INVALID_DATA;
    return GATE_REFUSED;
  }
  if (!mayTransfer(zone, peer)) {
    message.rcode = RCODE.REFUSED;
    edns.extendedError = EXTENDED_ERROR.PROHIBITED;
    return GATE_REFUSED;
  }
  if (tcp) return GATE_TRANSFER;
  if (query.type === TYPE.AXFR) {
    // RFC 5936 4.2: AXFR has no meaning over UDP.
    message.rcode = RCODE.REFUSED;
    edns.extendedError = EXTENDED_ERROR.NOT_SUPPORTED;
    return GATE_REFUSED;
  }
  // RFC 1995 2 and 4: one SOA, current or not; a client that is behind comes back over TCP.
  message.authoritative = true;
  if (!message.record(zone, zone.at(HEADER.soa), HEADER_BYTES, HEADER_BYTES, -1, SECTION_ANSWER)) {
    message.truncated = true;
  }
  return GATE_ANSWERED;
}
