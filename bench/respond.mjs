// Times the answer path alone, without sockets: nanoseconds of CPU for one query of each kind, to see where time goes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { rolldown } from 'rolldown';
import { systemClock } from '../dist/base/clock.js';
import { limits } from '../dist/base/limits.js';
import { createLog } from '../dist/base/log.js';
import { Serving } from '../dist/loading/serving.js';
import { inlineAnswerPath } from '../dist/serve/inlining.js';
import { writeFolder } from './peers/meridian.mjs';
import { query } from './wire.mjs';
import { dice, drawQuery, layout, workloads, writeGeography } from './workload.mjs';

const { values } = parseArgs({
  options: {
    names: { type: 'string', default: '10000' },
    // How many different queries of each kind: with 160 all that they need stays in the first caches.
    queries: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '9' },
    rate: { type: 'boolean', default: true },
    // One module, and V8's inlining as data threads have it; without it as the compiler wrote it.
    bundle: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const names = Number(values.names);
const directory = mkdtempSync(join(tmpdir(), 'meridian-respond-'));
const geography = writeGeography(directory);
const zones = layout(names);
writeFolder({ directory, port: 0, adminPort: 0, zones, geography, workers: 1 });
const serving = new Serving({
  zonesDirectory: join(directory, 'zones'),
  geoDirectory: join(directory, 'geoip'),
  overridesFile: join(directory, 'none'),
  stateDirectory: null,
  baseDirectory: directory,
  checkRules: { exec: false, files: [], linkLocal: false },
  clock: systemClock,
  log: createLog('error'),
});
await serving.load(() => {});
serving.publish();
await serving.stop();

let module = fileURLToPath(new URL('../dist/serve/answerer.js', import.meta.url));
if (values.bundle) {
  inlineAnswerPath();
  const bundle = await rolldown({ input: module, platform: 'node' });
  module = join(directory, 'answerer.mjs');
  await bundle.write({ file: module, format: 'esm' });
}
const { createAnswerer } = await import(pathToFileURL(module));
rmSync(directory, { recursive: true });
const { answerer } = createAnswerer(
  serving.rows.memory(1, serving.images.store, serving.board),
  {
    udpMaxBytes: 1232,
    udpMaxBytesWithoutCookie: 1232,
    cookieSecrets: [new Uint8Array(16)],
    rate: values.rate ? { responsesPerSecond: 1e6, slip: 1, ipv4Prefix: 24, ipv6Prefix: 56, exempt: [] } : null,
    nsid: new Uint8Array(0),
    version: new Uint8Array(0),
    hostname: new Uint8Array(0),
    steadyEpochMs: 0,
    keepalive: 100,
  },
  () => {},
);

const roll = dice(7);
const kinds = {
  ...Object.fromEntries(
    Object.keys(workloads).map((kind) => [kind, () => drawQuery(kind, { zones, geography }, roll).packet]),
  ),
  nxdomain: () => query(`nope${roll(1e6)}.${zones[0].origin}`),
};
const GROUP = limits.udpAhead;
const room = 4096;
const arena = new Uint8Array(new ArrayBuffer(GROUP * room));
answerer.peer.w0 = 0x7f000001;

/** Puts a group of requests where a thread would receive them. */
function receive(packets, from) {
  for (let k = 0; k < GROUP; k++) {
    const packet = packets[from + k];
    for (let i = 0, to = k * room; i < packet.length; i++, to++) arena[to] = packet[i];
  }
}

/** Microseconds of CPU for so many times all packets, received and answered or received only. */
function measure(packets, times, answering) {
  const before = process.cpuUsage();
  for (let time = 0; time < times; time++) {
    for (let from = 0; from + GROUP <= packets.length; from += GROUP) {
      receive(packets, from);
      if (!answering) continue;
      answerer.beginBatch();
      for (let k = 0; k < GROUP; k++) answerer.readNext(k, arena, k * room, packets[from + k].length);
      answerer.lookAhead();
      for (let k = 0; k < GROUP; k++) answerer.answer(k, arena, k * room, room, 0);
      answerer.endBatch();
    }
  }
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

for (const [kind, make] of Object.entries(kinds)) {
  const packets = Array.from({ length: Number(values.queries) }, make);
  const times = Math.ceil(400_000 / packets.length);
  const count = times * Math.floor(packets.length / GROUP) * GROUP;
  const figures = [];
  for (let round = 0; round < Number(values.rounds) + 2; round++) {
    const answered = measure(packets, times, true);
    const received = measure(packets, times, false);
    // The first rounds are slow: code isn't compiled yet.
    if (round > 1) figures.push(((answered - received) / count) * 1000);
  }
  figures.sort((a, b) => a - b);
  console.log(
    `${kind.padEnd(9)} ${figures[figures.length >> 1].toFixed(0)} ns (${figures.map((f) => f.toFixed(0)).join(' ')})`,
  );
}
process.exit(0);
