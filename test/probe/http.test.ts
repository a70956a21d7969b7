import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Session,
  type Http2Stream,
} from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HttpCheck } from '../../dist/zone/model.js';
import { type Backend, tcpBackend } from '../support/backends.ts';
import { Authority, type Certificate } from '../support/certificates.ts';
import { httpCheck, tcpCheck } from '../support/checks.ts';
import { tryProbe } from '../support/try.ts';

const folder = mkdtempSync(join(tmpdir(), 'meridian-http-'));
let authority: Authority;
const certificates: Record<string, Certificate> = {};
beforeAll(() => {
  authority = new Authority(folder);
  certificates.good = authority.issue('good', ['net.cat', '127.0.0.1'], 30);
  certificates.named = authority.issue('named', ['net.cat'], 3);
  certificates.expired = authority.issue('expired', ['net.cat'], -2);
  certificates.self = authority.issue('self', ['net.cat'], 30, true);
});
afterAll(() => rmSync(folder, { recursive: true }));

const open: Backend[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function web(handler: Handler): Promise<number> {
  const backend = await tcpBackend(() => {}, createServer(handler));
  open.push(backend);
  return backend.port;
}

function files(name: string): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(certificates[name]!.certificate), key: readFileSync(certificates[name]!.key) };
}

async function secure(name: string, handler: Handler = (_request, response) => response.end('ok')): Promise<number> {
  const backend = await tcpBackend(() => {}, createHttpsServer(files(name), handler));
  open.push(backend);
  return backend.port;
}

/** A server that counts its handshakes. */
async function counted(): Promise<{ port: number; handshakes: () => number }> {
  let handshakes = 0;
  const server = createHttpsServer(files('good'), (_request, response) => response.end('ok'));
  server.on('secureConnection', () => handshakes++);
  const backend = await tcpBackend(() => {}, server);
  open.push(backend);
  return { port: backend.port, handshakes: () => handshakes };
}

describe('the HTTP probe', () => {
  test('judges by the ranges of status that are expected', async () => {
    const port = await web((request, response) => {
      response.statusCode = Number(request.url!.slice(1));
      response.end('body');
    });
    const status = (code: number, expectStatus: [number, number][]) =>
      tryProbe(httpCheck(port, { path: `/${code}`, expectStatus }));
    expect(await status(200, [[200, 299]])).toMatchObject({ ok: true, evidence: '200 body' });
    expect(await status(204, [[200, 299]])).toMatchObject({ ok: true });
    expect(await status(503, [[200, 299]])).toMatchObject({ ok: false, reason: 'status 503', evidence: '503 body' });
    expect(
      await status(401, [
        [200, 299],
        [401, 401],
      ]),
    ).toMatchObject({ ok: true });
  });

  test('does not follow redirects', async () => {
    let requests = 0;
    const port = await web((_request, response) => {
      requests++;
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    expect(await tryProbe(httpCheck(port))).toMatchObject({ ok: false, reason: 'status 302' });
    expect(await tryProbe(httpCheck(port, { expectStatus: [[302, 302]] }))).toMatchObject({ ok: true });
    expect(requests).toBe(2);
  });

  test.each(['1.1', '2'] as const)(
    'asks for a body as it is over HTTP/%s, unless the check says otherwise',
    async (version) => {
      const handler = (
        request: IncomingMessage | Http2ServerRequest,
        response: ServerResponse | Http2ServerResponse,
      ) => {
        (response as ServerResponse).end(String(request.headers['accept-encoding']));
      };
      const server = version === '2' ? createHttp2Server(handler) : createServer(handler);
      const backend = await tcpBackend(() => {}, server);
      open.push(backend);
      const ask = (headers: Record<string, string>) => tryProbe(httpCheck(backend.port, { version, headers }));
      expect(await ask({})).toMatchObject({ ok: true, evidence: '200 identity' });
      expect(await ask({ 'Accept-Encoding': 'gzip' })).toMatchObject({ ok: true, evidence: '200 gzip' });
    },
  );

  test('looks for text or a regular expression in the first 64 KiB', async () => {
    const port = await web((request, response) =>
      response.end(request.url === '/far' ? `${'x'.repeat(70_000)}needle` : `${'x'.repeat(60_000)}needle é`),
    );
    const bytes = { kind: 'bytes', bytes: Buffer.from('needle é') } as const;
    expect(await tryProbe(httpCheck(port, { expectBody: bytes }))).toMatchObject({ ok: true });
    expect(await tryProbe(httpCheck(port, { expectBody: { kind: 'regex', source: 'need[a-z]+ é$' } }))).toMatchObject({
      ok: true,
    });
    expect(await tryProbe(httpCheck(port, { path: '/far', expectBody: bytes }))).toMatchObject({
      ok: false,
      reason: 'body does not match',
    });
    expect(await tryProbe(httpCheck(port, { expectBody: { kind: 'regex', source: '(' } }))).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/no regular expression/),
    });
  });

  test('stops reading at 64 KiB and judges by what it has', async () => {
    const port = await web((_request, response) => {
      const pour = (): void => {
        while (response.write('ok'.repeat(4096)));
        response.once('drain', pour);
      };
      pour();
    });
    expect(
      await tryProbe(httpCheck(port, { expectBody: { kind: 'bytes', bytes: Buffer.from('ok') } }), {
        timeoutMs: 5_000,
      }),
    ).toMatchObject({ ok: true });
  });

  test('sends method, path, headers and host as told', async () => {
    const seen: IncomingMessage[] = [];
    const port = await web((request, response) => {
      seen.push(request);
      response.end();
    });
    await tryProbe(
      httpCheck(port, {
        method: 'HEAD',
        path: '/healthz?deep=1',
        host: 'net.cat',
        headers: { 'X-Probe': 'meridian', 'User-Agent': 'mine' },
      }),
    );
    expect(seen[0]).toMatchObject({
      method: 'HEAD',
      url: '/healthz?deep=1',
      headers: { host: 'net.cat', 'x-probe': 'meridian', 'user-agent': 'mine' },
    });
    await tryProbe(httpCheck(port));
    expect(seen[1]!.headers).toMatchObject({ host: '127.0.0.1', 'user-agent': 'meridian' });
    await tryProbe(httpCheck(port), { name: 'lb.example.net', lookup: async () => ['127.0.0.1'] });
    expect(seen[2]!.headers.host).toBe('lb.example.net');
  });

  test('opens a new connection each time, or keeps one when it may', async () => {
    const ports = new Set<number>();
    const port = await web((request, response) => {
      ports.add(request.socket.remotePort!);
      response.end('ok');
    });
    for (let i = 0; i < 3; i++) await tryProbe(httpCheck(port));
    expect(ports.size).toBe(3);
    ports.clear();
    const kept = new Map();
    for (let i = 0; i < 3; i++)
      expect(await tryProbe(httpCheck(port, { reuse: true }), { kept })).toMatchObject({ ok: true });
    expect(ports.size).toBe(1);
    for (const line of kept.values()) line.destroy();
  });

  test('a kept connection that the server has closed is no failure', async () => {
    let requests = 0;
    const port = await web((request, response) => {
      if (++requests % 2 === 0) request.socket.destroy();
      else response.end('ok');
    });
    const kept = new Map();
    expect(await tryProbe(httpCheck(port, { reuse: true }), { kept })).toMatchObject({ ok: true });
    expect(await tryProbe(httpCheck(port, { reuse: true }), { kept })).toMatchObject({ ok: true });
    expect(requests).toBe(3);
    for (const line of kept.values()) line.destroy();
  });

  test('a kept connection that the server closed since is opened anew', async () => {
    const ports: number[] = [];
    const port = await web((request, response) => {
      ports.push(request.socket.remotePort!);
      response.end('ok');
      response.once('finish', () => request.socket.destroySoon());
    });
    const kept = new Map();
    for (let i = 0; i < 3; i++) {
      expect(await tryProbe(httpCheck(port, { reuse: true }), { kept })).toMatchObject({ ok: true });
      // Until the end of the connection has come in here.
      await expect.poll(() => ports.length).toBe(i + 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(new Set(ports).size).toBe(3);
    for (const line of kept.values()) line.destroy();
  });

  test('of the addresses of a name, the one that stays silent is let go when another has answered', async () => {
    let ended = false;
    const silent = await tcpBackend((socket) => socket.on('close', () => (ended = true)).resume());
    open.push(silent);
    const answering = createServer((_request, response) => response.end('ok'));
    // The same port on another address of this machine.
    await new Promise<void>((resolve) => answering.listen(silent.port, '127.0.0.2', resolve));
    open.push({ port: silent.port, close: async () => void answering.close() });
    expect(
      await tryProbe(httpCheck(silent.port), {
        name: 'lb.example.net',
        lookup: async () => ['127.0.0.1', '127.0.0.2'],
        timeoutMs: 3_000,
      }),
    ).toMatchObject({ ok: true });
    await expect.poll(() => ended).toBe(true);
  });

  test('names what is no HTTP, and what was cut off', async () => {
    const raw = async (text: string, more: Partial<HttpCheck> = {}) => {
      const backend = await tcpBackend((socket) => socket.end(text));
      open.push(backend);
      return tryProbe(httpCheck(backend.port, more));
    };
    expect(await raw('SSH-2.0-OpenSSH_9.2\r\n')).toMatchObject({
      ok: false,
      reason: 'not HTTP',
      evidence: 'SSH-2.0-OpenSSH_9.2.',
    });
    expect(await raw('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok')).toMatchObject({
      ok: false,
      reason: 'response cut off',
      evidence: '200 ok',
    });
    expect(await raw('')).toMatchObject({ ok: false, reason: 'connection closed early' });
    expect(await raw('HTTP/1.0 200 fine\n\nok')).toMatchObject({ ok: true, evidence: '200 ok' });
  });

  test('reads the load from a header or from JSON', async () => {
    const port = await web((_request, response) =>
      response.setHeader('X-Load', '0.25').end('{"load": 0.5, "deep": [{"a/b": "0.75"}], "bad": "high"}'),
    );
    const load = async (where: ReturnType<typeof httpCheck>['load']) =>
      (await tryProbe(httpCheck(port, { load: where }))).load;
    expect(await load({ kind: 'header', name: 'X-Load' })).toBe(0.25);
    expect(await load({ kind: 'header', name: 'X-None' })).toBeNull();
    expect(await load({ kind: 'json', pointer: '/load' })).toBe(0.5);
    expect(await load({ kind: 'json', pointer: '/deep/0/a~1b' })).toBe(0.75);
    expect(await load({ kind: 'json', pointer: '/bad' })).toBeNull();
    expect(await load({ kind: 'json', pointer: '/none/at/all' })).toBeNull();
  });

  test('speaks HTTP/2 without TLS by prior knowledge', async () => {
    const server = createHttp2Server((request, response) =>
      response.end(`${request.httpVersion} ${request.authority}`),
    );
    const backend = await tcpBackend(() => {}, server);
    open.push(backend);
    expect(await tryProbe(httpCheck(backend.port, { version: '2', host: 'net.cat' }))).toMatchObject({
      ok: true,
      evidence: '200 2.0 net.cat',
    });
  });

  /** An HTTP/2 server without TLS that answers "ok"; `before` sees each request's session first. Counts connections. */
  async function http2Web(before: (session: Http2Session, request: number) => void) {
    let connections = 0;
    let requests = 0;
    const server = createHttp2Server();
    server.on('session', () => connections++);
    server.on('stream', (stream) => {
      before(stream.session!, ++requests);
      if (stream.destroyed) return;
      stream.respond({ ':status': 200 });
      stream.end('ok');
    });
    const backend = await tcpBackend(() => {}, server);
    open.push(backend);
    return { port: backend.port, connections: () => connections };
  }

  test('keeps an HTTP/2 connection, and takes a polite farewell for what it is', async () => {
    // As nginx says it with the last request of keepalive_requests: GOAWAY, then the response.
    const backend = await http2Web((session, request) => request % 3 === 0 && session.goaway(0));
    const kept = new Map();
    for (let i = 0; i < 9; i++) {
      const probed = await tryProbe(httpCheck(backend.port, { version: '2', reuse: true }), { kept });
      expect(probed).toMatchObject({ ok: true, evidence: '200 ok' });
    }
    expect(backend.connections()).toBe(3);
    for (const one of kept.values()) one.destroy();
  });

  test('asks once more where a kept HTTP/2 connection ends without a word, but not where a new one does', async () => {
    const backend = await http2Web((session, request) => request === 2 && session.destroy());
    const kept = new Map();
    const probe = () => tryProbe(httpCheck(backend.port, { version: '2', reuse: true }), { kept });
    expect(await probe()).toMatchObject({ ok: true });
    expect(await probe()).toMatchObject({ ok: true });
    expect(backend.connections()).toBe(2);
    for (const one of kept.values()) one.destroy();
    const rude = await http2Web((session) => session.destroy());
    expect(await tryProbe(httpCheck(rude.port, { version: '2', reuse: true }))).toMatchObject({
      ok: false,
      reason: 'connection closed early',
    });
  });

  test.each([
    ['is reset half way', (stream: Http2Stream) => stream.destroy(new Error('broken'))],
    ['is cut off with its connection', (stream: Http2Stream) => stream.session!.destroy()],
  ])('fails an HTTP/2 response that %s', async (_, end) => {
    const server = createHttp2Server();
    server.on('stream', (stream) => {
      stream.on('error', () => {});
      stream.respond({ ':status': 200 });
      stream.write('half', () => end(stream));
    });
    const backend = await tcpBackend(() => {}, server);
    open.push(backend);
    expect(await tryProbe(httpCheck(backend.port, { version: '2' }))).toMatchObject({
      ok: false,
      reason: 'response cut off',
      evidence: '200 half',
    });
  });

  test('fails a server that speaks HTTP/1.1 where HTTP/2 is known to be spoken', async () => {
    const old = await web((_request, response) => response.end('ok'));
    expect(await tryProbe(httpCheck(old, { version: '2' }))).toMatchObject({ ok: false, reason: 'not HTTP/2' });
  });

  test('takes a late 408 of a kept connection for its end, and any other for the answer', async () => {
    let requests = 0;
    const port = await web((_request, response) => {
      const late = [2, 4, 5].includes(++requests);
      response.writeHead(late ? 408 : 200, late ? { connection: 'close' } : {}).end('ok');
    });
    const kept = new Map();
    const probe = () => tryProbe(httpCheck(port, { reuse: true }), { kept });
    expect(await probe()).toMatchObject({ ok: true });
    expect(await probe()).toMatchObject({ ok: true });
    expect(requests).toBe(3);
    expect(await probe()).toMatchObject({ ok: false, reason: 'status 408' });
    expect(requests).toBe(5);
    for (const one of kept.values()) one.destroy();
  });
});

describe('the HTTPS probe', () => {
  const https = (port: number, more = {}) =>
    httpCheck(port, { tls: true, host: 'net.cat', caFile: authority.file, ...more });

  test('verifies the certificate against the ca-file, and counts its days', async () => {
    expect(await tryProbe(https(await secure('good')), { timeoutMs: 3_000 })).toMatchObject({
      ok: true,
      certificateDays: 30,
    });
  });

  test.each([
    ['expired', {}, 'certificate has expired'],
    ['self', {}, 'certificate is self-signed'],
    ['good', { host: 'other.cat' }, 'certificate is for another name'],
    ['good', { sni: 'other.cat' }, 'certificate is for another name'],
    ['good', { caFile: null }, 'certificate has an unknown issuer'],
    ['good', { caFile: '/no/such/file.pem' }, 'ca-file cannot be used'],
  ])('%s %o: %s', async (name, more, reason) => {
    expect(await tryProbe(https(await secure(name), more), { timeoutMs: 3_000 })).toMatchObject({ ok: false, reason });
  });

  test('takes any certificate with verify: false, and still tells its days', async () => {
    expect(await tryProbe(https(await secure('expired'), { verify: false }), { timeoutMs: 3_000 })).toMatchObject({
      ok: true,
      certificateDays: -2,
    });
    expect(
      await tryProbe(https(await secure('self'), { verify: false, host: 'x.y' }), { timeoutMs: 3_000 }),
    ).toMatchObject({ ok: true, certificateDays: 30 });
  });

  test('min-days fails a certificate that expires too soon', async () => {
    const port = await secure('named');
    expect(await tryProbe(https(port, { minDays: 7 }), { timeoutMs: 3_000 })).toMatchObject({
      ok: false,
      reason: 'certificate expires in 3 days',
      certificateDays: 3,
    });
    expect(await tryProbe(https(port, { minDays: 3 }), { timeoutMs: 3_000 })).toMatchObject({ ok: true });
  });

  test('SNI and Host are two things', async () => {
    const port = await secure('good', (request, response) =>
      response.end(`${(request.socket as TLSSocket).servername} ${request.headers.host}`),
    );
    expect(await tryProbe(https(port, { host: 'page.cat:8443', sni: 'net.cat' }), { timeoutMs: 3_000 })).toMatchObject({
      evidence: '200 net.cat page.cat:8443',
    });
    expect(await tryProbe(https(port, { host: 'net.cat:8443' }), { timeoutMs: 3_000 })).toMatchObject({
      evidence: '200 net.cat net.cat:8443',
    });
    expect(await tryProbe(https(port, { host: null }), { timeoutMs: 3_000 })).toMatchObject({
      ok: true,
      evidence: '200 false 127.0.0.1',
    });
    const named = { name: 'net.cat', lookup: async () => ['127.0.0.1'], timeoutMs: 3_000 };
    expect(await tryProbe(https(port, { host: null }), named)).toMatchObject({
      ok: true,
      evidence: '200 net.cat net.cat',
    });
  });

  test('sees a renewed ca-file', async () => {
    const port = await secure('good');
    const caFile = join(folder, 'changing.pem');
    writeFileSync(caFile, readFileSync(certificates.self!.certificate));
    expect(await tryProbe(https(port, { caFile }), { timeoutMs: 3_000 })).toMatchObject({ ok: false });
    writeFileSync(caFile, Buffer.concat([readFileSync(authority.file), Buffer.from('\n')]));
    expect(await tryProbe(https(port, { caFile }), { timeoutMs: 3_000 })).toMatchObject({ ok: true });
  });

  test('shows the certificate on every probe, never a resumed session', async () => {
    const port = await secure('good');
    for (let i = 0; i < 3; i++) expect((await tryProbe(https(port), { timeoutMs: 3_000 })).certificateDays).toBe(30);
  });

  test('speaks HTTP/2 when asked, and fails with a server that does not', async () => {
    const server = createSecureServer({ ...files('good'), allowHTTP1: true }, (request, response) =>
      response.end(request.httpVersion),
    );
    const backend = await tcpBackend(() => {}, server);
    open.push(backend);
    expect(await tryProbe(https(backend.port, { version: '2' }), { timeoutMs: 3_000 })).toMatchObject({
      ok: true,
      evidence: '200 2.0',
      certificateDays: 30,
    });
    expect(await tryProbe(https(backend.port), { timeoutMs: 3_000 })).toMatchObject({ ok: true, evidence: '200 1.1' });
    const old = await tryProbe(https(await secure('good'), { version: '2' }), { timeoutMs: 3_000 });
    expect(old.ok).toBe(false);
  });

  test('opens a kept connection anew when its certificate is not good enough any more', async () => {
    const { port, handshakes } = await counted();
    const kept = new Map();
    const probe = (minDays: number) => tryProbe(https(port, { reuse: true, minDays }), { kept, timeoutMs: 3_000 });
    expect(await probe(7)).toMatchObject({ ok: true });
    expect(await probe(7)).toMatchObject({ ok: true });
    expect(handshakes()).toBe(1);
    // 25 days later.
    const later = Date.now() + 25 * 86_400_000;
    expect(
      await tryProbe(https(port, { reuse: true, minDays: 7 }), { kept, timeoutMs: 3_000, nowMs: () => later }),
    ).toMatchObject({ ok: false, reason: 'certificate expires in 5 days' });
    expect(handshakes()).toBe(2);
    for (const line of kept.values()) line.destroy();
  });

  test('keeps a TLS connection when it may', async () => {
    const { port, handshakes } = await counted();
    const kept = new Map();
    for (let i = 0; i < 3; i++)
      expect(await tryProbe(https(port, { reuse: true }), { kept, timeoutMs: 3_000 })).toMatchObject({
        ok: true,
        certificateDays: 30,
      });
    expect(handshakes()).toBe(1);
    for (const line of kept.values()) line.destroy();
  });
});

describe('the TCP probe with TLS', () => {
  const tls = (port: number, more = {}) =>
    tcpCheck(port, { tls: true, sni: 'net.cat', caFile: authority.file, ...more });

  test('verifies, and speaks inside the tunnel', async () => {
    const server = createTlsServer(files('good'), (socket) =>
      socket.on('data', (data) => socket.write(`echo ${data}`)).on('error', () => {}),
    );
    const backend = await tcpBackend(() => {}, server);
    open.push(backend);
    expect(await tryProbe(tls(backend.port), { timeoutMs: 3_000 })).toMatchObject({ ok: true, certificateDays: 30 });
    expect(
      await tryProbe(
        tls(backend.port, { send: Buffer.from('hi'), expect: { kind: 'bytes', bytes: Buffer.from('echo hi') } }),
        { timeoutMs: 3_000 },
      ),
    ).toMatchObject({ ok: true, evidence: 'echo hi' });
    expect(await tryProbe(tls(backend.port, { sni: 'other.cat' }), { timeoutMs: 3_000 })).toMatchObject({
      ok: false,
      reason: 'certificate is for another name',
    });
    expect(await tryProbe(tls(backend.port, { sni: 'other.cat', verify: false }), { timeoutMs: 3_000 })).toMatchObject({
      ok: true,
    });
  });
});
