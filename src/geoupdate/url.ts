// A database at any address, with its SHA-256 at the same address and `.sha256`.
import type { UpdateSettings } from '../settings/geoip-update.ts';
import type { UpdateSource } from './source.ts';
import { unpackDatabase } from './unpack.ts';

export const url: UpdateSource = (settings) => {
  const { database, checksum, file } = addressesOf(settings);
  return [
    {
      file,
      alternatives: [[{ url: database, checksum: { url: checksum, algorithm: 'sha256' } }]],
      make: ([bytes]) => unpackDatabase(bytes!, file),
    },
  ];
};

function addressesOf({ url: text, baseUrl }: UpdateSettings): { database: string; checksum: string; file: string } {
  const database = new URL(text!);
  if (baseUrl !== null) {
    const base = new URL(baseUrl);
    database.protocol = base.protocol;
    database.host = base.host;
    database.pathname = base.pathname.replace(/\/+$/, '') + database.pathname;
  }
  const checksum = new URL(database);
  checksum.pathname += '.sha256';
  return { database: database.href, checksum: checksum.href, file: databaseName(database.pathname) };
}

/** What the file is called once it is unpacked: `/a/city.mmdb.gz` and `/a/city.tar.gz` are city.mmdb. */
function databaseName(path: string): string {
  const name = path
    .split('/')
    .at(-1)!
    .replace(/(?:\.mmdb)?(?:\.tar)?(?:\.t?gz)?$/, '')
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[.-]+/, '');
  return `${name === '' ? 'database' : name}.mmdb`;
}
