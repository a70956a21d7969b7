// The data plane's latency at a steady rate, with and without 10,000 HTTP targets being probed, interleaved.
// Usage: node bench/health/p99.mjs [rounds] [seconds] [rate] [targets]   (2 10 20000 10000)
// Nothing is pinned: the server, the generator (a fifth of a core at this rate) and nginx (the backends) share two cores. The
// generator runs with real-time priority where that is allowed: it stands for clients elsewhere, and what it waits for a core isn't
// the server's latency. So does the server's data thread, by itself (docs/operations.md).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build, load } from '../generators.mjs';
import { coreSeconds, cpuSeconds, freePort, memoryMegabytes, start, untilAnswer } from '../process.mjs';
import { query } from '../wire.mjs';
import { startNginx } from './nginx.mjs';

const [rounds = 2, seconds = 10, rate = 20_000, count = 10_000] = process.argv.slice(2).map(Number);
const perPool = 100;
const folder = mkdtempSync(join(tmpdir(), 'meridian-p99-'));
const program = build('load', folder);
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const nginx = await startNginx(folder);

const pools = Math.ceil(count / perPool);
const names = Array.from({ length: pools }, (_, i) => `h${i}.p99.test`);
const queries = join(folder, 'queries');
writeFileSync(
  queries,
  Buffer.concat(
    Array.from({ length: 20_000 }, (_, i) => {
      const packet = query(names[(i * 7919) % pools], { edns: true });
      return Buffer.concat([Buffer.from([packet.length >> 8, packet.length & 255]), packet]);
    }),
  ),
);

async function run(probed) {
  const directory = mkdtempSync(join(folder, 'run-'));
  for (const name of ['zones', 'geoip', 'state']) mkdirSync(join(directory, name));
  const port = await freePort();
  writeFileSync(
    join(directory, 'meridian.yaml'),
    `version: meridian/v1
listen: ["127.0.0.1:${port}"]
admin: { listen: "127.0.0.1:${await freePort()}" }
workers: 1
rate-limit: { responses-per-second: 1000000 }
log: { level: error }
`,
  );
  // Every target is an address of its own: 127.1.0.0/16 is all this machine.
  const address = (n) => `127.1.${n >> 8}.${n & 255}`;
  const members = (pool) =>
    Array.from({ length: Math.min(perPool, count - pool * perPool) }, (_, i) => address(pool * perPool + i)).join(', ');
  const check = probed ? 'check: web, ' : '';
  writeFileSync(
    join(directory, 'zones', 'p99.test.yaml'),
    [
      'version: meridian/v1',
      'zone: p99.test',
      'ns: [ns1]',
      `checks: { web: { http: { port: ${nginx.port}, path: /healthz, host: p99.test, expect-body: ok }, interval: 10s } }`,
      'pools:',
      ...names.map((_, i) => `  p${i}: { ${check}members: [${members(i)}] }`),
      'records:',
      '  ns1: { A: 192.0.2.53 }',
      ...names.map((_, i) => `  h${i}: { A: { ttl: 30, answers: 2, pools: [p${i}] } }`),
      '',
    ].join('\n'),
  );
  const server = start(probed ? 'with probes' : 'without', {
    command: process.execPath,
    args: [main, 'serve', '--config', join(directory, 'meridian.yaml')],
    cwd: directory,
    logPath: join(directory, 'output.txt'),
  });
  await untilAnswer(server, port, names[0], server.startedAt, 60_000);
  // The first round and its spreading over the interval belong to the start.
  await wait(probed ? 12_000 : 2_000);
  await load({ program, port, file: queries, seconds: 2, rate, urgent: true });
  const before = cpuSeconds(server.pid);
  const cores = [coreSeconds(0), coreSeconds(1)];
  const at = performance.now();
  const result = await load({ program, port, file: queries, seconds, rate, urgent: true });
  const wall = (performance.now() - at) / 1000;
  const after = cpuSeconds(server.pid);
  const own = after.user + after.sys - before.user - before.sys;
  const stolen = [0, 1].reduce((sum, n) => sum + coreSeconds(n).steal - cores[n].steal, 0);
  const memory = memoryMegabytes(server.pid);
  await server.stop();
  return {
    server: server.label,
    'p50 us': result.p50Us,
    'p99 us': result.p99Us,
    'p99.9 us': result.p999Us,
    'max us': result.maxUs,
    lost: result.lost,
    'q/s': Math.round(result.qps),
    'server % of core': Math.round((own / wall) * 100),
    'stolen % of a core': Math.round((stolen / wall) * 100),
    'generator late ms': result.lagMaxUs / 1000,
    'resident MB': Math.round(memory.resident),
    load: loadavg()[0].toFixed(1),
  };
}

const table = [];
for (let round = 0; round < rounds; round++)
  for (const probed of round % 2 === 0 ? [false, true] : [true, false]) table.push(await run(probed));
console.table(table);
await nginx.stop();
rmSync(folder, { recursive: true, force: true });
