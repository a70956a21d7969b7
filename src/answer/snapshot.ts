// The directory that a batch is answered from: taken and let go once a batch, so that every query sees one whole state.
import { chunkOf, type StoreReader, wordOf } from '../board/store.ts';
import { GeoView } from '../geo/lookup.ts';
import { RegionMapView } from '../regionmap/lookup.ts';
import type { Labels } from '../wire/labels.ts';
import { TYPE } from '../wire/types.ts';
import { DIRECTORY, ENTRY, findEntry, ZONE_ERROR } from '../zone/directory.ts';
import type { ZoneView } from '../zone/find.ts';

/** One for each thread. What it shows holds between `take` and `letGo`. */
export class Snapshot {
  /** Word of the directory entry that `findZone` found, in the directory's chunk. */
  entry = 0;
  /** The last `findZone` passed over a zone at whose apex the name is: DS belongs to its parent. */
  passedApex = false;
  readonly #reader: StoreReader;
  /** The geo image; shows none before there is one. */
  readonly geo = new GeoView();
  readonly #map = new RegionMapView();
  #mapRef = 0;
  #ref = 0;
  #generation = 0;
  #words: Int32Array = new Int32Array(0);
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(reader: StoreReader) {
    this.#reader = reader;
  }

  /** Whether there is a directory to answer from: before the first is published there is nothing to say. */
  get exists(): boolean {
    return this.#ref !== 0;
  }

  take(): void {
    const ref = this.#reader.hold();
    if (ref === 0) {
      this.#ref = 0;
      return;
    }
    const words = this.#reader.words[chunkOf(ref)]!;
    const at = wordOf(ref);
    // A directory may come to stand where one stood before: the generation tells them apart.
    const generation = words[at + DIRECTORY.generation]!;
    if (ref === this.#ref && generation === this.#generation) return;
    this.#ref = ref;
    this.#generation = generation;
    this.#words = words;
    this.#bytes = this.#reader.bytes[chunkOf(ref)]!;
    this.#at = at;
    this.#mapRef = 0;
    const geo = words[at + DIRECTORY.geo]!;
    if (geo !== 0) this.geo.attach(this.#reader.words[chunkOf(geo)]!, wordOf(geo));
  }

  letGo(): void {
    this.#reader.letGo();
  }

  /** The longest served apex that the name is at or below: its first label's number, or -1; `entry` is its entry. */
  findZone(labels: Labels, type: number): number {
    const directory = this.#words;
    const at = this.#at;
    let own = -1;
    this.passedApex = false;
    for (let i = 0; i <= labels.count; i++) {
      const depth = labels.count - i;
      if ((directory[at + DIRECTORY.depths + (depth >> 5)]! & (1 << (depth & 31))) === 0) continue;
      const entry = findEntry(directory, this.#bytes, at, labels, i);
      if (entry === 0) continue;
      this.entry = entry;
      // RFC 4035 3.1.4.1: DS belongs to the parent's side of the cut, where that is served here too.
      if (type !== TYPE.DS || i !== 0) return i;
      own = i;
      this.passedApex = true;
    }
    return own;
  }

  /** The number of the found zone: the row of its counters. */
  zoneNumber(): number {
    return this.#words[this.entry + ENTRY.number]!;
  }

  /** Whether regions decide anything in the found zone: without them no client is looked up. */
  hasMaps(): boolean {
    return this.#words[this.entry + ENTRY.maps]! > 0;
  }

  /** Shows the found zone in `zone`. Returns false for one that has no good version. */
  attachZone(zone: ZoneView): boolean {
    if (this.#words[this.entry + ENTRY.apex]! >>> 8 === ZONE_ERROR) return false;
    const ref = this.#words[this.entry + ENTRY.image]!;
    const chunk = chunkOf(ref);
    zone.attach(this.#reader.words[chunk]!, this.#reader.bytes[chunk]!, wordOf(ref));
    return true;
  }

  /** The region map with this number of the found zone. */
  map(number: number): RegionMapView {
    const ref = this.#words[this.entry + ENTRY.size + number]!;
    if (ref !== this.#mapRef) {
      this.#map.attach(this.#reader.words[chunkOf(ref)]!, wordOf(ref), this.geo);
      this.#mapRef = ref;
    }
    return this.#map;
  }
}
