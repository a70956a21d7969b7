// Zone transfers over TCP: AXFR, and IXFR as a whole zone or as the one SOA that says "nothing new" (RFC 5936, RFC 1995).
import { limits } from '../base/limits.ts';
import { COUNT } from '../board/counters.ts';
import { chunkOf, wordOf } from '../board/store.ts';
import { HEADER_BYTES, Query } from '../wire/query.ts';
import { EXTENDED_ERROR, RCODE, TYPE } from '../wire/types.ts';
import { DIRECTORY, ENTRY, findEntry, ZONE_ERROR } from '../zone/directory.ts';
import { ZoneView } from '../zone/find.ts';
import { HEADER } from '../zone/layout.ts';
import { Edns } from './edns.ts';
import { Message, SECTION_ANSWER } from './message.ts';
import type { AnswerParts } from './parts.ts';
import type { Peer, TransferHandler } from './port.ts';
import { ZoneCopies, type ZoneCopy } from './transfer-copies.ts';
import { mayTransfer } from './transfer-gate.ts';
import { type TransferRecord, transferRecords, type WrittenOwner, writeTransferRecord } from './transfer-records.ts';
import { readTransferRequest } from './transfer-request.ts';

/** What a transfer needs of its thread. */
export type TransferParts = Pick<AnswerParts, 'reader' | 'counters' | 'clock' | 'cookies' | 'edns'>;

/** The first message when it is the only one, or the zone that the messages are made from. */
type Opened = { readonly reply: Uint8Array } | { readonly copy: ZoneCopy };

/** Makes the messages of transfers; one for a thread. */
export class Transfers {
  /** For `Responder.transfer`: only called for requests that `gateTransfer` let through. */
  readonly handler: TransferHandler = (request, peer) => this.#answer(request, peer);

  readonly #parts: TransferParts;
  readonly #query = new Query();
  readonly #message = new Message();
  readonly #edns: Edns;
  readonly #live = new ZoneView();
  /** Each message is made here in one go and copied out. */
  readonly #scratch = new Uint8Array(limits.messageBytes);
  readonly #copies = new ZoneCopies();
  #running = 0;
  /** Transfers that run, by client. */
  readonly #clients = new Map<string, number>();
  readonly #waiting: { readonly client: string; readonly wake: () => void }[] = [];

  constructor(parts: TransferParts) {
    this.#parts = parts;
    this.#edns = new Edns(parts.edns);
  }

  async *#answer(request: Uint8Array, peer: Readonly<Peer>): AsyncGenerator<Uint8Array, void> {
    const brief = this.#open(request, peer, false);
    if (brief !== null && 'reply' in brief) {
      yield brief.reply;
      return;
    }
    if (this.#waiting.length >= limits.transfersWaiting) {
      this.#query.read(request, 0, request.length);
      yield this.#reply(request, peer, RCODE.SERVFAIL, EXTENDED_ERROR.NOT_READY);
      return;
    }
    const client = `${peer.family} ${peer.w0} ${peer.w1} ${peer.w2} ${peer.w3}`;
    while (this.#full(client)) await new Promise<void>((wake) => this.#waiting.push({ client, wake }));
    this.#count(client, 1);
    try {
      // The zone may have changed while this waited.
      const opened = this.#open(request, peer, true)!;
      this.#wakeNext();
      if ('reply' in opened) yield opened.reply;
      else yield* this.#whole(request, peer, opened.copy);
    } finally {
      this.#count(client, -1);
      this.#wakeNext();
    }
  }

  /** Whether one more transfer to this client would be too many, for now. */
  #full(client: string): boolean {
    if (this.#running >= limits.transfers || this.#copies.bytes > limits.transferCopyBytes) return true;
    return (this.#clients.get(client) ?? 0) >= limits.transfersPerClient;
  }

  /** Wakes the first that can run now; that one wakes the next. */
  #wakeNext(): void {
    const next = this.#waiting.findIndex(({ client }) => !this.#full(client));
    if (next >= 0) this.#waiting.splice(next, 1)[0]!.wake();
  }

  #count(client: string, by: 1 | -1): void {
    this.#running += by;
    const running = (this.#clients.get(client) ?? 0) + by;
    if (running > 0) this.#clients.set(client, running);
    else this.#clients.delete(client);
  }

  /** Reads the request and finds its zone; `copy` false: null where the answer is the whole zone. */
  #open(request: Uint8Array, peer: Readonly<Peer>, copy: boolean): Opened | null {
    const { reader } = this.#parts;
    const query = this.#query;
    query.read(request, 0, request.length);
    const { serial, badKey, broken } = readTransferRequest(request, query.questionEnd);
    // RFC 1995 3: an IXFR client tells its version.
    if (broken || (query.type === TYPE.IXFR && serial === null))
      return { reply: this.#reply(request, peer, RCODE.FORMERR) };
    if (badKey !== null) return { reply: this.#reply(request, peer, RCODE.NOTAUTH, -1, badKey) };
    try {
      const directory = reader.hold();
      const words = reader.words[chunkOf(directory)]!;
      const at = wordOf(directory);
      const entry = findEntry(words, reader.bytes[chunkOf(directory)]!, at, query.name, 0);
      if (entry === 0) {
        return { reply: this.#reply(request, peer, RCODE.NOTAUTH, EXTENDED_ERROR.NOT_AUTHORITATIVE) };
      }
      if (words[entry + ENTRY.apex]! >>> 8 === ZONE_ERROR) {
        return { reply: this.#reply(request, peer, RCODE.SERVFAIL, EXTENDED_ERROR.INVALID_DATA) };
      }
      const image = words[entry + ENTRY.image]!;
      const zone = this.#live;
      zone.attach(reader.words[chunkOf(image)]!, reader.bytes[chunkOf(image)]!, wordOf(image));
      if (!mayTransfer(zone, peer)) {
        this.#parts.counters[COUNT.transferRefused]!++;
        return { reply: this.#reply(request, peer, RCODE.REFUSED, EXTENDED_ERROR.PROHIBITED) };
      }
      // RFC 1995 2: a client with this version, or a newer one (RFC 1982 3.2), gets the SOA alone.
      if (query.type === TYPE.IXFR && ((serialOf(zone) - serial!) | 0) <= 0) {
        this.#parts.counters[COUNT.transferCurrent]!++;
        return { reply: this.#soaAlone(request, peer, zone) };
      }
      return copy ? { copy: this.#copies.take(reader, image, words[at + DIRECTORY.generation]!) } : null;
    } finally {
      reader.letGo();
    }
  }

  /** The messages of a whole zone. The first is made before anything is awaited: `#query` is still this request's. */
  *#whole(request: Uint8Array, peer: Readonly<Peer>, copy: ZoneCopy): Generator<Uint8Array, void> {
    const { clock, counters } = this.#parts;
    const { zone } = copy;
    const startMs = clock.monotonicMs();
    let complete = false;
    try {
      const records = transferRecords(zone);
      let next = records.next();
      this.#startFirst(request);
      // RFC 5936 3.4: case is kept. The question's name is what all others point to: in another case it is for itself alone.
      const alone = !sameCase(request, zone);
      for (let first = true; next.done !== true; first = false) {
        if (clock.monotonicMs() - startMs > limits.transferMs) throw new Error('a transfer took too long');
        if (!first) this.#startNext(request, zone);
        next = this.#fill(zone, records, next.value, first && alone);
        yield first ? this.#finishFirst(peer, RCODE.NOERROR) : this.#finish();
      }
      complete = true;
    } finally {
      this.#copies.giveBack(copy);
      counters[complete ? COUNT.transferServed : COUNT.transferBrokenOff]!++;
    }
  }

  /** Writes records until the message is full; `one`: a single one. Returns the one that comes next. */
  #fill(
    zone: ZoneView,
    records: Generator<TransferRecord, void>,
    first: TransferRecord,
    one: boolean,
  ): IteratorResult<TransferRecord, void> {
    const message = this.#message;
    const last: WrittenOwner = { node: 0, offset: 0 };
    // A record that is larger than a message should be has one for itself.
    writeTransferRecord(message, zone, first, HEADER_BYTES, last);
    message.end = Math.min(message.end, limits.transferMessageBytes);
    for (;;) {
      const next = records.next();
      if (one || next.done === true || !writeTransferRecord(message, zone, next.value, HEADER_BYTES, last)) return next;
    }
  }

  /** Starts the first message of an answer: header and question as they came. */
  #startFirst(request: Uint8Array): void {
    const { questionEnd } = this.#query;
    this.#scratch.set(request.subarray(0, questionEnd));
    this.#message.start(this.#scratch, 0, questionEnd, this.#scratch.length);
    this.#edns.start();
  }

  /** Starts any other: the question with the name as the zone has it, for all others to point to. */
  #startNext(request: Uint8Array, zone: ZoneView): void {
    const out = this.#scratch;
    const nameEnd = HEADER_BYTES + zone.apexLength;
    out.set(request.subarray(0, nameEnd + 4));
    out.set(apexOf(zone), HEADER_BYTES);
    this.#message.start(out, 0, nameEnd + 4, out.length);
  }

  /** Ends the first message: its OPT (RFC 5936 2.2.5), what goes behind it. `#query` and `#edns` are this request's. */
  #finishFirst(peer: Readonly<Peer>, rcode: number, behind: Uint8Array | null = null): Uint8Array {
    const { cookies, clock } = this.#parts;
    const query = this.#query;
    const edns = this.#edns;
    const message = this.#message;
    edns.echoSubnet = query.ecs;
    if (query.cookieLength > 0 && cookies !== null) {
      cookies.check(query.cookie, query.cookieLength, peer, Math.floor(clock.nowMs() / 1000), edns.cookie);
      edns.hasCookie = true;
    }
    message.rcode = rcode;
    edns.write(message, query, this.#scratch.length, true);
    if (behind !== null) {
      this.#scratch.set(behind, message.p);
      message.p += behind.length;
      message.additionals++;
    }
    return this.#finish();
  }

  #finish(): Uint8Array {
    const message = this.#message;
    message.authoritative = message.rcode === RCODE.NOERROR;
    return this.#scratch.slice(0, message.finish(1));
  }

  /** An answer without records. `#query` is this request's. */
  #reply(
    request: Uint8Array,
    peer: Readonly<Peer>,
    rcode: number,
    extendedError = -1,
    behind: Uint8Array | null = null,
  ): Uint8Array {
    this.#startFirst(request);
    this.#edns.extendedError = extendedError;
    return this.#finishFirst(peer, rcode, behind);
  }

  #soaAlone(request: Uint8Array, peer: Readonly<Peer>, zone: ZoneView): Uint8Array {
    this.#startFirst(request);
    this.#message.record(zone, zone.at(HEADER.soa), HEADER_BYTES, HEADER_BYTES, -1, SECTION_ANSWER);
    return this.#finishFirst(peer, RCODE.NOERROR);
  }
}

function apexOf(zone: ZoneView): Uint8Array {
  const at = zone.byteBase + zone.at(HEADER.apexByte);
  return zone.bytes.subarray(at, at + zone.apexLength);
}

/** Whether the question writes the zone's name with the same octets. */
function sameCase(request: Uint8Array, zone: ZoneView): boolean {
  return apexOf(zone).every((octet, i) => octet === request[HEADER_BYTES + i]);
}

/** The serial of the image, as it was linked. */
function serialOf(zone: ZoneView): number {
  const at = zone.byteBase + zone.at(HEADER.serialByte);
  return new DataView(zone.bytes.buffer, zone.bytes.byteOffset).getUint32(at);
}
