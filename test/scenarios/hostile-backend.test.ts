// A server whose backends and zone files mean it harm: verdicts of others move on, nothing is told that should not be, it stops when told.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../support/ports.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { admin, Backends, countries, got, until, verdicts } from '../support/story.ts';

const directory = mkdtempSync(join(tmpdir(), 'meridian-hostile-'));
const GOOD = '127.31.0.1';
const page = createServer((_request, response) => response.end(`${'a'.repeat(60)}!`));
/** Sends a byte whenever it can. */
const drip = createTcpServer((socket) => {
  socket.on('error', () => {}).setNoDelay(true);
  socket.write('HTTP/1.1 200 OK\r\n\r\n');
  const go = (): void => {
    if (socket.destroyed) return;
    socket.write('x');
    setImmediate(go);
  };
  go();
});
const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;
let backends: Backends;
let server: RunningServer;

beforeAll(async () => {
  backends = await Backends.start([GOOD]);
  for (const one of [page, drip]) await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  const adminPort = await freePort();
  mkdirSync(join(directory, 'state', 'checks'), { recursive: true });
  symlinkSync('../admin.token', join(directory, 'state', 'checks', 'token'));
  const rhythm = 'interval: 200ms, timeout: 1s, fall: 2, rise: 1';
  server = await startServer({
    directory,
    adminPort,
    files: {
      'geoip/small.mmdb': countries({ '1.0.0.0/8': 'RU' }),
      'zones/hostile.test.yaml': `
zone: hostile.test
ns: [ns.elsewhere.test.]
checks:
  good: { tcp: { port: ${backends.port} }, ${rhythm} }
  regex: { http: { port: ${portOf(page)}, expect-body: 'regex:^(\\w+\\s?)*$' }, ${rhythm} }
  drip: { http: { port: ${portOf(drip)} }, ${rhythm} }
  admin: { http: { port: ${adminPort}, path: /api/v1/status, expect-body: targets }, ${rhythm} }
  token: { file: state/checks/token, ${rhythm} }
pools:
  good: { check: good, members: [${GOOD}] }
  regex: { check: regex, members: [127.0.0.1] }
  drip: { check: drip, members: [127.0.0.1] }
  admin: { check: admin, members: [127.0.0.1, "::ffff:127.0.0.1", 0.0.0.0] }
  token: { check: token, members: [127.0.0.1] }
  spare: { members: [192.0.2.1] }
records:
  www: { A: { ttl: 20, pools: [good, spare] } }
`,
    },
  });
}, 60_000);

afterAll(async () => {
  await server?.stop();
  await backends.stop();
  page.close();
  drip.close();
  rmSync(directory, { recursive: true, force: true });
});

test('it tells why each of them is down, and nothing that it must not', async () => {
  const gone = { 'regex/127.0.0.1': 'down', 'drip/127.0.0.1': 'down', 'token/127.0.0.1': 'down' };
  await until(
    () => verdicts(server),
    (seen) => Object.entries(gone).every(([id, state]) => seen[`hostile.test/${id}`] === state),
    30_000,
  );
  const { json } = await admin(server, 'GET', '/api/v1/health');
  const reasons = Object.fromEntries(
    (json.targets as { id: string; lastProbe: { reason: string } | null }[]).map(({ id, lastProbe }) => [
      id.replace('hostile.test/', ''),
      lastProbe?.reason,
    ]),
  );
  expect(reasons).toMatchObject({
    'regex/127.0.0.1': 'body does not match',
    'drip/127.0.0.1': expect.stringMatching(/too many pieces|not complete/),
    'admin/127.0.0.1': "this server's own admin is not probed",
    'admin/::ffff:127.0.0.1': "this server's own admin is not probed",
    'admin/0.0.0.0': "this server's own admin is not probed",
    'token/127.0.0.1': 'file is outside of the folders in health.files',
  });
  const { json: events } = await admin(server, 'GET', '/api/v1/events');
  const token = readFileSync(join(directory, 'state', 'admin.token'), 'utf8').trim();
  expect(token.length).toBeGreaterThan(20);
  expect(JSON.stringify([json, events])).not.toContain(token);
});

test('verdicts of others move on meanwhile', async () => {
  await until(
    () => got(server, 'www.hostile.test'),
    (seen) => seen === GOOD,
    30_000,
  );
  await backends.close(GOOD);
  await until(
    () => got(server, 'www.hostile.test'),
    (seen) => seen === '192.0.2.1',
    30_000,
  );
  await backends.open(GOOD);
  await until(
    () => got(server, 'www.hostile.test'),
    (seen) => seen === GOOD,
    30_000,
  );
});

test('it stops when it is told to', async () => {
  expect(await server.stop()).toBe(0);
});
