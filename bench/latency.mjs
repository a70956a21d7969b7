// Measures latency at half of the saturation rate, the same rate for every server that reaches it.
import { join } from 'node:path';
import { interleaved, launchAll, measure, median, medianRatio } from './field.mjs';
import { layout, loopbackSources, outside, writeQueries } from './workload.mjs';

// Clients elsewhere: Meridian treats those of its own machine otherwise (serve/priority.ts).
const sources = outside === undefined ? loopbackSources : [outside];

const figures = ['p50Us', 'p99Us', 'p999Us', 'maxUs'];

/** Runs the part: `{ title, rate, rows: [{ server, rate, p50Us, p99Us, p999Us, maxUs, toGdnsd: {…}, lost }] }`. */
export async function latency(bench) {
  const world = { zones: layout(bench.names), geography: bench.geography() };
  const file = join(bench.directory, 'latency.queries');
  const sample = writeQueries(file, 'ecs', { ...world, queries: Math.max(100_000, bench.names), seed: 2 });
  const servers = await launchAll(
    bench,
    bench.present.filter((peer) => peer.mostNames >= bench.names),
    world,
    sample.slice(0, 100),
  );
  try {
    const saturation = new Map();
    const peaks = new Map(servers.map((server) => [server.peer.name, []]));
    for (const server of servers) await measure(bench, server, { file, generator: 'load', seconds: bench.warmup });
    await interleaved(servers, Math.min(3, bench.runs), async (server) => {
      const one = await measure(bench, server, { file, generator: 'load', seconds: Math.min(2, bench.seconds) });
      peaks.get(server.peer.name).push(one.qps);
    });
    for (const [name, list] of peaks) saturation.set(name, median(list));
    const common = bench.rate ?? (saturation.get('gdnsd') ?? Math.max(...saturation.values())) / 2;
    const runs = new Map(servers.map((server) => [server.peer.name, []]));
    await interleaved(servers, bench.runs, async (server, round) => {
      const rate = Math.min(common, saturation.get(server.peer.name) / 2);
      const one = await measure(bench, server, { file, generator: 'load', rate, sources });
      runs.get(server.peer.name).push({ ...one, rate });
      bench.progress(
        `latency ${round + 1}/${bench.runs} ${server.peer.name}: p50 ${one.p50Us} p99 ${one.p99Us} p99.9 ${one.p999Us} us at ${Math.round(rate)} q/s`,
      );
    });
    const base = runs.get('gdnsd') ?? [];
    const rows = [...runs].map(([server, list]) => ({
      server,
      saturation: saturation.get(server),
      rate: list[0]?.rate,
      ...Object.fromEntries(figures.map((key) => [key, median(list.map((run) => run[key]))])),
      toGdnsd: Object.fromEntries(figures.slice(0, 3).map((key) => [key, medianRatio(list, base, key)])),
      lagMaxUs: median(list.map((run) => run.lagMaxUs)),
      lost: list.reduce((sum, run) => sum + run.lost, 0),
      foreign: median(list.map((run) => run.foreign)),
    }));
    return {
      title: `Latency with client subnets at half of gdnsd's saturation (its own half for who has less), ${bench.runs} runs`,
      rate: common,
      rows,
      runs: Object.fromEntries(runs),
    };
  } finally {
    for (const server of servers) await server.stop();
  }
}
