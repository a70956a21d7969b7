// One TCP connection: takes messages apart and puts them together (RFC 1035 4.2.2), and waits for clients that read slowly.
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Peer, RESPOND_BY_TRANSFER, type Responder, TRANSPORT_TCP } from '../answer/port.ts';
import { limits } from '../base/limits.ts';
import { TCP_CLOSED_GARBAGE, TCP_RECEIVED, TCP_SENT, TCP_SILENT, TCP_TRANSFERS } from './counters.ts';
import { copyPeer } from './peer.ts';

/** The two octets of length before each message. */
const PREFIX = 2;
/** RFC 1035 4.1.1: what is shorter has no header, and nobody who speaks DNS sends it. */
const HEADER = 12;
/** What is kept of a request; see Responder.respond. */
const REQUEST_ROOM = limits.udpRequestBytes + 1;
/** Bytes of `ConnectionOwner.gathered`. */
export const GATHERED_BYTES = limits.tcpWriteBytes + PREFIX + limits.messageBytes;

export interface ConnectionOwner {
  readonly responder: Responder;
  readonly counters: Float64Array;
  /** Where answers are made before they are copied to the socket: one for all, since only one connection is at work at a time. */
  readonly gathered: Uint8Array;
  /** Requests were completed, or answers were read. */
  readonly onProgress: () => void;
  /** The client leaves this many bytes of answers unread; its next requests wait. */
  readonly onBlocked: (bytes: number) => void;
  readonly onUnblocked: () => void;
}

export class Connection {
  /** When it last made progress; the owner's note. */
  progressMs = 0;
  /** Answers wait for the client to read. */
  blocked = false;

  readonly #socket: Socket;
  readonly #peer: Peer;
  readonly #owner: ConnectionOwner;
  /** A message that has arrived in part: its bytes with the prefix, and how many of them came (kept or not). */
  #partial: Uint8Array | undefined;
  #arrived = 0;
  /** What was read while the connection waited, in order. */
  #waiting: Buffer[] = [];
  #transferring = false;
  /** Called, while a transfer waits for the client, when that has read or gone. */
  #unblocked: (() => void) | undefined;
  /** The client sends no more. */
  #ended = false;
  /** Nothing more is read from the client. */
  #finishing = false;

  constructor(socket: Socket, peer: Peer, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#peer = peer;
    this.#owner = owner;
    socket.on('data', (chunk: Buffer) => {
      if (this.#finishing) return;
      this.#waiting.push(chunk);
      this.#work();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#work();
    });
    socket.on('close', () => this.#unblocked?.());
  }

  /** Whether an answer is being made that the client waits for; such a connection is not idle. */
  get busy(): boolean {
    return this.#transferring && !this.blocked;
  }

  /** Reads no more, answers what was read, closes. */
  finish(): void {
    this.#finishing = true;
    this.#work();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Goes on with what was read, as far as the client's reading allows. */
  #work(): void {
    if (this.#socket.destroyed) return;
    while (!this.blocked && !this.#transferring && !this.#socket.destroyed && this.#waiting.length > 0) {
      const chunk = this.#waiting.shift()!;
      const used = this.#consume(chunk);
      if (used < chunk.length) this.#waiting.unshift(chunk.subarray(used));
    }
    if (this.blocked || this.#transferring) this.#socket.pause();
    else if (this.#finishing) this.#socket.destroySoon();
    else if (this.#ended) this.#socket.end();
    else this.#socket.resume();
  }

  /** Answers the requests in a chunk, until it ends or answers have to wait. Returns how many of its bytes are done with. */
  #consume(chunk: Buffer): number {
    const { responder, gathered, onProgress } = this.#owner;
    copyPeer(this.#peer, responder.peer);
    responder.beginBatch();
    const takenMs = responder.isTimed ? performance.now() : 0;
    let answers = 0;
    let at = 0;
    let end = 0;
    let requests = 0;
    let transfer: Uint8Array | undefined;
    while (at < chunk.length && !this.blocked && transfer === undefined && !this.#socket.destroyed) {
      let bytes: Uint8Array = chunk;
      let start = at + PREFIX;
      let length = chunk.length - at >= PREFIX ? chunk.readUInt16BE(at) : 0;
      if (this.#arrived === 0 && length >= HEADER && start + length <= chunk.length) {
        at = start + length;
      } else {
        at = this.#collect(chunk, at);
        if (this.#partial === undefined || this.#arrived < PREFIX) break;
        length = messageLength(this.#partial);
        if (length < HEADER) {
          this.#owner.counters[TCP_CLOSED_GARBAGE]! += 1;
          this.#finishing = true;
          this.#waiting = [];
          at = chunk.length;
          break;
        }
        if (this.#arrived < PREFIX + length) break;
        bytes = this.#partial;
        start = PREFIX;
        this.#partial = undefined;
        this.#arrived = 0;
      }
      requests++;
      length = Math.min(length, REQUEST_ROOM);
      gathered.set(bytes.subarray(start, start + length), end + PREFIX);
      const answer = responder.respond(gathered, end + PREFIX, length, limits.messageBytes, TRANSPORT_TCP);
      if (answer > 0) {
        gathered[end] = answer >> 8;
        gathered[end + 1] = answer;
        end += PREFIX + answer;
        this.#owner.counters[TCP_SENT]! += 1;
        answers++;
        if (end > limits.tcpWriteBytes) {
          this.#write(Buffer.from(gathered.subarray(0, end)));
          end = 0;
        }
      } else if (answer === RESPOND_BY_TRANSFER) {
        transfer = bytes.slice(start, start + length);
      } else {
        this.#owner.counters[TCP_SILENT]! += 1;
      }
    }
    responder.endBatch();
    this.#owner.counters[TCP_RECEIVED]! += requests;
    if (requests > 0) onProgress();
    if (end > 0) this.#write(Buffer.from(gathered.subarray(0, end)));
    if (answers > 0 && responder.isTimed) responder.took((performance.now() - takenMs) / 1000, answers);
    if (transfer) void this.#transfer(transfer);
    return at;
  }

  /** Adds bytes of the chunk from `at` on to the partial message, at most up to its end. Returns where it stopped. */
  #collect(chunk: Buffer, at: number): number {
    let next = at;
    // Two bytes first; their memory is exchanged for the message's once its length is known, never for more than is kept.
    this.#partial ??= new Uint8Array(PREFIX);
    while (next < chunk.length && this.#arrived < PREFIX) this.#partial[this.#arrived++] = chunk[next++]!;
    if (this.#arrived < PREFIX) return next;
    const length = messageLength(this.#partial);
    if (this.#partial.length === PREFIX) {
      const whole = new Uint8Array(PREFIX + Math.min(length, REQUEST_ROOM));
      whole.set(this.#partial);
      this.#partial = whole;
    }
    const take = Math.min(chunk.length - next, PREFIX + length - this.#arrived);
    const keep = Math.min(take, Math.max(0, this.#partial.length - this.#arrived));
    if (keep > 0) this.#partial.set(chunk.subarray(next, next + keep), this.#arrived);
    this.#arrived += take;
    return next + take;
  }

  /** Sends these bytes, which are the socket's from now on. What the kernel has no room for blocks the connection. */
  #write(bytes: Uint8Array): void {
    this.#socket.write(bytes, this.#onWritten);
    const unread = this.#socket.writableLength;
    if (unread === 0) return;
    this.blocked = true;
    this.#owner.onBlocked(unread);
  }

  /** The kernel has taken what was written. ('drain' would not do: it comes only after more than 16 KiB.) */
  readonly #onWritten = (error?: Error | null): void => {
    if (error || !this.blocked || this.#socket.writableLength > 0) return;
    this.blocked = false;
    this.#owner.onProgress();
    this.#owner.onUnblocked();
    if (this.#unblocked) this.#unblocked();
    else this.#work();
  };

  /** Sends the messages of a transfer, one a turn of the event loop, at the client's pace. */
  async #transfer(request: Uint8Array): Promise<void> {
    this.#transferring = true;
    this.#owner.counters[TCP_TRANSFERS]! += 1;
    try {
      const messages = this.#owner.responder.transfer?.(request, { ...this.#peer });
      if (messages === undefined) throw new Error('no transfer handler');
      for await (const message of messages) {
        if (this.#socket.destroyed) return;
        const framed = new Uint8Array(PREFIX + message.length);
        framed[0] = message.length >> 8;
        framed[1] = message.length;
        framed.set(message, PREFIX);
        this.#write(framed);
        if (this.blocked) await this.#readByClient();
        else await nextTurn();
        if (this.#socket.destroyed) return;
      }
    } catch {
      // A transfer that breaks off must not look like one that is complete.
      this.#socket.destroy();
      return;
    } finally {
      this.#transferring = false;
    }
    this.#owner.onProgress();
    this.#work();
  }

  /** Resolves when the client has read, or is gone. */
  async #readByClient(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#unblocked = resolve;
    });
    this.#unblocked = undefined;
  }
}

function messageLength(partial: Uint8Array): number {
  return (partial[0]! << 8) | partial[1]!;
}
