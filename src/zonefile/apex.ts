// What stands beside the records: `soa`, `ns` and `transfer` of a zone.

import { isIPv4 } from 'node:net';
import { type Address, type Prefix, parseAddress } from '../base/address.ts';
import type { Document, MapNode, Node } from '../base/document.ts';
import { Fields, readMap, readNetwork, readOneOrMore, readScalar, readTtl, readWhole } from '../base/fields.ts';
import { limits } from '../base/limits.ts';
import { equalNames, nameToText, parseName } from '../wire/name.ts';
import type { Soa, Transfer } from '../zone/model.ts';
import type { WrittenNameserver } from './integrity.ts';
import { readName, type Scope } from './scope.ts';

const SOA_KEYS = ['mname', 'rname', 'refresh', 'retry', 'expire', 'minimum', 'ttl', 'serial'] as const;
const SERIAL_MAX = 0xffffffff;

/** What a zone's SOA says where the file says nothing: four hours, one hour, two weeks, and a minute for negative answers. */
const SOA_DEFAULTS = { refresh: 14_400, retry: 3_600, expire: 1_209_600, minimum: 60 } as const;

type ZoneScope = Scope & { readonly apex: Uint8Array };

/** Reads `soa`; `node` undefined gives the defaults. `primary` is the first nameserver. */
export function readSoa(
  scope: ZoneScope,
  node: Node | undefined,
  primary: Uint8Array | undefined,
  ttlSeconds: number,
): Soa {
  const map =
    node === undefined
      ? undefined
      : readMap(scope.document, node, 'soa', undefined, '{ rname: hostmaster@example.org, minimum: 60 }');
  const empty: MapNode = { kind: 'map', entries: new Map(), offset: 0 };
  const fields = new Fields(scope.document, map ?? empty, 'soa', SOA_KEYS);
  const seconds = (key: 'refresh' | 'retry' | 'expire' | 'minimum'): number =>
    fields.read(key, readTtl) ?? SOA_DEFAULTS[key];
  return {
    mname: fields.read('mname', (_, value, what) => readName(scope, value, what)) ?? primary ?? scope.apex,
    rname: fields.read('rname', (_, value, what) => readMailbox(scope, value, what)) ?? defaultMailbox(scope.apex),
    serial: fields.whole('serial', 0, SERIAL_MAX) ?? null,
    refresh: seconds('refresh'),
    retry: seconds('retry'),
    expire: seconds('expire'),
    minimum: seconds('minimum'),
    ttlSeconds: fields.read('ttl', readTtl) ?? ttlSeconds,
  };
}

/** `hostmaster` of the zone; RFC 2142 7. */
function defaultMailbox(apex: Uint8Array): Uint8Array {
  const result = parseName('hostmaster', apex);
  return result.ok ? result.wire : apex;
}

/** A mailbox as a name (RFC 1035 3.3.13), or as a mail address. */
function readMailbox(scope: ZoneScope, node: Node, what: string): Uint8Array | undefined {
  const at = node.kind === 'scalar' ? node.text.lastIndexOf('@') : -1;
  if (node.kind !== 'scalar' || at <= 0) return readName(scope, node, what);
  const local = node.text.slice(0, at).replaceAll(/[.\\]/g, '\\$&');
  const domain = node.text.slice(at + 1).replace(/\.?$/, '.');
  const result = parseName(`${local}.${domain}`, null);
  if (result.ok) return result.wire;
  scope.document.report(
    'bad-name',
    node,
    `${what}: ${result.reason}`,
    'write hostmaster.example.net. or hostmaster@example.net',
  );
  return undefined;
}

export interface WrittenNs {
  readonly ttlSeconds: number;
  readonly nameservers: readonly WrittenNameserver[];
}

/** Reads `ns`: one name, a list, or `{ ttl, values }`. */
export function readNs(scope: ZoneScope, node: Node, defaultTtlSeconds: number): WrittenNs {
  const { document } = scope;
  let values: Node | undefined = node;
  let ttlSeconds = defaultTtlSeconds;
  if (node.kind === 'map') {
    const fields = new Fields(document, node, 'ns', ['ttl', 'values']);
    if (fields.isMissing('values'))
      document.report('missing-key', node, 'ns has no values', 'add values: [ns1.example.net., ...]');
    values = fields.node('values');
    ttlSeconds = fields.read('ttl', readTtl) ?? ttlSeconds;
  }
  const elements = values === undefined ? [] : readOneOrMore(document, values, 'ns');
  if (elements?.length === 0 && values !== undefined) {
    document.report('no-values', values, 'ns names no nameserver', 'name the nameservers of the zone');
  }
  if (values !== undefined && elements !== undefined && elements.length > limits.nameservers) {
    const message = `${elements.length} nameservers; at most ${limits.nameservers} are read`;
    document.report('too-many', values, message, 'name fewer');
    return { ttlSeconds, nameservers: [] };
  }
  const nameservers: WrittenNameserver[] = [];
  for (const element of elements ?? []) {
    const name = readName(scope, element, 'a nameserver');
    if (name === undefined) continue;
    if (nameservers.some((other) => equalNames(other.name, name))) {
      document.report('duplicate-value', element, `${nameToText(name)} stands in ns already`, 'remove one of the two');
    } else nameservers.push({ name, offset: element.offset });
  }
  return { ttlSeconds, nameservers };
}

/** Reads `transfer`: who may copy the zone, and who is told that it changed. */
export function readTransfer(document: Document, node: Node): Transfer | undefined {
  const map = readMap(document, node, 'transfer', undefined, '{ allow: [192.0.2.0/24], notify: [192.0.2.54] }');
  if (map === undefined) return undefined;
  const fields = new Fields(document, map, 'transfer', ['allow', 'notify']);
  const each = <T>(key: string, reader: (element: Node) => T | undefined): T[] => {
    const elements = fields.read(key, readOneOrMore) ?? [];
    return elements.map(reader).filter((value) => value !== undefined);
  };
  const allow: Prefix[] = each('allow', (element) => readNetwork(document, element, 'allow'));
  return { allow, notify: each('notify', (element) => readEndpoint(document, element)) };
}

const DNS_PORT = 53;

/** `192.0.2.54`, `192.0.2.54:5300`, `2001:db8::1` or `[2001:db8::1]:5300`. */
function readEndpoint(document: Document, node: Node): { address: Address; port: number } | undefined {
  const scalar = readScalar(document, node, 'an address to notify');
  if (scalar === undefined) return undefined;
  const match = /^(?:\[(.+)\]|([^:]+)):([0-9]+)$/.exec(scalar.text);
  const host = match?.[1] ?? match?.[2];
  const withPort = host !== undefined && (match?.[1] !== undefined || isIPv4(host));
  const address = parseAddress(withPort ? host : scalar.text);
  if (address === undefined) {
    const fix = 'write an address such as 192.0.2.54, with a port 192.0.2.54:5300 or [2001:db8::1]:5300';
    document.report('bad-address', scalar, `notify: "${scalar.text}" is not an IP address`, fix);
    return undefined;
  }
  if (!withPort) return { address, port: DNS_PORT };
  const port = readWhole(document, { ...scalar, text: match?.[3] ?? '' }, 'the port', 1, 65_535);
  return port === undefined ? undefined : { address, port };
}
