// The conductor: takes a request's bytes and makes the response in their place.
//
// Read, find the zone, find the name, choose if steered, write, close with the OPT. Nothing here allocates, throws or
// makes a string: it runs once for each packet in every data thread, and explain runs the same code with a trace.
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { RandomWords } from '../base/random.ts';
import { COUNT, ZONE_COUNT, ZONE_ROW } from '../board/counters.ts';
import { chunkOf, type StoreReader, wordOf } from '../board/store.ts';
import { GeoView } from '../geo/lookup.ts';
import { COOKIE_BAD, COOKIE_NONE, COOKIE_VALID, type Cookies } from '../guard/cookies.ts';
import { RATE_DROP, RATE_PASS, type RateLimiter } from '../guard/rate.ts';
import { CHOSE_NODATA, CHOSE_SERVFAIL, Chooser, MODE_FAIL_OPEN } from '../steer/choose.ts';
import { Labels } from '../wire/labels.ts';
import {
  ECS_IPV4,
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
import { DIRECTORY, ENTRY, findEntry, ZONE_ERROR } from '../zone/directory.ts';
import { FIND_NONE, FIND_REFERRAL, ZoneView } from '../zone/find.ts';
import {
  HEADER,
  MEMBER_DATA,
  MEMBER_TARGET,
  POOL,
  RECORD_HOST_SHIFT,
  SET_DATA,
  SET_STEERED,
  SET_TYPE,
  STEER,
} from '../zone/layout.ts';
import { RegionMapView } from '../zone/regionlookup.ts';
import { type Identity, writeChaos } from './chaos.ts';
import { Edns, type EdnsSettings } from './edns.ts';
import { Message, SECTION_ANSWER } from './message.ts';
import {
  emptyPeer,
  type Peer,
  RESPOND_BY_TRANSFER,
  type Responder,
  TRANSPORT_TCP,
  type TransferHandler,
} from './port.ts';
import { Hosts, writeAdditional, writeAny, writeNegative, writeReferral, writeSet } from './sections.ts';
import type { AnswerTrace } from './trace.ts';
import { GATE_ANSWERED, GATE_TRANSFER, gateTransfer } from './transfer-gate.ts';

/** Everything that an answer depends on beside the request and shared memory. */
export interface AnswerParts {
  readonly reader: StoreReader;
  readonly board: Int32Array;
  /** This thread's row of counters, its row for each zone, and its notes on targets (see `NOTE`). */
  readonly counters: Float64Array;
  readonly zoneCounters: Float64Array;
  readonly notes: Float64Array;
  readonly random: RandomWords;
  readonly clock: Clock;
  readonly cookies: Cookies | null;
  readonly rate: RateLimiter | null;
  readonly edns: EdnsSettings;
  readonly identity: Identity;
  /** Largest UDP answer, and the largest to a client without a valid cookie. */
  readonly udpMaxBytes: number;
  readonly udpMaxBytesWithoutCookie: number;
}

/** Columns of a target's notes: until when (Unix seconds) the last answer that named it may be cached; answers so far. */
export const NOTE = { until: 0, answers: 1, size: 2 } as const;

const C = COUNT;

/** The answer path of one thread. */
export class Answerer implements Responder {
  readonly peer: Peer = emptyPeer();
  trace: AnswerTrace | null = null;
  /** Set where transfers are served; without it they are REFUSED. */
  transfer?: TransferHandler;

  readonly #parts: AnswerParts;
  readonly #counters: Float64Array;
  readonly #query = new Query();
  readonly #link = new Labels();
  readonly #message = new Message();
  readonly #edns: Edns;
  readonly #hosts = new Hosts();
  readonly #zone = new ZoneView();
  readonly #geo = new GeoView();
  readonly #map = new RegionMapView();
  readonly #chooser: Chooser;
  /** The wall clock: it is the same for all threads, as the rate limiter and cookies need. */
  #nowMs = 0;
  #nowSeconds = 0;

  // The directory that is held, and what of it is attached.
  #directoryRef = 0;
  #generation = 0;
  #directory: Int32Array = new Int32Array(0);
  #directoryBytes: Uint8Array = new Uint8Array(0);
  #directoryAt = 0;
  #mapRef = 0;
  #entry = 0;
  /** The last `#findZone` passed over a zone at whose apex the name is: DS belongs to its parent. */
  #passedApex = false;

  // The client that decides.
  #family: 4 | 6 = 4;
  #w0 = 0;
  #w1 = 0;
  #w2 = 0;
  #w3 = 0;
  /** Where the owner of each link of the chain stands in the message. */
  readonly #owners = new Int32Array(limits.cnameChain + 1);
  /** What the rate limiter counts the answer under. */
  #rateHash = 0;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
    this.#counters = parts.counters;
    this.#edns = new Edns(parts.edns);
    this.#chooser = new Chooser(parts.board, parts.random);
  }

  beginBatch(_nowMs: number): void {
    this.#nowMs = this.#parts.clock.nowMs();
    this.#nowSeconds = Math.floor(this.#nowMs / 1000);
    const ref = this.#parts.reader.hold();
    if (ref === 0) {
      this.#directoryRef = 0;
      return;
    }
    const words = this.#parts.reader.words[chunkOf(ref)]!;
    const at = wordOf(ref);
    const generation = words[at + DIRECTORY.generation]!;
    if (ref === this.#directoryRef && generation === this.#generation) return;
    this.#directoryRef = ref;
    this.#generation = generation;
    this.#directory = words;
    this.#directoryBytes = this.#parts.reader.bytes[chunkOf(ref)]!;
    this.#directoryAt = at;
    this.#mapRef = 0;
    const geo = words[at + DIRECTORY.geo]!;
    if (geo !== 0) this.#geo.attach(this.#parts.reader.words[chunkOf(geo)]!, wordOf(geo));
  }

  endBatch(): void {
    this.#parts.reader.letGo();
  }

  respond(bytes: Uint8Array, at: number, length: number, room: number, transport: 0 | 1): number {
    const query = this.#query;
    const counters = this.#counters;
    const tcp = transport === TRANSPORT_TCP;
    counters[tcp ? C.tcpQueries : C.udpQueries]!++;
    if (this.peer.family === 6) counters[C.ipv6Queries]!++;
    // Before the first directory is published there is nothing to say (contract, section 6).
    let read = this.#directoryRef === 0 ? READ_SILENT : query.read(bytes, at, length);
    if (read === READ_OK && length > limits.udpRequestBytes) read = READ_FORMERR;
    if (read === READ_SILENT) {
      counters[C.silent]!++;
      return 0;
    }
    const message = this.#message;
    const edns = this.#edns;
    edns.start();
    this.#rateHash = 0;
    message.start(bytes, at, query.questionEnd, at + room);
    if (read === READ_BROKEN) {
      message.rcode = RCODE.FORMERR;
      message.p = at + HEADER_BYTES;
      return this.#close(0, tcp, at + room, false);
    }
    if (read === READ_NOTIMP) {
      message.rcode = RCODE.NOTIMP;
      if (query.questionEnd === at + HEADER_BYTES) message.p = at + HEADER_BYTES;
      return this.#close(query.questionEnd > at + HEADER_BYTES ? 1 : 0, tcp, at + room, false);
    }
    const questions = query.name.length > 0 ? 1 : 0;
    if (read === READ_FORMERR || read === READ_BADVERS) {
      message.rcode = read === READ_FORMERR ? RCODE.FORMERR : RCODE.BADVERS;
      return this.#close(questions, tcp, this.#limit(at, room, tcp, false), false);
    }

    let cookie = COOKIE_NONE;
    if (query.cookieLength > 0 && this.#parts.cookies !== null) {
      cookie = this.#parts.cookies.check(query.cookie, query.cookieLength, this.peer, this.#nowSeconds, edns.cookie);
      edns.hasCookie = true;
      if (cookie === COOKIE_VALID) counters[C.cookieValid]!++;
      else if (cookie === COOKIE_BAD) counters[C.cookieInvalid]!++;
    }
    if (query.ecs) {
      edns.echoSubnet = true;
      counters[C.ecsQueries]!++;
    }
    const end = this.#limit(at, room, tcp, cookie === COOKIE_VALID);
    message.end = end - edns.mandatoryOctets(query);
    if (questions === 1) {
      const transfer = this.#answer(tcp, end);
      if (transfer) return RESPOND_BY_TRANSFER;
    }
    // RFC 2181 9: a truncated answer carries nothing that could be taken for whole.
    if (message.truncated) {
      message.clear(query.questionEnd);
      counters[C.truncated]!++;
    }
    return this.#close(questions, tcp, end, cookie === COOKIE_VALID);
  }

  /** Where the response must end, in `bytes`. */
  #limit(at: number, room: number, tcp: boolean, trusted: boolean): number {
    if (tcp) return at + room;
    const query = this.#query;
    const own = trusted
      ? this.#parts.udpMaxBytes
      : Math.min(this.#parts.udpMaxBytes, this.#parts.udpMaxBytesWithoutCookie);
    // RFC 6891 6.2.3: a client's size below 512 counts as 512.
    const size = query.edns ? Math.min(Math.max(query.udpSize, limits.plainUdpBytes), own) : limits.plainUdpBytes;
    return at + Math.min(size, room);
  }

  /** Ends the response, unless this network was told the same too often; `trusted`: a valid cookie came with the request. */
  #close(questions: number, tcp: boolean, end: number, trusted: boolean): number {
    const message = this.#message;
    const counters = this.#counters;
    const rate = this.#parts.rate;
    if (rate !== null && !tcp && !trusted) {
      const verdict = rate.check(this.peer, this.#rateHash ^ (message.rcode << 8), this.#nowMs);
      if (verdict !== RATE_PASS) {
        if (verdict === RATE_DROP) {
          counters[C.rateLimitDropped]!++;
          return 0;
        }
        counters[C.rateLimitSlipped]!++;
        message.clear(questions === 1 ? this.#query.questionEnd : message.at + HEADER_BYTES);
        message.truncated = true;
      }
    }
    this.#edns.write(message, this.#query, end, tcp);
    counters[C.answered]!++;
    switch (message.rcode) {
      case RCODE.NOERROR:
        counters[C.noerror]!++;
        break;
      case RCODE.NXDOMAIN:
        counters[C.nxdomain]!++;
        break;
      case RCODE.REFUSED:
        counters[C.refused]!++;
        break;
      case RCODE.FORMERR:
        counters[C.formerr]!++;
        break;
      case RCODE.SERVFAIL:
        counters[C.servfail]!++;
        break;
      case RCODE.NOTIMP:
        counters[C.notimp]!++;
        break;
      case RCODE.BADVERS:
        counters[C.badvers]!++;
        break;
    }
    return message.finish(questions);
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
    if (query.ecs && query.ecsSource > 0) {
      this.#family = query.ecsFamily === ECS_IPV4 ? 4 : 6;
      this.#w0 = query.ecs0;
      this.#w1 = query.ecs1;
      this.#w2 = query.ecs2;
      this.#w3 = query.ecs3;
    } else {
      const peer = this.peer;
      this.#family = peer.family;
      this.#w0 = peer.w0;
      this.#w1 = peer.w1;
      this.#w2 = peer.w2;
      this.#w3 = peer.w3;
    }
    this.trace?.client(this.#family, this.#w0, this.#w1, this.#w2, this.#w3, query.ecs && query.ecsSource > 0);
    this.#follow(end, tcp);
    return false;
  }

  /** Answers AXFR and IXFR as far as one message can. Returns true when a transfer must answer instead. */
  #transfer(tcp: boolean): boolean {
    const labels = this.#query.name;
    const zoneLabel = this.#findZone(labels, this.#query.type);
    let zone: ZoneView | null = null;
    if (zoneLabel >= 0) {
      this.#rateHash = labels.hashes[zoneLabel]!;
      const image = this.#directory[this.#entry + ENTRY.image]!;
      zone = this.#zone;
      if (this.#directory[this.#entry + ENTRY.apex]! >>> 8 === ZONE_ERROR) zone = null;
      else
        zone.attach(this.#parts.reader.words[chunkOf(image)]!, this.#parts.reader.bytes[chunkOf(image)]!, wordOf(image));
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
    let labels = query.name;
    let ownerOffset = HEADER_BYTES;
    for (let link = 0; link <= limits.cnameChain; link++) {
      const zoneLabel = this.#findZone(labels, query.type);
      if (zoneLabel < 0) {
        // The chain leaves what is served here: what was found so far is the answer.
        if (link === 0) this.#refuse(EXTENDED_ERROR.NOT_AUTHORITATIVE);
        return;
      }
      const entry = this.#entry;
      const apexOffset = message.suffixOffset(ownerOffset, zoneLabel);
      if (link === 0) {
        this.#rateHash = labels.hashes[zoneLabel]!;
        this.#countZone(entry);
      }
      this.trace?.zone(this.#directory[entry + ENTRY.number]!);
      if (this.#directory[entry + ENTRY.apex]! >>> 8 === ZONE_ERROR) {
        if (link === 0) {
          message.rcode = RCODE.SERVFAIL;
          this.#edns.extendedError = EXTENDED_ERROR.INVALID_DATA;
        }
        return;
      }
      const image = this.#directory[entry + ENTRY.image]!;
      zone.attach(this.#parts.reader.words[chunkOf(image)]!, this.#parts.reader.bytes[chunkOf(image)]!, wordOf(image));
      const found = zone.find(labels, query.type === TYPE.DS);
      if (found === FIND_REFERRAL) {
        this.#counters[C.referral]!++;
        const skip = labels.count - this.#labelsOf(zone.node);
        writeReferral(message, zone, zone.node, message.suffixOffset(ownerOffset, skip), apexOffset, this.#hosts);
        return;
      }
      // RFC 1035 4.1.1: AA speaks of the first owner name of the answer.
      if (link === 0) message.authoritative = true;
      if (found === FIND_NONE) {
        // A child that is served here without a delegation in its parent exists all the same: for DS the parent says NODATA.
        if (!this.#passedApex) message.rcode = RCODE.NXDOMAIN;
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
        this.#answerSet(set, ownerOffset, apexOffset, end, tcp);
        return;
      }
      set = zone.set(node, TYPE.CNAME);
      if (set === 0) {
        this.#counters[C.nodata]!++;
        writeNegative(message, zone, apexOffset, -1);
        return;
      }
      const record = this.#answerCname(set, ownerOffset, apexOffset);
      if (record === 0 || query.type === TYPE.CNAME) return;
      const target = zone.at(record + 1);
      this.#owners[link] = ownerOffset;
      ownerOffset = message.body + (zone.at(record) >>> RECORD_HOST_SHIFT) - message.at;
      this.#link.read(zone.bytes, zone.byteBase + target, zone.bytes.length);
      labels = this.#link;
      if (this.#isLoop(link, zone.byteBase + target)) return;
    }
  }

  /** Whether the chain comes back to one of its owners, link 0 to `link`: the answer ends here, and no record stands in it twice. */
  #isLoop(link: number, target: number): boolean {
    for (let i = 0; i <= link; i++) {
      if (this.#message.nameEquals(this.#owners[i]!, this.#zone.bytes, target)) return true;
    }
    return false;
  }

  #labelsOf(node: number): number {
    const zone = this.#zone;
    let count = 0;
    for (let p = zone.nameAt(node); zone.bytes[p] !== 0; p += zone.bytes[p]! + 1) count++;
    return count;
  }

  /** Writes the set that was asked for. */
  #answerSet(set: number, ownerOffset: number, apexOffset: number, end: number, tcp: boolean): void {
    const message = this.#message;
    const zone = this.#zone;
    if ((zone.at(set + SET_TYPE) & SET_STEERED) !== 0) {
      if (zone.at(set + SET_TYPE) >>> 8 === TYPE.CNAME) this.#answerCname(set, ownerOffset, apexOffset);
      else this.#answerSteered(set, ownerOffset, apexOffset);
      return;
    }
    const hosts = this.#hosts;
    hosts.count = 0;
    if (!writeSet(message, zone, set, ownerOffset, apexOffset, SECTION_ANSWER, hosts)) {
      message.truncated = true;
      return;
    }
    if (hosts.count > 0) {
      // Additional records give way first (contract, Size).
      const hard = message.end;
      message.end = Math.min(
        hard,
        end - this.#edns.mandatoryOctets(this.#query) - this.#edns.optionalOctets(this.#query, tcp),
      );
      writeAdditional(message, zone, hosts, apexOffset);
      message.end = hard;
    }
  }

  /** Runs the steering of a set. Returns what the chooser said; scope and TTL are set, negative answers are written. */
  #steer(set: number, apexOffset: number, most: number): number {
    const zone = this.#zone;
    const chooser = this.#chooser;
    const counters = this.#counters;
    const steering = zone.at(set + SET_DATA);
    const mapNumber = zone.at(steering + STEER.map);
    let map: RegionMapView | null = null;
    if (mapNumber >= 0) {
      map = this.#map;
      const ref = this.#directory[this.#entry + ENTRY.size + mapNumber]!;
      if (ref !== this.#mapRef) {
        map.attach(this.#parts.reader.words[chunkOf(ref)]!, wordOf(ref), this.#geo);
        this.#mapRef = ref;
      }
      if (this.#family === 4) map.locate4(this.#w0);
      else map.locate6(this.#w0, this.#w1, this.#w2, this.#w3);
    }
    chooser.trace = this.trace;
    const outcome = chooser.choose(zone, steering, map, this.#family, this.#w0, this.#w1, most);
    counters[C.steered]!++;
    if (chooser.climbed) counters[C.climbed]!++;
    if (chooser.mode === MODE_FAIL_OPEN) counters[C.failOpen]!++;
    this.#widen(map, chooser.climbed, chooser.sticky);
    this.trace?.steered(
      zone.at(steering + STEER.number),
      outcome,
      chooser.pool === 0 ? -1 : zone.at(chooser.pool + POOL.number),
      chooser.mode,
      chooser.climbed,
      chooser.ttlSeconds,
    );
    if (outcome === CHOSE_SERVFAIL) {
      this.#message.clear(this.#query.questionEnd);
      this.#message.rcode = RCODE.SERVFAIL;
      this.#message.authoritative = false;
      this.#edns.extendedError = EXTENDED_ERROR.OTHER;
    } else if (outcome === CHOSE_NODATA) {
      counters[C.nodata]!++;
      const ttl = Math.min(zone.at(HEADER.negativeTtl), limits.steeredNegativeTtlSeconds);
      writeNegative(this.#message, zone, apexOffset, ttl);
    }
    return outcome;
  }

  /** RFC 7871 7.2.1: the scope is the longest that any link of the chain asks for. */
  #widen(map: RegionMapView | null, climbed: boolean, sticky: boolean): void {
    if (!this.#edns.echoSubnet && this.trace === null) return;
    let scope = map === null ? 0 : map.scope(climbed ? 1 : 0);
    if (sticky) scope = Math.max(scope, this.#family === 4 ? limits.stickyPrefix4 : limits.stickyPrefix6);
    this.trace?.scope(scope);
    if (scope > this.#edns.scope) this.#edns.scope = scope;
  }

  /** A or AAAA from pools: as many as are wanted and fit. */
  #answerSteered(set: number, ownerOffset: number, apexOffset: number): void {
    const zone = this.#zone;
    const message = this.#message;
    const chooser = this.#chooser;
    const is4 = zone.at(set + SET_TYPE) >>> 8 === TYPE.A;
    const most = Math.floor((message.end - message.p) / (is4 ? 16 : 28));
    if (this.#steer(set, apexOffset, most) !== 0) return;
    for (let i = 0; i < chooser.count; i++) {
      const member = chooser.chosen[i]!;
      const data = zone.at(member + MEMBER_DATA);
      const fits = is4
        ? message.address4(ownerOffset, chooser.ttlSeconds, data)
        : message.address6(ownerOffset, chooser.ttlSeconds, zone.bytes, zone.byteBase + data);
      if (!fits) {
        if (i === 0) message.truncated = true;
        return;
      }
      this.#note(zone.at(member + MEMBER_TARGET));
    }
  }

  /** Writes a CNAME, static or steered. Returns its record's word, or 0 when the answer ends here. */
  #answerCname(set: number, ownerOffset: number, apexOffset: number): number {
    const zone = this.#zone;
    const message = this.#message;
    let record = zone.at(set + SET_DATA);
    let ttl = -1;
    if ((zone.at(set + SET_TYPE) & SET_STEERED) !== 0) {
      if (this.#steer(set, apexOffset, 1) !== 0) return 0;
      const member = this.#chooser.chosen[0]!;
      record = zone.at(member + MEMBER_DATA);
      ttl = this.#chooser.ttlSeconds;
      this.#note(zone.at(member + MEMBER_TARGET));
    }
    if (!message.record(zone, record, ownerOffset, apexOffset, ttl, SECTION_ANSWER)) {
      message.truncated = true;
      return 0;
    }
    return record;
  }

  /** Notes that a target was answered, and until when caches may name it. */
  #note(slot: number): void {
    const notes = this.#parts.notes;
    const at = slot * NOTE.size;
    notes[at] = Math.max(notes[at]!, this.#nowSeconds + this.#chooser.ttlSeconds);
    notes[at + 1]!++;
    this.trace?.member(slot);
  }

  #countZone(entry: number): void {
    const row = this.#directory[entry + ENTRY.number]! * ZONE_ROW;
    const query = this.#query;
    this.#parts.zoneCounters[row + (query.ecs && query.ecsSource > 0 ? ZONE_COUNT.ecs : ZONE_COUNT.resolver)]!++;
  }

  /** The longest served apex that the name is at or below: its first label's number, or -1; `#entry` is its entry. */
  #findZone(labels: Labels, type: number): number {
    const directory = this.#directory;
    const at = this.#directoryAt;
    let own = -1;
    this.#passedApex = false;
    for (let i = 0; i <= labels.count; i++) {
      const depth = labels.count - i;
      if ((directory[at + DIRECTORY.depths + (depth >> 5)]! & (1 << (depth & 31))) === 0) continue;
      const entry = findEntry(directory, this.#directoryBytes, at, labels, i);
      if (entry === 0) continue;
      this.#entry = entry;
      // RFC 4035 3.1.4.1: DS belongs to the parent's side of the cut, where that is served here too.
      if (type !== TYPE.DS || i !== 0) return i;
      own = i;
      this.#passedApex = true;
    }
    return own;
  }
}
