// Runs the server's own answer path for one question, with a listener, over the images that are served now.
import { type Peer, TRANSPORT_TCP, TRANSPORT_UDP } from '../answer/port.ts';
import { Answerer } from '../answer/respond.ts';
import { NOTE } from '../answer/steered.ts';
import { RequestError } from '../api/views.ts';
import type { Address } from '../base/address.ts';
import { systemClock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { RandomWords } from '../base/random.ts';
import { COUNTER_ROW, ZONE_ROW } from '../board/counters.ts';
import { chunkOf, READERS, type SegmentRef, StoreReader, wordOf } from '../board/store.ts';
import { GeoView } from '../geo/lookup.ts';
import type { Serving } from '../loading/serving.ts';
import { randomSeed } from '../serve/answerer.ts';
import { ZoneView } from '../zone/find.ts';
import { type HeardLink, type HeardSteering, Listener } from './listener.ts';
import { buildQuery, type ReadResponse, readResponse } from './packets.ts';
import type { Asked } from './request.ts';

/** A reader number that no data thread has. */
const EXPLAIN_READER = READERS - 1;

/** One run of the answer path. */
export interface Run {
  readonly octets: number;
  readonly response: ReadResponse;
  readonly heard: HeardSteering | null;
  readonly links: readonly HeardLink[];
}

/** One for each explainer. */
export class AnswerRunner {
  readonly #images: Serving['images'];
  readonly #answerer: Answerer;
  readonly #reader: StoreReader;
  readonly #bytes = new Uint8Array(limits.messageBytes);

  constructor(serving: Serving) {
    this.#images = serving.images;
    const { store } = serving.images;
    this.#reader = new StoreReader(store.handle(), EXPLAIN_READER, () => {});
    serving.onChunk((index, buffer) => this.#reader.addChunk(index, buffer));
    // Rows of its own: what is explained was not asked.
    this.#answerer = new Answerer({
      reader: this.#reader,
      board: new Int32Array(serving.board.buffer),
      counters: new Float64Array(COUNTER_ROW),
      zoneCounters: new Float64Array(limits.zones * ZONE_ROW),
      notes: new Float64Array(limits.targets * NOTE.size),
      random: new RandomWords(randomSeed()),
      clock: systemClock,
      steadyMs: systemClock.nowMs,
      cookies: null,
      rate: null,
      edns: { udpSize: limits.explainUdpBytes, nsid: new Uint8Array(0), keepalive: 0 },
      identity: { version: new Uint8Array(0), hostname: new Uint8Array(0) },
      udpMaxBytes: limits.explainUdpBytes,
      udpMaxBytesWithoutCookie: limits.explainUdpBytes,
    });
  }

  /** Throws RequestError while there is nothing to answer from. */
  run(asked: Asked, udpSize: number | null, tcp: boolean): Run {
    const request = buildQuery({ name: asked.name, type: asked.type, udpSize, subnet: asked.subnet });
    this.#bytes.set(request);
    fillPeer(this.#answerer.peer, asked.peer);
    const listener = new Listener();
    this.#answerer.trace = listener;
    this.#answerer.beginBatch();
    try {
      const transport = tcp ? TRANSPORT_TCP : TRANSPORT_UDP;
      const octets = this.#answerer.respond(this.#bytes, 0, request.length, this.#bytes.length, transport);
      if (octets <= 0) throw new RequestError(409, 'not-ready', 'the server has nothing to answer from yet');
      return {
        octets,
        response: readResponse(this.#bytes.subarray(0, octets)),
        heard: listener.heard,
        links: listener.links,
      };
    } finally {
      this.#answerer.endBatch();
      this.#answerer.trace = null;
    }
  }

  /** Reads the geo image that is served. */
  withGeo<T>(read: (geo: GeoView) => T): T {
    const ref = this.#images.geo;
    const geo = new GeoView();
    geo.attach(this.#reader.words[chunkOf(ref)]!, wordOf(ref));
    return read(geo);
  }

  /** A zone image that is served. */
  image(ref: SegmentRef): ZoneView {
    const view = new ZoneView();
    const chunk = chunkOf(ref);
    view.attach(this.#reader.words[chunk]!, this.#reader.bytes[chunk]!, wordOf(ref));
    return view;
  }
}

function fillPeer(peer: Peer, address: Address): void {
  const view = new DataView(address.bytes.buffer, address.bytes.byteOffset, address.bytes.length);
  const four = address.family === 4;
  peer.family = address.family;
  peer.w0 = view.getInt32(0);
  peer.w1 = four ? 0 : view.getInt32(4);
  peer.w2 = four ? 0 : view.getInt32(8);
  peer.w3 = four ? 0 : view.getInt32(12);
  peer.port = 53;
}
