// Keeps a server busy with change while it is measured: a zone rewritten every second, ten backends a second that fail or recover.
import { copyFileSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { settings, zoneHead } from './peers/meridian.mjs';
import { ipv4Text, query } from './wire.mjs';
import { dice, localRegion, randomClient, regions } from './workload.mjs';

export const origin = 'churn.example';
const staticNames = 1000;
const steeredNames = 1000;
/** Pools of a region; of the first, whose members flip, more: a target that flips more than 12 times in ten minutes is held down. */
const pools = 4;
const flippingPools = 300;
const poolOf = (region, n) => n % (region === 0 ? flippingPools : pools);

/** Addresses of a pool's members: in 127.0.0.0/8, so that they can be probed here; `10.EPOCH.…` for what is static. */
const memberAddresses = (region, pool) =>
  [1, 2].map(
    (member) => ((127 << 24) | (((region + 1) * 16 + (pool >> 8)) << 16) | ((pool & 255) << 8) | member) >>> 0,
  );
const staticAddresses = (n) => [0, 128].map((half) => ((10 << 24) | ((half | (n >> 8)) << 8) | (n & 255)) >>> 0);
const inEpoch = (word, epoch) => ipv4Text((word + ((epoch & 255) << 16)) >>> 0);

/**
 * The text of the zone in an epoch: the epoch stands in the TTLs (1000 + epoch of what is static, 1 + epoch % 50 of what
 * is steered, which lint wants short) and in the static addresses. The americas' pools are probed at `probePort` and fall back to Europe's; without a port nothing is probed.
 */
export function zoneText(epoch, probePort, names = { static: staticNames, steered: steeredNames }, zone = origin) {
  const lines = zoneHead(zone).map((line) => (line.startsWith('ttl:') ? `ttl: ${1000 + epoch}` : line));
  lines.push('regions:');
  for (const region of regions)
    if (region.countries.length > 0) lines.push(`  ${region.name}: [${region.countries.join(', ')}]`);
  if (probePort !== undefined)
    lines.push(
      'checks:',
      `  flip: { http: { port: ${probePort}, path: / }, interval: 5s, timeout: 2s, fall: 1, rise: 1, fast-recheck: false }`,
    );
  lines.push('pools:');
  for (const [i, region] of regions.entries())
    for (let pool = 0; pool < (i === 0 && names.steered > 0 ? flippingPools : pools); pool++) {
      const check = i === 0 && probePort !== undefined ? 'check: flip, min-live: 2, ' : '';
      lines.push(
        `  ${region.name}-${pool}: { ${check}members: [${memberAddresses(i, pool).map(ipv4Text).join(', ')}] }`,
      );
    }
  lines.push('records:', '  ns1: { A: 192.0.2.53 }');
  for (let n = 0; n < names.static; n++)
    lines.push(
      `  s${n}: { A: [${staticAddresses(n)
        .map((word) => inEpoch(word, epoch))
        .join(', ')}] }`,
    );
  for (let n = 0; n < names.steered; n++) {
    const map = regions.map(({ name, countries }, i) => {
      const own = `${name}-${poolOf(i, n)}`;
      return `${countries.length > 0 ? name : 'default'}: ${i === 0 ? `[${own}, europe-${n % pools}]` : own}`;
    });
    lines.push(`  h${n}: { A: { ttl: ${1 + (epoch % 50)}, regions: { ${map.join(', ')} } } }`);
  }
  return `${lines.join('\n')}\n`;
}

/**
 * Writes queries for the zone and what belongs into their answers (the form of load.c): half static names, half steered
 * ones, 2% that don't exist; a third with a client subnet, a third with EDNS alone, a third without.
 */
export function writeQueries(
  path,
  expectPath,
  geography,
  { queries = 100_000, names = { static: staticNames, steered: steeredNames }, zone = origin } = {},
) {
  const roll = dice(11);
  const packets = [];
  const expected = Buffer.alloc(queries * 24);
  for (let i = 0; i < queries; i++) {
    const client = roll(3) === 0 ? randomClient(geography, roll) : undefined;
    const region = client?.region ?? localRegion;
    const steered = names.steered > 0 && roll(2) === 0;
    const missing = roll(50) === 0;
    const n = roll(steered ? names.steered : names.static);
    const name = `${missing ? 'n' : steered ? 'h' : 's'}${n}.${zone}`;
    const packet = query(name, { subnet: client?.subnet, edns: roll(2) === 0 });
    packets.push(Buffer.from([packet.length >> 8, packet.length & 255]), packet);
    expected[i * 24] = missing ? 1 : steered ? 3 : 2;
    const words = steered
      ? [
          ...memberAddresses(region, poolOf(region, n)),
          ...memberAddresses(region === 0 ? localRegion : region, n % pools),
        ]
      : staticAddresses(n);
    for (const [k, word] of words.entries()) expected.writeUInt32LE(word, i * 24 + 4 + k * 4);
  }
  writeFileSync(path, Buffer.concat(packets));
  writeFileSync(expectPath, expected);
}

/** The page that tells load.c which epochs may be answered: `set(lowest, highest)`. */
export function epochPage(path) {
  writeFileSync(path, Buffer.alloc(8));
  const file = openSync(path, 'r+');
  return (lowest, highest) => {
    const words = Buffer.alloc(8);
    words.writeUInt32LE(lowest, 0);
    words.writeUInt32LE(highest, 4);
    writeSync(file, words, 0, 8, 0);
  };
}

/** Puts a file in another's place in one step. */
export function replaceFile(path, content) {
  writeFileSync(`${path}.new~`, content);
  renameSync(`${path}.new~`, path);
}

/** A peer for field.mjs's `launch`: the server with the churning zone, Node with `flags`. */
export const churningPeer = (peer, probePort, flags) => ({
  ...peer,
  prepare({ directory, port, adminPort, workers, geography }) {
    for (const folder of ['zones', 'geoip', 'state']) mkdirSync(join(directory, folder), { recursive: true });
    copyFileSync(geography.path, join(directory, 'geoip', 'country.mmdb'));
    writeFileSync(join(directory, 'meridian.yaml'), settings({ port, adminPort, workers }));
    writeFileSync(join(directory, 'zones', `${origin}.yaml`), zoneText(0, probePort));
    return peer.command(directory, flags);
  },
});

/**
 * Starts the backends: an HTTP server for all of 127.0.0.0/8. Every `everyMs` one member of the flipping pools goes over
 * from 200 to 503 or back, each in its turn: `{ port, flips(), close() }`.
 */
export async function flappingBackends(everyMs = 100) {
  const members = [0, 1].flatMap((member) =>
    Array.from({ length: flippingPools }, (_, pool) => memberAddresses(0, pool)[member]),
  );
  const down = new Set();
  let flips = 0;
  const server = createServer((request, response) => {
    response.writeHead(down.has(request.socket.localAddress) ? 503 : 200, { 'content-length': 0, connection: 'close' });
    response.end();
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '0.0.0.0', resolve));
  const timer = setInterval(() => {
    const address = ipv4Text(members[flips++ % members.length]);
    if (!down.delete(address)) down.add(address);
  }, everyMs);
  return {
    port: server.address().port,
    flips: () => flips,
    close() {
      clearInterval(timer);
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * Rewrites the zone every `everyMs` until `stop()`, which resolves to the number of rewrites. What the zone said
 * `allowed` rewrites ago may still be answered: the load generator tells of the oldest.
 */
export function rewriting(directory, probePort, setEpochs, everyMs = 1000, allowed = 5) {
  const path = join(directory, 'zones', `${origin}.yaml`);
  let going = true;
  let epoch = 0;
  setEpochs(0, 0);
  const end = (async () => {
    while (going) {
      epoch++;
      setEpochs(Math.max(0, epoch - allowed), epoch);
      replaceFile(path, zoneText(epoch, probePort));
      await wait(everyMs);
    }
    return epoch;
  })();
  return {
    stop() {
      going = false;
      return end;
    },
  };
}
