// `_common.yaml`: regions, checks and pools that every zone can name, and ttl, soa and ns for zones without their own.

import type { Diagnostic } from '../base/diagnostic.ts';
import { type Document, type MapNode, type Node, readDocument } from '../base/document.ts';
import { Fields, readChoice, readMap, readTtl } from '../base/fields.ts';
import { ROOT_NAME } from '../wire/name.ts';
import type { CheckRules } from '../zone/model.ts';
import { readAccept } from './accept.ts';
import { readNs, readSoa } from './apex.ts';
import { lintPool } from './check-pools.ts';
import { Checks } from './checks.ts';
import { readPools, type WrittenPool } from './pools.ts';
import { type Region, readRegions } from './regions.ts';
import type { Scope } from './scope.ts';

/** The zone name of the targets of common pools. */
const COMMON_ZONE = '_common';

const FILE_VERSION = 'meridian/v1';

const KEYS = ['version', 'accept', 'regions', 'checks', 'pools', 'ttl', 'soa', 'ns'] as const;

/** What reading a file needs to know from outside. */
export interface ReadOptions {
  /** The folder of meridian.yaml: relative paths of checks start here. Absolute. */
  readonly baseDirectory: string;
  /** What settings allow checks to do (`health`). */
  readonly checkRules: CheckRules;
}

/** A file's text, and the name to call it by in diagnostics. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

/** What `_common.yaml` offers. With `failed` every zone that uses any of it is in error. */
export interface ParsedCommon {
  readonly document: Document;
  readonly failed: boolean;
  readonly regions: ReadonlyMap<string, Region>;
  readonly checks: Checks;
  readonly pools: ReadonlyMap<string, WrittenPool>;
  readonly ttlSeconds: number | null;
  /** Read anew for each zone, since names in them may be relative. */
  readonly soa: Node | null;
  readonly ns: Node | null;
  /** The keys at the top, those in error included. */
  readonly keys: ReadonlySet<string>;
}

/** Reads `_common.yaml`. What it gives can be handed to `parseZone` even when it has errors. */
export function parseCommon(
  source: SourceText,
  options: ReadOptions,
): { common: ParsedCommon; diagnostics: readonly Diagnostic[] } {
  const document = readDocument(source.file, source.text);
  const scope: Scope = {
    document,
    apex: null,
    zone: COMMON_ZONE,
    baseDirectory: options.baseDirectory,
    checkRules: options.checkRules,
    dottedNames: [],
    outsideNames: [],
  };
  const map =
    document.root === null ? undefined : readMap(document, document.root, '_common.yaml', undefined, 'ttl: 5m');
  const empty: MapNode = { kind: 'map', entries: new Map(), offset: 0 };
  const fields = new Fields(document, map ?? empty, '_common.yaml', KEYS);
  readVersion(fields);
  fields.read('accept', readAccept);
  const regions = readRegions(document, fields.node('regions'));
  const checks = new Checks(scope, fields.node('checks'), null, !fields.has('checks') && !fields.isMissing('checks'));
  checks.readAll();
  const pools = readPools(scope, fields.node('pools'), checks);
  for (const pool of pools.values()) lintPool(pool, null);
  const ttlSeconds = fields.read('ttl', readTtl) ?? null;
  const soa = fields.node('soa') ?? null;
  const ns = fields.node('ns') ?? null;
  checkNames(scope, soa, ns);
  // Where the text is no YAML, its keys are guessed, to know which zones it would have spoken to.
  const keys = map === undefined ? source.text.match(/^[a-z]+(?=\s*:)/gm) : map.entries.keys();
  return {
    common: { document, failed: document.failed, regions, checks, pools, ttlSeconds, soa, ns, keys: new Set(keys) },
    diagnostics: document.diagnostics,
  };
}

/** Names in `soa` and `ns` may be relative to each zone, but one with an inner dot can only be a forgotten final dot. */
function checkNames(scope: Scope, soa: Node | null, ns: Node | null): void {
  const inRoot = { ...scope, apex: ROOT_NAME, dottedNames: [], outsideNames: [] };
  if (soa !== null) readSoa(inRoot, soa, undefined, 0);
  if (ns !== null) readNs(inRoot, ns, 0);
  for (const { text, offset } of inRoot.dottedNames as Scope['dottedNames']) {
    const message = `"${text}" has no final dot, and no zone is there that it could be relative to`;
    scope.document.report('name-not-absolute', offset, message, `write "${text}."`);
  }
}

/** `version: meridian/v1`, where it is written. */
export function readVersion(fields: Fields): void {
  fields.read('version', (document, node, what) => readChoice(document, node, what, [FILE_VERSION]));
}
