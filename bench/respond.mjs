// Times the answer path alone, without sockets: nanoseconds of CPU for one query of each kind, to see where time goes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../dist/base/clock.js';
import { createLog } from '../dist/base/log.js';
import { Serving } from '../dist/control/serving.js';
import { createAnswerer } from '../dist/serve/answerer.js';
import { writeFolder } from './peers/meridian.mjs';
import { query } from './wire.mjs';
import { dice, layout, randomClient, writeGeography } from './workload.mjs';

const { values } = parseArgs({
  options: {
    names: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '5' },
    rate: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const names = Number(values.names);
const directory = mkdtempSync(join(tmpdir(), 'meridian-respond-'));
const geography = writeGeography(directory);
const zones = layout(names);
writeFolder({ directory, port: 0, adminPort: 0, zones, geography, workers: 1 });
const serving = new Serving({
  zonesDirectory: join(directory, 'zones'),
  geoDirectory: join(directory, 'geoip'),
  overridesFile: join(directory, 'none'),
  stateDirectory: null,
  baseDirectory: directory,
  execAllowed: false,
  clock: systemClock,
  log: createLog('error'),
});
await serving.load(() => {});
serving.publish();
await serving.stop();
rmSync(directory, { recursive: true });
const { answerer } = createAnswerer(
  serving.rows.memory(1, serving.images.store, serving.board),
  {
    udpMaxBytes: 1232,
    udpMaxBytesWithoutCookie: 1232,
    cookieSecrets: [new Uint8Array(16)],
    rate: values.rate ? { responsesPerSecond: 1e9, slip: 1, ipv4Prefix: 24, ipv6Prefix: 56, exempt: [] } : null,
    nsid: new Uint8Array(0),
    version: new Uint8Array(0),
    hostname: new Uint8Array(0),
    keepalive: 100,
  },
  () => {},
);

const roll = dice(7);
const QUERIES = 20_000;
const nameOf = (zone) => `h${zone.first + roll(zone.count)}.${zone.origin}`;
const kinds = {
  plain: () => query(nameOf(zones[roll(zones.length)])),
  ecs: () => query(nameOf(zones[roll(zones.length)]), { edns: true, subnet: randomClient(geography, roll).subnet }),
  nxdomain: () => query(`nope${roll(1e6)}.${zones[0].origin}`),
};
const room = 4096;
const arena = new Uint8Array(new ArrayBuffer(64 * room));
answerer.peer.w0 = 0x7f000001;
for (const [kind, make] of Object.entries(kinds)) {
  const packets = Array.from({ length: QUERIES }, make);
  const figures = [];
  for (let round = 0; round < Number(values.rounds) + 1; round++) {
    let answered = 0;
    let copy = 0;
    const before = process.cpuUsage();
    for (let i = 0; i < QUERIES; i += 16) {
      answerer.beginBatch();
      for (let k = 0; k < 16; k++) {
        const packet = packets[i + k] ?? packets[0];
        arena.set(packet, k * room);
        if (answerer.respond(arena, k * room, packet.length, room, 0) > 0) answered++;
      }
      answerer.endBatch();
    }
    for (let times = 0; times < 20; times++) {
      for (let i = 0; i < QUERIES; i += 16) {
        answerer.beginBatch();
        for (let k = 0; k < 16; k++) {
          const packet = packets[i + k] ?? packets[0];
          arena.set(packet, k * room);
          if (answerer.respond(arena, k * room, packet.length, room, 0) > 0) answered++;
        }
        answerer.endBatch();
      }
    }
    const spent = process.cpuUsage(before);
    const empty = process.cpuUsage();
    for (let times = 0; times < 21; times++)
      for (let i = 0; i < QUERIES; i++) {
        arena.set(packets[i], (i & 15) * room);
        copy++;
      }
    const copying = process.cpuUsage(empty);
    if (round > 0) figures.push(((spent.user - copying.user) * 1000) / answered);
    if (copy === 0) throw new Error('nothing was copied');
  }
  figures.sort((a, b) => a - b);
  console.log(
    `${kind.padEnd(9)} ${figures[figures.length >> 1].toFixed(0)} ns (${figures.map((f) => f.toFixed(0)).join(' ')})`,
  );
}
