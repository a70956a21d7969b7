// The lexical layer of master files (RFC 1035 5.1): one record's data as tokens, and character strings to octets and back.
import { escapedOctet, isDigit } from './name.ts';

/** One item of the data. Escapes are still in `text`, quotes are not. */
export interface Token {
  readonly text: string;
  /** `quoted`: "..." as a whole; `mixed`: key="value"; else `plain`. */
  readonly form: 'plain' | 'quoted' | 'mixed';
}

/** What is wrong with a text, and what to write instead ('' where the type's example says it best). */
export interface Failure {
  readonly reason: string;
  readonly fix: string;
}

/**
 * Splits one record's data into tokens. Parentheses let it go on over several lines; `;` begins a comment where a token could
 * begin. Never throws.
 */
export function tokenize(text: string): readonly Token[] | Failure {
  const tokens: Token[] = [];
  let depth = 0;
  let lineEnded = false;
  let i = 0;
  while (i < text.length) {
    const c = text[i]!;
    if (c === ' ' || c === '\t') {
      i++;
      continue;
    }
    if (c === '\n' || c === '\r') {
      // RFC 1035 5.1: only parentheses let a record cross the end of a line.
      lineEnded = depth === 0 && tokens.length > 0;
      i++;
      continue;
    }
    if (c === ';') {
      while (i < text.length && text[i] !== '\n') i++;
      continue;
    }
    if (lineEnded) {
      return failure(
        'the data goes on in a second line',
        'write ( before the first and ) behind the last line, or one record an item',
      );
    }
    if (c === '(') {
      depth++;
      i++;
      continue;
    }
    if (c === ')') {
      if (depth-- === 0) return failure('a ) without its (', 'remove it, or put quotes around the text that has it');
      i++;
      continue;
    }
    const read = c === '"' ? readQuoted(text, i) : readPlain(text, i);
    if ('reason' in read) return read;
    tokens.push(read.token);
    i = read.next;
  }
  if (depth > 0) return failure('a ( without its )', 'add a ) at the end');
  return tokens;
}

/**
 * The octets that a text with escapes stands for; characters outside ASCII give their UTF-8. null: an escape is broken.
 */
export function textOctets(text: string): Uint8Array | null {
  if (!text.includes('\\')) return new Uint8Array(Buffer.from(text, 'utf8'));
  const octets: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') {
      const character = String.fromCodePoint(text.codePointAt(i)!);
      octets.push(...Buffer.from(character, 'utf8'));
      i += character.length - 1;
      continue;
    }
    const octet = escapedOctet(text, i);
    if (octet < 0) return null;
    octets.push(octet);
    i += isDigit(text.charCodeAt(i + 1)) ? 3 : 1;
  }
  return Uint8Array.from(octets);
}

/** `bytes[from .. to)` as a quoted character string; whatever is not printable ASCII as \DDD. */
export function quotedText(bytes: Uint8Array, from = 0, to = bytes.length): string {
  let text = '"';
  for (let i = from; i < to; i++) {
    const octet = bytes[i]!;
    if (octet < 0x20 || octet >= 0x7f) text += `\\${String(octet).padStart(3, '0')}`;
    else if (octet === 0x22 || octet === 0x5c) text += `\\${String.fromCharCode(octet)}`;
    else text += String.fromCharCode(octet);
  }
  return `${text}"`;
}

/** A text that is repeated in a message: in quotes, cut to a length that fits there. */
export function shown(text: string): string {
  return text.length <= 60 ? `"${text}"` : `"${text.slice(0, 57)}..."`;
}

/** The Failure with this reason. */
export function failure(reason: string, fix = ''): Failure {
  return { reason, fix };
}

type Read = { readonly token: Token; readonly next: number } | Failure;

/** Reads "..." at `from`; another quote may follow at once, nothing else that is part of a token. */
function readQuoted(text: string, from: number): Read {
  const end = closingQuote(text, from);
  if (end < 0)
    return failure(`the quote of ${shown(text.slice(from + 1))} is not closed in its line`, 'add a " at its end');
  if (!/^[\s"();]?$/.test(text.charAt(end + 1))) {
    return failure(
      `${shown(text.slice(end + 1))} follows a quote directly`,
      'put a blank after the closing ", or write \\" for a quote in a text',
    );
  }
  return { token: { text: text.slice(from + 1, end), form: 'quoted' }, next: end + 1 };
}

function readPlain(text: string, from: number): Read {
  let i = from;
  for (; i < text.length; i++) {
    const c = text[i]!;
    if (c === ' ' || c === '\t' || c === '\n' || c === '\r' || c === '(' || c === ')') break;
    if (c === '\\') {
      i++;
      continue;
    }
    // In a master file the rest would be a comment and silently lost.
    if (c === ';')
      return failure(`${shown(text.slice(from))} has a ; outside of quotes`, `put quotes around the text that has it`);
    if (c !== '"') continue;
    if (text[i - 1] !== '=')
      return failure(`a " stands inside of ${shown(text.slice(from))}`, 'put the whole text in quotes');
    const end = closingQuote(text, i);
    const value =
      end < 0
        ? failure(`the quote of ${shown(text.slice(from))} is not closed`, 'add a " at its end')
        : readQuoted(text, i);
    if ('reason' in value) return value;
    return { token: { text: text.slice(from, i) + value.token.text, form: 'mixed' }, next: value.next };
  }
  return { token: { text: text.slice(from, i), form: 'plain' }, next: Math.min(i, text.length) };
}

/** The index of the quote that closes the one at `from`, or -1. */
function closingQuote(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    const c = text[i]!;
    if (c === '"') return i;
    if (c === '\n' || c === '\r') return -1;
    if (c === '\\') i++;
  }
  return -1;
}
