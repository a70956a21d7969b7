// What every publisher of databases comes down to: which files to fetch, how they are checked, and what is made of them.
import type { UpdateSettings } from '../settings/geoip-update.ts';

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

/** A publisher: the databases that the settings want of it. */
export type UpdateSource = (settings: UpdateSettings, now: Date) => readonly Order[];

/** A publisher's address, on the host that the settings name instead. */
export function at(settings: UpdateSettings, host: string, path: string): string {
  return `${settings.baseUrl?.replace(/\/+$/, '') ?? `https://${host}`}${path}`;
}
