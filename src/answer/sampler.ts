// Chooses the batches that are looked at closely: every one of a quiet thread, one of many of a busy one; each stands for those passed over.
import { limits } from '../base/limits.ts';
import { embeddedAddress, embeddedBlock, NOT_EMBEDDED } from '../geo/embedded.ts';
import type { GeoView } from '../geo/lookup.ts';
import { SPECIAL_PLACE } from '../geo/place.ts';
import type { Client } from './client.ts';
import { countryColumn, NUMBERS, observe, SECONDS_BOUNDS, SIZE_BOUNDS } from './numbers.ts';
import type { Peer } from './port.ts';

/** One for each thread. */
export class Sampler {
  /** How many batches the current one stands for; 0: it isn't looked at. */
  weight = 0;
  readonly #row: Float64Array;
  /** Batches that one of them stands for, a power of two; chosen anew each second. */
  #every = 1;
  #second = 0;
  #batches = 0;

  /** @param row a thread's NUMBERS */
  constructor(row: Float64Array) {
    this.#row = row;
  }

  /** Chooses. Whether a batch is looked at depends on how many came in the second before, never on what is in it. */
  beginBatch(nowSeconds: number): void {
    if (nowSeconds !== this.#second) this.#turn(nowSeconds);
    this.weight = (this.#batches++ & (this.#every - 1)) === 0 ? this.#every : 0;
  }

  #turn(nowSeconds: number): void {
    let every = 1;
    while (every < limits.sampleEvery && every * limits.samplesPerSecond < this.#batches) every *= 2;
    this.#every = every;
    this.#second = nowSeconds;
    this.#batches = 0;
  }

  /** Notes the size of a response. */
  size(octets: number): void {
    observe(this.#row, SIZE_BOUNDS, NUMBERS.sizes, NUMBERS.sizeSum, octets, this.weight);
  }

  /** Notes how long so many responses took. */
  took(seconds: number, responses: number): void {
    observe(this.#row, SECONDS_BOUNDS, NUMBERS.seconds, NUMBERS.secondsSum, seconds, this.weight * responses);
  }

  /** Notes the country of a client; of a subnet that is no place, the resolver's. */
  client(client: Client, geo: GeoView): void {
    this.#row[this.#country(client, geo)]! += this.weight;
  }

  #country(client: Client, geo: GeoView): number {
    if (geo.count4 === 0) return countryColumn(0, 0);
    let place = placeOf(geo, client.family, client.w0, client.w1, client.w2, client.w3);
    if (place === SPECIAL_PLACE && client.fromSubnet) place = placeOfPeer(geo, client.resolver);
    const code = geo.countryCode(place);
    return countryColumn(code >> 8, code & 255);
  }
}

function placeOfPeer(geo: GeoView, { family, w0, w1, w2, w3 }: Peer): number {
  return placeOf(geo, family, w0, w1, w2, w3);
}

function placeOf(geo: GeoView, family: 4 | 6, w0: number, w1: number, w2: number, w3: number): number {
  if (family === 4) return geo.place4(geo.find4(w0));
  const block = embeddedBlock(w0, w1, w2, w3);
  if (block !== NOT_EMBEDDED) return geo.place4(geo.find4(embeddedAddress(block, w0, w1, w2, w3)));
  return geo.place6(geo.find6(w0, w1, w2, w3));
}
