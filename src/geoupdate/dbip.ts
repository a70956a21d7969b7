// DB-IP's Lite databases: one file a month, without an account and without a checksum.
import { at, type Part, type UpdateSource } from './source.ts';
import { unpackDatabase } from './unpack.ts';

export const dbip: UpdateSource = (settings, now) =>
  settings.editions.map((edition) => {
    const month = (back: number): Part[] => {
      const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)).toISOString().slice(0, 7);
      return [{ url: at(settings, 'download.db-ip.com', `/free/${edition}-${first}.mmdb.gz`), checksum: null }];
    };
    return {
      file: `${edition}.mmdb`,
      // The new month's file isn't there at the first stroke of the month.
      alternatives: [month(0), month(1)],
      make: ([packed]) => unpackDatabase(packed!, `${edition}.mmdb`),
    };
  });
