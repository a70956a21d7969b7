// Measures what a client sees of garbage collection: latency at half of the saturation rate while zones reload and verdicts flip.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { churningPeer, epochPage, flappingBackends, origin, rewriting, writeQueries } from './churn.mjs';
import { launch, measure } from './field.mjs';
import { load } from './generators.mjs';
import { outside } from './workload.mjs';

/** The collections that `--trace-gc` told of, by isolate: `{ count, longestMs }`, the longest first. */
export function collections(log) {
  const isolates = new Map();
  for (const line of log.split('\n')) {
    const match = /^\[\d+:(0x[0-9a-f]+)(?::\d+)?\].*?ms: (?:Scavenge|Mark-Compact|Minor).*?([\d.]+) \/ [\d.]+ +ms/.exec(
      line,
    );
    if (!match) continue;
    const isolate = isolates.get(match[1]) ?? { count: 0, longestMs: 0 };
    isolate.count++;
    isolate.longestMs = Math.max(isolate.longestMs, Number(match[2]));
    isolates.set(match[1], isolate);
  }
  return [...isolates.values()].sort((a, b) => b.longestMs - a.longestMs);
}

/** Runs the part for Meridian. */
export async function pauses(bench) {
  const file = join(bench.directory, 'pauses.queries');
  const expect = join(bench.directory, 'pauses.expect');
  const epoch = join(bench.directory, 'pauses.epoch');
  writeQueries(file, expect, bench.geography());
  const rows = [];
  const remarks = [];
  for (const peer of bench.present.filter((one) => one.own)) {
    const backends = await flappingBackends();
    const setEpochs = epochPage(epoch);
    let server;
    let changes;
    try {
      const world = { zones: [{ origin, first: 0, count: 1 }], geography: bench.geography() };
      server = await launch(bench, churningPeer(peer, backends.port, ['--trace-gc']), world, {
        cores: null,
      });
      await measure(bench, server, { file, generator: 'load', seconds: bench.warmup });
      const peak = await measure(bench, server, { file, generator: 'load', seconds: 2 });
      const rate = bench.rate ?? peak.qps / 2;
      const before = readFileSync(join(server.directory, 'output.txt'), 'utf8').length;
      changes = rewriting(server.directory, backends.port, setEpochs);
      const result = await load({
        program: bench.tools.load,
        port: server.port,
        file,
        expect,
        epoch,
        rate,
        seconds: bench.minutes * 60,
        core: bench.loadCore,
        // The server treats clients elsewhere otherwise than those of its own machine (serve/priority.ts): they are elsewhere, mostly.
        ...(outside === undefined ? {} : { sources: [outside] }),
      });
      const reloads = await changes.stop();
      const gc = collections(readFileSync(join(server.directory, 'output.txt'), 'utf8').slice(before));
      rows.push({
        server: peer.name,
        'q/s': Math.round(rate),
        'p50 us': result.p50Us,
        'p99 us': result.p99Us,
        'p99.9 us': result.p999Us,
        'p99.99 us': result.p9999Us,
        'max ms': result.maxUs / 1000,
        'generator late ms': result.lagMaxUs / 1000,
        lost: result.lost,
        wrong: result.wrong,
        stale: result.stale,
        'oldest s': result.oldest,
        reloads,
        flips: backends.flips(),
      });
      remarks.push(
        `${peer.name}: collections by isolate (count, longest): ${gc.map((one) => `${one.count}, ${one.longestMs.toFixed(1)} ms`).join('; ') || 'none'}.`,
      );
      if (result.complaints) remarks.push(`${peer.name}: ${result.complaints.split('\n')[0]}`);
    } catch (error) {
      bench.note(`pauses: ${peer.name} left out: ${error.message}`);
    } finally {
      await changes?.stop();
      backends.close();
      await server?.stop();
    }
  }
  return {
    title: `Pauses: ${bench.minutes} min, a zone reloaded every second, verdicts flipping every 100 ms`,
    rows,
    remarks,
  };
}
