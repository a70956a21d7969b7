// The demo's backends: small HTTP and UDP servers on loopback addresses, and a control that stops and starts them.
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StartError } from '../api/start-error.ts';

/** Where the example zone's backends are: the pools of zones/net.cat.yaml. */
export const DEMO_SITES: Readonly<Record<string, readonly string[]>> = {
  moscow: ['127.0.1.1', '127.0.1.2'],
  rio: ['127.0.2.1'],
  newyork: ['127.0.3.1', '127.0.3.2'],
};

/** Ports that hardly anybody uses; the zone's checks have the first two. */
export const DEMO_PORTS = { http: 18_080, udp: 18_081, control: 18_082 } as const;

const CONTROL_HOST = '127.0.0.1';

/** 0: any that is free. */
export interface DemoPorts {
  readonly http: number;
  readonly udp: number;
  readonly control: number;
}

export interface Demo {
  /** The control: `http://127.0.0.1:18082` */
  readonly url: string;
  readonly backends: readonly DemoBackend[];
  stop(): Promise<void>;
}

export interface DemoBackend {
  readonly site: string;
  readonly address: string;
  /** The ports that it has, 0 while it is stopped. */
  readonly ports: { readonly http: number; readonly udp: number };
}

/** One machine of the demo: `/healthz` over HTTP and a game server's answer over UDP. */
class Backend implements DemoBackend {
  readonly site: string;
  readonly address: string;
  readonly #wanted: DemoPorts;
  #http: Server | null = null;
  #game: Socket | null = null;

  constructor(site: string, address: string, wanted: DemoPorts) {
    this.site = site;
    this.address = address;
    this.#wanted = wanted;
  }

  get ports(): { http: number; udp: number } {
    const http = this.#http?.address() as AddressInfo | undefined;
    return { http: http?.port ?? 0, udp: this.#game?.address().port ?? 0 };
  }

  get running(): boolean {
    return this.#http !== null;
  }

  async start(): Promise<void> {
    if (this.running) return;
    const http = createServer((request, response) => {
      const healthy = request.url === '/healthz';
      response.writeHead(healthy ? 200 : 404, { 'content-type': 'text/plain' });
      response.end(healthy ? 'ok\n' : `${this.site} at ${this.address} has nothing else\n`);
    });
    const game = createSocket('udp4');
    game.on('message', (message, from) => {
      if (message.toString() === 'ping') game.send('pong', from.port, from.address);
    });
    try {
      await listening(http, () => http.listen(this.#wanted.http, this.address));
      await listening(game, () => game.bind(this.#wanted.udp, this.address));
    } catch (error) {
      http.close();
      game.close();
      throw error;
    }
    this.#http = http;
    this.#game = game;
  }

  async stop(): Promise<void> {
    const http = this.#http;
    const game = this.#game;
    this.#http = null;
    this.#game = null;
    if (http === null || game === null) return;
    http.closeAllConnections();
    await Promise.all([
      new Promise<void>((resolve) => http.close(() => resolve())),
      new Promise<void>((resolve) => game.close(() => resolve())),
    ]);
  }
}

function listening(server: Server | Socket, open: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.removeListener('error', reject);
      resolve();
    });
    open();
  });
}

/** Starts the backends and their control. Throws StartError when an address or a port is not to be had. */
export async function startDemo(ports: DemoPorts = DEMO_PORTS): Promise<Demo> {
  const backends = Object.entries(DEMO_SITES).flatMap(([site, addresses]) =>
    addresses.map((address) => new Backend(site, address, ports)),
  );
  const control = createServer((request, response) => {
    answer(backends, request, response).catch((error: Error) => {
      response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(`${error.message}\n`);
    });
  });
  const stop = async (): Promise<void> => {
    control.closeAllConnections();
    control.close();
    await Promise.all(backends.map((backend) => backend.stop()));
  };
  try {
    await listening(control, () => control.listen(ports.control, CONTROL_HOST));
    await Promise.all(backends.map((backend) => backend.start()));
  } catch (error) {
    await stop();
    throw new StartError(`the demo's backends can't start: ${whyNot(error as NodeJS.ErrnoException)}`);
  }
  const { port } = control.address() as AddressInfo;
  return { url: `http://${CONTROL_HOST}:${port}`, backends, stop };
}

function whyNot(error: NodeJS.ErrnoException & { address?: string; port?: number }): string {
  const where = `${error.address}:${error.port}`;
  if (error.code === 'EADDRINUSE') return `${where} is taken; does another demo run?`;
  if (error.code !== 'EADDRNOTAVAIL') return error.message;
  return `${where} is no address of this machine; where only 127.0.0.1 is (macOS), add it: ifconfig lo0 alias ${error.address}`;
}

/** `GET /` lists the backends; `POST /stop/NAME` and `/start/NAME` take a site or an address. */
async function answer(backends: readonly Backend[], request: IncomingMessage, response: ServerResponse): Promise<void> {
  const reply = (status: number, text: string): void => {
    response.writeHead(status, { 'content-type': 'text/plain' });
    response.end(text);
  };
  const [, verb, name, ...rest] = (request.url ?? '').split('/');
  const chosen = backends.filter(({ site, address }) => site === name || address === name);
  // Pages in a browser send an Origin: they have nothing to stop here.
  if (request.headers.origin !== undefined) return reply(403, 'not for pages\n');
  if (request.method === 'GET' && verb === '') return reply(200, list(backends));
  if ((verb !== 'stop' && verb !== 'start') || rest.length > 0) {
    return reply(404, 'GET /, POST /stop/NAME or POST /start/NAME\n');
  }
  if (request.method !== 'POST')
    return reply(405, `use POST: curl -X POST http://${request.headers.host}${request.url}\n`);
  if (chosen.length === 0) return reply(404, `there is no site or address "${name}"\n${list(backends)}`);
  await Promise.all(chosen.map((backend) => (verb === 'stop' ? backend.stop() : backend.start())));
  return reply(200, list(backends));
}

function list(backends: readonly Backend[]): string {
  return backends
    .map(({ site, address, running }) => `${site.padEnd(8)} ${address.padEnd(10)} ${running ? 'running' : 'stopped'}\n`)
    .join('');
}
