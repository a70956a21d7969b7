// The plain part of YAML, which nearly every file keeps to, read ten times faster than a whole parser can.
import { limits } from './limits.ts';
import type { Entry, ListNode, MapNode, Node, ScalarNode } from './yaml-node.ts';
import {
  CLOSE_LIST,
  CLOSE_MAP,
  COLON,
  COMMA,
  HASH,
  LF,
  NOT_SURE,
  OPEN_LIST,
  OPEN_MAP,
  PlainScalars,
  SPACE,
} from './yaml-scalars.ts';

// Whatever is not surely plain (anchors, tags, block scalars, values over several lines, escapes, tabs, every mistake) makes this
// reader give up, and the whole parser reads the text anew. What it does read is node for node what the whole parser gives:
// a property test holds the two together. The benchmark that asked for it: cold start with a million records.

// Tabs, carriage returns, control characters, a byte order mark, what was no UTF-8.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const NOT_PLAIN = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffd-\uffff]|^(?:---|\.\.\.|%)/m;

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

class PlainReader extends PlainScalars {
  #lineStart = 0;
  /** Column of the content that `#at` stands on, after `#nextLine`; -1 at the end. */
  #indent = -1;
  #depth = 0;

  read(): MapNode {
    this.#nextLine(0);
    if (this.#indent !== 0) throw NOT_SURE;
    const first = this.text.charCodeAt(this.at);
    if (first === OPEN_LIST || first === OPEN_MAP || this.atDash()) throw NOT_SURE;
    const map = this.#readMap(0, this.readScalar(false));
    if (this.at < this.text.length) throw NOT_SURE;
    return map;
  }

  /** Goes on to the first line at or after `from` (the start of a line) with content. */
  #nextLine(from: number): void {
    const text = this.text;
    let start = from;
    while (start < text.length) {
      let at = start;
      while (text.charCodeAt(at) === SPACE) at++;
      const code = text.charCodeAt(at);
      if (at < text.length && code !== LF && code !== HASH) {
        this.#lineStart = start;
        this.#indent = at - start;
        this.at = at;
        return;
      }
      const end = text.indexOf('\n', at);
      if (end < 0) break;
      start = end + 1;
    }
    this.at = text.length;
    this.#indent = -1;
  }

  /** Ends a line: nothing but blanks and a comment may follow. */
  #endLine(): void {
    const end = this.endOfBlanks();
    if (end < 0) throw NOT_SURE;
    this.#nextLine(end + 1);
  }

  /** A map whose keys stand in column `indent`; its first key is read already and `#at` stands on the colon. */
  #readMap(indent: number, firstKey: ScalarNode): MapNode {
    this.#enter();
    const entries = new Map<string, Entry>();
    let key = firstKey;
    for (;;) {
      if (this.text.charCodeAt(this.at) !== COLON || key.text.length > limits.yamlPlainKeyCharacters) throw NOT_SURE;
      if (entries.has(key.text) || key.text === '<<') throw NOT_SURE;
      this.at++;
      const value = this.#readValue(indent);
      entries.set(key.text, { key, value });
      if (this.#indent < indent) break;
      if (this.#indent > indent || this.atDash()) throw NOT_SURE;
      key = this.readScalar(false);
    }
    this.#depth--;
    return { kind: 'map', entries, offset: firstKey.offset };
  }

  /** What follows the colon of a key in column `indent`. Ends on the next line with content. */
  #readValue(indent: number): Node {
    const end = this.endOfBlanks();
    if (end < 0) {
      const text = this.text;
      if (text.charCodeAt(this.at) !== SPACE) throw NOT_SURE;
      while (text.charCodeAt(this.at) === SPACE) this.at++;
      const value = this.#readInline(indent);
      this.#endLine();
      // What is indented further belongs to the value, which then has several lines.
      if (this.#indent > indent) throw NOT_SURE;
      return value;
    }
    this.#nextLine(end + 1);
    const dash = this.#indent >= indent && this.atDash();
    if (this.#indent <= indent && !(dash && this.#indent === indent)) throw NOT_SURE;
    return dash ? this.#readList(this.#indent) : this.#readBlockMap(this.#indent);
  }

  #readBlockMap(indent: number): Node {
    const first = this.text.charCodeAt(this.at);
    if (first === OPEN_LIST || first === OPEN_MAP) throw NOT_SURE;
    return this.#readMap(indent, this.readScalar(false));
  }

  #readList(indent: number): ListNode {
    this.#enter();
    const offset = this.at;
    const items: Node[] = [];
    while (this.#indent === indent && this.atDash()) {
      this.at++;
      while (this.text.charCodeAt(this.at) === SPACE) this.at++;
      // Nothing, a comment or a list of its own follows the dash.
      const column = this.at - this.#lineStart;
      const first = this.text.charCodeAt(this.at);
      if (this.at >= this.text.length || first === LF || this.atDash()) throw NOT_SURE;
      if (first === OPEN_LIST || first === OPEN_MAP) {
        items.push(this.#readInline(indent));
      } else {
        const scalar = this.readScalar(false);
        if (this.text.charCodeAt(this.at) === COLON) {
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
    const first = this.text.charCodeAt(this.at);
    if (first === OPEN_MAP) return this.#readFlowMap(indent);
    if (first === OPEN_LIST) return this.#readFlowList(indent);
    const scalar = this.readScalar(false);
    if (this.text.charCodeAt(this.at) === COLON) throw NOT_SURE;
    return scalar;
  }

  #readFlowMap(indent: number): MapNode {
    this.#enter();
    const offset = this.at++;
    const entries = new Map<string, Entry>();
    for (;;) {
      this.#skipInFlow(indent);
      if (this.text.charCodeAt(this.at) === CLOSE_MAP) break;
      const key = this.readScalar(true);
      while (this.text.charCodeAt(this.at) === SPACE) this.at++;
      if (this.text.charCodeAt(this.at) !== COLON || key.text.length > limits.yamlPlainKeyCharacters) throw NOT_SURE;
      if (entries.has(key.text) || key.text === '<<') throw NOT_SURE;
      if (this.text.charCodeAt(++this.at) !== SPACE) throw NOT_SURE;
      this.#skipInFlow(indent);
      entries.set(key.text, { key, value: this.#readInFlow(indent) });
      this.#skipInFlow(indent);
      if (this.text.charCodeAt(this.at) === CLOSE_MAP) break;
      if (this.text.charCodeAt(this.at++) !== COMMA) throw NOT_SURE;
    }
    this.at++;
    this.#depth--;
    return { kind: 'map', entries, offset };
  }

  #readFlowList(indent: number): ListNode {
    this.#enter();
    const offset = this.at++;
    const items: Node[] = [];
    for (;;) {
      this.#skipInFlow(indent);
      if (this.text.charCodeAt(this.at) === CLOSE_LIST) break;
      items.push(this.#readInFlow(indent));
      this.#skipInFlow(indent);
      if (this.text.charCodeAt(this.at) === CLOSE_LIST) break;
      if (this.text.charCodeAt(this.at++) !== COMMA) throw NOT_SURE;
    }
    this.at++;
    this.#depth--;
    return { kind: 'list', items, flow: true, offset };
  }

  #readInFlow(indent: number): Node {
    const first = this.text.charCodeAt(this.at);
    if (first === OPEN_MAP) return this.#readFlowMap(indent);
    if (first === OPEN_LIST) return this.#readFlowList(indent);
    return this.readScalar(true);
  }

  /** Blanks, line ends and comments between the parts of a flow collection; lines must be indented further than the block. */
  #skipInFlow(indent: number): void {
    const text = this.text;
    while (text.charCodeAt(this.at) === SPACE) this.at++;
    const code = text.charCodeAt(this.at);
    if (code !== LF && code !== HASH) return;
    const end = this.endOfBlanks();
    if (end < 0) throw NOT_SURE;
    this.#nextLine(end + 1);
    if (this.#indent <= indent) throw NOT_SURE;
  }

  #enter(): void {
    if (++this.#depth > limits.yamlPlainDepth) throw NOT_SURE;
  }
}
