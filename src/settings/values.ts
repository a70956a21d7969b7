// The values of meridian.yaml that nothing else has: endpoints, host names, URLs, numbers of threads, what the server says of itself.
// Each is undefined after a report.
import { type Address, formatAddress, type Prefix, parseAddress } from '../base/address.ts';
import type { Document, Node } from '../base/document.ts';
import { readOneOrMore, readScalar, readText, readWhole } from '../base/fields.ts';
import { limits } from '../base/limits.ts';

/** An address and port to listen on. */
export interface Endpoint {
  readonly address: Address;
  readonly port: number;
  /** Canonical: `127.0.0.1:5300`, `[::1]:5300`. */
  readonly text: string;
}

export interface WebhookSettings {
  readonly url: string;
  /** Absolute path of a file with the key that signs; null: not signed. */
  readonly secretFile: string | null;
}

export interface RateLimitSettings {
  readonly responsesPerSecond: number;
  /** Every n-th response over the limit is sent truncated instead of dropped; 0: none. */
  readonly slip: number;
  readonly ipv4Prefix: number;
  readonly ipv6Prefix: number;
  readonly exempt: readonly Prefix[];
}

/** An address and port with their text. */
export function endpoint(address: Address, port: number): Endpoint {
  const host = formatAddress(address);
  return { address, port, text: address.family === 6 ? `[${host}]:${port}` : `${host}:${port}` };
}

/** `127.0.0.1:5300` or `[::1]:5300`; port 0 lets the system choose. */
export function readEndpoint(document: Document, node: Node, what: string): Endpoint | undefined {
  const scalar = readScalar(document, node, what, 'an address and a port');
  if (scalar === undefined) return undefined;
  const match = /^(?:\[([^\]]+)\]|([0-9.]+)):(0|[1-9][0-9]*)$/.exec(scalar.text);
  const address = match === null ? undefined : parseAddress(match[1] ?? match[2]!);
  const port = Number(match?.[3]);
  const bracketed = match?.[1] !== undefined;
  if (address !== undefined && port <= 65_535 && bracketed === (address.family === 6)) return endpoint(address, port);
  const fix = 'write an address and a port, such as "127.0.0.1:5300" or "[::1]:5300"';
  document.report('bad-listen', scalar, `${what}: "${scalar.text}" is no address with a port`, fix);
  return undefined;
}

/** One endpoint or a list of them; where the key is missing those of a server that only this machine asks. */
export function readListen(document: Document, node: Node | undefined): Endpoint[] {
  if (node === undefined) return ['127.0.0.1', '::1'].map((host) => endpoint(parseAddress(host)!, 5300));
  const elements = readOneOrMore(document, node, 'listen') ?? [];
  if (elements.length === 0 && node.kind === 'list') {
    document.report('no-values', node, 'listen names no address', 'write ["127.0.0.1:5300"], or remove the key');
  }
  const endpoints: Endpoint[] = [];
  for (const element of elements) {
    const read = readEndpoint(document, element, 'listen');
    if (read === undefined) continue;
    if (read.port !== 0 && endpoints.some(({ text }) => text === read.text)) {
      const message = `${read.text} stands in listen already`;
      document.report('duplicate-value', element, message, 'remove one of the two');
    } else endpoints.push(read);
  }
  return endpoints;
}

/** A host name, in lower case. */
export function readHostName(document: Document, node: Node): string | undefined {
  const scalar = readScalar(document, node, 'hosts', 'a host name');
  if (scalar === undefined) return undefined;
  if (/^[A-Za-z0-9._-]+$/.test(scalar.text)) return scalar.text.toLowerCase();
  document.report(
    'bad-value',
    scalar,
    `hosts: "${scalar.text}" is no host name`,
    'write a name such as dns.example.net, without port',
  );
  return undefined;
}

/** A number of threads; undefined for `auto`. */
export function readWorkers(document: Document, node: Node, what: string): number | undefined {
  if (node.kind === 'scalar' && node.text === 'auto') return undefined;
  return readWhole(document, node, what, 1, limits.workers);
}

/** What the server says of itself. */
export function readIdentity(document: Document, node: Node, what: string): string | undefined {
  const text = readText(document, node, what);
  if (text === undefined || Buffer.byteLength(text) <= limits.identityCharacters) return text;
  document.report('bad-value', node, `${what} is longer than ${limits.identityCharacters} octets`, 'shorten it');
  return undefined;
}

/** An http or https URL. */
export function readUrl(document: Document, node: Node, what: string): string | undefined {
  const scalar = readScalar(document, node, what, 'a URL');
  if (scalar === undefined) return undefined;
  if (URL.canParse(scalar.text) && /^https?:/.test(scalar.text)) return scalar.text;
  document.report(
    'bad-value',
    scalar,
    `${what}: "${scalar.text}" is no URL`,
    'write a URL such as https://example.net/hook',
  );
  return undefined;
}
