// From dead to gone: kills real backends and measures until the last answer of the real server that named them.
// Usage: node bench/health/gone.mjs [copies]   (backends of each kind, end and row; 4)
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../dist/base/clock.js';
import { createLog } from '../../dist/base/log.js';
import { VERDICT_DOWN, VERDICT_UP } from '../../dist/board/board.js';
import { Serving } from '../../dist/loading/serving.js';
import { freePort, start, stopAll, untilAnswer } from '../process.mjs';
import { query, readAnswer } from '../wire.mjs';

const copies = Number(process.argv[2] ?? 4);
const everyMs = 4;
const spare = '192.0.2.1';
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'meridian-gone-'));
const kinds = ['http', 'tcp', 'udp'];
const rows = [
  { interval: 2_000, timeout: 500, fall: 3 },
  { interval: 10_000, timeout: 2_000, fall: 3 },
];
/** `killed`: the kernel refuses what comes. `hangs`: it still accepts connections and datagrams, nothing answers. */
const ends = { killed: 'SIGKILL', hangs: 'SIGSTOP' };
const boundMs = ({ interval, timeout, fall }) => interval + (fall - 1) * Math.max(1_000, timeout) + timeout + 50;

// ---- The backends: one process for all that die together ------------------------------------------------------------

const backendProgram = `
  const { kinds, address } = JSON.parse(process.argv[1]);
  const ports = [];
  const tell = (port) => { ports.push(port); if (ports.length === kinds.length) process.send(servers.map((s) => s.address().port)); };
  const servers = kinds.map((kind) => {
    if (kind === 'udp') {
      const socket = require('node:dgram').createSocket('udp4');
      socket.on('message', (m, from) => socket.send('pong', from.port, from.address));
      socket.bind(0, address, () => tell(socket.address().port));
      return socket;
    }
    const server = kind === 'http'
      ? require('node:http').createServer((request, response) => response.end('ok'))
      : require('node:net').createServer((socket) => socket.on('error', () => {}).write('SSH-2.0-bench'));
    server.listen({ port: 0, host: address, backlog: 511 }, () => tell(server.address().port));
    return server;
  });
`;
const children = [];

async function startBackends(address, list) {
  const child = spawn(process.execPath, ['-e', backendProgram, JSON.stringify({ kinds: list, address })], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.push(child);
  const ports = await new Promise((resolve, reject) => child.once('message', resolve).once('exit', reject));
  return { child, ports };
}

const victims = [];
const groups = [];
let octet = 1;
for (const row of rows)
  for (const end of Object.keys(ends)) {
    const list = kinds.flatMap((kind) => Array(copies).fill(kind));
    const address = `127.0.3.${octet++}`;
    const group = { row, end, ...(await startBackends(address, list)), victims: [] };
    list.forEach((kind, i) => {
      const victim = {
        n: victims.length,
        row,
        end,
        kind,
        address,
        port: group.ports[i],
        named: 0,
        lastAt: 0,
        killedAt: 0,
      };
      victims.push(victim);
      group.victims.push(victim);
    });
    groups.push(group);
  }
// These stay alive: a server that loses everything at once holds its verdicts (blackout guard).
const healthy = await startBackends('127.0.3.99', ['http', 'tcp', 'udp']);

// ---- The server ------------------------------------------------------------------------------------------------------

const port = await freePort();
const adminPort = await freePort();
for (const name of ['zones', 'geoip', 'state']) mkdirSync(join(folder, name));
writeFileSync(
  join(folder, 'meridian.yaml'),
  `version: meridian/v1
listen: ["127.0.0.1:${port}"]
admin: { listen: "127.0.0.1:${adminPort}" }
workers: 1
rate-limit: off
log: { level: error }
`,
);
const probes = {
  http: (to) => `http: { port: ${to}, path: /, expect-body: ok }`,
  tcp: (to) => `tcp: { port: ${to}, expect: "SSH-2.0" }`,
  udp: (to) => `udp: { port: ${to}, send: ping, expect: pong }`,
};
const check = ({ kind, port: to, row }) =>
  `{ ${probes[kind](to)}, interval: ${row.interval}ms, timeout: ${row.timeout}ms, fall: ${row.fall}, rise: 2 }`;
const alive = kinds.map((kind, i) => ({ kind, port: healthy.ports[i], row: rows[0] }));
writeFileSync(
  join(folder, 'zones', 'gone.test.yaml'),
  [
    'version: meridian/v1',
    'zone: gone.test',
    'ttl: 30',
    'ns: [ns1]',
    'pools:',
    `  spare: { members: [${spare}] }`,
    ...victims.map((v) => `  p${v.n}: { check: ${check(v)}, members: [${v.address}] }`),
    ...alive.map((a, i) => `  alive${i}: { check: ${check(a)}, members: [127.0.3.99] }`),
    'records:',
    '  ns1: { A: 192.0.2.53 }',
    ...victims.map((v) => `  v${v.n}: { A: { ttl: 30, pools: [p${v.n}, spare] } }`),
    ...alive.map((_, i) => `  alive${i}: { A: { ttl: 30, pools: [alive${i}, spare] } }`),
    '',
  ].join('\n'),
);
const server = start('meridian', {
  command: process.execPath,
  args: [main, 'serve', '--config', join(folder, 'meridian.yaml')],
  cwd: folder,
  logPath: join(folder, 'output.txt'),
});
await untilAnswer(server, port, 'v0.gone.test', server.startedAt, 30_000);
const servingAt = performance.now();

// ---- Questions, and what the answers name -----------------------------------------------------------------------------

const socket = createSocket('udp4');
await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
socket.setRecvBufferSize(4 << 20);
const packets = victims.map((v) => query(`v${v.n}.gone.test`, { id: v.n }));
socket.on('message', (message) => {
  const victim = victims[message.readUInt16BE(0)];
  const named = readAnswer(message).addresses;
  if (named.includes(victim.address)) {
    victim.named++;
    victim.lastAt = performance.now();
  } else if (named.includes(spare)) victim.spared = (victim.spared ?? 0) + 1;
});
let asked = [];
let widestGapMs = 0;
let turnAt = performance.now();
const asking = setInterval(() => {
  const now = performance.now();
  if (asked.length > 0) widestGapMs = Math.max(widestGapMs, now - turnAt);
  turnAt = now;
  for (const victim of asked) socket.send(packets[victim.n], port, '127.0.0.1');
}, everyMs);

const table = [];
for (const row of rows) {
  // The second round of probes is spread over the interval: from then on each backend is at a random moment of its rhythm.
  await wait(Math.max(0, servingAt + row.interval * 1.1 + 500 - performance.now()));
  const dying = groups.filter((group) => group.row === row);
  asked = dying.flatMap((group) => group.victims);
  widestGapMs = 0;
  await wait(300);
  for (const victim of asked)
    if (victim.named === 0 || victim.spared)
      throw new Error(`${victim.kind} ${victim.n} is not answered while it is alive`);
  for (const group of dying) {
    await wait(Math.random() * 500);
    const killedAt = performance.now();
    group.child.kill(ends[group.end]);
    for (const victim of group.victims) victim.killedAt = killedAt;
  }
  await wait(boundMs(row) + 1_500);
  for (const kind of kinds)
    for (const end of Object.keys(ends)) {
      const list = asked.filter((v) => v.kind === kind && v.end === end);
      const took = list.map((v) => v.lastAt - v.killedAt).sort((a, b) => a - b);
      table.push({
        interval: `${row.interval / 1000} s`,
        timeout: `${row.timeout / 1000} s`,
        kind,
        end,
        backends: list.length,
        'median ms': Math.round(took[took.length >> 1]),
        'slowest ms': Math.round(took.at(-1)),
        'bound ms': boundMs(row),
        good: took.at(-1) <= boundMs(row) && list.every((v) => v.spared > 0),
      });
    }
  asked = [];
  console.log(`asked every ${everyMs} ms, widest gap ${Math.round(widestGapMs)} ms, load ${loadavg()[0].toFixed(1)}`);
}
clearInterval(asking);
socket.close();
await server.stop();
for (const child of children) child.kill('SIGKILL');
console.table(table);

// ---- From the verdict to the answers: the board's word and a thread that answers --------------------------------------

const serving = new Serving({
  zonesDirectory: join(folder, 'zones'),
  geoDirectory: join(folder, 'geoip'),
  overridesFile: join(folder, 'none'),
  stateDirectory: null,
  baseDirectory: folder,
  checkRules: { exec: false, files: [], linkLocal: false },
  clock: systemClock,
  log: createLog('error'),
});
await serving.load(() => {});
serving.publish();
await serving.stop();
const id = `gone.test/p0/${victims[0].address}`;
const slot = serving.board.slotOf(id);
const flips = 1_000;
// Words: answers that named the member so far; when the last of them was begun; when the first without it was finished (nanoseconds).
const shared = new BigInt64Array(new SharedArrayBuffer(64));
const worker = new Worker(new URL('./gone-thread.mjs', import.meta.url), {
  workerData: {
    memory: serving.rows.memory(1, serving.images.store, serving.board),
    shared,
    packet: packets[0],
    member: victims[0].address,
  },
});
const change = (verdict) => serving.board.update(slot, { verdict, watched: true });
const took = [];
let stale = 0;
for (let i = 0; i < flips; i++) {
  change(VERDICT_UP);
  const named = Atomics.load(shared, 0);
  do await wait(Math.random() * 3);
  while (Atomics.load(shared, 0) < named + 100n);
  const before = process.hrtime.bigint();
  change(VERDICT_DOWN);
  const written = process.hrtime.bigint();
  do await wait(1);
  while (Atomics.load(shared, 2) < before);
  took.push(Number(Atomics.load(shared, 2) - before) / 1e6);
  // No answer that was begun after the store may name it, however the threads were scheduled.
  if (Atomics.load(shared, 1) > written) stale++;
}
await worker.terminate();
took.sort((a, b) => a - b);
const at = (share) => took[Math.min(took.length - 1, Math.floor(took.length * share))].toFixed(4);
console.log(
  `from the verdict's store to the first answer without it, ${flips} flips: median ${at(0.5)} ms, p99 ${at(0.99)} ms, slowest ${at(1)} ms (bound 1 ms), load ${loadavg()[0].toFixed(1)}\nanswers that were begun after the store and named it: ${stale}`,
);
stopAll();
rmSync(folder, { recursive: true, force: true });
process.exit(table.every((line) => line.good) && Number(at(0.99)) < 1 && stale === 0 ? 0 : 1);
