// The texts of a geo image, each once, by number.

/** Number 0 stands for no text. */
export class TextPool {
  readonly #texts = [''];
  readonly #numbers = new Map<string, number>();
  /** Octets of all texts in a row, in UTF-8. */
  bytes = 0;

  get count(): number {
    return this.#texts.length;
  }

  number(text: string | null): number {
    if (text === null) return 0;
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#texts.length;
      this.#texts.push(text);
      this.#numbers.set(text, number);
      this.bytes += Buffer.byteLength(text);
    }
    return number;
  }

  text(number: number): string | null {
    return number === 0 ? null : this.#texts[number]!;
  }

  /** Forgets the texts from the number on. */
  cut(count: number): void {
    for (const text of this.#texts.splice(count)) {
      this.#numbers.delete(text);
      this.bytes -= Buffer.byteLength(text);
    }
  }

  /** Gives back what only finding texts needs, once all are there. */
  finish(): void {
    this.#numbers.clear();
  }

  /** Start of each text in bytes, and the end of the last. */
  writeOffsets(out: Int32Array): void {
    this.#texts.forEach((text, i) => {
      out[i + 1] = out[i]! + Buffer.byteLength(text);
    });
  }

  /** The texts in a row. */
  writeTexts(out: Int32Array): void {
    const bytes = Buffer.from(out.buffer, out.byteOffset, out.byteLength);
    let at = 0;
    for (const text of this.#texts) at += bytes.write(text, at);
  }
}
