// The setting `query-log`: where queries are logged, in which form, which of them, and how much of who asked.
import { resolve } from 'node:path';
import type { Document, Node } from '../base/document.ts';
import { Fields, readMap, readScalar } from '../base/fields.ts';
import { limits } from '../base/limits.ts';

/** Where the log goes. A path is absolute, and may be a file, a named pipe or a device. */
export type QueryLogPlace =
  | { readonly kind: 'stdout' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'socket'; readonly path: string };

export interface QueryLogSettings {
  readonly to: QueryLogPlace;
  readonly format: 'json' | 'dnstap';
  /** Share of the queries that are logged, over 0 to 1. */
  readonly sample: number;
  /** `prefix`: addresses are shortened to their /24 or /56. */
  readonly addresses: 'prefix' | 'whole';
  /** Size at which a file is put aside, and how many of those are kept. */
  readonly rotateBytes: number;
  readonly keep: number;
}

const KEYS = ['to', 'format', 'sample', 'addresses', 'rotate', 'keep'] as const;
const SOCKET = 'unix:';

const UNIT_BYTES = {
  '': 1,
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
} as const;

/** Reads it; null: off, or reported. Relative paths start from `directory`. */
export function readQueryLog(document: Document, node: Node, directory: string): QueryLogSettings | null {
  if (node.kind === 'scalar') {
    if (node.text === 'off') return null;
    const fix = `write off, or { to: ${node.text === '' ? 'queries.log' : node.text} }`;
    document.report('bad-choice', node, `query-log cannot be "${node.text}"`, fix);
    return null;
  }
  const map = readMap(document, node, 'query-log', 'off, or a map such as { to: queries.log }');
  if (map === undefined) return null;
  const fields = new Fields(document, map, 'query-log', KEYS);
  const to = fields.require('to', 'stdout, or a path, or unix: and a path', (_document, place) =>
    readPlace(document, place, directory),
  );
  const format = fields.choice('format', ['json', 'dnstap'] as const) ?? 'json';
  if (to?.kind === 'stdout' && format === 'dnstap') {
    const message = 'dnstap is not text and cannot go to stdout, where the server writes too';
    document.report('bad-choice', fields.node('format')!, message, 'write to: PATH, or unix:PATH');
  }
  const settings = {
    format,
    sample: fields.read('sample', readShare) ?? 1,
    addresses: fields.choice('addresses', ['prefix', 'whole'] as const) ?? 'prefix',
    rotateBytes: fields.read('rotate', readSize) ?? 100e6,
    keep: fields.whole('keep', 0, limits.queryLogKept) ?? 5,
  };
  return to === undefined ? null : { to, ...settings };
}

function readPlace(document: Document, node: Node, directory: string): QueryLogPlace | undefined {
  const scalar = readScalar(document, node, 'to', 'stdout, a path, or unix: and a path');
  if (scalar === undefined) return undefined;
  const { text } = scalar;
  if (text === 'stdout') return { kind: 'stdout' };
  const isSocket = text.startsWith(SOCKET);
  const path = isSocket ? text.slice(SOCKET.length) : text;
  if (path === '' || path.endsWith('/')) {
    document.report('bad-path', scalar, `to: "${text}" is no path of a file`, 'write stdout, a path, or unix:PATH');
    return undefined;
  }
  const whole = resolve(directory, path);
  if (!isSocket) return { kind: 'file', path: whole };
  if (Buffer.byteLength(whole) <= limits.unixPathBytes) return { kind: 'socket', path: whole };
  const message = `to: ${whole} is longer than a socket's path may be (${limits.unixPathBytes} octets)`;
  document.report('bad-path', scalar, message, 'put the socket into a folder with a shorter path, such as /run');
  return undefined;
}

/** `1`, `0.01` or `1%`. */
function readShare(document: Document, node: Node, what: string): number | undefined {
  const scalar = readScalar(document, node, what, 'a share such as 0.01');
  if (scalar === undefined) return undefined;
  const match = /^((?:0|[1-9][0-9]*)(?:\.[0-9]+)?)(%?)$/.exec(scalar.text);
  const share = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (share >= limits.queryLogShare && share <= 1) return share;
  const fix =
    share > 1 && match?.[2] === ''
      ? `write a share: ${Number((1 / share).toPrecision(3))} for one query of ${match[1]}, 1 for all`
      : 'write a share of the queries such as 1 (all), 0.01 or 1%; to log none write query-log: off';
  document.report('out-of-range', scalar, `${what} is ${scalar.text}, but must be over 0 and at most 1`, fix);
  return undefined;
}

/** `100MB`, `64KiB`; bytes without a unit. */
function readSize(document: Document, node: Node, what: string): number | undefined {
  const scalar = readScalar(document, node, what, 'a size such as 100MB');
  if (scalar === undefined) return undefined;
  const match = /^(0|[1-9][0-9]{0,14}) ?(|[kKMG]?B|[KMG]iB)$/.exec(scalar.text);
  if (match === null) {
    const fix = 'write a number with kB, MB, GB, KiB, MiB or GiB, such as 100MB';
    document.report('bad-value', scalar, `${what} must be a size, not "${scalar.text}"`, fix);
    return undefined;
  }
  const bytes = Number(match[1]) * UNIT_BYTES[match[2] as keyof typeof UNIT_BYTES];
  if (bytes >= limits.queryLogRotateLeastBytes && bytes <= limits.queryLogRotateMostBytes) return bytes;
  document.report(
    'out-of-range',
    scalar,
    `${what} is ${scalar.text}, but must be 64kB to 1000GB`,
    'write 64kB to 1000GB',
  );
  return undefined;
}
