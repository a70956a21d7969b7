// A zone file's text to its model, with every mistake and every doubt in it.
import { basename } from 'node:path';
import type { Diagnostic } from '../base/diagnostic.ts';
import { type Document, type MapNode, type Node, readDocument } from '../base/document.ts';
import { Fields, readMap, readText, readTtl } from '../base/fields.ts';
import { limits } from '../base/limits.ts';
import { Suggestions } from '../base/nearest.ts';
import { CONTINENTS } from '../geo/place.ts';
import { lowerName, nameToText, parseName } from '../wire/name.ts';
import { absoluteName, withoutFinalDot } from '../wire/zone-name.ts';
import type { Owner, Pool, Soa, Transfer, ZoneModel } from '../zone/model.ts';
import { readAccept } from './accept.ts';
import { readNs, readSoa, readTransfer, type WrittenNs } from './apex.ts';
import { lintZone } from './check.ts';
import { Checks } from './checks.ts';
import { type ParsedCommon, type ReadOptions, readVersion, type SourceText } from './common.ts';
import { checkIntegrity, type WrittenNameserver } from './integrity.ts';
import type { GeoData } from './linted-zone.ts';
import { readPools, type WrittenPool } from './pools.ts';
import { nameKey, readRecords, type WrittenRecords } from './records.ts';
import { type Region, readRegions } from './regions.ts';
import type { Scope } from './scope.ts';
import type { Steerable } from './steering.ts';
import { fileOfZone } from './zone-file-name.ts';

const KEYS = [
  'version',
  'zone',
  'owner',
  'ttl',
  'soa',
  'ns',
  'transfer',
  'accept',
  'whoami',
  'regions',
  'checks',
  'pools',
  'records',
] as const;

/** A record set's TTL where neither the file nor `_common.yaml` says one. */
const DEFAULT_TTL_SECONDS = 300;

export interface ZoneSource extends SourceText {
  /** The zone that the file's name promises (`zoneOfFile`); null: any. */
  readonly expectedName: string | null;
}

export interface ZoneOptions extends ReadOptions {
  /** What the loaded databases know, for warnings about rules that nothing can match; null: not known, no such warnings. */
  readonly geoData: GeoData | null;
}

export interface ParsedZone {
  /** null when the file has errors. */
  readonly model: ZoneModel | null;
  /** All errors and warnings, in the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
  /** Whether the zone takes anything from `_common.yaml`, as far as can be told. */
  readonly usesCommon: boolean;
}

/** Parses a zone file. Never throws. `common` is null where there is no `_common.yaml`. */
export function parseZone(source: ZoneSource, common: ParsedCommon | null, options: ZoneOptions): ParsedZone {
  const document = readDocument(source.file, source.text);
  const map =
    document.root === null
      ? undefined
      : readMap(document, document.root, 'a zone file', undefined, 'zone: example.org');
  if (map === undefined) return { model: null, diagnostics: document.diagnostics, usesCommon: false };
  return new ZoneReader(source, document, map, common, options).read();
}

class ZoneReader implements Steerable {
  readonly document: Document;
  readonly #source: ZoneSource;
  readonly #fields: Fields;
  readonly #common: ParsedCommon | null;
  readonly #options: ZoneOptions;
  readonly #usedPools = new Set<string>();
  readonly #usedRegions = new Set<string>();
  #regions: ReadonlyMap<string, Region> = new Map();
  #pools: ReadonlyMap<string, WrittenPool> = new Map();
  #ttlSeconds = DEFAULT_TTL_SECONDS;
  readonly #poolSuggestions = new Suggestions(() => [...this.#pools.keys(), ...(this.#common?.pools.keys() ?? [])]);
  readonly #regionSuggestions = new Suggestions(() => [
    ...Object.keys(CONTINENTS),
    'default',
    ...this.#regions.keys(),
    ...(this.#common?.regions.keys() ?? []),
  ]);
  /** What came from `_common.yaml`, for the message when that is broken. */
  readonly #borrowed = new Set<string>();

  constructor(source: ZoneSource, document: Document, map: MapNode, common: ParsedCommon | null, options: ZoneOptions) {
    this.#source = source;
    this.document = document;
    this.#fields = new Fields(document, map, 'a zone file', KEYS);
    this.#common = common;
    this.#options = options;
  }

  get defaultTtlSeconds(): number {
    return this.#ttlSeconds;
  }

  pool(name: string): WrittenPool | undefined {
    const own = this.#pools.get(name);
    if (own !== undefined) {
      this.#usedPools.add(name);
      return own;
    }
    const common = this.#common?.pools.get(name);
    if (common !== undefined) this.#borrowed.add(`the pool ${name}`);
    return common;
  }

  region(name: string): Region | undefined {
    const own = this.#regions.get(name);
    if (own !== undefined) {
      this.#usedRegions.add(name);
      return own;
    }
    const common = this.#common?.regions.get(name);
    if (common !== undefined) this.#borrowed.add(`the region ${name}`);
    return common;
  }

  unsure(section: 'pools' | 'regions'): boolean {
    return !this.#fields.has(section) && !this.#fields.isMissing(section);
  }

  nearestPool(name: string): string | undefined {
    return this.#poolSuggestions.nearest(name);
  }

  nearestRegion(name: string): string | undefined {
    return this.#regionSuggestions.nearest(name);
  }

  read(): ParsedZone {
    const fields = this.#fields;
    readVersion(fields);
    const accept = fields.read('accept', readAccept) ?? [];
    const apex = this.#readApex();
    const owner = fields.text('owner') ?? null;
    // A wrong zone name is no reason not to look at the rest: the file's name stands in for it.
    const expected = this.#source.expectedName ?? 'invalid';
    const stand = parseName(absoluteName(expected), null);
    const zoneApex = apex ?? (stand.ok ? stand.wire : new Uint8Array(1));
    const name = zoneName(zoneApex);
    const scope = this.#scope(this.document, zoneApex, name);
    this.#ttlSeconds = this.#readTtl();
    this.#regions = readRegions(this.document, fields.node('regions'));
    const unsure = !fields.has('checks') && !fields.isMissing('checks');
    const checks = new Checks(scope, fields.node('checks'), this.#common?.checks ?? null, unsure);
    checks.readAll();
    this.#pools = readPools(scope, fields.node('pools'), checks);
    for (const { usesCommonCheck, pool } of this.#pools.values()) {
      if (usesCommonCheck) this.#borrowed.add(`the check of the pool ${pool.name}`);
    }
    const ns = this.#readNs(scope);
    const soa = this.#readSoa(scope, ns.nameservers[0]?.name);
    const transferNode = fields.node('transfer');
    const transfer = transferNode === undefined ? null : (readTransfer(this.document, transferNode) ?? null);
    const records = readRecords(scope, this, fields.node('records'));
    checkIntegrity({
      document: this.document,
      apex: zoneApex,
      owners: records.owners,
      nameservers: ns.nameservers,
      dottedNames: scope.dottedNames,
      outsideNames: scope.outsideNames,
    });
    const whoami = fields.flag('whoami') ?? false;
    if (whoami) this.#checkWhoami(zoneApex, records);
    this.#checkSize(records);
    this.#checkCommon();
    lintZone({
      document: this.document,
      zone: name,
      regions: this.#regions,
      usedRegions: this.#usedRegions,
      pools: this.#pools,
      usedPools: this.#usedPools,
      owners: records.owners,
      checks,
      steerings: records.steerings,
      transferOffset: transfer === null ? null : fields.entry('transfer')!.key.offset,
      geoData: this.#options.geoData,
    });
    const usesCommon = this.#borrowed.size > 0;
    const diagnostics = this.document.diagnostics;
    if (this.document.failed || apex === undefined) return { model: null, diagnostics, usesCommon };
    return {
      model: this.#model({ name, apex, owner, soa, ns, transfer, accept, whoami, records }),
      diagnostics,
      usesCommon,
    };
  }

  #scope(document: Document, apex: Uint8Array, zone: string): Scope & { readonly apex: Uint8Array } {
    const { baseDirectory, checkRules } = this.#options;
    return { document, apex, zone, baseDirectory, checkRules, dottedNames: [], outsideNames: [] };
  }

  /** The zone's name in wire form, lower case; undefined after a report. */
  #readApex(): Uint8Array | undefined {
    const { document } = this;
    const { expectedName } = this.#source;
    const text = this.#fields.require('zone', expectedName ?? 'example.org', readText, { offset: 0 });
    if (text === undefined) return undefined;
    const node = this.#fields.node('zone')!;
    const result = parseName(absoluteName(text), null);
    if (!result.ok || text === '@') {
      const reason = result.ok ? 'a zone needs a name' : result.reason;
      document.report('bad-name', node, reason, 'write the name of the zone, such as example.org');
      return undefined;
    }
    const apex = lowerName(result.wire);
    const name = zoneName(apex);
    if (expectedName !== null && name !== expectedName) {
      const message = `the zone is ${name}, but the file is called ${basename(this.#source.file)}`;
      const fix = `call the file ${fileOfZone(name)}, or write zone: ${expectedName}`;
      document.report('zone-file-name', node, message, fix);
    }
    return apex;
  }

  #readTtl(): number {
    if (this.#fields.has('ttl')) return this.#fields.read('ttl', readTtl) ?? DEFAULT_TTL_SECONDS;
    if (this.#common?.keys.has('ttl')) this.#borrowed.add('its ttl');
    return this.#common?.ttlSeconds ?? DEFAULT_TTL_SECONDS;
  }

  #readNs(scope: Scope & { readonly apex: Uint8Array }): WrittenNs {
    const node = this.#fields.node('ns');
    if (node !== undefined) return readNs(scope, node, this.#ttlSeconds);
    const zoneNode: Node | undefined = this.#fields.node('zone');
    const offset = zoneNode?.offset ?? 0;
    const common = this.#common;
    if (common?.keys.has('ns')) this.#borrowed.add('its ns');
    if (common?.ns == null) {
      if (!common?.keys.has('ns') && this.#fields.isMissing('ns')) {
        const fix = 'add ns: [ns1.example.net., ns2.example.net.]';
        this.document.report('missing-key', offset, 'a zone needs "ns": its nameservers', fix);
      }
      return { ttlSeconds: this.#ttlSeconds, nameservers: [] };
    }
    const own = readNs(this.#scope(common.document, scope.apex, scope.zone), common.ns, this.#ttlSeconds);
    // What is wrong with them in this zone is reported where this zone can mend it.
    const nameservers: WrittenNameserver[] = own.nameservers.map(({ name }) => ({ name, offset }));
    return { ...own, nameservers };
  }

  #readSoa(scope: Scope & { readonly apex: Uint8Array }, primary: Uint8Array | undefined): Soa {
    const node = this.#fields.node('soa');
    const common = this.#common;
    if (node !== undefined || !common?.keys.has('soa')) return readSoa(scope, node, primary, this.#ttlSeconds);
    this.#borrowed.add('its soa');
    return readSoa(
      this.#scope(common.document, scope.apex, scope.zone),
      common.soa ?? undefined,
      primary,
      this.#ttlSeconds,
    );
  }

  #checkSize(records: WrittenRecords): void {
    let sets = 0;
    for (const owner of records.owners.values()) sets += owner.sets.size;
    if (sets <= limits.recordSetsPerZone) return;
    const message = `${sets} record sets; at most ${limits.recordSetsPerZone} are read`;
    this.document.report('too-many', this.#fields.entry('records')!.key, message, 'delegate a part of the zone');
  }

  #checkWhoami(apex: Uint8Array, records: WrittenRecords): void {
    const name = parseName('whoami', apex);
    const owner = name.ok ? records.owners.get(nameKey(lowerName(name.wire))) : undefined;
    if (owner === undefined) return;
    const message = 'whoami: true makes this name, which tells who asked';
    this.document.report('duplicate-name', owner.offset, message, 'remove the name, or whoami');
  }

  #checkCommon(): void {
    if (this.#common === null || !this.#common.failed || this.#borrowed.size === 0) return;
    const what = [...this.#borrowed].slice(0, 3).join(', ');
    const message = `_common.yaml has errors, and this zone takes ${what} from it`;
    const where = this.#fields.node('zone') ?? 0;
    this.document.report('common-broken', where, message, `correct ${this.#common.document.file}`);
  }

  #model(parts: {
    name: string;
    apex: Uint8Array;
    owner: string | null;
    soa: Soa;
    ns: WrittenNs;
    transfer: Transfer | null;
    accept: readonly string[];
    whoami: boolean;
    records: WrittenRecords;
  }): ZoneModel {
    const pools = new Map<string, Pool>();
    for (const [name, { pool }] of this.#common?.pools ?? []) pools.set(name, pool);
    for (const [name, { pool }] of this.#pools) pools.set(name, pool);
    const owners: Owner[] = [...parts.records.owners.values()].map(({ name, sets }) => ({
      name,
      sets: [...sets.values()].map(({ set }) => set),
    }));
    const { name, apex, owner, soa, transfer, accept, whoami } = parts;
    const ns = { ttlSeconds: parts.ns.ttlSeconds, names: parts.ns.nameservers.map((server) => server.name) };
    return { name, apex, owner, soa, ns, transfer, accept, whoami, pools, owners, usesCommon: this.#borrowed.size > 0 };
  }
}

/** `net.cat` of a wire name, `.` of the root's. */
function zoneName(apex: Uint8Array): string {
  return withoutFinalDot(nameToText(apex));
}
