// Finds the files that `check` is to read, and reads each as what it is: settings, zone, _common, overrides, database.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Code } from '../base/codes.ts';
import type { Diagnostic, Severity } from '../base/diagnostic.ts';
import { limits } from '../base/limits.ts';
import { readTextHere } from '../base/read-file.ts';
import { coordinatesOf } from '../geo/centres.ts';
import { readGeoFolder } from '../geo/folder.ts';
import { Inhabited } from '../geo/inhabited.ts';
import { locate } from '../geo/locate.ts';
import { GeoView } from '../geo/lookup.ts';
import { type LoadedGeo, loadGeo } from '../geo/open.ts';
import { readOverrides } from '../geo/overrides.ts';
import { specialBlockOf } from '../geo/special.ts';
import { possibleFolders, unreadFiles, unreadFolder } from '../loading/unread-zones.ts';
import { checkRulesOf, readSettings, type Settings } from '../settings/settings.ts';
import { fixFor, unreached } from '../zone/unreached.ts';
import { type ParsedCommon, parseCommon, type ReadOptions } from '../zonefile/common.ts';
import type { GeoData } from '../zonefile/linted-zone.ts';
import { parseZone } from '../zonefile/parse.ts';
import { COMMON_FILE, zoneOfFile } from '../zonefile/zone-file-name.ts';
import { type FoundSettings, findSettings, reasonOf, shortPath } from './config.ts';

/** Told how the work goes on, by whoever gives up a file that takes too much. */
export interface Progress {
  /** Before each step: the file that it is about, and how long it may take. */
  step(file: string, withinMs: number): void;
  /** What was found in a file; absolute path. Once for each. */
  found(path: string, diagnostics: readonly Diagnostic[]): void;
  /** Absolute paths of files about which all is told: why they can't be read, or '' where they were. */
  readonly skip: ReadonlyMap<string, string>;
}

const SETTINGS_FILE = 'meridian.yaml';
const OVERRIDES_FILE = 'overrides.yaml';

/** Checks what a server with these settings would read: the settings, their zones, overrides and databases. */
export function checkConfigured(config: string | undefined, progress: Progress): void {
  const found = findSettings(config);
  const reader = new FileReader(found.settings ?? readSettings(null, baseOf(found)).settings!, progress);
  reader.settings(found);
  // With broken settings nobody knows where the rest is: the default folders are a guess, but missing ones say nothing.
  if (found.settings !== null || existsSync(reader.zonesDirectory)) reader.zoneFolder(reader.zonesDirectory);
  reader.configuredOverrides();
  reader.configuredDatabases();
}

/** Checks files and folders; `config` (or ./meridian.yaml) says where relative paths in checks begin. */
export function checkPaths(paths: readonly string[], config: string | undefined, progress: Progress): void {
  const found = findSettings(config);
  const reader = new FileReader(found.settings ?? readSettings(null, baseOf(found)).settings!, progress);
  for (const path of paths) reader.path(path, found);
}

function baseOf(found: FoundSettings): string {
  return found.file === null ? process.cwd() : dirname(resolve(found.file));
}

class FileReader {
  readonly #settings: Settings;
  readonly #options: ReadOptions;
  readonly #progress: Progress;
  readonly #seen: Set<string>;
  readonly #commons = new Map<string, ParsedCommon | null>();
  #geoData: GeoData | null = null;

  /** @param seen paths that were read already */
  constructor(settings: Settings, progress: Progress, seen: Set<string> = new Set()) {
    this.#settings = settings;
    this.#progress = progress;
    this.#seen = seen;
    this.#options = { baseDirectory: settings.baseDirectory, checkRules: checkRulesOf(settings) };
  }

  get zonesDirectory(): string {
    return this.#settings.zones;
  }

  settings({ file, diagnostics }: FoundSettings): void {
    if (file !== null && this.#isNew(file)) this.#found(resolve(file), diagnostics);
  }

  /** A file or a folder that was named on the command line. */
  path(path: string, found: FoundSettings): void {
    if ((this.#progress.skip.get(resolve(path)) ?? '') !== '') return;
    this.#progress.step(resolve(path), limits.builderReadMs);
    const stat = this.#attempt(path, () => statSync(path));
    if (stat === undefined) return;
    if (stat.isDirectory()) {
      this.#folder(path);
      return;
    }
    const name = basename(path);
    if (name === SETTINGS_FILE || (found.file !== null && resolve(path) === resolve(found.file))) {
      this.settings(findSettings(path));
    } else if (name === OVERRIDES_FILE || resolve(path) === this.#settings.geoip.overrides) this.#overrides(path);
    else if (name === COMMON_FILE) this.#common(dirname(path));
    else this.#zone(path, promisedName(path, this.zonesDirectory));
  }

  /** Every zone file of a folder, and its `_common.yaml`. */
  zoneFolder(folder: string): void {
    if ((this.#progress.skip.get(resolve(folder)) ?? '') !== '') return;
    this.#progress.step(resolve(folder), limits.builderReadMs);
    const names = this.#attempt(folder, () => readdirSync(folder).sort());
    if (names?.includes(COMMON_FILE)) this.#common(folder);
    for (const name of names ?? []) {
      const zone = zoneOfFile(name);
      if (zone !== null) this.#zone(join(folder, name), zone);
    }
    this.#tellUnread(folder, names ?? []);
  }

  /** What looks meant to be a zone file and isn't read. */
  #tellUnread(folder: string, names: readonly string[]): void {
    const folders = possibleFolders(names).flatMap((name) => {
      const path = join(folder, name);
      const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
      // One with settings of its own is another server's.
      const inside = isFolder ? (this.#attempt(path, () => readdirSync(path)) ?? []) : [];
      return unreadFolder(folder, name, inside) ?? [];
    });
    for (const { file, reason, fix } of [...unreadFiles(folder, names), ...folders])
      this.#report('unread-zone', 'warning', file, `${shortPath(file)} is not read: ${reason}`, fix);
  }

  configuredOverrides(): void {
    const { overrides } = this.#settings.geoip;
    if (existsSync(overrides)) this.#overrides(shortPath(overrides));
  }

  /** What lies among the databases and is none. */
  configuredDatabases(): void {
    const { directory } = this.#settings.geoip;
    const unread = this.#attempt(directory, () => readGeoFolder(directory).unread) ?? [];
    for (const { file, reason, fix } of unread) {
      this.#report('unread-database', 'warning', file, `${shortPath(file)} is not read: ${reason}`, fix);
    }
  }

  /** A folder is a configuration of its own (meridian.yaml in it), or one of zone files. */
  #folder(folder: string): void {
    const file = join(folder, SETTINGS_FILE);
    if (!existsSync(file)) {
      this.zoneFolder(folder);
      const overrides = join(folder, OVERRIDES_FILE);
      if (existsSync(overrides)) this.#overrides(overrides);
      return;
    }
    const found = findSettings(file);
    const inner = new FileReader(found.settings ?? readSettings(null, folder).settings!, this.#progress, this.#seen);
    inner.settings(found);
    inner.zoneFolder(inner.zonesDirectory);
    inner.configuredOverrides();
    inner.configuredDatabases();
  }

  #zone(file: string, expectedName: string | null): void {
    this.#file(file, (text) => {
      const source = { file: shortPath(file), text, expectedName };
      const options = { ...this.#options, geoData: this.#knownGeography() };
      const common = this.#commonOf(dirname(file));
      this.#step(file, text);
      return parseZone(source, common, options).diagnostics;
    });
  }

  #common(folder: string): void {
    const file = join(folder, COMMON_FILE);
    this.#file(file, (text) => {
      const { common, diagnostics } = parseCommon({ file: shortPath(file), text }, this.#options);
      this.#commons.set(resolve(folder), common);
      return diagnostics;
    });
  }

  /** The `_common.yaml` beside a zone file, for what the zone takes from it; its own mistakes are not this file's. */
  #commonOf(folder: string): ParsedCommon | null {
    const key = resolve(folder);
    const known = this.#commons.get(key);
    if (known !== undefined) return known;
    const file = join(folder, COMMON_FILE);
    let common: ParsedCommon | null = null;
    if ((this.#progress.skip.get(resolve(file)) ?? '') !== '') {
      common = { ...parseCommon({ file: shortPath(file), text: '' }, this.#options).common, failed: true };
    } else if (existsSync(file)) {
      const text = this.#attempt(file, () => readTextHere(file, limits.yamlFileBytes)) ?? '';
      this.#step(file, text);
      common = parseCommon({ file: shortPath(file), text }, this.#options).common;
    }
    this.#commons.set(key, common);
    return common;
  }

  #overrides(file: string): void {
    const readList = (path: string): string | null => {
      try {
        return readTextHere(path);
      } catch {
        return null;
      }
    };
    this.#file(file, (text) => readOverrides(shortPath(file), text, readList).diagnostics);
  }

  /** What the configured databases can tell; the embedded one, where there are none, knows countries alone. */
  #knownGeography(): GeoData {
    if (this.#geoData !== null) return this.#geoData;
    const { directory } = this.#settings.geoip;
    const names = existsSync(directory) ? this.#attempt(directory, () => readdirSync(directory)) : undefined;
    if (names?.some((name) => name.endsWith('.mmdb'))) {
      const geo = this.#loadGeography();
      this.#geoData = {
        coordinates: geo.hasCoordinates,
        subdivisions: geo.hasSubdivisions,
        cities: geo.hasCities,
        asNumbers: geo.hasAs,
        ...lookUpsIn(geo.image),
      };
    } else {
      // Not loaded before a zone has regions: most checks are quicker than that.
      let lookUps: LookUps | null = null;
      const known = (): LookUps => (lookUps ??= lookUpsIn(this.#loadGeography().image));
      this.#geoData = {
        coordinates: false,
        subdivisions: false,
        cities: false,
        asNumbers: false,
        unreached: (regions) => known().unreached(regions),
        coordinatesOf: (address) => (specialBlockOf(address) !== null ? null : known().coordinatesOf(address)),
      };
    }
    return this.#geoData;
  }

  #loadGeography(): LoadedGeo {
    const { directory, overrides } = this.#settings.geoip;
    const refused = [...this.#progress.skip]
      .filter(([, message]) => message !== '')
      .map(([file, message]) => ({ file, message }));
    const geo = loadGeo({ directory, overridesFile: overrides, refused }, (file, withinMs) =>
      this.#progress.step(file, withinMs),
    );
    for (const { file, message } of geo.problems) this.#unreadable(file, message);
    return geo;
  }

  #isNew(file: string): boolean {
    const path = resolve(file);
    if (this.#seen.has(path)) return false;
    this.#seen.add(path);
    return true;
  }

  /** Reads a file, if it wasn't yet, and tells what is found in it. */
  #file(file: string, diagnose: (text: string) => readonly Diagnostic[]): void {
    if (!this.#isNew(file)) return;
    const path = resolve(file);
    if (this.#progress.skip.has(path)) return;
    this.#progress.step(path, limits.builderReadMs);
    const text = this.#attempt(file, () => readTextHere(file, limits.yamlFileBytes));
    if (text === undefined) return;
    this.#step(file, text);
    this.#found(path, diagnose(text));
  }

  #found(path: string, diagnostics: readonly Diagnostic[]): void {
    if (!this.#progress.skip.has(path)) this.#progress.found(path, diagnostics);
  }

  #step(file: string, text: string): void {
    const mebibytes = text.length / 1024 / 1024;
    this.#progress.step(resolve(file), limits.builderFileMs + mebibytes * limits.builderMsPerMiB);
  }

  #attempt<T>(path: string, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.#unreadable(path, reasonOf(error));
      return undefined;
    }
  }

  #unreadable(path: string, reason: string): void {
    const message = `cannot read ${shortPath(path)}: ${reason}`;
    this.#report('unreadable-file', 'error', path, message, 'correct the path, or the file');
  }

  /** Of a file as a whole. */
  #report(code: Code, severity: Severity, path: string, message: string, fix: string): void {
    const file = shortPath(path);
    this.#found(resolve(path), [{ code, severity, file, line: 1, col: 1, message, fix, excerpt: '' }]);
  }
}

type LookUps = Pick<GeoData, 'unreached' | 'coordinatesOf'>;

/** Looks things up in an image of its own. */
function lookUpsIn(image: Uint8Array): LookUps {
  const geo = new GeoView();
  geo.attach(new Int32Array(image.buffer, image.byteOffset, image.byteLength >> 2), 0);
  const inhabited = new Inhabited(geo);
  return {
    unreached: (regions) =>
      unreached(regions, geo, inhabited).map((found) => ({ ...found, fix: fixFor(found, geo, inhabited) })),
    coordinatesOf: (address) => coordinatesOf(locate(geo, address).facts),
  };
}

/**
 * The zone that a file's name promises, where a server would hold it to that: in the folder of the zones, or where the name
 * looks like a zone's. Elsewhere (a draft, standard names of a test) any zone may stand in it.
 */
function promisedName(file: string, zonesDirectory: string): string | null {
  const name = zoneOfFile(basename(file));
  if (name === null) return null;
  return dirname(resolve(file)) === zonesDirectory || name === '.' || name.includes('.') ? name : null;
}
