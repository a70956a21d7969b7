// 10,000 HTTP targets at a 10 s interval against a real nginx: how late probes are, and what they cost.
// Usage: node bench/health/scale.mjs [targets] [seconds]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '../../dist/base/clock.js';
import { keepHeapsSmall } from '../../dist/base/heap.js';
import { createLog } from '../../dist/base/log.js';
import { Monitor } from '../../dist/health/monitor.js';
import { startNginx } from './nginx.mjs';

keepHeapsSmall();

const count = Number(process.argv[2] ?? 10_000);
const seconds = Number(process.argv[3] ?? 30);
const intervalMs = 10_000;
const folder = mkdtempSync(join(tmpdir(), 'meridian-bench-'));

const nginx = await startNginx(folder);

const probe = {
  kind: 'http',
  tls: false,
  port: nginx.port,
  method: 'GET',
  path: '/healthz',
  host: 'net.cat',
  sni: null,
  headers: {},
  expectStatus: [[200, 299]],
  expectBody: { kind: 'bytes', bytes: Buffer.from('ok') },
  verify: true,
  caFile: null,
  minDays: null,
  version: '1.1',
  reuse: false,
  load: null,
};
const check = { name: 'web', probe, intervalMs, timeoutMs: 2_000, fall: 3, rise: 2, fastRecheck: true };
// Every target is an address of its own: 127.1.0.0/16 is all this machine.
const targets = Array.from({ length: count }, (_, i) => {
  const address = `127.1.${i >> 8}.${i & 255}`;
  return { id: `bench/p/${address}`, zone: 'bench', pool: 'p', address, family: 4, check };
});

let flips = 0;
const monitor = new Monitor({
  clock: systemClock,
  random: Math.random,
  log: createLog('error'),
  maxConcurrent: 500,
  blackoutHoldMs: 60_000,
  rules: { exec: false, files: [], linkLocal: false, admin: null },
  onHealth: () => {},
  onEvent: (event) => {
    if (event.to === 'down') flips++;
  },
});
const startMs = performance.now();
monitor.setTargets(targets);
await monitor.firstRound();
const firstRoundMs = Math.round(performance.now() - startMs);
await new Promise((resolve) => setTimeout(resolve, intervalMs));

const loop = monitorEventLoopDelay({ resolution: 5 });
loop.enable();
const before = { cpu: process.cpuUsage(), started: monitor.stats().started, ms: performance.now() };
let rss = 0;
const sampler = setInterval(() => {
  rss = Math.max(rss, process.memoryUsage.rss());
}, 500);
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
clearInterval(sampler);
const tookMs = performance.now() - before.ms;
const cpu = process.cpuUsage(before.cpu);
const stats = monitor.stats();
const probes = stats.started - before.started;
const down = [...monitor.all()].filter(([, health]) => health.verdict !== 'up').length;
console.log(
  JSON.stringify(
    {
      node: process.version,
      targets: count,
      firstRoundMs,
      probesPerSecond: Math.round(probes / (tookMs / 1000)),
      cpuPercentOfACore: Math.round((cpu.user + cpu.system) / 10 / tookMs),
      microsecondsPerProbe: Math.round((cpu.user + cpu.system) / probes),
      rssMegabytes: Math.round(rss / 2 ** 20),
      mostLateMs: Math.round(stats.mostLateMs),
      eventLoopP99Ms: Math.round(loop.percentile(99) / 1e4) / 100,
      notUp: down,
      falseDown: flips,
    },
    null,
    1,
  ),
);
monitor.stop();
await nginx.stop();
rmSync(folder, { recursive: true, force: true });
process.exit(0);
