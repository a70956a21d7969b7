// Measures resident memory and what an idle server uses: as delivered with two data threads, and with a large city database.
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { launch, measure } from './field.mjs';
import { writeCityDatabase } from './mmdb.mjs';
import { cpuSeconds, memoryMegabytes } from './process.mjs';
import { layout, writeQueries } from './workload.mjs';

const settleMs = 15_000;

/** Runs the part: a zone of 100 names; the embedded database with 1, 2 and 4 threads, a city database with 2 and 4. */
export async function memory(bench) {
  const zones = layout(100);
  const file = join(bench.directory, 'memory.queries');
  writeQueries(file, 'ecs', { zones, geography: bench.geography(), queries: 50_000, seed: 5 });
  const city = join(bench.directory, 'city', 'city.mmdb');
  let cityMegabytes = 0;
  if (bench.cityMegabytes > 0) {
    bench.progress(`making a city database of ${bench.cityMegabytes} MB`);
    mkdirSync(join(bench.directory, 'city'), { recursive: true });
    writeCityDatabase(city, bench.cityMegabytes);
    cityMegabytes = statSync(city).size / 1e6;
  }
  const rows = [];
  for (const peer of bench.present.filter((one) => !one.echo)) {
    const cases = peer.own
      ? [
          [undefined, 1],
          [undefined, 2],
          [undefined, 4],
          ...(cityMegabytes > 0
            ? [
                [city, 2],
                [city, 4],
              ]
            : []),
        ]
      : [[bench.geography().path, 1]];
    for (const [path, workers] of cases) {
      try {
        const server = await launch(
          bench,
          peer,
          { zones, geography: path && { path } },
          { workers, cores: null, limitMs: 120_000 },
        );
        const atStart = memoryMegabytes(server.pid);
        const one = await measure(bench, server, { file, generator: 'load', rate: 20_000, seconds: bench.warmup });
        // Until what the start left behind has been collected (limits.collectMs), and V8 has given pages back.
        await wait(settleMs);
        const idleFrom = cpuSeconds(server.pid);
        await wait(3000);
        const idleTo = cpuSeconds(server.pid);
        const later = memoryMegabytes(server.pid);
        rows.push({
          server: peer.name,
          database:
            path === undefined ? 'embedded' : path === city ? `city, ${Math.round(cityMegabytes)} MB` : 'country',
          threads: workers,
          'MB at first answer': Math.round(atStart.resident),
          'MB settled': Math.round(later.resident),
          'of it anonymous and shared': Math.round(later.anonymous + later.shared),
          'MB peak': Math.round(later.peak),
          'idle: ms CPU in 3 s': Math.round((idleTo.user + idleTo.sys - idleFrom.user - idleFrom.sys) * 1000),
          lost: one.lost,
        });
        await server.stop();
      } catch (error) {
        bench.note(`memory: ${peer.name} left out: ${error.message}`);
      }
    }
  }
  return { title: 'Resident memory and idle CPU (100 names)', rows };
}
