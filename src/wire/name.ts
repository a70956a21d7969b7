// Domain names: master-file text to wire form and back, and how they compare.
import { domainToASCII } from 'node:url';
import { lowerOctet } from '../base/ascii.ts';
import { limits } from '../base/limits.ts';

export type NameResult =
  | { readonly ok: true; readonly wire: Uint8Array }
  | { readonly ok: false; readonly reason: string };

/** The root's wire form. */
export const ROOT_NAME: Uint8Array = new Uint8Array(1);

const DOT = 0x2e;
const ASTERISK = 0x2a;
const AT_SIGN = 0x40;
const BACKSLASH = 0x5c;
const ASCII_MAX = 0x7f;

/**
 * Reads a name in master-file syntax (RFC 1035 5.1): `@` is the origin, a final dot makes it absolute, else it is relative to
 * the origin; `\.` and `\065` are escapes. With origin null only absolute names are accepted. The case is kept.
 * The wire form is uncompressed and ends with the root's zero octet. A reason says what to write instead.
 */
export function parseName(text: string, origin: Uint8Array | null): NameResult {
  if (text === '@') {
    return origin === null
      ? bad('"@" has no zone to stand for here; write the name with a final dot')
      : good(origin.slice());
  }
  if (text === '.') return good(ROOT_NAME.slice());
  if (text === '') return bad('the name is empty');
  const foreign = nonAscii(text);
  if (foreign !== null) return bad(foreign);

  // Each character gives at most one octet, each label one more for its length.
  const wire = new Uint8Array(text.length + 2);
  let lengthAt = 0;
  let at = 1;
  let ended = false;
  const closeLabel = (): string | null => {
    const length = at - lengthAt - 1;
    if (length === 0) return `"${text}" has an empty label (two dots in a row, or one at the start)`;
    if (length > limits.labelBytes)
      return `a label of "${brief(text)}" has ${length} octets; at most ${limits.labelBytes} are allowed`;
    wire[lengthAt] = length;
    lengthAt = at++;
    return null;
  };
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    ended = code === DOT;
    if (code === DOT) {
      const reason = closeLabel();
      if (reason !== null) return bad(reason);
    } else if (code === BACKSLASH) {
      const octet = escapedOctet(text, i);
      if (octet < 0)
        return bad(`"${brief(text)}" has a broken escape; write \\. for a dot or \\DDD (000 to 255) for an octet`);
      i += isDigit(text.charCodeAt(i + 1)) ? 3 : 1;
      wire[at++] = octet;
    } else if (code <= 0x20 || code === 0x7f) {
      return bad(`"${brief(text)}" has a blank or control character; write it as \\${String(code).padStart(3, '0')}`);
    } else if (code === AT_SIGN) {
      const absolute = brief(text.replace('@', '.')).replace(/\.?$/, '.');
      return bad(
        `"${brief(text)}" has an @; write a mailbox with a dot in its place ("${absolute}"), or \\@ if you mean the character`,
      );
    } else wire[at++] = code;
  }
  if (ended) return fitting(wire.slice(0, lengthAt + 1), text);
  const reason = closeLabel();
  if (reason !== null) return bad(reason);
  if (origin === null) return bad(`"${brief(text)}" must be absolute; write "${brief(text)}." with a final dot`);
  const whole = new Uint8Array(lengthAt + origin.length);
  whole.set(wire.subarray(0, lengthAt));
  whole.set(origin, lengthAt);
  return fitting(whole, text);
}

/** The text of the uncompressed wire name at `wire[at]`, absolute with a final dot, escaped; `.` for the root. */
export function nameToText(wire: Uint8Array, at = 0): string {
  if (at >= wire.length || wire[at] === 0) return '.';
  return labelsText(wire, at, wire.length);
}

/**
 * The name as a zone file would write it: `@` for the apex, `www` or `a.b` below it, and absolute with a final dot elsewhere.
 */
export function relativeText(name: Uint8Array, apex: Uint8Array): string {
  if (!isAtOrBelow(name, apex)) return nameToText(name);
  const end = nameLength(name) - apex.length;
  return end === 0 ? '@' : labelsText(name, 0, end).slice(0, -1);
}

/** A copy in ASCII lower case (RFC 4343). */
export function lowerName(wire: Uint8Array): Uint8Array {
  // Length octets are at most 63 and so never look like capitals.
  return wire.map(lowerOctet);
}

/**
 * Octets of the uncompressed name at `bytes[at]`, its final zero included. -1 when no whole name of at most 255 octets in
 * labels of at most 63 stands there (a compression pointer is none).
 */
export function nameLength(bytes: Uint8Array, at = 0): number {
  let p = at;
  while (p < bytes.length) {
    const length = bytes[p]!;
    if (length > limits.labelBytes) return -1;
    p += length + 1;
    if (p - at > limits.nameBytes) return -1;
    if (length === 0) return p - at;
  }
  return -1;
}

/** Labels of a wire name, the root's not counted. */
export function labelCount(wire: Uint8Array): number {
  let count = 0;
  for (let p = 0; p < wire.length && wire[p] !== 0; p += wire[p]! + 1) count++;
  return count;
}

/** The name without its first label; null for the root, which has no parent. */
export function parentName(wire: Uint8Array): Uint8Array | null {
  return wire.length === 0 || wire[0] === 0 ? null : wire.slice(wire[0]! + 1);
}

/** Whether two wire names are the same, ASCII case ignored (RFC 4343). */
export function equalNames(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && endsAlike(a, 0, b);
}

/** Whether `name` is `apex` or below it, ASCII case ignored. */
export function isAtOrBelow(name: Uint8Array, apex: Uint8Array): boolean {
  const from = name.length - apex.length;
  if (from < 0) return false;
  let p = 0;
  while (p < from) p += name[p]! + 1;
  return p === from && endsAlike(name, from, apex);
}

/**
 * The octet that the escape at `text[at]` (a backslash) stands for: `\065` by number, `\.` the character itself. -1 when it is
 * broken: a number over 255, fewer than three digits, nothing behind the backslash, or a character outside ASCII.
 */
export function escapedOctet(text: string, at: number): number {
  const code = text.charCodeAt(at + 1);
  if (!isDigit(code)) return code <= ASCII_MAX ? code : -1;
  const digits = text.slice(at + 1, at + 4);
  if (!/^[0-9]{3}$/.test(digits)) return -1;
  const octet = Number(digits);
  return octet <= 255 ? octet : -1;
}

/** Whether a UTF-16 code is an ASCII digit. */
export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function good(wire: Uint8Array): NameResult {
  return { ok: true, wire };
}

function bad(reason: string): NameResult {
  return { ok: false, reason };
}

function fitting(wire: Uint8Array, text: string): NameResult {
  if (wire.length <= limits.nameBytes) return good(wire);
  return bad(`"${brief(text)}" has ${wire.length} octets as a whole name; at most ${limits.nameBytes} are allowed`);
}

function brief(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

/** What to say about a name with characters outside ASCII, or null: DNS data holds their A-label form (RFC 5890 2.3.2.1). */
function nonAscii(text: string): string | null {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) <= ASCII_MAX) continue;
    // Labels with `*` or `_` are no host names, which is all that the conversion accepts: only foreign labels go through it.
    const labels = text.split(/[.\u3002\uff0e\uff61]/).map((label) => {
      const foreign = Array.from(label).some((c) => c.codePointAt(0)! > ASCII_MAX);
      return foreign ? domainToASCII(label) : label;
    });
    const written = labels.join('.');
    // The conversion reads digits of other scripts as an IPv4 address, which has dots.
    const valid = labels.every(
      (label, k) => !label.includes('.') && (label !== '' || (k === labels.length - 1 && k > 0)),
    );
    return valid
      ? `"${brief(text)}" has characters outside ASCII; write "${written}"`
      : `"${brief(text)}" has characters outside ASCII that no domain name can have`;
  }
  return null;
}

/** Labels from `at` to `end` or the root, each followed by a dot. */
function labelsText(wire: Uint8Array, at: number, end: number): string {
  let text = '';
  let p = at;
  while (p < end && wire[p] !== 0) {
    const labelEnd = Math.min(end, p + 1 + wire[p]!);
    for (p += 1; p < labelEnd; p++) text += octetText(wire[p]!);
    text += '.';
  }
  return text;
}

/** One octet of a label as master files write it; what has a meaning there is escaped, so that the text reads back. */
function octetText(octet: number): string {
  if (octet <= 0x20 || octet >= 0x7f) return `\\${String(octet).padStart(3, '0')}`;
  const character = String.fromCharCode(octet);
  return '."();@$\\'.includes(character) ? `\\${character}` : character;
}

/** Whether `name` from `from` on equals `other`. */
function endsAlike(name: Uint8Array, from: number, other: Uint8Array): boolean {
  for (let i = 0; i < other.length; i++) {
    if (lowerOctet(name[from + i]!) !== lowerOctet(other[i]!)) return false;
  }
  return true;
}

/** Whether every `*` of a name is its whole first label; elsewhere it is a label like others (RFC 4592 2.1.1). */
export function wildcardIsRight(wire: Uint8Array): boolean {
  const from = wire[0] === 1 && wire[1] === ASTERISK ? 2 : 0;
  return wire.indexOf(ASTERISK, from) < 0 || !hasAsteriskInLabel(wire, from);
}

/** A length octet can be 42 too; only then are the labels looked at one by one. */
function hasAsteriskInLabel(wire: Uint8Array, from: number): boolean {
  for (let at = from; at < wire.length && wire[at] !== 0; at += wire[at]! + 1) {
    if (wire.subarray(at + 1, at + 1 + wire[at]!).includes(ASTERISK)) return true;
  }
  return false;
}
