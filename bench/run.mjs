// Runs the benchmark: `npm run bench -- [PART…] [options]`; see README.md beside this file.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpu } from './cpu.mjs';
import { assemble } from './field.mjs';
import { build } from './generators.mjs';
import { growth } from './growth.mjs';
import { latency } from './latency.mjs';
import { memory } from './memory.mjs';
import { million } from './million.mjs';
import { pauses } from './pauses.mjs';
import { findExecutable, stopAll } from './process.mjs';
import { machine, section, write } from './report.mjs';
import { startup } from './startup.mjs';
import { threads } from './threads.mjs';
import { workloads, writeGeography } from './workload.mjs';

const parts = { cpu, latency, pauses, growth, startup, million, memory, threads };

const usage = `npm run bench -- [${Object.keys(parts).join('|')} …] [options]     (all parts unless named)

  --servers a,b      only the servers whose names begin so: floor gdnsd meridian nsd knot pdns
  --node PATH        run Meridian on this Node binary; may be given several times (this one unless given)
  --runs N           interleaved runs (5)           --seconds S     length of a run (5)
  --names N          steered names (10000)          --workloads a,b plain, ecs, mix
  --growth a,b       steps of names (100,10000,1000000)
  --zones N          zones of the million (1000)    --records N     records in each of them (1000)
  --generator G      dnsperf or load, for CPU per query (dnsperf where it is installed)
  --rate N           queries a second for latency and pauses, instead of half of the saturation
  --server-core C    core of the server (the last)  --load-core C   core of the generator (the first)
  --city MB          size of the made-up city database for the memory part (130; 0: leave it out)
  --minutes M        length of the pauses part (1)
  --keep             keep the temporary folder      --out NAME      name of the files in bench/results`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    servers: { type: 'string', default: '' },
    node: { type: 'string', multiple: true, default: [] },
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '2' },
    names: { type: 'string', default: '10000' },
    workloads: { type: 'string', default: Object.keys(workloads).join(',') },
    growth: { type: 'string', default: '100,10000,1000000' },
    zones: { type: 'string', default: '1000' },
    records: { type: 'string', default: '1000' },
    generator: { type: 'string', default: findExecutable('dnsperf') ? 'dnsperf' : 'load' },
    rate: { type: 'string' },
    'server-core': { type: 'string', default: String(cpus().length - 1) },
    'load-core': { type: 'string', default: '0' },
    city: { type: 'string', default: '130' },
    minutes: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const unknown = positionals.filter((part) => !(part in parts));
if (values.help || unknown.length > 0) {
  console.log(unknown.length > 0 ? `unknown part: ${unknown.join(', ')}\n\n${usage}` : usage);
  process.exit(values.help ? 0 : 2);
}

const list = (text) => text.split(',').filter((item) => item !== '');
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const directory = mkdtempSync(join(tmpdir(), 'meridian-bench-'));
const { present, absent } = assemble({
  names: list(values.servers),
  nodes: values.node.length > 0 ? values.node : [process.execPath],
});
const notes = [];
let geography;
const bench = {
  root,
  directory,
  present,
  runs: Number(values.runs),
  seconds: Number(values.seconds),
  warmup: Number(values.warmup),
  names: Number(values.names),
  workloads: list(values.workloads),
  growth: list(values.growth).map(Number),
  zones: Number(values.zones),
  records: Number(values.records),
  generator: values.generator,
  rate: values.rate === undefined ? undefined : Number(values.rate),
  serverCore: values['server-core'],
  loadCore: Number(values['load-core']),
  cityMegabytes: Number(values.city),
  minutes: Number(values.minutes),
  tools: { floor: build('floor', join(directory, 'tools')), load: build('load', join(directory, 'tools')) },
  /** The country database of all servers, made when a part first needs it. */
  geography: () => (geography ??= writeGeography(directory)),
  note(text) {
    notes.push(text);
    console.error(`! ${text}`);
  },
  progress: (text) => console.error(`  ${text}`),
};

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    stopAll();
    if (!values.keep) rmSync(directory, { recursive: true, force: true });
    process.exit(130);
  });

const results = {
  machine: machine(root),
  servers: present.map((peer) => ({ name: peer.name, version: peer.versionText })),
  absent,
  options: {
    runs: bench.runs,
    seconds: bench.seconds,
    names: bench.names,
    generator: bench.generator,
    serverCore: bench.serverCore,
    loadCore: bench.loadCore,
  },
  parts: {},
  notes,
};
let failed = false;
try {
  for (const name of positionals.length > 0 ? positionals : Object.keys(parts)) {
    console.error(`${name} …`);
    try {
      const part = await parts[name](bench);
      if (part === undefined) continue;
      results.parts[name] = part;
      console.log(`\n${section(part)}`);
    } catch (error) {
      failed = true;
      bench.note(`${name} failed: ${error.message}`);
      stopAll();
    }
  }
} finally {
  stopAll();
  if (!values.keep) rmSync(directory, { recursive: true, force: true });
}
if (absent.length > 0) console.log(`not installed: ${absent.join(', ')}`);
const name = values.out ?? results.machine.date.slice(0, 16).replace(/[:T]/g, '-');
console.log(`written: ${write(join(root, 'bench', 'results'), name, results)}`);
process.exitCode = failed ? 3 : 0;
