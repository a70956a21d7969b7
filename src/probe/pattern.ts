// Whether bytes that came back hold what a check expects.
import type { Pattern } from '../zone/model.ts';

const compiled = new WeakMap<Pattern, RegExp>();

/**
 * Whether `data` has the pattern anywhere in it. Regular expressions see the bytes as `encoding`: utf8 for HTTP bodies,
 * latin1 (one character a byte) for raw protocols. Throws SyntaxError for a regular expression that is none.
 */
export function matches(pattern: Pattern, data: Buffer, encoding: 'utf8' | 'latin1'): boolean {
  if (pattern.kind === 'bytes')
    return data.includes(Buffer.from(pattern.bytes.buffer, pattern.bytes.byteOffset, pattern.bytes.byteLength));
  let regex = compiled.get(pattern);
  if (regex === undefined) {
    regex = new RegExp(pattern.source);
    compiled.set(pattern, regex);
  }
  return regex.test(data.toString(encoding));
}
