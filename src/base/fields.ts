// Reads typed values out of a document's nodes (numbers, durations, TTLs, addresses, choices) and reports what doesn't fit.
import { formatPrefix, hasHostBits, maskAddress, type Prefix, parseAddress, parsePrefix } from './address.ts';
import type { Document, Entry, ListNode, MapNode, Node, ScalarNode } from './document.ts';
import { limits } from './limits.ts';
import { nearest } from './nearest.ts';

// Every reader returns undefined for what it has reported, and for a `broken` node, which was reported before.

const KINDS = { scalar: 'a single value', list: 'a list', map: 'a map of keys', broken: '' } as const;

function wrongShape(document: Document, node: Node, what: string, wanted: string, example?: string): undefined {
  if (node.kind !== 'broken') {
    const fix = example === undefined ? `write ${wanted} here` : `write ${wanted} here, such as ${example}`;
    document.report('wrong-shape', node, `${what} must be ${wanted}, not ${KINDS[node.kind]}`, fix);
  }
  return undefined;
}

/** A map, else reported. `what` names it in messages; `example` is one that could stand there. */
export function readMap(
  document: Document,
  node: Node,
  what: string,
  wanted = 'a map of keys',
  example?: string,
): MapNode | undefined {
  return node.kind === 'map' ? node : wrongShape(document, node, what, wanted, example);
}

/** A list, else reported. */
export function readList(document: Document, node: Node, what: string): ListNode | undefined {
  return node.kind === 'list' ? node : wrongShape(document, node, what, 'a list');
}

/** The elements of a list, or the one value itself; undefined (reported) for a map. */
export function readOneOrMore(document: Document, node: Node, what: string): readonly Node[] | undefined {
  if (node.kind === 'scalar') return [node];
  return node.kind === 'list' ? node.items : wrongShape(document, node, what, 'one value or a list');
}

export function readScalar(
  document: Document,
  node: Node,
  what: string,
  wanted = 'a single value',
): ScalarNode | undefined {
  return node.kind === 'scalar' ? node : wrongShape(document, node, what, wanted);
}

export function readText(document: Document, node: Node, what: string): string | undefined {
  return readScalar(document, node, what)?.text;
}

const WHOLE = /^-?(?:0|[1-9][0-9]*)$/;
const DECIMAL = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;

/** A whole decimal number from `min` to `max`, without leading zeros. */
export function readWhole(document: Document, node: Node, what: string, min: number, max: number): number | undefined {
  return readNumber(document, node, what, WHOLE, 'a whole number', min, max);
}

/** A decimal number from `min` to `max`, such as `-22.9`. */
export function readDecimal(
  document: Document,
  node: Node,
  what: string,
  min: number,
  max: number,
): number | undefined {
  return readNumber(document, node, what, DECIMAL, 'a number', min, max);
}

function readNumber(
  document: Document,
  node: Node,
  what: string,
  form: RegExp,
  wanted: string,
  min: number,
  max: number,
): number | undefined {
  const scalar = readScalar(document, node, what, wanted);
  if (scalar === undefined) return undefined;
  const range = `from ${min} to ${max}`;
  if (!form.test(scalar.text)) {
    const zeros = /^(-?)0+([0-9]+)$/.exec(scalar.text);
    const fix = zeros ? `write ${zeros[1]}${zeros[2]}: numbers have no leading zeros` : `write ${wanted} ${range}`;
    document.report('bad-number', scalar, `${what} must be ${wanted}, not "${scalar.text}"`, fix);
    return undefined;
  }
  const number = Number(scalar.text);
  if (number >= min && number <= max) return number;
  document.report(
    'out-of-range',
    scalar,
    `${what} is ${scalar.text}, but must be ${range}`,
    `write ${wanted} ${range}`,
  );
  return undefined;
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Milliseconds of `30`, `500ms`, `30s`, `5m`, `1h`, `1d`, `1w`; undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(0|[1-9][0-9]*)(ms|[smhdw])?$/.exec(text);
  return match === null ? undefined : Number(match[1]) * UNIT_MS[(match[2] ?? 's') as keyof typeof UNIT_MS];
}

/** A duration in whole seconds from `min` to `max` seconds; milliseconds are refused. */
export function readSeconds(
  document: Document,
  node: Node,
  what: string,
  min: number,
  max: number,
): number | undefined {
  const scalar = readScalar(document, node, what, 'a duration such as 30s');
  if (scalar === undefined) return undefined;
  const ms = scalar.text.endsWith('ms') ? undefined : parseDurationMs(scalar.text);
  if (ms === undefined) {
    const fix = 'write seconds, or a number with s, m, h, d or w, such as 30s or 5m';
    document.report('bad-duration', scalar, `${what} must be a duration in seconds, not "${scalar.text}"`, fix);
    return undefined;
  }
  const seconds = ms / 1000;
  if (seconds >= min && seconds <= max) return seconds;
  const fix = `write a duration from ${min} to ${max} seconds`;
  document.report('out-of-range', scalar, `${what} is ${seconds} seconds, but must be ${min} to ${max}`, fix);
  return undefined;
}

/** A duration in milliseconds, from `min` to `max` milliseconds. */
function readMilliseconds(document: Document, node: Node, what: string, min: number, max: number): number | undefined {
  const scalar = readScalar(document, node, what, 'a duration such as 10s');
  if (scalar === undefined) return undefined;
  const ms = parseDurationMs(scalar.text);
  if (ms === undefined) {
    const fix = 'write seconds, or a number with ms, s, m, h, d or w, such as 500ms or 10s';
    document.report('bad-duration', scalar, `${what} must be a duration, not "${scalar.text}"`, fix);
    return undefined;
  }
  if (ms >= min && ms <= max) return ms;
  const fix = `write a duration from ${min}ms to ${max / 1000}s`;
  document.report('out-of-range', scalar, `${what} is ${ms} ms, but must be ${min} ms to ${max / 1000} s`, fix);
  return undefined;
}

/** A TTL in seconds, 0 to 2147483647 (RFC 2181 8). */
export function readTtl(document: Document, node: Node, what: string): number | undefined {
  const scalar = readScalar(document, node, what, 'a duration such as 60 or 5m');
  if (scalar === undefined) return undefined;
  const { text } = scalar;
  const negative = /^-(?:0|[1-9][0-9]*)(?:ms|[smhdw])?$/.test(text);
  const ms = negative ? -1 : text.endsWith('ms') ? undefined : parseDurationMs(text);
  if (ms === undefined) {
    const fix = 'write seconds, or a number with s, m, h, d or w, such as 60 or 5m';
    document.report('bad-ttl', scalar, `${what} must be a TTL in seconds, not "${text}"`, fix);
    return undefined;
  }
  if (ms >= 0 && ms / 1000 <= limits.ttlSeconds) return ms / 1000;
  const range = `0 to ${limits.ttlSeconds} seconds`;
  document.report('ttl-range', scalar, `${what} is ${text}, but a TTL is ${range}`, `write a TTL from ${range}`);
  return undefined;
}

/** One of a few words. */
export function readChoice<T extends string>(
  document: Document,
  node: Node,
  what: string,
  choices: readonly T[],
): T | undefined {
  const scalar = readScalar(document, node, what, `one of ${choices.join(', ')}`);
  if (scalar === undefined) return undefined;
  const found = choices.find((choice) => choice === scalar.text);
  if (found !== undefined) return found;
  const meant = nearest(scalar.text, choices);
  const fix = `${meant === undefined ? '' : `did you mean ${meant}? `}it is one of ${choices.join(', ')}`;
  document.report('bad-choice', scalar, `${what} cannot be "${scalar.text}"`, fix);
  return undefined;
}

/** `true` or `false`. */
export function readFlag(document: Document, node: Node, what: string): boolean | undefined {
  const word = readChoice(document, node, what, ['true', 'false']);
  return word === undefined ? undefined : word === 'true';
}

/** A network such as `192.0.2.0/24`, or one address as a network of its own. */
export function readNetwork(document: Document, node: Node, what: string): Prefix | undefined {
  const scalar = readScalar(document, node, what, 'a network');
  if (scalar === undefined) return undefined;
  const address = parseAddress(scalar.text);
  const prefix = address ? { address, length: address.bytes.length * 8 } : parsePrefix(scalar.text);
  if (prefix === undefined) {
    const fix = 'write a network such as 192.0.2.0/24 or 2001:db8::/32';
    document.report('bad-network', scalar, `${what}: "${scalar.text}" is not a network`, fix);
    return undefined;
  }
  if (!hasHostBits(prefix)) return prefix;
  document.report('host-bits', scalar, ...hostBitsProblem(prefix));
  return undefined;
}

/** Message and fix for a network with bits behind its length. */
export function hostBitsProblem(prefix: Prefix): [message: string, fix: string] {
  const right = formatPrefix({ address: maskAddress(prefix.address, prefix.length), length: prefix.length });
  return [`${formatPrefix(prefix)} has address bits set behind its /${prefix.length}`, `write ${right}`];
}

/** The keys of one map, each read at most once; reports those that nobody knows. */
export class Fields {
  readonly document: Document;
  readonly map: MapNode;
  readonly what: string;
  /** Known keys that an unknown one was probably meant to be. */
  readonly #misspelled = new Set<string>();

  /** @param what names the map in messages ("the check web") */
  constructor(document: Document, map: MapNode, what: string, known: readonly string[]) {
    this.document = document;
    this.map = map;
    this.what = what;
    for (const { key } of map.entries.values()) {
      if (known.includes(key.text)) continue;
      reportUnknownKey(document, key, what, known);
      const meant = nearest(key.text, known);
      if (meant !== undefined) this.#misspelled.add(meant);
    }
  }

  has(key: string): boolean {
    return this.map.entries.has(key);
  }

  /** Whether a key is not there, and nothing that is reported already could be it. */
  isMissing(key: string): boolean {
    return !this.has(key) && !this.#misspelled.has(key) && this.map.incomplete !== true;
  }

  entry(key: string): Entry | undefined {
    return this.map.entries.get(key);
  }

  /** The value of a key; undefined when the key isn't there. */
  node(key: string): Node | undefined {
    return this.map.entries.get(key)?.value;
  }

  /** Applies a reader to the value of a key, if the key is there. */
  read<T>(key: string, reader: (document: Document, node: Node, what: string) => T | undefined): T | undefined {
    const node = this.node(key);
    return node === undefined ? undefined : reader(this.document, node, key);
  }

  /** As `read`; a missing key is an error at the map itself (or at `where`). */
  require<T>(
    key: string,
    example: string,
    reader: (document: Document, node: Node, what: string) => T | undefined,
    where: { readonly offset: number } = this.map,
  ): T | undefined {
    if (this.isMissing(key))
      this.document.report('missing-key', where, `${this.what} needs "${key}"`, `add ${key}: ${example}`);
    return this.read(key, reader);
  }

  text(key: string): string | undefined {
    return this.read(key, readText);
  }

  whole(key: string, min: number, max: number): number | undefined {
    return this.read(key, (document, node, what) => readWhole(document, node, what, min, max));
  }

  decimal(key: string, min: number, max: number): number | undefined {
    return this.read(key, (document, node, what) => readDecimal(document, node, what, min, max));
  }

  flag(key: string): boolean | undefined {
    return this.read(key, readFlag);
  }

  choice<T extends string>(key: string, choices: readonly T[]): T | undefined {
    return this.read(key, (document, node, what) => readChoice(document, node, what, choices));
  }

  seconds(key: string, min: number, max: number): number | undefined {
    return this.read(key, (document, node, what) => readSeconds(document, node, what, min, max));
  }

  milliseconds(key: string, min: number, max: number): number | undefined {
    return this.read(key, (document, node, what) => readMilliseconds(document, node, what, min, max));
  }
}

/** Reports a key that isn't among the known ones, with the one that was probably meant. */
function reportUnknownKey(document: Document, key: ScalarNode, what: string, known: readonly string[]): void {
  const meant = nearest(key.text, known);
  const list = known.length <= 12 ? `; known here: ${known.join(', ')}` : '';
  const fix = meant === undefined ? `remove it${list}` : `did you mean "${meant}"?${list}`;
  document.report('unknown-key', key, `${what} has no key "${key.text}"`, fix);
}
