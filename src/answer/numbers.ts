// What a thread counts beside its plain counters: queries by type, and by sample sizes, times and countries; one row of doubles.
import { TYPE, typeToText } from '../wire/types.ts';

/** Types that are counted by themselves: what resolvers and people ask; whatever else is `other`. */
const COUNTED_TYPES = [
  TYPE.A,
  TYPE.AAAA,
  TYPE.NS,
  TYPE.CNAME,
  TYPE.SOA,
  TYPE.PTR,
  TYPE.MX,
  TYPE.TXT,
  TYPE.SRV,
  TYPE.NAPTR,
  TYPE.DS,
  TYPE.DNSKEY,
  TYPE.TLSA,
  TYPE.SVCB,
  TYPE.HTTPS,
  TYPE.SPF,
  TYPE.CAA,
  TYPE.AXFR,
  TYPE.IXFR,
  TYPE.ANY,
] as const;

/** Their names, `other` last. */
export const TYPE_LABELS: readonly string[] = [...COUNTED_TYPES.map(typeToText), 'other'];
const TYPES = TYPE_LABELS.length;

/** Upper bounds of the sizes of responses, octets: what fits without EDNS, below every MTU, into one Ethernet frame, and TCP's. */
export const SIZE_BOUNDS = [64, 128, 256, 512, 1024, 1232, 1452, 4096, 16_384, 65_535] as const;
/** Upper bounds of times, seconds: the path takes microseconds; milliseconds mean that the thread had to wait for its core. */
export const SECONDS_BOUNDS = [
  0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1,
] as const;

/** Countries by their two letters, then those that nobody knows. */
const COUNTRIES = 26 * 26 + 1;

/** Columns of a row: of UDP and TCP by type; of each histogram a bucket for each bound, one above them, and the sum. */
export const NUMBERS = {
  types: 0,
  sizes: 2 * TYPES,
  sizeSum: 2 * TYPES + SIZE_BOUNDS.length + 1,
  seconds: 2 * TYPES + SIZE_BOUNDS.length + 2,
  secondsSum: 2 * TYPES + SIZE_BOUNDS.length + SECONDS_BOUNDS.length + 3,
  countries: 2 * TYPES + SIZE_BOUNDS.length + SECONDS_BOUNDS.length + 4,
} as const;

/** Doubles of a row, a whole number of cache lines. */
export const NUMBERS_ROW = Math.ceil((NUMBERS.countries + COUNTRIES) / 8) * 8;

/** Column of each type below 260 within its transport; what is above is `other`. */
const TYPE_COLUMNS = new Uint8Array(260).fill(TYPES - 1);
COUNTED_TYPES.forEach((type, i) => {
  TYPE_COLUMNS[type] = i;
});

/** The column of a question. `tcp` 0 or 1. */
export function typeColumn(type: number, tcp: 0 | 1): number {
  return (type < TYPE_COLUMNS.length ? TYPE_COLUMNS[type]! : TYPES - 1) + tcp * TYPES;
}

/** Column of a type's name and a transport, for who reads. */
export function typeLabelColumn(label: number, tcp: 0 | 1): number {
  return label + tcp * TYPES;
}

/** The column of a country by the codes of its two capitals; anything else is unknown. */
export function countryColumn(first: number, second: number): number {
  const a = first - 0x41;
  const b = second - 0x41;
  return NUMBERS.countries + (a >= 0 && a < 26 && b >= 0 && b < 26 ? a * 26 + b : COUNTRIES - 1);
}

/** The two letters that a column stands for, `unknown` for the last; null: no country's column. */
export function countryOfColumn(column: number): string | null {
  const number = column - NUMBERS.countries;
  if (number < 0 || number >= COUNTRIES) return null;
  if (number === COUNTRIES - 1) return 'unknown';
  return String.fromCharCode(0x41 + Math.floor(number / 26), 0x41 + (number % 26));
}

/** Adds a value to a histogram: `at` its first bucket, `sum` its sum, as often as `weight` says. */
export function observe(
  row: Float64Array,
  bounds: readonly number[],
  at: number,
  sum: number,
  value: number,
  weight: number,
): void {
  let bucket = 0;
  while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
  row[at + bucket]! += weight;
  row[sum]! += value * weight;
}
