// Databases that are fetched by command and by the running server, from a publisher on loopback.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EMBEDDED_DATABASE } from '../../dist/geo/embedded-database.js';
import { meridian as run } from '../support/meridian.ts';
import { buildMmdb } from '../support/mmdb.ts';
import { Publisher, status } from '../support/publisher.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { admin, got, until } from '../support/story.ts';

const ZONE = `zone: steered.test
ns: [ns.elsewhere.test.]
pools:
  east: { members: [192.0.2.1] }
  west: { members: [192.0.2.2] }
regions: { east: [RU] }
records:
  www: { A: { ttl: 60, regions: { east: east, default: west } } }
`;

const NOW = Math.floor(Date.now() / 1000);

function database(code: string, daysAgo: number, more: Readonly<Record<string, string>> = {}): Buffer {
  const networks = {
    '5.0.0.0/8': code,
    '6.0.0.0/8': 'US',
    '7.0.0.0/8': 'US',
    '8.0.0.0/8': 'US',
    '9.0.0.0/8': 'US',
    ...more,
  };
  return buildMmdb(
    Object.entries(networks).map(([network, country]) => [network, { country_code: country }]),
    { buildEpoch: NOW - daysAgo * 86_400 },
  );
}

const publisher = new Publisher();
let server: RunningServer | null = null;

beforeAll(() => publisher.start());
afterAll(() => publisher.stop());
beforeEach(() => publisher.clear());
afterEach(async () => {
  await server?.stop();
  server = null;
});

function start(update: Readonly<Record<string, unknown>>): Promise<RunningServer> {
  return startServer({
    files: { 'zones/steered.test.yaml': ZONE },
    settings: {
      geoip: {
        update: {
          source: `${publisher.url}/country.mmdb`,
          'ca-file': publisher.caFile,
          'max-change': '30%',
          ...update,
        },
      },
    },
  });
}

const who = (running: RunningServer): Promise<string> => got(running, 'www.steered.test', { subnet: '5.1.2.0/24' });

interface UpdateView {
  readonly installedAt: string | null;
  readonly failures: number;
  readonly error: string | null;
}

async function view(
  running: RunningServer,
): Promise<{ update: UpdateView; warnings: string; databases: { file: string }[] }> {
  const { json } = await admin(running, 'GET', '/api/v1/status');
  return { update: json.geo.updates[0], warnings: json.warnings.join('\n'), databases: json.geo.databases };
}

/** The log comes a moment after the history. */
async function says(running: RunningServer, text: string): Promise<void> {
  await until(
    async () => running.output(),
    (output) => output.includes(text),
    30_000,
  );
}

describe('a server that fetches its database', { timeout: 120_000 }, () => {
  test('has it soon after its first start, and answers by it', async () => {
    publisher.withChecksum('/country.mmdb', database('RU', 3));
    server = await start({ every: '1d' });
    await until(
      () => who(server!),
      (address) => address === '192.0.2.1',
      30_000,
    );
    const { update, databases } = await view(server);
    expect(update).toMatchObject({ failures: 0, error: null, installedAt: expect.any(String) });
    expect(databases.map(({ file }) => file)).toEqual(['country.mmdb']);
    await says(server, '"geoip-updated"');
  });

  test('goes on with what it has when nothing comes, says so, and stops in time while it waits for an answer', async () => {
    publisher.on('/country.mmdb.sha256', status(403));
    server = await start({ every: '1d' });
    await until(
      () => view(server!),
      ({ update }) => update.failures === 1,
      30_000,
    );
    const { update, warnings, databases } = await view(server);
    expect(update.error).toContain('answers 403');
    expect(warnings).toContain('the update of country.mmdb failed at');
    expect(databases.map(({ file }) => file)).toEqual([EMBEDDED_DATABASE.file]);
    await says(server, '"geoip-update-failed"');
    expect((await admin(server, 'GET', '/readyz')).status).toBe(200);
    await server.stop();

    publisher.on('/country.mmdb.sha256', () => {});
    server = await start({ every: '1d' });
    await until(
      async () => publisher.paths.length,
      (requests) => requests > 1,
      30_000,
    );
    expect(await server.stop()).toBe(0);
    server = null;
  });

  test('takes what a command fetches: new, refused, forced', async () => {
    server = await start({ every: 'never' });
    const folder = server.directory;
    const update = (...args: string[]) => run(['geoip', 'update', ...args], { cwd: folder });
    const none = await update();
    expect([none.code, none.stdout]).toEqual([
      1,
      expect.stringContaining('geoip/country.mmdb: bad: there is no checksum'),
    ]);

    publisher.withChecksum('/country.mmdb', database('US', 9));
    expect((await update()).stdout).toMatch(/^geoip\/country\.mmdb: installed: built .*, the first\n$/);
    expect((await update()).stdout).toMatch(/^geoip\/country\.mmdb: unchanged: /);
    expect(await who(server)).toBe('192.0.2.2');

    publisher.withChecksum('/country.mmdb', database('RU', 5));
    const second = await update('--json');
    expect(JSON.parse(second.stdout)).toMatchObject([{ file: 'country.mmdb', outcome: 'installed', share: 0.2 }]);
    await until(
      () => who(server!),
      (address) => address === '192.0.2.1',
      30_000,
    );

    publisher.withChecksum('/country.mmdb', database('CN', 1, { '6.0.0.0/8': 'CN' }));
    const refused = await update();
    expect([refused.code, refused.stdout]).toEqual([
      1,
      expect.stringContaining('40% of the address space would change'),
    ]);
    expect((await update('--force')).code).toBe(0);
    expect(readFileSync(join(folder, 'geoip/country.mmdb.previous')).equals(database('RU', 5))).toBe(true);

    publisher.on('/country.mmdb.sha256', status(500));
    expect((await update()).code).toBe(3);
    expect(existsSync(join(folder, 'state/geoip-update.json'))).toBe(true);
    expect((await view(server)).warnings).toContain('the update of country.mmdb failed at');
  });
});

test('the command says what to write where the settings name no source', async () => {
  server = await startServer({ files: { 'zones/steered.test.yaml': ZONE } });
  const { code, stderr } = await run(['geoip', 'update'], { cwd: server.directory });
  expect(code).toBe(1);
  expect(stderr).toContain('geoip: { update: { source: rir } }');
});
