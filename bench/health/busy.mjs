// How late probes are, and how long a dead backend stays in the answers, while clients of the admin and an operator keep the control thread busy.
// Usage: node bench/health/busy.mjs [zones] [seconds] [case ...]   (20,000 zones, 15 s a case, all cases)
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, memoryMegabytes, start, stopAll, untilAnswer } from '../process.mjs';
import { query, readAnswer } from '../wire.mjs';
import { startNginx } from './nginx.mjs';

const zones = Number(process.argv[2] ?? 20_000);
const seconds = Number(process.argv[3] ?? 15);
const wantedCases = process.argv.slice(4);
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'meridian-busy-'));
const spare = '192.0.2.1';
const [intervalMs, timeoutMs, fall] = [1_000, 300, 3];
const boundMs = intervalMs + (fall - 1) * Math.max(1_000, timeoutMs) + timeoutMs + 50;
/** Backends that stay alive, and those that are killed in each case. */
const [steady, dying] = [500, 4];

// ---- Backends ----------------------------------------------------------------------------------------------------------

const victimProgram = `
  const servers = process.argv.slice(1).map((host) => require('node:net').createServer((s) => s.on('error', () => {}).end()).listen(0, host));
  let open = 0;
  for (const server of servers) server.once('listening', () => ++open === servers.length && process.send(servers.map((s) => s.address().port)));
`;

async function startVictims(addresses) {
  const child = spawn(process.execPath, ['-e', victimProgram, ...addresses], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ports = await new Promise((resolve, reject) => child.once('message', resolve).once('exit', reject));
  return { child, victims: addresses.map((address, i) => ({ address, port: ports[i] })) };
}

const cases = {
  nothing: async (over) => over,
  'pipelined requests': pipeline,
  scrapes: (over) => repeat(over, () => get('/metrics')),
  coverage: (over) => repeat(over, () => get('/api/v1/coverage?name=wide.busy.test&type=A')),
  'event streams': eventStreams,
  reload,
};
const names = Object.keys(cases).filter((name) => wantedCases.length === 0 || wantedCases.includes(name));
const groups = [];
for (const [n, name] of names.entries()) {
  const addresses = Array.from({ length: dying }, (_, i) => `127.0.${40 + n}.${i + 1}`);
  const group = { name, ...(await startVictims(addresses)) };
  for (const [i, victim] of group.victims.entries())
    Object.assign(victim, { label: `v${n}x${i}`, named: 0, lastAt: 0, spared: 0 });
  groups.push(group);
}
const nginx = await startNginx(folder);

// ---- The server ----------------------------------------------------------------------------------------------------------

const [port, adminPort] = [await freePort(), await freePort()];
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
const rhythm = `interval: ${intervalMs}ms, timeout: ${timeoutMs}ms, fall: ${fall}, rise: 2`;
const everybody = groups.flatMap(({ victims }) => victims);
const networks = Array.from({ length: 4_000 }, (_, i) => `11.${i >> 8}.${i & 255}.0/24`);
const regions = Array.from({ length: 40 }, (_, i) => networks.filter((_network, n) => n % 40 === i));
writeFileSync(
  join(folder, 'zones', 'busy.test.yaml'),
  [
    'version: meridian/v1',
    'zone: busy.test',
    'ttl: 30',
    'ns: [ns1]',
    'regions:',
    ...regions.map((list, i) => `  r${i}: [${list.join(', ')}]`),
    'checks:',
    `  web: { http: { port: ${nginx.port}, path: / }, interval: ${intervalMs}ms, timeout: ${timeoutMs}ms, fall: ${fall}, rise: 2 }`,
    'pools:',
    `  spare: { members: [${spare}] }`,
    '  other: { members: [192.0.2.2] }',
    `  steady: { check: web, members: [${Array.from({ length: steady }, (_, i) => `127.1.${i >> 8}.${i & 255}`).join(', ')}] }`,
    ...everybody.map(
      (v) => `  ${v.label}: { check: { tcp: { port: ${v.port} }, ${rhythm} }, members: [${v.address}] }`,
    ),
    'records:',
    '  ns1: { A: 192.0.2.53 }',
    '  steady: { A: { pools: [steady, spare], answers: 4 } }',
    `  wide: { A: { regions: { ${regions.map((_, i) => `r${i}: ${i % 2 ? 'spare' : 'other'}`).join(', ')}, default: spare } } }`,
    ...everybody.map((v) => `  ${v.label}: { A: { ttl: 30, pools: [${v.label}, spare] } }`),
    '',
  ].join('\n'),
);
const zoneFile = (i, value) =>
  writeFileSync(
    join(folder, 'zones', `z${i}.test.yaml`),
    `version: meridian/v1\nzone: z${i}.test\nns: [ns.busy.test.]\npools: { p: { members: [192.0.2.7] } }\nrecords: { www: { A: ${value} }, a: { A: { pools: [p] } } }\n`,
  );
for (let i = 0; i < zones; i++) zoneFile(i, '192.0.2.1');
// As many events as are kept.
writeFileSync(
  join(folder, 'state', 'events.jsonl'),
  Array.from({ length: 10_000 }, (_, i) =>
    JSON.stringify({
      atMs: Date.now(),
      kind: 'flip',
      target: `busy.test/steady/127.1.0.${i & 255}`,
      check: 'web',
      from: 'up',
      to: 'down',
      reason: 'connection refused',
      evidence: 'ECONNREFUSED: connect ECONNREFUSED 127.1.0.1:80',
      latencyMs: 0.5,
      by: null,
      seq: i + 1,
    }),
  ).join('\n'),
);
const server = start('meridian', {
  command: process.execPath,
  args: [main, 'serve', '--config', join(folder, 'meridian.yaml')],
  cwd: folder,
  logPath: join(folder, 'output.txt'),
});
const checked = spawnSync(process.execPath, [main, 'check', join(folder, 'zones', 'busy.test.yaml')], {
  encoding: 'utf8',
});
if (checked.status !== 0) throw new Error(checked.stdout.slice(0, 2_000));
await untilAnswer(server, port, 'steady.busy.test', server.startedAt, 600_000, 50);
await wait(2 * intervalMs);

// ---- What keeps the control thread busy ----------------------------------------------------------------------------------

function get(path, headers = {}) {
  return fetch(`http://127.0.0.1:${adminPort}${path}`, { headers }).then((response) => response.text());
}

/** Asks again and again until it is over. */
async function repeat(over, what) {
  let ended = false;
  over.then(() => {
    ended = true;
  });
  while (!ended) await Promise.race([what().catch(() => wait(10)), over]);
}

/** 50 connections with 3,000 small requests each, whose answers nobody reads. */
async function pipeline(over) {
  const requests = 'GET /api/v1/zones/busy.test HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(3_000);
  const sockets = Array.from({ length: 50 }, () => {
    const socket = connect(adminPort, '127.0.0.1');
    socket.on('error', () => {}).pause();
    socket.write(requests);
    return socket;
  });
  await over;
  for (const socket of sockets) socket.destroy();
}

/** 100 streams that want everything since the first event, read, and come back. */
async function eventStreams(over) {
  const ask = async () => {
    const socket = connect(adminPort, '127.0.0.1');
    socket.on('error', () => {}).resume();
    socket.write(
      'GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\nLast-Event-ID: 0\r\n\r\n',
    );
    await Promise.race([wait(2_000), over]);
    socket.destroy();
  };
  await Promise.all(Array.from({ length: 100 }, () => repeat(over, ask)));
}

async function reload(over) {
  for (let i = 0; i < Math.min(10_000, zones); i++) zoneFile(i, '192.0.2.2');
  await Promise.all([fetch(`http://127.0.0.1:${adminPort}/api/v1/reload`, { method: 'POST' }).catch(() => {}), over]);
}

// ---- What is measured -----------------------------------------------------------------------------------------------------

/** Probes started so far, and of them those that were later than each bound in seconds. */
async function punctuality() {
  // The control thread hears of probes a little later, and much later when it was busy: the first reply says only that it turns again.
  await get('/metrics').catch(() => wait(100));
  await wait(500);
  for (;;) {
    const text = await get('/metrics').catch(() => '');
    const all = /^meridian_probes_total (\d+)/m.exec(text);
    if (all !== null) {
      const late = [...text.matchAll(/^meridian_probes_late_total\{over="([\d.]+)"\} (\d+)/gm)];
      return { all: Number(all[1]), late: late.map(([, over, count]) => [Number(over), Number(count)]) };
    }
    await wait(100);
  }
}

const socket = createSocket('udp4');
await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
socket.on('message', (message) => {
  const victim = everybody[message.readUInt16BE(0)];
  const named = readAnswer(message).addresses;
  if (named.includes(victim.address)) {
    victim.named++;
    victim.lastAt = performance.now();
  } else if (named.includes(spare)) victim.spared++;
});
const packets = everybody.map((v, n) => query(`${v.label}.busy.test`, { id: n }));
let asked = [];
const asking = setInterval(() => {
  for (const victim of asked) socket.send(packets[everybody.indexOf(victim)], port, '127.0.0.1');
}, 5);

const table = [];
for (const group of groups) {
  const before = await punctuality();
  const memoryBefore = memoryMegabytes(server.pid).resident;
  let memory = 0;
  const sampler = setInterval(() => {
    memory = Math.max(memory, memoryMegabytes(server.pid).resident);
  }, 200);
  asked = group.victims;
  const busy = cases[group.name](wait(seconds * 1000));
  await wait(seconds * 200 + Math.random() * 1_000);
  const killedAt = performance.now();
  group.child.kill('SIGKILL');
  await busy;
  await wait(Math.max(0, killedAt + boundMs + 1_000 - performance.now()));
  asked = [];
  clearInterval(sampler);
  const after = await punctuality();
  const probes = after.all - before.all;
  const lateOf = (i) => after.late[i][1] - before.late[i][1];
  const p99 = after.late.find((_, i) => lateOf(i) <= probes / 100);
  const took = group.victims.map((v) => v.lastAt - killedAt).sort((a, b) => a - b);
  table.push({
    case: group.name,
    probes,
    'p99 late ms': p99 === undefined ? 'more than all' : `<= ${p99[0] * 1000}`,
    'later than 50 ms': `${((100 * lateOf(after.late.findIndex(([over]) => over === 0.05))) / probes).toFixed(2)}%`,
    'dead to gone ms': `${Math.round(took[0])} to ${Math.round(took.at(-1))}`,
    'bound ms': boundMs,
    gone: group.victims.every((v) => v.spared > 0),
    'memory MB more': Math.round(memory - memoryBefore),
    load: loadavg()[0].toFixed(1),
  });
  console.log(JSON.stringify(table.at(-1)));
}
clearInterval(asking);
socket.close();
const stopMs = Math.round(await server.stop());
console.table(table);
console.log(
  `Node ${process.version}, ${zones} zones, ${steady} backends every ${intervalMs} ms; stopped in ${stopMs} ms`,
);
await nginx.stop();
stopAll();
rmSync(folder, { recursive: true, force: true });
process.exit(0);
