// Fetches databases as the settings say while the server runs, tells the log of it, and the status.
import { join } from 'node:path';
import type { UpdateView } from '../api/views.ts';
import { type Clock, systemRandom } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { PROGRAM_VERSION } from '../base/version.ts';
import { runUpdate } from '../geoupdate/run-update.ts';
import { UpdateSchedule, type UpdateState } from '../geoupdate/schedule.ts';
import type { UpdateJob, UpdateResult } from '../geoupdate/update.ts';
import type { Settings } from '../settings/settings.ts';

/** The job that these settings ask for; null: databases are not fetched. */
export function updateJob({ geoip, state }: Settings, force: boolean): UpdateJob | null {
  const { update: settings, directory } = geoip;
  if (settings === null) return null;
  return { settings, directory, historyFile: join(state, 'geoip-update.json'), force, version: PROGRAM_VERSION };
}

export class GeoipUpdates {
  readonly #job: UpdateJob | null;
  readonly #schedule: UpdateSchedule;

  constructor(settings: Settings, clock: Clock, log: Logger) {
    this.#job = updateJob(settings, false);
    this.#schedule = new UpdateSchedule({
      clock,
      random: systemRandom,
      run: runUpdate,
      onResult: (result) => tell(log, result),
      onError: (problem) =>
        log.warn({ event: 'geoip-update-failed', problem }, 'the geographic databases could not be updated'),
    });
  }

  /** A database that comes is noticed like any other change in its folder. */
  start(): void {
    this.#schedule.set(this.#job);
  }

  stop(): void {
    this.#schedule.stop();
  }

  views(): UpdateView[] {
    return this.#schedule.states().map(viewOf);
  }
}

function tell(log: Logger, { file, outcome, message, share }: UpdateResult): void {
  if (outcome === 'installed')
    log.info({ event: 'geoip-updated', file, share, result: message }, 'a geographic database was updated');
  else if (outcome === 'unchanged')
    log.debug({ event: 'geoip-unchanged', file }, 'a geographic database is the newest');
  else log.warn({ event: 'geoip-update-failed', file, problem: message }, 'a geographic database could not be updated');
}

function viewOf({ file, entry, nextAtMs }: UpdateState): UpdateView {
  const iso = (ms: number | null): string | null => (ms === null || ms === 0 ? null : new Date(ms).toISOString());
  return {
    file,
    triedAt: iso(entry.triedAtMs),
    goodAt: iso(entry.goodAtMs),
    installedAt: iso(entry.installedAtMs),
    nextAt: iso(nextAtMs),
    failures: entry.failures,
    error: entry.error,
  };
}
