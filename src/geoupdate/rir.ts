// A country database of our own making, from what the five regional registries have given out: no account, no key.
import { delegatedDatabase } from './delegated.ts';
import { REGISTRIES, type Registry } from './registries.ts';
import { at, type UpdateSource } from './source.ts';

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
