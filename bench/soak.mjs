// Soaks Meridian: minutes at saturation with a zone reloaded every second and verdicts flipping every 100 ms, every answer checked.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { churningPeer, epochPage, flappingBackends, origin, rewriting, writeQueries } from './churn.mjs';
import { launch, median } from './field.mjs';
import { build, load } from './generators.mjs';
import { meridian } from './peers/meridian.mjs';
import { memoryMegabytes, stopAll } from './process.mjs';
import { machine } from './report.mjs';
import { writeGeography } from './workload.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    node: { type: 'string', default: process.execPath },
    workers: { type: 'string', default: '1' },
    outstanding: { type: 'string', default: '150' },
    rate: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log('node bench/soak.mjs [--minutes 10] [--node PATH] [--workers 1] [--outstanding 150 | --rate N]');
  process.exit(0);
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const directory = mkdtempSync(join(tmpdir(), 'meridian-soak-'));
const seconds = Number(values.minutes) * 60;
const bench = {
  directory,
  serverCore: String(cpus().length - 1),
  loadCore: 0,
  tools: { load: build('load', join(directory, 'tools')) },
};
if (bench.tools.load === undefined) throw new Error('a C compiler is needed for bench/load.c');
const file = join(directory, 'soak.queries');
const expect = join(directory, 'soak.expect');
const epoch = join(directory, 'soak.epoch');
const geography = writeGeography(directory);
writeQueries(file, expect, geography);
const setEpochs = epochPage(epoch);
const backends = await flappingBackends();
process.once('exit', () => {
  stopAll();
  rmSync(directory, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const peer = meridian(values.node);
const world = { zones: [{ origin, first: 0, count: 1 }], geography };
const server = await launch(bench, churningPeer(peer, backends.port), world, {
  cores: null,
  workers: Number(values.workers),
});
const samples = [];
const began = performance.now();
const sampling = setInterval(() => {
  samples.push({ at: (performance.now() - began) / 1000, ...memoryMegabytes(server.pid) });
  if (samples.length % 30 === 0)
    console.error(`${samples.length} s: ${samples.at(-1).resident.toFixed(1)} MB, ${backends.flips()} flips`);
}, 1000);
const changes = rewriting(server.directory, backends.port, setEpochs);
const load1 = values.rate === undefined ? { window: Number(values.outstanding) } : { rate: Number(values.rate) };
const result = await load({
  program: bench.tools.load,
  port: server.port,
  file,
  expect,
  epoch,
  seconds,
  core: bench.loadCore,
  ...load1,
});
const reloads = await changes.stop();
clearInterval(sampling);

/** Resident megabytes in a part of the run, by share of its length. */
const resident = (from, to) =>
  median(samples.filter((one) => one.at >= from && one.at < to).map((one) => one.resident));
const settledAt = Math.min(60, seconds / 2);
const early = resident(settledAt, settledAt + Math.max(10, (seconds - settledAt) / 10));
const late = resident(seconds - Math.max(10, (seconds - settledAt) / 10), seconds + 10);
const { complaints, ...figures } = result;
const report = {
  machine: machine(root),
  server: `${peer.name}, ${peer.version()}`,
  minutes: Number(values.minutes),
  ...figures,
  reloads,
  flips: backends.flips(),
  residentMb: { early, late, growth: late - early, peak: samples.at(-1)?.peak },
  samples: samples
    .filter((_, i) => i % 10 === 0)
    .map((one) => [Math.round(one.at), Math.round(one.resident * 10) / 10]),
};
const faults = [
  result.wrong > 0 && `${result.wrong} wrong answers`,
  result.stale > 0 && `${result.stale} answers from no zone of the last seconds`,
  result.oldest > 2 && `answers from the zone of ${result.oldest} s ago (${result.late} from more than one)`,
  result.lost > 0 && `${result.lost} lost`,
  result.bySecond === 0 && 'no verdict ever reached an answer',
  late - early > 0.03 * early && `resident memory grew by ${(late - early).toFixed(1)} MB`,
].filter(Boolean);
const results = join(root, 'bench', 'results');
mkdirSync(results, { recursive: true });
writeFileSync(join(results, 'soak.json'), `${JSON.stringify({ ...report, faults }, null, 1)}\n`);
console.log(
  `${report.server}: ${result.answered} answers in ${result.seconds.toFixed(0)} s (${Math.round(result.qps)} q/s), lost ${result.lost}, wrong ${result.wrong}, stale ${result.stale}, oldest ${result.oldest} s; ` +
    `${reloads} reloads, ${report.flips} flips (${result.byFirst} answers from the flapping pools, ${result.bySecond} from those behind them); ` +
    `resident ${early.toFixed(1)} MB after the first minute, ${late.toFixed(1)} MB at the end; slowest answer ${(result.maxUs / 1000).toFixed(1)} ms`,
);
if (complaints) console.log(complaints);
console.log(faults.length > 0 ? `faults: ${faults.join('; ')}` : 'no faults');
backends.close();
await server.stop();
process.exitCode = faults.length > 0 ? 1 : 0;
