// Fast random 32-bit words for picking members: xoshiro128**, one state for each thread, seeded by whoever owns it.

/** A generator whose state never allocates; not for secrets. */
export class RandomWords {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed four words, not all zero */
  constructor(seed: readonly [number, number, number, number]) {
    this.#a = seed[0] | 0;
    this.#b = seed[1] | 0;
    this.#c = seed[2] | 0;
    this.#d = seed[3] | 1;
  }

  /** The next word, an int32. */
  next(): number {
    const x = Math.imul(this.#b, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9);
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** A whole number in [0, below); `below` up to 2^31. The bias is below 2^-32 of `below`. */
  below(below: number): number {
    return Math.floor(((this.next() >>> 0) * below) / 4294967296);
  }
}
