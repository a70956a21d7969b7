// What data threads count: one padded row of doubles for each thread, added up by the control plane.

/** Columns of a row; docs/operations.md has each with its metric. */
export const COUNTERS = [
  'udpQueries',
  'tcpQueries',
  'ipv6Queries',
  'ecsQueries',
  'answered',
  'silent',
  'noerror',
  'formerr',
  'servfail',
  'nxdomain',
  'notimp',
  'refused',
  'badvers',
  'nodata',
  'referral',
  'steered',
  'climbed',
  'failOpen',
  'truncated',
  'cut',
  'placeUnknown',
  'any',
  'chaos',
  'rateLimitDropped',
  'rateLimitSlipped',
  'cookieValid',
  'cookieInvalid',
  'transferRefused',
  'transferCurrent',
  'transferServed',
  'transferBrokenOff',
] as const;

export type CounterName = (typeof COUNTERS)[number];

/** Column numbers by name: `COUNT.nxdomain`. */
export const COUNT = Object.fromEntries(COUNTERS.map((name, i) => [name, i])) as Readonly<Record<CounterName, number>>;

/** Doubles of a row, a whole number of cache lines, so that threads don't share one. */
export const COUNTER_ROW = Math.ceil(COUNTERS.length / 8) * 8;

/** Columns of a zone's row. */
export const ZONE_COUNT = { ecs: 0, resolver: 1, unknownPlace: 2, other: 3 } as const;
export const ZONE_ROW = 4;
