// A queue of records in shared memory, from one thread to another: the writing side never waits and never allocates, and drops what finds no room.
//
//     bytes   0  head, int32: words written so far, modulo 2^32; stored by the writer alone
//            64  tail, int32: words taken so far; stored by the reader alone
//           128  dropped, double: records that found no room; stored by the writer alone
//           192  the words of the records, a power of two of them
//
// A record is a run of words that doesn't wrap; its first word is its length in words. 0 there: go on at the beginning.

const HEAD = 0;
const TAIL = 16;
const DROPPED_BYTE = 128;
const WORDS_BYTE = 192;

/** Memory for a ring of so many bytes, a power of two. */
export function createRing(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS_BYTE + bytes);
}

/** Records of a ring that found no room. */
export function ringDropped(ring: SharedArrayBuffer): number {
  return new Float64Array(ring, DROPPED_BYTE, 1)[0]!;
}

/** The writing side: one for a ring at a time. A successor goes on where it stopped. */
export class RingWriter {
  /** The ring's words, and the same as bytes: a record is filled in here, between `reserve` and `commit`. */
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly #control: Int32Array;
  readonly #dropped: Float64Array;
  readonly #mask: number;
  #head: number;
  /** As it was when last looked at: it lies in a cache line that the reader writes. */
  #tail: number;
  /** Where the head is once the record is committed. */
  #next = 0;

  constructor(ring: SharedArrayBuffer) {
    this.#control = new Int32Array(ring, 0, WORDS_BYTE / 4);
    this.#dropped = new Float64Array(ring, DROPPED_BYTE, 1);
    this.words = new Int32Array(ring, WORDS_BYTE);
    this.bytes = new Uint8Array(ring, WORDS_BYTE);
    this.#mask = this.words.length - 1;
    this.#head = Atomics.load(this.#control, HEAD);
    this.#tail = Atomics.load(this.#control, TAIL);
  }

  /** Room for a record of so many words, at least 1: its first word, which is filled in, or -1: dropped and counted. */
  reserve(count: number): number {
    const capacity = this.words.length;
    const at = this.#head & this.#mask;
    const skip = at + count > capacity ? capacity - at : 0;
    const wanted = skip + count;
    if (capacity - ((this.#head - this.#tail) >>> 0) < wanted) {
      this.#tail = Atomics.load(this.#control, TAIL);
      if (capacity - ((this.#head - this.#tail) >>> 0) < wanted) {
        this.#dropped[0]! += 1;
        return -1;
      }
    }
    const start = skip > 0 ? 0 : at;
    if (skip > 0) this.words[at] = 0;
    this.words[start] = count;
    this.#next = (this.#head + wanted) | 0;
    return start;
  }

  /** Hands the reserved record to the reader. */
  commit(): void {
    this.#head = this.#next;
    Atomics.store(this.#control, HEAD, this.#head);
  }
}

/** The reading side: one for a ring at a time. A successor goes on where it stopped. */
export class RingReader {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly #control: Int32Array;
  readonly #mask: number;
  #tail: number;

  constructor(ring: SharedArrayBuffer) {
    this.#control = new Int32Array(ring, 0, WORDS_BYTE / 4);
    this.words = new Int32Array(ring, WORDS_BYTE);
    this.bytes = new Uint8Array(ring, WORDS_BYTE);
    this.#mask = this.words.length - 1;
    this.#tail = Atomics.load(this.#control, TAIL);
  }

  /** The first word of the oldest record, or -1. It stands until `release`. */
  peek(): number {
    const head = Atomics.load(this.#control, HEAD);
    if (head === this.#tail) return -1;
    const at = this.#tail & this.#mask;
    if (this.words[at] !== 0) return at;
    this.#tail = (this.#tail + this.words.length - at) | 0;
    return 0;
  }

  /** Gives the place of the record that `peek` showed back. */
  release(): void {
    this.#tail = (this.#tail + this.words[this.#tail & this.#mask]!) | 0;
    Atomics.store(this.#control, TAIL, this.#tail);
  }
}
