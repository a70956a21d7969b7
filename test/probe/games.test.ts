// Games that a backend may play: each ends at a bound with a reason of its own, however long it goes on.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp2Server } from 'node:http2';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../dist/base/limits.js';
import { searchFor } from '../../dist/probe/pattern.js';
import { ResponseReader } from '../../dist/probe/response.js';
import type { Pattern, Probe } from '../../dist/zone/model.js';
import { type Backend, tcpBackend, udpBackend } from '../support/backends.ts';
import { Authority } from '../support/certificates.ts';
import { dnsCheck, httpCheck, tcpCheck, udpCheck } from '../support/checks.ts';
import { tryProbe } from '../support/try.ts';
import { keyPair, Responder } from '../support/wireguard.ts';

const folder = mkdtempSync(join(tmpdir(), 'meridian-games-'));
let tls: { key: Buffer; cert: Buffer };
beforeAll(() => {
  const issued = new Authority(folder).issue('games', ['127.0.0.1'], 30);
  tls = { key: readFileSync(issued.key), cert: readFileSync(issued.certificate) };
});
afterAll(() => rmSync(folder, { recursive: true }));
const open: Backend[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

/** A byte at a time, each a segment of its own, for as long as the other side listens. */
function drip(socket: Socket, byte: (n: number) => string, n = 0): void {
  if (socket.destroyed) return;
  socket.write(byte(n), 'latin1');
  setImmediate(drip, socket, byte, n + 1);
}

function frame(type: number, payload = '', flags = 0, stream = 0): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, Buffer.from(payload, 'latin1')]);
}

const many = (bytes: Buffer): Buffer => Buffer.concat(Array<Buffer>(2_000).fill(bytes));
const head = 'HTTP/1.1 200 OK\r\n';
const text = (what: string): Pattern => ({ kind: 'bytes', bytes: Buffer.from(what) });

/** Runs a probe against a backend that answers the first bytes by `play` (speaks at once where nothing is sent). */
async function against(make: (port: number) => Probe, play: (socket: Socket) => void, secure = false): Promise<string> {
  const server = secure ? createTlsServer(tls) : undefined;
  const play2 = (socket: Socket): void => {
    socket.setNoDelay(true);
    if (make(1).kind === 'tcp') play(socket);
    else socket.once('data', () => play(socket));
    socket.on('data', () => {});
    socket.on('error', () => {});
  };
  const backend = await tcpBackend(secure ? () => {} : play2, server);
  server?.on('secureConnection', play2);
  open.push(backend);
  const result = await tryProbe(make(backend.port), { timeoutMs: 20_000 });
  expect(result.ok).toBe(false);
  return result.reason;
}

describe('a server that', () => {
  test.each([
    ['has no end of header lines', 'too many header lines', `${head}${'a:\n'.repeat(5_400)}`],
    ['has no end of interim responses', 'too many header lines', 'HTTP/1.1 100 C\r\n\r\n'.repeat(900)],
    [
      'sends chunks of one byte',
      'too many chunks',
      `${head}Transfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(65_000)}`,
    ],
  ])('%s is down', async (_, reason, said) => {
    expect(await against(httpCheck, (socket) => socket.write(said))).toBe(reason);
  });

  test('sends a byte a segment is down, over every protocol on TCP', async () => {
    const body = (n: number): string => (n < head.length + 2 ? `${head}\r\n`[n]! : 'x');
    expect(await against(httpCheck, (socket) => drip(socket, body))).toBe('response in too many pieces');
    const expected = (port: number) => tcpCheck(port, { expect: text('SSH-2.0') });
    expect(await against(expected, (socket) => drip(socket, () => 'x'))).toBe('answer in too many pieces');
    const overTcp = (port: number) => dnsCheck(port, { transport: 'tcp' });
    expect(await against(overTcp, (socket) => drip(socket, () => '\xff'))).toBe('answer in too many pieces');
    const pings = (n: number): string =>
      String.fromCharCode(n < 9 ? frame(4)[n]! : frame(6, '12345678')[(n - 9) % 17]!);
    expect(
      await against(
        (port) => httpCheck(port, { version: '2' }),
        (socket) => drip(socket, pings),
      ),
    ).toBe('answer in too many pieces');
  });

  test('sends TLS records of one byte is down', async () => {
    const web = (port: number) => httpCheck(port, { tls: true, verify: false });
    const body = (n: number): string => (n < head.length + 2 ? `${head}\r\n`[n]! : 'x');
    expect(await against(web, (socket) => drip(socket, body), true)).toBe('too many TLS records');
    const plain = (port: number) => tcpCheck(port, { tls: true, verify: false, expect: text('SSH-2.0') });
    expect(await against(plain, (socket) => drip(socket, () => 'x'), true)).toBe('too many TLS records');
  });

  test.each([
    ['SETTINGS', frame(4)],
    ['PING', frame(6, '12345678')],
    ['WINDOW_UPDATE', frame(8, '\0\0\0\x01')],
    ['PRIORITY', frame(2, '\0\0\0\x03\x01', 0, 1)],
    ['frames that nobody knows', frame(99)],
    ['empty DATA', Buffer.concat([frame(1, '\x88', 4, 1), many(frame(0, '', 0, 1))])],
    ['empty CONTINUATION', Buffer.concat([frame(1, '', 0, 1), many(frame(9, '', 0, 1))])],
  ])('sends HTTP/2 frames without data (%s) is down', async (_, frames) => {
    const two = (port: number) => httpCheck(port, { version: '2' });
    expect(await against(two, (socket) => socket.write(Buffer.concat([frame(4), many(frames)])))).toBe(
      'too many HTTP/2 frames',
    );
  });

  test('sends an HTTP/2 head without end is down', async () => {
    const two = (port: number) => httpCheck(port, { version: '2' });
    const block = Buffer.concat([frame(4), frame(1, '\x88', 0, 1), many(frame(9, '\x88'.repeat(1_000), 0, 1))]);
    expect(await against(two, (socket) => socket.write(block))).toBe('headers too long');
  });

  test('plays with a kept HTTP/2 connection between two probes loses it', async () => {
    let connections = 0;
    const server = createHttp2Server({ maxOutstandingPings: 10_000 });
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200 });
      stream.end('ok');
    });
    server.on('session', (session) => {
      connections++;
      session.on('error', () => {});
      session.on('stream', () => {
        for (let i = 0; i < 1_000; i++) session.ping(() => {});
      });
    });
    const backend = await tcpBackend(() => {}, server);
    open.push(backend);
    const kept = new Map();
    const probe = () => tryProbe(httpCheck(backend.port, { version: '2', reuse: true }), { kept, timeoutMs: 20_000 });
    await probe();
    const again = async (): Promise<number> => {
      await probe();
      return connections;
    };
    await expect.poll(again, { timeout: 20_000 }).toBeGreaterThan(1);
    for (const one of kept.values()) one.destroy();
  });

  test.each([
    ['udp', udpCheck(0, { expect: text('pong') }), Buffer.alloc(0)],
    ['udp', udpCheck(0, { expect: text('pong') }), Buffer.alloc(1_000)],
    ['dns', dnsCheck(0), Buffer.alloc(0)],
    ['dns', dnsCheck(0), Buffer.from('no answer at all')],
  ])('floods a %s probe with datagrams is down', async (_, check, datagram) => {
    const backend = await udpBackend((_query, reply) => {
      const timer = setInterval(() => {
        for (let i = 0; i < 20; i++) reply(datagram);
      }, 1);
      setTimeout(() => clearInterval(timer), 1_000);
    });
    open.push(backend);
    expect(await tryProbe({ ...check, port: backend.port }, { timeoutMs: 20_000 })).toMatchObject({
      ok: false,
      reason: 'too many wrong answers',
    });
  });

  test('answers a WireGuard probe with what looks right and proves wrong is down at once', async () => {
    // Its preshared key is another.
    const responder = new Responder(Buffer.alloc(32, 1));
    const privateKeyFile = join(folder, 'wg.key');
    writeFileSync(privateKeyFile, keyPair().privateBytes.toString('base64'));
    const backend = await udpBackend((data, reply) => {
      for (let i = 0; i < 50; i++) reply(responder.handle(data)!);
    });
    open.push(backend);
    const keys = { publicKey: responder.keys.publicBytes, privateKeyFile, presharedKey: null };
    expect(await tryProbe({ kind: 'wireguard', port: backend.port, ...keys }, { timeoutMs: 20_000 })).toMatchObject({
      ok: false,
      reason: 'handshake does not verify',
    });
  });

  test('is a program that talks without end is down', async () => {
    const talk = (script: string): Probe => ({ kind: 'exec', command: '/bin/sh', args: ['-c', script] });
    for (const script of ['exec yes', 'while :; do echo; done'])
      expect(await tryProbe(talk(script), { timeoutMs: 20_000 })).toMatchObject({
        ok: false,
        reason: 'too much output',
      });
    expect(
      await tryProbe(talk('i=0; while [ $i -lt 100 ]; do echo $i; i=$((i+1)); done'), { timeoutMs: 20_000 }),
    ).toMatchObject({ ok: true });
  });

  test('tells a load in nothing but brackets tells none', async () => {
    const backend = await tcpBackend((socket) =>
      socket.once('data', () => socket.end(`${head}\r\n${'['.repeat(60_000)}`)),
    );
    open.push(backend);
    const load = { kind: 'json', pointer: '/load' } as const;
    expect(await tryProbe(httpCheck(backend.port, { load }), { timeoutMs: 20_000 })).toMatchObject({
      ok: true,
      load: null,
    });
  });
});

/** CPU in milliseconds; generous bounds hold with it on a machine that has other things to do. */
function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

test('reading costs time in proportion to what is read', () => {
  const lines = Buffer.from(`${head}${'a:\n'.repeat(5_400)}\r\n`);
  const chunks = Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(65_000)}`);
  // Each of these took 200 to 500 ms once.
  const ms = cpuOf(() => {
    for (let i = 0; i < 20; i++) {
      new ResponseReader('GET').push(lines);
      new ResponseReader('GET').push(chunks);
      for (const pattern of [text('SSH-2.0'), { kind: 'regex', source: '^(\\w+\\s?)*$' } as const]) {
        const search = searchFor(pattern);
        for (let n = 0; n < limits.probeReads; n++) {
          search.push(Buffer.alloc(300, 'a'));
          search.end();
        }
      }
    }
  });
  expect(ms).toBeLessThan(2_000);
});
