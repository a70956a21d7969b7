// YAML 1.2 text to a tree of nodes with their offsets, where every scalar stays text; mistakes come back as a list.
import { Alias, Composer, isMap, isScalar, isSeq, type Node as LibraryNode, Parser, Scalar } from 'yaml';
import { parseAddress } from './address.ts';
import type { Code } from './codes.ts';
import { limits } from './limits.ts';
import type { Entry, Node, ScalarNode } from './yaml-node.ts';
import { parsePlainYaml } from './yaml-plain.ts';
import { quoteIt, type Slip, type YamlMistake } from './yaml-slip.ts';

export interface YamlResult {
  /** null when nothing in the tree can be relied on; an empty text gives an empty map. */
  readonly root: Node | null;
  readonly mistakes: readonly YamlMistake[];
}

const COMPOSER_OPTIONS = {
  version: '1.2',
  schema: 'failsafe',
  merge: false,
  // The library's own check compares every key with every other: 4 s for 20,000 keys.
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: 'silent',
} as const;

/**
 * Parses one document. Never throws. Slips that can be mended without doubt (a bare `*.x`, `@` or `2001:db8::`) are reported
 * and read as if they had been quoted, so that everything behind them is still checked.
 */
export function parseYaml(text: string): YamlResult {
  const plain = parsePlainYaml(text);
  return plain === null ? parseWholeYaml(text) : { root: plain, mistakes: [] };
}

/** As `parseYaml`, without the shortcut for plain texts. */
export function parseWholeYaml(text: string): YamlResult {
  const slips: Slip[] = [];
  let composed = new TreeBuilder(text, []).build();
  for (let round = 0; round < limits.yamlMendingRounds && composed.slips.length > 0; round++) {
    slips.push(...composed.slips);
    slips.sort((a, b) => a.start - b.start);
    composed = new TreeBuilder(text, slips).build();
  }
  const fatal = composed.fatal || composed.slips.length > 0;
  // Where the parser lost its way, values go missing that the file has.
  const mistakes = composed.mistakes.filter((mistake) => !fatal || mistake.code !== 'empty-value');
  for (const slip of [...slips, ...composed.slips].slice(0, limits.diagnosticsPerFile))
    mistakes.push(quoteIt(text, slip));
  return { root: fatal ? null : composed.root, mistakes };
}

/** One pass of the library over the text, and one of ours over what it made. */
class TreeBuilder {
  readonly slips: Slip[] = [];
  readonly mistakes: YamlMistake[] = [];
  root: Node | null = null;
  fatal = false;
  readonly #slipped = new Set<number>();
  readonly #original: string;
  readonly #text: string;
  /** Offsets in the mended text of the quotes that mending put in, ascending. */
  readonly #inserted: number[] = [];
  readonly #anchors = new Map<string, { node: Node; size: number }>();
  #aliasedNodes = 0;

  constructor(original: string, mended: readonly Slip[]) {
    this.#original = original;
    let text = '';
    let from = 0;
    for (const slip of mended) {
      text += original.slice(from, slip.start);
      this.#inserted.push(text.length);
      text += `'${original.slice(slip.start, slip.end)}'`;
      this.#inserted.push(text.length - 1);
      from = slip.end;
    }
    this.#text = text + original.slice(from);
  }

  build(): this {
    if (!this.#acceptableText()) return this;
    const composer = new Composer(COMPOSER_OPTIONS);
    let documents = 0;
    for (const token of new Parser().parse(this.#text)) {
      if (token.type === 'directive') {
        this.#mistake('yaml-directive', token.offset, 'directives are not supported', 'remove this line');
      }
      if (token.type === 'document' && ++documents === 2) {
        this.#mistake(
          'yaml-documents',
          token.offset,
          'a second document begins here',
          'keep one document in the file and remove the --- line',
        );
      }
      for (const document of composer.next(token)) this.#readDocument(document);
    }
    for (const document of composer.end(true, this.#text.length)) this.#readDocument(document);
    return this;
  }

  #readDocument(document: {
    contents: unknown;
    errors: readonly { code: string; pos: [number, number]; message: string }[];
  }) {
    const first = this.root === null;
    const contents = document.contents as LibraryNode | null;
    const seenSlips = this.slips.length;
    if (first) {
      const empty = contents === null || (isScalar(contents) && this.#isEmpty(contents));
      this.root = empty ? { kind: 'map', entries: new Map(), offset: 0 } : this.#read(contents, 0).node;
    }
    for (const error of document.errors) this.#libraryError(error, this.slips.length > seenSlips);
  }

  /** What no YAML file may contain; positions inside such a text mean little, so nothing else is looked at. */
  #acceptableText(): boolean {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for (YAML 1.2.2 5.1).
    const match = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd-\uffff]|(?!^)\ufeff/.exec(this.#text);
    if (match === null) return true;
    this.fatal = true;
    const code = match[0].charCodeAt(0);
    if (code === 0xfffd) {
      this.#mistake('not-utf8', match.index, 'this is not UTF-8 text', 'save the file as UTF-8');
    } else {
      const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
      this.#mistake('yaml-character', match.index, `the character ${name} is not allowed here`, 'remove it');
    }
    return false;
  }

  #libraryError(error: { code: string; pos: [number, number]; message: string }, slipped: boolean): void {
    const at = error.pos[0];
    if (error.code === 'BAD_SCALAR_START' && !slipped) {
      this.mistakes.push(quoteIt(this.#original, { start: this.#offset(at), end: this.#plainEnd(this.#offset(at)) }));
      return;
    }
    const slip = this.#addressOnLine(at);
    if (slip !== null) {
      this.#slip(slip);
      return;
    }
    // Behind a slip everything looks wrong: it is judged after mending.
    if (slipped) return;
    this.fatal = true;
    if (error.code === 'TAB_AS_INDENT') {
      this.#mistake('yaml-tab', at, 'a tab stands where YAML wants spaces', 'indent with spaces');
    } else if (error.code === 'BLOCK_AS_IMPLICIT_KEY') {
      const fix = 'put the inner key on a line of its own, or quote the value if the colon belongs to it';
      this.#mistake('yaml-syntax', at, 'a second "key:" on this line', fix);
    } else {
      this.#mistake('yaml-syntax', at, `not valid YAML: ${error.message}`, 'correct the YAML here or just above');
    }
  }

  /** Where an unquoted word that begins at `start` of the original text ends. */
  #plainEnd(start: number): number {
    const match = /^[^\n\r]*?(?=:?(?:\s|$)|[,[\]{}])/.exec(this.#original.slice(start, start + 300));
    return start + Math.max(1, match?.[0].length ?? 1);
  }

  /** An unquoted IPv6 address with a final `::` on the line of `at`, which breaks the parse in a value. */
  #addressOnLine(at: number): Slip | null {
    const from = this.#text.lastIndexOf('\n', at - 1) + 1;
    const to = this.#text.indexOf('\n', at);
    const line = this.#text.slice(from, to < 0 ? undefined : Math.min(to, from + 2000));
    for (const match of line.matchAll(/(?<=^|[\s[{,])[0-9a-fA-F:]*::(?=$|[\s\]},])/g)) {
      if (parseAddress(match[0]) === undefined) continue;
      const start = this.#offset(from + match.index);
      return { start, end: start + match[0].length };
    }
    return null;
  }

  #slip(slip: Slip): void {
    if (this.#slipped.has(slip.start)) return;
    this.#slipped.add(slip.start);
    this.slips.push(slip);
  }

  /** The tree of a node, and how many nodes it is when aliases are written out. */
  #read(node: LibraryNode | null, depth: number): { node: Node; size: number } {
    const at = node?.range?.[0] ?? 0;
    const offset = this.#offset(at);
    if (depth > limits.yamlDepth) {
      this.fatal = true;
      this.#mistake('yaml-too-deep', at, `nested more than ${limits.yamlDepth} levels deep`, 'flatten it');
      return { node: { kind: 'broken', offset }, size: 1 };
    }
    if (node instanceof Alias) return this.#readAlias(node, at);
    if (node?.tag !== undefined) {
      const tagAt = this.#text.lastIndexOf('!', at - 1);
      const fix = `remove the tag${isScalar(node) ? ', or quote the whole value if the ! belongs to it' : ''}`;
      this.#mistake('yaml-tag', tagAt < 0 ? at : this.#tagStart(tagAt), 'tags are not supported', fix);
    }
    let result: { node: Node; size: number };
    if (isMap<LibraryNode, LibraryNode | null>(node)) result = this.#readMap(node.items, offset, depth);
    else if (isSeq<LibraryNode>(node)) {
      let size = 1;
      const items = node.items.map((item) => {
        const read = this.#readValue(item, depth + 1, 'this list element is empty');
        size += read.size;
        return read.node;
      });
      result = { node: { kind: 'list', items, flow: node.flow === true, offset }, size };
    } else if (isScalar(node)) {
      const quoted = node.type !== Scalar.PLAIN;
      result = { node: { kind: 'scalar', text: String(node.value), quoted, offset }, size: 1 };
    } else result = { node: { kind: 'broken', offset }, size: 1 };
    const anchor = (node as { anchor?: string } | null)?.anchor;
    // An alias inside of its own anchor comes before this line and so finds nothing: there are no cycles.
    if (anchor !== undefined) this.#anchors.set(anchor, result);
    return result;
  }

  #tagStart(lastMark: number): number {
    let start = lastMark;
    while (start > 0 && !/[\s[{,]/.test(this.#text[start - 1]!)) start--;
    return start;
  }

  #readAlias(alias: Alias, at: number): { node: Node; size: number } {
    const offset = this.#offset(at);
    const broken = { node: { kind: 'broken', offset } as const, size: 1 };
    const found = this.#anchors.get(alias.source);
    if (found !== undefined) {
      this.#aliasedNodes += found.size;
      if (this.#aliasedNodes <= limits.yamlAliasNodes) return found;
      if (this.#aliasedNodes - found.size <= limits.yamlAliasNodes) {
        this.fatal = true;
        const message = `aliases blow this file up to more than ${limits.yamlAliasNodes} values`;
        this.#mistake('yaml-aliases', at, message, 'write the values out, or put them into fewer places');
      }
      return broken;
    }
    const name = alias.source.replace(/:$/, '');
    if (name === '' || /[.:]|^@$/.test(name)) {
      this.#slip({ start: offset, end: offset + 1 + name.length });
    } else {
      const message = `no anchor &${name} stands before this alias`;
      this.#mistake('yaml-alias', at, message, `define &${name} above, or quote "*${name}" if it is a value`);
    }
    return broken;
  }

  #readMap(
    pairs: readonly { key: LibraryNode; value: LibraryNode | null }[],
    offset: number,
    depth: number,
  ): { node: Node; size: number } {
    const entries = new Map<string, Entry>();
    let size = 1;
    let incomplete = false;
    for (const pair of pairs) {
      const key = this.#read(pair.key, depth + 1).node;
      if (key.kind !== 'scalar') {
        if (key.kind !== 'broken')
          this.#mistakeAt('yaml-key', key.offset, 'a key must be plain text', 'write a name here');
        this.#read(pair.value, depth + 1);
        incomplete = true;
        continue;
      }
      if (this.#isAddressKey(key, pair.value)) {
        this.#slip({ start: key.offset, end: key.offset + key.text.length + 1 });
        continue;
      }
      if (key.text === '<<' && !key.quoted) {
        this.#mistakeAt('yaml-merge', key.offset, 'merge keys (<<) are not supported', 'write the keys out');
        incomplete = true;
        continue;
      }
      const words = key.quoted || !this.#isNothing(pair.value) ? null : /^([^\s:]+)\s+(\S.*)$/.exec(key.text);
      if (words !== null) {
        // Nothing more is said of such a key.
        const fix = `write ${words[1]}: ${words[2]}`;
        this.#mistakeAt('empty-value', key.offset, `a colon is missing: "${key.text}" has no value`, fix);
        incomplete = true;
        continue;
      }
      const value = this.#readValue(pair.value, depth + 1, `"${key.text}" has no value`, key.offset);
      size += value.size + 1;
      const earlier = entries.get(key.text);
      if (earlier === undefined) {
        entries.set(key.text, { key, value: value.node });
        continue;
      }
      const message = `"${key.text}" stands here a second time`;
      const fix = 'keep one of the two, or join what they say';
      this.#mistakeAt('duplicate-key', key.offset, message, fix, earlier.key.offset);
    }
    const node = { kind: 'map', entries, offset, ...(incomplete && { incomplete }) } as const;
    return { node, size };
  }

  /** `- 2001:db8::` is a map with the key `2001:db8:` and no value, as YAML sees it. */
  #isAddressKey(key: ScalarNode, value: LibraryNode | null): boolean {
    if (key.quoted || !key.text.endsWith(':') || !(value === null || (isScalar(value) && this.#isEmpty(value))))
      return false;
    return parseAddress(`${key.text}:`) !== undefined && this.#original[key.offset + key.text.length] === ':';
  }

  /** A value that must be there; an empty one is reported at `reportAt` (an offset in the original), else where it stands. */
  #readValue(
    node: LibraryNode | null,
    depth: number,
    message: string,
    reportAt?: number,
  ): { node: Node; size: number } {
    if (node === null || (isScalar(node) && this.#isEmpty(node))) {
      const offset = reportAt ?? this.#offset(node?.range?.[0] ?? 0);
      if (node?.tag === undefined) {
        this.#mistakeAt('empty-value', offset, message, 'give it a value, or remove it; an empty text is ""');
      } else this.#read(node, depth);
      return { node: { kind: 'broken', offset }, size: 1 };
    }
    return this.#read(node, depth);
  }

  #isNothing(node: LibraryNode | null): boolean {
    return node === null || (isScalar(node) && node.tag === undefined && this.#isEmpty(node));
  }

  #isEmpty(node: Scalar): boolean {
    return node.type === Scalar.PLAIN && node.value === '';
  }

  /** The offset in the original text of an offset in the mended one. */
  #offset(at: number): number {
    // How many quotes stand before it: found by halving, for a file may have thousands.
    let low = 0;
    let high = this.#inserted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#inserted[middle]! < at) low = middle + 1;
      else high = middle;
    }
    return at - low;
  }

  #mistake(code: Code, at: number, message: string, fix: string): void {
    this.#mistakeAt(code, this.#offset(at), message, fix);
  }

  #mistakeAt(code: Code, offset: number, message: string, fix: string, first?: number): void {
    if (this.mistakes.length >= limits.diagnosticsPerFile) return;
    this.mistakes.push({ code, offset, message, fix, ...(first === undefined ? {} : { first }) });
  }
}
