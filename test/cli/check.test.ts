import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/admin.ts';
import { meridian } from '../support/meridian.ts';

let folder: string;

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const check = (...args: string[]) => meridian(['check', ...args], { cwd: folder });

const GOOD = `zone: net.cat
ns: [ns1.example.net., ns2.example.net.]
records: { www: { A: 192.0.2.1 } }
`;

/** Three mistakes, and a warning (a pool that nothing uses). */
const BAD = `zone: net.cat
ns: [ns1.example.net., ns2.example.net.]
pools: { spare: { members: [192.0.2.9, 192.0.2.8] } }
records:
  www: { A: 192.0.2.300 }
  ftp: { A: { pools: [nowhere] } }
recrods: {}
`;

beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder, 'zones'));
  mkdirSync(join(folder, 'geoip'));
});

describe('check', () => {
  it('finds nothing in good files and ends with 0', async () => {
    write('zones/net.cat.yaml', GOOD);
    const { code, stdout } = await check();
    expect([code, stdout]).toEqual([0, '1 file: 0 errors, 0 warnings\n']);
  });

  it('reports every mistake at once, where it stands and how to mend it', async () => {
    write('zones/net.cat.yaml', BAD);
    const { code, stdout } = await check();
    expect(code).toBe(1);
    const places = [...stdout.matchAll(/^zones\/net\.cat\.yaml:(\d+):(\d+): (error|warning) [a-z-]+: /gm)];
    expect(places.filter((place) => place[3] === 'error').map((place) => Number(place[1]))).toEqual([5, 6, 7]);
    expect(stdout).toContain('fix: did you mean "records"?');
    expect(stdout).toMatch(/1 file: 3 errors, \d+ warnings?\n$/);
  });

  it('prints the same as JSON', async () => {
    write('zones/net.cat.yaml', BAD);
    const { code, stdout } = await check('--json');
    expect(code).toBe(1);
    const list = JSON.parse(stdout) as Record<string, unknown>[];
    for (const entry of list) {
      expect(Object.keys(entry)).toEqual(['code', 'severity', 'file', 'line', 'col', 'message', 'fix']);
    }
    expect(list.filter((entry) => entry.severity === 'error').map((entry) => entry.line)).toEqual([5, 6, 7]);
  });

  it('ends with 0 for warnings alone', async () => {
    write('zones/net.cat.yaml', `${GOOD}pools: { spare: { members: [192.0.2.9, 192.0.2.8] } }\n`);
    const { code, stdout } = await check();
    expect(code).toBe(0);
    expect(stdout).toContain(' warning ');
    const json = await check('--json');
    expect([json.code, JSON.parse(json.stdout).length > 0]).toEqual([0, true]);
  });

  it('reads settings, _common.yaml and overrides too', async () => {
    write('meridian.yaml', 'zonse: zones\n');
    write('zones/_common.yaml', 'regoins: {}\n');
    write('geoip/overrides.yaml', 'networks: { 192.0.2.0/33: RU }\n');
    write('zones/net.cat.yaml', GOOD);
    const { code, stdout } = await check();
    expect(code).toBe(1);
    expect(stdout).toMatch(/^meridian\.yaml:1:1: error unknown-key/m);
    expect(stdout).toMatch(/^zones\/_common\.yaml:1:1: error unknown-key/m);
    expect(stdout).toMatch(/^geoip\/overrides\.yaml:1:13: error bad-network/m);
  });

  it('reads the files and folders that are named, with the _common.yaml beside them', async () => {
    write('zones/_common.yaml', 'ns: [ns1.example.net., ns2.example.net.]\n');
    write('zones/net.cat.yaml', 'zone: net.cat\nrecords: { www: { A: 192.0.2.1 } }\n');
    write('zones/net.dog.yaml', BAD);
    expect((await check('zones/net.cat.yaml')).code).toBe(0);
    const all = await check(join(folder, 'zones'));
    expect(all.code).toBe(1);
    expect(all.stdout).toMatch(/net\.dog\.yaml:1:7: error zone-file-name/);
  });

  it('reads a folder with settings as a whole', async () => {
    mkdirSync(join(folder, 'other/data'), { recursive: true });
    write('other/meridian.yaml', 'zones: data\n');
    write('other/data/net.cat.yaml', BAD);
    expect((await check('other')).stdout).toContain('other/data/net.cat.yaml:7:1: error');
  });

  it('says what it cannot read', async () => {
    const { code, stdout } = await check('nothing.yaml', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([{ code: 'unreadable-file', file: 'nothing.yaml', severity: 'error' }]);
    expect((await check('--config', 'nothing.yaml')).code).toBe(1);
  });

  it('says which database is broken', async () => {
    write('zones/net.cat.yaml', GOOD);
    write('geoip/city.mmdb', 'no database');
    const { code, stdout } = await check();
    expect(code).toBe(1);
    expect(stdout).toMatch(/geoip\/city\.mmdb:1:1: error unreadable-file/);
  });

  it('names what lies among the databases and is not read, with what to do, and ends with 0', async () => {
    write('zones/net.cat.yaml', GOOD);
    write('geoip/GeoLite2-City.mmdb.gz', 'packed');
    write('geoip/GeoLite2-ASN_20261127.tar.gz', 'archive');
    mkdirSync(join(folder, 'geoip/GeoLite2-Country_20261127'));
    write('geoip/GeoLite2-Country_20261127/GeoLite2-Country.mmdb', 'inside');
    const { code, stdout } = await check('--json');
    expect(code).toBe(0);
    const list = JSON.parse(stdout) as { code: string; severity: string; file: string; fix: string }[];
    expect(list.map(({ code: warning, severity }) => [warning, severity])).toEqual(
      Array(3).fill(['unread-database', 'warning']),
    );
    expect(Object.fromEntries(list.map(({ file, fix }) => [file, fix]))).toEqual({
      'geoip/GeoLite2-ASN_20261127.tar.gz':
        "unpack the database in it: tar -xf GeoLite2-ASN_20261127.tar.gz --strip-components=1 --wildcards '*.mmdb'",
      'geoip/GeoLite2-City.mmdb.gz': 'unpack it: gunzip GeoLite2-City.mmdb.gz',
      'geoip/GeoLite2-Country_20261127': 'move it up: mv GeoLite2-Country_20261127/GeoLite2-Country.mmdb .',
    });
  });
});
