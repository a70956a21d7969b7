// MaxMind's databases: an archive with its SHA-256 beside it, for an account and its licence key.
import { at, type UpdateSource } from './source.ts';
import { unpackDatabase } from './unpack.ts';

export const maxmind: UpdateSource = (settings) =>
  settings.editions.map((edition) => {
    const url = at(settings, 'download.maxmind.com', `/geoip/databases/${edition}/download?suffix=tar.gz`);
    return {
      file: `${edition}.mmdb`,
      alternatives: [[{ url, checksum: { url: `${url}.sha256`, algorithm: 'sha256' } }]],
      make: ([archive]) => unpackDatabase(archive!, `${edition}.mmdb`),
    };
  });
