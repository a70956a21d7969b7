// The served geography: follows databases and overrides, builds them beside everything else, and hands over what is ready.
import { dirname } from 'node:path';
import type { Logger } from '../base/log.ts';
import { fileLane } from '../base/read-file.ts';
import type { SegmentRef } from '../board/store.ts';
import type { GeoFacts } from '../geo/open.ts';
import { mapKey } from '../regionmap/build.ts';
import type { MapSpec } from '../regionmap/spec.ts';
import type { Builder, BuiltGeo } from './builder.ts';
import type { GeoPaths } from './first-geo.ts';
import { differ, type GeoLook, lookAtGeo } from './geo-files.ts';
import type { Images } from './images.ts';

export interface GeographyOptions extends GeoPaths {
  readonly builder: Builder;
  readonly images: Images;
  readonly log: Logger;
}

/** New geography in the store, with the region maps that were wanted when it was made. */
interface Ready {
  readonly geo: GeoFacts;
  readonly ref: SegmentRef;
  readonly maps: Map<string, Uint8Array>;
}

export class Geography {
  readonly #options: GeographyOptions;
  /** What is known of what is served; null before the first. */
  facts: GeoFacts | null = null;
  /** Of the files that `facts` were made of. */
  #signatures: GeoLook | null = null;
  /** A build that is under way. */
  #build: Promise<void> | null = null;
  #ready: Ready | null = null;
  #stopped = false;
  /** Told when a build is through: the next `adopt` may find it. */
  onReady: () => void = () => {};

  constructor(options: GeographyOptions) {
    this.#options = options;
  }

  /** Takes over the first. */
  async first(built: BuiltGeo): Promise<void> {
    const ref = await this.#place(built);
    this.#tell(built.geo);
    this.#options.images.replaceGeo(ref, [], []);
    this.facts = built.geo;
    // Only now it is known which lists of networks there are.
    this.#signatures = await this.#sign();
  }

  /** Looks whether files changed, and begins to build anew if they did. @param specs the region maps that will be needed */
  async look(specs: readonly MapSpec[]): Promise<void> {
    if (this.#build !== null) return;
    const now = await this.#sign();
    if (this.#build !== null || this.#stopped) return;
    if (!differ(this.#signatures, now)) {
      this.#signatures = now;
      return;
    }
    this.#build = this.#rebuild(specs, now.refused)
      .catch((error: unknown) => {
        this.#options.log.error(
          { event: 'geo-failed', error: String(error) },
          'geography could not be built: the old one stands',
        );
      })
      .finally(() => {
        this.#signatures = now;
        this.#build = null;
        if (!this.#stopped) this.onReady();
      });
  }

  /** Whether something is built that nobody has taken over. */
  get ready(): boolean {
    return this.#ready !== null;
  }

  /** Builds anew though nothing changed, so that it is stored. */
  buildAgain(): void {
    if (this.#build !== null || this.#stopped) return;
    this.#signatures = null;
    this.onReady();
  }

  /** Resolves when no build is under way. */
  async settled(): Promise<void> {
    await this.#build;
  }

  /**
   * Takes over what is ready. Returns whether there was something. Region maps that it lacks are built now; one that can't be built
   * lets the old geography stand.
   */
  async adopt(specs: readonly MapSpec[]): Promise<boolean> {
    const ready = this.#ready;
    if (ready === null) return false;
    this.#ready = null;
    const { images, log } = this.#options;
    const wanted = distinct(specs);
    try {
      await this.#addMaps(ready, wanted);
    } catch (error) {
      images.store.release(ready.ref);
      throw error;
    }
    const failed = wanted.some((spec) => !ready.maps.has(mapKey(spec)));
    if (failed) {
      images.store.release(ready.ref);
      log.error({ event: 'geo-failed' }, 'regions could not be laid out over new geography: the old one stands');
      return false;
    }
    images.replaceGeo(
      ready.ref,
      wanted,
      wanted.map((spec) => ready.maps.get(mapKey(spec))!),
    );
    this.facts = ready.geo;
    return true;
  }

  /** The folders of everything that was read. */
  get watchedFolders(): string[] {
    const { geoDirectory } = this.#options;
    return [
      ...new Set([
        geoDirectory,
        ...this.#files()
          .filter((f) => f !== geoDirectory)
          .map((f) => dirname(f)),
      ]),
    ];
  }

  stop(): void {
    this.#stopped = true;
  }

  async #rebuild(specs: readonly MapSpec[], refused: GeoLook['refused']): Promise<void> {
    const { builder, geoDirectory, overridesFile, stateDirectory, images } = this.#options;
    const lastGoodOverrides = this.facts?.overrides ?? undefined;
    const files = { directory: geoDirectory, overridesFile, lastGoodOverrides, refused };
    const built = await builder.geo({ files, stateDirectory, first: false });
    this.#tell(built.geo);
    // A broken database is refused: while old geography serves, that one stays.
    if (built.geo.problems.length > 0 || this.#stopped) {
      await built.place(null);
      this.facts = { ...this.facts!, problems: built.geo.problems };
      return;
    }
    const ref = await this.#place(built);
    if (this.#ready !== null) images.store.release(this.#ready.ref);
    const ready: Ready = { geo: built.geo, ref, maps: new Map() };
    await this.#addMaps(ready, distinct(specs));
    this.#ready = ready;
  }

  async #addMaps({ ref, maps }: Ready, specs: readonly MapSpec[]): Promise<void> {
    const { builder, images } = this.#options;
    const missing = specs.filter((spec) => !maps.has(mapKey(spec)));
    if (missing.length === 0) return;
    const results = await builder.maps(missing, images.store.handle(), ref);
    missing.forEach((spec, i) => {
      const { image } = results[i]!;
      if (image !== null) maps.set(mapKey(spec), image);
    });
  }

  async #place(built: BuiltGeo): Promise<SegmentRef> {
    const { store } = this.#options.images;
    const ref = store.reserve(built.bytes);
    try {
      await built.place(store.where(ref));
    } catch (error) {
      store.release(ref);
      throw error;
    }
    return ref;
  }

  #tell(geo: GeoFacts): void {
    const { log } = this.#options;
    for (const { file, message } of geo.problems) {
      log.error({ event: 'geo-broken', file, problem: message }, 'a geographic database cannot be used');
    }
    for (const { file, reason, fix } of geo.unread) {
      log.warn({ event: 'geo-unread', file, reason, fix }, 'a file among the geographic databases is not read');
    }
    if (geo.overridesFailed) {
      log.error({ event: 'overrides-broken' }, 'the overrides have errors: the last good ones hold');
    }
  }

  /** How every file looks now. */
  #sign(): Promise<GeoLook> {
    return lookAtGeo(fileLane, this.#options.geoDirectory, this.#files());
  }

  #files(): string[] {
    const { geoDirectory, overridesFile } = this.#options;
    return [...new Set([geoDirectory, overridesFile, ...(this.facts?.watched ?? [])])];
  }
}

function distinct(specs: readonly MapSpec[]): MapSpec[] {
  return [...new Map(specs.map((spec) => [mapKey(spec), spec])).values()];
}
