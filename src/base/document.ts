// One YAML file that an operator wrote: its tree, where everything in it stands, and the mistakes found in it so far.
import { CODES, type Code } from './codes.ts';
import { compareDiagnostics, type Diagnostic } from './diagnostic.ts';
import { limits } from './limits.ts';
import { parseYaml } from './yaml.ts';
import { toldMistakes } from './yaml-mistakes.ts';
import type { Node } from './yaml-node.ts';

export type { BrokenNode, Entry, ListNode, MapNode, Node, ScalarNode } from './yaml-node.ts';

/** Keys and list indexes from the root: `['pools', 'moscow', 'members', 0]`. */
export type Path = readonly (string | number)[];

/** A place in a file, both from 1; columns count UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly col: number;
}

/** Reads a YAML text. Never throws: what is wrong stands in `diagnostics`, and `root` is null where nothing can be used. */
export function readDocument(file: string, text: string): Document {
  return new Document(file, text);
}

/** A YAML file as read by `readDocument`. */
export class Document {
  readonly file: string;
  /** The tree; null when the text is not usable at all. Nodes of kind `broken` are reported already. */
  readonly root: Node | null;
  readonly #text: string;
  #lineStarts: number[] | null = null;
  readonly #diagnostics: Diagnostic[] = [];
  readonly #reported = new Set<string>();
  readonly #counts = { error: 0, warning: 0 };
  #failed = false;
  readonly #accepted = new Set<string>();

  constructor(file: string, text: string) {
    this.file = file;
    this.#text = text;
    if (text.length > limits.yamlFileBytes) {
      this.root = null;
      const mebibytes = limits.yamlFileBytes / 1024 / 1024;
      this.report('too-large', 0, `the file is larger than ${mebibytes} MiB`, 'split it');
      return;
    }
    const { root, mistakes } = parseYaml(text);
    this.root = root;
    for (const mistake of toldMistakes(text, mistakes)) {
      const first = mistake.first === undefined ? '' : `; the first is on line ${this.position(mistake.first).line}`;
      this.report(mistake.code, mistake.offset, mistake.message + first, mistake.fix);
    }
  }

  /** Everything reported so far but accepted warnings, in the order of the file. */
  get diagnostics(): Diagnostic[] {
    return this.#diagnostics.filter(({ code }) => !this.#accepted.has(code)).sort(compareDiagnostics);
  }

  /** Leaves these warnings out from now on, those that are reported already too. */
  accept(codes: readonly Code[]): void {
    for (const code of codes) if (CODES[code].severity === 'warning') this.#accepted.add(code);
  }

  /** Whether anything reported so far is an error. */
  get failed(): boolean {
    return this.#failed;
  }

  /**
   * The document as plain values: text, arrays and objects without a prototype (so `__proto__` is an ordinary key). A broken
   * part is left out of a map and undefined in a list. undefined when the text is not usable.
   */
  get value(): unknown {
    return this.root === null ? undefined : plainValue(this.root);
  }

  /** The node at a path; undefined when there is none. */
  nodeAt(path: Path): Node | undefined {
    let node: Node | undefined = this.root ?? undefined;
    for (const step of path) node = childOf(node, step)?.value;
    return node;
  }

  /** Where a path's key or value stands; for a path that isn't there, where its nearest ancestor's does. */
  at(path: Path, what: 'key' | 'value' = 'value'): Position {
    return this.position(this.offsetAt(path, what));
  }

  /** As `at`, in UTF-16 units from the start of the text. */
  offsetAt(path: Path, what: 'key' | 'value' = 'value'): number {
    let node: Node | undefined = this.root ?? undefined;
    let offset = node?.offset ?? 0;
    for (const [i, step] of path.entries()) {
      const child = childOf(node, step);
      if (child === undefined) return offset;
      offset = what === 'key' && i === path.length - 1 ? (child.key ?? child.value).offset : child.value.offset;
      node = child.value;
    }
    return offset;
  }

  /** Line and column of an offset. */
  position(offset: number): Position {
    const starts = this.#lines();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    // A byte order mark is no column.
    const mark = low === 0 && offset > 0 && this.#text.charCodeAt(0) === 0xfeff ? 1 : 0;
    return { line: low + 1, col: offset - starts[low]! - mark + 1 };
  }

  /** A line's text, from 1, without its end. */
  lineText(line: number): string {
    const starts = this.#lines();
    const from = starts[line - 1];
    if (from === undefined) return '';
    const text = this.#text.slice(from, starts[line] ?? this.#text.length).replace(/\r?\n$/, '');
    return line === 1 ? text.replace(/^\ufeff/, '') : text;
  }

  /** A diagnostic at an offset or a node, of the severity that its code has. It is not noted down. */
  diagnose(code: Code, where: number | { readonly offset: number }, message: string, fix: string): Diagnostic {
    const { line, col } = this.position(typeof where === 'number' ? where : where.offset);
    const { severity } = CODES[code];
    return { code, severity, file: this.file, line, col, message, fix, excerpt: this.lineText(line).slice(0, 500) };
  }

  /** Notes a mistake down; the same one twice (an anchor used in many places) counts once. */
  report(code: Code, where: number | { readonly offset: number }, message: string, fix: string): void {
    const { severity } = CODES[code];
    if (severity === 'error') this.#failed = true;
    if (this.#accepted.has(code)) return;
    // Counted apart, so that warnings don't crowd out errors.
    if (this.#counts[severity] >= limits.diagnosticsPerFile) return;
    const diagnostic = this.diagnose(code, where, message, fix);
    const key = `${diagnostic.line}:${diagnostic.col}:${code}:${message}`;
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    this.#counts[severity]++;
    this.#diagnostics.push(diagnostic);
  }

  /** As `report`, at a path's key or value. */
  reportAt(code: Code, path: Path, what: 'key' | 'value', message: string, fix: string): void {
    this.report(code, this.offsetAt(path, what), message, fix);
  }

  #lines(): number[] {
    if (this.#lineStarts !== null) return this.#lineStarts;
    const starts = [0];
    for (let at = this.#text.indexOf('\n'); at >= 0; at = this.#text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#lineStarts = starts;
    return starts;
  }
}

function childOf(node: Node | undefined, step: string | number): { key?: { offset: number }; value: Node } | undefined {
  if (node?.kind === 'map') return node.entries.get(String(step));
  const item = node?.kind === 'list' && typeof step === 'number' ? node.items[step] : undefined;
  return item === undefined ? undefined : { value: item };
}

function plainValue(node: Node): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.text;
    case 'list':
      return node.items.map(plainValue);
    case 'map': {
      const object: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
      for (const [key, { value }] of node.entries) if (value.kind !== 'broken') object[key] = plainValue(value);
      return object;
    }
    case 'broken':
      return undefined;
  }
}
