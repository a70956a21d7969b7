// Writes the record set that was asked for, static or steered, and what belongs beside it.
import type { GeoView } from '../geo/lookup.ts';
import type { Query } from '../wire/query.ts';
import { TYPE } from '../wire/types.ts';
import type { ZoneView } from '../zone/find.ts';
import { SET_DATA, SET_STEERED, SET_TYPE, SET_WHOAMI, typeOf } from '../zone/layout.ts';
import type { Client } from './client.ts';
import type { Edns } from './edns.ts';
import { type Message, SECTION_ANSWER } from './message.ts';
import { Hosts, writeAdditional, writeSet } from './sections.ts';
import type { Steered } from './steered.ts';
import { Whoami } from './whoami.ts';

/** One for each thread. */
export class RecordSets {
  readonly #zone: ZoneView;
  readonly #message: Message;
  readonly #edns: Edns;
  readonly #steered: Steered;
  readonly #whoami: Whoami;
  readonly #client: Client;
  readonly #hosts = new Hosts();

  constructor(zone: ZoneView, message: Message, edns: Edns, steered: Steered, client: Client, geo: GeoView) {
    this.#zone = zone;
    this.#message = message;
    this.#edns = edns;
    this.#steered = steered;
    this.#client = client;
    this.#whoami = new Whoami(geo);
  }

  /** Writes the set that was asked for, with the addresses of the hosts that it names. */
  write(set: number, query: Query, ownerOffset: number, apexOffset: number, end: number, tcp: boolean): void {
    const message = this.#message;
    const zone = this.#zone;
    if ((zone.at(set + SET_TYPE) & SET_STEERED) !== 0) {
      if (typeOf(zone.at(set + SET_TYPE)) === TYPE.CNAME) this.cname(set, ownerOffset, apexOffset);
      else this.#steered.addresses(set, ownerOffset, apexOffset);
      return;
    }
    if ((zone.at(set + SET_TYPE) & SET_WHOAMI) !== 0) {
      // Each client has an answer of its own.
      this.#edns.scope = this.#client.family === 4 ? 32 : 128;
      if (!this.#whoami.write(message, query, this.#client, ownerOffset, tcp)) message.truncated = true;
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
      message.end = Math.min(hard, end - this.#edns.mandatoryOctets(query) - this.#edns.optionalOctets(query, tcp));
      writeAdditional(message, zone, hosts, apexOffset);
      message.end = hard;
    }
  }

  /** Writes a CNAME, static or steered. Returns its record's word, or 0 when the answer ends here. */
  cname(set: number, ownerOffset: number, apexOffset: number): number {
    const zone = this.#zone;
    const message = this.#message;
    let record = zone.at(set + SET_DATA);
    let ttl = -1;
    if ((zone.at(set + SET_TYPE) & SET_STEERED) !== 0) {
      record = this.#steered.cname(set, apexOffset);
      if (record === 0) return 0;
      ttl = this.#steered.ttlSeconds;
    }
    if (!message.record(zone, record, ownerOffset, apexOffset, ttl, SECTION_ANSWER)) {
      message.truncated = true;
      return 0;
    }
    return record;
  }
}
