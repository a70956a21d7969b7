// Measures CPU per query of every server under three workloads.
import { join } from 'node:path';
import { interleaved, launchAll, measure, median, medianRatio } from './field.mjs';
import { layout, workloads, writeQueries } from './workload.mjs';

/** Runs the part: `{ title, names, workloads: { plain: { title, rows: [...], runs }, … } }`. */
export async function cpu(bench) {
  const zones = layout(bench.names);
  const world = { zones, geography: bench.geography() };
  const files = {};
  const samples = {};
  for (const kind of bench.workloads) {
    files[kind] = join(bench.directory, `${kind}.queries`);
    samples[kind] = writeQueries(files[kind], kind, { ...world, queries: Math.max(100_000, bench.names) });
  }
  const sample = Object.values(samples).flatMap((list) => list.slice(0, 150));
  const fitting = bench.present.filter((peer) => peer.mostNames >= bench.names);
  const servers = await launchAll(bench, fitting, world, sample);
  const result = {
    title: `CPU per query, ${bench.names} names, ${bench.runs} runs of ${bench.seconds} s`,
    workloads: {},
  };
  try {
    for (const kind of bench.workloads) {
      for (const server of servers) await measure(bench, server, { file: files[kind], seconds: bench.warmup });
      const runs = new Map(servers.map((server) => [server.peer.name, []]));
      await interleaved(servers, bench.runs, async (server, round) => {
        const one = await measure(bench, server, { file: files[kind] });
        runs.get(server.peer.name).push(one);
        bench.progress(
          `${kind} ${round + 1}/${bench.runs} ${server.peer.name}: ${one.totalUs.toFixed(2)} us, ${Math.round(one.qps)} q/s`,
        );
      });
      result.workloads[kind] = { title: workloads[kind], rows: rowsOf(runs), runs: Object.fromEntries(runs) };
    }
  } finally {
    for (const server of servers) await server.stop();
  }
  return result;
}

/** A row for each server: medians of its runs, ratios of its rounds to gdnsd's and the floor's. */
export function rowsOf(runs) {
  const base = (name) => runs.get(name) ?? [];
  return [...runs].map(([server, list]) => ({
    server,
    qps: median(list.map((run) => run.qps)),
    userUs: median(list.map((run) => run.userUs)),
    sysUs: median(list.map((run) => run.sysUs)),
    totalUs: median(list.map((run) => run.totalUs)),
    toGdnsd: medianRatio(list, base('gdnsd'), 'totalUs'),
    toFloor: medianRatio(list, base('floor'), 'totalUs'),
    toKnot: medianRatio(list, base('knot'), 'totalUs'),
    toPdns: medianRatio(list, base('pdns'), 'totalUs'),
    lost: list.reduce((sum, run) => sum + run.lost, 0),
    busy: median(list.map((run) => run.busy)),
    foreign: median(list.map((run) => run.foreign)),
  }));
}
