// An http or https probe in a file: what is asked for, what is expected, and where a load is read.
import type { Document, MapNode, Node } from '../base/document.ts';
import { Fields, readMap, readOneOrMore, readScalar, readText } from '../base/fields.ts';
import type { HttpCheck } from '../zone/model.ts';
import { readPattern } from './patterns.ts';
import { readPath, type Scope } from './scope.ts';

const HTTP_KEYS = [
  'port',
  'path',
  'host',
  'method',
  'headers',
  'expect-status',
  'expect-body',
  'version',
  'reuse',
  'load',
] as const;
/** Keys that need TLS, of https and of tcp. */
export const TLS_KEYS = ['sni', 'verify', 'ca-file'] as const;

/** The `port` of a probe; required where it has no usual one (`fallback` null). */
export function readPort(fields: Fields, fallback: number | null): number {
  if (fallback === null && !fields.has('port')) fields.require('port', '443', readText);
  return fields.whole('port', 1, 65_535) ?? fallback ?? 1;
}

/** Reads the map of an http or https probe. */
export function readHttp(scope: Scope, kind: 'http' | 'https', map: MapNode): HttpCheck {
  const tls = kind === 'https';
  const { document } = scope;
  const fields = new Fields(document, map, kind, tls ? [...HTTP_KEYS, ...TLS_KEYS, 'min-days'] : HTTP_KEYS);
  const version = fields.choice('version', ['1.1', '2'] as const) ?? '1.1';
  if (version === '2' && !tls) {
    document.report('unsupported', fields.node('version')!, 'HTTP/2 needs TLS', 'use https, or version 1.1');
  }
  const host = fields.read('host', readHost) ?? null;
  return {
    kind: 'http',
    tls,
    port: readPort(fields, tls ? 443 : 80),
    method: fields.read('method', readMethod) ?? 'GET',
    path: fields.read('path', readRequestPath) ?? '/',
    host,
    sni: fields.read('sni', readHost) ?? null,
    headers: fields.read('headers', readHeaders) ?? {},
    expectStatus: fields.read('expect-status', readStatusRanges) ?? [[200, 299]],
    expectBody: fields.read('expect-body', readPattern) ?? null,
    verify: fields.flag('verify') ?? true,
    caFile: fields.read('ca-file', (_, node, what) => readPath(scope, node, what)) ?? null,
    minDays: fields.whole('min-days', 0, 3650) ?? null,
    version,
    reuse: fields.flag('reuse') ?? false,
    load: fields.read('load', readLoad) ?? null,
  };
}

/** A host name, as Host header or TLS server name. */
export function readHost(document: Document, node: Node, what: string): string | undefined {
  return readMatching(document, node, what, /^[A-Za-z0-9._:[\]-]+$/, 'a host name such as www.example.net');
}

function readMethod(document: Document, node: Node, what: string): string | undefined {
  return readMatching(document, node, what, /^(GET|HEAD|OPTIONS|POST)$/, 'GET, HEAD, OPTIONS or POST');
}

function readRequestPath(document: Document, node: Node, what: string): string | undefined {
  return readMatching(document, node, what, /^\/[\x21-\x7e]*$/, 'a path that begins with / and has no blanks');
}

function readMatching(document: Document, node: Node, what: string, form: RegExp, wanted: string): string | undefined {
  const scalar = readScalar(document, node, what);
  if (scalar === undefined) return undefined;
  if (form.test(scalar.text)) return scalar.text;
  document.report('bad-value', scalar, `${what} cannot be "${scalar.text}"`, `write ${wanted}`);
  return undefined;
}

/** Headers that speak of the connection or the framing (RFC 9110 7.6.1, RFC 9113 8.2.2), and `Expect`, which asks for a body to wait. */
const CONNECTION_HEADERS =
  /^(host|content-length|transfer-encoding|connection|keep-alive|proxy-connection|te|upgrade|http2-settings|expect)$/i;

function readHeaders(document: Document, node: Node, what: string): Record<string, string> | undefined {
  const map = readMap(document, node, what, 'a map of header names and values');
  if (map === undefined) return undefined;
  const headers: [string, string][] = [];
  for (const { key, value } of map.entries.values()) {
    const text = readText(document, value, `the header ${key.text}`);
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(key.text)) {
      document.report('bad-value', key, `"${key.text}" is no header name`, 'write a name such as X-Probe');
    } else if (CONNECTION_HEADERS.test(key.text)) {
      const fix = /^host$/i.test(key.text) ? 'use the key host' : "remove it: the connection is the probe's";
      document.report('bad-value', key, `the header ${key.text} cannot be set here`, fix);
    } else if (text !== undefined && !/^[\t\x20-\x7e\u0080-\u00ff]*$/.test(text)) {
      document.report('bad-value', value, 'a header value holds printable characters only', 'remove the others');
    } else if (text !== undefined) headers.push([key.text, text]);
  }
  // Object.fromEntries defines properties, so that a header called __proto__ is one.
  return Object.fromEntries(headers);
}

function readStatusRanges(document: Document, node: Node, what: string): [number, number][] | undefined {
  const elements = readOneOrMore(document, node, what);
  if (elements === undefined) return undefined;
  const ranges: [number, number][] = [];
  for (const element of elements) {
    const scalar = readScalar(document, element, 'a status');
    if (scalar === undefined) continue;
    const match = /^([1-9][0-9]{2})(?:-([1-9][0-9]{2}))?$/.exec(scalar.text);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (match !== null && from >= 100 && to <= 599 && from <= to) ranges.push([from, to]);
    else {
      const fix = 'write a status or a range from 100 to 599, such as 200 or 200-299';
      document.report('bad-value', scalar, `"${scalar.text}" is no HTTP status`, fix);
    }
  }
  if (elements.length === 0) document.report('no-values', node, `${what} is empty`, 'name a status such as 200-299');
  return ranges.length === 0 ? undefined : ranges;
}

/** `{ header: X-Load }` or `{ json: /load }` (RFC 6901). */
export function readLoad(document: Document, node: Node, what: string): HttpCheck['load'] | undefined {
  const map = readMap(document, node, what, 'header: NAME or json: POINTER');
  if (map === undefined) return undefined;
  const fields = new Fields(document, map, what, ['header', 'json']);
  const name = fields.read('header', (d, n, w) =>
    readMatching(d, n, w, /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'a header name'),
  );
  const pointer = fields.read('json', (d, n, w) =>
    readMatching(d, n, w, /^(\/([^~/]|~[01])*)*$/, 'a JSON pointer such as /load'),
  );
  if (fields.has('header') === fields.has('json')) {
    document.report(
      'wrong-shape',
      node,
      'load comes from exactly one place',
      'write { header: X-Load } or { json: /load }',
    );
    return undefined;
  }
  if (name !== undefined) return { kind: 'header', name };
  return pointer === undefined ? undefined : { kind: 'json', pointer };
}
