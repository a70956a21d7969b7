// What is served, without sockets: store, board, zones, maps and geography, loaded and reloaded one step at a time.
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import type { Storage } from '../base/storage.ts';
import { Board } from '../board/board.ts';
import type { GeoFacts } from '../geo/open.ts';
import { mapKey } from '../regionmap/build.ts';
import { ChoiceProbe } from '../steer/probe-choice.ts';
import type { CheckRules } from '../zone/model.ts';
import type { Builder } from './builder.ts';
import { type FirstGeo, startFirstGeo } from './first-geo.ts';
import { Geography } from './geography.ts';
import { Images } from './images.ts';
import { KeptGeo } from './kept-geo.ts';
import { Rows } from './memory.ts';
import { Serials } from './serials.ts';
import { type ServedZone, Zones, type ZonesChange } from './zones.ts';

export interface ServingOptions {
  readonly zonesDirectory: string;
  readonly geoDirectory: string;
  readonly overridesFile: string;
  /** null: nothing is read from or kept in state/. */
  readonly stateDirectory: string | null;
  readonly storage: Storage;
  readonly baseDirectory: string;
  readonly checkRules: CheckRules;
  /** A start that is already under way; else it begins with the first load. */
  readonly firstGeo?: FirstGeo;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface LoadChange extends ZonesChange {
  readonly geoChanged: boolean;
}

export class Serving {
  readonly board = new Board();
  /** Asks the chooser, for status and alarms. */
  readonly probe = new ChoiceProbe(new Int32Array(this.board.buffer));
  readonly rows = new Rows();
  readonly builder: Builder;
  readonly images: Images;
  readonly zones: Zones;
  readonly geography: Geography;
  readonly #options: ServingOptions;
  readonly #keptGeo: KeptGeo | null;
  #firstGeo: FirstGeo | null;
  readonly #forgotten = new Set<string>();
  readonly #chunkListeners: ((index: number, buffer: SharedArrayBuffer) => void)[] = [];

  constructor(options: ServingOptions) {
    this.#options = options;
    this.#firstGeo = options.firstGeo ?? startFirstGeo(options);
    this.builder = this.#firstGeo.builder;
    this.images = new Images(this.board, (index, buffer) => {
      for (const listener of this.#chunkListeners) listener(index, buffer);
    });
    const state = options.stateDirectory;
    this.zones = new Zones({
      directory: options.zonesDirectory,
      baseDirectory: options.baseDirectory,
      checkRules: options.checkRules,
      stateDirectory: state,
      builder: this.builder,
      images: this.images,
      storage: options.storage,
      serials: new Serials(state === null ? null : { file: join(state, 'serials.json'), storage: options.storage }),
      clock: options.clock,
      log: options.log,
    });
    this.geography = new Geography({ ...options, builder: this.builder, images: this.images });
    this.#keptGeo = state === null ? null : new KeptGeo(state, options.storage);
    this.builder.onKept = (problem, bytes) => this.#keptGeo?.note(problem, bytes);
  }

  /** What could not be kept is loaded and kept again from now on: not before the first load is through. */
  keepAgain(load: () => Promise<unknown>): void {
    if (this.zones.kept !== null) this.zones.kept.retry = load;
    if (this.#keptGeo !== null) this.#keptGeo.retry = () => this.geography.buildAgain();
  }

  /** Takes up what earlier runs kept, but for what the builder reads. */
  restore(): void {
    this.zones.restore();
  }

  /** What is known of the served geography; null before the first load. */
  get geo(): GeoFacts | null {
    return this.geography.facts;
  }

  /** What is wrong beside the files' own mistakes, a sentence each. */
  problems(): string[] {
    const { leftOut } = this.zones;
    if (leftOut.length === 0) return [];
    return [`more than ${limits.zones} zone files: ${leftOut.length} are left out, ${leftOut[0]} for one`];
  }

  /** Told of each new chunk of shared memory. */
  onChunk(listener: (index: number, buffer: SharedArrayBuffer) => void): void {
    this.#chunkListeners.push(listener);
  }

  /**
   * Reads what changed on disk: zones, and geography, which is only begun where it takes long. Nothing is published yet. One call at a
   * time.
   * @param onZones called when the zones are in, before geography and region maps: probing need not wait for those
   */
  async load(onZones: () => void): Promise<LoadChange> {
    const change = await this.zones.load();
    onZones();
    const first = this.#firstGeo;
    let geoChanged = false;
    if (first !== null) {
      await this.geography.first(await first.geo);
      this.#firstGeo = null;
      geoChanged = true;
    } else {
      // New geography takes seconds to build: nothing waits for it, and a later load takes it over.
      await this.geography.look(this.zones.maps());
      geoChanged = await this.geography.adopt(this.zones.maps());
    }
    if (await this.#buildMaps()) onZones();
    this.zones.settle();
    return { ...change, geoChanged };
  }

  /** Builds the region maps that are missing; a zone whose map can't be built keeps its version before. Returns whether there was one. */
  async #buildMaps(): Promise<boolean> {
    const missing = this.images.missing(this.zones.maps());
    if (missing.length === 0) return false;
    const results = await this.builder.maps(missing, this.images.store.handle(), this.images.geo);
    const problems = new Map<string, string>();
    missing.forEach((spec, i) => {
      const { image, problem } = results[i]!;
      if (image === null) problems.set(mapKey(spec), problem);
      else this.images.addMaps([spec], [image]);
    });
    return problems.size > 0 && this.zones.withdraw(problems);
  }

  /** Publishes what was loaded. */
  publish(): void {
    this.images.publish(
      [...this.zones.all.values()]
        .filter((zone) => zone.apex.length > 0)
        .map((zone) => ({ apex: zone.apex, image: zone.image, number: zone.number, mapKeys: zone.mapKeys })),
    );
  }

  /** Frees what the last images used, as soon as no thread reads them. Call it now and then. */
  tidy(): void {
    if (this.images.store.reclaim() > 0 || this.#forgotten.size === 0) return;
    const used = new Set(
      [...this.zones.all.values()].flatMap((zone) => zone.meta?.targets.map((target) => target.id) ?? []),
    );
    for (const id of this.#forgotten) {
      const slot = this.board.slotOf(id);
      if (used.has(id) || slot === undefined) continue;
      this.board.drop(id);
      this.rows.forget(slot);
    }
    this.#forgotten.clear();
  }

  /** The zone of this name. */
  zone(name: string): ServedZone | undefined {
    return this.zones.all.get(name);
  }

  /** Errors and warnings of every file, `_common.yaml` and overrides included. */
  diagnostics(): Diagnostic[] {
    return [
      ...this.zones.commonDiagnostics,
      ...(this.geo?.diagnostics ?? []),
      ...[...this.zones.all.values()].flatMap((zone) => zone.diagnostics),
    ];
  }

  /** The folders of everything that was read. */
  get watchedFolders(): string[] {
    return [...new Set([this.#options.zonesDirectory, ...this.geography.watchedFolders])];
  }

  /** Targets that no zone has any more: their board slots are free once no thread can hold an image that names them. */
  forgetLater(ids: readonly string[]): void {
    for (const id of ids) this.#forgotten.add(id);
  }

  async stop(): Promise<void> {
    this.geography.stop();
    await Promise.all([this.builder.stop(), this.zones.stop()]);
  }
}
