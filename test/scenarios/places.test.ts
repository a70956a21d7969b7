// What a small city database says of a zone: places that nobody is in, and client subnets over several places, for each command.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CoverageView, Explanation, StatusView } from '../../dist/api/views.js';
import { temporaryFolder } from '../support/admin.ts';
import { Meridian, meridian } from '../support/meridian.ts';
import { buildMmdb, type Field } from '../support/mmdb.ts';

const folder = temporaryFolder();
let running: Meridian;
let admin: string;

function flat(country_code: string, state1: string, city: string): Field {
  return { country_code, state1, state2: '', city, postcode: '', timezone: '' };
}

const database = buildMmdb([
  ['81.2.69.0/26', flat('AT', 'State of Vienna', 'Vienna (Mariahilf)')],
  ['81.2.69.64/26', flat('DE', 'Bavaria', 'Munich')],
  ['81.2.69.128/25', flat('AT', 'Tyrol', 'Innsbruck')],
  ['81.2.100.0/24', flat('AT', 'Vienna', 'Vienna')],
  ['81.2.113.0/24', flat('KR', 'Busan', 'Busan')],
  ['2a00:1:0:100::/57', flat('AT', 'Vienna', 'Vienna')],
  ['2a00:1:0:180::/57', flat('DE', 'Bavaria', 'Munich')],
]);

const ZONE = `zone: net.cat
ns: [ns1.example.net.]
regions:
  vienna: [AT-9, "city:AT/Vienna"]
  tyrol: [AT-7]
  austria: [AT]
  seoul: [KR-11, "city:KR/Bussan"]
pools: { a: { members: [81.2.69.1] }, b: { members: [81.2.69.2] } }
records:
  www: { A: { ttl: 60, regions: { vienna: [a], tyrol: [a], austria: [b], seoul: [a], US-ZZ: [a], default: [b] } } }
`;

beforeAll(async () => {
  mkdirSync(join(folder, 'zones'));
  mkdirSync(join(folder, 'geoip'));
  writeFileSync(join(folder, 'geoip/city.mmdb'), database);
  writeFileSync(join(folder, 'zones/net.cat.yaml'), ZONE);
  const settings = [
    'listen: ["127.0.0.1:0"]',
    'admin: { listen: "127.0.0.1:0" }',
    'workers: 1',
    'log: { level: warn }',
  ];
  writeFileSync(join(folder, 'meridian.yaml'), `${settings.join('\n')}\n`);
  running = new Meridian(['serve'], { cwd: folder });
  admin = (await running.says(/admin on (http:\S+)\n/))[1]!;
}, 120_000);

afterAll(async () => {
  await running?.stop('SIGKILL');
});

async function json<T>(...args: string[]): Promise<T> {
  const { stdout, stderr, code } = await meridian([...args, '--json', '--admin', admin], { cwd: folder });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

const nowhere = (place: string): string => `no loaded database has an address in ${place}`;
const covered = 'the region austria never matches: more specific places of other regions have every address in it';

describe('a place that no database has an address in', { timeout: 120_000 }, () => {
  it('is a warning of check, where it is written', async () => {
    const { stdout } = await meridian(['check'], { cwd: folder });
    const lines = stdout.split('\n').filter((line) => line.includes('warning place-without'));
    expect(lines).toEqual([
      `zones/net.cat.yaml:7:11: warning place-without-addresses: ${nowhere('KR-11 (Seoul)')}`,
      `zones/net.cat.yaml:7:18: warning place-without-addresses: ${nowhere('city:KR/Bussan')}`,
      expect.stringMatching(/^zones\/net\.cat\.yaml:10:\d+: .*no loaded database has an address in US-ZZ$/),
    ]);
    expect(stdout).toContain('fix: did you mean Busan?');
    expect(stdout).toContain(`warning region-never-matches: www A: ${covered}`);
  });

  it('is a warning of status', async () => {
    const { warnings } = await json<StatusView>('status');
    expect(warnings).toEqual(
      expect.arrayContaining([
        `zone net.cat: the region seoul: ${nowhere('KR-11 (Seoul)')}`,
        `zone net.cat: the region seoul: ${nowhere('city:KR/Bussan')}`,
        `zone net.cat: the region US-ZZ: ${nowhere('US-ZZ')}`,
        `zone net.cat: www: ${covered}`,
      ]),
    );
    expect(warnings.filter((warning) => /AT-9|AT-7|Vienna/.test(warning))).toEqual([]);
  });

  it('is a warning of coverage, and its row says so', async () => {
    const { rows, warnings, withoutAddresses } = await json<CoverageView>('coverage', 'www.net.cat');
    expect(warnings).toContain(`the region seoul: ${nowhere('KR-11 (Seoul)')}`);
    expect(warnings).toContain(covered);
    expect(withoutAddresses).toEqual(expect.arrayContaining(['KR-11', 'US-ZZ', 'city:KR/Bussan', 'FR']));
    const placed = rows.filter(({ place }) => !withoutAddresses.includes(place));
    expect(placed.map(({ place, region }) => `${place} ${region}`)).toEqual([
      'AT austria',
      'DE default',
      'KR default',
      'AT-9 vienna',
      'city:AT/Vienna vienna',
      'AT-7 tyrol',
    ]);
    const { stdout } = await meridian(['coverage', 'www.net.cat', '--offline'], { cwd: folder });
    expect(stdout).toContain(`warning: the region seoul: ${nowhere('KR-11 (Seoul)')}\n`);
    expect(stdout).toMatch(/, \d+ without an address in any loaded database\n/);
  });
});

describe('a client subnet over several places', { timeout: 120_000 }, () => {
  it('is told by explain, with what some resolvers make of it', async () => {
    const { steps, place, answer } = await json<Explanation>('explain', 'www.net.cat', '--subnet', '81.2.69.0/24');
    expect(place.countries).toEqual(['AT', 'DE']);
    expect(answer.scope).toBe(26);
    expect(steps).toContain(
      '81.2.69.0/24 has addresses in AT, DE: its first address decides for all; ' +
        'the scope is longer, but some resolvers give this answer to all of 81.2.69.0/24',
    );
    const one = await json<Explanation>('explain', 'www.net.cat', '--subnet', '81.2.100.0/24');
    expect(one.place.countries).toEqual([]);
    const single = await json<Explanation>('explain', 'www.net.cat', '--client', '81.2.69.1');
    expect(single.place.countries).toEqual([]);
  });

  it('is counted by coverage for the record set', async () => {
    expect((await json<CoverageView>('coverage', 'www.net.cat')).split).toEqual({ ipv4: 1, ipv6: 1 });
    const { stdout } = await meridian(['coverage', 'www.net.cat', '--admin', admin], { cwd: folder });
    expect(stdout).toContain('1 IPv4 /24 and 1 IPv6 /56 hold clients of several lists of pools');
  });
});

describe('a city with its district behind it', { timeout: 120_000 }, () => {
  it('is that city', async () => {
    const { region, place } = await json<Explanation>('explain', 'www.net.cat', '--client', '81.2.69.1');
    expect([place.city, place.subdivision, region?.match]).toEqual(['Vienna (Mariahilf)', 'AT-9', 'city:AT/Vienna']);
  });
});
