// The five regional registries of Internet numbers.

/** Their names in their own files, and the hosts that have these. */
export const REGISTRIES = {
  afrinic: 'ftp.afrinic.net',
  apnic: 'ftp.apnic.net',
  arin: 'ftp.arin.net',
  lacnic: 'ftp.lacnic.net',
  ripencc: 'ftp.ripe.net',
} as const;

export type Registry = keyof typeof REGISTRIES;
