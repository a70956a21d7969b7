// The plain part of YAML, which nearly every file keeps to, read ten times faster than a whole parser can.
import { limits } from './limits.ts';
import type { Entry, ListNode, MapNode, Node, ScalarNode } from './yaml-node.ts';

// Whatever is not surely plain (anchors, tags, block scalars, values over several lines, escapes, tabs, every mistake) makes this
// reader give up, and the whole parser reads the text anew. What it does read is node for node what the whole parser gives:
// a property test holds the two together. The benchmark that asked for it: cold start with a million records.

const LF = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const APOSTROPHE = 0x27;
const COMMA = 0x2c;
const DASH = 0x2d;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_MAP = 0x7b;
const CLOSE_MAP = 0x7d;

// Tabs, carriage returns, control characters, a byte order mark, what was no UTF-8.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const NOT_PLAIN = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffd-\uffff]|^(?:---|\.\.\.|%)/m;

/** What a value without quotes may not begin with: YAML has a meaning for it. */
const INDICATORS = new Set(Array.from('&*!|>%@`?:,[]{}#', (character) => character.charCodeAt(0)));

/** Thrown and caught in this file alone. */
const NOT_SURE = Symbol('not surely plain');

/** Reads a text whose root is a block map. Returns null where it isn't surely plain and without mistakes. */
export function parsePlainYaml(text: string): MapNode | null {
  if (NOT_PLAIN.test(text)) return null;
  try {
    return new PlainReader(text).read();
  } catch (error) {
    if (error === NOT_SURE) return null;
    throw error;
  }
}

class PlainReader {
  readonly #text: string;
  #at = 0;
  #lineStart = 0;
  /** Column of the content that `#at` stands on, after `#nextLine`; -1 at the end. */
  #indent = -1;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): MapNode {
    this.#nextLine(0);
    if (this.#indent !== 0) throw NOT_SURE;
    const first = this.#text.charCodeAt(this.#at);
    if (first === OPEN_LIST || first === OPEN_MAP || this.#atDash()) throw NOT_SURE;
    const map = this.#readMap(0, this.#readScalar(false));
    if (this.#at < this.#text.length) throw NOT_SURE;
    return map;
  }

  /** Goes on to the first line at or after `from` (the start of a line) with content. */
  #nextLine(from: number): void {
    const text = this.#text;
    let start = from;
    while (start < text.length) {
      let at = start;
      while (text.charCodeAt(at) === SPACE) at++;
      const code = text.charCodeAt(at);
      if (at < text.length && code !== LF && code !== HASH) {
        this.#lineStart = start;
        this.#indent = at - start;
        this.#at = at;
        return;
      }
      const end = text.indexOf('\n', at);
      if (end < 0) break;
      start = end + 1;
    }
    this.#at = text.length;
    this.#indent = -1;
  }

  /** Ends a line: nothing but blanks and a comment may follow. */
  #endLine(): void {
    const end = this.#endOfBlanks();
    if (end < 0) throw NOT_SURE;
    this.#nextLine(end + 1);
  }

  /** The end of this line if nothing but blanks and a comment stands before it; else -1. */
  #endOfBlanks(): number {
    const text = this.#text;
    let at = this.#at;
    while (text.charCodeAt(at) === SPACE) at++;
    if (at >= text.length) return at;
    const code = text.charCodeAt(at);
    if (code === LF) return at;
    if (code !== HASH || (at > 0 && text.charCodeAt(at - 1) !== SPACE)) return -1;
    const end = text.indexOf('\n', at);
    return end < 0 ? text.length : end;
  }

  /** At `- `. */
  #atDash(): boolean {
    if (this.#text.charCodeAt(this.#at) !== DASH) return false;
    const next = this.#text.charCodeAt(this.#at + 1);
    return next === SPACE || next === LF || this.#at + 1 >= this.#text.length;
  }

  /** A map whose keys stand in column `indent`; its first key is read already and `#at` stands on the colon. */
  #readMap(indent: number, firstKey: ScalarNode): MapNode {
    this.#enter();
    const entries = new Map<string, Entry>();
    let key = firstKey;
    for (;;) {
      if (this.#text.charCodeAt(this.#at) !== COLON || key.text.length > limits.yamlPlainKeyCharacters) throw NOT_SURE;
      if (entries.has(key.text) || key.text === '<<') throw NOT_SURE;
      this.#at++;
      const value = this.#readValue(indent);
      entries.set(key.text, { key, value });
      if (this.#indent < indent) break;
      if (this.#indent > indent || this.#atDash()) throw NOT_SURE;
      key = this.#readScalar(false);
    }
    this.#depth--;
    return { kind: 'map', entries, offset: firstKey.offset };
  }

  /** What follows the colon of a key in column `indent`. Ends on the next line with content. */
  #readValue(indent: number): Node {
    const end = this.#endOfBlanks();
    if (end < 0) {
      const text = this.#text;
      if (text.charCodeAt(this.#at) !== SPACE) throw NOT_SURE;
      while (text.charCodeAt(this.#at) === SPACE) this.#at++;
      const value = this.#readInline(indent);
      this.#endLine();
      // What is indented further belongs to the value, which then has several lines.
      if (this.#indent > indent) throw NOT_SURE;
      return value;
    }
    this.#nextLine(end + 1);
    const dash = this.#indent >= indent && this.#atDash();
    if (this.#indent <= indent && !(dash && this.#indent === indent)) throw NOT_SURE;
    return dash ? this.#readList(this.#indent) : this.#readBlockMap(this.#indent);
  }

  #readBlockMap(indent: number): Node {
    const first = this.#text.charCodeAt(this.#at);
    if (first === OPEN_LIST || first === OPEN_MAP) throw NOT_SURE;
    return this.#readMap(indent, this.#readScalar(false));
  }

  #readList(indent: number): ListNode {
    this.#enter();
    const offset = this.#at;
    const items: Node[] = [];
    while (this.#indent === indent && this.#atDash()) {
      this.#at++;
      while (this.#text.charCodeAt(this.#at) === SPACE) this.#at++;
      // Nothing, a comment or a list of its own follows the dash.
      const column = this.#at - this.#lineStart;
      const first = this.#text.charCodeAt(this.#at);
      if (this.#at >= this.#text.length || first === LF || this.#atDash()) throw NOT_SURE;
      if (first === OPEN_LIST || first === OPEN_MAP) {
        items.push(this.#readInline(indent));
      } else {
        const scalar = this.#readScalar(false);
        if (this.#text.charCodeAt(this.#at) === COLON) {
          items.push(this.#readMap(column, scalar));
          continue;
        }
        items.push(scalar);
      }
      this.#endLine();
      if (this.#indent > indent) throw NOT_SURE;
    }
    if (this.#indent > indent) throw NOT_SURE;
    this.#depth--;
    return { kind: 'list', items, flow: false, offset };
  }

  /** A scalar or a flow collection inside of a line; `indent` is that of the block around it. */
  #readInline(indent: number): Node {
    const first = this.#text.charCodeAt(this.#at);
    if (first === OPEN_MAP) return this.#readFlowMap(indent);
    if (first === OPEN_LIST) return this.#readFlowList(indent);
    const scalar = this.#readScalar(false);
    if (this.#text.charCodeAt(this.#at) === COLON) throw NOT_SURE;
    return scalar;
  }

  #readFlowMap(indent: number): MapNode {
    this.#enter();
    const offset = this.#at++;
    const entries = new Map<string, Entry>();
    for (;;) {
      this.#skipInFlow(indent);
      if (this.#text.charCodeAt(this.#at) === CLOSE_MAP) break;
      const key = this.#readScalar(true);
      while (this.#text.charCodeAt(this.#at) === SPACE) this.#at++;
      if (this.#text.charCodeAt(this.#at) !== COLON || key.text.length > limits.yamlPlainKeyCharacters) throw NOT_SURE;
      if (entries.has(key.text) || key.text === '<<') throw NOT_SURE;
      if (this.#text.charCodeAt(++this.#at) !== SPACE) throw NOT_SURE;
      this.#skipInFlow(indent);
      entries.set(key.text, { key, value: this.#readInFlow(indent) });
      this.#skipInFlow(indent);
      if (this.#text.charCodeAt(this.#at) === CLOSE_MAP) break;
      if (this.#text.charCodeAt(this.#at++) !== COMMA) throw NOT_SURE;
    }
    this.#at++;
    this.#depth--;
    return { kind: 'map', entries, offset };
  }

  #readFlowList(indent: number): ListNode {
    this.#enter();
    const offset = this.#at++;
    const items: Node[] = [];
    for (;;) {
      this.#skipInFlow(indent);
      if (this.#text.charCodeAt(this.#at) === CLOSE_LIST) break;
      items.push(this.#readInFlow(indent));
      this.#skipInFlow(indent);
      if (this.#text.charCodeAt(this.#at) === CLOSE_LIST) break;
      if (this.#text.charCodeAt(this.#at++) !== COMMA) throw NOT_SURE;
    }
    this.#at++;
    this.#depth--;
    return { kind: 'list', items, flow: true, offset };
  }

  #readInFlow(indent: number): Node {
    const first = this.#text.charCodeAt(this.#at);
    if (first === OPEN_MAP) return this.#readFlowMap(indent);
    if (first === OPEN_LIST) return this.#readFlowList(indent);
    return this.#readScalar(true);
  }

  /** Blanks, line ends and comments between the parts of a flow collection; lines must be indented further than the block. */
  #skipInFlow(indent: number): void {
    const text = this.#text;
    while (text.charCodeAt(this.#at) === SPACE) this.#at++;
    const code = text.charCodeAt(this.#at);
    if (code !== LF && code !== HASH) return;
    const end = this.#endOfBlanks();
    if (end < 0) throw NOT_SURE;
    this.#nextLine(end + 1);
    if (this.#indent <= indent) throw NOT_SURE;
  }

  /** A scalar of one line. In a block it stops on the colon of a key. */
  #readScalar(inFlow: boolean): ScalarNode {
    const code = this.#text.charCodeAt(this.#at);
    if (code === QUOTE) return this.#readDoubleQuoted(inFlow);
    if (code === APOSTROPHE) return this.#readSingleQuoted(inFlow);
    return this.#readUnquoted(inFlow);
  }

  #readUnquoted(inFlow: boolean): ScalarNode {
    const text = this.#text;
    const offset = this.#at;
    const first = text.charCodeAt(offset);
    if (INDICATORS.has(first) || this.#atDash()) throw NOT_SURE;
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
    this.#at = text.charCodeAt(at) === COLON ? at : end;
    if (inFlow) this.#mustEndHere(end);
    return { kind: 'scalar', text: text.slice(offset, end), quoted: false, offset };
  }

  /** A flow scalar that doesn't end with its line goes on in the next one. */
  #mustEndHere(end: number): void {
    const text = this.#text;
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
    const text = this.#text;
    const offset = this.#at;
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
    const text = this.#text;
    const offset = this.#at;
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
    this.#at = end;
    const next = this.#text.charCodeAt(end);
    const delimiter = inFlow && (next === COMMA || next === CLOSE_LIST || next === CLOSE_MAP);
    if (next === COLON) {
      const behind = this.#text.charCodeAt(end + 1);
      if (behind !== SPACE && behind !== LF) throw NOT_SURE;
    } else if (end < this.#text.length && next !== SPACE && next !== LF && !delimiter) throw NOT_SURE;
    // A blank between the quote and the colon of a key is left to the whole parser.
    if (next === SPACE && !inFlow && this.#endOfBlanks() < 0) throw NOT_SURE;
    return { kind: 'scalar', text: value, quoted: true, offset };
  }

  #enter(): void {
    if (++this.#depth > limits.yamlPlainDepth) throw NOT_SURE;
  }
}
