// Mistakes in the YAML itself, and those that are mended without doubt: a value that lacks its quotes.
import type { Code } from './codes.ts';

/** A mistake in the YAML itself. */
export interface YamlMistake {
  readonly code: Code;
  readonly offset: number;
  readonly message: string;
  readonly fix: string;
  /** Of a duplicate: the offset of the first. */
  readonly first?: number;
}

/** A stretch of the text that has to be quoted. */
export interface Slip {
  readonly start: number;
  readonly end: number;
}

/** The mistake that a slip is. */
export function quoteIt(text: string, slip: Slip): YamlMistake {
  const bare = text.slice(slip.start, slip.end);
  const why = bare.startsWith('*')
    ? 'YAML takes an unquoted * for an alias'
    : bare.endsWith(':')
      ? 'YAML takes a final colon for the end of a key'
      : `YAML does not let a value begin with ${bare[0]}`;
  return { code: 'quote-it', offset: slip.start, message: `quote it: ${why}`, fix: `write "${bare}"` };
}
