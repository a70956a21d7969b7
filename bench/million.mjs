// Measures a million records in a thousand zone files: cold and warm start, memory, image size, one zone edited while queries run.
import { copyFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { origin as editedOrigin, epochPage, replaceFile, writeQueries, zoneText } from './churn.mjs';
import { launch, median, relaunch } from './field.mjs';
import { load } from './generators.mjs';
import { settings, zoneHead } from './peers/meridian.mjs';
import { ask, memoryMegabytes } from './process.mjs';
import { query, readAnswer } from './wire.mjs';
import { regions } from './workload.mjs';

const edits = 5;

/** A zone of `count` records: six in ten A, two AAAA, two steered. */
function zone(number, count) {
  const lines = [...zoneHead(`z${number}.example`), 'regions:'];
  for (const region of regions)
    if (region.countries.length > 0) lines.push(`  ${region.name}: [${region.countries.join(', ')}]`);
  lines.push('pools:');
  for (const [i, region] of regions.entries())
    lines.push(
      `  ${region.name}: { members: [10.${i}.${number >> 8}.${number & 255}, 10.${100 + i}.${number >> 8}.${number & 255}] }`,
    );
  const steered = regions
    .map(({ name, countries }) => `${countries.length > 0 ? name : 'default'}: ${name}`)
    .join(', ');
  lines.push('records:', '  ns1: { A: 192.0.2.53 }');
  for (let n = 0; n < count - 1; n++) {
    const kind = n % 10;
    if (kind < 6) lines.push(`  h${n}: { A: 192.0.${n >> 8}.${n & 255} }`);
    else if (kind < 8) lines.push(`  h${n}: { AAAA: "2001:db8::${n.toString(16)}" }`);
    else lines.push(`  h${n}: { A: { regions: { ${steered} } } }`);
  }
  return `${lines.join('\n')}\n`;
}

/** Bytes of all files in a folder and below. */
function folderBytes(directory) {
  let sum = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) sum += statSync(join(entry.parentPath ?? entry.path, entry.name)).size;
  return sum;
}

/** Waits until a folder's size stands still for a second. */
async function settled(directory) {
  for (let last = -1, same = 0; same < 4; await wait(250)) {
    const now = folderBytes(directory);
    same = now === last ? same + 1 : 0;
    last = now;
  }
}

/** Milliseconds since the start until every zone answered without an error. */
async function untilAll(server, zones) {
  let errors = 0;
  for (let n = 0; n < zones; ) {
    const from = n;
    const replies = await Promise.all(
      Array.from({ length: Math.min(50, zones - n) }, (_, i) =>
        ask(server.port, query(`h0.z${n + i}.example`, { id: 1 + i }), 500),
      ),
    );
    const good = replies.findIndex((reply) => reply === undefined || (reply[3] & 15) !== 0);
    n += good === -1 ? replies.length : good;
    // The server is silent until all zones stand: an error afterwards is a mistake in a file, and stays.
    if (replies[n - from] && (replies[n - from][3] & 15) !== 0) errors++;
    if (errors > 200) throw new Error(`z${n}.example answers an error: ${server.output()}`);
    if (good !== -1) await wait(10);
    if (performance.now() - server.startedAt > 900_000)
      throw new Error(`z${n}.example doesn't answer: ${server.output()}`);
    if (server.ended()) throw new Error(`ended: ${server.output()}`);
  }
  return performance.now() - server.startedAt;
}

/** Runs the part for Meridian: `--zones` files of `--records` records each, and one more zone that is edited. */
export async function million(bench) {
  const records = bench.zones * bench.records;
  const geography = bench.geography();
  const rows = [];
  const remarks = [];
  for (const peer of bench.present.filter((one) => one.own)) {
    const filled = {
      ...peer,
      prepare({ directory, port, adminPort }) {
        for (const folder of ['zones', 'geoip', 'state']) mkdirSync(join(directory, folder), { recursive: true });
        copyFileSync(geography.path, join(directory, 'geoip', 'country.mmdb'));
        writeFileSync(join(directory, 'meridian.yaml'), settings({ port, adminPort }));
        for (let n = 0; n < bench.zones; n++)
          writeFileSync(join(directory, 'zones', `z${n}.example.yaml`), zone(n, bench.records));
        writeFileSync(join(directory, 'zones', `${editedOrigin}.yaml`), editedText(0));
        return peer.command(directory);
      },
    };
    const world = { zones: [{ origin: 'z0.example', first: 0, count: 1 }] };
    let server;
    try {
      server = await launch(bench, filled, world, { cores: null, limitMs: 900_000 });
      const cold = await untilAll(server, bench.zones);
      const coldMemory = memoryMegabytes(server.pid);
      await settled(join(server.directory, 'state'));
      const stateBytes = folderBytes(join(server.directory, 'state'));
      bench.progress(`${peer.name}: cold ${(cold / 1000).toFixed(1)} s, peak ${Math.round(coldMemory.peak)} MB`);
      await server.stop();
      const warms = [];
      for (let run = 0; run < 3; run++) {
        if (run > 0) await server.stop();
        server = await relaunch(bench, server, { cores: null, limitMs: 900_000 });
        warms.push(await untilAll(server, bench.zones));
      }
      await wait(2000);
      const warmMemory = memoryMegabytes(server.pid);
      const edit = await editing(bench, server, geography);
      rows.push({
        server: peer.name,
        records,
        'cold start s': cold / 1000,
        'cold peak MB': Math.round(coldMemory.peak),
        'warm start s': median(warms) / 1000,
        'warm resident MB': Math.round(warmMemory.resident),
        'state bytes/record': stateBytes / records,
        'edit live ms': Math.round(median(edit.live)),
        'slowest ms': Math.round(Math.max(...edit.live)),
        lost: edit.lost,
        wrong: edit.wrong,
        stale: edit.stale,
      });
      remarks.push(
        `${peer.name}: ${edits} edits at ${Math.round(edit.qps)} q/s, each answer checked (${edit.answered}): live after ${edit.live.map((ms) => Math.round(ms)).join(', ')} ms; slowest answer ${(edit.maxUs / 1000).toFixed(1)} ms. "state" is everything in state/.`,
      );
      if (edit.complaints) remarks.push(edit.complaints.split('\n')[0]);
    } catch (error) {
      bench.note(`million: ${peer.name} left out: ${error.message}`);
    } finally {
      await server?.stop();
    }
  }
  return { title: `${records} records in ${bench.zones} zone files`, rows, remarks };
}

/** The zone that is edited: 500 names with two addresses each. */
const names = { static: 500, steered: 0 };
const editedText = (epoch) => zoneText(epoch, undefined, names);

/** Edits the zone several times under load and measures how long the old answer lives. */
async function editing(bench, server, geography) {
  const file = join(bench.directory, 'edit.queries');
  const expect = join(bench.directory, 'edit.expect');
  const page = join(bench.directory, 'edit.epoch');
  writeQueries(file, expect, geography, { names });
  const setEpochs = epochPage(page);
  setEpochs(0, 0);
  const seconds = edits * 2 + 1;
  const running = load({
    program: bench.tools.load,
    port: server.port,
    file,
    expect,
    epoch: page,
    rate: bench.rate ?? 20_000,
    seconds,
    core: bench.loadCore,
  });
  const live = [];
  await wait(500);
  for (let epoch = 1; epoch <= edits; epoch++) {
    setEpochs(epoch - 1, epoch);
    const from = performance.now();
    replaceFile(join(server.directory, 'zones', `${editedOrigin}.yaml`), editedText(epoch));
    const limit = from + 10_000;
    while (performance.now() < limit) {
      const reply = await ask(server.port, query(`s7.${editedOrigin}`, { id: 9 }), 100);
      if (reply !== undefined && readAnswer(reply).ttls[0] === 1000 + epoch) break;
    }
    live.push(performance.now() - from);
    await wait(50);
    setEpochs(epoch, epoch);
    await wait(Math.max(0, 1900 - (performance.now() - from)));
  }
  return { ...(await running), live };
}
