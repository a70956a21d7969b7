// Finds the files that `check` is to read, and reads each as what it is: settings, zone, _common, overrides, database.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Diagnostic } from '../base/diagnostic.ts';
import { loadGeo } from '../geo/open.ts';
import { readOverrides } from '../geo/overrides.ts';
import { COMMON_FILE, zoneOfFile } from '../loading/zone-files.ts';
import { checkRulesOf, readSettings, type Settings } from '../settings/settings.ts';
import { type ParsedCommon, parseCommon, type ReadOptions } from '../zonefile/common.ts';
import type { GeoData } from '../zonefile/linted-zone.ts';
import { parseZone } from '../zonefile/parse.ts';
import { type FoundSettings, findSettings, reasonOf, shortPath } from './config.ts';

export interface Checked {
  readonly diagnostics: readonly Diagnostic[];
  /** How many files were read. */
  readonly files: number;
}

const SETTINGS_FILE = 'meridian.yaml';
const OVERRIDES_FILE = 'overrides.yaml';

/** Checks what a server with these settings would read: the settings, their zones, overrides and databases. */
export async function checkConfigured(config: string | undefined): Promise<Checked> {
  const found = findSettings(config);
  const reader = new FileReader(found.settings ?? readSettings(null, baseOf(found)).settings!);
  reader.settings(found);
  // With broken settings nobody knows where the rest is: the default folders are a guess, but missing ones say nothing.
  if (found.settings !== null || existsSync(reader.zonesDirectory)) reader.zoneFolder(reader.zonesDirectory);
  reader.configuredOverrides();
  return reader.checked;
}

/** Checks files and folders; `config` (or ./meridian.yaml) says where relative paths in checks begin. */
export async function checkPaths(paths: readonly string[], config: string | undefined): Promise<Checked> {
  const found = findSettings(config);
  const reader = new FileReader(found.settings ?? readSettings(null, baseOf(found)).settings!);
  for (const path of paths) reader.path(path, found);
  return reader.checked;
}

function baseOf(found: FoundSettings): string {
  return found.file === null ? process.cwd() : dirname(resolve(found.file));
}

class FileReader {
  readonly #settings: Settings;
  readonly #options: ReadOptions;
  readonly #diagnostics: Diagnostic[] = [];
  readonly #seen = new Set<string>();
  readonly #commons = new Map<string, ParsedCommon | null>();
  #geoData: GeoData | null = null;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#options = { baseDirectory: settings.baseDirectory, checkRules: checkRulesOf(settings) };
  }

  get zonesDirectory(): string {
    return this.#settings.zones;
  }

  get checked(): Checked {
    return { diagnostics: this.#diagnostics, files: this.#seen.size };
  }

  settings({ file, diagnostics }: FoundSettings): void {
    if (file !== null && this.#isNew(file)) this.#diagnostics.push(...diagnostics);
  }

  /** A file or a folder that was named on the command line. */
  path(path: string, found: FoundSettings): void {
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
    const names = this.#attempt(folder, () => readdirSync(folder).sort());
    if (names?.includes(COMMON_FILE)) this.#common(folder);
    for (const name of names ?? []) {
      const zone = zoneOfFile(name);
      if (zone !== null) this.#zone(join(folder, name), zone);
    }
  }

  configuredOverrides(): void {
    const { overrides } = this.#settings.geoip;
    if (existsSync(overrides)) this.#overrides(shortPath(overrides));
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
    const inner = new FileReader(found.settings ?? readSettings(null, folder).settings!);
    inner.settings(found);
    inner.zoneFolder(inner.zonesDirectory);
    inner.configuredOverrides();
    this.#diagnostics.push(...inner.#diagnostics);
    for (const seen of inner.#seen) this.#seen.add(seen);
  }

  #zone(file: string, expectedName: string | null): void {
    if (!this.#isNew(file)) return;
    const text = this.#read(file);
    if (text === undefined) return;
    const source = { file: shortPath(file), text, expectedName };
    const options = { ...this.#options, geoData: this.#knownGeography() };
    this.#diagnostics.push(...parseZone(source, this.#commonOf(dirname(file)), options).diagnostics);
  }

  #common(folder: string): void {
    const file = join(folder, COMMON_FILE);
    if (!this.#isNew(file)) return;
    const text = this.#read(file);
    if (text === undefined) return;
    const { common, diagnostics } = parseCommon({ file: shortPath(file), text }, this.#options);
    this.#commons.set(resolve(folder), common);
    this.#diagnostics.push(...diagnostics);
  }

  /** The `_common.yaml` beside a zone file, for what the zone takes from it; its own mistakes are not this file's. */
  #commonOf(folder: string): ParsedCommon | null {
    const key = resolve(folder);
    const known = this.#commons.get(key);
    if (known !== undefined) return known;
    const file = join(folder, COMMON_FILE);
    const common = existsSync(file)
      ? parseCommon({ file: shortPath(file), text: readFileSync(file, 'utf8') }, this.#options).common
      : null;
    this.#commons.set(key, common);
    return common;
  }

  #overrides(file: string): void {
    if (!this.#isNew(file)) return;
    const text = this.#read(file);
    if (text === undefined) return;
    const readList = (path: string): string | null => {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return null;
      }
    };
    this.#diagnostics.push(...readOverrides(shortPath(file), text, readList).diagnostics);
  }

  /** What the configured databases can tell; the embedded one, where there are none, knows countries alone. */
  #knownGeography(): GeoData {
    if (this.#geoData !== null) return this.#geoData;
    const { directory } = this.#settings.geoip;
    const names = existsSync(directory) ? this.#attempt(directory, () => readdirSync(directory)) : undefined;
    if (!names?.some((name) => name.endsWith('.mmdb'))) {
      this.#geoData = { coordinates: false, subdivisions: false, cities: false, asNumbers: false };
      return this.#geoData;
    }
    const geo = loadGeo({ directory, overridesFile: null });
    for (const { file, message } of geo.problems) this.#unreadable(file, message);
    this.#geoData = {
      coordinates: geo.hasCoordinates,
      subdivisions: geo.hasSubdivisions,
      cities: geo.hasCities,
      asNumbers: geo.hasAs,
    };
    return this.#geoData;
  }

  #isNew(file: string): boolean {
    const path = resolve(file);
    if (this.#seen.has(path)) return false;
    this.#seen.add(path);
    return true;
  }

  #read(file: string): string | undefined {
    return this.#attempt(file, () => readFileSync(file, 'utf8'));
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
    this.#diagnostics.push({
      code: 'unreadable-file',
      severity: 'error',
      file: shortPath(path),
      line: 1,
      col: 1,
      message: `cannot read ${shortPath(path)}: ${reason}`,
      fix: 'correct the path, or the file',
      excerpt: '',
    });
  }
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
