// What operators are told of steering by a real server: drains, coverage, explain, and who could not be placed.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allCountries } from '../../dist/geo/countries.js';
import { buildMmdb, type Field } from '../support/mmdb.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { admin, askFor, force, got, meridian, until } from '../support/story.ts';

function place(country: string, continent: string, region = '', city = ''): Field {
  return {
    country: { iso_code: country },
    continent: { code: continent },
    ...(region === '' ? {} : { subdivisions: [{ iso_code: region }] }),
    ...(city === '' ? {} : { city: { names: { en: city } } }),
  };
}

/** Andorra is all in the office's network, Malta is known by IPv6 alone. */
const DATABASE = buildMmdb(
  [
    ['1.0.0.0/8', place('RU', 'EU')],
    ['1.128.0.0/16', place('RU', 'EU', 'MOW', 'Moscow')],
    ['2.0.0.0/8', place('US', 'NA', 'CA', 'Fresno')],
    ['2.64.0.0/16', place('US', 'NA', 'NY', 'New York')],
    ['3.0.0.0/8', place('BR', 'SA')],
    ['4.0.0.0/24', place('AD', 'EU')],
    ['2a00:1::/32', place('MT', 'EU')],
  ],
  { type: 'GeoLite2-City' },
);

const ZONE = `
version: meridian/v1
zone: op.test
ttl: 1m
ns: [ns.example.net.]
regions:
  office: [4.0.0.0/24]
  inner: [4.0.0.0/25, 4.0.0.128/25]
  west: [US-CA]
  moscow: ["city:RU/Moscow"]
  number: [AS64500]
pools:
  one: { members: [192.0.2.1] }
  two: { members: [192.0.2.2, 192.0.2.3] }
  far: { at: [-22.9, -43.2], members: [192.0.2.4] }
  near: { at: [55.75, 37.62], members: [192.0.2.5] }
  alias: { members: [www.op.test.] }
  out: { members: [cdn.example.net.] }
records:
  www:
    A:
      ttl: 40
      regions: { office: one, west: two, moscow: two, number: two, US: one, europe: [two, one], default: { closest: [far, near] } }
  covered: { A: { regions: { office: one, inner: two, default: one } } }
  some: { A: { regions: { RU: one, default: nodata } } }
  media: { CNAME: { ttl: 20, regions: { RU: out, default: alias } } }
  long: { CNAME: media }
  plain: { A: { ttl: 90, pools: [two] } }
  static: { A: 192.0.2.9 }
  sub: { NS: [ns.sub] }
  ns.sub: { A: 192.0.2.77 }
`;

const files = { 'zones/op.test.yaml': ZONE, 'geoip/city.mmdb': DATABASE };
let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ files });
});
afterAll(() => server?.stop());

interface Row {
  readonly place: string;
  readonly region: string;
  readonly pool: string | null;
}

describe('coverage', () => {
  const rows = async (name: string): Promise<Map<string, Row>> => {
    const { json } = await admin(server, 'GET', `/api/v1/coverage?name=${name}.op.test&type=A`);
    return new Map((json.rows as Row[]).map((row) => [row.place, row]));
  };

  test('has every country, also those that no database has an address of', async () => {
    const found = await rows('www');
    expect([...found.keys()].slice(0, allCountries().length)).toEqual(allCountries());
    expect(found.get('RU')).toEqual({ place: 'RU', region: 'europe', pool: 'two' });
    expect(found.get('US')).toMatchObject({ region: 'US', pool: 'one' });
    expect(found.get('BR')).toMatchObject({ region: 'default', pool: 'far' });
    expect(found.get('MT')).toMatchObject({ region: 'europe', pool: 'two' });
    expect(found.get('FI')).toMatchObject({ region: 'europe', pool: 'two' });
    expect(found.get('AR')).toMatchObject({ region: 'default', pool: 'far' });
    expect(found.get('KZ')).toMatchObject({ region: 'default', pool: 'near' });
    // Every address of it belongs to the office; its other clients would be Europeans.
    expect(found.get('AD')).toMatchObject({ region: 'europe', pool: 'two' });
  });

  test('has the rules that are finer than countries', async () => {
    const found = await rows('www');
    expect(found.get('4.0.0.0/24')).toMatchObject({ region: 'office', pool: 'one' });
    expect(found.get('US-CA')).toMatchObject({ region: 'west', pool: 'two' });
    expect(found.get('city:RU/Moscow')).toMatchObject({ region: 'moscow', pool: 'two' });
    expect(found.get('AS64500')).toMatchObject({ region: 'number', pool: 'two' });
    expect((await rows('covered')).get('4.0.0.0/24')).toMatchObject({
      region: 'never: other networks cover it',
      pool: null,
    });
    expect((await rows('some')).get('FI')).toMatchObject({ region: 'default', pool: null });
    expect((await rows('some')).get('RU')).toMatchObject({ region: 'RU', pool: 'one' });
  });

  test('says which pool answers now', async () => {
    await force(server, 'op.test/two', 'down');
    const found = await rows('www');
    await force(server, 'op.test/two', null);
    for (const country of ['RU', 'MT', 'FI', 'AD']) expect(found.get(country)?.pool, country).toBe('one');
  });

  test('is the same from the files, and prints a table, CSV and JSON', async () => {
    const config = ['--config', join(server.directory, 'meridian.yaml')];
    const live = await admin(server, 'GET', '/api/v1/coverage?name=www.op.test&type=A');
    const offline = await meridian(['coverage', 'www.op.test', '--json', '--offline', ...config]);
    expect(JSON.parse(offline.out)).toEqual(live.json);
    const csv = await meridian(['coverage', 'www.op.test', '--csv', '--admin', server.admin]);
    expect(csv.out.split('\r\n').slice(0, 2)).toEqual(['place,region,pool', 'AD,europe,two']);
    expect((await meridian(['coverage', 'www.op.test', '--admin', server.admin])).out).toMatch(
      /places, \d+ by default/,
    );
    expect(await meridian(['coverage', 'static.op.test', '--offline', ...config])).toMatchObject({ code: 1 });
  });
});

describe('explain', () => {
  const steps = async (asked: Record<string, string>): Promise<string> => {
    const { json } = await admin(server, 'GET', `/api/v1/explain?${new URLSearchParams(asked)}`);
    return (json.steps as string[]).join('\n');
  };

  test('tells a chain link by link', async () => {
    const { json } = await admin(server, 'GET', '/api/v1/explain?name=long.op.test&client=2.0.0.1');
    expect(json.chain).toEqual([
      { name: 'long.op.test', zone: 'op.test', steered: false, target: 'media.op.test.' },
      { name: 'media.op.test.', zone: 'op.test', steered: true, target: 'www.op.test.' },
      { name: 'www.op.test.', zone: 'op.test', steered: true, target: null },
    ]);
    expect(json).toMatchObject({ region: { name: 'west', match: 'US-CA' }, answer: { ttl: 20 } });
    const told = json.steps.join('\n') as string;
    for (const part of [
      'its CNAME is static: it leads every client to media.op.test.',
      'its CNAME is steered: it leads this client to www.op.test.',
      'region west wins by US-CA: its subdivision is the most specific place that matches; then US, default',
      'pool two: chosen: the first of its list that is up, 2 of 2 live',
    ]) {
      expect(told).toContain(part);
    }
    const leaves = await admin(server, 'GET', '/api/v1/explain?name=media.op.test&client=1.1.1.1');
    expect(leaves.json.chain.at(-1)).toEqual({ name: 'cdn.example.net.', zone: null, steered: false, target: null });
  });

  test('tells where the client is, and who says so', async () => {
    const told = await steps({ name: 'www.op.test', client: '1.128.0.9' });
    expect(told).toContain('asked for 1.128.0.9/32, which is the client subnet');
    expect(told).toContain('1.128.0.0/16 is in Moscow, RU-MOW, RU, EU, says city.mmdb (built 2023-11-14)');
    expect(await steps({ name: 'www.op.test', resolver: '1.1.1.1' })).toContain("which is the resolver's address");
    expect(await steps({ name: 'www.op.test', resolver: '9.9.9.9' })).toContain(
      'no database or override knows where that is',
    );
  });

  test('has words for names without steering', async () => {
    expect(await steps({ name: 'static.op.test' })).toContain('the record set is static: every client gets it');
    expect(await steps({ name: 'nothing.op.test' })).toContain('the name does not exist, for any client');
    expect(await steps({ name: 'static.op.test', type: 'TXT' })).toContain('the name has no records of this type');
    expect(await steps({ name: 'ns.sub.op.test' })).toContain('the name is delegated: others answer for it');
    expect(await steps({ name: 'www.example.org' })).toContain('no zone of this server has the name: REFUSED');
  });

  test('says why pools and members were left out', async () => {
    await force(server, 'op.test/two/192.0.2.2', 'drain');
    const { json } = await admin(server, 'GET', '/api/v1/explain?name=www.op.test&client=1.1.1.1');
    await force(server, 'op.test/two/192.0.2.2', null);
    expect(json.pools.map((pool: { name: string; why: string }) => `${pool.name}: ${pool.why}`)).toEqual([
      'two: chosen: the first of its list that is up, 1 of 2 live',
      'one: up, 1 of 1 live; not needed, a pool before it was chosen',
    ]);
    expect(json.pools[0].members[0]).toMatchObject({ chosen: false, why: 'left out: forced drain by local (a test)' });
  });
});

describe('status', () => {
  test('counts queries with a subnet, without one, and from places that nobody knows, once each', async () => {
    const counts = async (): Promise<{ ecs: number; resolver: number; unknownPlace: number }> =>
      (await admin(server, 'GET', '/api/v1/zones/op.test')).json.queries;
    const before = await counts();
    await got(server, 'www.op.test', { subnet: '1.1.1.0/24' });
    await got(server, 'www.op.test', { subnet: '203.0.113.0/24' });
    // Two steered sets, one query; and a network of the zone file is a place that is known.
    await got(server, 'media.op.test', { subnet: '203.0.113.0/24' });
    await got(server, 'www.op.test', { subnet: '4.0.0.0/24' });
    await got(server, 'www.op.test');
    // Where the place doesn't matter, nobody asks for it.
    await got(server, 'static.op.test');
    await until(counts, (now) => now.resolver === before.resolver + 2);
    expect(await counts()).toEqual({
      ecs: before.ecs + 4,
      resolver: before.resolver + 2,
      unknownPlace: before.unknownPlace + 3,
    });
  });
});

describe('a drain', () => {
  test('counts down from the last answer that named the target, on through a restart and a crash', {
    timeout: 180_000,
  }, async () => {
    const mine = await startServer({ files });
    const id = 'op.test/two/192.0.2.2';
    const drain = async (at: RunningServer) =>
      ((await admin(at, 'GET', '/api/v1/health')).json.targets as { id: string; drain: unknown }[]).find(
        (t) => t.id === id,
      )!.drain as {
        lastAnswer: string | null;
        safeAt: string;
        secondsLeft: number;
        safe: boolean;
        answersSince: number;
      };
    await askFor(mine, 'plain.op.test');
    await force(mine, id, 'drain');
    const first = await drain(mine);
    expect(first.secondsLeft).toBeGreaterThan(85);
    expect(first.secondsLeft).toBeLessThanOrEqual(90);
    expect(first).toMatchObject({ safe: false, answersSince: 0 });
    const status = await meridian(['status', '--admin', mine.admin]);
    expect(status.out).toMatch(
      /drain \(.*safe to switch off in 1m (2\ds|30s)|drain \(.*safe to switch off in (8\d|90)s/,
    );
    const { directory } = mine;
    const { cpSync, mkdtempSync, rmSync } = await import('node:fs');
    const { tmpdir } = await import('node:os');
    const kept = mkdtempSync(join(tmpdir(), 'meridian-drain-'));
    await mine.kill();
    // Killed: all that is known is when it was drained, and the longest TTL.
    // The socket of a server that is gone is no state, and cpSync copies none.
    cpSync(directory, kept, { recursive: true, filter: (from) => !from.endsWith('.sock') });
    rmSync(directory, { recursive: true });
    const crashed = await startServer({ files, directory: kept });
    const second = await drain(crashed);
    expect(Math.abs(Date.parse(second.safeAt) - Date.parse(first.safeAt))).toBeLessThanOrEqual(5_000);
    await crashed.stop();
    const again = await startServer({ files, directory: kept });
    expect(await drain(again)).toMatchObject({ safe: false, safeAt: second.safeAt });
    await again.stop();
    rmSync(kept, { recursive: true });
  });
});
