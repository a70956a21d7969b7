// Verdicts under packet loss: a healthy backend behind a link that drops packets both ways, and what that does to probes and verdicts.
// Needs root, iproute2 and nftables. Usage: node bench/health/loss.mjs [probes per case]
import { execFileSync, spawn } from 'node:child_process';
import { systemClock } from '../../dist/base/clock.js';
import { createLog } from '../../dist/base/log.js';
import { Monitor } from '../../dist/health/monitor.js';

const probesWanted = Number(process.argv[2] ?? 10_000);
const targetsCount = 500;
const intervalMs = 1_000;
const fall = 3;
const rise = 2;
const space = `mrdloss${process.pid % 10_000}`;
const link = `mrdl${process.pid % 10_000}`;
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const run = (...args) => execFileSync(args[0], args.slice(1), { env, stdio: ['ignore', 'ignore', 'inherit'] });
const inside = (...args) => run('ip', 'netns', 'exec', space, ...args);

run('ip', 'netns', 'add', space);
let server;
try {
  run('ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
  run('ip', 'addr', 'add', '198.18.251.1/30', 'dev', link);
  run('ip', 'link', 'set', link, 'up');
  inside('ip', 'addr', 'add', '198.18.251.2/30', 'dev', 'eth0');
  inside('ip', 'link', 'set', 'eth0', 'up');
  const code = `require('http').createServer((q, r) => r.end('ok')).listen(8080, undefined, 4096);
    const u = require('dgram').createSocket('udp4'); u.on('message', (d, f) => u.send(d, f.port, f.address)); u.bind(8081, () => console.log('ready'));`;
  server = spawn('ip', ['netns', 'exec', space, process.execPath, '-e', code], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => server.stdout.once('data', resolve));

  const rows = [];
  for (const kind of ['http', 'udp']) for (const percent of [1, 5, 20]) rows.push(await measure(kind, percent));
  console.table(rows);
} finally {
  server?.kill();
  run('ip', 'netns', 'del', space);
}
process.exit(0);

async function measure(kind, percent) {
  const probe = (i) =>
    kind === 'http'
      ? {
          kind: 'http', tls: false, port: 8080, method: 'GET', path: `/${i}`, host: 'net.cat', sni: null, headers: {}, expectStatus: [[200, 299]],
          expectBody: null, verify: true, caFile: null, minDays: null, version: '1.1', reuse: false, load: null,
        }
      : { kind: 'udp', port: 8081, send: Buffer.from(`ping ${i}`), expect: { kind: 'bytes', bytes: Buffer.from(`ping ${i}`) } };
  const tries = { all: 0, failed: 0, downs: 0 };
  const states = new Map();
  const monitor = new Monitor({
    clock: systemClock, random: Math.random, log: createLog('silent'), maxConcurrent: 500, blackoutHoldMs: 0, allowExec: false, stateFile: null,
    onHealth: () => {},
    onEvent: (event) => { if (event.kind === 'flip' && event.from === 'up') tries.downs++; },
  });
  // Every target is the same backend; the path (or payload) makes the probes different, so that each is run.
  monitor.setTargets(
    Array.from({ length: targetsCount }, (_, i) => ({
      id: `loss/p/${i}`, zone: 'loss', pool: 'p', address: '198.18.251.2', family: 4,
      check: { name: kind, probe: probe(i), intervalMs, timeoutMs: 2_000, fall, rise, fastRecheck: true },
    })),
  );
  await monitor.firstRound();
  inside('nft', 'add table inet loss');
  for (const hook of ['input', 'output']) {
    inside('nft', `add chain inet loss ${hook} { type filter hook ${hook} priority 0; }`);
    inside('nft', `add rule inet loss ${hook} numgen random mod 100 < ${percent} drop`);
  }
  while (tries.all < probesWanted) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const [id, health] of monitor.all()) {
      const last = health.lastProbe;
      if (last === null || states.get(id) === last.atMs) continue;
      if (states.has(id)) {
        tries.all++;
        if (!last.ok) tries.failed++;
      }
      states.set(id, last.atMs);
    }
  }
  inside('nft', 'delete table inet loss');
  await monitor.stop();
  const predicted = failureOf(kind, percent / 100);
  return {
    kind, 'loss each way': `${percent}%`, probes: tries.all,
    'failed, predicted': `${(predicted * 100).toFixed(3)}%`, 'failed, measured': `${((tries.failed / tries.all) * 100).toFixed(3)}%`,
    'false verdicts, predicted': downsOf(predicted, tries.all).toPrecision(2), 'false verdicts, measured': tries.downs,
  };
}

/** The chance that one probe with a timeout of 2 s fails although the backend is fine. */
function failureOf(kind, p) {
  // A question or its answer is lost.
  const q = 1 - (1 - p) ** 2;
  // Three sendings within the timeout.
  if (kind === 'udp') return q ** 3;
  // SYN at 0 and 1 s; then the request: at 0, 0.2, 0.6 and 1.4 s after the connection, or three times when the SYN was repeated.
  return q ** 2 + (1 - q) * q ** 4 + q * (1 - q) * q ** 3;
}

/** Expected falls of a healthy target within n probes that each fail with chance f: the state machine as a Markov chain. */
function downsOf(f, n) {
  // Failures that count (0 to fall - 1) and successes in a row (0 to rise - 1).
  let chances = new Map([['0,0', 1]]);
  let downs = 0;
  for (let i = 0; i < n; i++) {
    const after = new Map();
    const add = (key, chance) => after.set(key, (after.get(key) ?? 0) + chance);
    for (const [key, chance] of chances) {
      const [failures, successes] = key.split(',').map(Number);
      if (failures + 1 >= fall) {
        downs += chance * f;
        add('0,0', chance * f);
      } else add(`${failures + 1},0`, chance * f);
      const inRow = failures === 0 ? 0 : successes + 1;
      add(inRow >= rise ? '0,0' : `${failures},${inRow}`, chance * (1 - f));
    }
    chances = after;
  }
  return downs;
}
