// What a probe sends and waits for: text, `hex:` bytes, or `regex:`.
import { Buffer } from 'node:buffer';
import type { Document, Node } from '../base/document.ts';
import { readScalar } from '../base/fields.ts';
import { readRegex } from '../base/regex.ts';
import type { Pattern } from '../zone/model.ts';

/** Bytes to send: text as UTF-8, or `hex:00ff`. */
export function readBytes(document: Document, node: Node, what: string): Uint8Array | undefined {
  const scalar = readScalar(document, node, what);
  if (scalar === undefined) return undefined;
  if (scalar.text.startsWith('regex:')) {
    document.report('bad-value', scalar, `${what} cannot be a regular expression`, 'write text, or hex: and bytes');
    return undefined;
  }
  if (!scalar.text.startsWith('hex:')) return new Uint8Array(Buffer.from(scalar.text, 'utf8'));
  const digits = scalar.text.slice(4).replaceAll(' ', '');
  if (/^([0-9a-fA-F]{2})*$/.test(digits)) return new Uint8Array(Buffer.from(digits, 'hex'));
  document.report(
    'bad-value',
    scalar,
    `${what}: these are not bytes in hex`,
    'write hex: and two digits a byte, such as hex:00ff',
  );
  return undefined;
}

/** What an answer must contain: text, `hex:00ff`, or `regex:^ok`. */
export function readPattern(document: Document, node: Node, what: string): Pattern | undefined {
  const scalar = readScalar(document, node, what);
  if (scalar === undefined) return undefined;
  if (!scalar.text.startsWith('regex:')) {
    const bytes = readBytes(document, node, what);
    return bytes === undefined ? undefined : { kind: 'bytes', bytes };
  }
  const source = scalar.text.slice('regex:'.length);
  const read = readRegex(source);
  if (!('reason' in read)) return { kind: 'regex', source };
  document.report('bad-regex', scalar, `${what}: ${read.reason}`, read.fix);
  return undefined;
}
