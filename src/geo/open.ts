// Loads everything geographic from the disk into one image: databases of the operator, the embedded one, overrides and their lists.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../base/diagnostic.ts';
import { EMBEDDED_DATABASE, embeddedDatabaseFile } from './embedded-database.ts';
import { type GeoFolder, readGeoFolder, type Unread } from './folder.ts';
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
  /** What lies in the folder and was probably meant to be read. */
  readonly unread: readonly Unread[];
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

/** Reads and merges everything. Never throws for what an operator can get wrong; takes a few hundred milliseconds. */
export function loadGeo(files: GeoFiles): LoadedGeo {
  const problems: GeoProblem[] = [];
  const folder = folderOf(files.directory, problems);
  const databases = readDatabases(files.directory, folder.databases, problems);
  const tables: { database: Database; kind: 'embedded' | 'database' }[] = databases.map((database) => ({
    database,
    kind: 'database',
  }));
  if (!databases.some((database) => (givesOf(database) & GIVES.countries) !== 0)) {
    const file = embeddedDatabaseFile();
    const database = readDatabase(EMBEDDED_DATABASE.file, readFileSync(file));
    if (typeof database === 'string') problems.push({ file, message: database });
    else tables.push({ database, kind: 'embedded' });
  }
  const { written, used } = readOverridesFile(files);
  const merged = mergeGeo(tables, used?.overrides ?? [], 'overrides.yaml');
  const gives = merged.sources.reduce((all, source) => (source.kind === 'overrides' ? all : all | source.gives), 0);
  return {
    image: buildGeoImage(merged),
    problems,
    unread: folder.unread,
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

/** The databases of a folder, in the order of their names. */
function readDatabases(directory: string | null, names: readonly string[], problems: GeoProblem[]): Database[] {
  const databases: Database[] = [];
  for (const name of names) {
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

function folderOf(directory: string | null, problems: GeoProblem[]): GeoFolder {
  if (directory === null) return { databases: [], unread: [] };
  try {
    return readGeoFolder(directory);
  } catch (error) {
    problems.push({ file: directory, message: `the folder can't be read: ${(error as Error).message}` });
    return { databases: [], unread: [] };
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
