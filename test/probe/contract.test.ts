// One suite for all kinds of probes: whatever the backend does, a probe ends in time with one result and never throws.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { decode, encode } from 'dns-packet';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Probe } from '../../dist/zone/model.js';
import { type Backend, refusedPort, tcpBackend, udpBackend } from '../support/backends.ts';
import { dnsCheck, httpCheck, tcpCheck, udpCheck } from '../support/checks.ts';
import { tryProbe } from '../support/try.ts';
import { keyPair, Responder } from '../support/wireguard.ts';

const TIMEOUT_MS = 300;
/** What a loaded machine may need to get round to it. */
/** Slow machines end late; what these backends would go on with has no end. */
const GRACE_MS = 20_000;

const folder = mkdtempSync(join(tmpdir(), 'meridian-contract-'));
const keyFile = join(folder, 'wg.key');
const ours = keyPair();
writeFileSync(keyFile, ours.privateBytes.toString('base64'));
const responder = new Responder();
const page = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';

function answerDns(query: Buffer): Buffer {
  const { id, questions } = decode(query);
  return encode({
    type: 'response',
    id: id!,
    questions: questions!,
    answers: [{ type: 'A', name: 'example.org', ttl: 60, data: '192.0.2.1' }],
  });
}

function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]);
}

interface Kind {
  readonly name: string;
  readonly transport: 'tcp' | 'udp';
  readonly make: (port: number) => Probe;
  /** What a good backend answers to the first bytes. */
  readonly answer: (data: Buffer) => Uint8Array | undefined;
  /** What comes without being asked for (greetings). */
  readonly speaksFirst?: boolean;
  /** How the true answer begins, for a backend that begins well and then drips. */
  readonly head?: Uint8Array;
}

const kinds: Kind[] = [
  {
    name: 'http',
    transport: 'tcp',
    make: (port) => httpCheck(port),
    answer: () => Buffer.from(page),
    head: Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n'),
  },
  {
    name: 'http with reuse',
    transport: 'tcp',
    make: (port) => httpCheck(port, { reuse: true }),
    answer: () => Buffer.from(page),
    head: Buffer.from('HTTP/1.1 200 OK\r\nX: '),
  },
  {
    name: 'tcp',
    transport: 'tcp',
    make: (port) =>
      tcpCheck(port, { send: Buffer.from('hi\n'), expect: { kind: 'bytes', bytes: Buffer.from('SSH-2.0') } }),
    answer: () => Buffer.from('SSH-2.0-x\r\n'),
  },
  {
    name: 'tcp, regex',
    transport: 'tcp',
    make: (port) => tcpCheck(port, { expect: { kind: 'regex', source: '^SSH-\\d' } }),
    answer: () => Buffer.from('SSH-2.0-x\r\n'),
    speaksFirst: true,
  },
  {
    name: 'udp',
    transport: 'udp',
    make: (port) => udpCheck(port, { expect: { kind: 'bytes', bytes: Buffer.from('pong\xff', 'latin1') } }),
    answer: () => Buffer.from('..pong\xff..', 'latin1'),
  },
  { name: 'dns', transport: 'udp', make: (port) => dnsCheck(port), answer: answerDns },
  {
    name: 'dns over tcp',
    transport: 'tcp',
    make: (port) => dnsCheck(port, { transport: 'tcp' }),
    answer: (data) => framed(answerDns(data.subarray(2))),
    head: Buffer.from([255, 255]),
  },
  {
    name: 'wireguard',
    transport: 'udp',
    make: (port) => ({
      kind: 'wireguard',
      port,
      publicKey: responder.keys.publicBytes,
      privateKeyFile: keyFile,
      presharedKey: null,
    }),
    answer: (data) => responder.handle(data),
  },
];
/** Kinds for which any backend that doesn't speak their protocol is a failure; these have no plain backend to talk to. */
const tlsKinds: Kind[] = [
  { name: 'https', transport: 'tcp', make: (port) => httpCheck(port, { tls: true }), answer: () => undefined },
  {
    name: 'https, HTTP/2',
    transport: 'tcp',
    make: (port) => httpCheck(port, { tls: true, version: '2' }),
    answer: () => undefined,
  },
  { name: 'HTTP/2', transport: 'tcp', make: (port) => httpCheck(port, { version: '2' }), answer: () => undefined },
  { name: 'tcp with TLS', transport: 'tcp', make: (port) => tcpCheck(port, { tls: true }), answer: () => undefined },
];

const open: Backend[] = [];
async function backend(
  kind: Kind,
  answer: (data: Buffer) => Uint8Array | undefined,
  onSocket?: (socket: Socket) => void,
): Promise<number> {
  const made =
    kind.transport === 'udp'
      ? await udpBackend((data, reply) => {
          const out = answer(data);
          if (out !== undefined) reply(out);
        })
      : await tcpBackend((socket) => {
          onSocket?.(socket);
          if (kind.speaksFirst) socket.write(answer(Buffer.alloc(0)) ?? '');
          else
            socket.on('data', (data) => {
              const out = answer(data);
              if (out !== undefined) socket.write(out);
            });
        });
  open.push(made);
  return made.port;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
afterAll(() => rmSync(folder, { recursive: true }));

function expectFailure(result: Awaited<ReturnType<typeof tryProbe>>): void {
  expect(result.ok).toBe(false);
  expect(result.reason).not.toBe('');
  expect(result.reason).not.toMatch(/probe error/);
  expect(result.latencyMs).toBeLessThan(TIMEOUT_MS + GRACE_MS);
  expect(result.evidence.length).toBeLessThanOrEqual(200);
}

describe.each(kinds)('a probe of kind $name', (kind) => {
  test('is good when the backend is', async () => {
    const port = await backend(kind, kind.answer);
    const result = await tryProbe(kind.make(port), { timeoutMs: 2_000 });
    expect(result).toMatchObject({ ok: true, reason: 'ok' });
    expect(result.latencyMs).toBeGreaterThan(0);
    expect(Math.abs(result.atMs - Date.now())).toBeLessThan(5_000);
  });
});

describe.each([...kinds, ...tlsKinds])('a probe of kind $name', (kind) => {
  test('fails at once when the port is refused', async () => {
    const result = await tryProbe(kind.make(await refusedPort()), { timeoutMs: 2_000 });
    expectFailure(result);
    expect(result.reason).toBe('connection refused');
  });

  test('fails at the deadline when the backend is silent', async () => {
    const result = await tryProbe(kind.make(await backend({ ...kind, speaksFirst: false }, () => undefined)), {
      timeoutMs: TIMEOUT_MS,
    });
    expectFailure(result);
    expect(result.reason).toMatch(/^timeout/);
    expect(result.latencyMs).toBeGreaterThan(TIMEOUT_MS - 5);
  });

  test('fails at the deadline when the backend drips', async () => {
    const timers: NodeJS.Timeout[] = [];
    const port = await backend(
      { ...kind, speaksFirst: false },
      () => kind.head,
      (socket) => {
        timers.push(setInterval(() => socket.write('x'), 10));
      },
    );
    const result = await tryProbe(kind.make(port), { timeoutMs: TIMEOUT_MS });
    for (const timer of timers) clearInterval(timer);
    expectFailure(result);
  });

  test('takes garbage for what it is', async () => {
    const tries = [1, 64, 92, 148, 1200].map(async (size) => {
      const port = await backend(kind, () => randomBytes(size));
      return tryProbe(kind.make(port), { timeoutMs: TIMEOUT_MS });
    });
    for (const result of await Promise.all(tries)) expectFailure(result);
  });

  test('does not read for ever when the backend never stops', async () => {
    let sent = 0;
    const block = Buffer.alloc(16_384, 'A');
    const port = await backend(
      kind,
      () => (kind.transport === 'udp' ? block : kind.head),
      (socket) => {
        const pour = (): void => {
          while (!socket.destroyed && socket.writableLength < 65_536) {
            socket.write(block);
            sent += block.length;
          }
          if (!socket.destroyed) setImmediate(pour);
        };
        socket.once('data', () => pour());
        if (kind.speaksFirst) pour();
      },
    );
    const result = await tryProbe(kind.make(port), { timeoutMs: TIMEOUT_MS });
    expect(result.latencyMs).toBeLessThan(TIMEOUT_MS + GRACE_MS);
    expect(result.evidence.length).toBeLessThanOrEqual(200);
    // 64 KiB are read; the rest fills the buffers of kernel and streams.
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  test('fails when the backend hangs up', async () => {
    if (kind.transport === 'udp') return;
    const port = await backend(
      { ...kind, speaksFirst: false },
      () => undefined,
      (socket) => socket.end(),
    );
    expectFailure(await tryProbe(kind.make(port), { timeoutMs: TIMEOUT_MS }));
  });

  test('ends at once when its target goes', async () => {
    const port = await backend({ ...kind, speaksFirst: false }, () => undefined);
    const controller = new AbortController();
    const startMs = performance.now();
    setTimeout(() => controller.abort(), 50);
    await tryProbe(kind.make(port), { timeoutMs: 120_000, controller });
    expect(performance.now() - startMs).toBeLessThan(50 + GRACE_MS);
  });

  test('fails when the address is of a family that its check cannot reach', async () => {
    expectFailure(await tryProbe(kind.make(await refusedPort()), { address: '::1', timeoutMs: TIMEOUT_MS }));
  });
});

describe('a deadline', () => {
  test('is no fault of the backend when this program itself was held up', async () => {
    const code = `require('net').createServer((s) => s.on('error', () => {}).on('data', () => s.end(${JSON.stringify(page)}))).listen(0, '127.0.0.1', function () { require('worker_threads').parentPort.postMessage(this.address().port); })`;
    const worker = new Worker(code, { eval: true });
    const port = await new Promise<number>((resolve) => worker.once('message', resolve));
    const result = tryProbe(httpCheck(port), { timeoutMs: 200 });
    const endMs = performance.now() + 600;
    while (performance.now() < endMs);
    expect(await result).toMatchObject({ ok: true });
    await worker.terminate();
  });
});

describe('a probe that runs a program', () => {
  const exec = (...args: string[]): Probe => ({ kind: 'exec', command: '/bin/sh', args });

  test('is good when the program ends with 0, and shows what it said', async () => {
    expect(await tryProbe(exec('-c', 'echo fine'), { timeoutMs: 5_000 })).toMatchObject({
      ok: true,
      evidence: 'fine.',
    });
  });

  test('fails with the exit status', async () => {
    expect(await tryProbe(exec('-c', 'echo bad >&2; exit 3'), { timeoutMs: 5_000 })).toMatchObject({
      ok: false,
      reason: 'exit status 3',
      evidence: 'bad.',
    });
  });

  test('hands over no environment and no shell, but the address where it is asked for', async () => {
    const result = await tryProbe({ kind: 'exec', command: '/usr/bin/env', args: [] }, { timeoutMs: 5_000 });
    expect(result).toMatchObject({ ok: true, evidence: '' });
    const echo = await tryProbe(
      { kind: 'exec', command: '/bin/echo', args: ['{address}', '$HOME', ';id'] },
      { timeoutMs: 5_000 },
    );
    expect(echo.evidence).toBe('127.0.0.1 $HOME ;id.');
  });

  test('kills the program and its children at the deadline', async () => {
    const marker = join(folder, 'alive');
    const result = await tryProbe(exec('-c', `(sleep 1; echo x > ${marker}) & sleep 100`), { timeoutMs: TIMEOUT_MS });
    expectFailure(result);
    expect(result.reason).toBe('timeout: killed');
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(() => rmSync(marker)).toThrow();
  });

  test('fails when there is no such program, or it floods its output', async () => {
    expectFailure(await tryProbe({ kind: 'exec', command: '/no/such/program', args: [] }, { timeoutMs: TIMEOUT_MS }));
    expectFailure(
      await tryProbe({ kind: 'exec', command: '/bin/cat', args: ['/dev/zero'] }, { timeoutMs: TIMEOUT_MS }),
    );
  });

  test('does nothing unless the settings allow it', async () => {
    expect(await tryProbe(exec('-c', 'true'), { rules: { exec: false } })).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/off/),
    });
  });
});

describe('a probe that reads a file', () => {
  const file = (content: string, name = 'verdict'): Probe => {
    writeFileSync(join(folder, name), content);
    return { kind: 'file', path: join(folder, name) };
  };

  test('takes the first word', async () => {
    expect(await tryProbe(file('up'))).toMatchObject({ ok: true });
    expect(await tryProbe(file('\n up 3 disks\nmore'))).toMatchObject({ ok: true, evidence: 'up 3 disks' });
    expect(await tryProbe(file('down'))).toMatchObject({ ok: false, reason: 'down' });
    expect(await tryProbe(file('down disk is full\n'))).toMatchObject({ ok: false, reason: 'disk is full' });
  });

  test('fails for anything else', async () => {
    for (const content of ['', 'uphill', 'UP', '\0\0\0', 'x'.repeat(1e6)]) expectFailure(await tryProbe(file(content)));
    expect(await tryProbe({ kind: 'file', path: join(folder, 'missing') })).toMatchObject({
      ok: false,
      reason: 'file is missing',
    });
    expectFailure(await tryProbe({ kind: 'file', path: folder }));
  });

  test('may have a file for each address', async () => {
    file('up', '127.0.0.1.state');
    expect(await tryProbe({ kind: 'file', path: join(folder, '{address}.state') })).toMatchObject({ ok: true });
  });
});
