// What is served, without sockets: store, board, zones, maps and geography, loaded and reloaded one step at a time.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Logger } from '../base/log.ts';
import { writeStable } from '../base/stable-file.ts';
import { Board } from '../board/board.ts';
import type { LoadedGeo } from '../geo/open.ts';
import { mapKey } from '../regionmap/build.ts';
import type { MapSpec } from '../regionmap/spec.ts';
import { ChoiceProbe } from '../steer/probe-choice.ts';
import type { CheckRules } from '../zone/model.ts';
import type { Builder } from './builder.ts';
import { type FirstGeo, overridesKept, startFirstGeo } from './first-geo.ts';
import { Images } from './images.ts';
import { Rows } from './memory.ts';
import { Serials } from './serials.ts';
import { signatureOf } from './zone-files.ts';
import { type ServedZone, Zones, type ZonesChange } from './zones.ts';

export interface ServingOptions {
  readonly zonesDirectory: string;
  readonly geoDirectory: string;
  readonly overridesFile: string;
  /** null: nothing is read from or kept in state/. */
  readonly stateDirectory: string | null;
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
  geo: LoadedGeo | null = null;
  readonly #options: ServingOptions;
  readonly #firstGeo: FirstGeo;
  #geoSignature = '';
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
      serials: new Serials(state === null ? null : join(state, 'serials.json')),
      clock: options.clock,
      log: options.log,
    });
  }

  /** Told of each new chunk of shared memory. */
  onChunk(listener: (index: number, buffer: SharedArrayBuffer) => void): void {
    this.#chunkListeners.push(listener);
  }

  /**
   * Reads what changed on disk: zones, and geography. Nothing is published yet. One call at a time.
   * @param onZones called when the zones are in, before geography and region maps: probing need not wait for those
   */
  async load(onZones: () => void): Promise<LoadChange> {
    const geoSignature = this.#signGeo();
    const geoChanged = geoSignature !== this.#geoSignature;
    const first = this.geo === null;
    // At the start both are built at once, on two threads; later the maps that the zones need go with the geography.
    const change = await this.zones.load();
    onZones();
    if (first) this.#takeGeo(await this.#firstGeo.take(), [], []);
    else if (geoChanged) await this.#loadGeo(this.zones.maps());
    // The first reading tells of more files to follow: lists of networks.
    this.#geoSignature = first ? this.#signGeo() : geoSignature;
    const missing = this.images.missing(this.zones.maps());
    if (missing.length > 0) {
      this.images.addMaps(missing, await this.builder.maps(missing, this.images.store.handle(), this.images.geo));
    }
    return { ...change, geoChanged };
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
    const { zonesDirectory, geoDirectory } = this.#options;
    return [
      ...new Set([
        zonesDirectory,
        geoDirectory,
        ...this.#geoFiles()
          .filter((f) => f !== geoDirectory)
          .map((f) => dirname(f)),
      ]),
    ];
  }

  /** Targets that no zone has any more: their board slots are free once no thread can hold an image that names them. */
  forgetLater(ids: readonly string[]): void {
    for (const id of ids) this.#forgotten.add(id);
  }

  async stop(): Promise<void> {
    await this.builder.stop();
  }

  #geoFiles(): string[] {
    return [...new Set([this.#options.geoDirectory, this.#options.overridesFile, ...(this.geo?.watched ?? [])])];
  }

  #signGeo(): string {
    const files = this.#geoFiles();
    try {
      for (const name of readdirSync(this.#options.geoDirectory)) files.push(join(this.#options.geoDirectory, name));
    } catch {
      // No folder: the embedded database alone.
    }
    return files.map((file) => `${file}=${signatureOf(file)}`).join('\n');
  }

  async #loadGeo(specs: ReturnType<Zones['maps']>): Promise<void> {
    const wanted = [...new Map(specs.map((spec) => [mapKey(spec), spec])).values()];
    const lastGoodOverrides = this.geo?.overrides ?? null;
    const built = await this.builder.geo(
      {
        directory: this.#options.geoDirectory,
        overridesFile: this.#options.overridesFile,
        ...(lastGoodOverrides === null ? {} : { lastGoodOverrides }),
      },
      wanted,
    );
    this.#takeGeo(built.geo, wanted, built.maps);
  }

  /** Takes over new geography with the maps that were made for it. */
  #takeGeo(geo: LoadedGeo, specs: readonly MapSpec[], maps: readonly Uint8Array[]): void {
    const { log, stateDirectory } = this.#options;
    // At the start a broken database ends the program, with its own words.
    for (const problem of this.geo === null ? [] : geo.problems) {
      log.error(
        { event: 'geo-broken', file: problem.file, problem: problem.message },
        'a geographic database cannot be used',
      );
    }
    if (geo.overridesFailed)
      log.error({ event: 'overrides-broken' }, 'the overrides have errors: the last good ones hold');
    // A broken database is refused: while an old image serves, that one stays.
    if (this.geo !== null && geo.problems.length > 0) {
      this.geo = { ...this.geo, problems: geo.problems };
      return;
    }
    this.images.replaceGeo(geo.image, specs, maps);
    // The image is in the store now; what stays here is what is known about it.
    this.geo = { ...geo, image: new Uint8Array(0) };
    if (geo.overrides !== null && stateDirectory !== null && !geo.overridesFailed) {
      writeStable(overridesKept(stateDirectory), JSON.stringify(geo.overrides));
    }
  }
}
