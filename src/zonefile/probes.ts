// The kinds of probes that a check can be: http, https, tcp, udp, dns, wireguard, exec, file.
import { Buffer } from 'node:buffer';
import { resolve } from 'node:path';
import { isBelow } from '../base/below.ts';
import type { Document, MapNode, Node } from '../base/document.ts';
import { Fields, readMap, readOneOrMore, readScalar, readText } from '../base/fields.ts';
import { nameToText, ROOT_NAME } from '../wire/name.ts';
import { parseRdata } from '../wire/rdata.ts';
import { isMetaType, rcodeFromText, rcodeToText, typeFromText, typeToText } from '../wire/types.ts';
import type { DnsCheck, ExecCheck, FileCheck, Probe, TcpCheck, UdpCheck, WireguardCheck } from '../zone/model.ts';
import { readBytes, readPattern } from './patterns.ts';
import { readHost, readHttp, readPort, TLS_KEYS } from './probe-http.ts';
import { readName, readPath, type Scope } from './scope.ts';

export const PROBE_KINDS = ['http', 'https', 'tcp', 'udp', 'dns', 'wireguard', 'exec', 'file'] as const;
export type ProbeKind = (typeof PROBE_KINDS)[number];

/** Reads the value of a probe's key. Returns undefined where it cannot be used at all (that is reported). */
export function readProbe(scope: Scope, kind: ProbeKind, node: Node): Probe | undefined {
  if (kind === 'exec') return readExec(scope, node);
  if (kind === 'file') return readFile(scope, node);
  const map = readMap(scope.document, node, kind);
  if (map === undefined) return undefined;
  switch (kind) {
    case 'http':
    case 'https':
      return readHttp(scope, kind, map);
    case 'tcp':
      return readTcp(scope, map);
    case 'udp':
      return readUdp(scope, map);
    case 'dns':
      return readDns(scope, map);
    case 'wireguard':
      return readWireguard(scope, map);
  }
}

function readTcp(scope: Scope, map: MapNode): TcpCheck {
  const { document } = scope;
  const fields = new Fields(document, map, 'tcp', ['port', 'send', 'expect', 'tls', ...TLS_KEYS]);
  const tls = fields.flag('tls') ?? false;
  for (const key of TLS_KEYS) {
    const entry = fields.entry(key);
    if (entry !== undefined && !tls) {
      document.report('without-effect', entry.key, `${key} means nothing without TLS`, 'add tls: true, or remove it');
    }
  }
  return {
    kind: 'tcp',
    port: readPort(fields, null),
    tls,
    sni: fields.read('sni', readHost) ?? null,
    verify: fields.flag('verify') ?? true,
    caFile: fields.read('ca-file', (_, node, what) => readPath(scope, node, what)) ?? null,
    send: fields.read('send', readBytes) ?? null,
    expect: fields.read('expect', readPattern) ?? null,
  };
}

function readUdp(scope: Scope, map: MapNode): UdpCheck {
  const fields = new Fields(scope.document, map, 'udp', ['port', 'send', 'expect']);
  return {
    kind: 'udp',
    port: readPort(fields, null),
    send: fields.read('send', readBytes) ?? new Uint8Array(0),
    expect: fields.read('expect', readPattern) ?? null,
  };
}

function readDns(scope: Scope, map: MapNode): DnsCheck {
  const keys = ['port', 'transport', 'name', 'type', 'expect-rcode', 'expect-value'];
  const fields = new Fields(scope.document, map, 'dns', keys);
  const name = fields.require('name', 'example.org.', (_, node, what) => readName(scope, node, what));
  const type = fields.read('type', readQueryType) ?? 'A';
  return {
    kind: 'dns',
    port: readPort(fields, 53),
    transport: fields.choice('transport', ['udp', 'tcp'] as const) ?? 'udp',
    name: name === undefined ? '.' : nameToText(name),
    type,
    expectRcode: fields.read('expect-rcode', readRcode) ?? 'NOERROR',
    expectValue:
      fields.read('expect-value', (document, node, what) => readExpectedValue(document, node, what, type)) ?? null,
  };
}

function readQueryType(document: Document, node: Node, what: string): string | undefined {
  const scalar = readScalar(document, node, what);
  if (scalar === undefined) return undefined;
  const type = typeFromText(scalar.text);
  if (type !== undefined && !isMetaType(type)) return typeToText(type);
  document.report(
    'unknown-type',
    scalar,
    `"${scalar.text}" is no record type`,
    'write a type such as A, SOA or TYPE65',
  );
  return undefined;
}

/** Record data as a master file says it; names in it are absolute, with or without a final dot. */
function readExpectedValue(document: Document, node: Node, what: string, type: string): string | undefined {
  const scalar = readScalar(document, node, what);
  if (scalar === undefined) return undefined;
  const read = parseRdata(typeFromText(type)!, scalar.text, ROOT_NAME);
  if (read.ok) return scalar.text;
  document.report('bad-record', scalar, `${what} is no data of type ${type}: ${read.reason}`, read.fix);
  return undefined;
}

function readRcode(document: Document, node: Node, what: string): string | undefined {
  const scalar = readScalar(document, node, what);
  if (scalar === undefined) return undefined;
  const rcode = rcodeFromText(scalar.text);
  if (rcode !== undefined && rcode <= 15) return rcodeToText(rcode);
  document.report('bad-value', scalar, `"${scalar.text}" is no response code`, 'write NOERROR, NXDOMAIN, REFUSED ...');
  return undefined;
}

function readWireguard(scope: Scope, map: MapNode): WireguardCheck {
  const { document } = scope;
  const fields = new Fields(document, map, 'wireguard', ['port', 'public-key', 'private-key-file', 'preshared-key']);
  const path = fields.require('private-key-file', 'state/wg.key', (_, node, what) => readPath(scope, node, what));
  return {
    kind: 'wireguard',
    port: readPort(fields, 51_820),
    publicKey: fields.require('public-key', '"the server\'s key in base64"', readKey) ?? new Uint8Array(32),
    privateKeyFile: path ?? '',
    presharedKey: fields.read('preshared-key', readKey) ?? null,
  };
}

/** Whether a key stands for one that was never filled in; no server can have it. */
export function isPlaceholderKey(key: Uint8Array): boolean {
  return key.every((octet) => octet === 0);
}

/** 32 bytes in base64, as `wg` prints them. */
function readKey(document: Document, node: Node, what: string): Uint8Array | undefined {
  const scalar = readScalar(document, node, what);
  if (scalar === undefined) return undefined;
  const fix = 'write the 44 characters of base64 that `wg pubkey` or `wg genpsk` prints';
  if (scalar.text === 'base64') {
    document.report('placeholder', scalar, `${what} is the placeholder of the documentation`, fix);
    return new Uint8Array(32);
  }
  if (/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(scalar.text))
    return new Uint8Array(Buffer.from(scalar.text, 'base64'));
  document.report('bad-key', scalar, `${what} is not 32 bytes in base64`, fix);
  return undefined;
}

function readExec(scope: Scope, node: Node): ExecCheck | undefined {
  const { document } = scope;
  if (!scope.checkRules.exec) {
    const fix = 'set health.exec: true in meridian.yaml, or use another kind of check';
    document.report('exec-not-allowed', node, 'exec checks are switched off by the settings', fix);
  }
  if (node.kind !== 'map') {
    const words = readOneOrMore(document, node, 'exec')?.map((word) =>
      readText(document, word, 'a word of the command'),
    );
    const [command, ...args] = words ?? [];
    return checkedExec(document, node, command, args);
  }
  const fields = new Fields(document, node, 'exec', ['command', 'args']);
  const command = fields.require('command', '/usr/local/bin/probe', readText);
  const args = fields.read('args', (_, list, what) => readOneOrMore(document, list, what)) ?? [];
  const words = args.map((word) => readText(document, word, 'an argument'));
  return checkedExec(document, fields.node('command') ?? node, command, words);
}

function checkedExec(
  document: Document,
  node: Node,
  command: string | undefined,
  args: readonly (string | undefined)[],
): ExecCheck | undefined {
  // PATH is not passed on: the environment of the command is empty.
  if (command?.startsWith('/') === true) {
    return { kind: 'exec', command, args: args.filter((word) => word !== undefined) };
  }
  if (command !== undefined || node.kind === 'list') {
    const fix = 'write [/path/of/program, argument, ...]; there is no shell and no search path';
    document.report('bad-path', node, 'exec needs the absolute path of a program', fix);
  }
  return undefined;
}

function readFile(scope: Scope, node: Node): FileCheck | undefined {
  if (node.kind !== 'map') {
    const path = readAllowedPath(scope, node, 'file');
    return path === undefined ? undefined : { kind: 'file', path };
  }
  const fields = new Fields(scope.document, node, 'file', ['path']);
  const path = fields.require('path', 'state/checks/quota', (_, value, what) => readAllowedPath(scope, value, what));
  return path === undefined ? undefined : { kind: 'file', path };
}

/** A path below one of the folders that settings name; links are looked at when it is read. */
function readAllowedPath(scope: Scope, node: Node, what: string): string | undefined {
  const path = readPath(scope, node, what);
  if (path === undefined) return undefined;
  const { files } = scope.checkRules;
  const normal = resolve(path);
  if (files.some((folder) => isBelow(normal, folder))) return normal;
  const folders = files.join(', ');
  const fix = `${files.length === 0 ? '' : `put it below ${folders}, or `}name its folder under health: { files: [...] } in meridian.yaml`;
  scope.document.report('file-not-allowed', node, `${what}: the settings don't allow checks to read ${normal}`, fix);
  return undefined;
}
