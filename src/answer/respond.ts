// The conductor: takes a request's bytes and makes the response in their place.
//
// Read, find the zone, find the name, choose if steered, write, close with the OPT. Nothing here allocates, throws or
// makes a string: it runs once for each packet in every data thread, and explain runs the same code with a trace.
import { limits } from '../base/limits.ts';
import { COUNT, ZONE_COUNT, ZONE_ROW } from '../board/counters.ts';
import { COOKIE_BAD, COOKIE_NONE, COOKIE_VALID, type Cookies } from '../guard/cookies.ts';
import type { RateLimiter } from '../guard/rate.ts';
import { Labels } from '../wire/labels.ts';
import {
  HEADER_BYTES,
  Query,
  READ_BADVERS,
  READ_BROKEN,
  READ_FORMERR,
  READ_NOTIMP,
  READ_OK,
  READ_SILENT,
} from '../wire/query.ts';
import { CLASS, EXTENDED_ERROR, RCODE, TYPE } from '../wire/types.ts';
import { FIND_NONE, FIND_REFERRAL, ZoneView } from '../zone/find.ts';
import { RECORD_HOST_SHIFT } from '../zone/layout.ts';
import { Ahead } from './ahead.ts';
import { writeChaos } from './chaos.ts';
import { Client } from './client.ts';
import { Edns } from './edns.ts';
import { Message } from './message.ts';
import { typeColumn } from './numbers.ts';
import type { AnswerParts } from './parts.ts';
import {
  emptyPeer,
  type Peer,
  RESPOND_BY_TRANSFER,
  type Responder,
  TRANSPORT_TCP,
  type TransferHandler,
} from './port.ts';
import { isDropped } from './rate-verdict.ts';
import { RCODE_COLUMNS } from './rcode-columns.ts';
import { RecordSets } from './record-sets.ts';
import { Sampler } from './sampler.ts';
import { Hosts, writeAny, writeNegative, writeReferral } from './sections.ts';
import { Snapshot } from './snapshot.ts';
import { Steered } from './steered.ts';
import type { AnswerTrace } from './trace.ts';
import { GATE_ANSWERED, GATE_TRANSFER, gateTransfer } from './transfer-gate.ts';
import { udpBytes } from './udp-size.ts';

const C = COUNT;

/** The answer path of one thread. */
export class Answerer implements Responder {
  readonly peer: Peer = emptyPeer();
  trace: AnswerTrace | null = null;
  /** Set where transfers are served; without it they are REFUSED. */
  transfer?: TransferHandler;

  readonly #parts: AnswerParts;
  readonly #counters: Float64Array;
  readonly #queries = Array.from({ length: limits.udpAhead }, () => new Query());
  readonly #reads = new Uint8Array(limits.udpAhead);
  readonly #ahead: Ahead;
  /** The request that is being answered, and its number in the group. */
  #query: Query = this.#queries[0]!;
  #number = 0;
  readonly #link = new Labels();
  readonly #message = new Message();
  readonly #edns: Edns;
  readonly #hosts = new Hosts();
  readonly #zone = new ZoneView();
  readonly #client = new Client();
  readonly #snapshot: Snapshot;
  readonly #steered: Steered;
  readonly #sets: RecordSets;
  readonly #numbers: Float64Array;
  readonly #sampler: Sampler;
  readonly #rate: RateLimiter | null;
  readonly #cookies: Cookies | null;
  /** The wall clock: it is the same for all threads, as cookies need. */
  #nowSeconds = 0;
  /** Where the owner of each link of the chain stands in the message. */
  readonly #owners = new Int32Array(limits.cnameChain + 1);
  /** What the rate limiter counts the answer under. */
  #rateHash = 0;
  /** Where the counters of the zone that was asked for begin. */
  #zoneRow = 0;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
    this.#counters = parts.counters;
    this.#rate = parts.rate;
    this.#cookies = parts.cookies;
    this.#edns = new Edns(parts.edns);
    this.#numbers = parts.numbers;
    this.#sampler = new Sampler(parts.numbers);
    this.#snapshot = new Snapshot(parts.reader);
    this.#ahead = new Ahead(this.#snapshot);
    this.#steered = new Steered(parts, this.#snapshot, this.#zone, this.#message, this.#edns, this.#client);
    const { geo } = this.#snapshot;
    this.#sets = new RecordSets(this.#zone, this.#message, this.#edns, this.#steered, this.#client, geo);
  }

  beginBatch(): void {
    const nowMs = this.#parts.clock.nowMs();
    this.#nowSeconds = Math.floor(nowMs / 1000);
    this.#rate?.tick(nowMs);
    this.#sampler.beginBatch(this.#nowSeconds);
    this.#steered.nowSeconds = Math.floor(this.#parts.steadyMs() / 1000);
    this.#steered.trace = this.trace;
    this.#snapshot.take();
  }

  endBatch(): void {
    this.#snapshot.letGo();
  }

  get isTimed(): boolean {
    return this.#sampler.weight > 0;
  }

  took(seconds: number, responses: number): void {
    this.#sampler.took(seconds, responses);
  }

  respond(bytes: Uint8Array, at: number, length: number, room: number, transport: 0 | 1): number {
    this.readNext(0, bytes, at, length);
    return this.answer(0, bytes, at, room, transport);
  }

  readNext(i: number, bytes: Uint8Array, at: number, length: number): void {
    if (i === 0) this.#ahead.start();
    const query = this.#queries[i]!;
    // Before the first directory is published there is nothing to say (contract, section 6).
    let read = !this.#snapshot.exists ? READ_SILENT : query.read(bytes, at, length);
    if (read === READ_OK && length > limits.udpRequestBytes) read = READ_FORMERR;
    this.#reads[i] = read;
    if (read === READ_OK && query.class === CLASS.IN && query.name.length > 0) this.#ahead.see(i, query, this.peer);
  }

  lookAhead(): void {
    this.#ahead.touch();
  }

  answer(i: number, bytes: Uint8Array, at: number, room: number, transport: 0 | 1): number {
    const query = this.#queries[i]!;
    this.#query = query;
    this.#number = i;
    const counters = this.#counters;
    const tcp = transport === TRANSPORT_TCP;
    counters[tcp ? C.tcpQueries : C.udpQueries]!++;
    if (this.peer.family === 6) counters[C.ipv6Queries]!++;
    const read = this.#reads[i]!;
    if (read === READ_SILENT) {
      counters[C.silent]!++;
      return 0;
    }
    const message = this.#message;
    const edns = this.#edns;
    edns.start();
    this.#rateHash = 0;
    message.start(bytes, at, query.questionEnd, at + room);
    // RFC 7871 7.2.1: what was sent comes back, in errors too: a forwarder drops what lacks it. A broken option is nothing to send back.
    edns.echoSubnet = query.ecs;
    if (read === READ_BROKEN) {
      message.start(bytes, at, at + HEADER_BYTES, at + room);
      message.rcode = RCODE.FORMERR;
      return this.#close(0, tcp, at + room, false);
    }
    if (read === READ_NOTIMP) {
      message.rcode = RCODE.NOTIMP;
      return this.#close(query.questionEnd > at + HEADER_BYTES ? 1 : 0, tcp, at + room, false);
    }
    const questions = query.name.length > 0 ? 1 : 0;
    if (questions === 1) this.#numbers[typeColumn(query.type, transport)]!++;
    if (read === READ_FORMERR || read === READ_BADVERS) {
      message.rcode = read === READ_FORMERR ? RCODE.FORMERR : RCODE.BADVERS;
      return this.#close(questions, tcp, this.#limit(at, room, tcp, false), false);
    }

    let cookie = COOKIE_NONE;
    if (query.cookieLength > 0 && this.#cookies !== null) {
      cookie = this.#cookies.check(query.cookie, query.cookieLength, this.peer, this.#nowSeconds, edns.cookie);
      edns.hasCookie = true;
      if (cookie === COOKIE_VALID) counters[C.cookieValid]!++;
      else if (cookie === COOKIE_BAD) counters[C.cookieInvalid]!++;
    }
    if (query.ecs) counters[C.ecsQueries]!++;
    const end = this.#limit(at, room, tcp, cookie === COOKIE_VALID);
    message.end = end - edns.mandatoryOctets(query);
    if (questions === 1 && this.#answer(tcp, end)) return RESPOND_BY_TRANSFER;
    // RFC 2181 9: a truncated answer carries nothing that could be taken for whole.
    if (message.truncated) {
      message.clear();
      counters[C.truncated]!++;
    }
    return this.#close(questions, tcp, end, cookie === COOKIE_VALID);
  }

  /** Where the response must end, in `bytes`. */
  #limit(at: number, room: number, tcp: boolean, trusted: boolean): number {
    if (tcp) return at + room;
    return at + Math.min(udpBytes(this.#query, this.#parts, trusted), room);
  }

  /** Ends the response, unless this network was told the same too often; `trusted`: a valid cookie came with the request. */
  #close(questions: number, tcp: boolean, end: number, trusted: boolean): number {
    const message = this.#message;
    const counters = this.#counters;
    const rate = this.#rate;
    if (rate !== null && !tcp && !trusted && isDropped(rate, this.peer, this.#rateHash, message, counters)) return 0;
    this.#edns.write(message, this.#query, end, tcp);
    counters[C.answered]!++;
    counters[RCODE_COLUMNS[message.rcode]!]!++;
    const octets = message.finish(questions);
    if (this.#sampler.weight > 0) this.#sampler.size(octets);
    return octets;
  }

  /** Answers a question. Returns true when a transfer must answer instead. */
  #answer(tcp: boolean, end: number): boolean {
    const query = this.#query;
    const message = this.#message;
    if (query.class === CLASS.CH) {
      this.#counters[C.chaos]!++;
      writeChaos(message, query, this.#parts.identity);
      return false;
    }
    if (query.class === CLASS.IN && (query.type === TYPE.AXFR || query.type === TYPE.IXFR)) return this.#transfer(tcp);
    if (query.class !== CLASS.IN || (query.type >= TYPE.IXFR && query.type < TYPE.ANY)) {
      this.#refuse(EXTENDED_ERROR.NOT_SUPPORTED);
      return false;
    }
    const client = this.#client;
    client.take(query, this.peer, this.#ahead.range(this.#number));
    if (this.trace !== null)
      this.trace.client(client.family, client.w0, client.w1, client.w2, client.w3, client.fromSubnet);
    this.#steered.nowhere = false;
    this.#follow(end, tcp);
    if (this.#sampler.weight > 0) this.#sampler.client(client, this.#snapshot.geo);
    if (this.#steered.nowhere) {
      this.#counters[C.placeUnknown]!++;
      this.#parts.zoneCounters[this.#zoneRow + ZONE_COUNT.unknownPlace]!++;
    }
    return false;
  }

  /** Answers AXFR and IXFR as far as one message can. Returns true when a transfer must answer instead. */
  #transfer(tcp: boolean): boolean {
    const labels = this.#query.name;
    const zoneLabel = this.#snapshot.findZone(labels, this.#query.type);
    let zone: ZoneView | null = null;
    if (zoneLabel >= 0) {
      this.#rateHash = labels.hashes[zoneLabel]!;
      if (this.#snapshot.attachZone(this.#zone)) zone = this.#zone;
    }
    const verdict = gateTransfer(this.#message, this.#edns, this.#query, this.peer, zoneLabel, zone, tcp);
    if (verdict === GATE_TRANSFER && this.transfer !== undefined) return true;
    if (verdict === GATE_TRANSFER) this.#refuse(EXTENDED_ERROR.NOT_SUPPORTED);
    this.#counters[verdict === GATE_ANSWERED ? C.transferCurrent : C.transferRefused]!++;
    return false;
  }

  #refuse(extendedError: number): void {
    this.#message.rcode = RCODE.REFUSED;
    this.#edns.extendedError = extendedError;
  }

  /** Answers the name, then what its CNAMEs lead to, as long as it is ours (RFC 1034 3.6.2, RFC 6604). */
  #follow(end: number, tcp: boolean): void {
    const message = this.#message;
    const query = this.#query;
    const zone = this.#zone;
    const snapshot = this.#snapshot;
    let labels = query.name;
    let ownerOffset = HEADER_BYTES;
    for (let link = 0; link <= limits.cnameChain; link++) {
      const zoneLabel = link === 0 ? this.#ahead.takeZone(this.#number) : snapshot.findZone(labels, query.type);
      if (zoneLabel < 0) {
        // The chain leaves what is served here: what was found so far is the answer.
        if (link === 0) this.#refuse(EXTENDED_ERROR.NOT_AUTHORITATIVE);
        return;
      }
      const apexOffset = message.suffixOffset(ownerOffset, zoneLabel);
      if (link === 0) {
        this.#rateHash = labels.hashes[zoneLabel]!;
        this.#countZone();
      }
      if (this.trace !== null) this.trace.zone(snapshot.zoneNumber());
      if (!snapshot.attachZone(zone)) {
        if (link === 0) {
          message.rcode = RCODE.SERVFAIL;
          this.#edns.extendedError = EXTENDED_ERROR.INVALID_DATA;
        }
        return;
      }
      const found = zone.find(labels, query.type === TYPE.DS);
      if (found === FIND_REFERRAL) {
        this.#counters[C.referral]!++;
        const skip = labels.count - zone.labelCount(zone.node);
        writeReferral(message, zone, zone.node, message.suffixOffset(ownerOffset, skip), apexOffset, this.#hosts);
        return;
      }
      // RFC 1035 4.1.1: AA speaks of the first owner name of the answer.
      if (link === 0) message.authoritative = true;
      if (found === FIND_NONE) {
        // A child that is served here without a delegation in its parent exists all the same: for DS the parent says NODATA.
        if (!snapshot.passedApex) message.rcode = RCODE.NXDOMAIN;
        writeNegative(message, zone, apexOffset, -1);
        return;
      }
      if (link === 0) this.#rateHash = zone.node ^ labels.hashes[zoneLabel]!;
      const node = zone.node;
      // RFC 8482 4.2 speaks of names that own records: an empty non-terminal has none to hide.
      if (query.type === TYPE.ANY && zone.setCount(node) > 0) {
        this.#counters[C.any]!++;
        writeAny(message, ownerOffset);
        return;
      }
      let set = zone.set(node, query.type);
      if (set !== 0) {
        this.#sets.write(set, query, ownerOffset, apexOffset, end, tcp);
        return;
      }
      set = zone.set(node, TYPE.CNAME);
      if (set === 0) {
        this.#counters[C.nodata]!++;
        writeNegative(message, zone, apexOffset, -1);
        return;
      }
      const record = this.#sets.cname(set, ownerOffset, apexOffset);
      if (record === 0 || query.type === TYPE.CNAME) return;
      const target = zone.at(record + 1);
      this.#owners[link] = ownerOffset;
      ownerOffset = message.body + (zone.at(record) >>> RECORD_HOST_SHIFT) - message.at;
      this.#link.read(zone.bytes, zone.byteBase + target, zone.bytes.length);
      labels = this.#link;
      // The chain comes back to one of its owners: the answer ends here, and no record stands in it twice.
      if (message.hasName(this.#owners, link + 1, zone.bytes, zone.byteBase + target)) return;
    }
  }

  #countZone(): void {
    const row = this.#snapshot.zoneNumber() * ZONE_ROW;
    this.#zoneRow = row;
    const query = this.#query;
    this.#parts.zoneCounters[row + (query.ecs && query.ecsSource > 0 ? ZONE_COUNT.ecs : ZONE_COUNT.resolver)]!++;
  }
}
