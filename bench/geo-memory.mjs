// Compares two builds on a large city database: CPU and peak memory of a first and a second start, of a reload, and of edits of the overrides.
//
//     node bench/geo-memory.mjs --old /tmp/old --new . --runs 3 city-ipv4.mmdb city-ipv6.mmdb
//
// --old and --new are checkouts that are built. Runs of both alternate. CPU is user and system time of the process, which a busy machine
// disturbs little; a peak is VmHWM, which is set back before a reload.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cpuSeconds, freePort, memoryMegabytes, start, stopAll, untilAnswer } from './process.mjs';

const { values, positionals: databases } = parseArgs({
  allowPositionals: true,
  options: {
    old: { type: 'string' },
    new: { type: 'string', default: '.' },
    runs: { type: 'string', default: '3' },
    edits: { type: 'string', default: '4' },
    node: { type: 'string', default: process.execPath },
  },
});
if (values.old === undefined || databases.length === 0) {
  console.error('usage: node bench/geo-memory.mjs --old CHECKOUT [--new CHECKOUT] [--runs 3] [--edits 4] FILE.mmdb...');
  process.exit(2);
}

const limitMs = 300_000;
/** Longer than a builder thread stays, and than a start's leavings do (limits.builderIdleMs, limits.collectMs). */
const settleMs = 12_000;
const name = 'www.x.test';
const zone = (answer) => `zone: x.test
ns: [ns.y.test.]
pools:
  a: { members: [192.0.2.1] }
  b: { members: [${answer}] }
records:
  www: { ADDR: { regions: { RU: [a], default: [b] } } }
`;

const cpu = (pid) => {
  const { user, sys } = cpuSeconds(pid);
  return user + sys;
};

/** A server of one build over a folder, and when it gave its first answer. */
async function serve(tree, directory) {
  const port = await freePort();
  writeFileSync(
    join(directory, 'meridian.yaml'),
    `listen: ["127.0.0.1:${port}"]\nadmin: { listen: "127.0.0.1:${await freePort()}" }\nworkers: 2\n`,
  );
  const logPath = join(directory, 'log');
  const server = start(tree, {
    command: values.node,
    args: [
      '--v8-pool-size=1',
      '--max-semi-space-size=2',
      join(resolve(tree), 'dist/cli/main.js'),
      'serve',
      '--config',
      join(directory, 'meridian.yaml'),
    ],
    logPath,
  });
  await untilAnswer(server, port, name, server.startedAt, limitMs, 25);
  return { ...server, log: () => readFileSync(logPath, 'utf8') };
}

/** Waits until the server tells of another reload than the `before` that it told of. */
async function untilReloaded(server, before) {
  const from = performance.now();
  while (reloads(server) === before) {
    if (server.ended()) throw new Error(`${server.label} ended: ${server.output()}`);
    if (performance.now() - from > limitMs) throw new Error(`${server.label}: no reload: ${server.output()}`);
    await wait(50);
  }
}

const reloads = (server) => server.log().split('"reloaded"').length;

async function measureStart(tree, directory) {
  const server = await serve(tree, directory);
  const seconds = cpu(server.pid);
  const peak = memoryMegabytes(server.pid).peak;
  return { server, seconds, peak };
}

async function run(which) {
  const tree = values[which];
  const directory = mkdtempSync(join(tmpdir(), 'geo-memory-'));
  const servers = [];
  try {
    for (const folder of ['zones', 'geoip']) mkdirSync(join(directory, folder));
    for (const file of databases) copyFileSync(file, join(directory, 'geoip', basename(file)));
    writeFileSync(join(directory, 'zones', 'x.test.yaml'), zone('192.0.2.2'));
    const result = {};
    const tell = () => console.error(which, JSON.stringify(result));
    const first = await measureStart(tree, directory);
    servers.push(first.server);
    await wait(settleMs);
    result['first start: CPU, s'] = first.seconds;
    // What is stored after the first answer counts too.
    result['first start: peak, MB'] = Math.max(first.peak, memoryMegabytes(first.server.pid).peak);
    await first.server.stop();
    tell();

    const second = await measureStart(tree, directory);
    const { server } = second;
    servers.push(server);
    result['second start: CPU, s'] = second.seconds;
    result['second start: peak, MB'] = second.peak;
    await wait(settleMs);
    result['settled, MB'] = memoryMegabytes(server.pid).resident;

    tell();
    const change = async (edit) => {
      writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
      const before = { seconds: cpu(server.pid), count: reloads(server) };
      edit();
      await untilReloaded(server, before.count);
      await wait(settleMs);
      const { peak, resident } = memoryMegabytes(server.pid);
      return { seconds: cpu(server.pid) - before.seconds, peak, resident };
    };
    const reload = await change(() => {
      const now = new Date();
      utimesSync(join(directory, 'geoip', basename(databases[0])), now, now);
    });
    result['reload: CPU, s'] = reload.seconds;
    result['reload: peak, MB'] = reload.peak;
    tell();
    const edits = [];
    for (let i = 0; i < Number(values.edits); i++) {
      const country = ['RU', 'BR', 'US', 'JP'][i % 4];
      edits.push(
        await change(() =>
          writeFileSync(join(directory, 'geoip', 'overrides.yaml'), `networks:\n  198.18.${i}.0/24: ${country}\n`),
        ),
      );
    }
    if (edits.length === 0) return result;
    result['overrides: CPU of an edit, s'] = median(edits.map(({ seconds }) => seconds));
    result['overrides: peak, MB'] = Math.max(...edits.map(({ peak }) => peak));
    // The first edit still has what came before to replace.
    const settled = edits.slice(1).map(({ resident }) => resident);
    result['overrides: resident wanders by, MB'] = Math.max(...settled) - Math.min(...settled);
    tell();
    return result;
  } finally {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    rmSync(directory, { recursive: true, force: true });
  }
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1];
}

const runs = { old: [], new: [] };
try {
  for (let i = 0; i < Number(values.runs); i++) {
    for (const which of ['old', 'new']) {
      runs[which].push(await run(which));
    }
  }
} finally {
  stopAll();
}
const figure = (which, key) => median(runs[which].map((result) => result[key]));
console.log(`Medians of ${values.runs} alternating runs, Node ${process.versions.node}.\n`);
console.log('| | old | new | new / old |\n| --- | ---: | ---: | ---: |');
for (const key of Object.keys(runs.new[0])) {
  const [before, after] = [figure('old', key), figure('new', key)];
  const digits = key.endsWith(' s') ? 2 : 0;
  console.log(`| ${key} | ${before.toFixed(digits)} | ${after.toFixed(digits)} | ${(after / before).toFixed(2)} |`);
}
