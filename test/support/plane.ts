// The answer path in memory: zones from YAML text, geography from hand-made networks, verdicts set by hand, no sockets.

import { NUMBERS_ROW } from '../../dist/answer/numbers.js';
import { Answerer } from '../../dist/answer/respond.js';
import { NOTE } from '../../dist/answer/steered.js';
import type { AnswerTrace } from '../../dist/answer/trace.js';
import { parseAddress } from '../../dist/base/address.js';
import { RandomWords } from '../../dist/base/random.js';
import {
  Board,
  FORCED_DOWN,
  FORCED_DRAIN,
  FORCED_NONE,
  FORCED_UP,
  LOAD_FULL,
  type TargetWord,
  VERDICT_DOWN,
  VERDICT_UP,
} from '../../dist/board/board.js';
import { COUNT, COUNTER_ROW, type CounterName, ZONE_ROW } from '../../dist/board/counters.js';
import { SHARE_TABLE_BYTES } from '../../dist/board/shares.js';
import { chunkOf, StoreReader, wordOf } from '../../dist/board/store.js';
import { buildGeoImage } from '../../dist/geo/image.js';
import { GeoView } from '../../dist/geo/lookup.js';
import { readDatabase } from '../../dist/geo/mmdb.js';
import { Images } from '../../dist/loading/images.js';
import type { ServedZone } from '../../dist/loading/served-zone.js';
import { buildRegionMap, mapKey } from '../../dist/regionmap/build.js';
import { ChoiceProbe } from '../../dist/steer/probe-choice.js';
import { compileZone } from '../../dist/zonefile/compile.js';
import { ecs, parse, query, type Reply } from './dns.ts';
import { mergeGeo } from './geo.ts';
import { buildMmdb, type Field } from './mmdb.ts';
import { modelOf } from './zones.ts';

/** Places of test networks: Moscow in 10/8 ... with coordinates, as a city database gives them. */
export const PLACES: readonly (readonly [string, Field])[] = [
  ['1.0.0.0/8', city('RU', 'EU', 'Moscow', 55.75, 37.62)],
  ['2.0.0.0/8', city('BR', 'SA', 'Rio de Janeiro', -22.9, -43.2)],
  ['3.0.0.0/8', city('US', 'NA', 'New York', 40.7, -74)],
  ['4.0.0.0/8', city('FR', 'EU', 'Paris', 48.9, 2.4)],
  ['5.0.0.0/8', city('JP', 'AS', 'Tokyo', 35.7, 139.7)],
  ['2a00::/16', city('RU', 'EU', 'Moscow', 55.75, 37.62)],
  ['2600::/16', city('US', 'NA', 'New York', 40.7, -74)],
];

function city(country: string, continent: string, name: string, latitude: number, longitude: number): Field {
  return {
    country: { iso_code: country },
    continent: { code: continent },
    city: { names: { en: name } },
    location: { latitude, longitude },
  };
}

export interface Asked {
  /** The client subnet; absent: none. */
  readonly subnet?: string;
  /** The packet's source address. */
  readonly from?: string;
  readonly tcp?: boolean;
  /** EDNS UDP size; null: no EDNS. */
  readonly udpSize?: number | null;
}

export class Plane {
  readonly board = new Board();
  readonly probe = new ChoiceProbe(new Int32Array(this.board.buffer));
  readonly images: Images;
  readonly zones: readonly Pick<ServedZone, 'name' | 'image' | 'meta' | 'mapKeys'>[];
  readonly answerer: Answerer;
  readonly counters = new Float64Array(COUNTER_ROW);
  readonly notes = new Float64Array(4096 * NOTE.size);
  readonly #bytes = new Uint8Array(65_535);
  #nowMs = 1_700_000_000_000;

  constructor(
    zones: readonly string[],
    options: { common?: string; places?: readonly (readonly [string, Field])[]; udpMax?: number } = {},
  ) {
    let reader: StoreReader | null = null;
    this.images = new Images(this.board, (index, buffer) => reader?.addChunk(index, buffer));
    const database = readDatabase('test.mmdb', buildMmdb(options.places ?? PLACES, { type: 'GeoLite2-City' }));
    if (typeof database === 'string') throw new Error(database);
    this.images.replaceGeo(buildGeoImage(mergeGeo([{ database, kind: 'database' }], [], 'overrides.yaml')), [], []);
    const store = this.images.store;
    reader = new StoreReader(store.handle(), 1, () => {});
    const held = reader;
    const geo = new GeoView();
    geo.attach(held.words[chunkOf(this.images.geo)]!, wordOf(this.images.geo));
    const compiled = zones.map((text) => compileZone(modelOf(text, options.common ?? null)));
    const missing = this.images.missing(compiled.flatMap(({ meta }) => meta.maps));
    this.images.addMaps(
      missing,
      missing.map((spec) => buildRegionMap(geo, spec)),
    );
    this.zones = compiled.map((zone) => ({
      name: zone.meta.name,
      image: this.images.link(zone, 7),
      meta: zone.meta,
      mapKeys: zone.meta.maps.map(mapKey),
    }));
    this.images.publish(
      compiled.map((zone, number) => ({
        apex: Buffer.concat([
          ...zone.meta.name
            .split('.')
            .filter((l) => l !== '')
            .map((l) => Buffer.from([l.length, ...Buffer.from(l)])),
          Buffer.from([0]),
        ]),
        image: this.zones[number]!.image,
        number,
        mapKeys: this.zones[number]!.mapKeys,
      })),
    );
    for (const { meta } of compiled) {
      for (const target of meta.targets) this.set(target.id, { verdict: VERDICT_UP, watched: target.check !== null });
    }
    const udpMax = options.udpMax ?? 1232;
    this.answerer = new Answerer({
      reader: held,
      board: new Int32Array(this.board.buffer),
      counters: this.counters,
      numbers: new Float64Array(NUMBERS_ROW),
      shares: new Float64Array(SHARE_TABLE_BYTES / 8),
      zoneCounters: new Float64Array(64 * ZONE_ROW),
      notes: this.notes,
      random: new RandomWords([1, 2, 3, 4]),
      steadyMs: () => this.#nowMs,
      clock: { nowMs: () => this.#nowMs, monotonicMs: () => 0, after: () => () => {} },
      cookies: null,
      rate: null,
      edns: { udpSize: udpMax, nsid: new Uint8Array(0), keepalive: 100 },
      identity: { version: new Uint8Array(0), hostname: new Uint8Array(0) },
      udpMaxBytes: udpMax,
      udpMaxBytesWithoutCookie: udpMax,
    });
  }

  set(id: string, change: Partial<TargetWord>): void {
    const slot = this.board.slotOf(id);
    if (slot === undefined) throw new Error(`no target ${id}`);
    this.board.update(slot, { load: LOAD_FULL, ...change });
  }

  down(...ids: string[]): void {
    for (const id of ids) this.set(id, { verdict: VERDICT_DOWN });
  }

  up(...ids: string[]): void {
    for (const id of ids) this.set(id, { verdict: VERDICT_UP });
  }

  force(forced: 'up' | 'down' | 'drain' | 'none', ...ids: string[]): void {
    const value = { up: FORCED_UP, down: FORCED_DOWN, drain: FORCED_DRAIN, none: FORCED_NONE } as const;
    for (const id of ids) this.set(id, { forced: value[forced] });
  }

  count(name: CounterName): number {
    return this.counters[COUNT[name]]!;
  }

  /** Raw bytes in, raw bytes out; null for silence. */
  exchange(request: Uint8Array, from = '127.0.0.1', tcp = false): Buffer | null {
    const address = parseAddress(from)!;
    const view = new DataView(address.bytes.buffer);
    const peer = this.answerer.peer;
    peer.family = address.family;
    peer.w0 = view.getInt32(0);
    peer.w1 = address.family === 6 ? view.getInt32(4) : 0;
    peer.w2 = address.family === 6 ? view.getInt32(8) : 0;
    peer.w3 = address.family === 6 ? view.getInt32(12) : 0;
    this.#bytes.set(request);
    this.answerer.beginBatch();
    const length = this.answerer.respond(this.#bytes, 0, request.length, this.#bytes.length, tcp ? 1 : 0);
    this.answerer.endBatch();
    return length <= 0 ? null : Buffer.from(this.#bytes.subarray(0, length));
  }

  ask(name: string, type: string, asked: Asked = {}): Reply {
    const udpSize = asked.udpSize === undefined ? 1232 : asked.udpSize;
    const options = asked.subnet === undefined ? [] : [ecs(asked.subnet!)];
    const request = query({ name, type, ...(udpSize === null ? {} : { edns: { udpSize, options } }) });
    const response = this.exchange(request, asked.from, asked.tcp);
    if (response === null) throw new Error('silence');
    return parse(response);
  }

  trace(trace: AnswerTrace | null): void {
    this.answerer.trace = trace;
  }
}

/** The addresses (or names) in an answer, in its order. */
export function values(reply: Reply, type = 'A'): string[] {
  return reply.answers.filter((record) => record.type === type).map((record) => String(record.data));
}
