// `geoip.update` in the settings: which databases are fetched, from whom, how often, and how much of them may change at once.
import { resolve } from 'node:path';
import type { Document, MapNode, Node } from '../base/document.ts';
import { Fields, readOneOrMore, readScalar, readSeconds, readText } from '../base/fields.ts';
import { limits } from '../base/limits.ts';
import { nearest } from '../base/nearest.ts';

/** Where databases come from; `url`: from any address. */
export type UpdateSourceKind = 'maxmind' | 'dbip' | 'rir' | 'url';

/** What is configured, defaults filled in. Paths are absolute. */
export interface UpdateSettings {
  readonly source: UpdateSourceKind;
  /** The database itself, for `url`; null for the others. */
  readonly url: string | null;
  /** MaxMind's account number. */
  readonly account: string | null;
  /** The only place that the licence key is read from. */
  readonly licenceKeyFile: string | null;
  /** Databases of the publisher, each installed under its own name. */
  readonly editions: readonly string[];
  /** Certificates (PEM) that are trusted besides the public authorities. */
  readonly caFile: string | null;
  /** Replaces the publisher's host, for mirrors and tests. */
  readonly baseUrl: string | null;
  /** null: only by command. */
  readonly everyMs: number | null;
  /** Share of the address space, 0 to 1, that may change its country. */
  readonly maxChange: number;
}

interface SourceRules {
  /** What is fetched where no edition is named; null: it has no editions. */
  readonly edition: string | null;
  readonly editionPattern: RegExp;
  readonly account: boolean;
}

const NO_EDITION = { edition: null, editionPattern: /^$/, account: false } as const;

const RULES: Readonly<Record<UpdateSourceKind, SourceRules>> = {
  maxmind: {
    edition: 'GeoLite2-Country',
    editionPattern: /^Geo(?:Lite2|IP2?)-[A-Za-z0-9-]{1,60}$/,
    account: true,
  },
  dbip: { edition: 'dbip-country-lite', editionPattern: /^dbip-(?:country|city|asn)-lite$/, account: false },
  rir: NO_EDITION,
  url: NO_EDITION,
};

const WORDS = ['maxmind', 'dbip', 'rir'] as const;

const KEYS = [
  'source',
  'account',
  'licence-key-file',
  'edition',
  'ca-file',
  'base-url',
  'every',
  'max-change',
] as const;

const DEFAULT_EVERY_MS = 7 * 86_400_000;
const DEFAULT_MAX_CHANGE = 0.2;

/** undefined: there are mistakes, all reported. Relative paths start from `directory`. */
export function readUpdate(document: Document, map: MapNode, directory: string): UpdateSettings | undefined {
  const fields = new Fields(document, map, 'geoip.update', KEYS);
  const source = fields.require('source', 'rir', readSource);
  const every = fields.read('every', readEvery);
  const caFile = readPath(fields, 'ca-file', directory);
  const baseUrl = fields.read('base-url', readHttps) ?? null;
  const maxChange = fields.read('max-change', readShare) ?? DEFAULT_MAX_CHANGE;
  const account = fields.read('account', readAccount) ?? null;
  const licenceKeyFile = readPath(fields, 'licence-key-file', directory);
  if (source === undefined) return undefined;
  const rules = RULES[source.kind];
  for (const [key, example] of [
    ['account', '"123456"'],
    ['licence-key-file', 'maxmind.key'],
  ] as const) {
    if (rules.account) fields.require(key, example, (_document, node) => node);
    else withoutEffect(fields, key, `${source.kind === 'url' ? 'an address' : source.kind} has no account`);
  }
  if (rules.edition === null) withoutEffect(fields, 'edition', 'there is one database only');
  const editions = fields.read('edition', readEditions(rules)) ?? (rules.edition === null ? [] : [rules.edition]);
  return {
    source: source.kind,
    url: source.url,
    account,
    licenceKeyFile,
    editions: rules.edition === null ? [] : editions,
    caFile,
    baseUrl,
    everyMs: every === undefined ? DEFAULT_EVERY_MS : every,
    maxChange,
  };
}

function readSource(
  document: Document,
  node: Node,
  what: string,
): { readonly kind: UpdateSourceKind; readonly url: string | null } | undefined {
  const scalar = readScalar(document, node, what, 'one of maxmind, dbip, rir, or an address');
  if (scalar === undefined) return undefined;
  const word = WORDS.find((known) => known === scalar.text);
  if (word !== undefined) return { kind: word, url: null };
  if (isHttps(scalar.text)) return { kind: 'url', url: scalar.text };
  const meant = nearest(scalar.text, WORDS);
  const fix = `${meant === undefined ? '' : `did you mean ${meant}? `}it is one of ${WORDS.join(', ')}, or an https:// address`;
  document.report('bad-choice', scalar, `${what} cannot be "${scalar.text}"`, fix);
  return undefined;
}

/** `never`: only by command. */
function readEvery(document: Document, node: Node, what: string): number | null | undefined {
  if (node.kind === 'scalar' && node.text === 'never') return null;
  const seconds = readSeconds(document, node, what, limits.geoUpdateEverySeconds, limits.geoUpdateEveryLongestSeconds);
  return seconds === undefined ? undefined : seconds * 1000;
}

/** `20%`. */
function readShare(document: Document, node: Node, what: string): number | undefined {
  const scalar = readScalar(document, node, what, 'a percentage');
  if (scalar === undefined) return undefined;
  const match = /^(\d{1,3}(?:\.\d{1,4})?)%$/.exec(scalar.text);
  if (match !== null && Number(match[1]) <= 100) return Number(match[1]) / 100;
  const fix = 'write a percentage from "0%" to "100%"';
  document.report('bad-value', scalar, `${what}: "${scalar.text}" is no percentage`, fix);
  return undefined;
}

function readAccount(document: Document, node: Node, what: string): string | undefined {
  const text = readText(document, node, what);
  if (text === undefined || /^[0-9]{1,20}$/.test(text)) return text;
  const fix = 'write the number that MaxMind shows as account ID';
  document.report('bad-value', node, `${what}: "${text}" is no account number`, fix);
  return undefined;
}

function readEditions({ edition, editionPattern }: SourceRules) {
  return (document: Document, node: Node, what: string): string[] | undefined => {
    if (edition === null) return undefined;
    const editions: string[] = [];
    for (const element of readOneOrMore(document, node, what) ?? []) {
      const scalar = readScalar(document, element, what, 'an edition');
      if (scalar === undefined) continue;
      if (!editionPattern.test(scalar.text)) {
        const message = `${what}: "${scalar.text}" is no edition of this source`;
        document.report('bad-value', scalar, message, `write a name such as ${edition}`);
      } else if (editions.includes(scalar.text)) {
        document.report('duplicate-value', scalar, `${scalar.text} stands in ${what} already`, 'remove one of the two');
      } else editions.push(scalar.text);
    }
    if (editions.length > 0 || node.kind !== 'list' || node.items.length > 0) return editions;
    document.report('no-values', node, `${what} names no database`, `write ${edition}, or remove the key`);
    return undefined;
  };
}

function readHttps(document: Document, node: Node, what: string): string | undefined {
  const scalar = readScalar(document, node, what, 'an address');
  if (scalar === undefined || isHttps(scalar.text)) return scalar?.text;
  const fix = 'write an address such as https://mirror.example.net';
  document.report('bad-value', scalar, `${what}: "${scalar.text}" is no https:// address`, fix);
  return undefined;
}

/** A checksum that comes the same way as the file proves nothing without TLS; and a password has no place in settings. */
function isHttps(text: string): boolean {
  return /^https:\/\/[^/@?#]+(?:[/?]|$)/.test(text) && URL.canParse(text);
}

function readPath(fields: Fields, key: string, directory: string): string | null {
  const text = fields.read(key, readText);
  return text === undefined ? null : resolve(directory, text);
}

function withoutEffect(fields: Fields, key: string, reason: string): void {
  const entry = fields.entry(key);
  if (entry !== undefined)
    fields.document.report('without-effect', entry.key, `${key} has no effect here: ${reason}`, 'remove the key');
}
