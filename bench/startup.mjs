// Measures the time from the start of the process to the first answer.
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { launch, median, relaunch } from './field.mjs';
import { start, untilAnswer } from './process.mjs';
import { layout } from './workload.mjs';

/** Runs the part: a zone of 100 names, Meridian with its embedded database, nothing pinned. */
export async function startup(bench) {
  const rows = [];
  for (const peer of bench.present) {
    if (peer.echo) continue;
    // Meridian starts as delivered, on the embedded database; the others need theirs.
    const world = { zones: layout(100), geography: peer.own ? undefined : bench.geography() };
    try {
      let server = await launch(bench, peer, world, { cores: null, limitMs: 30_000 });
      const first = server.firstAnswerMs;
      const again = [];
      const stops = [await server.stop()];
      for (let run = 0; run < bench.runs; run++) {
        server = await relaunch(bench, server, { cores: null, limitMs: 30_000 });
        again.push(server.firstAnswerMs);
        stops.push(await server.stop());
      }
      rows.push({
        server: peer.name,
        'first start ms': Math.round(first),
        'later ms': Math.round(median(again)),
        'slowest ms': Math.round(Math.max(...again)),
        'stop ms': Math.round(median(stops)),
      });
    } catch (error) {
      bench.note(`startup: ${peer.name} left out: ${error.message}`);
    }
  }
  if (bench.present.some((peer) => peer.own)) {
    try {
      const took = await npmStart(bench);
      if (took === undefined) bench.note('startup: npm start left out, port 5300 is taken');
      else
        rows.push({
          server: 'npm start, as delivered',
          'first start ms': took[0],
          'later ms': took[1],
          'stop ms': took[2],
        });
    } catch (error) {
      bench.note(`startup: npm start left out: ${error.message}`);
    }
  }
  return { title: 'From the start of the process to the first answer (100 names, nothing to probe)', rows };
}

/** `npm start` twice in the checkout, which is built: milliseconds of both to an answer of any kind, and of the stop. */
async function npmStart(bench) {
  const port = 5300;
  const probe = createSocket('udp4');
  const free = await new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    probe.bind(port, '127.0.0.1', () => resolve(true));
  });
  probe.close();
  if (!free) return undefined;
  const times = [];
  let stopped = 0;
  for (let run = 0; run < 2; run++) {
    const command = {
      command: 'npm',
      args: ['start'],
      cwd: bench.root,
      logPath: join(bench.directory, 'npm-start.txt'),
    };
    const server = start('npm start', command);
    times.push(Math.round(await untilAnswer(server, port, 'net.cat', server.startedAt, 60_000, 5, () => true)));
    stopped = Math.round(await server.stop());
  }
  return [...times, stopped];
}
