// One query as the writers of the log see it: read from a data thread's record, its addresses shortened where that is asked for.
import { RESPOND_BY_TRANSFER, TRANSPORT_TCP } from '../answer/port.ts';
import { RECORD, wordsOf } from '../serve/query-record.ts';
import { HEADER_BYTES } from '../wire/query.ts';
import { hideClient } from './hide-client.ts';
import type { NameTable, ZoneNames } from './zone-names.ts';

/** Leading bits of an address that `addresses: prefix` leaves. */
export const SHORT_BITS = { 4: 24, 6: 56 } as const;

export interface LoggedQuery {
  readonly timeMs: number;
  readonly tcp: boolean;
  readonly family: 4 | 6;
  /** 4 or 16 bytes; shortened: the others are 0. */
  readonly address: Uint8Array;
  /** 0 where addresses are shortened. */
  readonly port: number;
  readonly zone: ZoneNames | null;
  readonly region: string | null;
  readonly pool: string | null;
  /** Both are whole messages in memory of their own. */
  readonly request: Uint8Array;
  /** Empty: there was none. */
  readonly response: Uint8Array;
  /** A zone transfer answered. */
  readonly transfer: boolean;
}

/** Reads the record at word `at`. @param short shorten addresses */
export function readLogged(
  words: Int32Array,
  bytes: Uint8Array,
  at: number,
  names: NameTable,
  short: boolean,
): LoggedQuery {
  const timeMs = (words[at + RECORD.seconds]! >>> 0) * 1000 + words[at + RECORD.milliseconds]!;
  const family = words[at + RECORD.family] === 6 ? 6 : 4;
  const requestBytes = words[at + RECORD.requestBytes]!;
  const answered = words[at + RECORD.responseBytes]!;
  const start = (at + RECORD.size) * 4;
  const request = bytes.slice(start, start + requestBytes);
  const responseAt = start + wordsOf(requestBytes) * 4;
  const response = bytes.slice(responseAt, responseAt + Math.max(0, answered));
  if (short) {
    hideClient(request);
    if (response.length >= HEADER_BYTES) hideClient(response);
  }
  const steered = names.at(words[at + RECORD.steeredZone]!, timeMs);
  const region = steered?.regions[words[at + RECORD.steering]!]?.[words[at + RECORD.slot]!];
  return {
    timeMs,
    tcp: words[at + RECORD.transport] === TRANSPORT_TCP,
    family,
    address: addressOf(words, at + RECORD.address, family, short),
    port: short ? 0 : words[at + RECORD.port]!,
    zone: names.at(words[at + RECORD.zone]!, timeMs),
    region: region === undefined || region === '' ? null : region,
    pool: steered?.pools[words[at + RECORD.pool]!] ?? null,
    request,
    response,
    transfer: answered === RESPOND_BY_TRANSFER,
  };
}

function addressOf(words: Int32Array, at: number, family: 4 | 6, short: boolean): Uint8Array {
  const address = new Uint8Array(family === 4 ? 4 : 16);
  const octets = short ? SHORT_BITS[family] / 8 : address.length;
  for (let i = 0; i < octets; i++) address[i] = words[at + (i >> 2)]! >>> (24 - (i & 3) * 8);
  return address;
}
