// The served zones: follows the zones folder, keeps the last good version of each, and hands the images their content.
import type { Clock } from '../base/clock.ts';
import { type Diagnostic, firstErrors } from '../base/diagnostic.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { fileLane } from '../base/read-file.ts';
import type { Storage } from '../base/storage.ts';
import type { Unread } from '../geo/folder.ts';
import { mapKey } from '../regionmap/build.ts';
import type { MapSpec } from '../regionmap/spec.ts';
import type { CheckRules } from '../zone/model.ts';
import type { ZoneJob, ZoneResult } from './build.ts';
import { buildFailed, unreadable } from './build-zone.ts';
import type { Builder } from './builder.ts';
import { GoodCommon } from './good-common.ts';
import type { Images } from './images.ts';
import { KeptZones } from './kept-zones.ts';
import type { Serials } from './serials.ts';
import { newZone, type ServedZone } from './served-zone.ts';
import { ZoneBuilds } from './zone-builds.ts';
import { dropZone } from './zone-cache.ts';
import { type FolderContent, modifiedSeconds, NO_SIGNATURE, readFolder, type Signature } from './zone-files.ts';

/** What was served of a zone before a load. */
type Before = Pick<ServedZone, 'image' | 'meta' | 'mapKeys' | 'key' | 'serial'>;

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
  readonly storage: Storage;
  readonly builder: Builder;
  readonly images: Images;
  readonly serials: Serials;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Zones {
  readonly #options: ZonesOptions;
  readonly #zones = new Map<string, ServedZone>();
  readonly #freeNumbers: number[] = [];
  /** What was replaced by the load that is under way: it is served until the next publishing. */
  readonly #before = new Map<string, Before>();
  readonly builds: ZoneBuilds;
  #commonState = '';
  commonDiagnostics: readonly Diagnostic[] = [];
  /** Zone files that aren't served because there are too many. */
  leftOut: readonly string[] = [];
  /** What looks meant to be read, and isn't. */
  unread: readonly Unread[] = [];
  /** What of the zones is in state/; null: nothing is kept. */
  readonly kept: KeptZones | null;
  readonly #goodCommon: GoodCommon;

  /** Nothing is read before `restore`. */
  constructor(options: ZonesOptions) {
    this.#options = options;
    this.builds = new ZoneBuilds(options.builder, options.clock);
    const { stateDirectory, storage } = options;
    this.kept = stateDirectory === null ? null : new KeptZones(stateDirectory, storage);
    this.#goodCommon = new GoodCommon(stateDirectory, storage);
  }

  /** Takes up what earlier runs kept beside the zones' images, which the builder reads. */
  restore(): void {
    this.#goodCommon.load();
    this.#options.serials.load();
  }

  /** Stores what isn't yet. */
  async stop(): Promise<void> {
    await Promise.all([this.#goodCommon.close(), this.#options.serials.stop()]);
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
      content = await readFolder(fileLane, directory, this.#zones);
    } catch (error) {
      const problem = `cannot read the zones folder ${directory}: ${(error as Error).message}`;
      return { changed: this.#takeFinished(), removed: [], lookAgainMs: null, problem };
    }
    if (content.zones.size === 0 && this.#zones.size > 0) {
      // An empty folder is a mount that went away or a deployment half way, not a wish to serve nothing.
      log.warn({ event: 'zones-folder-empty', directory }, 'the zones folder is empty: everything is kept as it is');
      return {
        changed: this.#takeFinished(),
        removed: [],
        lookAgainMs: null,
        problem: `the zones folder ${directory} is empty: everything is kept`,
      };
    }
    this.#tellLeftOut(content.leftOut);
    this.#tellUnread(content.unread);
    const commonState = content.common === null ? '' : `${content.common.problem}\0${content.common.text}`;
    const commonChanged = commonState !== this.#commonState;
    this.#commonState = commonState;
    const jobs: ZoneJob[] = [];
    const due = this.kept?.takeDue() ?? new Set();
    for (const [name, { file, signature, problem }] of content.zones) {
      const zone = this.#zones.get(name);
      if (zone) zone.missingSinceMs = null;
      if (this.builds.has(name) || (zone !== undefined && this.#options.builder.hangsOn(file))) continue;
      // What is served of a file with errors can't be made of it again: it stays in memory alone.
      const store = due.has(name) && zone?.state === 'ok';
      if (zone?.signature === signature && !commonChanged && !store) continue;
      jobs.push({
        name,
        file,
        servedKey: zone?.state === 'ok' && !store ? zone.key : null,
        served: zone !== undefined && zone.image !== null,
        problem: problem === null ? null : unreadable(file, `${problem}: it can't be read`),
      });
    }
    if (jobs.length > 0) {
      const request = {
        jobs,
        common: content.common,
        commonProblem: null,
        lastGoodCommon: this.#goodCommon.text,
        baseDirectory: this.#options.baseDirectory,
        checkRules: this.#options.checkRules,
        stateDirectory: this.#options.stateDirectory,
      };
      this.builds.start(request, content, commonState, (common) => {
        if (commonState !== this.#commonState) return;
        this.commonDiagnostics = common.diagnostics;
        if (content.common?.text != null && common.good) this.#goodCommon.keep(content.common.text);
      });
    }
    await this.builds.wait();
    const changed = this.#takeFinished();
    await this.#options.serials.save();
    this.kept?.tell();
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

  /** Takes over what was built. Returns the zones of which another content is served now. */
  #takeFinished(): string[] {
    const changed: string[] = [];
    for (const { result, signature, commonState } of this.builds.take()) {
      // Another _common.yaml by now: the zone is built anew by the next load.
      const same = commonState === this.#commonState;
      if (this.#take(result, same ? signature : NO_SIGNATURE)) changed.push(result.job.name);
    }
    return changed;
  }

  /** Takes over what the builder made of a file. Returns whether what is served changed. */
  #take(result: ZoneResult, signature: Signature): boolean {
    const { job, compiled } = result;
    const { log, clock } = this.#options;
    if (result.outcome === 'gone') return false;
    const zone = this.#zones.get(job.name) ?? this.#add(job);
    zone.signature = this.#options.builder.hangsOn(job.file) ? NO_SIGNATURE : signature;
    if (result.outcome === 'same') {
      zone.state = 'ok';
      return false;
    }
    if (result.outcome === 'new') this.kept?.note(zone.name, result.unsaved ?? null);
    // Made anew only to be stored.
    if (result.outcome === 'new' && zone.state === 'ok' && zone.key === result.key) return false;
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
    const { image, meta, mapKeys, key, serial } = zone;
    if (!this.#before.has(zone.name)) this.#before.set(zone.name, { image, meta, mapKeys, key, serial });
    else if (image !== null) this.#options.images.store.release(image);
    zone.serial = this.#options.serials.assign(
      zone.name,
      result.key,
      compiled.meta.serial,
      // The file's own time, so that servers with copies of it agree; a time that is still to come would stay ahead of all edits.
      Math.min(modifiedSeconds(signature), Math.floor(clock.nowMs() / 1000)),
    );
    zone.image = this.#options.images.link(compiled, zone.serial);
    zone.meta = compiled.meta;
    zone.mapKeys = compiled.meta.maps.map(mapKey);
    zone.key = result.key;
    zone.state = result.outcome === 'stale' ? 'stale' : 'ok';
    zone.loadedAtMs = clock.nowMs();
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

  /**
   * Takes new versions back whose region maps can't be built. Returns whether there were any.
   * @param problems by the map's key
   */
  withdraw(problems: ReadonlyMap<string, string>): boolean {
    let any = false;
    for (const zone of this.#zones.values()) {
      const key = zone.mapKeys.find((mapKey) => problems.has(mapKey));
      if (key === undefined) continue;
      any = true;
      if (zone.image !== null) this.#options.images.store.release(zone.image);
      const before = this.#before.get(zone.name);
      this.#before.delete(zone.name);
      const usable = before !== undefined && !before.mapKeys.some((mapKey) => problems.has(mapKey));
      Object.assign(zone, usable ? before : { image: null, meta: null, mapKeys: [], key: null });
      if (!usable && before !== undefined && before.image !== null) this.#options.images.store.release(before.image);
      zone.state = zone.image === null ? 'error' : 'stale';
      zone.diagnostics = [buildFailed(zone.file, `the regions of this zone can't be laid out: ${problems.get(key)}`)];
      this.#options.log.error(
        {
          event: zone.image === null ? 'zone-error' : 'zone-stale',
          zone: zone.name,
          errors: 1,
          first: firstErrors(zone.diagnostics),
        },
        "the zone's regions are too much",
      );
    }
    return any;
  }

  /** Everything that the loaded zones need is there: what they replaced is free once no thread reads it. */
  settle(): void {
    for (const { image } of this.#before.values()) if (image !== null) this.#options.images.store.release(image);
    this.#before.clear();
  }

  #tellLeftOut(files: readonly string[]): void {
    if (files.length > 0 && files.length !== this.leftOut.length) {
      this.#options.log.error(
        { event: 'too-many-zones', files: files.length, first: files[0] },
        `at most ${limits.zones} zones are served: the others are left out`,
      );
    }
    this.leftOut = files;
  }

  /** Says of each once that it isn't read. */
  #tellUnread(unread: readonly Unread[]): void {
    const known = new Set(this.unread.map(({ file, reason }) => `${file}\0${reason}`));
    for (const { file, reason, fix } of unread) {
      if (known.has(`${file}\0${reason}`)) continue;
      this.#options.log.warn({ event: 'zone-unread', file, reason, fix }, 'a file among the zones is not read');
    }
    this.unread = unread;
  }

  #add(job: ZoneJob): ServedZone {
    const zone = newZone(job, this.#freeNumbers.pop() ?? this.#zones.size);
    this.#zones.set(job.name, zone);
    return zone;
  }

  #remove(zone: ServedZone): void {
    this.#zones.delete(zone.name);
    this.#freeNumbers.push(zone.number);
    const before = this.#before.get(zone.name);
    this.#before.delete(zone.name);
    for (const image of [zone.image, before?.image ?? null])
      if (image !== null) this.#options.images.store.release(image);
    this.kept?.forget(zone.name);
    // Whoever is still looking at the zone finds nothing there.
    zone.image = null;
    zone.meta = null;
    if (this.#options.stateDirectory !== null) dropZone(this.#options.stateDirectory, zone.name);
    this.#options.log.info({ event: 'zone-removed', zone: zone.name }, 'zone removed');
  }
}
