// The scalars of plain YAML, each in one line: unquoted, or in quotes with no escapes but those of the quotes themselves.
import type { ScalarNode } from './yaml-node.ts';

export const LF = 0x0a;
export const SPACE = 0x20;
const QUOTE = 0x22;
export const HASH = 0x23;
const APOSTROPHE = 0x27;
export const COMMA = 0x2c;
const DASH = 0x2d;
export const COLON = 0x3a;
export const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
export const CLOSE_LIST = 0x5d;
export const OPEN_MAP = 0x7b;
export const CLOSE_MAP = 0x7d;

/** What a value without quotes may not begin with: YAML has a meaning for it. */
const INDICATORS = new Set(Array.from('&*!|>%@`?:,[]{}#', (character) => character.charCodeAt(0)));

/** Thrown where a text is not surely plain; caught in yaml-plain.ts, nowhere else. */
export const NOT_SURE = Symbol('not surely plain');

/** A place in a text, and what reads a scalar there. */
export class PlainScalars {
  protected readonly text: string;
  protected at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The end of this line if nothing but blanks and a comment stands before it; else -1. */
  protected endOfBlanks(): number {
    const text = this.text;
    let at = this.at;
    while (text.charCodeAt(at) === SPACE) at++;
    if (at >= text.length) return at;
    const code = text.charCodeAt(at);
    if (code === LF) return at;
    if (code !== HASH || (at > 0 && text.charCodeAt(at - 1) !== SPACE)) return -1;
    const end = text.indexOf('\n', at);
    return end < 0 ? text.length : end;
  }

  /** At `- `. */
  protected atDash(): boolean {
    if (this.text.charCodeAt(this.at) !== DASH) return false;
    const next = this.text.charCodeAt(this.at + 1);
    return next === SPACE || next === LF || this.at + 1 >= this.text.length;
  }

  /** A scalar of one line. In a block it stops on the colon of a key. */
  protected readScalar(inFlow: boolean): ScalarNode {
    const code = this.text.charCodeAt(this.at);
    if (code === QUOTE) return this.#readDoubleQuoted(inFlow);
    if (code === APOSTROPHE) return this.#readSingleQuoted(inFlow);
    return this.#readUnquoted(inFlow);
  }

  #readUnquoted(inFlow: boolean): ScalarNode {
    const text = this.text;
    const offset = this.at;
    const first = text.charCodeAt(offset);
    if (INDICATORS.has(first) || this.atDash()) throw NOT_SURE;
    if (first === DASH && inFlow && ',[]{}'.includes(text.charAt(offset + 1))) throw NOT_SURE;
    let at = offset;
    // The end of the scalar: one behind its last character that is no blank.
    let end = offset;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === SPACE) continue;
      if (code === LF) break;
      if (code === HASH && at > end) break;
      if (code === COLON) {
        const next = text.charCodeAt(at + 1);
        if (next === SPACE || next === LF || at + 1 >= text.length) break;
        if (
          inFlow &&
          (next === COMMA || next === OPEN_LIST || next === CLOSE_LIST || next === OPEN_MAP || next === CLOSE_MAP)
        )
          throw NOT_SURE;
      } else if (inFlow) {
        if (code === COMMA || code === CLOSE_LIST || code === CLOSE_MAP) break;
        if (code === OPEN_LIST || code === OPEN_MAP) throw NOT_SURE;
      }
      end = at + 1;
    }
    if (end === offset) throw NOT_SURE;
    this.at = text.charCodeAt(at) === COLON ? at : end;
    if (inFlow) this.#mustEndHere(end);
    return { kind: 'scalar', text: text.slice(offset, end), quoted: false, offset };
  }

  /** A flow scalar that doesn't end with its line goes on in the next one. */
  #mustEndHere(end: number): void {
    const text = this.text;
    let at = end;
    while (text.charCodeAt(at) === SPACE) at++;
    const code = text.charCodeAt(at);
    if (code === COLON || code === COMMA || code === CLOSE_LIST || code === CLOSE_MAP) return;
    if (code !== LF && code !== HASH) throw NOT_SURE;
    for (;;) {
      const lineEnd = text.indexOf('\n', at);
      if (lineEnd < 0) throw NOT_SURE;
      at = lineEnd + 1;
      while (text.charCodeAt(at) === SPACE) at++;
      const next = text.charCodeAt(at);
      if (next === COMMA || next === CLOSE_LIST || next === CLOSE_MAP) return;
      if (next !== LF) throw NOT_SURE;
    }
  }

  #readDoubleQuoted(inFlow: boolean): ScalarNode {
    const text = this.text;
    const offset = this.at;
    let value = '';
    let from = offset + 1;
    let at = from;
    for (; text.charCodeAt(at) !== QUOTE; at++) {
      const code = text.charCodeAt(at);
      if (at >= text.length || code === LF) throw NOT_SURE;
      if (code !== BACKSLASH) continue;
      const next = text.charCodeAt(at + 1);
      if (next !== QUOTE && next !== BACKSLASH) throw NOT_SURE;
      value += text.slice(from, at);
      at++;
      from = at;
    }
    value += text.slice(from, at);
    return this.#quoted(offset, at + 1, value, inFlow);
  }

  #readSingleQuoted(inFlow: boolean): ScalarNode {
    const text = this.text;
    const offset = this.at;
    let at = offset + 1;
    for (; ; at++) {
      const code = text.charCodeAt(at);
      if (at >= text.length || code === LF) throw NOT_SURE;
      if (code !== APOSTROPHE) continue;
      if (text.charCodeAt(at + 1) !== APOSTROPHE) break;
      at++;
    }
    return this.#quoted(offset, at + 1, text.slice(offset + 1, at).replaceAll("''", "'"), inFlow);
  }

  /** What may follow a closing quote: the end of the line, a blank, a colon that ends a key, the delimiters of a flow. */
  #quoted(offset: number, end: number, value: string, inFlow: boolean): ScalarNode {
    this.at = end;
    const next = this.text.charCodeAt(end);
    const delimiter = inFlow && (next === COMMA || next === CLOSE_LIST || next === CLOSE_MAP);
    if (next === COLON) {
      const behind = this.text.charCodeAt(end + 1);
      if (behind !== SPACE && behind !== LF) throw NOT_SURE;
    } else if (end < this.text.length && next !== SPACE && next !== LF && !delimiter) throw NOT_SURE;
    // A blank between the quote and the colon of a key is left to the whole parser.
    if (next === SPACE && !inFlow && this.endOfBlanks() < 0) throw NOT_SURE;
    return { kind: 'scalar', text: value, quoted: true, offset };
  }
}
