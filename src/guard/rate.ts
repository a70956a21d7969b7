// Response rate limiting: how often one client network may be told the same thing over UDP.
//
// Source addresses of UDP can be forged; what limits the harm to whoever owns the address is that one network gets one
// answer only so often. A bucket for each pair of network and answer is kept as one time (the generic cell rate
// algorithm): "paid until", which every response moves on by 1/rate seconds, and which may be at most the burst, one
// second, ahead of now. A bucket that nobody uses needs no care: its time passes.
//
// The table has a fixed size. A set is one cache line of five buckets, found by a seeded hash, so that nobody who doesn't
// know the seed can aim at another's set. When all five are taken, the one with the least debt gives way and hands its
// debt on (the "space saving" rule for counting heavy hitters): a flood of forged sources can't wash a debt away, and no
// pair ever gets more than its rate; at worst a newcomer finds a debt that isn't his, for the milliseconds it lasts.
//
// All data threads should share one table. The kernel spreads a network's packets over the threads by address and port:
// with a table for each thread a network gets as many times its rate as there are threads, and with a share of the rate
// for each thread a resolver that asks from few ports gets a fraction of it. Words of shared memory are read and written
// without locks: two threads that meet in one bucket may count one response for two, which costs nothing that matters.
import { bitsOf, type Prefix } from '../base/address.ts';
import { mix32 } from '../base/hash.ts';
import { limits } from '../base/limits.ts';
import type { ClientAddress } from './client.ts';

export const RATE_PASS = 0;
/** Over the limit: no response. */
export const RATE_DROP = 1;
/** Over the limit: an empty response with TC=1, so that a client which is really there asks again over TCP. */
export const RATE_SLIP = 2;

export interface RateLimits {
  readonly responsesPerSecond: number;
  /** Every nth response over the limit is RATE_SLIP; 1: all of them; 0: none. */
  readonly slip: number;
  /** Leading bits of an address that make a network, 0 to 32 and 0 to 128. */
  readonly ipv4Prefix: number;
  readonly ipv6Prefix: number;
  /** Networks without a limit. */
  readonly exempt: readonly Prefix[];
}

// A set: five tags, five times, five counts of limited responses, and one word to fill the cache line.
const WAYS = 5;
const SET_WORDS = 16;
const TIMES = WAYS;
const LIMITED = WAYS * 2;
const SETS = limits.rateBuckets / WAYS;

/** Times count in 1/1024 ms, modulo 2^32: 70 minutes. */
const UNITS_PER_MS = 1024;
/** The burst: one second. */
const BURST = 1000 * UNITS_PER_MS;

/** A network below this debt isn't looked at name by name. */
const HALF_BURST = BURST / 2;
/** At lower rates than 64 a second half a burst is too coarse: every name is counted from its first answer. */
const SHORTCUT_INTERVAL = BURST / 64;

/** An exempt network: family, four words, four masks. */
const EXEMPT_WORDS = 9;

/** Memory for one table, to be shared by all data threads. */
export function createRateTable(): SharedArrayBuffer {
  return new SharedArrayBuffer(SETS * SET_WORDS * 4);
}

/** Counts the responses of one thread. */
export class RateLimiter {
  readonly #words: Int32Array;
  readonly #seed: number;
  readonly #tagSeed: number;
  readonly #interval: number;
  readonly #slip: number;
  readonly #mask4: number;
  readonly #masks6: Int32Array;
  readonly #exempt: Int32Array;
  #now = 0;
  /** The bucket that was charged last. */
  #bucket = 0;

  /**
   * @param seed a random word; the same in all threads that share a table
   * @param table from `createRateTable`; absent: one of its own
   */
  constructor(settings: RateLimits, seed: number, table: SharedArrayBuffer = createRateTable()) {
    this.#words = new Int32Array(table);
    this.#seed = mix32(seed);
    this.#tagSeed = mix32(~seed);
    // Rounded down, so that a burst has room for as many as are allowed.
    this.#interval = Math.max(1, Math.floor(BURST / settings.responsesPerSecond));
    this.#slip = settings.slip;
    this.#mask4 = prefixMask(settings.ipv4Prefix, 0);
    this.#masks6 = Int32Array.from([0, 1, 2, 3], (word) => prefixMask(settings.ipv6Prefix, word));
    this.#exempt = Int32Array.from(settings.exempt.slice(0, limits.rateExempt).flatMap(exemptWords));
  }

  /**
   * Sets the time of the checks that follow, once a batch (a double handed over with every check would be allocated each time).
   * @param nowMs the wall clock: threads that share a table need one clock, and its jumps do no more than forgive a debt or
   *   keep it for a second
   */
  tick(nowMs: number): void {
    this.#now = (nowMs * UNITS_PER_MS) | 0;
  }

  /**
   * Counts one response.
   * @param kind a hash of what is answered: the name, or the zone for errors and NXDOMAIN
   * Returns RATE_PASS, RATE_DROP or RATE_SLIP.
   */
  check(client: ClientAddress, kind: number): number {
    let place = 0;
    let tag = 0;
    if (client.family === 4) {
      const network = client.w0 & this.#mask4;
      place = mix32(this.#seed ^ network);
      tag = mix32(this.#tagSeed ^ network);
    } else {
      const masks = this.#masks6;
      const n0 = client.w0 & masks[0]!;
      const n1 = client.w1 & masks[1]!;
      place = mix32(mix32(~this.#seed ^ n0) ^ n1);
      tag = mix32(mix32(~this.#tagSeed ^ n0) ^ n1);
      if (masks[2] !== 0) {
        const n2 = client.w2 & masks[2]!;
        const n3 = client.w3 & masks[3]!;
        place = mix32(mix32(place ^ n2) ^ n3);
        tag = mix32(mix32(tag ^ n2) ^ n3);
      }
    }
    const interval = this.#interval;
    let least = 0;
    if (interval <= SHORTCUT_INTERVAL) {
      // A network whose answers all together stay below the limit has no name above it: one hot cache line says so, where a
      // bucket for each name is a cache miss (bench/respond.mjs: 60 to 150 ns of an answer).
      if (this.#charge(place, tag, 0, BURST) < HALF_BURST) return RATE_PASS;
      // Half a burst may have gone by before anybody looked at the name.
      least = HALF_BURST;
    }
    const debt = this.#charge(mix32(place ^ kind), mix32(tag ^ kind), least, BURST - interval);
    if (debt <= BURST - interval) return RATE_PASS;
    if (this.#isExempt(client)) return RATE_PASS;
    if (this.#slip <= 1) return this.#slip === 1 ? RATE_SLIP : RATE_DROP;
    const words = this.#words;
    const limited = words[this.#bucket + LIMITED]! + 1;
    words[this.#bucket + LIMITED] = limited >= this.#slip ? 0 : limited;
    return limited >= this.#slip ? RATE_SLIP : RATE_DROP;
  }

  /**
   * Charges a bucket with one response, as long as its debt is at most `most`; less than `least` counts as that. Returns the
   * debt before.
   */
  #charge(place: number, tag: number, least: number, most: number): number {
    const words = this.#words;
    const set = (place & (SETS - 1)) * SET_WORDS;
    const now = this.#now;
    let way = 0;
    let debt = BURST + 1;
    for (let i = 0; i < WAYS; i++) {
      let ahead = (words[set + TIMES + i]! - now) | 0;
      // Further ahead than any debt: a time that passed long ago, or a clock that was set back.
      if (ahead < 0 || ahead > BURST) ahead = 0;
      if (words[set + i] === tag) {
        way = i;
        debt = ahead;
        break;
      }
      if (ahead < debt) {
        way = i;
        debt = ahead;
      }
    }
    if (debt < least) debt = least;
    const bucket = set + way;
    this.#bucket = bucket;
    words[bucket] = tag;
    const after = debt <= most ? debt + this.#interval : debt;
    words[bucket + TIMES] = now + (after > BURST ? BURST : after);
    return debt;
  }

  /** Asked only of who is over the limit: who isn't pays nothing for a long list. */
  #isExempt(client: ClientAddress): boolean {
    const e = this.#exempt;
    for (let i = 0; i < e.length; i += EXEMPT_WORDS) {
      if (
        e[i] === client.family &&
        (client.w0 & e[i + 5]!) === e[i + 1] &&
        (client.w1 & e[i + 6]!) === e[i + 2] &&
        (client.w2 & e[i + 7]!) === e[i + 3] &&
        (client.w3 & e[i + 8]!) === e[i + 4]
      ) {
        return true;
      }
    }
    return false;
  }
}

/** The mask of one 32-bit word (0 to 3) of a prefix of `length` bits. */
function prefixMask(length: number, word: number): number {
  const bits = Math.min(32, Math.max(0, length - word * 32));
  return bits === 0 ? 0 : -1 << (32 - bits);
}

function exemptWords(prefix: Prefix): number[] {
  const { family, bytes } = prefix.address;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const masks = [0, 1, 2, 3].map((word) => prefixMask(prefix.length, word));
  const words = masks.map((mask, word) => (word * 32 < bitsOf(family) ? view.getInt32(word * 4) & mask : 0));
  return [family, ...words, ...masks];
}
