// Starts reading geography before anything else: it takes longest, and runs on a builder thread while the program loads.
import { systemClock } from '../base/clock.ts';
import { fileLane } from '../base/read-file.ts';
import { Builder, type BuiltGeo } from './builder.ts';
import { lookAtGeo } from './geo-files.ts';

export interface GeoPaths {
  readonly geoDirectory: string;
  readonly overridesFile: string;
  /** null: nothing is kept across restarts. */
  readonly stateDirectory: string | null;
}

/** A builder that is already at work on the geography, and what will come of it. */
export interface FirstGeo {
  readonly builder: Builder;
  readonly geo: Promise<BuiltGeo>;
}

export function startFirstGeo({ geoDirectory, overridesFile, stateDirectory }: GeoPaths): FirstGeo {
  const builder = new Builder(systemClock);
  const geo = lookAtGeo(fileLane, geoDirectory, [overridesFile]).then(({ refused }) =>
    builder.geo({ files: { directory: geoDirectory, overridesFile, refused }, stateDirectory, first: true }),
  );
  // Whoever waits for it hears of a failure; until then it is nobody's unhandled one.
  geo.catch(() => {});
  return { builder, geo };
}
