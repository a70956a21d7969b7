// What nobody expected: mistakes of the program, signals, a log that nobody reads. Answers, health and the admin go on.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freePort } from '../support/ports.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const ZONE = `
version: meridian/v1
zone: example.test
ns: [ns1]
pools: { a: { members: [192.0.2.1] } }
records:
  ns1: { A: 192.0.2.53 }
  "@": { A: { pools: [a] } }
`;

let directory: string;
let admin: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-unexpected-'));
  mkdirSync(join(directory, 'zones'));
  const port = await freePort();
  admin = `http://127.0.0.1:${port}`;
  writeFileSync(join(directory, 'zones/example.test.yaml'), ZONE);
  writeFileSync(
    join(directory, 'meridian.yaml'),
    JSON.stringify({
      version: 'meridian/v1',
      listen: ['127.0.0.1:0'],
      admin: { listen: `127.0.0.1:${port}` },
      workers: 1,
    }),
  );
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Whether the admin answers, asked until it does. */
async function ready(): Promise<void> {
  for (;;) {
    try {
      if ((await fetch(`${admin}/readyz`)).status === 200) return;
    } catch {
      // Not yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)![1]);
}

function serve(execArgs: readonly string[], stderr: 'pipe' | 'ignore'): ReturnType<typeof spawn> {
  return spawn(process.execPath, [...execArgs, MAIN, 'serve', '--config', join(directory, 'meridian.yaml')], {
    stdio: ['ignore', 'ignore', stderr],
  });
}

it('an exception and a rejection in the control plane are counted, and the server goes on', async () => {
  const fault = join(directory, 'fault.mjs');
  writeFileSync(
    fault,
    `import { isMainThread } from 'node:worker_threads';
     if (isMainThread) process.on('SIGUSR2', () => { Promise.reject(new Error('lost')); throw new Error('boom'); });`,
  );
  const child = serve(['--import', fault], 'pipe');
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text) => (said += text));
  await ready();
  child.kill('SIGUSR2');
  while ((await metric('meridian_internal_errors_total')) < 2) await ready();
  expect(said).toMatch(/"event":"internal-error","origin":"uncaughtException","error":"Error: boom\\n +at /);
  expect(said).toContain('"origin":"unhandledRejection","error":"Error: lost');
  // SIGUSR1 would open a debugger.
  child.kill('SIGUSR1');
  child.kill('SIGHUP');
  await ready();
  expect(said).not.toContain('Debugger');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

it('a log that nobody reads stops nothing: lines are dropped and counted, SIGTERM is heard', async () => {
  const child = serve([], 'pipe');
  // Never read: the pipe holds 64 KiB, the queue a MiB.
  child.stderr!.pause();
  await ready();
  const body = JSON.stringify({ state: 'up', for: 'forever', reason: 'x'.repeat(990) });
  const headers = { 'content-type': 'application/json' };
  while ((await metric('meridian_log_dropped_total')) === 0) {
    for (let i = 0; i < 50; i++) {
      const reply = await fetch(`${admin}/api/v1/pools/example.test/a/force`, { method: 'PUT', headers, body });
      expect(reply.status).toBe(200);
    }
  }
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
});
