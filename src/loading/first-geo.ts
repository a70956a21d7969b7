// Starts reading geography before anything else: it takes longest, and runs on a builder thread while the program loads.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadedGeo } from '../geo/open.ts';
import { Builder } from './builder.ts';

export interface GeoPaths {
  readonly geoDirectory: string;
  readonly overridesFile: string;
  /** null: nothing is kept across restarts. */
  readonly stateDirectory: string | null;
}

/** Where the last good overrides are kept. */
export function overridesKept(stateDirectory: string): string {
  return join(stateDirectory, 'overrides.json');
}

function savedOverrides(stateDirectory: string | null): LoadedGeo['overrides'] {
  try {
    if (stateDirectory !== null) {
      return JSON.parse(readFileSync(overridesKept(stateDirectory), 'utf8')) as LoadedGeo['overrides'];
    }
  } catch {
    // None was kept yet.
  }
  return null;
}

/** A builder that is already at work on the geography, and what will come of it. */
export interface FirstGeo {
  readonly builder: Builder;
  /** For once: its image is large, and whoever kept it here would keep it for ever. */
  take(): Promise<LoadedGeo>;
}

export function startFirstGeo({ geoDirectory, overridesFile, stateDirectory }: GeoPaths): FirstGeo {
  const builder = new Builder();
  const lastGoodOverrides = savedOverrides(stateDirectory);
  const files = {
    directory: geoDirectory,
    overridesFile,
    ...(lastGoodOverrides === null ? {} : { lastGoodOverrides }),
  };
  let geo: Promise<LoadedGeo> | null = builder.geo(files, []).then((built) => built.geo);
  // Whoever waits for it hears of a failure; until then it is nobody's unhandled one.
  geo.catch(() => {});
  return {
    builder,
    take() {
      if (geo === null) throw new Error('the first geography was taken already');
      const taken = geo;
      geo = null;
      return taken;
    },
  };
}
