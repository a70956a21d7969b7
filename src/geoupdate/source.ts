// What every publisher of databases comes down to: which files to fetch, how they are checked, and what is made of them.

/** Where databases come from. */
export type SourceKind = 'maxmind' | 'dbip' | 'rir' | 'url';

/** What `geoip.update` says, defaults filled in. Paths are absolute. */
export interface UpdateSettings {
  readonly source: SourceKind;
  /** The database itself, for `url`; null for the others. */
  readonly url: string | null;
  /** MaxMind's account number. */
  readonly account: string | null;
  /** The only place that the licence key is read from. */
  readonly licenceKeyFile: string | null;
  /** Databases of the publisher, each installed under its own name. */
  readonly editions: readonly string[];
  /** Certificates (PEM) that are trusted besides the public authorities. */
  readonly caFile: string | null;
  /** Replaces the publisher's host, for mirrors and tests. */
  readonly baseUrl: string | null;
  /** null: only by command. */
  readonly everyMs: number | null;
  /** Share of the address space, 0 to 1, that may change its country. */
  readonly maxChange: number;
}

/** One file to fetch. */
export interface Part {
  readonly url: string;
  /** Where its checksum stands; null: the publisher has none. */
  readonly checksum: { readonly url: string; readonly algorithm: 'sha256' | 'md5' } | null;
}

/** One database to bring up to date. */
export interface Order {
  /** Base name that it gets in the folder. */
  readonly file: string;
  /** What it is made of, the newest first: the next one counts where the publisher hasn't got one (yet). */
  readonly alternatives: readonly (readonly Part[])[];
  /** The bytes of an MMDB file from those of the parts, in their order. Rejects with ContentError. */
  readonly make: (parts: readonly Buffer[]) => Promise<Buffer>;
}

/** What was fetched can't be used, whoever's mistake it is. */
export class ContentError extends Error {}

/** A publisher. */
export interface UpdateSource {
  /** What is fetched where no edition is named; none: it has no editions. */
  readonly defaultEdition: string | null;
  /** What an edition is called, for the settings' mistakes. */
  readonly editionPattern: RegExp;
  readonly needsAccount: boolean;
  readonly orders: (settings: UpdateSettings, now: Date) => readonly Order[];
}

/** A publisher's address, on the host that the settings name instead. */
export function at(settings: UpdateSettings, host: string, path: string): string {
  return `${settings.baseUrl?.replace(/\/+$/, '') ?? `https://${host}`}${path}`;
}
