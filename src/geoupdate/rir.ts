// A country database of our own making, from what the five regional registries have given out: no account, no key.
import { delegatedDatabase } from './delegated.ts';
import { at, type UpdateSource } from './source.ts';

/** Their names in their own files, and the hosts that have these. */
export const REGISTRIES = {
  afrinic: 'ftp.afrinic.net',
  apnic: 'ftp.apnic.net',
  arin: 'ftp.arin.net',
  lacnic: 'ftp.lacnic.net',
  ripencc: 'ftp.ripe.net',
} as const;

export type Registry = keyof typeof REGISTRIES;

const NAMES = Object.keys(REGISTRIES) as Registry[];

export const rir: UpdateSource = (settings) => [
  {
    file: 'rir-country.mmdb',
    alternatives: [
      NAMES.map((name) => {
        const url = at(settings, REGISTRIES[name], `/pub/stats/${name}/delegated-${name}-extended-latest`);
        return { url, checksum: { url: `${url}.md5`, algorithm: 'md5' } };
      }),
    ],
    make: async (parts) => delegatedDatabase(parts.map((bytes, i) => ({ registry: NAMES[i]!, bytes }))),
  },
];
