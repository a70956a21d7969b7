// Measures how CPU per query grows with the number of names.
import { join } from 'node:path';
import { interleaved, launch, measure, median, medianRatio } from './field.mjs';
import { pin } from './process.mjs';
import { verify } from './verify.mjs';
import { layout, writeQueries } from './workload.mjs';

/** Runs the part for Meridian, and gdnsd beside it: `{ title, rows: [{ server, names, … }] }`. */
export async function growth(bench) {
  const geography = bench.geography();
  const servers = [];
  const files = new Map();
  try {
    for (const names of bench.growth) {
      const world = { zones: layout(names, true), geography };
      const file = join(bench.directory, `growth-${names}.queries`);
      const sample = writeQueries(file, 'plain', { ...world, queries: Math.max(100_000, names), seed: 3 }).slice(
        0,
        100,
      );
      files.set(names, file);
      for (const peer of bench.present.filter((one) => (one.own || one.name === 'gdnsd') && one.mostNames >= names)) {
        bench.progress(`starting ${peer.name} with ${names} names`);
        try {
          const server = await launch(bench, peer, world, { limitMs: 600_000, cores: null });
          servers.push({ ...server, names });
          const wrong = await verify(peer, server.port, sample);
          if (wrong.length > 0)
            bench.note(`growth: ${peer.name} with ${names} names answers wrongly: ${wrong.join('; ')}`);
          pin(server.pid, bench.serverCore);
        } catch (error) {
          bench.note(`growth: ${peer.name} with ${names} names left out: ${error.message}`);
        }
      }
    }
    for (const server of servers)
      await measure(bench, server, { file: files.get(server.names), seconds: bench.warmup });
    const runs = new Map(servers.map((server) => [server, []]));
    await interleaved(servers, bench.runs, async (server, round) => {
      const one = await measure(bench, server, { file: files.get(server.names) });
      runs.get(server).push(one);
      bench.progress(
        `growth ${round + 1}/${bench.runs} ${server.peer.name} ${server.names}: ${one.totalUs.toFixed(2)} us`,
      );
    });
    const least = (server) => runs.get(servers.find((other) => other.peer.name === server.peer.name));
    const rows = servers.map((server) => {
      const list = runs.get(server);
      return {
        server: server.peer.name,
        names: server.names,
        'q/s': Math.round(median(list.map((run) => run.qps))),
        'us user': median(list.map((run) => run.userUs)),
        'us sys': median(list.map((run) => run.sysUs)),
        'us total': median(list.map((run) => run.totalUs)),
        [`x ${bench.growth[0]} names`]: medianRatio(list, least(server), 'totalUs'),
        'start s': server.firstAnswerMs / 1000,
        lost: list.reduce((sum, run) => sum + run.lost, 0),
      };
    });
    return {
      title: `Growth with the number of names (A without EDNS, zones of up to 10,000 names), ${bench.runs} runs`,
      rows,
    };
  } finally {
    for (const server of servers) await server.stop();
  }
}
