// Zones in memory with the makers of transfers, no sockets: what a transfer gives, message by message.

import type { AnswerParts } from '../../dist/answer/parts.js';
import { emptyPeer, type Peer } from '../../dist/answer/port.js';
import { Answerer } from '../../dist/answer/respond.js';
import { Transfers } from '../../dist/answer/transfer.js';
import { RandomWords } from '../../dist/base/random.js';
import { Board } from '../../dist/board/board.js';
import { COUNT, COUNTER_ROW, type CounterName, ZONE_ROW } from '../../dist/board/counters.js';
import { StoreReader } from '../../dist/board/store.js';
import { Cookies } from '../../dist/guard/cookies.js';
import { Images } from '../../dist/loading/images.js';
import { fillPeer } from '../../dist/serve/peer.js';
import { compileZone } from '../../dist/zonefile/compile.js';
import { FakeClock } from './clock.ts';
import { wireName } from './dns.ts';
import { modelOf } from './zones.ts';

/** What a zone text gives, without region maps: nothing is steered by place here. */
export class TransferPlane {
  readonly clock = new FakeClock();
  readonly counters = new Float64Array(COUNTER_ROW);
  readonly answerer: Answerer;
  readonly #images: Images;
  #published: number[] = [];

  constructor(...zones: readonly (readonly [text: string, serial: number])[]) {
    const board = new Board();
    let reader: StoreReader | null = null;
    this.#images = new Images(board, (index, buffer) => reader?.addChunk(index, buffer));
    this.publish(...zones);
    reader = new StoreReader(this.#images.store.handle(), 1, () => {});
    const parts: AnswerParts = {
      reader,
      board: new Int32Array(board.buffer),
      counters: this.counters,
      zoneCounters: new Float64Array(16 * ZONE_ROW),
      notes: new Float64Array(1024),
      random: new RandomWords([1, 2, 3, 4]),
      clock: this.clock,
      steadyMs: () => this.clock.nowMs(),
      cookies: new Cookies([new Uint8Array(16)]),
      rate: null,
      edns: { udpSize: 1232, nsid: new Uint8Array(0), keepalive: 100 },
      identity: { version: new Uint8Array(0), hostname: new Uint8Array(0) },
      udpMaxBytes: 1232,
      udpMaxBytesWithoutCookie: 1232,
    };
    this.answerer = new Answerer(parts);
    this.answerer.transfer = new Transfers(parts).handler;
  }

  /** Publishes these zones in place of all others, and frees the memory of those. */
  publish(...zones: readonly (readonly [text: string, serial: number])[]): void {
    const linked = zones.map(([text, serial], number) => {
      const compiled = compileZone(modelOf(text));
      const name = compiled.meta.name;
      const apex = new Uint8Array(wireName(name === '.' ? '' : name));
      return { apex, image: this.#images.link(compiled, serial), number, mapKeys: [] };
    });
    this.#images.publish(linked);
    for (const ref of this.#published) this.#images.store.release(ref);
    this.#published = linked.map(({ image }) => image);
    this.#images.store.reclaim();
  }

  count(name: CounterName): number {
    return this.counters[COUNT[name]]!;
  }

  /** What the answer path says at once; null: a transfer follows. */
  respond(request: Uint8Array, tcp: boolean, from = '192.0.2.7'): Buffer | null {
    const bytes = new Uint8Array(65_535);
    bytes.set(request);
    fillPeer(this.answerer.peer, from, 5353);
    this.answerer.beginBatch();
    const length = this.answerer.respond(bytes, 0, request.length, bytes.length, tcp ? 1 : 0);
    this.answerer.endBatch();
    return length < 0 ? null : Buffer.from(bytes.subarray(0, length));
  }

  /** The messages of a transfer, as the connection would ask for them. */
  transfer(request: Uint8Array, from = '192.0.2.7'): AsyncIterator<Uint8Array> {
    const peer: Peer = emptyPeer();
    fillPeer(peer, from, 5353);
    return this.answerer.transfer!(new Uint8Array(request), peer)[Symbol.asyncIterator]();
  }

  /** All of them. */
  async whole(request: Uint8Array): Promise<Buffer[]> {
    const messages: Buffer[] = [];
    const iterator = this.transfer(request);
    for (let next = await iterator.next(); !next.done; next = await iterator.next())
      messages.push(Buffer.from(next.value));
    return messages;
  }
}
