// Requests and responses for explain: builds a query's bytes, reads an answer's records as text.

import type { Peer } from '../answer/port.ts';
import type { Address, Prefix } from '../base/address.ts';
import { limits } from '../base/limits.ts';
import { nameToText } from '../wire/name.ts';
import { rdataToText } from '../wire/rdata.ts';
import { typeToText } from '../wire/types.ts';

export interface QueryOptions {
  readonly name: Uint8Array;
  readonly type: number;
  /** null: no EDNS. */
  readonly udpSize: number | null;
  readonly subnet: Prefix | null;
}

/** The bytes of a query, with an ECS option where there is a subnet (RFC 7871 6). */
export function buildQuery({ name, type, udpSize, subnet }: QueryOptions): Uint8Array {
  const octets = subnet === null ? 0 : Math.ceil(subnet.length / 8);
  const option = subnet === null ? 0 : 8 + octets;
  const bytes = new Uint8Array(12 + name.length + 4 + (udpSize === null ? 0 : 11 + option));
  const view = new DataView(bytes.buffer);
  view.setUint16(4, 1);
  bytes.set(name, 12);
  let at = 12 + name.length;
  view.setUint16(at, type);
  view.setUint16(at + 2, 1);
  at += 4;
  if (udpSize === null) return bytes;
  view.setUint16(10, 1);
  view.setUint16(at + 1, 41);
  view.setUint16(at + 3, udpSize);
  view.setUint16(at + 9, option);
  if (subnet !== null) {
    at += 11;
    view.setUint16(at, 8);
    view.setUint16(at + 2, 4 + octets);
    view.setUint16(at + 4, subnet.address.family === 4 ? 1 : 2);
    bytes[at + 6] = subnet.length;
    bytes.set(subnet.address.bytes.subarray(0, octets), at + 8);
  }
  return bytes;
}

export interface ReadRecord {
  readonly name: string;
  readonly type: number;
  readonly ttl: number;
  /** `name TTL IN TYPE data` */
  readonly text: string;
}

export interface ReadResponse {
  readonly rcode: number;
  readonly truncated: boolean;
  readonly answers: readonly ReadRecord[];
  readonly authorities: readonly ReadRecord[];
  /** ECS scope, null: no subnet in it. */
  readonly scope: number | null;
}

/** A name with its pointers followed, in wire form, and where the next thing stands. */
function expandName(bytes: Uint8Array, from: number): { name: Uint8Array; next: number } {
  const labels: number[] = [];
  let at = from;
  let next = -1;
  while (bytes[at] !== 0) {
    const length = bytes[at]!;
    if (length >= 0xc0) {
      if (next < 0) next = at + 2;
      at = ((length & 0x3f) << 8) | bytes[at + 1]!;
      continue;
    }
    labels.push(...bytes.subarray(at, at + length + 1));
    if (labels.length > limits.nameBytes) throw new Error('a name of our own response is too long');
    at += length + 1;
  }
  labels.push(0);
  return { name: Uint8Array.from(labels), next: next < 0 ? at + 1 : next };
}

/** Offsets in the data of names that our writer compresses, by type (NS CNAME PTR: 0, MX: 2, SOA: two). */
const NAME_FIELDS = new Map<number, { skip: number; names: number }>([
  [2, { skip: 0, names: 1 }],
  [5, { skip: 0, names: 1 }],
  [6, { skip: 0, names: 2 }],
  [12, { skip: 0, names: 1 }],
  [15, { skip: 2, names: 1 }],
]);

function expandData(bytes: Uint8Array, at: number, length: number, type: number): Uint8Array {
  const fields = NAME_FIELDS.get(type);
  if (fields === undefined) return bytes.slice(at, at + length);
  const parts: number[] = [...bytes.subarray(at, at + fields.skip)];
  let p = at + fields.skip;
  for (let i = 0; i < fields.names; i++) {
    const { name, next } = expandName(bytes, p);
    parts.push(...name);
    p = next;
  }
  return Uint8Array.from([...parts, ...bytes.subarray(p, at + length)]);
}

/** Reads a response that this program made. */
export function readResponse(bytes: Uint8Array): ReadResponse {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 12;
  for (let i = 0; i < view.getUint16(4); i++) at = expandName(bytes, at).next + 4;
  let scope: number | null = null;
  let extended = 0;
  const section = (count: number): ReadRecord[] => {
    const records: ReadRecord[] = [];
    for (let i = 0; i < count; i++) {
      const { name, next } = expandName(bytes, at);
      const type = view.getUint16(next);
      const ttl = view.getUint32(next + 4);
      const length = view.getUint16(next + 8);
      const data = next + 10;
      at = data + length;
      if (type === 41) {
        extended = bytes[next + 4]!;
        for (let o = data; o < at; o += 4 + view.getUint16(o + 2)) if (view.getUint16(o) === 8) scope = bytes[o + 7]!;
        continue;
      }
      const owner = nameToText(name);
      const text = `${owner} ${ttl} IN ${typeToText(type)} ${rdataToText(type, expandData(bytes, data, length, type))}`;
      records.push({ name: owner, type, ttl, text });
    }
    return records;
  };
  const answers = section(view.getUint16(6));
  const authorities = section(view.getUint16(8));
  section(view.getUint16(10));
  return { rcode: (extended << 4) | (bytes[3]! & 15), truncated: (bytes[2]! & 2) !== 0, answers, authorities, scope };
}

/** Makes the peer one with this address. */
export function fillPeer(peer: Peer, address: Address): void {
  const view = new DataView(address.bytes.buffer, address.bytes.byteOffset, address.bytes.length);
  const four = address.family === 4;
  peer.family = address.family;
  peer.w0 = view.getInt32(0);
  peer.w1 = four ? 0 : view.getInt32(4);
  peer.w2 = four ? 0 : view.getInt32(8);
  peer.w3 = four ? 0 : view.getInt32(12);
  peer.port = 53;
}
