// What an HTTP probe costs, beside the same request through node:http and undici: CPU of this process, against a real nginx.
// Usage: node bench/health/http.mjs [probes] [rounds]   (3000 5)
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'undici';
import { systemClock } from '../../dist/base/clock.js';
import { keepHeapsSmall } from '../../dist/base/heap.js';
import { probeHttp } from '../../dist/probe/http.js';
import { runProbe } from '../../dist/probe/probe.js';
import { median } from '../field.mjs';
import { startNginx } from './nginx.mjs';

keepHeapsSmall();
const [probes = 3_000, rounds = 5] = process.argv.slice(2).map(Number);
const atOnce = 10;
const folder = mkdtempSync(join(tmpdir(), 'meridian-http-'));
const nginx = await startNginx(folder);
const { port } = nginx;

const check = {
  ...{ kind: 'http', tls: false, port, method: 'GET', path: '/', host: 'web.test', sni: null, headers: {} },
  ...{ expectStatus: [[200, 299]], expectBody: null, verify: true, caFile: null, minDays: null },
  ...{ version: '1.1', reuse: false, load: null },
};
const headers = { host: 'web.test', 'user-agent': 'meridian' };
/** Each: one request on a new connection, resolves with the status. */
const clients = {
  'the probe': async (address) => {
    const target = { address, name: null, kept: new Map() };
    const { result } = await runProbe(
      (attempt) => probeHttp(target, check, attempt),
      2_000,
      systemClock,
      new AbortController(),
    );
    return Number(result.evidence.slice(0, 3));
  },
  'node:http': (address) =>
    new Promise((resolve, reject) => {
      const createConnection = () => connect({ host: address, port, noDelay: true });
      request({ host: address, port, path: '/', agent: false, headers, createConnection }, (response) =>
        response.resume().on('end', () => resolve(response.statusCode)),
      )
        .on('error', reject)
        .end();
    }),
  undici: async (address) => {
    const client = new Client(`http://${address}:${port}`);
    const { statusCode, body } = await client.request({ method: 'GET', path: '/', headers, reset: true });
    await body.text();
    return statusCode;
  },
};

async function run(client, count) {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const n = next++;
      const status = await client(`127.1.${(n >> 8) & 255}.${n & 255}`);
      if (status !== 200) throw new Error(`status ${status}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

for (const client of Object.values(clients)) await run(client, 2_000);
const costs = Object.fromEntries(Object.keys(clients).map((name) => [name, []]));
for (let round = 0; round < rounds; round++)
  for (const [name, client] of Object.entries(clients)) {
    const before = process.cpuUsage();
    await run(client, probes);
    const { user, system } = process.cpuUsage(before);
    costs[name].push((user + system) / probes);
  }
console.table(
  Object.entries(costs).map(([client, list]) => ({
    client,
    'us a request': Math.round(median(list)),
    'to the probe': Number((median(list) / median(costs['the probe'])).toFixed(2)),
  })),
);
await nginx.stop();
rmSync(folder, { recursive: true, force: true });
