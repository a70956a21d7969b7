// The kinds of fields that record data consists of: each reads, checks and prints itself.
import { formatAddress, parseAddress } from '../base/address.ts';
import { isAtOrBelow, nameLength, nameToText, parseName } from './name.ts';
import { type Failure, failure, quotedText, shown, type Token, textOctets } from './presentation.ts';

/** A domain name that stands in record data: as it was written, and absolute on the wire. */
export interface Host {
  readonly text: string;
  readonly wire: Uint8Array;
}

/** Record data while it is being read from text. */
export interface Draft {
  readonly origin: Uint8Array;
  readonly octets: number[];
  readonly hosts: Host[];
}

/** One field of a type's data. No method throws on any input. */
export interface Field {
  /** What stands here, as messages say it: `preference (0 to 65535)`. */
  readonly label: string;
  /** How many tokens it takes: one, all that are left (at least one), or all that are left, if any. */
  readonly takes: 'one' | 'rest' | 'optional rest';
  /** Forms of tokens that it accepts. */
  readonly quotes: 'never' | 'allowed' | 'in values';
  /** Set for domain names; only those of RFC 1035's types may be compressed (RFC 3597 4). */
  readonly name?: 'compressible' | 'plain';
  /** Appends what the tokens say to the draft. Returns what is wrong, or null. */
  parse(tokens: readonly Token[], draft: Draft): Failure | null;
  /** The offset behind the field that starts at `bytes[at]`, or -1 when it is not well formed. */
  skip(bytes: Uint8Array, at: number): number;
  /** The text of a well-formed field at `bytes[at .. end)`. */
  print(bytes: Uint8Array, at: number, end: number): string;
}

/** A whole number of 1, 2 or 4 octets; `mnemonics` may be written in its place. */
export function unsigned(label: string, octets: 1 | 2 | 4, mnemonics: Readonly<Record<string, number>> = {}): Field {
  const max = 2 ** (8 * octets) - 1;
  const known = new Map(Object.entries(mnemonics));
  return {
    label: `${label} (0 to ${max})`,
    takes: 'one',
    quotes: 'never',
    parse: ([token], draft) => {
      const text = token!.text;
      const value = known.get(text.toUpperCase()) ?? (/^(0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : -1);
      if (value < 0) return failure(`${shown(text)} is no whole number for the ${label}`);
      if (value > max) return failure(`the ${label} ${text} is over ${max}`);
      pushNumber(draft.octets, value, octets);
      return null;
    },
    skip: (bytes, at) => (at + octets <= bytes.length ? at + octets : -1),
    print: (bytes, at) => String(numberAt(bytes, at, octets)),
  };
}

/** A domain name that never is compressed. */
export function name(label: string): Field {
  return nameField(label, 'plain');
}

/** A domain name that answers may compress: only in the types of RFC 1035. */
export function compressibleName(label: string): Field {
  return nameField(label, 'compressible');
}

/** An address of one family. */
export function address(family: 4 | 6): Field {
  const octets = family === 4 ? 4 : 16;
  return {
    label: `IPv${family} address`,
    takes: 'one',
    quotes: 'never',
    parse: ([token], draft) => {
      const parsed = parseAddress(token!.text);
      if (parsed === undefined) return failure(`${shown(token!.text)} is no IPv${family} address`);
      if (parsed.family !== family) {
        const type = family === 4 ? 'AAAA' : 'A';
        return failure(
          `${shown(token!.text)} is an IPv${parsed.family} address`,
          `write it under ${type}, or under ADDR, which takes both`,
        );
      }
      draft.octets.push(...parsed.bytes);
      return null;
    },
    skip: (bytes, at) => (at + octets <= bytes.length ? at + octets : -1),
    print: (bytes, at) => formatAddress({ family, bytes: bytes.subarray(at, at + octets) }),
  };
}

/** One character string: a length octet and up to 255 octets. */
export function characterString(label: string): Field {
  return {
    label,
    takes: 'one',
    quotes: 'allowed',
    parse: ([token], draft) => pushString(token!, draft.octets),
    skip: stringEnd,
    print: (bytes, at) => quotedText(bytes, at + 1, at + 1 + bytes[at]!),
  };
}

/** One character string or more, to the end of the data. */
export function characterStrings(label: string): Field {
  const fixOfLong = 'split it into several strings, "..." "...", or leave the quotes away: it is split by itself then';
  return {
    label,
    takes: 'rest',
    quotes: 'allowed',
    parse: (tokens, draft) => {
      for (const token of tokens) {
        const wrong = pushString(token, draft.octets, fixOfLong);
        if (wrong !== null) return wrong;
      }
      return null;
    },
    skip: (bytes, at) => {
      // RFC 1035 3.3.14: one or more.
      if (at >= bytes.length) return -1;
      let p = at;
      while (p >= 0 && p < bytes.length) p = stringEnd(bytes, p);
      return p;
    },
    print: (bytes, at, end) => {
      const strings: string[] = [];
      for (let p = at; p < end; p += bytes[p]! + 1) strings.push(quotedText(bytes, p + 1, p + 1 + bytes[p]!));
      return strings.join(' ');
    },
  };
}

/** Text without a length of its own, to the end of the data: the value of CAA, the target of URI. */
export function finalText(label: string, least: 0 | 1): Field {
  return {
    label,
    takes: 'one',
    quotes: 'allowed',
    parse: ([token], draft) => {
      const octets = textOctets(token!.text);
      if (octets === null) return brokenEscape(token!.text);
      if (octets.length < least) return failure(`the ${label} is empty`);
      for (const octet of octets) draft.octets.push(octet);
      return null;
    },
    skip: (bytes, at) => (bytes.length - at >= least ? bytes.length : -1),
    print: quotedText,
  };
}

/** The tag of CAA: a length octet, then letters and digits (RFC 8659 4.1). */
export function tag(label: string): Field {
  return {
    label,
    takes: 'one',
    quotes: 'never',
    parse: ([token], draft) => {
      if (!/^[A-Za-z0-9]{1,255}$/.test(token!.text)) {
        return failure(
          `the ${label} ${shown(token!.text)} must be letters and digits, such as issue, issuewild or iodef`,
        );
      }
      return pushString(token!, draft.octets);
    },
    skip: (bytes, at) => {
      const end = stringEnd(bytes, at);
      if (end < at + 2) return -1;
      return bytes.subarray(at + 1, end).every(isAlphanumeric) ? end : -1;
    },
    print: (bytes, at, end) => latin1(bytes, at + 1, end),
  };
}

/** Octets in hexadecimal to the end of the data, at least one. */
export function hexadecimal(label: string): Field {
  return {
    label: `${label} in hexadecimal`,
    takes: 'rest',
    quotes: 'never',
    parse: (tokens, draft) => {
      const octets = hexOctets(tokens.map((token) => token.text).join(''));
      if (octets === null) return failure(`the ${label} is no hexadecimal text with two digits an octet`);
      for (const octet of octets) draft.octets.push(octet);
      return null;
    },
    skip: toEnd,
    print: (bytes, at, end) => Buffer.from(bytes.subarray(at, end)).toString('hex').toUpperCase(),
  };
}

/** Octets in base64 (RFC 4648 4, padded) to the end of the data, at least one. */
export function base64(label: string): Field {
  return {
    label: `${label} in base64`,
    takes: 'rest',
    quotes: 'never',
    parse: (tokens, draft) => {
      const octets = base64Octets(tokens.map((token) => token.text).join(''));
      if (octets === null) return failure(`the ${label} is no base64 text (letters, digits, + and /, padded with =)`);
      for (const octet of octets) draft.octets.push(octet);
      return null;
    },
    skip: toEnd,
    print: (bytes, at, end) => Buffer.from(bytes.subarray(at, end)).toString('base64'),
  };
}

/** Octets of a hexadecimal text; null when it is empty or anything else. */
export function hexOctets(text: string): Uint8Array | null {
  return /^([0-9a-fA-F]{2})+$/.test(text) ? new Uint8Array(Buffer.from(text, 'hex')) : null;
}

/** Octets of a base64 text; null when it is empty, not padded, or not what encoding them gives. */
export function base64Octets(text: string): Uint8Array | null {
  const octets = Buffer.from(text, 'base64');
  return text !== '' && octets.toString('base64') === text ? new Uint8Array(octets) : null;
}

/** Appends a number in network order. */
export function pushNumber(octets: number[], value: number, size: 1 | 2 | 4): void {
  for (let shift = 8 * (size - 1); shift >= 0; shift -= 8) octets.push((value >>> shift) & 0xff);
}

/** The number of `size` octets at `bytes[at]`. */
export function numberAt(bytes: Uint8Array, at: number, size: 1 | 2 | 4): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

/** The failure of a text whose escapes can't be read. */
export function brokenEscape(text: string): Failure {
  return failure(
    `${shown(text)} has a broken escape`,
    'write \\\\ for a backslash, \\" for a quote, \\DDD (000 to 255) for any octet',
  );
}

/** `bytes[from .. to)` as characters of the same numbers. */
export function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.subarray(from, to)).toString('latin1');
}

function nameField(label: string, kind: 'compressible' | 'plain'): Field {
  return {
    label,
    takes: 'one',
    quotes: 'never',
    name: kind,
    parse: ([token], draft) => {
      const text = token!.text;
      const mistaken = noName(text, label, draft.origin);
      if (mistaken !== null) return mistaken;
      const parsed = parseName(text, draft.origin);
      if (!parsed.ok) return failure(parsed.reason);
      draft.octets.push(...parsed.wire);
      draft.hosts.push({ text, wire: parsed.wire });
      return null;
    },
    skip: (bytes, at) => {
      const length = nameLength(bytes, at);
      return length < 0 ? -1 : at + length;
    },
    print: nameToText,
  };
}

/** The wire name `arpa.`: below it, four numbers in a row are a good relative name. */
const ARPA = Uint8Array.from([4, 97, 114, 112, 97, 0]);

/** What people write where a name belongs, and which the syntax of names would let pass. */
function noName(text: string, label: string, origin: Uint8Array): Failure | null {
  if (text.includes('://')) {
    return failure(`${shown(text)} is a URL, the ${label} is a name`, 'write only the host name, with a final dot');
  }
  if (parseAddress(text.replace(/\.$/, '')) !== undefined && !isAtOrBelow(origin, ARPA)) {
    return failure(
      `${shown(text)} is an address, the ${label} is a name`,
      'give the address a name of its own with A or AAAA, and write that name here',
    );
  }
  return null;
}

function pushString(token: Token, octets: number[], fixOfLong = ''): Failure | null {
  const string = textOctets(token.text);
  if (string === null) return brokenEscape(token.text);
  if (string.length > 255) {
    return failure(`${shown(token.text)} has ${string.length} octets, one string holds at most 255`, fixOfLong);
  }
  octets.push(string.length, ...string);
  return null;
}

/** The offset behind the character string at `bytes[at]`, or -1. */
function stringEnd(bytes: Uint8Array, at: number): number {
  const length = bytes[at];
  return length === undefined || at + 1 + length > bytes.length ? -1 : at + 1 + length;
}

function toEnd(bytes: Uint8Array, at: number): number {
  return at < bytes.length ? bytes.length : -1;
}

function isAlphanumeric(octet: number): boolean {
  return (octet >= 0x30 && octet <= 0x39) || (octet >= 0x41 && octet <= 0x5a) || (octet >= 0x61 && octet <= 0x7a);
}
