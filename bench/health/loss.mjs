// Verdicts under packet loss: a healthy backend behind a link that drops packets both ways, and what that does to probes and verdicts.
// Needs root, iproute2 and nftables. Usage: node bench/health/loss.mjs [probes per case]
import { execFileSync, spawn } from 'node:child_process';
import { systemClock } from '../../dist/base/clock.js';
import { createLog } from '../../dist/base/log.js';
import { Monitor } from '../../dist/health/monitor.js';
import { probeAddress } from '../../dist/probe/probes.js';

const probesWanted = Number(process.argv[2] ?? 10_000);
const targetsCount = 500;
const intervalMs = 1_000;
const fall = 3;
const rise = 2;
// Two namespaces joined by a veth pair; the outer run makes them and starts this file again inside the first.
const name = process.env.LOSS_NAME ?? `mrdloss${process.pid % 10_000}`;
const [near, far] = [`${name}a`, `${name}b`];
const env = { ...process.env, LOSS_NAME: name, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const run = (...args) => execFileSync(args[0], args.slice(1), { env, stdio: ['ignore', 'ignore', 'inherit'] });
const inside = (space, ...args) => run('ip', 'netns', 'exec', space, ...args);

if (process.env.LOSS_NAME === undefined) outer();
else await inner();

function outer() {
  const server = [];
  try {
    run('ip', 'netns', 'add', near);
    run('ip', 'netns', 'add', far);
    run('ip', 'link', 'add', 'eth0', 'netns', near, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', far);
    for (const [space, address] of [
      [near, '198.18.251.1/30'],
      [far, '198.18.251.2/30'],
    ]) {
      inside(space, 'ip', 'addr', 'add', address, 'dev', 'eth0');
      inside(space, 'ip', 'link', 'set', 'eth0', 'up');
      inside(space, 'ip', 'link', 'set', 'lo', 'up');
    }
    const code = `require('http').createServer((q, r) => r.end('ok')).listen(8080, undefined, 4096);
      const u = require('dgram').createSocket('udp4'); u.on('message', (d, f) => u.send(d, f.port, f.address)); u.bind(8081);`;
    server.push(spawn('ip', ['netns', 'exec', far, process.execPath, '-e', code], { env, stdio: 'inherit' }));
    execFileSync('ip', ['netns', 'exec', near, process.execPath, ...process.argv.slice(1)], { env, stdio: 'inherit' });
  } finally {
    for (const child of server) child.kill();
    for (const space of [near, far]) run('ip', 'netns', 'del', space);
  }
}

async function inner() {
  const rows = [];
  for (const kind of ['http', 'udp']) for (const percent of [1, 5, 20]) rows.push(await measure(kind, percent));
  console.table(rows);
  process.exit(0);
}

async function measure(kind, percent) {
  const probe = (i) =>
    kind === 'http'
      ? {
          kind: 'http',
          tls: false,
          port: 8080,
          method: 'GET',
          path: `/${i}`,
          host: 'net.cat',
          sni: null,
          headers: {},
          expectStatus: [[200, 299]],
          expectBody: null,
          verify: true,
          caFile: null,
          minDays: null,
          version: '1.1',
          reuse: false,
          load: null,
        }
      : {
          kind: 'udp',
          port: 8081,
          send: Buffer.from(`ping ${i}`),
          expect: { kind: 'bytes', bytes: Buffer.from(`ping ${i}`) },
        };
  const tries = { all: 0, failed: 0, downs: 0 };
  let lossy = false;
  const monitor = new Monitor({
    clock: systemClock,
    random: Math.random,
    log: createLog('silent'),
    maxConcurrent: 500,
    blackoutHoldMs: 0,
    rules: { exec: false, files: [], linkLocal: false, admin: null },
    onHealth: () => {},
    probe: async (...args) => {
      const outcome = await probeAddress(...args);
      if (lossy) {
        tries.all++;
        if (!outcome.ok) tries.failed++;
      }
      return outcome;
    },
    onEvent: (event) => {
      if (event.kind === 'flip' && event.from === 'up') tries.downs++;
    },
  });
  // Every target is the same backend; the path (or payload) makes the probes different, so that each is run.
  monitor.setTargets(
    Array.from({ length: targetsCount }, (_, i) => ({
      id: `loss/p/${i}`,
      zone: 'loss',
      pool: 'p',
      address: '198.18.251.2',
      family: 4,
      check: { name: kind, probe: probe(i), intervalMs, timeoutMs: 2_000, fall, rise, fastRecheck: true },
    })),
  );
  await monitor.firstRound();
  for (const space of [near, far]) {
    inside(space, 'nft', 'add table inet loss');
    inside(space, 'nft', 'add chain inet loss input { type filter hook input priority 0; }');
    inside(space, 'nft', `add rule inet loss input numgen random mod 100 < ${percent} drop`);
  }
  lossy = true;
  while (tries.all < probesWanted) await new Promise((resolve) => setTimeout(resolve, 100));
  lossy = false;
  for (const space of [near, far]) inside(space, 'nft', 'delete table inet loss');
  monitor.stop();
  const predicted = failureOf(kind, percent / 100);
  return {
    kind,
    'loss each way': `${percent}%`,
    probes: tries.all,
    'failed, predicted': `${(predicted * 100).toFixed(3)}%`,
    'failed, measured': `${((tries.failed / tries.all) * 100).toFixed(3)}%`,
    'false verdicts, predicted': downsOf(predicted, tries.all).toPrecision(2),
    'false verdicts, measured': tries.downs,
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
