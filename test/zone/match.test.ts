import { describe, expect, it } from 'vitest';
import { parseAddress, parsePrefix } from '../../dist/base/address.js';
import { NOWHERE, type Place, placeKey } from '../../dist/geo/place.js';
import { matchRegions } from '../../dist/zone/match.js';

const network = (text: string): Place => ({ kind: 'network', prefix: parsePrefix(text)! });
const regions = [
  { name: 'world', places: [{ kind: 'continent', code: 'NA' } as Place] },
  { name: 'usa', places: [{ kind: 'country', code: 'US' } as Place] },
  { name: 'illinois', places: [{ kind: 'subdivision', code: 'US-IL' } as Place] },
  {
    name: 'any-springfield',
    places: [{ kind: 'city', country: 'US', subdivision: null, name: 'Springfield' } as Place],
  },
  {
    name: 'springfield',
    places: [
      { kind: 'city', country: 'US', subdivision: 'US-IL', name: 'SPRINGFIELD' } as Place,
      { kind: 'country', code: 'FR' } as Place,
    ],
  },
  { name: 'telecom', places: [{ kind: 'as', number: 64500 } as Place] },
  { name: 'office', places: [network('198.51.0.0/16'), network('198.51.100.0/24')] },
  { name: 'campus', places: [network('198.51.100.0/23')] },
];
const springfield = { ...NOWHERE, country: 'US', continent: 'NA' as const, subdivision: 'US-IL', city: 'Springfield' };

describe('the regions of a client', () => {
  it('are ordered by network length, AS, city, subdivision, country, continent, each region once', () => {
    const matches = matchRegions(regions, { address: parseAddress('198.51.100.7')!, as: 64500, facts: springfield });
    expect(matches.map(({ region, place }) => `${region} ${placeKey(place)}`)).toEqual([
      'office 198.51.100.0/24',
      'campus 198.51.100.0/23',
      'telecom AS64500',
      'springfield city:US-IL/springfield',
      'any-springfield city:US/springfield',
      'illinois US-IL',
      'usa US',
      'world north-america',
    ]);
  });

  it('count an IPv4 address inside IPv6 as IPv4', () => {
    const matches = matchRegions(regions, { address: parseAddress('2002:c633:6407::1')!, as: 0, facts: NOWHERE });
    expect(matches.map(({ region }) => region)).toEqual(['office', 'campus']);
  });

  it('are those of the place alone where no address is given', () => {
    expect(
      matchRegions(regions, { address: null, as: 0, facts: { ...NOWHERE, country: 'FR', continent: 'EU' } }).map(
        ({ region }) => region,
      ),
    ).toEqual(['springfield']);
    expect(matchRegions(regions, { address: null, as: 0, facts: NOWHERE })).toEqual([]);
  });

  it('take a city with its district behind it for the city, but its own name first', () => {
    const city = (name: string, subdivision: string | null = null): Place => ({
      kind: 'city',
      country: 'US',
      subdivision,
      name,
    });
    const facts = {
      ...NOWHERE,
      country: 'US',
      continent: 'NA' as const,
      subdivision: 'US-IL',
      city: 'Springfield (West)',
    };
    const named = matchRegions(
      [
        { name: 'plain', places: [city('Springfield')] },
        { name: 'plain-there', places: [city('springfield', 'US-IL')] },
        { name: 'plain-elsewhere', places: [city('springfield', 'US-MA')] },
        { name: 'whole', places: [city('Springfield (West)')] },
        { name: 'district', places: [city('West')] },
      ],
      { address: null, as: 0, facts },
    );
    expect(named.map(({ region }) => region)).toEqual(['whole', 'plain-there', 'plain']);
  });
});
