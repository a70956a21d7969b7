// The geo image in state/: databases that didn't change are not read again, and broken ones have their last good content.
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { limits } from '../base/limits.ts';
import { readTailHere, readTextHere } from '../base/read-file.ts';
import { STATE_MODE, tighten, writeStable } from '../base/stable-file.ts';
import { readGeoFolder } from '../geo/folder.ts';
import { HEADER, ImageCheck, isOfThisProgram, type PlannedImage } from '../geo/image.ts';
import type { GeoFacts, GeoFiles, Step } from '../geo/open.ts';
import type { OverridesSource } from '../geo/overrides.ts';
import { programKey } from './program-key.ts';

/** What stands beside the image. */
interface Kept {
  readonly program: string;
  /** Of everything that the image was made of. */
  readonly key: string;
  /** The image's own stamp: facts and image of two writes don't go together. */
  readonly stamp: number;
  readonly facts: GeoFacts;
}

const factsFile = (directory: string): string => join(directory, 'geo.json');
const imageFile = (directory: string): string => join(directory, 'geo.image');
const overridesFile = (directory: string): string => join(directory, 'overrides.json');

/** What the key of geography needs to know of what was loaded. */
type Named = Pick<GeoFacts, 'listFiles' | 'overridesFailed'>;

/** The key of what geography is made of: the program, the databases, the overrides and the lists that they name. */
export function keyOfGeo(files: GeoFiles, { listFiles, overridesFailed }: Named, step: Step): string {
  const hash = createHash('sha256').update(programKey());
  const refused = new Set((files.refused ?? []).map(({ file }) => file));
  const add = (file: string, read: (file: string) => Buffer | string): void => {
    hash.update(`\0${file}\0`);
    if (refused.has(file)) return;
    step(file, limits.builderReadMs);
    hash.update(read(file));
  };
  for (const name of refused.has(files.directory ?? '') ? [] : databasesIn(files.directory)) {
    add(join(files.directory!, name), describe);
  }
  if (files.overridesFile !== null) for (const file of [files.overridesFile, ...listFiles]) add(file, textOf);
  if (overridesFailed) hash.update(JSON.stringify(files.lastGoodOverrides ?? null));
  return hash.digest('base64url');
}

function databasesIn(directory: string | null): readonly string[] {
  try {
    return directory === null ? [] : readGeoFolder(directory).databases;
  } catch {
    return [];
  }
}

/** Name, size, time and end of a file. */
function describe(file: string): Buffer {
  const hash = createHash('sha256').update(file);
  try {
    const { size, mtimeMs, tail } = readTailHere(file, limits.geoTailBytes);
    return hash.update(`\0${size}\0${mtimeMs}\0`).update(tail).digest();
  } catch (error) {
    return hash.update((error as NodeJS.ErrnoException).code ?? '').digest();
  }
}

function textOf(file: string): string {
  try {
    return readTextHere(file);
  } catch (error) {
    return `\0${(error as NodeJS.ErrnoException).code}`;
  }
}

/** What the file holds; somebody may have edited it. */
const KeptOverrides: z.ZodType<OverridesSource> = z.object({
  file: z.string(),
  text: z.string(),
  lists: z.array(z.object({ file: z.string(), text: z.string() })),
});

/** The overrides that were without mistakes when they were last read; undefined: none are kept. */
export function keptOverrides(directory: string): OverridesSource | undefined {
  try {
    tighten(overridesFile(directory), STATE_MODE);
    return KeptOverrides.parse(JSON.parse(readTextHere(overridesFile(directory))));
  } catch {
    return undefined;
  }
}

/** Geography whose image is still to be written. */
export interface PlannedGeo {
  readonly facts: GeoFacts;
  readonly image: PlannedImage;
}

/**
 * The kept geography; null: none is kept that this program can use, or, where `current` is asked for, none of just what lies there now. Whether
 * its image is whole shows when it is written where it shall be.
 */
export function loadKeptGeo(
  directory: string,
  files: GeoFiles,
  which: 'current' | 'any',
  step: Step,
): PlannedGeo | null {
  try {
    const kept = JSON.parse(readTextHere(factsFile(directory), limits.databaseBytes)) as Kept;
    if (kept.program !== programKey()) return null;
    if (which === 'current' && kept.key !== keyOfGeo(files, kept.facts, step)) return null;
    const file = imageFile(directory);
    const bytes = bytesOfImage(file, kept.stamp);
    if (bytes === null) return null;
    return { facts: kept.facts, image: { bytes, write: (target) => readImage(file, target) === kept.stamp } };
  } catch {
    return null;
  }
}

/** How long an image is whose header is one of this program and has the stamp; null where it isn't. */
function bytesOfImage(file: string, stamp: number): number | null {
  const fd = openSync(file, 'r');
  try {
    const header = new Int32Array(HEADER.size);
    readSync(fd, header, 0, header.byteLength, 0);
    const { size } = fstatSync(fd);
    const isWhole = header[HEADER.length]! * 4 === size && header[HEADER.stamp] === stamp;
    return isWhole && isOfThisProgram(header) ? size : null;
  } finally {
    closeSync(fd);
  }
}

/**
 * Reads an image to where it shall stay, piece by piece, so that each is looked at while it is near. Returns its stamp; null: it is damaged,
 * or can't be read.
 */
function readImage(file: string, target: Uint8Array): number | null {
  const check = new ImageCheck();
  try {
    const fd = openSync(file, 'r');
    try {
      for (let at = 0; at < target.length; ) {
        const most = Math.min(limits.geoPieceBytes, target.length - at);
        let length = 0;
        while (length < most) {
          const read = readSync(fd, target, at + length, most - length, at + length);
          if (read === 0) return null;
          length += read;
        }
        check.add(new Int32Array(target.buffer, target.byteOffset + at, most / 4));
        at += most;
      }
      return check.stamp;
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}

/**
 * Keeps geography for the next start. Only what databases of the operator are in: the embedded one comes with the program. Returns why it
 * couldn't, or null.
 */
export function keepGeo(directory: string, key: string, facts: GeoFacts, image: Uint8Array): string | null {
  try {
    if (facts.overrides !== null && !facts.overridesFailed) {
      writeStable(overridesFile(directory), JSON.stringify(facts.overrides));
    }
    if (facts.problems.length > 0 || !facts.sources.some((source) => source.kind === 'database')) return null;
    writeStable(imageFile(directory), image);
    const stamp = new Int32Array(image.buffer, image.byteOffset, HEADER.size)[HEADER.stamp]!;
    const kept: Kept = { program: programKey(), key, stamp, facts };
    writeStable(factsFile(directory), JSON.stringify(kept));
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
