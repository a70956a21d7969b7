// A peer's address: from the text that Node tells to the words that the answer path takes, and what it says of the peer.
import type { Peer } from '../answer/port.ts';
import { parseAddress } from '../base/address.ts';

/**
 * Fills `peer` from an address as `node:net` and `node:dgram` write it: zone ids are left out, ::ffff:192.0.2.1 is IPv4.
 * Returns false for what is no address.
 */
export function fillPeer(peer: Peer, text: string, port: number): boolean {
  const zone = text.indexOf('%');
  const address = parseAddress(zone < 0 ? text : text.slice(0, zone));
  if (!address) return false;
  const { bytes } = address;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  peer.port = port;
  peer.w0 = view.getInt32(0);
  peer.family = address.family;
  peer.w1 = address.family === 6 ? view.getInt32(4) : 0;
  peer.w2 = address.family === 6 ? view.getInt32(8) : 0;
  peer.w3 = address.family === 6 ? view.getInt32(12) : 0;
  if (peer.family === 6 && peer.w0 === 0 && peer.w1 === 0 && peer.w2 === 0xffff) {
    peer.family = 4;
    peer.w0 = peer.w3;
    peer.w2 = 0;
    peer.w3 = 0;
  }
  return true;
}

/** Copies a peer's fields: a responder's own peer object is filled before each call. */
export function copyPeer(from: Readonly<Peer>, to: Peer): void {
  to.family = from.family;
  to.w0 = from.w0;
  to.w1 = from.w1;
  to.w2 = from.w2;
  to.w3 = from.w3;
  to.port = from.port;
}
