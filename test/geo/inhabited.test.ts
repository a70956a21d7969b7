import { describe, expect, it } from 'vitest';
import { parsePrefix } from '../../dist/base/address.js';
import { Inhabited } from '../../dist/geo/inhabited.js';
import { NOWHERE, type Place } from '../../dist/geo/place.js';
import { severalCountries } from '../../dist/geo/spread.js';
import { parsePlace } from '../../dist/zonefile/places.js';
import { geoOf } from '../support/geo.ts';
import { Uint32 } from '../support/mmdb.ts';

function places(...texts: string[]): Place[] {
  return texts.map((text) => {
    const result = parsePlace(text);
    if (!result.ok) throw new Error(result.message);
    return result.place;
  });
}

const geo = geoOf(
  [
    {
      file: 'city.mmdb',
      records: [
        ['81.2.69.0/26', { country_code: 'DE', state1: 'Hesse', city: 'Frankfurt am Main (Gallus)' }],
        ['81.2.69.64/26', { country_code: 'AT', state1: 'Vienna', city: 'Vienna' }],
        ['81.2.69.128/25', { country_code: 'ES', state1: 'Madrid', state2: 'Madrid', city: 'Madrid' }],
        ['81.2.100.0/24', { country_code: 'BR', city: 'Rio de Janeiro' }],
        ['2a00:1::/56', { country_code: 'SE', state1: 'Stockholm', city: 'Stockholm' }],
        ['2a00:1:0:100::/56', { country_code: 'NO', state1: 'Oslo', city: 'Oslo' }],
      ],
    },
    { file: 'asn.mmdb', records: [['81.2.69.0/24', { autonomous_system_number: new Uint32(64500) }]] },
  ],
  // All of Brazil is put elsewhere: its place is in the image, and nobody is in it.
  [
    {
      prefix: parsePrefix('81.2.100.0/24')!,
      place: { country: 'CL', subdivision: 'CL-RM', city: 'Santiago', at: null },
      as: 64501,
    },
  ],
);
const inhabited = new Inhabited(geo);

describe('where addresses are', () => {
  it('is known of countries, subdivisions and their parts, cities, AS numbers and continents', () => {
    const found = [
      'DE',
      'AT-9',
      'ES-MD',
      'ES-M',
      'CL',
      'CL-RM',
      'AS64500',
      'AS64501',
      'europe',
      'south-america',
      'SE-AB',
    ];
    const cities = ['city:AT/vienna', 'city:AT-9/VIENNA', 'city:ES-M/Madrid', 'city:CL/Santiago', 'city:SE/Stockholm'];
    expect(inhabited.without(geo, places(...found, ...cities, '10.0.0.0/8'))).toEqual(new Set());
  });

  it('is known of a city with its district behind it, as DB-IP writes', () => {
    const empty = inhabited.without(
      geo,
      places('city:DE/Frankfurt am Main', 'city:DE/Gallus', 'city:DE-HE/frankfurt am main gallus'),
    );
    expect(empty).toEqual(new Set(['city:DE/gallus']));
  });

  it('is told from where databases had addresses before an override, and from other countries and subdivisions', () => {
    const none = [
      'BR',
      'US',
      'US-ZZ',
      'AT-5',
      'city:BR/Rio de Janeiro',
      'city:ES/Vienna',
      'city:AT-5/Vienna',
      'AS64502',
      'africa',
    ];
    expect(inhabited.without(geo, places(...none)).size).toBe(none.length);
  });

  it('suggests the nearest city of the same place', () => {
    const near = (text: string) => inhabited.nearestCity(geo, places(text)[0] as Extract<Place, { kind: 'city' }>);
    expect([near('city:AT/Viena'), near('city:AT-9/Vienne'), near('city:AT-5/Viena'), near('city:ES/Viena')]).toEqual([
      'Vienna',
      'Vienna',
      undefined,
      undefined,
    ]);
    expect(near('city:DE/Frankfurt am Mein')).toBe('Frankfurt am Main');
  });

  it('is a list of areas, none of them twice', () => {
    const texts = inhabited.areas.map(({ country, subdivision, district }) => `${country} ${subdivision} ${district}`);
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts).toContain('ES ES-MD ES-M');
    expect(texts).not.toContain(`${NOWHERE.country} null null`);
  });
});

describe('the countries of one network', () => {
  const several = (text: string) => severalCountries(geo, parsePrefix(text)!);

  it('are told with most addresses first, where there are several', () => {
    expect(several('81.2.69.0/24')).toEqual(['ES', 'DE', 'AT']);
    expect(several('81.2.69.0/25')).toEqual(['DE', 'AT']);
    expect(several('81.2.69.0/26')).toEqual([]);
    expect(several('81.2.100.0/23')).toEqual(['CL', 'no known country']);
    expect(several('81.2.113.0/24')).toEqual([]);
  });

  it('are told of IPv6, and of IPv4 inside it', () => {
    expect(several('2a00:1::/48')).toEqual(['no known country', 'SE', 'NO']);
    expect(several('2a00:1::/55')).toEqual(['SE', 'NO']);
    expect(several('2a00:1::/56')).toEqual([]);
    expect(several('::ffff:81.2.69.0/121')).toEqual(['DE', 'AT']);
  });
});
