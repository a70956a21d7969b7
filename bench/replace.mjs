// Counts what is lost while a server is replaced again and again under load: UDP queries, TCP connections, verdicts.
//
//   node bench/replace.mjs [--rate 50000] [--replacements 10] [--seconds 20]
//
// The generator numbers its queries (load.c); it runs for `seconds`, and again until all replacements are done. What the kernel
// threw away since a receive buffer was full is told apart: a machine that is too slow for the rate isn't the replacement's fault.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './generators.mjs';
import { freePort } from './process.mjs';
import { query } from './wire.mjs';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '50000' },
    replacements: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '20' },
  },
});
const [rate, replacements, seconds] = [values.rate, values.replacements, values.seconds].map(Number);
const directory = mkdtempSync(join(tmpdir(), 'meridian-replace-'));
const load = build('load', directory);
if (load === undefined) throw new Error('a C compiler is needed for bench/load.c');
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const [port, adminPort] = [await freePort(), await freePort()];
const backend = createServer((_request, response) => response.end('ok'));
await new Promise((resolve) => backend.listen(0, '127.0.0.1', resolve));

mkdirSync(join(directory, 'zones'));
writeFileSync(
  join(directory, 'meridian.yaml'),
  JSON.stringify({
    version: 'meridian/v1',
    listen: [`127.0.0.1:${port}`],
    admin: { listen: `127.0.0.1:${adminPort}` },
    workers: 2,
    'rate-limit': 'off',
  }),
);
writeFileSync(
  join(directory, 'zones/example.test.yaml'),
  JSON.stringify({
    version: 'meridian/v1',
    zone: 'example.test',
    ns: ['ns1.example.test.'],
    checks: { web: { http: { port: backend.address().port, path: '/' }, interval: '1s', timeout: '500ms' } },
    pools: { one: { check: 'web', members: ['127.0.0.1', '127.0.0.2'] } },
    records: { '@': { A: { ttl: 20, pools: ['one'] } }, ns1: { A: '127.0.0.1' } },
  }),
);
const asked = query('example.test', 'A', {});
const framed = Buffer.concat([Buffer.from([asked.length >> 8, asked.length & 255]), asked]);
const file = join(directory, 'queries');
// The generator writes numbers into the queries where they lie: one alone would be in the same batch more than once.
writeFileSync(file, Buffer.concat(Array.from({ length: 10_000 }, () => framed)));

/** Starts a server; resolves when it says that it answers in the place of the one before. */
async function serve(args) {
  const process_ = spawn(process.execPath, [main, 'serve', ...args, '--config', join(directory, 'meridian.yaml')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = new Promise((resolve) => process_.once('exit', resolve));
  const answers = new Promise((resolve, reject) => {
    for (const stream of [process_.stdout, process_.stderr])
      stream.on('data', (text) => {
        output += text;
        if (output.includes('dashboard and admin on')) resolve();
      });
    void ended.then((code) => reject(new Error(`the server ended with ${code}\n${output}`)));
  });
  answers.catch(() => {});
  await answers;
  return { process: process_, ended, output: () => output };
}

/** Datagrams that the kernel threw away: received by nobody's buffer, over all sockets of this machine's loopback. */
function drops() {
  const lines = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Udp:'));
  return Number(lines[1].split(' ')[lines[0].split(' ').indexOf('RcvbufErrors')]);
}

/** Asks on one TCP connection again and again, until the server closes it: how many questions, how many answers. */
function chatOverTcp() {
  const socket = connect(port, '127.0.0.1');
  const chat = { asked: 0, answered: 0, failed: false };
  let bytes = Buffer.alloc(0);
  const timer = setInterval(() => {
    if (chat.asked > chat.answered) return;
    chat.asked++;
    socket.write(framed);
  }, 20);
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE()) {
      bytes = bytes.subarray(2 + bytes.readUInt16BE());
      chat.answered++;
    }
  });
  socket.on('error', () => {
    chat.failed = true;
  });
  chat.end = () =>
    new Promise((resolve) => {
      clearInterval(timer);
      socket.once('close', resolve);
      socket.end();
    });
  return chat;
}

let server = await serve([]);
const total = { sent: 0, answered: 0, lost: 0, wrong: 0 };
let over = false;
const before = drops();
const generator = (async () => {
  do {
    const text = execAsync(load, [
      '--port',
      String(port),
      '--file',
      file,
      '--seconds',
      String(seconds),
      '--rate',
      String(rate),
    ]);
    const figures = JSON.parse(await text);
    if (process.env.SHOW) console.log(figures);
    for (const key of Object.keys(total)) total[key] += figures[key];
  } while (!over);
})();

function execAsync(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.once('close', (code) => (code === 0 ? resolve(text) : reject(new Error(`load ended with ${code}`))));
  });
}

let unknown = 0;
let tcp = { asked: 0, answered: 0, failed: 0 };
const tookMs = [];
for (let i = 0; i < replacements; i++) {
  const chat = chatOverTcp();
  await wait(200);
  const startedMs = performance.now();
  const next = await serve(['--replace']);
  tookMs.push(Math.round(performance.now() - startedMs));
  const status = await (await fetch(`http://127.0.0.1:${adminPort}/api/v1/status`)).json();
  unknown += status.health.unknown;
  await wait(200);
  await chat.end();
  const code = await server.ended;
  if (code !== 0) throw new Error(`the replaced server ended with ${code}\n${server.output()}`);
  tcp = {
    asked: tcp.asked + chat.asked,
    answered: tcp.answered + chat.answered,
    failed: tcp.failed + Number(chat.failed),
  };
  server = next;
}
over = true;
await generator;
const thrownAway = drops() - before;
const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
const counted = Number(/^meridian_queries_total\{transport="udp"\} (\d+)/m.exec(metrics)?.[1]);
server.process.kill('SIGTERM');
await server.ended;
backend.close();
rmSync(directory, { recursive: true, force: true });
const cores = execFileSync('nproc', { encoding: 'utf8' }).trim();
console.log(
  JSON.stringify({ rate, replacements, ...total, droppedByKernel: thrownAway, counted, tcp, unknown, tookMs, cores }),
);
