// What is wrong with one file stays that file's: the others load, the server answers, and stops when it is told to.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { canHang, type Hung, hang } from '../support/hung.ts';
import { Mounts } from '../support/mounts.ts';
import { have } from '../support/programs.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { admin, countries, got, until } from '../support/story.ts';

const PATIENCE_MS = 60_000;
vi.setConfig({ testTimeout: 3 * PATIENCE_MS });
const GEO = countries({ '1.0.0.0/8': 'RU', '2.0.0.0/8': 'BR' });

function zone(name: string, address: string, more = ''): string {
  return `zone: ${name}\nns: [ns.elsewhere.test.]\n${more}records:\n  www: { A: ${address} }\n`;
}

const rows = (count: number, row: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => row(i)).join('');

/** Files that are too much for whoever writes every combination out, or follows every chain. */
const BOMBS: Readonly<Record<string, string>> = {
  doubling: `checks:\n  c0: { tcp: { port: 1 } }\n${rows(40, (i) => `  c${i + 1}: { all: [c${i}, c${i}] }\n`)}pools:\n  p: { check: c40, members: [192.0.2.1] }\n`,
  chain: `checks:\n${rows(500, (i) => `  c${i}: { all: [c${i + 1}] }\n`)}  c500: { tcp: { port: 1 } }\n`,
  'chain-upwards': `checks:\n  c0: { tcp: { port: 1 } }\n${rows(500, (i) => `  c${i + 1}: { all: [c${i}] }\n`)}`,
  laughs: `a0: &a0 [x]\n${rows(9, (i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`)}]\n`)}`,
  lists: `pools: ${'['.repeat(500)}${']'.repeat(500)}\n`,
};

interface ZoneView {
  readonly name: string;
  readonly state: string;
  readonly diagnostics?: readonly { code: string; message: string; excerpt: string }[];
}

let server: RunningServer | null = null;
afterEach(async () => {
  await server?.stop();
  server = null;
});

async function zoneOf(name: string): Promise<ZoneView> {
  const { json } = await admin(server!, 'GET', `/api/v1/zones/${name}`);
  return json as ZoneView;
}

const becomes = (name: string, wanted: string): Promise<number> =>
  until(
    () => got(server!, `www.${name}`),
    (seen) => seen === wanted,
    PATIENCE_MS,
  );

describe('a file that is too much', () => {
  test('combinations that double, endless chains, aliases of aliases and deep lists are errors of their zones alone', async () => {
    const files: Record<string, string> = { 'zones/good.test.yaml': zone('good.test', '192.0.2.1') };
    for (const [name, bomb] of Object.entries(BOMBS)) {
      files[`zones/${name}.test.yaml`] = zone(`${name}.test`, '192.0.2.9', bomb);
    }
    server = await startServer({ files, brokenZones: true });
    expect(await got(server, 'www.good.test')).toBe('192.0.2.1');
    for (const name of Object.keys(BOMBS)) {
      expect(await got(server, `www.${name}.test`)).toBe('SERVFAIL');
      expect((await zoneOf(`${name}.test`)).state).toBe('error');
    }
    writeFileSync(join(server.directory, 'zones/good.test.yaml'), zone('good.test', '192.0.2.2'));
    await becomes('good.test', '192.0.2.2');
  });

  test('in _common.yaml it is an error of the zones that use it', async () => {
    server = await startServer({
      files: {
        'zones/_common.yaml': BOMBS.doubling!,
        'zones/good.test.yaml': zone('good.test', '192.0.2.1'),
        'zones/user.test.yaml':
          'zone: user.test\nns: [ns.elsewhere.test.]\nrecords:\n  www: { ADDR: { pools: [p] } }\n',
      },
      brokenZones: true,
    });
    expect(await got(server, 'www.good.test')).toBe('192.0.2.1');
    expect(await got(server, 'www.user.test')).toBe('SERVFAIL');
  });

  test('a zone whose name is as long as names can be loads, changes and survives a restart', async () => {
    const name = `${'a'.repeat(61)}.${'b'.repeat(61)}.${'c'.repeat(61)}.${'d'.repeat(58)}.t`;
    expect(name.length).toBe(246);
    const directory = mkdtempSync(join(tmpdir(), 'meridian-'));
    try {
      const files = {
        [`zones/${name}.yaml`]: zone(name, '192.0.2.1'),
        'zones/b.test.yaml': zone('b.test', '192.0.2.1'),
      };
      server = await startServer({ files, directory });
      writeFileSync(join(directory, 'zones/b.test.yaml'), zone('b.test', '192.0.2.2'));
      await becomes('b.test', '192.0.2.2');
      await server.stop();
      // Its last good version was kept.
      server = await startServer({ files: { [`zones/${name}.yaml`]: 'zone: [' }, directory, brokenZones: true });
      expect((await zoneOf(name)).state).toBe('stale');
    } finally {
      await server?.stop();
      server = null;
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe('what is no file', () => {
  test.runIf(have('mkfifo'))(
    'pipes, folders and devices where files should be hold nothing up, at a start and while running, and SIGTERM is heard',
    async () => {
      const directory = mkdtempSync(join(tmpdir(), 'meridian-'));
      try {
        mkdirSync(join(directory, 'zones/folder.test.yaml'), { recursive: true });
        mkdirSync(join(directory, 'geoip'));
        for (const path of ['zones/_common.yaml', 'zones/pipe.test.yaml', 'geoip/x.mmdb', 'geoip/overrides.yaml']) {
          execFileSync('mkfifo', [join(directory, path)]);
        }
        symlinkSync('/dev/zero', join(directory, 'zones/device.test.yaml'));
        const files = { 'zones/good.test.yaml': zone('good.test', '192.0.2.1'), 'geoip/good.mmdb': GEO };
        server = await startServer({ directory, files, brokenZones: true });
        expect(await got(server, 'www.good.test')).toBe('192.0.2.1');
        for (const name of ['pipe', 'folder', 'device']) {
          const { state, diagnostics } = await zoneOf(`${name}.test`);
          expect(state).toBe('error');
          expect(diagnostics?.[0]?.code).toBe('unreadable-file');
        }
        unlinkSync(join(directory, 'zones/pipe.test.yaml'));
        writeFileSync(join(directory, 'zones/pipe.test.yaml'), zone('pipe.test', '192.0.2.3'));
        await becomes('pipe.test', '192.0.2.3');
        const { json } = await admin(server, 'GET', '/api/v1/status');
        expect(json.geo.problems.join()).toContain('x.mmdb');
        expect(await server.stop()).toBe(0);
      } finally {
        server = null;
        rmSync(directory, { recursive: true, force: true });
      }
    },
  );
});

describe.runIf(canHang())('a file system that does not answer', () => {
  test('holds up nothing but what lies there, is told, and is read when it answers; SIGTERM ends the program meanwhile', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'meridian-'));
    const mounts = await Mounts.create();
    let hung: Hung | null = null;
    try {
      for (const folder of ['far', 'zones', 'geoip']) mkdirSync(join(directory, folder));
      writeFileSync(join(directory, 'far/far.test.yaml'), zone('far.test', '192.0.2.7'));
      writeFileSync(join(directory, 'far/x.mmdb'), GEO);
      symlinkSync('../far/far.test.yaml', join(directory, 'zones/far.test.yaml'));
      symlinkSync('../far/x.mmdb', join(directory, 'geoip/x.mmdb'));
      symlinkSync('../far/overrides.yaml', join(directory, 'geoip/overrides.yaml'));
      hung = await hang(mounts, join(directory, 'far'));
      const files = { 'zones/good.test.yaml': zone('good.test', '192.0.2.1') };
      server = await startServer({ directory, files, brokenZones: true, within: mounts.within });
      expect(await got(server, 'www.good.test')).toBe('192.0.2.1');
      expect(await got(server, 'www.far.test')).toBe('SERVFAIL');
      expect((await zoneOf('far.test')).diagnostics?.[0]?.message).toContain('does not answer');
      // Later looks pass it by.
      writeFileSync(join(directory, 'zones/good.test.yaml'), zone('good.test', '192.0.2.2'));
      await becomes('good.test', '192.0.2.2');
      await hung.answer();
      hung = null;
      await becomes('far.test', '192.0.2.7');
      hung = await hang(mounts, join(directory, 'far'));
      writeFileSync(join(directory, 'zones/good.test.yaml'), zone('good.test', '192.0.2.3'));
      await becomes('good.test', '192.0.2.3');
      expect(await got(server, 'www.far.test')).toBe('192.0.2.7');
      expect(await server.stop()).toBe(0);
    } finally {
      server = null;
      await hung?.answer();
      mounts.remove();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe('links out of the zones folder', () => {
  test('are served when they lead to the zone, and show nothing of a file that is none', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'meridian-'));
    try {
      for (const folder of ['zones/..data', 'elsewhere']) mkdirSync(join(directory, folder), { recursive: true });
      writeFileSync(join(directory, 'elsewhere/secret'), 'admin-token-of-somebody: mrd_abcdef\nother: [');
      writeFileSync(join(directory, 'elsewhere/good.yaml'), zone('linked.test', '192.0.2.4'));
      writeFileSync(join(directory, 'elsewhere/slip.yaml'), zone('slip.test', '192.0.2.999'));
      writeFileSync(join(directory, 'zones/..data/inside.test.yaml'), zone('inside.test', '192.0.2.999'));
      symlinkSync('../elsewhere/secret', join(directory, 'zones/secret.test.yaml'));
      symlinkSync('../elsewhere/good.yaml', join(directory, 'zones/linked.test.yaml'));
      symlinkSync('../elsewhere/slip.yaml', join(directory, 'zones/slip.test.yaml'));
      symlinkSync('..data/inside.test.yaml', join(directory, 'zones/inside.test.yaml'));
      server = await startServer({ directory, files: {}, brokenZones: true });
      expect(await got(server, 'www.linked.test')).toBe('192.0.2.4');
      const secret = await zoneOf('secret.test');
      expect(secret.state).toBe('error');
      expect(secret.diagnostics?.map(({ code }) => code)).toEqual(['linked-file']);
      const [slip] = (await zoneOf('slip.test')).diagnostics ?? [];
      expect(slip).toMatchObject({ code: 'bad-address', excerpt: '' });
      expect((await zoneOf('inside.test')).diagnostics?.[0]?.excerpt).toContain('192.0.2.999');
      const { json } = await admin(server, 'GET', '/api/v1/status');
      expect(JSON.stringify(json) + JSON.stringify(secret) + server.output()).not.toMatch(/mrd_|of-somebody/);
    } finally {
      await server?.stop();
      server = null;
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe('geography at a start', () => {
  const steered =
    'zone: geo.test\nns: [ns.elsewhere.test.]\npools:\n  a: { members: [192.0.2.1] }\n  b: { members: [192.0.2.2] }\nrecords:\n  www: { ADDR: { regions: { RU: [a], default: [b] } } }\n';
  const fromRussia = (): Promise<string> => got(server!, 'www.geo.test', { subnet: '1.2.3.0/24' });

  test('a broken database beside a good one is left out, loudly', async () => {
    server = await startServer({
      files: {
        'zones/geo.test.yaml': steered,
        'geoip/good.mmdb': GEO,
        'geoip/half.mmdb': GEO.subarray(0, 500),
        'geoip/none.mmdb': '',
      },
    });
    expect(await fromRussia()).toBe('192.0.2.1');
    const { json } = await admin(server, 'GET', '/api/v1/status');
    expect(json.geo.problems).toHaveLength(2);
    expect(server.output()).toContain('geo-broken');
  });

  test('of a database that broke since, the last good content is kept across a restart; --strict refuses', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'meridian-'));
    try {
      server = await startServer({ directory, files: { 'zones/geo.test.yaml': steered, 'geoip/only.mmdb': GEO } });
      expect(await fromRussia()).toBe('192.0.2.1');
      await server.stop();
      server = await startServer({ directory, files: { 'geoip/only.mmdb': GEO.subarray(0, 500) } });
      expect(await fromRussia()).toBe('192.0.2.1');
      const { json } = await admin(server, 'GET', '/api/v1/status');
      expect(json.geo.problems.join()).toContain('only.mmdb');
      await server.stop();
      // Other content is read, not what was kept.
      const moved = countries({ '1.0.0.0/8': 'BR' });
      server = await startServer({ directory, files: { 'geoip/only.mmdb': moved } });
      expect(await fromRussia()).toBe('192.0.2.2');
    } finally {
      await server?.stop();
      server = null;
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
