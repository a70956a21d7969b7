// The admin's HTTP server: puts the routes together behind the checks that every request passes.
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { ControlPlane } from '../api/control-plane.ts';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { Unwanted } from '../base/slices.ts';
import { AdminError } from './admin-error.ts';
import { Gate } from './auth.ts';
import type { Carried } from './carried.ts';
import { Connections } from './connections.ts';
import { addDashboard, CONTENT_SECURITY_POLICY } from './dashboard.ts';
import { addEvents } from './events.ts';
import { addForce } from './force.ts';
import { hostAllowed, listensOnLoopback, originAllowed } from './host.ts';
import { LongAnswers } from './long-answers.ts';
import { addMetrics } from './metrics.ts';
import { Problem, problemOf } from './problem.ts';
import { addReads } from './reads.ts';
import type { Role } from './tokens.ts';

export interface AdminOptions {
  readonly control: ControlPlane;
  readonly log: Logger;
  readonly clock: Clock;
  /** Address to listen on, without brackets. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Names that may stand in a Host header beside addresses and `localhost`. */
  readonly hosts: readonly string[];
  /** null: no tokens are known. */
  readonly tokensFile: string | null;
  /** A token that counts beside the file's while this server runs; null: none. */
  readonly localToken: string | null;
  /** A socket that listens already, in place of `host` and `port`. */
  readonly fd?: number | null;
  /** What a process that this one took the place of had counted. */
  readonly carried?: () => Carried;
  /** Told when the tokens file can't be used, and (null) when it can be again. */
  readonly onTokensProblem?: (problem: string | null) => void;
}

export interface Admin {
  /** `http://127.0.0.1:8053` */
  readonly url: string;
  /** Whether it still answers, asked over its own socket as anybody asks. */
  answers(): Promise<boolean>;
  /** The port that it got. */
  readonly port: number;
  /** The descriptor of the listening socket. */
  readonly fd: number;
  /** The counters of the metrics as they are now. */
  counters(): Promise<Carried>;
  /** Ends every connection, and listening, in this process: another one has the socket too. `counters` goes on telling. */
  leave(): void;
  /** Ends every connection, streams too. */
  stop(): Promise<void>;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** What a supervisor or a browser asks before it can have a token: the probes, and the page (which then asks for one). */
const OPEN = ['/healthz', '/readyz', '/', '/dashboard.js', '/dashboard.css'];

/**
 * What answers whatever name it is asked by: Prometheus and a cluster's probes use names that nobody has written down. It changes
 * nothing, and where there are tokens the metrics ask for one as ever.
 */
const ANY_HOST = ['/healthz', '/readyz', '/metrics'];

/** The least role for a route; null: anybody. */
function roleFor(method: string, url: string | undefined): Role | null {
  if (url !== undefined && OPEN.includes(url)) return null;
  if (method !== 'GET' && method !== 'HEAD') return 'operator';
  return url === '/metrics' ? 'scraper' : 'viewer';
}

/**
 * Starts the admin and resolves when it listens. Throws AdminError when the port is taken, or when it would listen beyond
 * loopback without tokens.
 */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const { control, log, clock, host, port } = options;
  const shown = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const gate = new Gate(options.tokensFile, options.localToken, log, options.onTokensProblem);
  await gate.refresh();
  if (!listensOnLoopback(host) && !gate.isClosed) {
    const how = 'make one with "meridian token add NAME ROLE", or listen on 127.0.0.1';
    throw new AdminError(`the admin refuses to listen on ${shown} without tokens: ${how}`);
  }
  const connections = new Connections(clock);
  const long = new LongAnswers(clock);
  const app = fastify({
    serverFactory: (answer) => {
      const server = createServer(
        {
          headersTimeout: limits.adminHeadersMs,
          requestTimeout: limits.adminRequestMs,
          keepAliveTimeout: limits.adminKeepAliveMs,
          connectionsCheckingInterval: limits.adminHeadersMs / 2,
        },
        connections.inTurn(answer),
      );
      connections.watch(server);
      return server;
    },
    bodyLimit: limits.adminBodyBytes,
    // Or an open event stream holds close() up for ever.
    forceCloseConnections: true,
    // A target's id is one segment, and a name in it has up to 253 characters.
    routerOptions: { maxParamLength: 4 * limits.nameBytes },
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      const { document } = problemOf(error);
      reply.code(document.status).type('application/problem+json').send(document);
    },
  });
  app.addHook('onClose', (_app, done) => {
    connections.stop();
    done();
  });
  const askedBy = addChecks(app, gate, options.hosts);
  addErrors(app, log);
  readBodies(app);
  const allowed = watchRoutes(app);
  let url = `http://${shown}`;
  addReads(app, control, long, () => url);
  addForce(app, control, long, log, askedBy);
  addEvents(app, control, { long, connections, clock });
  const counters = addMetrics(app, control, { long, connections }, options.carried ?? (() => ({})));
  await addDashboard(app);
  refuseOtherMethods(app, allowed);

  try {
    if (options.fd === undefined || options.fd === null) await app.listen({ host, port });
    else await listenByDescriptor(app, options.fd);
  } catch (error) {
    await app.close();
    throw new AdminError(listenProblem(error as NodeJS.ErrnoException, shown));
  }
  const bound = app.server.address() as AddressInfo;
  url = `http://${host.includes(':') ? `[${host}]` : host}:${bound.port}`;
  const refused = (): number => connections.counts().refusedInAll + connections.counts().refusedOfClient;
  return {
    url,
    port: bound.port,
    fd: (app.server as unknown as { _handle?: { fd?: number } })._handle?.fd ?? -1,
    answers: () => answersItself(bound, refused),
    counters,
    leave: () => {
      app.server.close();
      app.server.closeAllConnections();
    },
    stop: () => app.close(),
  };
}

async function listenByDescriptor(app: FastifyInstance, fd: number): Promise<void> {
  await app.ready();
  await new Promise<void>((resolve, reject) => {
    app.server.once('error', reject);
    app.server.listen({ fd }, () => {
      app.server.removeListener('error', reject);
      resolve();
    });
  });
}

/** @param refused connections over a limit so far: who refuses is alive */
function answersItself({ address, port }: AddressInfo, refused: () => number): Promise<boolean> {
  const before = refused();
  const host = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
  return new Promise((resolve) => {
    const asked = get({ host, port, path: '/healthz', timeout: limits.adminAliveMs, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.on('error', () => resolve(refused() > before));
  });
}

function listenProblem(error: NodeJS.ErrnoException, shown: string): string {
  if (error.code === 'EADDRINUSE') return `the admin's port ${shown} is taken: stop what uses it, or set admin.listen`;
  if (error.code === 'EADDRNOTAVAIL') return `the admin's address ${shown} is none of this machine: set admin.listen`;
  if (error.code === 'EACCES') return `no permission to listen on ${shown}: set admin.listen to a port above 1023`;
  return `the admin cannot listen on ${shown}: ${error.message}`;
}

/** Host, origin and token, in this order, before anything else is looked at. Returns who asked a request that passed. */
function addChecks(app: FastifyInstance, gate: Gate, hosts: readonly string[]): (request: object) => string {
  const askers = new WeakMap<object, string>();
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    const { host, origin, authorization } = request.headers;
    if (!ANY_HOST.includes(request.routeOptions.url ?? '') && !hostAllowed(host, hosts)) {
      throw new Problem(
        'bad-host',
        `the Host header "${host ?? ''}" is no address of this server: add the name to admin.hosts`,
      );
    }
    const reads = request.method === 'GET' || request.method === 'HEAD';
    if (!reads && !originAllowed(origin, host)) {
      throw new Problem('bad-origin', `a page of ${origin} may not change anything here`);
    }
    // Before anything of the request is read or decided: RFC 9110 15.5.6.
    const { allow } = request.routeOptions.config as { allow?: string };
    if (allow !== undefined) {
      throw new Problem('wrong-method', `${request.method} is not possible here; ${allow} is`, { allow });
    }
    await gate.refresh();
    askers.set(request, gate.admit(authorization, roleFor(request.method, request.routeOptions.url)));
  });
  return (request) => askers.get(request)!;
}

function addErrors(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof Unwanted) {
      // Its client has left.
      reply.hijack();
      reply.raw.destroy();
      return;
    }
    const { document, headers } = problemOf(error);
    if (document.status === 500) {
      log.error({ event: 'admin-internal', method: request.method, url: request.url, err: error }, 'a request failed');
    }
    reply.code(document.status).headers(headers).type('application/problem+json').send(document);
  });
  app.setNotFoundHandler((request) => {
    throw new Problem('not-found', `there is nothing at ${request.url.slice(0, 200)}`);
  });
}

/** Every body is JSON, whatever its type says: curl calls all it sends a form. */
function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') return done(null, undefined);
    try {
      done(null, JSON.parse(body as string));
    } catch (error) {
      done(new Problem('bad-body', `the body is not JSON: ${(error as Error).message}`));
    }
  });
}

/** Notes the methods of each route that is added from now on. */
function watchRoutes(app: FastifyInstance): Map<string, Set<string>> {
  const routes = new Map<string, Set<string>>();
  app.addHook('onRoute', (route) => {
    const methods = routes.get(route.url) ?? new Set();
    for (const method of [route.method].flat()) methods.add(method);
    routes.set(route.url, methods);
  });
  return routes;
}

/** RFC 9110 15.5.6: a known path with a method that it doesn't have is 405 with Allow, not 404. */
function refuseOtherMethods(app: FastifyInstance, routes: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (const [url, known] of [...routes].map(([path, set]) => [path, [...set]] as const)) {
    const others = METHODS.filter((method) => !known.includes(method));
    const allow = known.join(', ');
    // The checks refuse it.
    app.route({ method: [...others], url, config: { allow }, handler: () => {} });
  }
}
