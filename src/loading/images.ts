// Keeps what is answered from: zone images, region maps and the geo image in the store, published as one directory.
import type { Board } from '../board/board.ts';
import { type SegmentRef, Store } from '../board/store.ts';
import { mapKey } from '../regionmap/build.ts';
import type { MapSpec } from '../regionmap/spec.ts';
import { buildDirectory } from '../zone/directory.ts';
import { HEADER } from '../zone/layout.ts';
import type { CompiledZone } from '../zone/meta.ts';

/** A zone as the directory shows it. */
export interface PublishedZone {
  readonly apex: Uint8Array;
  /** null: SERVFAIL. */
  readonly image: SegmentRef | null;
  readonly number: number;
  /** Keys of its region maps, in the image's order. */
  readonly mapKeys: readonly string[];
}

export class Images {
  readonly store: Store;
  readonly #board: Board;
  readonly #maps = new Map<string, SegmentRef>();
  #geo: SegmentRef = 0;
  #generation = 0;

  constructor(board: Board, onChunk: (index: number, buffer: SharedArrayBuffer) => void) {
    this.#board = board;
    this.store = new Store(onChunk);
  }

  /** The geo image, 0 before the first. */
  get geo(): SegmentRef {
    return this.#geo;
  }

  /** Puts a compiled zone into the store: member targets become board slots, the serial is filled in. */
  link(compiled: CompiledZone, serial: number): SegmentRef {
    const ref = this.store.add(compiled.image);
    const words = this.store.words(ref);
    const slots = compiled.meta.targets.map((target) => this.#board.slot(target.id));
    const list = words[HEADER.members]!;
    for (let i = 0; i < words[HEADER.memberCount]!; i++) {
      const at = words[list + i]!;
      words[at] = slots[words[at]!]!;
    }
    const bytes = new DataView(words.buffer, words.byteOffset, words.byteLength);
    bytes.setUint32(words[HEADER.serialByte]!, serial);
    bytes.setUint32(words[HEADER.negativeSerialByte]!, serial);
    return ref;
  }

  /** The words of a region map that is published or about to be. */
  map(key: string): Int32Array | undefined {
    const ref = this.#maps.get(key);
    return ref === undefined ? undefined : this.store.words(ref);
  }

  /** Those of the maps that must still be built, each once. */
  missing(specs: readonly MapSpec[]): MapSpec[] {
    const wanted = new Map(specs.map((spec) => [mapKey(spec), spec]));
    return [...wanted].filter(([key]) => !this.#maps.has(key)).map(([, spec]) => spec);
  }

  addMaps(specs: readonly MapSpec[], images: readonly Uint8Array[]): void {
    specs.forEach((spec, i) => {
      this.#maps.set(mapKey(spec), this.store.add(images[i]!));
    });
  }

  /**
   * Replaces the geo image together with every map that was made for it; effective with the next `publish`.
   * @param image its bytes, or the segment where it is already
   */
  replaceGeo(image: Uint8Array | SegmentRef, specs: readonly MapSpec[], maps: readonly Uint8Array[]): void {
    const old = [this.#geo, ...this.#maps.values()];
    this.#geo = typeof image === 'number' ? image : this.store.add(image);
    this.#maps.clear();
    this.addMaps(specs, maps);
    for (const ref of old) if (ref !== 0) this.store.release(ref);
  }

  /** Publishes these zones. From then on every new batch of queries sees them all, and nothing of the old. */
  publish(zones: readonly PublishedZone[]): void {
    const uses = new Set<SegmentRef>(this.#geo === 0 ? [] : [this.#geo]);
    const used = new Set<string>();
    const entries = zones.map((zone) => {
      if (zone.image !== null) uses.add(zone.image);
      const maps = zone.mapKeys.map((key) => {
        used.add(key);
        const ref = this.#maps.get(key)!;
        uses.add(ref);
        return ref;
      });
      return { apex: zone.apex, image: zone.image, number: zone.number, maps };
    });
    this.#generation++;
    const directory = this.store.add(buildDirectory(this.#generation, this.#geo, entries));
    this.store.publish(directory, [...uses]);
    for (const [key, ref] of this.#maps) {
      if (used.has(key)) continue;
      this.#maps.delete(key);
      this.store.release(ref);
    }
  }
}
