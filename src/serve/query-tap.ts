// Stands between the transport and the answer path of a thread whose queries are logged, and notes each sampled query in the thread's ring.
//
// Where nothing is logged it isn't there. Like the answer path it allocates nothing: two copies of some hundred bytes a query.
import type { Peer, Responder, TransferHandler } from '../answer/port.ts';
import type { AnswerTrace } from '../answer/trace.ts';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { RandomWords } from '../base/random.ts';
import { RingWriter } from '../board/ring.ts';
import { HEADER_BYTES } from '../wire/query.ts';
import { RECORD, wordsOf } from './query-record.ts';

/** What a thread is told of the query log; survives structured clone. */
export interface QueryTapMemory {
  readonly ring: SharedArrayBuffer;
  /** Share of the queries that are logged, over 0 to 1. */
  readonly sample: number;
}

/** An answer path that tells what it does. */
interface Traced extends Responder {
  trace: AnswerTrace | null;
}

/** Bytes of a request's place: what the transport keeps of one, in whole words. */
const REQUEST_ROOM = wordsOf(limits.udpRequestBytes + 1) * 4;

/** One for each thread; it listens to `inner` from then on. */
export class QueryTap implements Responder, AnswerTrace {
  readonly peer: Peer;
  readonly transfer?: TransferHandler;
  readonly choices = null;
  readonly #inner: Traced;
  readonly #ring: RingWriter;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #random: RandomWords;
  /** A query whose random word lies below is logged. */
  readonly #below: number;
  /** The requests of a group, which the answers are written over; and how long each is, 0: not logged. */
  readonly #requests = new Uint8Array(limits.udpAhead * REQUEST_ROOM);
  readonly #lengths = new Int32Array(limits.udpAhead);
  #seconds = 0;
  #milliseconds = 0;
  /** What the answer path told of the query that is being answered; see RECORD. */
  #zone = -1;
  #lastZone = -1;
  #steeredZone = -1;
  #steering = -1;
  #slot = -1;
  #pool = -1;

  constructor(inner: Traced, memory: QueryTapMemory, clock: Pick<Clock, 'nowMs'>, random: RandomWords) {
    this.peer = inner.peer;
    if (inner.transfer !== undefined) this.transfer = inner.transfer;
    this.#inner = inner;
    this.#ring = new RingWriter(memory.ring);
    this.#clock = clock;
    this.#random = random;
    this.#below = Math.round(memory.sample * 2 ** 32);
    inner.trace = this;
  }

  beginBatch(): void {
    const nowMs = this.#clock.nowMs();
    this.#seconds = Math.floor(nowMs / 1000);
    this.#milliseconds = nowMs - this.#seconds * 1000;
    this.#inner.beginBatch();
  }

  endBatch(): void {
    this.#inner.endBatch();
  }

  get isTimed(): boolean {
    return this.#inner.isTimed;
  }

  took(seconds: number, responses: number): void {
    this.#inner.took(seconds, responses);
  }

  readNext(i: number, bytes: Uint8Array, at: number, length: number): void {
    this.#keep(i, bytes, at, length);
    this.#inner.readNext(i, bytes, at, length);
  }

  lookAhead(): void {
    this.#inner.lookAhead();
  }

  answer(i: number, bytes: Uint8Array, at: number, room: number, transport: 0 | 1): number {
    this.#forget();
    const length = this.#inner.answer(i, bytes, at, room, transport);
    if (this.#lengths[i] !== 0) this.#note(i, bytes, at, length, transport);
    return length;
  }

  respond(bytes: Uint8Array, at: number, length: number, room: number, transport: 0 | 1): number {
    this.#keep(0, bytes, at, length);
    this.#forget();
    const written = this.#inner.respond(bytes, at, length, room, transport);
    if (this.#lengths[0] !== 0) this.#note(0, bytes, at, written, transport);
    return written;
  }

  zone(number: number): void {
    if (this.#zone < 0) this.#zone = number;
    this.#lastZone = number;
  }
  client(): void {}
  scope(): void {}
  member(): void {}
  steered(
    steering: number,
    _outcome: number,
    pool: number,
    _mode: number,
    _climbed: boolean,
    _ttlSeconds: number,
    slot: number,
  ): void {
    this.#steeredZone = this.#lastZone;
    this.#steering = steering;
    this.#pool = pool;
    this.#slot = slot;
  }

  #forget(): void {
    this.#zone = -1;
    this.#steeredZone = -1;
    this.#steering = -1;
    this.#slot = -1;
    this.#pool = -1;
  }

  /** Keeps a request, if it is a query and the draw falls on it. */
  #keep(i: number, bytes: Uint8Array, at: number, length: number): void {
    this.#lengths[i] = 0;
    // What has no header, and what is a response, is no query (RFC 1035 4.1.1).
    if (length < HEADER_BYTES || (bytes[at + 2]! & 0x80) !== 0) return;
    if (this.#random.next() >>> 0 >= this.#below) return;
    const kept = Math.min(length, REQUEST_ROOM);
    const requests = this.#requests;
    const end = i * REQUEST_ROOM + kept;
    for (let to = i * REQUEST_ROOM, from = at; to < end; to++, from++) requests[to] = bytes[from]!;
    this.#lengths[i] = kept;
  }

  #note(i: number, bytes: Uint8Array, at: number, length: number, transport: number): void {
    const request = this.#lengths[i]!;
    const requestWords = wordsOf(request);
    const response = Math.max(0, length);
    const ring = this.#ring;
    const record = ring.reserve(RECORD.size + requestWords + wordsOf(response));
    if (record < 0) return;
    const { words } = ring;
    const { peer } = this;
    words[record + RECORD.seconds] = this.#seconds;
    words[record + RECORD.milliseconds] = this.#milliseconds;
    words[record + RECORD.transport] = transport;
    words[record + RECORD.family] = peer.family;
    words[record + RECORD.address] = peer.w0;
    words[record + RECORD.address + 1] = peer.w1;
    words[record + RECORD.address + 2] = peer.w2;
    words[record + RECORD.address + 3] = peer.w3;
    words[record + RECORD.port] = peer.port;
    words[record + RECORD.zone] = this.#zone;
    words[record + RECORD.steeredZone] = this.#steeredZone;
    words[record + RECORD.steering] = this.#steering;
    words[record + RECORD.slot] = this.#slot;
    words[record + RECORD.pool] = this.#pool;
    words[record + RECORD.requestBytes] = request;
    words[record + RECORD.responseBytes] = length;
    const out = ring.bytes;
    const requests = this.#requests;
    let to = (record + RECORD.size) * 4;
    for (let from = i * REQUEST_ROOM, end = from + request; from < end; from++) out[to++] = requests[from]!;
    to = (record + RECORD.size + requestWords) * 4;
    for (let from = at, end = at + response; from < end; from++) out[to++] = bytes[from]!;
    ring.commit();
  }
}
