// What scripts and supervisors see of a real server: the admin's JSON, the commands, their exit codes.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/ports.ts';
import { Program } from '../support/programs.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { admin, askFor, Backends, countries, got, meridian, until } from '../support/story.ts';

const GEO = countries({ '1.0.0.0/8': 'RU', '2.0.0.0/8': 'BR', '3.0.0.0/8': 'US', '4.0.0.0/8': 'FR' });
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

const zone = (port: number): string =>
  `
zone: outside.test
owner: web-team
ns: [ns.elsewhere.test.]
checks:
  alive: { tcp: { port: ${port} }, interval: 500ms, timeout: 400ms, fall: 1, rise: 1 }
pools:
  a: { check: alive, members: [127.50.0.1, { address: 127.50.0.2, weight: 3, name: second }, "::1"] }
  b: { members: [192.0.2.1, "2001:db8::1"] }
records:
  www: { ADDR: { ttl: { max: 300, min: 20 }, regions: { RU: [a, b], europe: b, default: { closest: [c, d] } } } }
  static: { A: 192.0.2.9 }
`.replace('records:', '  c: { at: [1, 1], members: [192.0.2.3] }\n  d: { at: [2, 2], members: [192.0.2.4] }\nrecords:');

describe('the admin of a server', () => {
  let server: RunningServer;
  let backends: Backends;
  beforeAll(async () => {
    backends = await Backends.start(['127.50.0.1']);
    server = await startServer({
      files: { 'zones/outside.test.yaml': zone(backends.port), 'geoip/countries.mmdb': GEO },
    });
  });
  afterAll(async () => {
    await server?.stop();
    await backends?.stop();
  });
  const get = async (path: string) => {
    const { status, json } = await admin(server, 'GET', path);
    expect([path, status]).toEqual([path, 200]);
    return json;
  };

  test('/healthz, /readyz and /metrics', async () => {
    await get('/healthz');
    await get('/readyz');
    const metrics = await fetch(`${server.admin}/metrics`);
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(await metrics.text()).toMatch(/^meridian_[a-z_]+(\{[^}]*\})? [0-9.e+]+$/m);
  });

  test('/api/v1/health', async () => {
    const { targets } = await get('/api/v1/health');
    const byId = new Map<string, unknown>(targets.map((t: { id: string }) => [t.id, t]));
    expect([...byId.keys()].sort()).toEqual([
      'outside.test/a/127.50.0.1',
      'outside.test/a/127.50.0.2',
      'outside.test/a/::1',
      'outside.test/b/192.0.2.1',
      'outside.test/b/2001:db8::1',
      'outside.test/c/192.0.2.3',
      'outside.test/d/192.0.2.4',
    ]);
    expect(byId.get('outside.test/a/127.50.0.1')).toMatchObject({
      ...{ id: 'outside.test/a/127.50.0.1', zone: 'outside.test', pool: 'a', address: '127.50.0.1', check: 'alive' },
      ...{ state: 'up', forced: null, since: ISO },
      lastProbe: { ok: true, reason: expect.any(String), latencyMs: expect.any(Number), at: ISO },
    });
    expect(byId.get('outside.test/a/127.50.0.2')).toMatchObject({ state: 'down', lastProbe: { ok: false } });
    expect(byId.get('outside.test/b/192.0.2.1')).toMatchObject({
      check: null,
      state: 'up',
      forced: null,
      lastProbe: null,
    });
  });

  test('/api/v1/zones and /api/v1/zones/NAME', async () => {
    const { zones } = await get('/api/v1/zones');
    expect(zones).toMatchObject([
      { name: 'outside.test', owner: 'web-team', state: 'ok', errors: 0, warnings: expect.any(Number) },
    ]);
    const one = await get('/api/v1/zones/outside.test');
    expect(one).toMatchObject({ name: 'outside.test', serial: expect.any(Number) });
    const soa = await askFor(server, 'outside.test', { type: 'SOA' });
    expect(soa.answers[0]!.data).toContain(` ${one.serial} `);
    expect((await admin(server, 'GET', '/api/v1/zones/elsewhere.test')).status).toBe(404);
  });

  test('/api/v1/explain', async () => {
    const told = await get('/api/v1/explain?name=www.outside.test&type=A&client=1.2.3.4');
    expect(told).toMatchObject({
      question: { name: expect.stringMatching(/^www\.outside\.test/), type: 'A' },
      client: { address: '1.2.3.4', source: 'ecs' },
      place: { country: 'RU', continent: 'EU' },
      region: { name: expect.any(String), match: 'RU', candidates: expect.any(Array) },
      answer: {
        rcode: 'NOERROR',
        records: [expect.stringMatching(/127\.50\.0\.1$/)],
        ttlReason: expect.any(String),
        scope: 8,
      },
    });
    expect(told.answer.ttl).toBe((await askFor(server, 'www.outside.test', { subnet: '1.2.3.4/32' })).answers[0]!.ttl);
    expect(told.region.candidates.length).toBe(3);
    expect(told.pools.map((p: { name: string; state: string }) => [p.name, p.state])).toEqual([
      ['a', 'up'],
      ['b', 'up'],
    ]);
    expect(told.pools[0].members).toMatchObject([
      {
        address: '127.50.0.1',
        state: 'up',
        forced: null,
        chosen: true,
        why: expect.any(String),
        lastProbe: { ok: true },
      },
      { address: '127.50.0.2', state: 'down', forced: null, chosen: false, why: expect.stringMatching(/down/) },
    ]);
    expect((await get('/api/v1/explain?name=www.outside.test&resolver=2.0.0.1')).client).toMatchObject({
      address: '2.0.0.1',
      source: 'resolver',
    });
    expect((await get('/api/v1/explain?name=www.outside.test&subnet=4.4.0.0/16')).client).toMatchObject({
      source: 'ecs',
    });
    expect(await get('/api/v1/explain?name=static.outside.test')).toMatchObject({
      region: null,
      pools: [],
      answer: { scope: 0, ttl: 300 },
    });
    expect((await get('/api/v1/explain?name=nothing.outside.test')).answer.rcode).toBe('NXDOMAIN');
    expect((await get('/api/v1/explain?name=elsewhere.example')).answer.rcode).toBe('REFUSED');
    for (const bad of [
      '',
      '?name=a..b',
      '?name=www.outside.test&client=1.2.3',
      '?name=x.test&type=NONSENSE',
      '?name=x.test&subnet=1.2.3.4/99',
    ]) {
      const reply = await admin(server, 'GET', `/api/v1/explain${bad}`);
      expect([bad, reply.status]).toEqual([bad, 400]);
    }
  });

  test('/api/v1/coverage', async () => {
    const { rows } = await get('/api/v1/coverage?name=www.outside.test&type=A');
    expect(rows).toEqual(
      expect.arrayContaining([
        { place: 'RU', region: 'RU', pool: 'a' },
        { place: 'FR', region: 'europe', pool: 'b' },
        { place: 'US', region: 'default', pool: expect.stringMatching(/^[cd]$/) },
      ]),
    );
  });

  test('/api/v1/events as JSON and as a stream', async () => {
    const { events } = await get('/api/v1/events');
    expect(events[0]).toMatchObject({ id: expect.any(Number), at: ISO });
    const stream = await fetch(`${server.admin}/api/v1/events`, { headers: { accept: 'text/event-stream' } });
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const reader = stream.body!.getReader();
    await backends.close('127.50.0.1');
    let text = '';
    while (!text.includes('127.50.0.1')) text += Buffer.from((await reader.read()).value!).toString();
    await reader.cancel();
    await backends.open('127.50.0.1');
    await until(
      () => got(server, 'www.outside.test', { subnet: '1.0.0.0/24' }),
      (seen) => seen === '127.50.0.1',
      5_000,
    );
  });

  test('force and its end, of a target and of a pool, with the id as one segment', async () => {
    const target = `/api/v1/targets/${encodeURIComponent('outside.test/b/2001:db8::1')}/force`;
    const reply = await admin(server, 'PUT', target, { state: 'drain', for: '30m', reason: 'works' });
    expect(reply.status).toBe(200);
    const forced = { state: 'drain', until: ISO, reason: 'works', by: expect.any(String) };
    const { targets } = await get('/api/v1/health');
    expect(targets.find((t: { id: string }) => t.id === 'outside.test/b/2001:db8::1').forced).toEqual(forced);
    expect(Date.parse(reply.json.target.forced.until) - Date.now()).toBeGreaterThan(29 * 60_000);
    expect((await admin(server, 'DELETE', target)).status).toBe(200);
    const pool = '/api/v1/pools/outside.test/b/force';
    expect((await admin(server, 'PUT', pool, { state: 'down', for: 'forever', reason: 'gone' })).status).toBe(200);
    expect((await get('/api/v1/health')).targets.filter((t: { forced: unknown }) => t.forced !== null)).toMatchObject([
      { id: 'outside.test/b/192.0.2.1', forced: { state: 'down', until: null } },
      { id: 'outside.test/b/2001:db8::1', forced: { state: 'down', until: null } },
    ]);
    expect(await got(server, 'www.outside.test', { subnet: '4.0.0.0/24' })).toMatch(/^192\.0\.2\.[34]$/);
    expect((await admin(server, 'DELETE', pool)).status).toBe(200);
    expect(await got(server, 'www.outside.test', { subnet: '4.0.0.0/24' })).toBe('192.0.2.1');
  });

  test('what is forced for a time ends by itself', async () => {
    const pool = '/api/v1/pools/outside.test/b/force';
    await admin(server, 'PUT', pool, { state: 'down', for: '1s', reason: 'a moment' });
    expect(await got(server, 'www.outside.test', { subnet: '4.0.0.0/24' })).toMatch(/^192\.0\.2\.[34]$/);
    await until(
      () => got(server, 'www.outside.test', { subnet: '4.0.0.0/24' }),
      (seen) => seen === '192.0.2.1',
      3_000,
    );
  });

  test('freeze lets verdicts stand still', async () => {
    const frozen = await admin(server, 'PUT', '/api/v1/health/freeze', { for: '1h', reason: 'works on the network' });
    expect(frozen.status).toBe(200);
    expect((await get('/api/v1/status')).health.frozen).toMatchObject({ reason: 'works on the network' });
    expect((await admin(server, 'DELETE', '/api/v1/health/freeze')).status).toBe(200);
    expect((await get('/api/v1/status')).health.frozen).toBeNull();
  });

  test('errors are problem documents', async () => {
    const bad: [string, string, unknown, number][] = [
      ['PUT', '/api/v1/pools/outside.test/nopool/force', { state: 'down', for: '1h', reason: 'x' }, 404],
      ['PUT', '/api/v1/targets/outside.test%2Fb%2F192.0.2.99/force', { state: 'down', for: '1h', reason: 'x' }, 404],
      ['PUT', '/api/v1/pools/outside.test/b/force', { state: 'sideways', for: '1h', reason: 'x' }, 400],
      ['PUT', '/api/v1/pools/outside.test/b/force', { state: 'down', for: 'a while', reason: 'x' }, 400],
      ['PUT', '/api/v1/pools/outside.test/b/force', { state: 'down', for: '1h' }, 400],
      ['GET', '/api/v1/nothing', undefined, 404],
      ['DELETE', '/api/v1/status', undefined, 405],
      ['GET', '/api/v1/coverage?name=static.outside.test', undefined, 404],
    ];
    for (const [method, path, body, status] of bad) {
      const response = await fetch(server.admin + path, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      expect([path, response.status]).toEqual([path, status]);
      expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(await response.json()).toMatchObject({ status, title: expect.any(String), type: expect.any(String) });
    }
  });

  test('a Host header of another name is 403', async () => {
    const status = (host: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const sent = request(`${server.admin}/api/v1/status`, { headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode!);
        });
        sent.on('error', reject);
        sent.end();
      });
    expect(await status('evil.example')).toBe(403);
    expect(await status('localhost:8053')).toBe(200);
    expect(await status('[::1]:8053')).toBe(200);
  });

  test('the commands that talk to it: 0 when it did, 1 for a wrong question, 2 for a wrong command, 3 without a server', async () => {
    const to = ['--admin', server.admin];
    const codes = async (...args: string[]): Promise<number | null> => (await meridian(args)).code;
    const status = await meridian(['status', ...to]);
    expect(status.code).toBe(0);
    expect(status.out).toMatch(/outside\.test\/a\/127\.50\.0\.1\s+up/);
    const id = 'outside.test/b/192.0.2.1';
    expect(await codes('drain', id, '--for', '30m', '--reason', 'works', ...to)).toBe(0);
    expect((await meridian(['status', ...to])).out).toMatch(/192\.0\.2\.1\s+up\s+drain/);
    expect(await codes('unforce', id, ...to)).toBe(0);
    expect(await codes('force', 'outside.test/b', '--for', '1h', '--reason', 'x', '--state', 'up', ...to)).toBe(0);
    expect(await codes('unforce', 'outside.test/b', ...to)).toBe(0);
    expect(await codes('reload', ...to)).toBe(0);
    expect(await codes('events', ...to)).toBe(0);
    expect(await codes('coverage', 'www.outside.test', '--csv', ...to)).toBe(0);
    expect(await codes('explain', 'www.outside.test', ...to)).toBe(0);
    expect(await codes('force', 'outside.test/nopool', '--for', '1h', '--reason', 'x', ...to)).toBe(1);
    expect(await codes('explain', 'www.outside.test', 'NONSENSE', ...to)).toBe(1);
    expect(await codes('drain', 'outside.test/b', ...to)).toBe(2);
    expect(await codes('dance')).toBe(2);
    expect(await codes('status', '--dance')).toBe(2);
    expect(await codes('status', '--admin', `http://127.0.0.1:${await freePort()}`)).toBe(3);
    // Without --admin the settings say where it is.
    expect(await codes('status', '--config', join(server.directory, 'meridian.yaml'))).toBe(0);
  });
});

describe('the command line without a server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meridian-outside-'));
  const path = (name: string): string => join(folder, name);
  const put = (name: string, content: string | Uint8Array): void => {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(path(name), content);
  };
  const settings = (more = ''): string =>
    `admin: { listen: "127.0.0.1:0" }\n${more.startsWith('listen:') ? '' : 'listen: ["127.0.0.1:0"]\n'}${more}`;
  const good = 'zone: good.test\nns: [ns.elsewhere.test.]\nrecords:\n  www: { A: 192.0.2.1 }\n';
  const config = (): string[] => ['--config', path('meridian.yaml')];

  beforeAll(() => {
    put('meridian.yaml', settings());
    put('geoip/countries.mmdb', GEO);
    put('zones/good.test.yaml', good);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('check: 0 for good files and for warnings, 1 for errors, all of them, as JSON where it is wanted', async () => {
    expect(await meridian(['check', ...config()])).toMatchObject({ code: 0 });
    const none = await meridian(['check', '--json', ...config()]);
    expect([none.code, JSON.parse(none.out)]).toEqual([0, []]);
    put(
      'zones/bad.test.yaml',
      'zone: bad.test\nns: [ns.elsewhere.test.]\nrecords:\n  a: { A: 192.0.2.256 }\n  b: { CNAME: a, A: 192.0.2.1 }\n  c: { A: { pools: [nowhere] } }\n  d: { MX: ["10 mail.example.org"] }\n  e: { A: { regions: { UK: nowhere, default: nodata } } }\n  f: { A: 192.0.2.1, A: 192.0.2.2 }\n  g: { A: { tttl: 5, values: [192.0.2.1] } }\n  h: { A: { ttl: 2147483648, values: [192.0.2.1] } }\n',
    );
    const bad = await meridian(['check', '--json', ...config()]);
    expect(bad.code).toBe(1);
    const list = JSON.parse(bad.out) as { line: number; severity: string; file: string; fix: string }[];
    for (const diagnostic of list) {
      expect(Object.keys(diagnostic)).toEqual(['code', 'severity', 'file', 'line', 'col', 'message', 'fix']);
      expect(diagnostic).toMatchObject({
        code: expect.stringMatching(/^[a-z0-9-]+$/),
        severity: expect.stringMatching(/^(error|warning)$/),
        file: expect.stringContaining('bad.test.yaml'),
        line: expect.any(Number),
        col: expect.any(Number),
        message: expect.stringMatching(/./),
        fix: expect.stringMatching(/./),
      });
    }
    const lines = new Set(list.filter((d) => d.severity === 'error').map((d) => d.line));
    expect([...lines].sort((a, b) => a - b)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
    const text = await meridian(['check', path('zones/bad.test.yaml')]);
    expect(text.code).toBe(1);
    expect(text.out).toMatch(/bad\.test\.yaml:10:\d+: error /);
    rmSync(path('zones/bad.test.yaml'));
    put(
      'zones/warn.test.yaml',
      'zone: warn.test\nns: [ns.sub.warn.test.]\nrecords:\n  sub: { NS: [ns.sub.warn.test.] }\n  ns.sub: { A: 192.0.2.1 }\n  deep.sub: { TXT: hidden }\n',
    );
    const warned = await meridian(['check', '--json', ...config()]);
    expect((JSON.parse(warned.out) as { severity: string }[]).map((d) => d.severity)).toEqual(['warning']);
    expect(warned.code).toBe(0);
    rmSync(path('zones/warn.test.yaml'));
    expect((await meridian(['check', path('nothing.yaml')])).code).toBe(1);
  });

  test('--help shows examples', async () => {
    for (const args of [
      ['--help'],
      ...[
        'serve',
        'check',
        'explain',
        'coverage',
        'status',
        'force',
        'drain',
        'unforce',
        'reload',
        'events',
        'token',
        'import',
      ].map((c) => [c, '--help']),
    ]) {
      const ran = await meridian(args);
      expect([args, ran.code]).toEqual([args, 0]);
      expect(ran.out).toMatch(/[Ee]xample/);
    }
  });

  let configs = 0;

  /** Runs `serve` with these settings; it must not start. */
  const refuses = async (text: string, code: number, wanted: RegExp): Promise<void> => {
    const name = `refused-${configs++}.yaml`;
    put(name, text);
    const ran = await meridian(['serve', '--config', path(name)]);
    expect([ran.code, ran.err]).toEqual([code, expect.stringMatching(wanted)]);
    const said = ran.err.split('\n').filter((line) => line.startsWith('meridian:') || /^\s+at /.test(line));
    expect(said.length).toBe(1);
  };

  test('a taken port: one clear line and exit 3, for UDP, TCP, the admin, and beside another Meridian', async () => {
    const tcp = createServer().listen(0, '127.0.0.1');
    const udp = createSocket('udp4').bind(0, '127.0.0.1');
    await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
    const { port } = tcp.address() as { port: number };
    const server = await startServer({ files: { 'zones/good.test.yaml': good, 'geoip/countries.mmdb': GEO } });
    const listen = (on: number): string => settings(`listen: ["127.0.0.1:${on}"]\n`);
    const named = (on: number): RegExp => new RegExp(`meridian: .*127\\.0\\.0\\.1:${on}`);
    // Where they meet in one state folder, that is what they say, and for which addresses: at once they are one story more.
    await Promise.all([
      refuses(listen(port), 3, named(port)),
      refuses(listen(udp.address().port), 3, named(udp.address().port)),
      refuses(`listen: ["127.0.0.1:0"]\nadmin: { listen: "127.0.0.1:${port}" }\n`, 3, named(port)),
      refuses(listen(server.port), 3, named(server.port)),
      refuses(settings('listen: ["192.0.2.1:5300"]\n'), 3, /192\.0\.2\.1:5300/),
    ]);
    expect(await got(server, 'www.good.test')).toBe('192.0.2.1');
    tcp.close();
    udp.close();
    await server.stop();
  });

  test('a missing zones folder: one clear line and exit 3', async () => {
    await refuses(settings('zones: nowhere\n'), 3, /meridian: .*nowhere/);
  });

  test('settings that are wrong, or not there', async () => {
    put('meridian.yaml', 'listen: ["127.0.0.1:0"]\nadminn: {}\nworkers: many\n');
    const ran = await meridian(['serve', ...config()]);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/meridian\.yaml:2/);
    expect(ran.err).toMatch(/meridian\.yaml:3/);
    put('meridian.yaml', settings());
    await refuses('admin: { listen: "0.0.0.0:0" }\nlisten: ["127.0.0.1:0"]\n', 1, /token/);
    expect((await meridian(['serve', '--config', path('nowhere.yaml')])).code).toBe(1);
  });

  test('SIGTERM and SIGINT end it, with exit 0', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const program = new Program(process.execPath, [MAIN, 'serve', ...config()]);
      await program.until(async () => program.output.includes('Meridian serves'));
      const child = program.process;
      child.kill(signal);
      const [code] = await once(child, 'exit');
      expect([signal, code]).toEqual([signal, 0]);
    }
  });
});
