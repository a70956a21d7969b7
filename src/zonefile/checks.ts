// The `checks` of a file: each one's probe and rhythm, combinations of others, and which checks are used.
import type { MapNode, Node, ScalarNode } from '../base/document.ts';
import { Fields, readMap, readOneOrMore } from '../base/fields.ts';
import { limits } from '../base/limits.ts';
import { Suggestions } from '../base/nearest.ts';
import type { Check, CombinedCheck, Probe } from '../zone/model.ts';
import { readLoad } from './probe-http.ts';
import { isPlaceholderKey, PROBE_KINDS, type ProbeKind, readProbe } from './probes.ts';
import type { Scope } from './scope.ts';

const RHYTHM_KEYS = ['interval', 'timeout', 'fall', 'rise', 'fast-recheck'] as const;
const COMBINATION_KEYS = ['all', 'any', 'at-least', 'of'] as const;
/** Exactly one of these says what a check is. */
const WAYS = [...PROBE_KINDS, 'all', 'any', 'at-least'] as const;
const DAY_MS = 86_400_000;

/** What a look-up by name gives: the check, or null when it exists but is broken (reported). */
export type FoundCheck = { readonly check: Check | null; readonly common: boolean };

/** The checks of one file, read when they are first needed. */
export class Checks {
  readonly scope: Scope;
  readonly #nodes: MapNode | undefined;
  readonly #common: Checks | null;
  readonly #read = new Map<string, Check | null>();
  /** Names that are being read just now, outermost first: a name that comes up again is a cycle. */
  readonly #reading: string[] = [];
  #depthTold = false;
  readonly #used = new Set<string>();
  readonly #suggestions = new Suggestions(() => this.names());

  /** @param common the checks of `_common.yaml`, for names that this file doesn't have */
  constructor(scope: Scope, node: Node | undefined, common: Checks | null) {
    this.scope = scope;
    this.#nodes = node === undefined ? undefined : readMap(scope.document, node, 'checks', 'a map of names and checks');
    this.#common = common;
  }

  /** Reads all of them, used or not, so that their mistakes are reported. */
  readAll(): void {
    for (const { key } of this.#nodes?.entries.values() ?? []) {
      if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(key.text)) {
        const fix = 'use letters, digits, hyphens and underscores';
        this.scope.document.report('bad-name', key, `"${key.text}" is no name for a check`, fix);
      }
      this.#own(key.text);
    }
  }

  /** Keys of the checks of this file that nothing has named. */
  unused(): ScalarNode[] {
    return [...(this.#nodes?.entries.values() ?? [])]
      .map((entry) => entry.key)
      .filter((key) => !this.#used.has(key.text));
  }

  names(): string[] {
    return [...(this.#nodes?.entries.keys() ?? []), ...(this.#common?.names() ?? [])];
  }

  /** The check that a node names or writes out in place; null when it is wrong (reported). */
  resolve(node: Node, what: string): FoundCheck {
    if (node.kind === 'map') return { check: this.#readCheck(null, node), common: false };
    if (node.kind === 'scalar') return this.#named(node);
    readMap(this.scope.document, node, what, 'the name of a check, or a check');
    return { check: null, common: false };
  }

  #named(reference: ScalarNode): FoundCheck {
    const name = reference.text;
    const { document } = this.scope;
    if (this.#nodes?.entries.has(name)) {
      this.#used.add(name);
      const check = this.#own(name);
      if (check !== null && this.#isPlaceholder(check)) {
        const message = `the check ${name} has the documentation's placeholder for a key`;
        document.report('bad-key', reference, message, 'write the public key of the server into the check');
      }
      return { check, common: false };
    }
    if (this.#common?.has(name)) return { check: this.#common.#named(reference).check, common: true };
    const meant = this.#suggestions.nearest(name);
    const fix =
      meant === undefined ? `define it under checks: ${name}: { tcp: { port: 443 } }` : `did you mean "${meant}"?`;
    document.report('unknown-check', reference, `there is no check "${name}"`, fix);
    return { check: null, common: false };
  }

  has(name: string): boolean {
    return this.#nodes?.entries.has(name) ?? false;
  }

  #isPlaceholder(check: Check): boolean {
    return check.probe.kind === 'wireguard' && isPlaceholderKey(check.probe.publicKey);
  }

  #own(name: string): Check | null {
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    const { key, value } = this.#nodes!.entries.get(name)!;
    if (this.#reading.includes(name)) {
      const cycle = [...this.#reading.slice(this.#reading.indexOf(name)), name].join(' -> ');
      const fix = 'a combination cannot hold itself; take one of them out';
      this.scope.document.report('check-cycle', key, `the check ${name} is part of itself: ${cycle}`, fix);
      return null;
    }
    if (this.#reading.length >= limits.checkDepth) {
      this.#reportDepth(this.#reading[0] ?? name, key);
      return null;
    }
    this.#reading.push(name);
    const map = readMap(this.scope.document, value, `the check ${name}`);
    const check = map === undefined ? null : this.#readCheck(name, map);
    this.#reading.pop();
    this.#read.set(name, check);
    return check;
  }

  /** Once for the file: in a long chain every check is nested too deep. */
  #reportDepth(name: string | null, where: Node): void {
    if (this.#depthTold) return;
    this.#depthTold = true;
    const message = `${name === null ? 'this check' : `the check ${name}`} combines others more than ${limits.checkDepth} levels deep`;
    this.scope.document.report('check-too-large', where, message, 'combine the probes themselves');
  }

  #readCheck(name: string | null, map: MapNode): Check | null {
    const { document } = this.scope;
    const what = name === null ? 'this check' : `the check ${name}`;
    const combined = COMBINATION_KEYS.some((key) => map.entries.has(key));
    const known = combined ? COMBINATION_KEYS : [...PROBE_KINDS, ...RHYTHM_KEYS, 'load'];
    for (const key of RHYTHM_KEYS) {
      const entry = combined ? map.entries.get(key) : undefined;
      if (entry !== undefined) {
        document.report(
          'without-effect',
          entry.key,
          `a combination has no ${key} of its own`,
          `set ${key} in its parts`,
        );
      }
    }
    const fields = new Fields(document, map, what, combined ? [...known, ...RHYTHM_KEYS, ...PROBE_KINDS] : known);
    const ways = [...map.entries.keys()].filter((key) => (WAYS as readonly string[]).includes(key));
    const kind = PROBE_KINDS.find((candidate) => candidate === ways[0]);
    if (ways.length !== 1) {
      const message =
        ways.length === 0 ? `${what} does not say how to probe` : `${what} is of several kinds: ${ways.join(', ')}`;
      const fix = `write exactly one of ${WAYS.join(', ')}`;
      const misspelled = ways.length === 0 && WAYS.some((way) => !fields.isMissing(way));
      if (!misspelled) document.report('one-of', map.entries.get(ways[1] ?? '')?.key ?? map, message, fix);
      return null;
    }
    return kind === undefined ? this.#readCombination(name, fields) : this.#readSingle(name, fields, kind);
  }

  #readSingle(name: string | null, fields: Fields, kind: ProbeKind): Check | null {
    const { document } = this.scope;
    const interval = fields.milliseconds('interval', limits.probeIntervalMs, DAY_MS);
    const timeout = fields.milliseconds('timeout', 1, 3_600_000);
    const fall = fields.whole('fall', 1, 1000);
    const rise = fields.whole('rise', 1, 1000);
    const fastRecheck = fields.flag('fast-recheck');
    const load = fields.read('load', readLoad);
    let probe = readProbe(this.scope, kind, fields.node(kind)!);
    if (probe === undefined) return null;
    if (fields.has('load')) {
      const entry = fields.entry('load')!;
      if (probe.kind !== 'http') {
        document.report(
          'unsupported',
          entry.key,
          `a ${kind} check cannot read a load`,
          'use http or https, or remove it',
        );
      } else if (probe.load !== null) {
        document.report('duplicate-key', entry.key, `load stands inside ${kind} as well`, 'keep one of the two');
      } else probe = { ...probe, load: load ?? null };
    }
    return {
      name: name ?? inlineName(kind, probe),
      probe,
      intervalMs: interval ?? 10_000,
      timeoutMs: timeout ?? 2_000,
      fall: fall ?? 3,
      rise: rise ?? 2,
      fastRecheck: fastRecheck ?? true,
    };
  }

  #readCombination(name: string | null, fields: Fields): Check | null {
    const { document } = this.scope;
    const key = (['all', 'any', 'of'] as const).find((candidate) => fields.has(candidate));
    const counted = fields.has('at-least');
    if (key === undefined || counted !== (key === 'of')) {
      const fix = 'write { all: [a, b] }, { any: [a, b] } or { at-least: 2, of: [a, b, c] }';
      document.report('wrong-shape', fields.map, 'at-least and of belong together', fix);
      return null;
    }
    const node = fields.node(key)!;
    const parts = readOneOrMore(document, node, key);
    if (parts === undefined) return null;
    if (parts.length === 0)
      document.report('no-values', node, `${key} names no check`, 'name the checks, such as [web, ssh]');
    const of = parts.map((part) => this.resolve(part, 'a part of a combination').check);
    const wanted = counted ? fields.whole('at-least', 1, Math.max(1, parts.length)) : key === 'all' ? of.length : 1;
    const whole = of.filter((check) => check !== null);
    if (wanted === undefined || whole.length < of.length || of.length === 0) return null;
    const { probes, depth } = extentOf(whole);
    if (depth > limits.checkDepth) {
      this.#reportDepth(name, node);
      return null;
    }
    if (probes > limits.checkParts) {
      const message = `this combination stands for ${probes} probes of each member; at most ${limits.checkParts} are made`;
      document.report('check-too-large', node, message, 'name fewer checks, and each of them once');
      return null;
    }
    const probe: CombinedCheck = { kind: 'combined', atLeast: wanted, of: whole };
    const most = (number: (check: Check) => number): number => Math.max(...whole.map(number));
    // Its parts are probed, each in its own rhythm; as a whole it is as slow as the slowest of them.
    return {
      name: name ?? `${counted ? `at-least-${wanted}` : key}(${whole.map((check) => check.name).join(',')})`,
      probe,
      intervalMs: most((check) => check.intervalMs),
      timeoutMs: most((check) => check.timeoutMs),
      fall: most((check) => check.fall),
      rise: most((check) => check.rise),
      fastRecheck: whole.every((check) => check.fastRecheck),
    };
  }
}

/** How many probes a combination of these is, written out, and how deep it nests. Its parts were held to the bounds when they were read. */
function extentOf(parts: readonly Check[]): { readonly probes: number; readonly depth: number } {
  let probes = 0;
  let depth = 0;
  for (const { probe } of parts) {
    const part = probe.kind === 'combined' ? extentOf(probe.of) : { probes: 1, depth: 0 };
    probes += part.probes;
    depth = Math.max(depth, part.depth);
  }
  return { probes, depth: depth + 1 };
}

/** A name for a check that was written in place. */
function inlineName(kind: ProbeKind, probe: Probe): string {
  return 'port' in probe ? `${kind}:${probe.port}` : kind;
}
