// A growing segment: int32 words and the bytes under them, while a zone is being compiled.

/** Words are appended; space can be reserved and filled in later. */
export class SegmentWriter {
  #words = new Int32Array(1024);
  #bytes = new Uint8Array(this.#words.buffer);
  #length = 0;

  /** Words so far: where the next one goes. */
  get length(): number {
    return this.#length;
  }

  /** Appends `count` zero words and returns the first one's offset. */
  reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#words.length) {
      const larger = new Int32Array(Math.max(this.#words.length * 2, this.#length));
      larger.set(this.#words);
      this.#words = larger;
      this.#bytes = new Uint8Array(larger.buffer);
    }
    return at;
  }

  push(...words: number[]): number {
    const at = this.reserve(words.length);
    words.forEach((word, i) => {
      this.#words[at + i] = word;
    });
    return at;
  }

  set(at: number, word: number): void {
    this.#words[at] = word;
  }

  /** Appends bytes, padded to a word. Returns the offset of the first, in words. */
  pushBytes(bytes: Uint8Array): number {
    const at = this.reserve(Math.ceil(bytes.length / 4));
    this.#bytes.set(bytes, at * 4);
    return at;
  }

  /** Writes bytes at a byte offset that was reserved. */
  setBytes(atByte: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, atByte);
  }

  /** A copy of all bytes. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length * 4);
  }
}
