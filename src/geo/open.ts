// Loads everything geographic from the disk into one image: databases of the operator, the embedded one, overrides and their lists.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Diagnostic } from '../base/diagnostic.ts';
import { buildGeoImage } from './image.ts';
import { GIVES, givesOf, mergeGeo, type Source } from './merge.ts';
import { type Database, readDatabase } from './mmdb.ts';
import { type OverridesResult, type OverridesSource, readOverrides } from './overrides.ts';

export interface GeoFiles {
  /** Folder with *.mmdb files; null or a folder that doesn't exist: the embedded database alone. */
  readonly directory: string | null;
  /** Path of overrides.yaml; null or a file that doesn't exist: no overrides. */
  readonly overridesFile: string | null;
  /** The last good overrides, used when the file has mistakes. */
  readonly lastGoodOverrides?: OverridesSource | undefined;
}

/** A file that can't be used. */
export interface GeoProblem {
  /** Path of the file or folder. */
  readonly file: string;
  readonly message: string;
}

export interface LoadedGeo {
  /** The geo image (see image.ts), made of everything that could be read. */
  readonly image: Uint8Array;
  /** Databases that can't be read: they are left out of the image. */
  readonly problems: readonly GeoProblem[];
  /** What is wrong with the overrides. With an error among them the file is not in the image. */
  readonly diagnostics: readonly Diagnostic[];
  /** The overrides that are in the image: to be kept as the last good ones; null where there are none. */
  readonly overrides: OverridesSource | null;
  /** The file has mistakes: `overrides` are the last good ones, or none. */
  readonly overridesFailed: boolean;
  /** Every file and folder that was looked at: to be watched. */
  readonly watched: readonly string[];
  readonly sources: readonly Source[];
  /** What the databases know, overrides aside. */
  readonly hasSubdivisions: boolean;
  readonly hasCities: boolean;
  readonly hasCoordinates: boolean;
  readonly hasAs: boolean;
}

/** Path of the database that comes with the program. */
export function embeddedDatabaseFile(): string {
  return createRequire(import.meta.url).resolve(
    '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb',
  );
}

/** Reads and merges everything. Never throws for what an operator can get wrong; takes a few hundred milliseconds. */
export function loadGeo(files: GeoFiles): LoadedGeo {
  const problems: GeoProblem[] = [];
  const databases = readDatabases(files.directory, problems);
  const tables: { database: Database; kind: 'embedded' | 'database' }[] = databases.map((database) => ({
    database,
    kind: 'database',
  }));
  if (!databases.some((database) => (givesOf(database) & GIVES.countries) !== 0)) {
    const file = embeddedDatabaseFile();
    const database = readDatabase('geo-whois-asn-country.mmdb', readFileSync(file));
    if (typeof database === 'string') problems.push({ file, message: database });
    else tables.push({ database, kind: 'embedded' });
  }
  const { written, used } = readOverridesFile(files);
  const merged = mergeGeo(tables, used?.overrides ?? [], 'overrides.yaml');
  const gives = merged.sources.reduce((all, source) => (source.kind === 'overrides' ? all : all | source.gives), 0);
  return {
    image: buildGeoImage(merged),
    problems,
    diagnostics: written?.diagnostics ?? [],
    overrides: used?.source ?? null,
    overridesFailed: written !== used,
    watched: [files.directory, files.overridesFile, ...(written?.listFiles ?? [])].filter((file) => file !== null),
    sources: merged.sources,
    hasSubdivisions: (gives & GIVES.subdivisions) !== 0,
    hasCities: (gives & GIVES.cities) !== 0,
    hasCoordinates: (gives & GIVES.coordinates) !== 0,
    hasAs: (gives & GIVES.as) !== 0,
  };
}

/** The databases of a folder, sorted by file name. */
function readDatabases(directory: string | null, problems: GeoProblem[]): Database[] {
  const databases: Database[] = [];
  for (const name of databaseNames(directory, problems)) {
    const file = join(directory!, name);
    try {
      const database = readDatabase(name, readFileSync(file));
      if (typeof database === 'string') problems.push({ file, message: database });
      else databases.push(database);
    } catch (error) {
      problems.push({ file, message: `it can't be read: ${(error as Error).message}` });
    }
  }
  return databases;
}

function databaseNames(directory: string | null, problems: GeoProblem[]): string[] {
  if (directory === null) return [];
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.mmdb') && !name.startsWith('.'))
      .sort();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') problems.push({ file: directory, message: `the folder can't be read: ${message}` });
    return [];
  }
}

/** What stands in the file, and what is used: the same, or the last good state when the file has mistakes. */
function readOverridesFile(files: GeoFiles): { written: OverridesResult | null; used: OverridesResult | null } {
  const text = files.overridesFile === null ? null : textOf(files.overridesFile);
  if (files.overridesFile === null || text === null) return { written: null, used: null };
  const written = readOverrides(files.overridesFile, text, textOf);
  if (!written.diagnostics.some((d) => d.severity === 'error')) return { written, used: written };
  const last = files.lastGoodOverrides;
  if (last === undefined) return { written, used: null };
  const lists = new Map(last.lists.map((list) => [list.file, list.text]));
  return { written, used: readOverrides(last.file, last.text, (path) => lists.get(path) ?? null) };
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
