// The response's OPT record: what it must carry, what it may carry where there is room (RFC 6891).
import type { Query } from '../wire/query.ts';
import { EDNS_OPTION, TYPE } from '../wire/types.ts';
import type { Message } from './message.ts';

const OPT_OCTETS = 11;
const OPTION_HEAD = 4;
const SERVER_COOKIE_OCTETS = 16;

/** RFC 8467 4.1: responses are padded to a multiple of 468 octets. */
const PADDING_BLOCK = 468;

/** What a server puts into its OPT, the same for every answer. */
export interface EdnsSettings {
  /** Largest UDP message that we take. */
  readonly udpSize: number;
  /** Empty: not told. */
  readonly nsid: Uint8Array;
  /** TCP idle timeout in units of 100 ms (RFC 7828 3.1). */
  readonly keepalive: number;
}

/** The OPT record of one response; reused for every packet. */
export class Edns {
  readonly #settings: EdnsSettings;
  /** ECS scope prefix length of the answer. */
  scope = 0;
  /** An extended error (RFC 8914) to tell, -1: none. */
  extendedError = -1;
  /** The whole cookie, client's and ours, to send back. */
  readonly cookie = new Uint8Array(8 + SERVER_COOKIE_OCTETS);
  hasCookie = false;
  /** Whether the client's subnet is to be told back: not in answers to a broken request. */
  echoSubnet = false;

  constructor(settings: EdnsSettings) {
    this.#settings = settings;
  }

  start(): void {
    this.scope = 0;
    this.extendedError = -1;
    this.hasCookie = false;
    this.echoSubnet = false;
  }

  /** Octets that no answer may take: the OPT with subnet and cookie. */
  mandatoryOctets(query: Query): number {
    if (!query.edns) return 0;
    let octets = OPT_OCTETS;
    if (this.echoSubnet) octets += OPTION_HEAD + 4 + ((query.ecsSource + 7) >> 3);
    if (this.hasCookie) octets += OPTION_HEAD + this.cookie.length;
    return octets;
  }

  /** Octets that additional records leave free for what goes into the OPT when there is room. */
  optionalOctets(query: Query, tcp: boolean): number {
    if (!query.edns) return 0;
    let octets = 0;
    if (query.nsid && this.#settings.nsid.length > 0) octets += OPTION_HEAD + this.#settings.nsid.length;
    if (this.extendedError >= 0) octets += OPTION_HEAD + 2;
    if (tcp && query.keepalive) octets += OPTION_HEAD + 2;
    return octets;
  }

  /** Writes the OPT; `end` is the message's hard limit. Options that don't fit are left out: NSID last (contract, Size). */
  write(message: Message, query: Query, end: number, tcp: boolean): void {
    if (!query.edns) return;
    const out = message.bytes;
    const start = message.p;
    let p = start;
    out[p] = 0;
    out[p + 1] = 0;
    out[p + 2] = TYPE.OPT;
    out[p + 3] = this.#settings.udpSize >> 8;
    out[p + 4] = this.#settings.udpSize;
    out[p + 5] = message.rcode >> 4;
    out[p + 6] = 0;
    out[p + 7] = query.dnssecOk ? 0x80 : 0;
    out[p + 8] = 0;
    p += OPT_OCTETS;
    if (this.echoSubnet) p = this.#subnet(out, p, query);
    if (this.hasCookie) {
      p = option(out, p, EDNS_OPTION.COOKIE, this.cookie.length);
      for (let i = 0; i < this.cookie.length; i++) out[p++] = this.cookie[i]!;
    }
    const nsid = this.#settings.nsid;
    if (query.nsid && nsid.length > 0 && p + OPTION_HEAD + nsid.length <= end) {
      p = option(out, p, EDNS_OPTION.NSID, nsid.length);
      for (let i = 0; i < nsid.length; i++) out[p++] = nsid[i]!;
    }
    if (tcp && query.keepalive && p + OPTION_HEAD + 2 <= end) {
      p = option(out, p, EDNS_OPTION.KEEPALIVE, 2);
      out[p++] = this.#settings.keepalive >> 8;
      out[p++] = this.#settings.keepalive;
    }
    if (this.extendedError >= 0 && p + OPTION_HEAD + 2 <= end) {
      p = option(out, p, EDNS_OPTION.EDE, 2);
      out[p++] = this.extendedError >> 8;
      out[p++] = this.extendedError;
    }
    // RFC 7830 6: padding only where the client asked and nobody can amplify with it.
    if (tcp && query.padding) {
      const length = p + OPTION_HEAD - message.at;
      const wanted = Math.ceil(length / PADDING_BLOCK) * PADDING_BLOCK - length;
      if (p + OPTION_HEAD + wanted <= end) {
        p = option(out, p, EDNS_OPTION.PADDING, wanted);
        for (let i = 0; i < wanted; i++) out[p++] = 0;
      }
    }
    const octets = p - start - OPT_OCTETS;
    out[start + 9] = octets >> 8;
    out[start + 10] = octets;
    message.p = p;
    message.additionals++;
  }

  /** RFC 7871 7.2.1: family, source and address as they came, with our scope. */
  #subnet(out: Uint8Array, at: number, query: Query): number {
    const octets = (query.ecsSource + 7) >> 3;
    let p = option(out, at, EDNS_OPTION.ECS, 4 + octets);
    out[p++] = 0;
    out[p++] = query.ecsFamily;
    out[p++] = query.ecsSource;
    out[p++] = query.ecsSource === 0 ? 0 : this.scope;
    for (let i = 0; i < octets; i++) {
      const word = i < 4 ? query.ecs0 : i < 8 ? query.ecs1 : i < 12 ? query.ecs2 : query.ecs3;
      out[p++] = word >>> (24 - (i & 3) * 8);
    }
    return p;
  }
}

/** Writes an option's head and returns where its data goes. */
function option(out: Uint8Array, p: number, code: number, octets: number): number {
  out[p] = code >> 8;
  out[p + 1] = code;
  out[p + 2] = octets >> 8;
  out[p + 3] = octets;
  return p + OPTION_HEAD;
}
