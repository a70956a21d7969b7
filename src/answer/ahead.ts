// Looks ahead over a few requests: finds their zones, and touches the memory that their answers will read.
//
// An answer reads some cache lines that nobody has read lately: a slot of the zone's hash table, the name's node, a range of
// addresses and its place. One after another, each is a wait of up to 150 ns, together a third of what an answer costs. Touched
// for many requests in one short loop, the waits pass at the same time (docs/performance.md). A line touched in vain costs a nanosecond;
// the zone and the range that were found on the way aren't looked for again.
import { limits } from '../base/limits.ts';
import { ECS_IPV4, type Query } from '../wire/query.ts';
import { nodeByHash, ZoneView } from '../zone/find.ts';
import type { Peer } from './port.ts';
import type { Snapshot } from './snapshot.ts';

/** Words from a node's first to one in its last cache line, for a usual name with one set. */
const NODE_REACH = 12;

/** One for each thread; what it holds is of the group of requests that was last seen. */
export class Ahead {
  /** What `Snapshot.findZone` found for each request. */
  readonly #zoneLabels = new Int32Array(limits.udpAhead);
  readonly #entries = new Int32Array(limits.udpAhead);
  readonly #passedApexes = new Uint8Array(limits.udpAhead);
  readonly #snapshot: Snapshot;
  readonly #zone = new ZoneView();
  /** Of those that are worth touching: the zone's memory, first word and hash table, the name's hash, then its node's word. */
  readonly #words: Int32Array[] = new Array<Int32Array>(limits.udpAhead).fill(new Int32Array(0));
  readonly #bases = new Int32Array(limits.udpAhead);
  readonly #tables = new Int32Array(limits.udpAhead);
  readonly #masks = new Int32Array(limits.udpAhead);
  readonly #hashes = new Int32Array(limits.udpAhead);
  readonly #nodes = new Int32Array(limits.udpAhead);
  /** And their clients: the family, 0 where no region is to be found; the first word of the address; which request that was. */
  readonly #families = new Uint8Array(limits.udpAhead);
  readonly #addresses = new Int32Array(limits.udpAhead);
  readonly #requests = new Uint8Array(limits.udpAhead);
  #count = 0;
  /** The geo image's range of each request's client, -1 where it isn't known. */
  readonly #ranges = new Int32Array(limits.udpAhead).fill(-1);
  /** The sum of what was touched: without a use, the compiler would leave the reading out. */
  touched = 0;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /** Begins a group. */
  start(): void {
    this.#count = 0;
  }

  /** Finds the zone of request `i` of the group, a question of class IN, and notes what its answer will read first. */
  see(i: number, query: Query, peer: Peer): void {
    const snapshot = this.#snapshot;
    const label = snapshot.findZone(query.name, query.type);
    this.#ranges[i] = -1;
    this.#zoneLabels[i] = label;
    this.#entries[i] = snapshot.entry;
    this.#passedApexes[i] = snapshot.passedApex ? 1 : 0;
    const zone = this.#zone;
    if (label < 0 || !snapshot.attachZone(zone)) return;
    const n = this.#count++;
    this.#words[n] = zone.words;
    this.#bases[n] = zone.base;
    this.#tables[n] = zone.table;
    this.#masks[n] = zone.tableMask;
    this.#hashes[n] = query.name.hashes[0]!;
    this.#requests[n] = i;
    const subnet = query.ecs && query.ecsSource > 0;
    const family = subnet ? (query.ecsFamily === ECS_IPV4 ? 4 : 6) : peer.family;
    this.#families[n] = snapshot.hasMaps() ? family : 0;
    this.#addresses[n] = subnet ? query.ecs0 : peer.w0;
  }

  /** The geo image's range of the client of request `i`, if it has an IPv4 address and the range was looked up, else -1. */
  range(i: number): number {
    return this.#ranges[i]!;
  }

  /** Takes up again what was found for request `i`. Returns the label at which its zone begins, -1 where there is none. */
  takeZone(i: number): number {
    const snapshot = this.#snapshot;
    snapshot.entry = this.#entries[i]!;
    snapshot.passedApex = this.#passedApexes[i] === 1;
    return this.#zoneLabels[i]!;
  }

  /** Touches what `see` noted: each loop reads what needs nothing but the loop before. */
  touch(): void {
    const count = this.#count;
    // One request has nobody to wait with.
    if (count < 2) return;
    const nodes = this.#nodes;
    const ranges = this.#ranges;
    const { geo } = this.#snapshot;
    let sum = 0;
    for (let n = 0; n < count; n++) {
      nodes[n] = this.#bases[n]! + nodeByHash(this.#words[n]!, this.#tables[n]!, this.#masks[n]!, this.#hashes[n]!);
    }
    for (let n = 0; n < count; n++) {
      const family = this.#families[n];
      if (family === 4) ranges[this.#requests[n]!] = geo.find4(this.#addresses[n]!);
      else if (family === 6) sum ^= geo.place6(geo.near6(this.#addresses[n]!));
    }
    for (let n = 0; n < count; n++) {
      const words = this.#words[n]!;
      const node = nodes[n]!;
      sum ^= words[node]! ^ words[node + NODE_REACH]!;
      const range = ranges[this.#requests[n]!]!;
      if (range >= 0) sum ^= geo.place4(range);
    }
    this.touched = sum;
  }
}
