// How old the geographic databases are, and when that is worth telling.
import { limits } from '../base/limits.ts';
import type { Source } from './merge.ts';

const DAY_MS = 86_400_000;

/** Whole days since a database was built; null where it doesn't say when. */
export function ageDays({ builtAt }: Pick<Source, 'builtAt'>, nowMs: number): number | null {
  return builtAt <= 0 ? null : Math.max(0, Math.floor((nowMs - builtAt * 1000) / DAY_MS));
}

/** A sentence for each database that is older than it should be. */
export function oldDatabases(sources: readonly Source[], nowMs: number): string[] {
  return sources.flatMap((source) => {
    const days = ageDays(source, nowMs);
    if (days === null || days < limits.geoOldDays) return [];
    const built = new Date(source.builtAt * 1000).toISOString().slice(0, 10);
    const which = source.kind === 'embedded' ? `the embedded database (${source.file})` : source.file;
    return [`${which} is ${days} days old (built ${built}): "meridian geoip update" fetches a newer one`];
  });
}
