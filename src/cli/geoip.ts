// `meridian geoip update`: brings the databases up to date that the settings name; a running server notices what is new.

import { systemClock } from '../base/clock.ts';
import { updateJob } from '../control/geoip-updates.ts';
import { type UpdateResult, updateDatabases } from '../geoupdate/update.ts';
import { loadSettings, shortPath } from './config.ts';
import { EXIT, Failure } from './exit.ts';
import { print } from './output.ts';
import { paint } from './table.ts';

export interface GeoipUpdateOptions {
  readonly config: string | undefined;
  readonly force: boolean;
  readonly json: boolean;
}

/** What each outcome means for the exit code. */
const EXIT_OF: Readonly<Record<UpdateResult['outcome'], number>> = {
  installed: EXIT.good,
  unchanged: EXIT.good,
  refused: EXIT.input,
  bad: EXIT.input,
  failed: EXIT.server,
};

/** Prints a line for each database and returns the exit code: the worst of theirs. */
export async function geoipUpdate({ config, force, json }: GeoipUpdateOptions): Promise<number> {
  const job = updateJob(loadSettings(config), force);
  if (job === null) {
    const fix = 'write geoip: { update: { source: rir } }, or maxmind, dbip, an address: docs/operations.md';
    throw new Failure(EXIT.input, `the settings don't say where databases come from: ${fix}`);
  }
  const results = await updateDatabases(job, systemClock).catch((error: Error) => {
    throw new Failure(EXIT.input, error.message);
  });
  if (json) process.stdout.write(`${JSON.stringify(results.map(plain), null, 2)}\n`);
  else for (const result of results) print(line(result, job.directory));
  return Math.max(...results.map(({ outcome }) => EXIT_OF[outcome]));
}

function line({ file, outcome, message }: UpdateResult, directory: string): string {
  const colour = EXIT_OF[outcome] === EXIT.good ? 'green' : 'red';
  return `${shortPath(`${directory}/${file}`)}: ${paint({ text: outcome, colour })}: ${message}\n`;
}

function plain({ file, outcome, message, share, builtAt }: UpdateResult): object {
  return { file, outcome, message, share, built: builtAt === null ? null : new Date(builtAt * 1000).toISOString() };
}
