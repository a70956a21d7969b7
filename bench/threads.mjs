// Measures what a second data thread brings, or where the cores are too few for that, what it costs.
import { cpus } from 'node:os';
import { join } from 'node:path';
import { interleaved, launch, measure, median, medianRatio } from './field.mjs';
import { layout, writeQueries } from './workload.mjs';

/** Runs the part: with 4 cores or more the rate that one and two threads answer, else CPU per query at the same rate. */
export async function threads(bench) {
  const enough = cpus().length >= 4;
  const cores = enough ? `${cpus().length - 2},${cpus().length - 1}` : null;
  const world = { zones: layout(bench.names), geography: bench.geography() };
  const file = join(bench.directory, 'threads.queries');
  writeQueries(file, 'plain', { ...world, queries: Math.max(100_000, bench.names), seed: 4 });
  const servers = [];
  try {
    for (const peer of bench.present.filter((one) => one.own))
      for (const workers of [1, 2])
        servers.push({ ...(await launch(bench, peer, world, { workers, cores })), workers });
    const load = { file, generator: 'load', ...(enough ? {} : { rate: bench.rate ?? 40_000 }) };
    for (const server of servers) await measure(bench, server, { ...load, seconds: bench.warmup });
    const runs = new Map(servers.map((server) => [server, []]));
    await interleaved(servers, bench.runs, async (server) => {
      runs.get(server).push(await measure(bench, server, load));
    });
    const rows = servers.map((server) => {
      const list = runs.get(server);
      const one = runs.get(servers.find((other) => other.peer === server.peer && other.workers === 1));
      return {
        server: server.peer.name,
        threads: server.workers,
        'q/s': Math.round(median(list.map((run) => run.qps))),
        'us total': median(list.map((run) => run.totalUs)),
        'q/s x one thread': medianRatio(list, one, 'qps'),
        'us x one thread': medianRatio(list, one, 'totalUs'),
        lost: list.reduce((sum, run) => sum + run.lost, 0),
      };
    });
    const remarks = enough
      ? []
      : [
          `With ${cpus().length} cores the load generator needs one for itself, so that two threads can't show twice the rate: this is CPU per query at the same rate, the server on all cores.`,
        ];
    return { title: 'One and two data threads', rows, remarks };
  } finally {
    for (const server of servers) await server.stop();
  }
}
