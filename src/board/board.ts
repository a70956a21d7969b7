// The board: one 32-bit word for each target (verdict, forced, load, time to the next possible flip), read by every data thread.
//
// Two threads write a word, each its own bits: the control thread what was forced, the health thread all else. Neither waits for the other.
//
//     word:  bits 0-1 verdict   2-3 forced   4-11 load factor (255 = full weight, 0 = takes no new clients)
//            bit 12 watched (has a check)   13-31 seconds until its verdict could flip at the earliest (0 to 524287)
import { limits } from '../base/limits.ts';

export const VERDICT_UNKNOWN = 0;
export const VERDICT_UP = 1;
export const VERDICT_DOWN = 2;
export const FORCED_NONE = 0;
export const FORCED_UP = 1;
export const FORCED_DOWN = 2;
export const FORCED_DRAIN = 3;

export const LOAD_FULL = 255;
const FLIP_MAX = (1 << 19) - 1;

/** What a target's word says, spelled out. */
export interface TargetWord {
  readonly verdict: typeof VERDICT_UNKNOWN | typeof VERDICT_UP | typeof VERDICT_DOWN;
  readonly forced: typeof FORCED_NONE | typeof FORCED_UP | typeof FORCED_DOWN | typeof FORCED_DRAIN;
  /** 0 to LOAD_FULL. */
  readonly load: number;
  readonly watched: boolean;
  readonly flipSeconds: number;
}

export function packTarget(t: TargetWord): number {
  const flip = Math.max(0, Math.min(FLIP_MAX, Math.floor(t.flipSeconds)));
  return t.verdict | (t.forced << 2) | ((t.load & 255) << 4) | (t.watched ? 1 << 12 : 0) | (flip << 13);
}

export function unpackTarget(word: number): TargetWord {
  return {
    verdict: (word & 3) as TargetWord['verdict'],
    forced: ((word >> 2) & 3) as TargetWord['forced'],
    load: (word >> 4) & 255,
    watched: (word & (1 << 12)) !== 0,
    flipSeconds: word >>> 13,
  };
}

/** Whether a word's target is live: a forced state beats the verdict, unknown counts as up (contract, section 3). */
export function isLive(word: number): boolean {
  const forced = (word >> 2) & 3;
  return forced === FORCED_NONE ? (word & 3) !== VERDICT_DOWN : forced === FORCED_UP;
}

/** Whether an operator took the target out of all answers, fail-open included. */
export function isWithdrawn(word: number): boolean {
  return ((word >> 2) & 3) >= FORCED_DOWN;
}

/** The load factor of a word, 0 to LOAD_FULL. */
export function loadOf(word: number): number {
  return (word >> 4) & 255;
}

/** Seconds until the target's verdict could flip at the earliest, or -1 for a target that isn't watched. */
export function flipSecondsOf(word: number): number {
  return (word & (1 << 12)) === 0 ? -1 : word >>> 13;
}

/** What the health thread knows of a target: its word without the forced state. */
export type HealthWord = Omit<TargetWord, 'forced'>;

const FORCED_BITS = 3 << 2;

/** Changes what was forced in a word, and nothing else, whatever the health thread writes at the same moment. */
export function writeForced(words: Int32Array, slot: number, forced: TargetWord['forced']): void {
  replaceBits(words, slot, FORCED_BITS, forced << 2);
}

/** Changes everything in a word but what was forced, whatever the control thread writes at the same moment. */
export function writeHealth(words: Int32Array, slot: number, health: HealthWord): void {
  replaceBits(words, slot, ~FORCED_BITS, packTarget({ ...health, forced: FORCED_NONE }));
}

/** One compare-and-swap, again as long as the other writer came between. */
function replaceBits(words: Int32Array, slot: number, mask: number, bits: number): void {
  let old = Atomics.load(words, slot);
  for (;;) {
    const seen = Atomics.compareExchange(words, slot, old, (old & ~mask) | bits);
    if (seen === old) return;
    old = seen;
  }
}

/** Bytes of the board's shared memory. */
function boardBytes(): number {
  return limits.targets * 4;
}

/** The control thread's side: hands out slots by target id and keeps them while anything uses them. */
export class Board {
  readonly buffer = new SharedArrayBuffer(boardBytes());
  readonly #words = new Int32Array(this.buffer);
  readonly #slots = new Map<string, number>();
  readonly #ids: (string | undefined)[] = [];
  readonly #free: number[] = [];

  /** The slot of a target; a new target starts as unknown. Throws when the board is full. */
  slot(id: string): number {
    const known = this.#slots.get(id);
    if (known !== undefined) return known;
    const slot = this.#free.pop() ?? this.#ids.length;
    if (slot >= limits.targets) throw new Error(`more than ${limits.targets} targets`);
    this.#slots.set(id, slot);
    this.#ids[slot] = id;
    this.set(slot, { verdict: VERDICT_UNKNOWN, forced: FORCED_NONE, load: LOAD_FULL, watched: false, flipSeconds: 0 });
    return slot;
  }

  slotOf(id: string): number | undefined {
    return this.#slots.get(id);
  }

  idOf(slot: number): string | undefined {
    return this.#ids[slot];
  }

  /** Gives a slot back. Only when no image that a thread may still hold names it. */
  drop(id: string): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    this.#ids[slot] = undefined;
    this.#free.push(slot);
  }

  get(slot: number): TargetWord {
    return unpackTarget(Atomics.load(this.#words, slot));
  }

  /** What an operator forced; from the next query on, every thread sees it. */
  force(slot: number, forced: TargetWord['forced']): void {
    writeForced(this.#words, slot, forced);
  }

  /** Writes a whole word: only while nobody else can. */
  set(slot: number, word: TargetWord): void {
    Atomics.store(this.#words, slot, packTarget(word));
  }

  update(slot: number, change: Partial<TargetWord>): void {
    this.set(slot, { ...this.get(slot), ...change });
  }
}
