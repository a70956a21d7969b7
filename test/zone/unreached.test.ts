import { describe, expect, it } from 'vitest';
import { Inhabited } from '../../dist/geo/inhabited.js';
import type { GeoView } from '../../dist/geo/lookup.js';
import { fixFor, unreached } from '../../dist/zone/unreached.js';
import { parsePlace } from '../../dist/zonefile/places.js';
import { geoOf } from '../support/geo.ts';
import type { Field } from '../support/mmdb.ts';

function geography(records: readonly Field[]): GeoView {
  return geoOf([{ file: 'x.mmdb', records: records.map((record, i) => [`81.${i}.0.0/16`, record] as const) }]);
}

/** What is found in vain in the regions, as `KIND REGION PLACE`. */
function found(geo: GeoView, regions: Record<string, string>): string[] {
  const list = Object.entries(regions).map(([name, texts]) => ({
    name,
    places: texts.split(' ').map((text) => {
      const result = parsePlace(text);
      if (!result.ok) throw new Error(result.message);
      return result.place;
    }),
  }));
  return unreached(list, geo, new Inhabited(geo)).map(({ kind, region, message }) =>
    kind === 'place' ? `place ${region} ${message.replace(/.* in /, '')}` : `${kind} ${region}`,
  );
}

const countries = geography([{ country_code: 'AT' }, { country_code: 'DE' }, { country_code: 'US' }]);
const states = geography([
  { country_code: 'AT', state1: 'Vienna' },
  { country_code: 'AT', state1: 'Tyrol' },
  { country_code: 'DE', state1: 'Bavaria' },
  { country_code: 'DE', state1: '' },
  { country_code: 'ES', state1: 'Madrid', state2: 'Madrid' },
]);

describe('a region', () => {
  it('whose subdivisions all stand in others never matches', () => {
    expect(found(states, { a: 'AT-9', b: 'AT-7', c: 'AT' })).toEqual(['region c']);
    expect(found(states, { a: 'AT-9', c: 'AT' })).toEqual([]);
    expect(found(states, { a: 'AT-9 AT-7 DE-BY', c: 'AT DE' })).toEqual(['rest c']);
    expect(found(states, { a: 'ES-M', c: 'ES-MD' })).toEqual(['region c']);
  });

  it('whose countries all stand in others never matches', () => {
    expect(found(states, { a: 'AT DE ES', c: 'europe' })).toEqual(['region c']);
    expect(found(states, { a: 'AT ES', b: 'DE-BY', c: 'europe' })).toEqual(['rest c']);
    expect(found(states, { a: 'AT DE', c: 'europe' })).toEqual([]);
  });

  it('gets only the rest where some clients have no known subdivision, or no database knows any', () => {
    expect(found(states, { a: 'DE-BY', c: 'DE' })).toEqual(['rest c']);
    const all = 'AT-1 AT-2 AT-3 AT-4 AT-5 AT-6 AT-7 AT-8 AT-9';
    expect(found(countries, { a: all, c: 'AT' })).toEqual(['rest c']);
    expect(found(countries, { a: all, c: 'AT DE' })).toEqual([]);
    expect(found(countries, { a: all.replace(' AT-5', ''), c: 'AT' })).toEqual([]);
  });

  it('with networks, AS numbers or cities is not judged, nor one whose places are all without addresses', () => {
    expect(found(states, { a: 'AT-9 AT-7', c: 'AT 81.9.0.0/16' })).toEqual([]);
    expect(found(states, { a: 'AT-9 AT-7', c: 'AT AS64500' })).toEqual([]);
    expect(found(states, { c: 'BR' })).toEqual(['place c BR']);
  });
});

describe('a place', () => {
  it('of a kind that no database knows is left to others to say, but not a code that nobody has', () => {
    expect(found(countries, { a: 'US-CA city:US/Fresno AS64500', b: 'US-ZZ' })).toEqual(['place b US-ZZ']);
    expect(found(states, { a: 'US-CA' })).toEqual(['place a US-CA (California)']);
  });

  it('comes with what to do', () => {
    const fix = (text: string): string => {
      const result = parsePlace(text);
      if (!result.ok) throw new Error(result.message);
      return fixFor({ kind: 'place', region: 'x', place: result.place, message: '' }, states, new Inhabited(states));
    };
    expect(fix('US-PR')).toBe('write PR: databases have it as a country');
    expect(fix('CN-HK')).toBe('write HK: databases have it as a country');
    expect(fix('IT-AO')).toBe('correct it: it is no code of ISO 3166-2');
    expect(fix('US-CA')).toMatch(/^correct it, or remove it/);
    expect(fix('city:AT/Wien')).toMatch(/^write the city as the database does/);
  });
});
