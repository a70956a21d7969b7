// Whether bytes that came back hold what a check expects, at once or piece by piece.

import { limits } from '../base/limits.ts';
import { type Found, type Regex, readRegex } from '../base/regex.ts';
import type { Pattern } from '../zone/model.ts';

/** Looks for a pattern in bytes that come in pieces; none is looked at twice. */
export interface Search {
  /** The next piece; a match that ends with it may show at `end` only. */
  push(piece: Uint8Array): Found;
  /** Whether there is a match if nothing more comes. */
  end(): Found;
  /** Work that may still be done, for another search of the same probe. */
  readonly left: number;
}

/** Patterns come from zone files, maybe by way of another thread, as plain data: each is compiled once, when it is first used. */
const compiled = new WeakMap<Pattern, Regex>();

/** Compiles the pattern, so that searching can't throw any more. Throws for a regular expression that is none (of another version's). */
export function prepare(pattern: Pattern | null): void {
  if (pattern?.kind === 'regex') regexOf(pattern, pattern.source);
}

/** A search for the pattern; regular expressions see one character a byte. Throws as `prepare` does. */
export function searchFor(pattern: Pattern, work: number = limits.regexWork): Search {
  return pattern.kind === 'bytes' ? new BytesSearch(pattern.bytes) : regexOf(pattern, pattern.source).search(work);
}

/** Whether a text in UTF-8 has the pattern in it. Throws as `prepare` does. */
export function searchText(pattern: Pattern, data: Buffer): Found {
  if (pattern.kind === 'bytes') return new BytesSearch(pattern.bytes).push(data);
  const search = regexOf(pattern, pattern.source).search(limits.regexWork);
  search.push(data.toString('utf8'));
  return search.end();
}

/** The words for an answer that doesn't have the pattern. */
export function unmatched(what: string, found: Found): string {
  return found === 'too much work'
    ? `the regular expression takes too long for this ${what}`
    : `${what} does not match`;
}

function regexOf(pattern: Pattern, source: string): Regex {
  let regex = compiled.get(pattern);
  if (regex === undefined) {
    const read = readRegex(source);
    if ('reason' in read) throw new Error(`a pattern is no regular expression: ${read.reason}`);
    regex = read;
    compiled.set(pattern, regex);
  }
  return regex;
}

class BytesSearch implements Search {
  readonly #bytes: Uint8Array;
  /** The end of what came, one byte less than the pattern has. */
  #tail: Buffer = Buffer.alloc(0);
  #found: Found = 'more';
  readonly left = limits.regexWork;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  push(piece: Uint8Array): Found {
    if (this.#found === 'match') return this.#found;
    const { length } = this.#bytes;
    const data =
      this.#tail.length === 0
        ? Buffer.from(piece.buffer, piece.byteOffset, piece.length)
        : Buffer.concat([this.#tail, piece]);
    if (data.includes(Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, length))) this.#found = 'match';
    else this.#tail = Buffer.from(data.subarray(Math.max(0, data.length - length + 1)));
    return this.#found;
  }

  end(): Found {
    return this.#found;
  }
}
