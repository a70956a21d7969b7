// The served zones: follows the zones folder, keeps the last good version of each, and hands the images their content.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { writeStable } from '../base/stable-file.ts';
import type { SegmentRef } from '../board/store.ts';
import { mapKey } from '../regionmap/build.ts';
import type { MapSpec } from '../regionmap/spec.ts';
import { parseName } from '../wire/name.ts';
import { absoluteName } from '../wire/zone-name.ts';
import type { ZoneMeta } from '../zone/meta.ts';
import type { CheckRules } from '../zone/model.ts';
import type { ZoneJob, ZoneResult } from './build.ts';
import type { Builder } from './builder.ts';
import type { Images } from './images.ts';
import type { Serials } from './serials.ts';
import { dropZone } from './zone-cache.ts';
import { changedSeconds, type FolderContent, readFolder, type Signature } from './zone-files.ts';

/** A zone as it is served. */
export interface ServedZone {
  readonly name: string;
  readonly file: string;
  /** Row of its counters; also its number in the directory. */
  readonly number: number;
  readonly apex: Uint8Array;
  signature: Signature;
  /** Key of the source that is served, null: none is. */
  key: string | null;
  image: SegmentRef | null;
  meta: ZoneMeta | null;
  mapKeys: readonly string[];
  serial: number | null;
  state: 'ok' | 'stale' | 'error';
  diagnostics: readonly Diagnostic[];
  loadedAtMs: number | null;
  /** When its file was first seen to be absent. */
  missingSinceMs: number | null;
}

/** What a load changed. */
export interface ZonesChange {
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** Look again after this long: a file is absent, but not yet for good. */
  readonly lookAgainMs: number | null;
  /** The folder can't be read: everything stands. */
  readonly problem: string | null;
}

export interface ZonesOptions {
  readonly directory: string;
  readonly baseDirectory: string;
  readonly checkRules: CheckRules;
  /** null: nothing is kept across restarts. */
  readonly stateDirectory: string | null;
  readonly builder: Builder;
  readonly images: Images;
  readonly serials: Serials;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The first errors, a line each, for the log: status has them all. */
function firstErrors(diagnostics: readonly Diagnostic[]): string[] {
  const errors = diagnostics.filter((d) => d.severity === 'error').slice(0, limits.loggedErrors);
  return errors.map((d) => `${d.file}:${d.line}:${d.col} ${d.code}: ${d.message}`);
}

export class Zones {
  readonly #options: ZonesOptions;
  readonly #zones = new Map<string, ServedZone>();
  readonly #freeNumbers: number[] = [];
  #commonText: string | null = null;
  commonDiagnostics: readonly Diagnostic[] = [];

  constructor(options: ZonesOptions) {
    this.#options = options;
  }

  get all(): ReadonlyMap<string, ServedZone> {
    return this.#zones;
  }

  /** Every region map that the served zones need. */
  maps(): MapSpec[] {
    return [...this.#zones.values()].flatMap((zone) => zone.meta?.maps ?? []);
  }

  /** Looks at the folder and builds what changed. The caller builds missing maps and publishes. One call at a time. */
  async load(): Promise<ZonesChange> {
    const { directory, clock, log } = this.#options;
    let content: FolderContent;
    try {
      content = readFolder(directory);
    } catch (error) {
      const problem = `cannot read the zones folder ${directory}: ${(error as Error).message}`;
      return { changed: [], removed: [], lookAgainMs: null, problem };
    }
    if (content.zones.size === 0 && this.#zones.size > 0) {
      // An empty folder is a mount that went away or a deployment half way, not a wish to serve nothing.
      log.warn({ event: 'zones-folder-empty', directory }, 'the zones folder is empty: everything is kept as it is');
      return {
        changed: [],
        removed: [],
        lookAgainMs: null,
        problem: `the zones folder ${directory} is empty: everything is kept`,
      };
    }
    const commonChanged = (content.common?.text ?? null) !== this.#commonText;
    this.#commonText = content.common?.text ?? null;
    const jobs: ZoneJob[] = [];
    for (const [name, { file, signature }] of content.zones) {
      const zone = this.#zones.get(name);
      if (zone) zone.missingSinceMs = null;
      if (zone && zone.signature === signature && !commonChanged) continue;
      jobs.push({ name, file, servedKey: zone?.state === 'ok' ? zone.key : null });
    }
    const changed: string[] = [];
    if (jobs.length > 0) {
      const request = {
        jobs,
        common: content.common,
        lastGoodCommon: this.#lastGoodCommon(),
        baseDirectory: this.#options.baseDirectory,
        checkRules: this.#options.checkRules,
        stateDirectory: this.#options.stateDirectory,
      };
      const common = await this.#options.builder.zones(request, (result) => {
        const signature = content.zones.get(result.job.name)!.signature;
        if (this.#take(result, signature)) changed.push(result.job.name);
      });
      this.commonDiagnostics = common.diagnostics;
      if (content.common !== null && common.good) this.#keepCommon(content.common.text);
      this.#options.serials.save();
    }
    const now = clock.nowMs();
    const removed: string[] = [];
    let lookAgainMs: number | null = null;
    for (const zone of [...this.#zones.values()]) {
      if (content.zones.has(zone.name)) continue;
      zone.missingSinceMs ??= now;
      const left = zone.missingSinceMs + limits.zoneGoneMs - now;
      if (left <= 0) {
        this.#remove(zone);
        removed.push(zone.name);
      } else lookAgainMs = Math.min(lookAgainMs ?? left, left);
    }
    return { changed, removed, lookAgainMs, problem: null };
  }

  /** Takes over what the builder made of a file. Returns whether what is served changed. */
  #take(result: ZoneResult, signature: Signature): boolean {
    const { job, compiled } = result;
    const { log, clock } = this.#options;
    if (result.outcome === 'gone') return false;
    const zone = this.#zones.get(job.name) ?? this.#add(job);
    zone.signature = signature;
    if (result.outcome === 'same') {
      zone.state = 'ok';
      return false;
    }
    zone.diagnostics = result.diagnostics;
    const errors = result.diagnostics.filter((d) => d.severity === 'error').length;
    if (result.outcome !== 'new' && zone.image !== null) {
      zone.state = 'stale';
      const first = firstErrors(result.diagnostics);
      log.error(
        { event: 'zone-stale', zone: zone.name, errors, first },
        'the zone file has errors: the last good version is served',
      );
      return false;
    }
    if (compiled === null) {
      zone.state = 'error';
      const first = firstErrors(result.diagnostics);
      log.error(
        { event: 'zone-error', zone: zone.name, errors, first },
        'the zone file has errors and no good version is known: SERVFAIL',
      );
      return true;
    }
    const old = zone.image;
    zone.serial = this.#options.serials.assign(
      zone.name,
      result.key,
      compiled.meta.serial,
      // The file's own time, so that servers with copies of it agree; a time that is still to come would stay ahead of all edits.
      Math.min(changedSeconds(signature), Math.floor(clock.nowMs() / 1000)),
    );
    zone.image = this.#options.images.link(compiled, zone.serial);
    zone.meta = compiled.meta;
    zone.mapKeys = compiled.meta.maps.map(mapKey);
    zone.key = result.key;
    zone.state = result.outcome === 'stale' ? 'stale' : 'ok';
    zone.loadedAtMs = clock.nowMs();
    if (old !== null) this.#options.images.store.release(old);
    if (zone.state === 'stale') {
      log.error(
        { event: 'zone-stale', zone: zone.name, errors },
        'the zone file has errors: the version kept in state/ is served',
      );
    } else
      log.info(
        { event: 'zone-loaded', zone: zone.name, serial: zone.serial, records: compiled.meta.records },
        'zone loaded',
      );
    return true;
  }

  #add(job: ZoneJob): ServedZone {
    const name = parseName(absoluteName(job.name), null);
    const zone: ServedZone = {
      name: job.name,
      file: job.file,
      number: this.#freeNumbers.pop() ?? this.#zones.size,
      // A file whose name is no domain name has errors and is never published.
      apex: name.ok ? name.wire : new Uint8Array(0),
      signature: '',
      key: null,
      image: null,
      meta: null,
      mapKeys: [],
      serial: null,
      state: 'error',
      diagnostics: [],
      loadedAtMs: null,
      missingSinceMs: null,
    };
    this.#zones.set(job.name, zone);
    return zone;
  }

  #remove(zone: ServedZone): void {
    this.#zones.delete(zone.name);
    this.#freeNumbers.push(zone.number);
    if (zone.image !== null) this.#options.images.store.release(zone.image);
    if (this.#options.stateDirectory !== null) dropZone(this.#options.stateDirectory, zone.name);
    this.#options.log.info({ event: 'zone-removed', zone: zone.name }, 'zone removed');
  }

  #commonFile(): string | null {
    const directory = this.#options.stateDirectory;
    return directory === null ? null : join(directory, 'zones', 'common.yaml');
  }

  #goodCommon: string | null | undefined = undefined;

  #lastGoodCommon(): string | null {
    if (this.#goodCommon !== undefined) return this.#goodCommon;
    this.#goodCommon = null;
    const file = this.#commonFile();
    try {
      if (file !== null) this.#goodCommon = readFileSync(file, 'utf8');
    } catch {
      // There was none yet.
    }
    return this.#goodCommon;
  }

  #keepCommon(text: string): void {
    if (this.#lastGoodCommon() === text) return;
    this.#goodCommon = text;
    const file = this.#commonFile();
    if (file !== null) writeStable(file, text);
  }
}
