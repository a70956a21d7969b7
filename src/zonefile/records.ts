// The `records` of a zone file: owners, their record sets, and each value in wire form.
import { Buffer } from 'node:buffer';
import { parseAddress } from '../base/address.ts';
import type { MapNode, Node, ScalarNode } from '../base/document.ts';
import { Fields, readMap, readOneOrMore, readScalar, readTtl } from '../base/fields.ts';
import { limits } from '../base/limits.ts';
import { nearest } from '../base/nearest.ts';
import { lowerName, nameToText } from '../wire/name.ts';
import { parseRdata } from '../wire/rdata.ts';
import { isMetaType, TYPE, typeFromText, typeToText } from '../wire/types.ts';
import type { Rdata, StaticSet, SteeredSet } from '../zone/model.ts';
import { recordsExample } from './map-examples.ts';
import { readOwnerName } from './owner-name.ts';
import { noteName, type Scope } from './scope.ts';
import {
  isSteered,
  POLICIES,
  readSteering,
  STEERED_KEYS,
  STEERED_TYPES,
  type Steerable,
  type WrittenSteering,
} from './steering.ts';

/** One value of a static record set. */
export interface WrittenValue {
  readonly text: string;
  readonly offset: number;
  readonly rdata: Rdata;
  /** Names in it, as written and in wire form. */
  readonly hosts: readonly { readonly text: string; readonly wire: Uint8Array }[];
}

export interface WrittenSet {
  readonly set: StaticSet | SteeredSet;
  /** As written, so `ADDR` for both of its sets. */
  readonly typeText: string;
  readonly offset: number;
  readonly values: readonly WrittenValue[];
}

export interface WrittenOwner {
  /** Wire form, lower case. */
  readonly name: Uint8Array;
  /** As written. */
  readonly text: string;
  readonly offset: number;
  readonly sets: ReadonlyMap<number, WrittenSet>;
  /** Every type that was written here, those in error included. */
  readonly types: ReadonlyMap<number, WrittenType>;
  /** Something at this name is wrong and reported: types or values may be missing. */
  readonly broken: boolean;
}

/** A type's key: as written (`ADDR` for both A and AAAA), and where. */
export interface WrittenType {
  readonly text: string;
  readonly offset: number;
}

/** The records as written; owners under their `nameKey`. */
export interface WrittenRecords {
  readonly owners: ReadonlyMap<string, WrittenOwner>;
  readonly steerings: readonly WrittenSteering[];
}

/** A wire name as a Map key: one character an octet. */
export function nameKey(name: Uint8Array): string {
  return Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1');
}

const ASTERISK = 0x2a;

/** What `ADDR` stands for. */
const ADDRESS_TYPES: readonly number[] = [TYPE.A, TYPE.AAAA];

/** In a flow list, an unquoted comma or # ends these too early. */
const QUOTED_IN_FLOW: ReadonlySet<number> = new Set([TYPE.TXT, TYPE.SVCB, TYPE.HTTPS, TYPE.SPF]);

/** Names of types for "did you mean". */
const TYPE_NAMES: readonly string[] = [
  ...Object.keys(TYPE).filter((name) => !isMetaType(typeFromText(name) ?? 0)),
  'ADDR',
];

/** Reads the value of the key `records`. */
export function readRecords(
  scope: Scope & { readonly apex: Uint8Array },
  zone: Steerable,
  node: Node | undefined,
): WrittenRecords {
  return new RecordReader(scope, zone).read(node);
}

class RecordReader {
  readonly #scope: Scope & { readonly apex: Uint8Array };
  readonly #zone: Steerable;
  readonly #owners = new Map<string, WrittenOwner>();
  readonly #steerings: WrittenSteering[] = [];

  constructor(scope: Scope & { readonly apex: Uint8Array }, zone: Steerable) {
    this.#scope = scope;
    this.#zone = zone;
  }

  read(node: Node | undefined): WrittenRecords {
    const { document } = this.#scope;
    const map =
      node === undefined
        ? undefined
        : readMap(document, node, 'records', 'a map of names and their records', '{ www: { A: 192.0.2.1 } }');
    for (const { key, value } of map?.entries.values() ?? []) this.#readOwner(key, value);
    return { owners: this.#owners, steerings: this.#steerings };
  }

  #readOwner(key: ScalarNode, node: Node): void {
    const { document, apex } = this.#scope;
    const name = readOwnerName(this.#scope, key);
    // Something else went wrong where both are.
    if (name === undefined && node.kind !== 'map') return;
    const map = readMap(
      document,
      node,
      `the name ${key.text}`,
      'a map of types and their records',
      recordsExample(node),
    );
    if (name === undefined || map === undefined) {
      // What stands below is judged all the same, as if it were the zone's own.
      if (map !== undefined) this.#readSets(key, map, apex);
      return;
    }
    if (map.entries.size === 0 && map.incomplete !== true)
      document.report('no-records', key, `${key.text} has no records`, 'add some, or remove the name');
    const { sets, types, broken } = this.#readSets(key, map, name);
    const lower = lowerName(name);
    const id = nameKey(lower);
    const earlier = this.#owners.get(id);
    if (earlier !== undefined) {
      const message = `${nameToText(lower)} has its records on line ${document.position(earlier.offset).line} already, as ${earlier.text}`;
      document.report('duplicate-name', key, message, 'put all its records under one key');
      return;
    }
    this.#owners.set(id, { name: lower, text: key.text, offset: key.offset, sets, types, broken });
  }

  #readSets(owner: ScalarNode, map: MapNode, name: Uint8Array): Pick<WrittenOwner, 'sets' | 'types' | 'broken'> {
    const sets = new Map<number, WrittenSet>();
    const types = new Map<number, WrittenType>();
    let broken = map.incomplete === true;
    for (const { key, value } of map.entries.values()) {
      const own = this.#readType(key, name);
      const taken = own?.map((type) => types.get(type)).find((other) => other !== undefined);
      if (taken !== undefined) this.#reportTwice(key, taken);
      const read = own === undefined ? undefined : this.#readSet(owner, key, own, value);
      broken ||= read === undefined || taken !== undefined;
      for (const type of own ?? []) types.set(type, { text: key.text, offset: key.offset });
      for (const written of read ?? []) sets.set(written.set.type, written);
    }
    return { sets, types, broken };
  }

  #reportTwice(key: ScalarNode, other: WrittenType): void {
    const { document } = this.#scope;
    if (key.text === 'ADDR' || other.text === 'ADDR') {
      const message = `ADDR is A and AAAA in one and cannot stand beside ${key.text === 'ADDR' ? other.text : key.text}`;
      document.report('addr-and-address', key, message, 'keep ADDR, or write A and AAAA apart');
    } else {
      const message = `${key.text} and ${other.text} are the same type`;
      document.report('duplicate-type', key, message, 'put all values under one of them');
    }
  }

  /** The types that a key stands for; undefined after a report. */
  #readType(key: ScalarNode, name: Uint8Array): readonly number[] | undefined {
    const { document, apex } = this.#scope;
    const { text } = key;
    if (text === 'ADDR') return ADDRESS_TYPES;
    const type = typeFromText(text);
    if (type === undefined || isMetaType(type)) {
      const meant = nearest(text, TYPE_NAMES);
      const forms = 'a type is a name such as A, MX or TXT, ADDR, or TYPE and a number';
      const fix = meant === undefined ? forms : `did you mean ${meant}? ${forms}`;
      document.report('unknown-type', key, `"${text}" is no type of record`, fix);
      return undefined;
    }
    if (text !== text.toUpperCase()) {
      document.report('unknown-type', key, `"${text}" is no type of record`, `did you mean ${text.toUpperCase()}?`);
      return undefined;
    }
    const apexOnly = name.length === apex.length;
    if (type === TYPE.SOA) {
      document.report('soa-in-records', key, 'the SOA does not stand in records', 'use the key soa of the zone');
    } else if (type === TYPE.NS && apexOnly) {
      document.report('ns-in-records', key, "the zone's own NS do not stand in records", 'use the key ns of the zone');
    } else if (type === TYPE.NS && name[0] === 1 && name[1] === ASTERISK) {
      const fix = 'delegate each name that you mean';
      document.report('wildcard-ns', key, 'a wildcard cannot be delegated (RFC 4592 4.2)', fix);
    } else if (type === TYPE.DNAME) {
      document.report('unsupported', key, 'DNAME is not supported', 'write a wildcard CNAME, or the names out');
    } else return [type];
    return undefined;
  }

  #readSet(owner: ScalarNode, key: ScalarNode, types: readonly number[], node: Node): WrittenSet[] | undefined {
    if (node.kind === 'map' && isSteered(node)) return this.#readSteered(owner, key, node);
    const { document } = this.#scope;
    let ttlSeconds = this.#zone.defaultTtlSeconds;
    let valuesNode: Node | undefined = node;
    if (node.kind === 'map') {
      // Without values it may have been meant to be steered.
      const open = Object.hasOwn(STEERED_TYPES, key.text) && !node.entries.has('values');
      const known = open ? [...STEERED_KEYS, 'values'] : ['ttl', 'values'];
      const fields = new Fields(document, node, `the record set ${key.text}`, known);
      if (['values', ...(open ? POLICIES : [])].every((way) => fields.isMissing(way))) {
        const ways = open ? 'values, or one of regions, closest, pools and weighted' : 'values';
        document.report('missing-key', key, `the record set ${key.text} has no values`, `add ${ways}`);
      }
      valuesNode = fields.node('values');
      const ttl = fields.has('ttl') ? fields.read('ttl', readTtl) : ttlSeconds;
      if (ttl === undefined || valuesNode === undefined) return undefined;
      ttlSeconds = ttl;
    }
    return this.#readStatic(key, types, valuesNode, ttlSeconds);
  }

  #readSteered(owner: ScalarNode, key: ScalarNode, map: MapNode): WrittenSet[] | undefined {
    const { document } = this.#scope;
    if (!Object.hasOwn(STEERED_TYPES, key.text)) {
      const fix = 'write its values; A, AAAA, ADDR and CNAME can be steered';
      document.report('not-steerable', key, `${key.text} records cannot be steered`, fix);
      return undefined;
    }
    const values = map.entries.get('values');
    let steered = map;
    if (values !== undefined) {
      const fix = 'keep either values or the pools';
      document.report('one-of', values.key, 'values and pools cannot stand side by side', fix);
      const rest = new Map(map.entries);
      rest.delete('values');
      steered = { ...map, entries: rest };
    }
    const steering = readSteering(this.#zone, owner.text, key, steered);
    if (steering === undefined || values !== undefined) return undefined;
    this.#steerings.push(steering);
    return steering.sets.map((set) => ({ set, typeText: key.text, offset: key.offset, values: [] }));
  }

  #readStatic(key: ScalarNode, types: readonly number[], node: Node, ttlSeconds: number): WrittenSet[] | undefined {
    const { document } = this.#scope;
    const elements = readOneOrMore(document, node, `the record set ${key.text}`);
    if (elements === undefined) return undefined;
    if (elements.length === 0) {
      document.report('no-values', node, `the record set ${key.text} is empty`, 'add a value, or remove it');
      return undefined;
    }
    if (elements.length > limits.recordsPerSet) {
      const message = `${elements.length} records in one set; at most ${limits.recordsPerSet} can ever be answered`;
      document.report('too-many', node, message, 'split it');
      return undefined;
    }
    const values = new Map<number, WrittenValue[]>();
    const seen = new Set<string>();
    let whole = true;
    for (const element of elements) {
      const read = this.#readValue(key, types, element, node.kind === 'list' && node.flow);
      if (read === undefined) {
        whole = false;
        continue;
      }
      const id = `${read.type} ${nameKey(read.value.rdata.bytes)}`;
      if (seen.has(id)) {
        // RFC 2181 5: a record set has no duplicates.
        document.report(
          'duplicate-value',
          element,
          'this value stands in the record set already',
          'remove one of the two',
        );
        continue;
      }
      seen.add(id);
      const list = values.get(read.type);
      if (list === undefined) values.set(read.type, [read.value]);
      else list.push(read.value);
    }
    if (!whole) return undefined;
    return [...values].map(([type, list]) => ({
      set: { kind: 'static', type, ttlSeconds, records: list.map(({ rdata }) => rdata) },
      typeText: key.text,
      offset: key.offset,
      values: list,
    }));
  }

  #readValue(
    key: ScalarNode,
    types: readonly number[],
    element: Node,
    inFlowList: boolean,
  ): { type: number; value: WrittenValue } | undefined {
    const { document, apex } = this.#scope;
    const scalar = readScalar(document, element, `a value of ${key.text}`, 'text; quote it if it has ": " or braces');
    if (scalar === undefined) return undefined;
    const type = key.text === 'ADDR' && parseAddress(scalar.text)?.family === 6 ? TYPE.AAAA : types[0]!;
    if (inFlowList && !scalar.quoted && QUOTED_IN_FLOW.has(type)) {
      const message = `${typeToText(type)} values in [ ] must be quoted: a comma would end them`;
      document.report('quote-in-list', scalar, message, `write "${scalar.text.replaceAll('"', '\\"')}"`);
      return undefined;
    }
    const result = parseRdata(type, scalar.text, apex);
    if (!result.ok) {
      const address = type === TYPE.A || type === TYPE.AAAA;
      const other = address && parseAddress(scalar.text) !== undefined;
      const code = address ? (other ? 'wrong-family' : 'bad-address') : 'bad-record';
      document.report(code, scalar, `${key.text}: ${result.reason}`, result.fix);
      return undefined;
    }
    for (const { text, wire } of result.hosts) {
      noteName(this.#scope, { text, wire, document, offset: scalar.offset });
    }
    const rdata: Rdata = { bytes: result.bytes, names: result.names };
    return { type, value: { text: scalar.text, offset: scalar.offset, rdata, hosts: result.hosts } };
  }
}
