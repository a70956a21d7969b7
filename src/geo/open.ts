// Loads everything geographic from the disk into one image: databases of the operator, the embedded one, overrides and their lists.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../base/diagnostic.ts';
import { collectHeap } from '../base/heap.ts';
import { limits } from '../base/limits.ts';
import { readFileHere, readTextHere } from '../base/read-file.ts';
import { EMBEDDED_DATABASE, embeddedDatabaseFile } from './embedded-database.ts';
import { type GeoFolder, readGeoFolder, type Unread } from './folder.ts';
import { type PlannedImage, planGeoImage } from './image.ts';
import { GeoMerger, GIVES, type Source } from './merge.ts';
import { type OverridesResult, type OverridesSource, readOverrides } from './overrides.ts';

export interface GeoFiles {
  /** Folder with *.mmdb files; null or a folder that doesn't exist: the embedded database alone. */
  readonly directory: string | null;
  /** Path of overrides.yaml; null or a file that doesn't exist: no overrides. */
  readonly overridesFile: string | null;
  /** The last good overrides, used when the file has mistakes. */
  readonly lastGoodOverrides?: OverridesSource | undefined;
  /** Files that must not be read, and why. */
  readonly refused?: readonly GeoProblem[];
}

/** Told before each file is read, with how long that may take. */
export type Step = (file: string, withinMs: number) => void;

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
  /** The lists that the overrides name. */
  readonly listFiles: readonly string[];
  readonly sources: readonly Source[];
  /** What the databases know, overrides aside. */
  readonly hasSubdivisions: boolean;
  readonly hasCities: boolean;
  readonly hasCoordinates: boolean;
  readonly hasAs: boolean;
}

/** What is known of geography beside its image. */
export type GeoFacts = Omit<LoadedGeo, 'image'>;

/** Reads and merges everything. Never throws for what an operator can get wrong; takes a few hundred milliseconds. */
export function loadGeo(files: GeoFiles, step: Step = () => {}): LoadedGeo {
  const { facts, image } = planGeo(files, step);
  const bytes = new Uint8Array(image.bytes);
  image.write(bytes);
  return { ...facts, image: bytes };
}

/** As `loadGeo`, with the image still to be written. */
export function planGeo(files: GeoFiles, step: Step): { readonly facts: GeoFacts; readonly image: PlannedImage } {
  const problems: GeoProblem[] = [];
  const merger = new GeoMerger();
  const folder = folderOf(files, problems);
  const large = readDatabases(files, folder.databases, problems, step, merger);
  if ((merger.gives & GIVES.countries) === 0) {
    const file = embeddedDatabaseFile();
    const problem = merger.read(EMBEDDED_DATABASE.file, readFileHere(file), 'embedded');
    if (problem !== null) problems.push({ file, message: problem });
  }
  const gives = merger.gives;
  const { written, used } = readOverridesFile(files, step);
  step(files.directory ?? '', limits.builderGeoMs);
  const merged = merger.merge(used?.overrides ?? [], 'overrides.yaml');
  if (large) collectHeap();
  const image = planGeoImage(merged);
  return {
    image,
    facts: {
      problems,
      unread: folder.unread,
      diagnostics: written?.diagnostics ?? [],
      overrides: used?.source ?? null,
      overridesFailed: written !== used,
      watched: [files.directory, files.overridesFile, ...(written?.listFiles ?? [])].filter((file) => file !== null),
      listFiles: written?.listFiles ?? [],
      sources: merged.sources,
      hasSubdivisions: (gives & GIVES.subdivisions) !== 0,
      hasCities: (gives & GIVES.cities) !== 0,
      hasCoordinates: (gives & GIVES.coordinates) !== 0,
      hasAs: (gives & GIVES.as) !== 0,
    },
  };
}

/** Adds the databases of a folder, sorted by file name. Returns whether any is large. */
function readDatabases(
  { directory, refused = [] }: GeoFiles,
  names: readonly string[],
  problems: GeoProblem[],
  step: Step,
  merger: GeoMerger,
): boolean {
  let large = false;
  for (const name of names) {
    const file = join(directory!, name);
    const known = refused.find((problem) => problem.file === file);
    if (known !== undefined) {
      problems.push(known);
      continue;
    }
    step(file, limits.builderReadMs);
    try {
      step(file, limits.builderFileMs + (statSync(file).size / 1024 / 1024) * limits.builderMsPerMiB);
      const problem = merger.read(name, readFileHere(file, limits.databaseBytes), 'database');
      if (problem !== null) problems.push({ file, message: problem });
      large ||= statSync(file).size > limits.geoLargeBytes;
    } catch (error) {
      problems.push({ file, message: `it can't be read: ${(error as Error).message}` });
    }
    // Left alone, the file and its records would stay until the next database has filled as much again.
    if (large) collectHeap();
  }
  return large;
}

/** What lies in the folder; one that can't be read is a problem. */
function folderOf({ directory, refused = [] }: GeoFiles, problems: GeoProblem[]): GeoFolder {
  const nothing = { databases: [], unread: [] };
  if (directory === null) return nothing;
  const all = refused.find((problem) => problem.file === directory);
  if (all !== undefined) {
    problems.push(all);
    return nothing;
  }
  try {
    return readGeoFolder(directory);
  } catch (error) {
    problems.push({ file: directory, message: `the folder can't be read: ${(error as Error).message}` });
    return nothing;
  }
}

/** What stands in the file, and what is used: the same, or the last good state when the file has mistakes. */
function readOverridesFile(
  { overridesFile: file, lastGoodOverrides: last, refused = [] }: GeoFiles,
  step: Step,
): { written: OverridesResult | null; used: OverridesResult | null } {
  if (file === null) return { written: null, used: null };
  step(file, limits.builderReadMs);
  const text = refused.some((problem) => problem.file === file) ? REFUSED : textOf(file);
  if (text === null) return { written: null, used: null };
  const written =
    typeof text === 'string'
      ? readOverrides(file, text, (path) => {
          step(path, limits.builderReadMs);
          if (refused.some((problem) => problem.file === path)) return null;
          const list = textOf(path);
          step(file, limits.builderFileMs);
          return typeof list === 'string' ? list : null;
        })
      : unreadableOverrides(file, refused.find((problem) => problem.file === file)?.message ?? text.message);
  if (!written.diagnostics.some((d) => d.severity === 'error')) return { written, used: written };
  if (last === undefined) return { written, used: null };
  step(file, limits.builderFileMs);
  const lists = new Map(last.lists.map((list) => [list.file, list.text]));
  return { written, used: readOverrides(last.file, last.text, (path) => lists.get(path) ?? null) };
}

const REFUSED = new Error('it must not be read');

function unreadableOverrides(file: string, message: string): OverridesResult {
  const fix = 'put a file there that the server may read';
  const text = `the overrides can't be read: ${message}`;
  return {
    overrides: [],
    source: { file, text: '', lists: [] },
    listFiles: [],
    diagnostics: [
      { code: 'unreadable-file', severity: 'error', file, line: 1, col: 1, message: text, fix, excerpt: '' },
    ],
  };
}

/** The text of a file; null where there is none, an error where it can't be read. */
function textOf(path: string): string | Error | null {
  try {
    return readTextHere(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : (error as Error);
  }
}
