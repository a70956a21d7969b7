// Answers a steered record set: asks the chooser, writes what it chose, widens the scope, notes what was told.
import { limits } from '../base/limits.ts';
import { COUNT } from '../board/counters.ts';
import { Shares } from '../board/shares.ts';
import { SPECIAL_PLACE } from '../geo/place.ts';
import type { RegionMapView } from '../regionmap/lookup.ts';
import { Chooser } from '../steer/choose.ts';
import { CHOSE_MEMBERS, CHOSE_NODATA, CHOSE_SERVFAIL, MODE_FAIL_OPEN } from '../steer/outcome.ts';
import { EXTENDED_ERROR, RCODE, TYPE } from '../wire/types.ts';
import type { ZoneView } from '../zone/find.ts';
import {
  HEADER,
  LIST_REGION,
  MEMBER_DATA,
  MEMBER_TARGET,
  POOL,
  SET_DATA,
  SET_TYPE,
  STEER,
  typeOf,
} from '../zone/layout.ts';
import type { Client } from './client.ts';
import type { Edns } from './edns.ts';
import type { Message } from './message.ts';
import type { AnswerParts } from './parts.ts';
import { writeNegative } from './sections.ts';
import type { Snapshot } from './snapshot.ts';
import type { AnswerTrace } from './trace.ts';

/**
 * Columns of a target's notes: until when (Unix seconds) an answer that named it may be cached; answers so far; when the last was
 * given (Unix seconds). Four, so that a target's notes stay in one cache line.
 */
export const NOTE = { until: 0, answers: 1, last: 2, size: 4 } as const;

const C = COUNT;

/** One for each thread. */
export class Steered {
  trace: AnswerTrace | null = null;
  /** The wall clock of the batch, Unix seconds. */
  nowSeconds = 0;
  /** A set with regions didn't know where the client is. */
  nowhere = false;
  readonly #chooser: Chooser;
  readonly #counters: Float64Array;
  readonly #notes: Float64Array;
  readonly #shares: Shares;
  readonly #snapshot: Snapshot;
  readonly #zone: ZoneView;
  readonly #message: Message;
  readonly #edns: Edns;
  readonly #client: Client;

  constructor(parts: AnswerParts, snapshot: Snapshot, zone: ZoneView, message: Message, edns: Edns, client: Client) {
    this.#chooser = new Chooser(parts.board, parts.random);
    this.#counters = parts.counters;
    this.#notes = parts.notes;
    this.#shares = new Shares(parts.shares);
    this.#snapshot = snapshot;
    this.#zone = zone;
    this.#message = message;
    this.#edns = edns;
    this.#client = client;
  }

  /** A or AAAA from pools: as many as are wanted and fit. */
  addresses(set: number, ownerOffset: number, apexOffset: number): void {
    const zone = this.#zone;
    const message = this.#message;
    const chooser = this.#chooser;
    const is4 = typeOf(zone.at(set + SET_TYPE)) === TYPE.A;
    const octets = message.end - message.p;
    const most = is4 ? octets >> 4 : (octets / 28) | 0;
    if (!this.#steer(set, apexOffset, most)) return;
    const ttl = chooser.ttlSeconds;
    const { chosen, count } = chooser.members;
    for (let i = 0; i < count; i++) {
      const member = chosen[i]!;
      const data = zone.at(member + MEMBER_DATA);
      const fits = is4
        ? message.address4(ownerOffset, ttl, data)
        : message.address6(ownerOffset, ttl, zone.bytes, zone.byteBase + data);
      if (!fits) {
        if (i === 0) message.truncated = true;
        return;
      }
      this.#note(zone.at(member + MEMBER_TARGET), ttl);
    }
  }

  /** Chooses the target of a steered CNAME. Returns its ready-made record's word, 0 where the answer ends here. */
  cname(set: number, apexOffset: number): number {
    if (!this.#steer(set, apexOffset, 1)) return 0;
    const member = this.#chooser.members.chosen[0]!;
    this.#note(this.#zone.at(member + MEMBER_TARGET), this.#chooser.ttlSeconds);
    return this.#zone.at(member + MEMBER_DATA);
  }

  /** TTL of what was chosen last. */
  get ttlSeconds(): number {
    return this.#chooser.ttlSeconds;
  }

  /** Runs the steering of a set. Returns whether there are members to write; else the answer is made. */
  #steer(set: number, apexOffset: number, most: number): boolean {
    const zone = this.#zone;
    const chooser = this.#chooser;
    const counters = this.#counters;
    const client = this.#client;
    const steering = zone.at(set + SET_DATA);
    const mapNumber = zone.at(steering + STEER.map);
    let map: RegionMapView | null = null;
    // -1: the client itself decides.
    let special = -1;
    let scope = 0;
    let climbedScope = 0;
    if (mapNumber >= 0) {
      map = this.#snapshot.map(mapNumber);
      if (client.family === 4) map.locate4(client.w0, client.range);
      else map.locate6(client.w0, client.w1, client.w2, client.w3);
      // A network or an AS number that the set names comes before that.
      if (map.place === SPECIAL_PLACE && client.fromSubnet) {
        special = client.specialPrefix(this.#snapshot.geo);
        scope = map.scope(0);
        climbedScope = map.scope(1);
        const { family, w0, w1, w2, w3 } = client.resolver;
        if (family === 4) map.locate4(w0, -1);
        else map.locate6(w0, w1, w2, w3);
      }
      if (map.place === 0 || map.place === SPECIAL_PLACE) this.nowhere = true;
    } else special = client.specialPrefix(this.#snapshot.geo);
    const { pools } = chooser;
    pools.trace = this.trace === null ? null : this.trace.choices;
    const outcome =
      special < 0
        ? chooser.choose(zone, steering, map, client.family, client.w0, client.w1, most)
        : chooser.choose(zone, steering, map, client.resolver.family, client.resolver.w0, client.resolver.w1, most);
    if (special < 0) scope = map === null ? 0 : map.scope(pools.climbed ? 1 : 0);
    else if (pools.climbed) scope = climbedScope;
    counters[C.steered]!++;
    if (chooser.members.cut) counters[C.cut]!++;
    if (pools.climbed) counters[C.climbed]!++;
    if (pools.mode === MODE_FAIL_OPEN && outcome === CHOSE_MEMBERS) counters[C.failOpen]!++;
    this.#widen(scope, special);
    if (this.trace !== null) this.#tell(this.trace, steering, outcome, map);
    if (outcome === CHOSE_SERVFAIL) {
      this.#message.clear();
      this.#message.rcode = RCODE.SERVFAIL;
      this.#message.authoritative = false;
      this.#edns.extendedError = EXTENDED_ERROR.OTHER;
      return false;
    }
    if (outcome === CHOSE_NODATA) {
      counters[C.nodata]!++;
      const ttl = Math.min(zone.at(HEADER.negativeTtl), limits.steeredNegativeTtlSeconds);
      writeNegative(this.#message, zone, apexOffset, ttl);
      return false;
    }
    this.#shares.count(zone.at(pools.pool + POOL.share), zone.at(pools.ownList + LIST_REGION));
    return true;
  }

  /**
   * RFC 7871 7.2.1: the scope is the longest that any link of the chain asks for.
   * @param special the prefix in which the resolver decides for everybody, -1 where it doesn't
   */
  #widen(listScope: number, special: number): void {
    if (!this.#edns.echoSubnet && this.trace === null) return;
    let scope = listScope;
    if (this.#chooser.pools.sticky) {
      const own = this.#client.family === 4 ? limits.stickyPrefix4 : limits.stickyPrefix6;
      scope = Math.max(scope, own, special);
    }
    if (this.trace !== null) this.trace.scope(scope, special >= 0);
    if (scope > this.#edns.scope) this.#edns.scope = scope;
  }

  #tell(trace: AnswerTrace, steering: number, outcome: number, map: RegionMapView | null): void {
    const { pool, mode, climbed } = this.#chooser.pools;
    const zone = this.#zone;
    trace.steered(
      zone.at(steering + STEER.number),
      outcome,
      pool === 0 ? -1 : zone.at(pool + POOL.number),
      mode,
      climbed,
      this.#chooser.ttlSeconds,
      map === null ? zone.at(steering + STEER.defaultSlot) : map.words[map.variantAt(0)]!,
    );
  }

  /** Notes that a target was answered, and until when caches may name it. */
  #note(slot: number, ttlSeconds: number): void {
    const notes = this.#notes;
    const at = slot * NOTE.size;
    const until = this.nowSeconds + ttlSeconds;
    if (until > notes[at]!) notes[at] = until;
    notes[at + NOTE.answers]!++;
    notes[at + NOTE.last] = this.nowSeconds;
    if (this.trace !== null) this.trace.member(slot);
  }
}
