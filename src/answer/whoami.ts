// `whoami.ZONE TXT`: who asked, as this server sees it: the resolver's address, the client subnet, and where they place the client.
import { embeddedAddress, embeddedBlock, NOT_EMBEDDED } from '../geo/embedded.ts';
import { PLACE } from '../geo/image.ts';
import type { GeoView } from '../geo/lookup.ts';
import { SPECIAL_PLACE } from '../geo/place.ts';
import type { Query } from '../wire/query.ts';
import { TYPE } from '../wire/types.ts';
import type { Client } from './client.ts';
import { type Message, SECTION_ANSWER } from './message.ts';

const ZERO = 0x30;
const DOT = 0x2e;
const COLON = 0x3a;
const SLASH = 0x2f;

/** A text as octets, made once. */
function octets(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

const RESOLVER = octets('resolver ');
const SUBNET = octets('subnet ');
const TRANSPORT_TEXTS = [octets('transport udp'), octets('transport tcp')] as const;
/** With the word of a place that says it. */
const PLACE_TEXTS = [
  { word: PLACE.country, text: octets('country ') },
  { word: PLACE.continent, text: octets('continent ') },
  { word: PLACE.subdivision, text: octets('subdivision ') },
  { word: PLACE.city, text: octets('city ') },
] as const;
const UNPLACED = octets('place unknown');

/** Longest text of a place that is told. */
const TEXT_OCTETS = 48;
/** Head of the record, the resolver, the subnet, the transport, and four texts of a place. */
const RECORD_OCTETS = 12 + (10 + 39) + (8 + 43) + 14 + PLACE_TEXTS.length * (13 + TEXT_OCTETS);

/** Writes the answer; one writer for each thread. Nothing is allocated. */
export class Whoami {
  readonly #geo: GeoView;
  #bytes: Uint8Array = new Uint8Array(0);
  #p = 0;

  constructor(geo: GeoView) {
    this.#geo = geo;
  }

  /** One TXT record of several strings, TTL 0. Returns false when it doesn't fit. `ownerOffset`: of the name in the message. */
  write(message: Message, query: Query, client: Client, ownerOffset: number, tcp: boolean): boolean {
    const start = message.p;
    // A full one takes less than this; where that is too much the answer goes by TCP.
    if (start + RECORD_OCTETS > message.end) return false;
    const out = message.bytes;
    this.#bytes = out;
    out[start] = 0xc0 | (ownerOffset >> 8);
    out[start + 1] = ownerOffset;
    out[start + 2] = 0;
    out[start + 3] = TYPE.TXT;
    out[start + 4] = 0;
    out[start + 5] = 1;
    out.fill(0, start + 6, start + 10);
    this.#p = start + 12;
    const { resolver } = client;
    const first = this.#open(RESOLVER);
    this.#address(resolver.family, resolver.w0, resolver.w1, resolver.w2, resolver.w3);
    this.#shut(first);
    if (query.ecs) {
      const subnet = this.#open(SUBNET);
      this.#address(query.ecsFamily === 1 ? 4 : 6, query.ecs0, query.ecs1, query.ecs2, query.ecs3);
      this.#put(SLASH);
      this.#decimal(query.ecsSource);
      this.#shut(subnet);
    }
    this.#shut(this.#open(TRANSPORT_TEXTS[tcp ? 1 : 0]));
    this.#place(client);
    const length = this.#p - start - 12;
    out[start + 10] = length >> 8;
    out[start + 11] = length;
    message.p = this.#p;
    message.count(SECTION_ANSWER);
    return true;
  }

  #place(client: Client): void {
    let place = this.#placeOf(client.family, client.w0, client.w1, client.w2, client.w3);
    if (place === SPECIAL_PLACE && client.fromSubnet) {
      const { family, w0, w1, w2, w3 } = client.resolver;
      place = this.#placeOf(family, w0, w1, w2, w3);
    }
    if (place === 0 || place === SPECIAL_PLACE) {
      this.#shut(this.#open(UNPLACED));
      return;
    }
    for (let i = 0; i < PLACE_TEXTS.length; i++) {
      const { word, text } = PLACE_TEXTS[i]!;
      const number = this.#geo.placeWord(place, word);
      if (number === 0) continue;
      const at = this.#open(text);
      this.#p += this.#geo.copyText(number, this.#bytes, this.#p, TEXT_OCTETS);
      this.#shut(at);
    }
  }

  #placeOf(family: 4 | 6, w0: number, w1: number, w2: number, w3: number): number {
    const geo = this.#geo;
    // Before there is an image.
    if (geo.count4 === 0) return 0;
    if (family === 4) return geo.place4(geo.find4(w0));
    const block = embeddedBlock(w0, w1, w2, w3);
    if (block !== NOT_EMBEDDED) return geo.place4(geo.find4(embeddedAddress(block, w0, w1, w2, w3)));
    return geo.place6(geo.find6(w0, w1, w2, w3));
  }

  /** Begins a string with a text. Returns where its length stands. */
  #open(text: Uint8Array): number {
    const at = this.#p++;
    for (let i = 0; i < text.length; i++) this.#put(text[i]!);
    return at;
  }

  #shut(at: number): void {
    this.#bytes[at] = this.#p - at - 1;
  }

  #put(octet: number): void {
    this.#bytes[this.#p++] = octet;
  }

  #address(family: 4 | 6, w0: number, w1: number, w2: number, w3: number): void {
    if (family === 4) {
      for (let shift = 24; shift >= 0; shift -= 8) {
        this.#decimal((w0 >>> shift) & 255);
        if (shift > 0) this.#put(DOT);
      }
      return;
    }
    this.#groups(w0);
    this.#put(COLON);
    this.#groups(w1);
    this.#put(COLON);
    this.#groups(w2);
    this.#put(COLON);
    this.#groups(w3);
  }

  /** Two groups of an IPv6 address; zeros are written, not left out. */
  #groups(word: number): void {
    this.#hex(word >>> 16);
    this.#put(COLON);
    this.#hex(word & 0xffff);
  }

  #hex(group: number): void {
    let begun = false;
    for (let shift = 12; shift >= 0; shift -= 4) {
      const digit = (group >>> shift) & 15;
      begun ||= digit !== 0 || shift === 0;
      if (begun) this.#put(digit < 10 ? ZERO + digit : 0x57 + digit);
    }
  }

  #decimal(number: number): void {
    if (number >= 100) this.#put(ZERO + Math.floor(number / 100));
    if (number >= 10) this.#put(ZERO + (Math.floor(number / 10) % 10));
    this.#put(ZERO + (number % 10));
  }
}
