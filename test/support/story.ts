// What stories about a whole server share: asking as one client, the admin's JSON, the command line, backends on loopback.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer, type Socket, type Server as TcpServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { formatAddress, parseAddress } from '../../dist/base/address.js';
import { ask, ecs, OPTION, optionOf, type QueryFields, type Reply, type Server } from './dns.ts';
import { buildMmdb } from './mmdb.ts';
import { HANGS_MS } from './patience.ts';
import { freePort } from './ports.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Asking {
  /** The client subnet, `192.0.2.0/24`. */
  readonly subnet?: string;
  readonly type?: string;
  readonly tcp?: boolean;
  /** EDNS UDP size; null: no EDNS. */
  readonly udpSize?: number | null;
}

/** Asks for a name as dig would: with recursion desired. */
export function askFor(server: Server, name: string, asking: Asking = {}): Promise<Reply> {
  const { subnet, type = 'A', tcp = false, udpSize = 1232 } = asking;
  const options = subnet === undefined ? [] : [ecs(subnet)];
  const fields: QueryFields = { name, type, rd: true, edns: udpSize === null ? null : { udpSize, options } };
  return ask(server, { ...fields, tcp });
}

/** The data of the answer's records of the type asked for, sorted, IPv6 addresses written short; without the CNAMEs before them. */
export function dataOf(reply: Reply, type = reply.questions[0]!.type): string[] {
  return reply.answers
    .filter((record) => record.type === type)
    .map((record) => (type === 'AAAA' ? formatAddress(parseAddress(record.data)!) : record.data))
    .sort();
}

/** What one client gets: the sorted addresses (or names), or the response code, or NODATA. */
export async function got(server: Server, name: string, asking: Asking = {}): Promise<string> {
  const reply = await askFor(server, name, asking);
  if (reply.rcode !== 'NOERROR') return reply.rcode;
  return dataOf(reply, asking.type ?? 'A').join(' ') || 'NODATA';
}

/** The scope of the client subnet that came back; undefined without one. */
export function scopeOf(reply: Reply): number | undefined {
  return optionOf(reply, OPTION.ECS)?.readUInt8(3);
}

/** Asks again and again until `done` says yes; fails with the last answer after `withinMs`. Returns how long it took. */
export async function until<T>(
  look: () => Promise<T>,
  done: (seen: T) => boolean,
  withinMs = HANGS_MS,
): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const seen = await look();
    const tookMs = performance.now() - startMs;
    if (done(seen)) return tookMs;
    if (tookMs > withinMs) throw new Error(`not within ${withinMs} ms; last seen: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// ---- Admin ------------------------------------------------------------------------------------------------------------

/** A response of the admin, whatever it is: tests look into it. */
export interface AdminReply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  readonly json: any;
}

export interface WithAdmin {
  readonly admin: string;
}

export async function admin(server: WithAdmin, method: string, path: string, body?: unknown): Promise<AdminReply> {
  const sent =
    body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(server.admin + path, { method, ...sent });
  const text = await response.text();
  return { status: response.status, json: text === '' ? null : JSON.parse(text) };
}

/** Forces a target (`ZONE/POOL/ADDRESS`) or a pool (`ZONE/POOL`); fails unless the server did it. */
export async function force(server: WithAdmin, what: string, state: 'up' | 'down' | 'drain' | null): Promise<void> {
  const reply = await admin(server, state === null ? 'DELETE' : 'PUT', hand(what), {
    ...(state === null ? {} : { state, for: '1h', reason: 'a test' }),
  });
  if (reply.status !== 200) throw new Error(`${what}: ${JSON.stringify(reply)}`);
}

function hand(what: string): string {
  const parts = what.split('/');
  return parts.length === 2
    ? `/api/v1/pools/${parts.map(encodeURIComponent).join('/')}/force`
    : `/api/v1/targets/${encodeURIComponent(what)}/force`;
}

/** States of all targets by id. */
export async function verdicts(server: WithAdmin): Promise<Record<string, string>> {
  const { json } = await admin(server, 'GET', '/api/v1/health');
  return Object.fromEntries((json.targets as { id: string; state: string }[]).map(({ id, state }) => [id, state]));
}

// ---- Command line -----------------------------------------------------------------------------------------------------

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `meridian ARGS` to its end; killed (code null) after ten seconds. */
export async function meridian(args: readonly string[], cwd = process.cwd()): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), HANGS_MS);
  await once(child, 'close');
  clearTimeout(timer);
  return { code: child.exitCode, out, err };
}

// ---- Backends ---------------------------------------------------------------------------------------------------------

/** TCP backends on loopback addresses, all on one port, each opened and closed by hand. Counts the connections of each. */
export class Backends {
  readonly port: number;
  readonly connections = new Map<string, number>();
  readonly #open = new Map<string, { server: TcpServer; sockets: Set<Socket> }>();

  private constructor(port: number) {
    this.port = port;
  }

  /** Opens these addresses (such as 127.20.0.1) on a port that is free on all of them. */
  static async start(addresses: readonly string[]): Promise<Backends> {
    const backends = new Backends(await freePort());
    for (const address of addresses) await backends.open(address);
    return backends;
  }

  async open(address: string): Promise<void> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      this.connections.set(address, (this.connections.get(address) ?? 0) + 1);
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    });
    server.listen(this.port, address);
    await once(server, 'listening');
    this.#open.set(address, { server, sockets });
  }

  async close(address: string): Promise<void> {
    const backend = this.#open.get(address);
    if (backend === undefined) return;
    this.#open.delete(address);
    const closed = once(backend.server, 'close');
    backend.server.close();
    for (const socket of backend.sockets) socket.destroy();
    await closed;
  }

  async stop(): Promise<void> {
    for (const address of [...this.#open.keys()]) await this.close(address);
  }
}

// ---- Files ------------------------------------------------------------------------------------------------------------

/** A country database of these networks, as small as can be and new: with it a server starts faster than with the embedded one. */
export function countries(places: Readonly<Record<string, string>>): Buffer {
  const records = Object.entries(places).map(([network, code]) => [network, { country_code: code }] as const);
  return buildMmdb(records, { type: 'ipv4-ipv6-country', buildEpoch: Math.floor(Date.now() / 1000) });
}

/** Replaces a file as editors and deployments do: written aside, renamed over. */
export function replace(file: string, content: string | Uint8Array): void {
  writeFileSync(`${file}.aside`, content);
  renameSync(`${file}.aside`, file);
}
