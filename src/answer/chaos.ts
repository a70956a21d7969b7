// CHAOS class: what the server says of itself, where the operator lets it (RFC 4892).

import type { Query } from '../wire/query.ts';
import { RCODE, TYPE } from '../wire/types.ts';
import type { Message } from './message.ts';
import { SECTION_ANSWER } from './message.ts';

/** Texts of at most 255 octets; empty: not told. */
export interface Identity {
  readonly version: Uint8Array;
  readonly hostname: Uint8Array;
}

/** A name in lower-case wire form from its labels. */
function wire(...labels: string[]): Uint8Array {
  return Uint8Array.from([...labels.flatMap((label) => [label.length, ...Buffer.from(label)]), 0]);
}

const VERSION_NAMES = [wire('version', 'bind'), wire('version', 'server')];
const HOST_NAMES = [wire('hostname', 'bind'), wire('id', 'server')];

function isOneOf(query: Query, names: readonly Uint8Array[]): boolean {
  for (let i = 0; i < names.length; i++) {
    if (query.name.suffixEquals(0, names[i]!, 0, names[i]!.length)) return true;
  }
  return false;
}

/** Answers a question of class CH: TXT for the names of RFC 4892, REFUSED for everything else. */
export function writeChaos(message: Message, query: Query, identity: Identity): void {
  const isVersion = isOneOf(query, VERSION_NAMES);
  const text = isVersion ? identity.version : identity.hostname;
  if (
    (query.type !== TYPE.TXT && query.type !== TYPE.ANY) ||
    !(isVersion || isOneOf(query, HOST_NAMES)) ||
    text.length === 0
  ) {
    message.rcode = RCODE.REFUSED;
    return;
  }
  message.authoritative = true;
  const p = message.p;
  if (p + 13 + text.length > message.end) {
    message.truncated = true;
    return;
  }
  const out = message.bytes;
  out[p] = 0xc0;
  out[p + 1] = 12;
  out[p + 2] = 0;
  out[p + 3] = TYPE.TXT;
  out[p + 4] = 0;
  out[p + 5] = 3;
  out.fill(0, p + 6, p + 10);
  out[p + 10] = (text.length + 1) >> 8;
  out[p + 11] = text.length + 1;
  out[p + 12] = text.length;
  for (let i = 0; i < text.length; i++) out[p + 13 + i] = text[i]!;
  message.p = p + 13 + text.length;
  message.count(SECTION_ANSWER);
}
