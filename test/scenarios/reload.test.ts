// Files that change under a server that goes on answering.
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningServer, startServer } from '../support/server.ts';
import { admin, askFor, Backends, countries, got, meridian, replace, until, verdicts } from '../support/story.ts';

const GEO = countries({ '1.0.0.0/8': 'RU', '2.0.0.0/8': 'BR', '3.0.0.0/8': 'US' });
const BROKEN = 'zone: one.test\nns: [ns.elsewhere.test.]\nrecords:\n  www: { A: 192.0.2.999 }\n  x: { AAAAA: 1 }\n';

/** A zone whose www has one address. */
function zone(name: string, address: string, more = ''): string {
  return `zone: ${name}\nns: [ns.elsewhere.test.]\n${more}records:\n  www: { A: ${address} }\n`;
}

interface ZoneView {
  readonly name: string;
  readonly state: string;
  readonly errors: number;
  readonly serial: number | null;
}

async function statusOf(server: RunningServer, name: string): Promise<ZoneView | undefined> {
  const { json } = await admin(server, 'GET', '/api/v1/status');
  return (json.zones as ZoneView[]).find((z) => z.name === name);
}

/** What the server says is wrong. */
async function warningsOf(server: RunningServer): Promise<string> {
  const { json } = await admin(server, 'GET', '/api/v1/status');
  return [...json.warnings, ...json.geo.problems].join('\n');
}

describe('zone files', () => {
  let server: RunningServer;
  const file = (name: string): string => join(server.directory, 'zones', name);
  const www = (name: string): Promise<string> => got(server, `www.${name}`);
  const becomes = (name: string, wanted: string, withinMs = 10_000): Promise<number> =>
    until(
      () => www(name),
      (seen) => seen === wanted,
      withinMs,
    );

  beforeAll(async () => {
    server = await startServer({
      files: {
        'geoip/countries.mmdb': GEO,
        'zones/one.test.yaml': zone('one.test', '192.0.2.1'),
        'zones/two.test.yaml': zone('two.test', '192.0.2.1'),
        'zones/never.test.yaml': BROKEN.replace('one.test', 'never.test'),
      },
      brokenZones: true,
    });
  });
  afterAll(() => server?.stop());

  test('an edit is live soon: renamed over, written in place, by a copy', async () => {
    for (let i = 2; i < 8; i++) {
      const text = zone('one.test', `192.0.2.${i}`);
      if (i % 3 === 0) replace(file('one.test.yaml'), text);
      else if (i % 3 === 1) writeFileSync(file('one.test.yaml'), text);
      else {
        writeFileSync(join(server.directory, 'copy'), text);
        copyFileSync(join(server.directory, 'copy'), file('one.test.yaml'));
      }
      await becomes('one.test', `192.0.2.${i}`);
    }
  });

  test('SIGHUP and POST /api/v1/reload read the files at once', async () => {
    writeFileSync(file('one.test.yaml'), zone('one.test', '192.0.2.20'));
    const { status, json } = await admin(server, 'POST', '/api/v1/reload');
    expect(status).toBe(200);
    expect(await www('one.test')).toBe('192.0.2.20');
    expect(JSON.stringify(json)).toContain('one.test');
    writeFileSync(file('one.test.yaml'), zone('one.test', '192.0.2.21'));
    process.kill(server.pid, 'SIGHUP');
    await becomes('one.test', '192.0.2.21');
  });

  test('a new file is a new zone, with regions and pools of its own', async () => {
    writeFileSync(
      file('new.test.yaml'),
      `zone: new.test\nns: [ns.elsewhere.test.]\npools:\n  a: { members: [192.0.2.1] }\n  b: { members: [192.0.2.2] }\nrecords:\n  www: { A: { regions: { RU: a, default: b } } }\n`,
    );
    await becomes('new.test', '192.0.2.2');
    expect(await got(server, 'www.new.test', { subnet: '1.2.3.0/24' })).toBe('192.0.2.1');
    expect(await www('two.test')).toBe('192.0.2.1');
  });

  test('a broken edit changes no answer and is told; its repair is live at once', async () => {
    const before = (await statusOf(server, 'two.test'))!;
    expect(before).toMatchObject({ state: 'ok', errors: 0 });
    replace(file('two.test.yaml'), BROKEN.replace('one.test', 'two.test'));
    await until(
      () => statusOf(server, 'two.test'),
      (seen) => seen?.state === 'stale',
    );
    expect(await www('two.test')).toBe('192.0.2.1');
    const after = (await statusOf(server, 'two.test'))!;
    expect(after.errors).toBe(2);
    expect(after.serial).toBe(before.serial);
    expect(await warningsOf(server)).toMatch(/two\.test\.yaml:4:\d+: error .*192\.0\.2\.999/);
    const { json } = await admin(server, 'GET', '/api/v1/zones/two.test');
    expect(json.diagnostics[0]).toMatchObject({ severity: 'error', line: 4 });
    expect((await admin(server, 'GET', '/readyz')).status).toBe(200);
    const reload = await admin(server, 'POST', '/api/v1/reload');
    expect(reload.json.errors.length).toBeGreaterThanOrEqual(2);
    replace(file('two.test.yaml'), zone('two.test', '192.0.2.2'));
    await becomes('two.test', '192.0.2.2');
    expect(await statusOf(server, 'two.test')).toMatchObject({ state: 'ok', errors: 0 });
    expect((await statusOf(server, 'two.test'))!.serial).toBeGreaterThan(before.serial!);
    expect(await warningsOf(server)).not.toContain('two.test');
  });

  test('a broken edit that is undone is no error any more', async () => {
    const good = readFileSync(file('two.test.yaml'));
    const { serial } = (await statusOf(server, 'two.test'))!;
    replace(file('two.test.yaml'), 'zone: [');
    await until(
      () => statusOf(server, 'two.test'),
      (seen) => seen?.state === 'stale',
    );
    replace(file('two.test.yaml'), good);
    await until(
      () => statusOf(server, 'two.test'),
      (seen) => seen?.state === 'ok',
    );
    expect(await statusOf(server, 'two.test')).toMatchObject({ errors: 0, serial });
  });

  test('a zone that never was good answers SERVFAIL while the others serve, until it is repaired', async () => {
    expect(await www('never.test')).toBe('SERVFAIL');
    expect(await got(server, 'never.test', { type: 'SOA' })).toBe('SERVFAIL');
    expect(await statusOf(server, 'never.test')).toMatchObject({ state: 'error', errors: 2 });
    expect(await www('one.test')).toBe('192.0.2.21');
    replace(file('never.test.yaml'), zone('never.test', '192.0.2.3'));
    await becomes('never.test', '192.0.2.3');
  });

  test('an edit that says the same keeps the serial; touching a file does nothing', async () => {
    const before = await statusOf(server, 'one.test');
    utimesSync(file('one.test.yaml'), new Date(), new Date());
    replace(file('one.test.yaml'), readFileSync(file('one.test.yaml')));
    await admin(server, 'POST', '/api/v1/reload');
    expect(await statusOf(server, 'one.test')).toEqual(before);
  });

  test('a file whose zone is another than its name says is an error', async () => {
    replace(file('named.test.yaml'), zone('other.test', '192.0.2.1'));
    await becomes('named.test', 'SERVFAIL');
    expect(await www('other.test')).toBe('REFUSED');
    rmSync(file('named.test.yaml'));
  });

  test('a removed file: its zone answers for a second more and goes then', async () => {
    expect(await www('new.test')).toBe('192.0.2.2');
    rmSync(file('new.test.yaml'));
    const goneMs = await becomes('new.test', 'REFUSED');
    expect(goneMs).toBeGreaterThan(950);
    expect(await statusOf(server, 'new.test')).toBeUndefined();
  });

  test('a file that is away for a moment removes nothing', async () => {
    renameSync(file('one.test.yaml'), join(server.directory, 'away'));
    await admin(server, 'POST', '/api/v1/reload');
    renameSync(join(server.directory, 'away'), file('one.test.yaml'));
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect(await www('one.test')).toBe('192.0.2.21');
    expect((await admin(server, 'POST', '/api/v1/reload')).json.removed).toEqual([]);
  });

  test('an emptied folder, and one that is gone, remove nothing; when it is back, it is followed again', async () => {
    const held = join(server.directory, 'held');
    mkdirSync(held);
    for (const name of readdirSync(join(server.directory, 'zones'))) renameSync(file(name), join(held, name));
    await admin(server, 'POST', '/api/v1/reload');
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect((await admin(server, 'POST', '/api/v1/reload')).json.removed).toEqual([]);
    expect(await www('one.test')).toBe('192.0.2.21');
    expect(await warningsOf(server)).toMatch(/empty/);
    rmSync(join(server.directory, 'zones'), { recursive: true });
    await admin(server, 'POST', '/api/v1/reload');
    expect(await www('one.test')).toBe('192.0.2.21');
    expect(await warningsOf(server)).toMatch(/cannot read the zones folder/);
    // A file in the place of the folder can't be read as one either.
    writeFileSync(join(server.directory, 'zones'), 'no folder');
    await admin(server, 'POST', '/api/v1/reload');
    expect(await www('two.test')).toBe('192.0.2.2');
    rmSync(join(server.directory, 'zones'));
    writeFileSync(join(held, 'one.test.yaml'), zone('one.test', '192.0.2.30'));
    renameSync(held, join(server.directory, 'zones'));
    await becomes('one.test', '192.0.2.30');
    expect(await warningsOf(server)).not.toMatch(/folder/);
    replace(file('one.test.yaml'), zone('one.test', '192.0.2.31'));
    await becomes('one.test', '192.0.2.31');
  });

  test('a folder that is a link to a release is followed when the link changes', async () => {
    const releases = join(server.directory, 'releases');
    for (const [release, address] of [
      ['a', '192.0.2.41'],
      ['b', '192.0.2.42'],
    ] as const) {
      mkdirSync(join(releases, release), { recursive: true });
      writeFileSync(join(releases, release, 'one.test.yaml'), zone('one.test', address));
      writeFileSync(join(releases, release, 'two.test.yaml'), zone('two.test', '192.0.2.2'));
    }
    renameSync(join(server.directory, 'zones'), join(server.directory, 'old'));
    symlinkSync(join(releases, 'a'), join(server.directory, 'zones'));
    await becomes('one.test', '192.0.2.41');
    symlinkSync(join(releases, 'b'), join(server.directory, 'link'));
    renameSync(join(server.directory, 'link'), join(server.directory, 'zones'));
    await becomes('one.test', '192.0.2.42');
    await becomes('never.test', 'REFUSED');
    // What lies behind the link is watched too.
    replace(join(releases, 'b', 'one.test.yaml'), zone('one.test', '192.0.2.43'));
    await becomes('one.test', '192.0.2.43');
  });

  test('files that are links into a folder that changes as a whole, as in Kubernetes', async () => {
    const zones = join(server.directory, 'mounted');
    mkdirSync(join(zones, '..a'), { recursive: true });
    mkdirSync(join(zones, '..b'));
    writeFileSync(join(zones, '..a', 'one.test.yaml'), zone('one.test', '192.0.2.51'));
    writeFileSync(join(zones, '..b', 'one.test.yaml'), zone('one.test', '192.0.2.52'));
    symlinkSync('..a', join(zones, '..data'));
    symlinkSync('..data/one.test.yaml', join(zones, 'one.test.yaml'));
    symlinkSync(zones, join(server.directory, 'link'));
    renameSync(join(server.directory, 'link'), join(server.directory, 'zones'));
    await becomes('one.test', '192.0.2.51');
    symlinkSync('..b', join(zones, '..tmp'));
    renameSync(join(zones, '..tmp'), join(zones, '..data'));
    await becomes('one.test', '192.0.2.52');
  });
});

describe('what lies beside the zone files', () => {
  let server: RunningServer;
  let backends: Backends;
  const path = (name: string): string => join(server.directory, name);
  const from = (subnet: string): Promise<string> => got(server, 'www.uses.test', { subnet });
  const becomes = (look: () => Promise<string>, wanted: string): Promise<number> =>
    until(look, (seen) => seen === wanted);

  const common = (address: string): string => `
regions:
  east: [RU]
pools:
  shared: { members: [${address}] }
  main: { members: [192.0.2.2] }
`;
  const uses = `
zone: uses.test
ns: [ns.elsewhere.test.]
records:
  www: { A: { regions: { east: shared, default: main } } }
`;

  beforeAll(async () => {
    backends = await Backends.start(['127.40.0.1', '127.40.0.2']);
    server = await startServer({
      files: {
        'geoip/countries.mmdb': GEO,
        'geoip/overrides.yaml':
          'version: meridian/v1\nnetworks: { 3.3.0.0/16: RU }\nlists: [{ file: offices.txt, place: { country: RU } }]\n',
        'geoip/offices.txt': '# offices\n3.4.0.0/16\n',
        'zones/_common.yaml': common('192.0.2.1'),
        'zones/uses.test.yaml': uses,
        'zones/watched.test.yaml': `zone: watched.test
ns: [ns.elsewhere.test.]
checks: { alive: { tcp: { port: ${backends.port} }, interval: 30s, timeout: 1s, fall: 1, rise: 1 } }
pools:
  a: { check: alive, members: [127.40.0.1, 127.40.0.9] }
records: { www: { A: { pools: [a] } } }
`,
        'zones/alone.test.yaml': zone('alone.test', '192.0.2.7'),
      },
    });
  });
  afterAll(async () => {
    await server?.stop();
    await backends?.stop();
  });

  test('_common.yaml: an edit is live in the zones that use it, a broken one changes nothing, a repaired one is live', async () => {
    expect(await from('1.0.0.0/24')).toBe('192.0.2.1');
    replace(path('zones/_common.yaml'), common('192.0.2.11'));
    await becomes(() => from('1.0.0.0/24'), '192.0.2.11');
    replace(path('zones/_common.yaml'), 'pools: { shared: { members: [nonsense] } }\n');
    await until(
      () => warningsOf(server),
      (seen) => seen.includes('_common.yaml'),
    );
    expect(await from('1.0.0.0/24')).toBe('192.0.2.11');
    expect(await got(server, 'www.alone.test')).toBe('192.0.2.7');
    // A zone that is edited meanwhile is served with the last good one.
    replace(path('zones/uses.test.yaml'), uses.replace('default: main', 'BR: shared, default: main'));
    await becomes(() => from('2.0.0.0/24'), '192.0.2.11');
    replace(path('zones/_common.yaml'), common('192.0.2.12'));
    await becomes(() => from('1.0.0.0/24'), '192.0.2.12');
    expect(await warningsOf(server)).not.toContain('_common.yaml');
  });

  test('overrides: an edit is live, a broken one changes nothing and is told, a repaired one is live', async () => {
    expect(await from('3.3.0.0/24')).toBe('192.0.2.12');
    expect(await from('3.4.0.0/24')).toBe('192.0.2.12');
    expect(await from('3.5.0.0/24')).toBe('192.0.2.2');
    replace(path('geoip/overrides.yaml'), 'networks: { 3.5.0.0/16: { country: RU } }\n');
    await becomes(() => from('3.5.0.0/24'), '192.0.2.12');
    expect(await from('3.4.0.0/24')).toBe('192.0.2.2');
    replace(path('geoip/overrides.yaml'), 'networks: { 3.5.0.0/16: XX, 3.6.0.0/99: RU }\n');
    await until(
      () => warningsOf(server),
      (seen) => seen.includes('overrides.yaml:1'),
    );
    expect(await from('3.5.0.0/24')).toBe('192.0.2.12');
    replace(
      path('geoip/overrides.yaml'),
      'networks: { 3.6.0.0/16: RU }\nlists: [{ file: offices.txt, place: { country: RU } }]\n',
    );
    await becomes(() => from('3.6.0.0/24'), '192.0.2.12');
    expect(await from('3.5.0.0/24')).toBe('192.0.2.2');
    expect(await warningsOf(server)).not.toContain('overrides');
    appendFileSync(path('geoip/offices.txt'), '3.7.0.0/16\n');
    await becomes(() => from('3.7.0.0/24'), '192.0.2.12');
  });

  test('a database is replaced while it serves; a truncated one and garbage change nothing and are told', async () => {
    const next = countries({ '1.0.0.0/8': 'US', '2.0.0.0/8': 'RU', '3.0.0.0/8': 'US' });
    expect(await from('1.0.0.0/24')).toBe('192.0.2.12');
    replace(path('geoip/countries.mmdb'), next);
    await becomes(() => from('1.0.0.0/24'), '192.0.2.2');
    for (const broken of [next.subarray(0, next.length / 2), Buffer.from('garbage'), Buffer.alloc(0)]) {
      replace(path('geoip/countries.mmdb'), broken);
      await until(
        () => warningsOf(server),
        (seen) => seen.includes('countries.mmdb'),
      );
      expect(await from('2.0.0.0/24')).toBe('192.0.2.12');
      expect(await from('1.0.0.0/24')).toBe('192.0.2.2');
      // Zones are edited all the same.
      const address = `192.0.2.${100 + (broken.length % 100)}`;
      replace(path('zones/alone.test.yaml'), zone('alone.test', address));
      await becomes(() => got(server, 'www.alone.test'), address);
      replace(path('geoip/countries.mmdb'), next);
      await until(
        () => warningsOf(server),
        (seen) => !seen.includes('countries.mmdb'),
      );
    }
    // Written in place, slowly.
    const again = countries({ '1.0.0.0/8': 'RU' });
    writeFileSync(path('geoip/countries.mmdb'), again.subarray(0, 100));
    await new Promise((resolve) => setTimeout(resolve, 150));
    appendFileSync(path('geoip/countries.mmdb'), again.subarray(100));
    await becomes(() => from('1.0.0.0/24'), '192.0.2.12');
    expect(await from('2.0.0.0/24')).toBe('192.0.2.2');
  });

  test('without a database of its own the server goes on with the embedded one', async () => {
    rmSync(path('geoip/countries.mmdb'));
    // 77.88.8.8 has been in Russia for long.
    await until(
      () => got(server, 'www.uses.test', { subnet: '77.88.8.0/24' }),
      (seen) => seen === '192.0.2.12',
    );
    replace(path('geoip/countries.mmdb'), GEO);
    await until(
      () => got(server, 'www.uses.test', { subnet: '77.88.8.0/24' }),
      (seen) => seen === '192.0.2.2',
    );
  });

  test('verdicts of targets that an edit leaves alone stay: nothing is unknown, nothing is probed anew', async () => {
    const id = 'watched.test/a/127.40.0.1';
    const target = async () =>
      (await admin(server, 'GET', '/api/v1/health')).json.targets.find((t: { id: string }) => t.id === id);
    const before = await target();
    expect(before).toMatchObject({ state: 'up' });
    const probes = backends.connections.get('127.40.0.1');
    const text = readFileSync(path('zones/watched.test.yaml'), 'utf8');
    replace(path('zones/watched.test.yaml'), text.replace('[127.40.0.1, ', '[127.40.0.1, 127.40.0.2, '));
    await until(
      () => got(server, 'www.watched.test'),
      (seen) => seen === '127.40.0.1 127.40.0.2',
    );
    expect(await target()).toMatchObject({ state: 'up', since: before.since, lastProbe: before.lastProbe });
    await until(
      () => verdicts(server),
      (seen) => seen['watched.test/a/127.40.0.2'] === 'up',
    );
    expect(backends.connections.get('127.40.0.1')).toBe(probes);
    expect(await verdicts(server)).toMatchObject({ 'watched.test/a/127.40.0.9': 'down' });
  });

  test('each query sees a whole old or a whole new zone, never a mixture', async () => {
    const pair = (n: number): string =>
      `zone: pair.test\nns: [ns.elsewhere.test.]\nrecords:\n  www: { A: [10.0.${n}.1, 10.0.${n}.2, 10.0.${n}.3] }\n`;
    writeFileSync(path('zones/pair.test.yaml'), pair(0));
    await until(
      () => got(server, 'www.pair.test'),
      (seen) => seen !== 'REFUSED',
    );
    const seen = new Set<string>();
    for (let n = 1; n <= 8; n++) {
      replace(path('zones/pair.test.yaml'), pair(n));
      const wanted = [1, 2, 3].map((k) => `10.0.${n}.${k}`).join(' ');
      await until(
        async () => {
          const reply = await askFor(server, 'www.pair.test');
          const answer = reply.answers.map((r) => r.data).join(' ');
          seen.add([...new Set(reply.answers.map((r) => r.data.split('.')[2]))].join());
          return answer;
        },
        (answer) => answer === wanted,
      );
    }
    expect([...seen].every((thirds) => !thirds.includes(','))).toBe(true);
  });
});

describe('across a restart', () => {
  test('the last good versions of a zone, of _common.yaml and of the overrides are served, loudly', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'meridian-stale-'));
    const file = (name: string): string => join(directory, name);
    try {
      const first = await startServer({
        directory,
        files: {
          'geoip/countries.mmdb': GEO,
          'geoip/overrides.yaml': 'networks: { 3.3.0.0/16: RU }\n',
          'zones/_common.yaml': 'pools: { shared: { members: [192.0.2.1] } }\n',
          'zones/uses.test.yaml': zone(
            'uses.test',
            '{ regions: { RU: shared, default: own } }',
            'pools: { own: { members: [192.0.2.2] } }\n',
          ),
          'zones/one.test.yaml': zone('one.test', '192.0.2.3'),
        },
      });
      const { serial } = (await statusOf(first, 'one.test'))!;
      await first.stop();
      writeFileSync(file('zones/one.test.yaml'), BROKEN);
      writeFileSync(file('zones/_common.yaml'), 'pools: { shared: { members: [] } }\n');
      writeFileSync(file('geoip/overrides.yaml'), 'networks: { 3.3.0.0/16: nowhere }\n');
      writeFileSync(file('zones/fresh.test.yaml'), BROKEN.replace('one.test', 'fresh.test'));
      const second = await startServer({ directory, files: {}, brokenZones: true });
      try {
        expect(await got(second, 'www.one.test')).toBe('192.0.2.3');
        expect(await statusOf(second, 'one.test')).toMatchObject({ state: 'stale', errors: 2, serial });
        expect(await got(second, 'www.uses.test', { subnet: '3.3.3.0/24' })).toBe('192.0.2.1');
        expect(await got(second, 'www.fresh.test')).toBe('SERVFAIL');
        const warnings = await warningsOf(second);
        for (const name of ['_common.yaml', 'overrides.yaml', 'one.test.yaml']) expect(warnings).toContain(name);
        expect(second.output()).toMatch(/zone-stale/);
        // It is repaired as if nothing had been.
        replace(file('zones/one.test.yaml'), zone('one.test', '192.0.2.4'));
        await until(
          () => got(second, 'www.one.test'),
          (seen) => seen === '192.0.2.4',
        );
      } finally {
        await second.stop();
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test('without a good version: overrides are ignored, zones that use _common are in error, the others serve', async () => {
    const server = await startServer({
      files: {
        'geoip/countries.mmdb': GEO,
        'geoip/overrides.yaml': 'networks: { 1.1.0.0/16: nowhere }\n',
        'zones/_common.yaml': 'pools: { shared: { members: [] } }\n',
        'zones/uses.test.yaml': zone('uses.test', '{ pools: [shared] }'),
        'zones/alone.test.yaml': zone(
          'alone.test',
          '{ regions: { RU: a, default: b } }',
          'pools: { a: { members: [192.0.2.1] }, b: { members: [192.0.2.2] } }\n',
        ),
      },
      brokenZones: true,
    });
    try {
      expect(await got(server, 'www.uses.test')).toBe('SERVFAIL');
      expect(await got(server, 'www.alone.test', { subnet: '1.1.1.0/24' })).toBe('192.0.2.1');
      expect(await got(server, 'www.alone.test')).toBe('192.0.2.2');
      expect(await warningsOf(server)).toContain('overrides.yaml');
      replace(join(server.directory, 'zones/_common.yaml'), 'pools: { shared: { members: [192.0.2.9] } }\n');
      await until(
        () => got(server, 'www.uses.test'),
        (seen) => seen === '192.0.2.9',
      );
    } finally {
      await server.stop();
    }
  });

  test('state that is damaged is as good as none, and an empty folder of zones is filled later', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'meridian-damaged-'));
    try {
      const first = await startServer({
        directory,
        files: {
          'geoip/countries.mmdb': GEO,
          'geoip/overrides.yaml': 'networks: { 3.3.0.0/16: RU }\n',
          'zones/_common.yaml': 'pools: { shared: { members: [192.0.2.1] } }\n',
          'zones/uses.test.yaml': zone('uses.test', '{ regions: { RU: shared, default: shared } }'),
        },
      });
      await admin(first, 'PUT', '/api/v1/pools/_common/shared/force', { state: 'up', for: '1h', reason: 'x' });
      await first.stop();
      const damaged: string[] = [];
      for (const entry of readdirSync(join(directory, 'state'), { recursive: true, withFileTypes: true })) {
        // The tokens and keys of an operator are no state to be thrown away.
        if (!entry.isFile() || /key|token/.test(entry.name)) continue;
        writeFileSync(join(entry.parentPath, entry.name), '{"damaged');
        damaged.push(entry.name);
      }
      expect(damaged.length).toBeGreaterThan(4);
      rmSync(join(directory, 'zones/uses.test.yaml'));
      const second = await startServer({ directory, files: {} });
      try {
        expect(await got(second, 'www.uses.test')).toBe('REFUSED');
        writeFileSync(join(directory, 'zones/uses.test.yaml'), zone('uses.test', '{ pools: [shared] }'));
        await until(
          () => got(second, 'www.uses.test'),
          (seen) => seen === '192.0.2.1',
        );
      } finally {
        await second.stop();
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test('--strict refuses to start with errors in a zone, _common.yaml or the overrides, and says all of them', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'meridian-strict-'));
    const put = (name: string, text: string | Uint8Array): void => writeFileSync(join(directory, name), text);
    try {
      for (const folder of ['zones', 'geoip']) mkdirSync(join(directory, folder));
      put('meridian.yaml', 'listen: ["127.0.0.1:0"]\nadmin: { listen: "127.0.0.1:0" }\n');
      put('geoip/countries.mmdb', GEO);
      put('geoip/overrides.yaml', 'networks: { 1.1.0.0/16: nowhere }\n');
      put('zones/_common.yaml', 'pools: { shared: { members: [] } }\n');
      put('zones/one.test.yaml', BROKEN);
      const ran = await meridian(['serve', '--strict', '--config', join(directory, 'meridian.yaml')]);
      expect(ran.code).toBe(1);
      for (const place of ['one.test.yaml:4', 'one.test.yaml:5', '_common.yaml:1', 'overrides.yaml:1']) {
        expect(ran.err).toContain(place);
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
