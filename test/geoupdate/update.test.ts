import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../dist/base/clock.js';
import { readDatabase } from '../../dist/geo/mmdb.js';
import { digestOf } from '../../dist/geoupdate/checksum.js';
import { readHistory } from '../../dist/geoupdate/history.js';
import { type UpdateResult, updateDatabases } from '../../dist/geoupdate/update.js';
import type { UpdateSettings } from '../../dist/settings/geoip-update.js';
import type { Records } from '../support/geo.ts';
import { buildMmdb } from '../support/mmdb.ts';
import { cut, Publisher, status, stuck, versioned } from '../support/publisher.ts';

const publisher = new Publisher();
let folder: string;
let directory: string;
let historyFile: string;

beforeAll(() => publisher.start());
afterAll(() => publisher.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'geoupdate-'));
  directory = join(folder, 'geoip');
  historyFile = join(folder, 'state', 'geoip-update.json');
  publisher.clear();
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Days since 1970 of 2026-11-01, which databases of these tests are built after. */
const NOVEMBER = Date.UTC(2026, 10, 1) / 1000;

function database(countries: Readonly<Record<string, string>>, dayOfNovember = 1): Buffer {
  const records: Records = Object.entries(countries).map(([network, code]) => [network, { country_code: code }]);
  return buildMmdb(records, { buildEpoch: NOVEMBER + (dayOfNovember - 1) * 86_400 });
}

const first = database({ '20.0.0.0/8': 'DE', '21.0.0.0/8': 'FR' });
/** A hundredth of it changed. */
const second = database({ '20.0.0.0/8': 'DE', '21.0.0.0/8': 'FR', '20.0.0.0/14': 'NL' }, 8);
/** Half of it changed. */
const third = database({ '20.0.0.0/8': 'BR', '21.0.0.0/8': 'FR' }, 15);

const BOUNDS = { silenceMs: 30_000, totalMs: 60_000, firstWaitMs: 1, tries: 2 };

function settings(given: Partial<UpdateSettings>): UpdateSettings {
  return {
    source: 'url',
    url: `${publisher.url}/country.mmdb`,
    account: null,
    licenceKeyFile: null,
    editions: [],
    caFile: publisher.caFile,
    baseUrl: null,
    everyMs: null,
    maxChange: 0.2,
    ...given,
  };
}

async function update(
  given: Partial<UpdateSettings> = {},
  { force = false, bounds = {}, now = Date.UTC(2026, 10, 30) } = {},
): Promise<UpdateResult> {
  const job = { settings: settings(given), directory, historyFile, force, version: '1.2.3' };
  const results = await updateDatabases(job, { ...systemClock, nowMs: () => now }, { ...BOUNDS, ...bounds });
  expect(results.length).toBe(1);
  return results[0]!;
}

const installed = (file = 'country.mmdb'): Buffer => readFileSync(join(directory, file));

describe('an update from any address', () => {
  it('installs the first database, fits a packed one to its name, and says who asks', async () => {
    publisher.withChecksum('/a/country.mmdb.gz?x=1', gzipSync(first), '/a/country.mmdb.gz.sha256?x=1');
    const result = await update({ url: `${publisher.url}/a/country.mmdb.gz?x=1` });
    expect(result).toMatchObject({ file: 'country.mmdb', outcome: 'installed', share: null, builtAt: NOVEMBER });
    expect(installed().equals(first)).toBe(true);
    expect(readdirSync(directory)).toEqual(['country.mmdb']);
    expect(publisher.requests[0]!.headers['user-agent']).toBe('meridian/1.2.3');
  });

  it('takes a newer one, keeps the one before, and says how much changed', async () => {
    publisher.withChecksum('/country.mmdb', first);
    await update();
    publisher.withChecksum('/country.mmdb', second);
    const result = await update();
    expect(result).toMatchObject({
      outcome: 'installed',
      message: expect.stringContaining('0.78% of the address space'),
    });
    expect(result.share).toBeCloseTo(1 / 128, 9);
    expect(installed().equals(second)).toBe(true);
    expect(installed('country.mmdb.previous').equals(first)).toBe(true);
    expect(readdirSync(directory)).toEqual(['country.mmdb', 'country.mmdb.previous']);
  });

  it('fetches nothing but the checksum when the version is known, and all again when the database is gone', async () => {
    publisher.withChecksum('/country.mmdb', first);
    await update();
    publisher.requests.length = 0;
    expect(await update()).toMatchObject({ outcome: 'unchanged' });
    expect(publisher.paths).toEqual(['/country.mmdb.sha256']);
    rmSync(join(directory, 'country.mmdb'));
    expect(await update()).toMatchObject({ outcome: 'installed' });
  });

  it('leaves an operator who went back to the one before alone until there is something newer', async () => {
    publisher.withChecksum('/country.mmdb', first);
    await update();
    publisher.withChecksum('/country.mmdb', second);
    await update();
    writeFileSync(join(directory, 'country.mmdb'), installed('country.mmdb.previous'));
    expect(await update()).toMatchObject({ outcome: 'unchanged' });
    expect(installed().equals(first)).toBe(true);
  });

  it('does not swap a database for itself, so that the one before stays what it was', async () => {
    publisher.withChecksum('/country.mmdb', first);
    await update();
    publisher.withChecksum('/country.mmdb', second);
    await update();
    rmSync(historyFile);
    expect(await update({}, { force: true })).toMatchObject({ outcome: 'unchanged' });
    expect(installed('country.mmdb.previous').equals(first)).toBe(true);
  });

  it('refuses one that changes too much, and takes it when it is forced', async () => {
    publisher.withChecksum('/country.mmdb', first);
    await update();
    publisher.withChecksum('/country.mmdb', third);
    const refused = await update();
    expect(refused).toMatchObject({ outcome: 'refused', share: 0.5 });
    expect(refused.message).toContain('50% of the address space would change its country, more than max-change (20%)');
    expect(refused.message).toContain('--force');
    expect(installed().equals(first)).toBe(true);
    expect(readHistory(historyFile)['country.mmdb']).toMatchObject({ failures: 1, error: refused.message });
    expect(await update({ maxChange: 0.5 })).toMatchObject({ outcome: 'installed' });
    publisher.withChecksum('/country.mmdb', database({ '20.0.0.0/8': 'JP' }, 20));
    expect(await update({}, { force: true })).toMatchObject({ outcome: 'installed' });
    expect(readHistory(historyFile)['country.mmdb']).toMatchObject({ failures: 0, error: null });
  });

  it('refuses one that is older than the one in its place, unless it is forced', async () => {
    publisher.withChecksum('/country.mmdb', second);
    await update();
    publisher.withChecksum('/country.mmdb', first);
    const refused = await update();
    expect(refused).toMatchObject({ outcome: 'refused', message: expect.stringContaining('older (built 2026-11-01)') });
    expect(await update({}, { force: true })).toMatchObject({ outcome: 'installed' });
  });

  it('compares with what an operator had put there, but keeps nothing of a file that is no database', async () => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'country.mmdb'), first);
    publisher.withChecksum('/country.mmdb', third);
    expect(await update()).toMatchObject({ outcome: 'refused' });
    writeFileSync(join(directory, 'country.mmdb'), 'garbage');
    expect(await update()).toMatchObject({ outcome: 'installed', share: null });
    expect(readdirSync(directory)).toEqual(['country.mmdb']);
  });

  it('takes nothing that does not fit its checksum, or has none', async () => {
    publisher.on('/country.mmdb', first);
    expect(await update()).toMatchObject({ outcome: 'bad', message: expect.stringContaining('no checksum at') });
    publisher.on('/country.mmdb.sha256', '<html>Sorry</html>');
    expect(await update()).toMatchObject({ outcome: 'bad', message: expect.stringContaining('holds no sha256') });
    publisher.on('/country.mmdb.sha256', `${digestOf(second, 'sha256')}\n`);
    expect(await update()).toMatchObject({
      outcome: 'bad',
      message: expect.stringContaining("doesn't fit its checksum"),
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('looks a second time when a new version came between checksum and file', async () => {
    publisher.on('/country.mmdb', second);
    let asked = 0;
    publisher.on('/country.mmdb.sha256', (_request, response) => {
      response.end(digestOf(asked++ === 0 ? first : second, 'sha256'));
    });
    expect(await update()).toMatchObject({ outcome: 'installed' });
  });

  it('takes nothing that is no database, or one without places', async () => {
    publisher.withChecksum('/country.mmdb', Buffer.from('<html>please log in</html>'));
    expect(await update()).toMatchObject({ outcome: 'bad', message: expect.stringContaining('no MMDB file') });
    publisher.withChecksum('/country.mmdb', first.subarray(0, 400));
    expect(await update()).toMatchObject({ outcome: 'bad' });
    publisher.withChecksum('/country.mmdb', buildMmdb([['20.0.0.0/8', { is_proxy: true }]]));
    expect(await update()).toMatchObject({ outcome: 'bad', message: expect.stringContaining('neither a country nor') });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('tries again after an answer that broke off, and gives up on one that always does', async () => {
    publisher.withChecksum('/country.mmdb', first);
    let tries = 0;
    publisher.on('/country.mmdb', (request, response) =>
      tries++ === 0 ? cut(first)(request, response) : void response.end(first),
    );
    expect(await update()).toMatchObject({ outcome: 'installed' });
    publisher.withChecksum('/country.mmdb', second);
    publisher.on('/country.mmdb', cut(second));
    publisher.requests.length = 0;
    const result = await update();
    expect(result).toMatchObject({ outcome: 'failed', message: expect.stringContaining('broke off') });
    expect(publisher.paths.filter((path) => path === '/country.mmdb').length).toBe(2);
    expect(installed().equals(first)).toBe(true);
  });

  it('gives up on an answer that stops in its middle, and on one that never begins', async () => {
    publisher.withChecksum('/country.mmdb', first);
    publisher.on('/country.mmdb', stuck(first));
    const bounds = { silenceMs: 300, tries: 1 };
    expect(await update({}, { bounds })).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('stopped in the middle'),
    });
    publisher.on('/country.mmdb', () => {});
    expect(await update({}, { bounds })).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('gives no answer'),
    });
    expect(await update({}, { bounds: { totalMs: 300, tries: 1 } })).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('takes too long'),
    });
  });

  it('names what is not there, not trusted, not reachable and not there for this account', async () => {
    expect((await update()).message).toContain('no checksum at');
    expect(await update({ caFile: null })).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('ca-file'),
    });
    expect(await update({ url: 'https://127.0.0.1:1/x.mmdb' })).toMatchObject({
      message: expect.stringContaining('connection refused'),
    });
    publisher.withChecksum('/country.mmdb', first);
    publisher.on('/country.mmdb', status(401));
    expect(await update()).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('licence key is wrong'),
    });
  });

  it('remembers until when a publisher wants no more requests, and never shows what may be secret in an address', async () => {
    publisher.on('/country.mmdb.sha256?key=geheim', status(429, { 'retry-after': '7200' }));
    const result = await update({ url: `${publisher.url}/country.mmdb?key=geheim` });
    expect(result).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('answers 429: too many downloads'),
    });
    expect(result.message).not.toContain('geheim');
    expect(result.entry.notBeforeMs).toBe(Date.UTC(2026, 10, 30) + 7_200_000);
    expect(publisher.requests.length).toBe(1);
  });

  it('waits as long as a publisher asks when that is short', async () => {
    publisher.withChecksum('/country.mmdb', first);
    let tries = 0;
    publisher.on('/country.mmdb', (_request, response) =>
      tries++ === 0 ? void response.writeHead(503, { 'retry-after': '0' }).end() : void response.end(first),
    );
    expect(await update()).toMatchObject({ outcome: 'installed' });
  });

  it('follows redirects, but neither away from HTTPS nor in a circle', async () => {
    publisher.withChecksum('/country.mmdb', first);
    publisher.on('/country.mmdb', status(302, { location: '/stored.mmdb' }));
    publisher.on('/stored.mmdb', first);
    expect(await update()).toMatchObject({ outcome: 'installed' });
    rmSync(join(directory, 'country.mmdb'));
    publisher.on('/country.mmdb', status(302, { location: 'http://127.0.0.1/stored.mmdb' }));
    expect(await update()).toMatchObject({ message: expect.stringContaining('away from HTTPS') });
    publisher.on('/country.mmdb', status(302, { location: '/country.mmdb' }));
    expect(await update()).toMatchObject({ message: expect.stringContaining('circle') });
  });

  it('says so when the folder takes no files', async () => {
    publisher.withChecksum('/country.mmdb', first);
    writeFileSync(directory, 'a file where the folder should be');
    expect(await update()).toMatchObject({ outcome: 'failed', message: expect.stringContaining('EEXIST') });
  });

  it('leaves the old one when the new one can not be put in its place', async () => {
    publisher.withChecksum('/country.mmdb', first);
    await update();
    mkdirSync(join(directory, 'country.mmdb.previous', 'in the way'), { recursive: true });
    publisher.withChecksum('/country.mmdb', second);
    expect(await update()).toMatchObject({ outcome: 'failed' });
    expect(installed().equals(first)).toBe(true);
    expect(readdirSync(directory)).toEqual(['country.mmdb', 'country.mmdb.previous']);
    rmSync(join(directory, 'country.mmdb.previous'), { recursive: true });
    expect(await update()).toMatchObject({ outcome: 'installed' });
  });

  it('clears away what an update left that was killed', async () => {
    publisher.withChecksum('/country.mmdb', first);
    mkdirSync(directory);
    for (const name of ['country.mmdb.4194399.tmp', 'country.mmdb.previous.4194399.tmp', 'other.mmdb.4194399.tmp'])
      writeFileSync(join(directory, name), 'half');
    await update();
    expect(readdirSync(directory)).toEqual(['country.mmdb', 'other.mmdb.4194399.tmp']);
  });
});

describe("an update of MaxMind's databases", () => {
  const path = '/geoip/databases/GeoLite2-City/download?suffix=tar.gz';

  it('sends account and key to the publisher alone, not to the storage that it leads to', async () => {
    const storage = await new Publisher().start();
    try {
      const body = Buffer.from(first);
      const archive = gzipSync(
        await packTar([
          { header: { name: 'GeoLite2-City_20261127/', type: 'directory', size: 0 } },
          { header: { name: 'GeoLite2-City_20261127/GeoLite2-City.mmdb', size: body.length }, body },
        ]),
      );
      publisher.on(`${path}.sha256`, `${digestOf(archive, 'sha256')}  GeoLite2-City_20261127.tar.gz\n`);
      publisher.on(path, status(302, { location: `${storage.url}/signed?X-Signature=abc` }));
      storage.on('/signed?X-Signature=abc', archive);
      const licenceKeyFile = join(folder, 'maxmind.key');
      writeFileSync(licenceKeyFile, 'abc_mmk\n');
      const both = join(folder, 'both.pem');
      writeFileSync(both, readFileSync(publisher.caFile, 'utf8') + readFileSync(storage.caFile, 'utf8'));
      const result = await update({
        source: 'maxmind',
        account: '123456',
        licenceKeyFile,
        editions: ['GeoLite2-City'],
        baseUrl: `${publisher.url}/`,
        caFile: both,
      });
      expect(result).toMatchObject({ file: 'GeoLite2-City.mmdb', outcome: 'installed' });
      expect(installed('GeoLite2-City.mmdb').equals(first)).toBe(true);
      expect(publisher.paths).toEqual([`${path}.sha256`, path]);
      const basic = `Basic ${Buffer.from('123456:abc_mmk').toString('base64')}`;
      expect(publisher.requests.map(({ headers }) => headers.authorization)).toEqual([basic, basic]);
      expect(storage.requests[0]!.headers.authorization).toBeUndefined();
      expect(readFileSync(historyFile, 'utf8')).not.toContain('abc_mmk');
    } finally {
      storage.stop();
    }
  });

  it('needs a key in its file', async () => {
    const job = { source: 'maxmind', account: '1', editions: ['GeoLite2-City'] } as const;
    await expect(update({ ...job, licenceKeyFile: join(folder, 'missing') })).rejects.toThrow(
      'cannot read the licence key: ENOENT',
    );
    await expect(update({ caFile: join(folder, 'missing') })).rejects.toThrow('cannot read the certificates');
    writeFileSync(join(folder, 'empty'), '\n');
    await expect(update({ ...job, licenceKeyFile: join(folder, 'empty') })).rejects.toThrow('holds no licence key');
  });
});

describe("an update of DB-IP's databases", () => {
  const dbip = { source: 'dbip', editions: ['dbip-country-lite'] } as const;
  const november = '/free/dbip-country-lite-2026-11.mmdb.gz';

  it("takes this month's, and the last month's until it is there; a version that is known is not sent again", async () => {
    publisher.on(november, versioned(gzipSync(first), '"nov"'));
    const given = { ...dbip, baseUrl: publisher.url };
    expect(await update(given)).toMatchObject({ file: 'dbip-country-lite.mmdb', outcome: 'installed' });
    const now = Date.UTC(2026, 11, 1);
    expect(await update(given, { now })).toMatchObject({ outcome: 'unchanged' });
    expect(publisher.paths).toEqual([november, '/free/dbip-country-lite-2026-12.mmdb.gz', november]);
    expect(publisher.requests[2]!.headers).toMatchObject({
      'if-none-match': '"nov"',
      'if-modified-since': 'Sun, 01 Nov 2026 00:00:00 GMT',
    });
    publisher.on('/free/dbip-country-lite-2026-12.mmdb.gz', versioned(gzipSync(second), '"dec"'));
    expect(await update(given, { now })).toMatchObject({ outcome: 'installed' });
    publisher.requests.length = 0;
    expect(await update(given, { now, force: true })).toMatchObject({ outcome: 'unchanged' });
    expect(publisher.requests[0]!.headers['if-none-match']).toBeUndefined();
  });

  it('names both months when neither is there', async () => {
    const result = await update({ ...dbip, baseUrl: publisher.url }, { now: Date.UTC(2027, 0, 1) });
    expect(result.message).toMatch(/no .*2027-01\.mmdb\.gz nor .*2026-12\.mmdb\.gz/);
  });
});

describe("an update from the registries' statistics", () => {
  const NAMES = ['afrinic', 'apnic', 'arin', 'lacnic', 'ripencc'];
  const path = (name: string): string => `/pub/stats/${name}/delegated-${name}-extended-latest`;
  const serve = (name: string, i: number, day: string): void => {
    const text = `2|${name}|1|1|19830705|${day}|+0000\n${name}|${['ZA', 'JP', 'US', 'BR', 'DE'][i]}|ipv4|${20 + i}.0.0.0|16777216|20000101|allocated|x\n`;
    publisher.on(path(name), text);
    publisher.on(
      `${path(name)}.md5`,
      `MD5 (delegated-${name}-extended-${day}) = ${digestOf(Buffer.from(text), 'md5')}\n`,
    );
  };

  it('makes one database of the five files, none when one is missing, and none again when nothing is newer', async () => {
    const given = { source: 'rir', baseUrl: publisher.url } as const;
    for (const [i, name] of NAMES.entries()) if (name !== 'lacnic') serve(name, i, '20261128');
    expect(await update(given)).toMatchObject({ outcome: 'bad', message: expect.stringContaining('lacnic') });
    expect(readdirSync(directory)).toEqual([]);
    serve('lacnic', 3, '20261127');
    expect(await update(given)).toMatchObject({ file: 'rir-country.mmdb', outcome: 'installed' });
    const made = readDatabase('rir-country.mmdb', installed('rir-country.mmdb'));
    if (typeof made === 'string') throw new Error(made);
    expect(made.records.map(({ place }) => place.country).sort()).toEqual(['BR', 'DE', 'JP', 'US', 'ZA']);
    expect(made.builtAt).toBe(Date.UTC(2026, 10, 27) / 1000);
    publisher.requests.length = 0;
    expect(await update(given)).toMatchObject({ outcome: 'unchanged' });
    expect(publisher.paths).toEqual(NAMES.map((name) => `${path(name)}.md5`));
    serve('lacnic', 3, '20261129');
    expect(await update(given)).toMatchObject({ outcome: 'installed', share: 0 });
  });
});
