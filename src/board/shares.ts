// How often which pool answered the clients of which region: a hash table of doubles for each thread, written by that thread alone.
//
//  Pairs of doubles. The first pair: [pairs in use][answers that found no room]. Then, open addressing with linear probing: [key][answers],
//  key = pool's number * REGIONS + region's number. Numbers start at 1, so key 0 is a free pair. What there is depends on who asks, so
//  a place for each pool in each region would be mostly empty.
import { limits } from '../base/limits.ts';

/** Above every region's number. */
const REGIONS = limits.shareRegions + 1;
const PAIRS = limits.sharePairs;
const MASK = PAIRS - 1;
/** Most pairs in use: beyond that, finding a free one takes long. */
const MOST = PAIRS - (PAIRS >> 2);

/** Bytes of a table. */
export const SHARE_TABLE_BYTES = (PAIRS + 1) * 16;

/** The number of what came after there was no number left, of pools and of regions. */
export const SHARE_OTHER = 1;

/** The counting side, one for each thread. */
export class Shares {
  readonly #table: Float64Array;

  constructor(table: Float64Array) {
    this.#table = table;
  }

  /** Counts an answer with a pool for a client of a region, by their numbers; what isn't linked (0) isn't counted. */
  count(pool: number, region: number): void {
    if (pool === 0) return;
    const table = this.#table;
    const key = pool * REGIONS + region;
    let at = placeOf(pool, region);
    for (;;) {
      const found = table[at]!;
      if (found === key) break;
      if (found === 0) {
        if (table[0]! >= MOST) {
          table[1]!++;
          return;
        }
        table[0]!++;
        table[at] = key;
        break;
      }
      at = at === PAIRS * 2 ? 2 : at + 2;
    }
    table[at + 1]!++;
  }
}

function placeOf(pool: number, region: number): number {
  const hash = Math.imul(pool, 0x9e3779b1) ^ Math.imul(region, 0x85ebca6b);
  return (((hash >>> 15) & MASK) + 1) << 1;
}

/** Tells each pair of a table that has counted something. */
export function eachShare(table: Float64Array, tell: (pool: number, region: number, answers: number) => void): void {
  let left = table[0]!;
  for (let at = 2; left > 0 && at < table.length; at += 2) {
    const key = table[at]!;
    if (key === 0) continue;
    left--;
    tell(Math.floor(key / REGIONS), key % REGIONS, table[at + 1]!);
  }
}

/** Answers that a full table didn't take. */
export function unsharedAnswers(table: Float64Array): number {
  return table[1]!;
}

/** What a pool's number stands for. */
export interface SharedPool {
  readonly zone: string;
  readonly pool: string;
  readonly family: 'ipv4' | 'ipv6' | 'name';
}

/** Gives pools and regions the numbers that they are counted under, for as long as the program runs: a reload changes none. */
export class ShareNames {
  readonly #pools = new Map<string, number>();
  readonly #poolNames: SharedPool[] = [];
  readonly #regions = new Map<string, number>();
  readonly #regionNames: string[] = [];

  constructor() {
    this.pool({ zone: 'other', pool: 'other', family: 'ipv4' });
    this.region('other');
  }

  pool(pool: SharedPool): number {
    return numberOf(this.#pools, this.#poolNames, `${pool.zone}/${pool.pool}/${pool.family}`, pool, limits.sharePools);
  }

  region(name: string): number {
    return numberOf(this.#regions, this.#regionNames, name, name, limits.shareRegions);
  }

  poolOf(number: number): SharedPool {
    return this.#poolNames[number - 1]!;
  }

  regionOf(number: number): string {
    return this.#regionNames[number - 1]!;
  }
}

function numberOf<T>(numbers: Map<string, number>, values: T[], key: string, value: T, most: number): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  if (values.length >= most) return SHARE_OTHER;
  values.push(value);
  numbers.set(key, values.length);
  return values.length;
}
