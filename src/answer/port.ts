// What a transport needs of the answer path: bytes in, bytes out, in place.

export const TRANSPORT_UDP = 0;
export const TRANSPORT_TCP = 1;

/** What `respond` returns when the answer is made of many messages: the transport calls `transfer` (TCP alone). */
export const RESPOND_BY_TRANSFER = -1;

/**
 * The packet's source address as int32 words, each with the value of its four octets in network order (192.0.2.1 is
 * 0xc0000201 | 0); IPv4 has `w0` only, the others are 0 then.
 */
export interface Peer {
  family: 4 | 6;
  w0: number;
  w1: number;
  w2: number;
  w3: number;
  port: number;
}

/** The messages of one answer, each a DNS message without its two-octet length, at most 65,535 bytes. */
export type TransferHandler = (request: Uint8Array, peer: Readonly<Peer>) => AsyncIterable<Uint8Array>;

/** The answer path as the transports see it. One per thread; never called twice at a time. */
export interface Responder {
  /** The transport fills it before each call. */
  readonly peer: Peer;

  /**
   * Answers the request that stands in `bytes[at .. at + length)`: the response is written from `at` on, at most `room`
   * bytes (at least 512). Returns its length, 0 for silence, or RESPOND_BY_TRANSFER over TCP. Never throws for any bytes.
   *
   * `length` may be anything from 0 on. A request longer than `limits.udpRequestBytes` arrives cut to that and one byte, over
   * UDP and TCP alike: that is how FORMERR is told from a request that just fits.
   */
  respond(bytes: Uint8Array, at: number, length: number, room: number, transport: 0 | 1): number;

  /**
   * The same in two steps, for a group of up to `limits.udpAhead` requests of one batch: `readNext` for each of them, `lookAhead`
   * once, then `answer` for each by its number. `peer` must be filled for both steps.
   */
  readNext(i: number, bytes: Uint8Array, at: number, length: number): void;
  lookAhead(): void;
  answer(i: number, bytes: Uint8Array, at: number, room: number, transport: 0 | 1): number;

  /** Called before a batch of packets: takes hold of the current zones. */
  beginBatch(): void;

  /** Called after the batch and before anything that blocks: lets go of them. */
  endBatch(): void;

  /** Whether the current batch is one of those that are timed; then `took` is told of it, before the next. */
  readonly isTimed: boolean;

  /** So many responses were sent that many seconds after their requests had been taken from the socket. */
  took(seconds: number, responses: number): void;

  /**
   * Called where `respond` returned RESPOND_BY_TRANSFER, outside of any batch, with copies of the request and the peer.
   * An iterator that throws, or no handler: the connection is closed. The iterator's `return` is called when the client goes.
   */
  readonly transfer?: TransferHandler;
}

/** A peer to be filled. */
export function emptyPeer(): Peer {
  return { family: 4, w0: 0, w1: 0, w2: 0, w3: 0, port: 0 };
}
