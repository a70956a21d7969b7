// What HTTP/1.1 and HTTP/2 probes share: what to ask, the connection to ask it on, and the judgement of what came.
import { connect as connectTcp, isIPv6, type Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { HttpCheck } from '../zone/model.ts';
import type { Gate } from './gate.ts';
import { loadOf } from './load.ts';
import { failed, type Outcome, printable, succeeded } from './outcome.ts';
import { searchText, unmatched } from './pattern.ts';
import type { Attempt, Kept, ProbeTarget } from './probe.ts';
import type { Headers } from './response.ts';
import { certificateDays, connectTls } from './tls.ts';

/** One web server to ask, and how. */
export interface WebTarget {
  readonly address: string;
  readonly check: HttpCheck;
  /** The Host header. */
  readonly host: string;
  /** SNI, and the name that the certificate must have. */
  readonly serverName: string;
  /** null: the roots that come with Node, or no TLS. */
  readonly context: SecureContext | null;
}

/** A connection to a web server, opened by its first request. */
export interface Line extends Kept {
  /** One request. `stale`: a kept connection that the server closed without a word. */
  ask(attempt: Attempt): Promise<Outcome | 'stale'>;
  /** Whether another request may follow. */
  readonly reusable: boolean;
}

/** What lines of both HTTP versions know of their connection. */
export abstract class WebLine implements Line {
  protected readonly web: WebTarget;
  protected socket: Socket | null = null;
  protected connected = false;
  /** No other request can follow here: the connection has ended, maybe between two requests, or the server said that it will. */
  protected over = false;
  /** What counts what comes on it. */
  protected readonly gates: Gate[] = [];
  /** The days that the certificate has left, null without TLS. */
  protected days: number | null = null;
  reusable = false;

  constructor(web: WebTarget) {
    this.web = web;
  }

  abstract ask(attempt: Attempt): Promise<Outcome | 'stale'>;

  destroy(): void {
    this.reusable = false;
    this.socket?.destroy();
  }

  /** Begins a request. Returns whether the line is stale: it is over, or a new connection shall show whether there is a better certificate. */
  protected isStale(attempt: Attempt): boolean {
    const { check } = this.web;
    this.reusable = false;
    for (const gate of this.gates) gate.refill();
    if (this.over) return true;
    if (this.socket === null || !check.tls) return false;
    const days = certificateDays(this.socket as TLSSocket, attempt.clock.nowMs());
    if (days !== null && days < Math.max(0, check.minDays ?? 0)) return true;
    this.days = days;
    return false;
  }
}

/** Whom the check means by host and server name. */
export function webTarget(target: ProbeTarget, check: HttpCheck, context: SecureContext | null): WebTarget {
  const host = check.host ?? target.name ?? (isIPv6(target.address) ? `[${target.address}]` : target.address);
  return { address: target.address, check, host, serverName: check.sni ?? withoutPort(host), context };
}

/** The request's headers, names in lower case. */
export function requestHeaders({ check, host }: WebTarget): Record<string, string> {
  // Without a prototype `__proto__` is a header name like any other.
  const headers = Object.create(null) as Record<string, string>;
  headers.host = host;
  headers['user-agent'] = 'meridian';
  // Nothing is decompressed here; a check's own header may say otherwise.
  headers['accept-encoding'] = 'identity';
  for (const name in check.headers) headers[name.toLowerCase()] = check.headers[name]!;
  return headers;
}

/** What `openSocket` tells. */
export interface SocketEvents {
  /** The connection stands; with TLS the days that its certificate has left, else null. */
  open(certificateDays: number | null): void;
  /** It was closed because more came than a probe takes. */
  excess(reason: string): void;
}

/** Opens a socket, over TLS when asked; what counts on it goes to `gates`. */
export function openSocket(
  { address, check, serverName, context }: WebTarget,
  attempt: Attempt,
  gates: Gate[],
  events: SocketEvents,
): Socket {
  if (!check.tls) {
    const socket = connectTcp({ host: address, port: check.port, noDelay: true });
    socket.once('connect', () => events.open(null));
    return socket;
  }
  const protocols = [check.version === '2' ? 'h2' : 'http/1.1'];
  const settings = { serverName, verify: check.verify, context, protocols };
  const { socket, gate } = connectTls(address, check.port, settings, events.excess);
  gates.push(gate);
  socket.once('secureConnect', () => events.open(certificateDays(socket, attempt.clock.nowMs())));
  return socket;
}

/** The time is up: what was missing, and what was there. */
export function timedOut(
  check: HttpCheck,
  connected: boolean,
  status: number,
  body: Buffer,
  days: number | null,
): Outcome {
  const missing = status > 0 ? 'response not complete' : connected ? 'no response' : 'no connection';
  return failed(`timeout: ${missing}`, evidenceOf(check, status, body), days);
}

/** What a response says: status, body, certificate, in this order. */
export function judge(check: HttpCheck, status: number, headers: Headers, body: Buffer, days: number | null): Outcome {
  const evidence = evidenceOf(check, status, body);
  if (!check.expectStatus.some(([from, to]) => status >= from && status <= to))
    return failed(`status ${status}`, evidence, days);
  if (check.expectBody !== null) {
    const found = searchText(check.expectBody, body);
    if (found !== 'match') return failed(unmatched('body', found), evidence, days);
  }
  if (check.minDays !== null && days !== null && days < check.minDays)
    return failed(`certificate expires in ${days} days`, evidence, days);
  return succeeded(evidence, check.load === null ? null : loadOf(check.load, headers, body), days);
}

/**
 * Status of a response, or nothing before it came. What the body says only where the check asks for something in it: else a zone file
 * could read, by way of events, what this machine may see and its author may not.
 */
export function evidenceOf(check: HttpCheck, status: number, body: Buffer): string {
  if (status === 0) return '';
  return check.expectBody === null ? String(status) : printable(`${status} ${printable(body)}`);
}

function withoutPort(host: string): string {
  if (host.startsWith('[')) return host.slice(1, host.indexOf(']'));
  const colon = host.indexOf(':');
  // More than one: an IPv6 address without its brackets, where no port can follow.
  return colon < 0 || host.includes(':', colon + 1) ? host : host.slice(0, colon);
}
