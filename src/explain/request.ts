// What explain is asked, from text to addresses, types and names.

import { type ExplainRequest, RequestError } from '../api/views.ts';
import { type Address, maskAddress, type Prefix, parseAddress, parsePrefix } from '../base/address.ts';
import { parseName } from '../wire/name.ts';
import { typeFromText } from '../wire/types.ts';
import { absoluteName } from '../wire/zone-name.ts';

/** A question and who asks it. */
export interface Asked {
  readonly name: Uint8Array;
  readonly type: number;
  readonly peer: Address;
  readonly subnet: Prefix | null;
}

/** Throws RequestError where the question is none. */
export function readRequest(request: ExplainRequest): Asked {
  const bad = (code: string, message: string): never => {
    throw new RequestError(400, code, message);
  };
  const name = parseName(absoluteName(request.name), null);
  if (!name.ok) return bad('bad-name', `"${request.name}" is no domain name: ${name.reason}`);
  const type = typeFromText(request.type ?? 'A');
  if (type === undefined) return bad('bad-type', `"${request.type}" is no record type`);
  const address = (text: string, what: string): Address =>
    parseAddress(text) ?? bad('bad-address', `${what} "${text}" is no IP address`);
  let subnet: Prefix | null = null;
  if (request.client !== undefined) {
    const client = address(request.client, 'client');
    subnet = { address: client, length: client.family === 4 ? 32 : 128 };
  } else if (request.subnet !== undefined) {
    const prefix =
      parsePrefix(request.subnet) ?? bad('bad-subnet', `"${request.subnet}" is no network like 192.0.2.0/24`);
    subnet = { address: maskAddress(prefix.address, prefix.length), length: prefix.length };
  }
  const peer =
    request.resolver === undefined
      ? { family: 4 as const, bytes: Uint8Array.of(127, 0, 0, 1) }
      : address(request.resolver, 'resolver');
  return { name: name.wire, type, peer, subnet };
}
