// `serve --replace`: another process takes the server's place, and nobody who asks notices.

import { rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { askTcp } from '../support/clients.ts';
import { ask, query } from '../support/dns.ts';
import { flood } from '../support/flood.ts';
import { Meridian } from '../support/meridian.ts';
import { HANGS_MS } from '../support/patience.ts';
import { type RunningServer, startServer } from '../support/server.ts';

const MINUTES = 5 * HANGS_MS;

interface Status {
  readonly startedAt: string;
  readonly health: { readonly up: number; readonly unknown: number };
}

/** A backend that is up, and a server that probes it. */
async function world(): Promise<{ server: RunningServer; end: () => Promise<void> }> {
  const backend = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  const server = await startServer({
    // Longer than a replacement takes, however slow the machine.
    settings: { tcp: { 'idle-timeout': '5m' } },
    files: {
      'zones/example.test.yaml': {
        zone: 'example.test',
        ns: ['ns.example.net.'],
        checks: { web: { http: { port: (backend.address() as AddressInfo).port, path: '/' } } },
        pools: { one: { check: 'web', members: ['127.0.0.1'] }, two: { check: 'web', members: ['127.0.0.1'] } },
        records: { '@': { A: { ttl: 20, pools: ['one', 'two'] } } },
      },
    },
  });
  const end = async (): Promise<void> => {
    await server.stop();
    backend.close();
    backend.closeAllConnections();
  };
  return { server, end };
}

/** Starts a server that takes over; resolves when it has. */
async function replace({ directory }: RunningServer): Promise<Meridian> {
  const next = new Meridian(['serve', '--replace', '--config', join(directory, 'meridian.yaml')]);
  await next.says(/dashboard and admin on/);
  return next;
}

async function statusOf({ admin }: RunningServer): Promise<Status> {
  return (await (await fetch(`${admin}/api/v1/status`)).json()) as Status;
}

async function queriesOf({ admin }: RunningServer): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  return Number(/^meridian_queries_total\{transport="udp"\} (\d+)/m.exec(text)![1]);
}

function force({ admin }: RunningServer): Promise<Response> {
  const body = JSON.stringify({ state: 'down', for: '1h', reason: 'test' });
  return fetch(`${admin}/api/v1/pools/example.test/one/force`, { method: 'PUT', body });
}

describe('serve --replace', () => {
  it(
    'loses no query, no open connection, no verdict, no forced state and no count, again and again',
    async () => {
      const { server, end } = await world();
      const started: Meridian[] = [];
      try {
        expect(statSync(join(server.directory, 'state/replace.sock')).mode & 0o777).toBe(0o600);
        expect((await force(server)).status).toBe(200);
        const load = flood(server, 'example.test.');
        for (let i = 0; i < 3; i++) {
          const connection = await askTcp(server.host, server.port);
          const before = await statusOf(server);
          started.push(await replace(server));
          const after = await statusOf(server);
          expect(after.startedAt).not.toBe(before.startedAt);
          expect(after.health).toMatchObject({ unknown: 0, up: 2 });
          const reply = await ask(server, { name: 'example.test.', type: 'A' });
          expect(reply.answers.length).toBe(1);
          // A connection of before goes on asking.
          connection.send(query({ id: 7, name: 'example.test.', type: 'A' }));
          await connection.answers([7], HANGS_MS);
          connection.close();
          // The old one ends by itself, in good order.
          if (i > 0) expect((await started[i - 1]!.end()).code).toBe(0);
        }
        const { sent, lost } = await load.stop();
        expect(lost).toBe(0);
        const targets = (await (await fetch(`${server.admin}/api/v1/health`)).json()) as {
          targets: { pool: string; forced: { state: string } | null }[];
        };
        expect(targets.targets.find(({ pool }) => pool === 'one')?.forced?.state).toBe('down');
        await expect.poll(() => queriesOf(server), { timeout: HANGS_MS }).toBe(sent + 3);
      } finally {
        for (const one of started) await one.stop();
        await end();
      }
    },
    MINUTES,
  );

  it(
    'goes on as if nothing had happened when the one that comes dies half way',
    async () => {
      const { server, end } = await world();
      try {
        const said = (socket: ReturnType<typeof connect>, kind: string): Promise<void> =>
          new Promise((resolve) => {
            let text = '';
            socket.on('data', (chunk) => {
              text += String(chunk);
              if (text.split(`"kind":"${kind}"`).length > (kind === 'state' ? 2 : 1)) resolve();
            });
          });
        const path = join(server.directory, 'state/replace.sock');
        const successor = connect(path);
        const handed = said(successor, 'handing');
        const held = said(successor, 'state');
        successor.write('{"kind":"hello","pid":1,"version":"9"}\n');
        await handed;
        const second = connect(path);
        const busy = said(second, 'busy');
        second.write('{"kind":"hello","pid":2,"version":"9"}\n');
        await busy;
        successor.write('{"kind":"ready"}\n');
        await held;
        // What is forced now would be lost.
        expect((await force(server)).status).toBe(503);
        expect((await ask(server, { name: 'example.test.', type: 'A' })).answers.length).toBe(1);
        successor.destroy();
        await expect.poll(async () => (await force(server)).status, { timeout: HANGS_MS }).toBe(200);
        expect(server.output()).toContain('"event":"replace-failed"');
        const next = await replace(server);
        expect((await ask(server, { name: 'example.test.', type: 'A' })).answers.length).toBe(1);
        expect((await next.stop()).code).toBe(0);
      } finally {
        await end();
      }
    },
    MINUTES,
  );

  it(
    'is killed while it loads: the old one answers on, and the next one takes over',
    async () => {
      const { server, end } = await world();
      try {
        const load = flood(server, 'example.test.');
        const doomed = new Meridian(['serve', '--replace', '--config', join(server.directory, 'meridian.yaml')]);
        await expect.poll(() => server.output(), { timeout: HANGS_MS }).toContain('"event":"replace-asked"');
        await doomed.stop('SIGKILL');
        await expect.poll(() => server.output(), { timeout: HANGS_MS }).toContain('"event":"replace-failed"');
        expect((await force(server)).status).toBe(200);
        const next = await replace(server);
        expect((await load.stop()).lost).toBe(0);
        expect((await next.stop()).code).toBe(0);
      } finally {
        await end();
      }
    },
    MINUTES,
  );

  it(
    'simply starts where nothing runs, though a socket of an earlier run lies there',
    async () => {
      const { server, end } = await world();
      try {
        await server.kill();
        const next = await replace(server);
        expect((await statusOf(server)).health.unknown).toBe(0);
        expect((await next.stop()).code).toBe(0);
      } finally {
        await end();
        rmSync(server.directory, { recursive: true, force: true });
      }
    },
    MINUTES,
  );

  it(
    'goes to the background with --detach and ends when it answers',
    async () => {
      const { server, end } = await world();
      let pid = 0;
      try {
        const starter = new Meridian([
          'serve',
          '--replace',
          '--detach',
          '--config',
          join(server.directory, 'meridian.yaml'),
        ]);
        const code = new Promise((resolve) => starter.process.once('exit', resolve));
        expect(await code).toBe(0);
        pid = Number(/"event":"replaced","pid":(\d+)/.exec(server.output())?.[1]);
        expect(pid).toBeGreaterThan(0);
        expect((await ask(server, { name: 'example.test.', type: 'A' })).answers.length).toBe(1);
      } finally {
        if (pid > 0) process.kill(pid, 'SIGTERM');
        await end();
      }
    },
    MINUTES,
  );
});
