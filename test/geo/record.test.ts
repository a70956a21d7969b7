import { describe, expect, it } from 'vitest';
import { readDatabase } from '../../dist/geo/mmdb.js';
import { type RecordFacts, withContinent } from '../../dist/geo/record.js';
import { buildMmdb, type Field, Uint32 } from '../support/mmdb.ts';

/** What a record says after a way through a file. */
function factsOf(record: Field): RecordFacts {
  const database = readDatabase('test.mmdb', buildMmdb([['192.0.2.0/24', record]]));
  if (typeof database === 'string') throw new Error(database);
  return database.records[0]!;
}

const fresno = { country: 'US', subdivision: 'US-CA', city: 'Fresno', at: [36.7, -119.8] };

describe('a record', () => {
  it.each<[string, Field]>([
    [
      'MaxMind City',
      {
        city: { geoname_id: new Uint32(5350937), names: { de: 'Fresno (DE)', en: 'Fresno', ru: 'Фресно' } },
        continent: { code: 'NA', names: { en: 'North America' } },
        country: { iso_code: 'US', names: { en: 'United States' } },
        location: {
          accuracy_radius: new Uint32(20),
          latitude: 36.7,
          longitude: -119.8,
          time_zone: 'America/Los_Angeles',
        },
        registered_country: { iso_code: 'DE' },
        subdivisions: [{ iso_code: 'CA', names: { en: 'California' } }],
      },
    ],
    [
      'DB-IP City, which has no subdivision codes',
      {
        city: { names: { en: 'Fresno' } },
        country: { iso_code: 'US' },
        location: { latitude: 36.7, longitude: -119.8 },
        subdivisions: [{ names: { en: 'California' } }],
      },
    ],
    [
      'ip-location-db City',
      {
        country_code: 'US',
        state1: 'California',
        state2: '',
        city: 'Fresno',
        latitude: 36.7,
        longitude: -119.8,
        postcode: '93650',
        timezone: '',
      },
    ],
    ['IPinfo', { country: 'US', region: 'California', region_code: 'CA', city: 'Fresno', loc: '36.7,-119.8' }],
    [
      'IPinfo with numbers as text',
      {
        country: 'United States',
        country_code: 'US',
        region: 'California',
        city: 'Fresno',
        lat: '36.7',
        lng: '-119.8',
      },
    ],
    [
      'a flat record with a whole code',
      { country_code: 'us', subdivision: 'US-CA', city: 'Fresno', latitude: 36.7, longitude: -119.8 },
    ],
  ])('of %s is understood', (_, record) => {
    expect(factsOf(record).place).toMatchObject(fresno);
  });

  it('gives the AS number of every schema', () => {
    for (const record of [
      { autonomous_system_number: new Uint32(64500), autonomous_system_organization: 'Example' },
      { traits: { autonomous_system_number: new Uint32(64500) } },
      { asn: 'AS64500', as_name: 'Example' },
      { autonomous_system_number: '64500' },
      { asn: new Uint32(64500) },
    ]) {
      expect(factsOf(record).as).toBe(64500);
    }
    expect(factsOf({ country_code: 'RU' }).as).toBe(0);
  });

  it('keeps both levels where a database has two', () => {
    const record = { country: { iso_code: 'GB' }, subdivisions: [{ iso_code: 'ENG' }, { iso_code: 'LND' }] };
    expect(factsOf(record).place).toMatchObject({ subdivision: 'GB-ENG', district: 'GB-LND' });
  });

  it('says nothing of codes that are no countries, of empty coordinates and of the registered country', () => {
    expect(factsOf({ country_code: 'ZZ', latitude: 0, longitude: 0 }).place).toMatchObject({ country: null, at: null });
    expect(factsOf({ registered_country: { iso_code: 'AU' } }).place.country).toBeNull();
    expect(factsOf({ country_code: 'EU' }).place).toMatchObject({ country: null, continent: 'EU' });
  });

  it('keeps the continent of codes that name no country, and puts Christmas Island where MaxMind has it', () => {
    expect(factsOf({ country_code: 'AN' }).place).toMatchObject({ country: null, continent: 'NA' });
    expect(factsOf({ country: { iso_code: 'AP' } }).place).toMatchObject({ country: null, continent: 'AS' });
    expect(factsOf({ country_code: 'AN', continent: { code: 'SA' } }).place.continent).toBe('SA');
    expect(withContinent(factsOf({ country_code: 'CX' }).place)).toMatchObject({ country: 'CX', continent: 'OC' });
    expect(withContinent(factsOf({ country_code: 'ZZ' }).place).continent).toBeNull();
  });

  it('of any form is only unknown, never an exception', () => {
    for (const record of [
      'text',
      5,
      true,
      [],
      { country: [1, 2], city: { names: {} }, subdivisions: 'x', location: 'y' },
      { __proto__: 'x', names: {} },
    ]) {
      expect(factsOf(record as Field).place).toMatchObject({ country: null, city: null, at: null });
    }
  });
});
