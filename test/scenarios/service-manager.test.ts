// Under a service manager: sockets that it opened, and what it is told (sd_listen_fds(3), sd_notify(3)).
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ask } from '../support/dns.ts';
import { Meridian } from '../support/meridian.ts';
import { HANGS_MS } from '../support/patience.ts';
import { freePort } from '../support/ports.ts';
import { have, Program } from '../support/programs.ts';
import { startServer } from '../support/server.ts';

const MANAGER = fileURLToPath(new URL('../support/service_manager.py', import.meta.url));
const files = {
  'zones/example.test.yaml': { zone: 'example.test', ns: ['ns.example.net.'], records: { '@': { A: '192.0.2.1' } } },
};

describe.skipIf(!have('python3'))('under a service manager', () => {
  it(
    'it answers on the sockets that it was given, and opens what is missing',
    async () => {
      const [port, adminPort, other] = [await freePort(), await freePort(), await freePort()];
      const server = await startServer({
        files,
        adminPort,
        settings: { listen: [`127.0.0.1:${port}`, `127.0.0.1:${other}`] },
        within: ['python3', MANAGER, 'activate', `udp:${port},tcp:${port},tcp:${adminPort}:admin`, '--'],
      });
      try {
        for (const to of [port, other]) {
          for (const tcp of [false, true]) {
            const reply = await ask({ host: '127.0.0.1', port: to }, { name: 'example.test.', type: 'A', tcp });
            expect(reply.rcode).toBe('NOERROR');
          }
        }
      } finally {
        expect(await server.stop()).toBe(0);
      }
    },
    4 * HANGS_MS,
  );

  it(
    'it says when it answers, reloads, lives and stops, and which process takes its place',
    async () => {
      const path = join(tmpdir(), `meridian-notify-${process.pid}.sock`);
      const manager = new Program('python3', [MANAGER, 'notify', path]);
      const says = (text: string | RegExp): Promise<void> =>
        expect.poll(() => manager.output, { timeout: HANGS_MS }).toMatch(text) as Promise<void>;
      try {
        await says(/listening/);
        const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '400000' };
        const server = await startServer({ files, env });
        try {
          await says(new RegExp(`MAINPID=${server.pid} READY=1`));
          await says(/WATCHDOG=1\n[\s\S]*WATCHDOG=1\n/);
          process.kill(server.pid, 'SIGHUP');
          await says(/RELOADING=1 MONOTONIC_USEC=\d+\n[\s\S]*READY=1\n/);
          // Without the variables, as in ExecReload: the one before knows them.
          const next = new Meridian(['serve', '--replace', '--config', join(server.directory, 'meridian.yaml')]);
          await says(new RegExp(`MAINPID=${next.process.pid} READY=1`));
          await next.says(/dashboard and admin on/);
          expect(manager.output).not.toContain('STOPPING=1');
          expect((await next.stop()).code).toBe(0);
          await says(/STOPPING=1/);
        } finally {
          await server.stop();
        }
      } finally {
        await manager.stop();
        rmSync(path, { force: true });
      }
    },
    5 * HANGS_MS,
  );
});
