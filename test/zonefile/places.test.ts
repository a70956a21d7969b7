// Places and regions: what names a place, and the right word for what almost does.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeKey } from '../../dist/geo/place.js';
import { parsePlace } from '../../dist/zonefile/places.js';
import { errorsOf, HEAD } from '../support/zones.ts';

function key(text: string): string {
  const result = parsePlace(text);
  return result.ok ? placeKey(result.place) : `${result.code}: ${result.fix}`;
}

describe('a place', () => {
  it.each([
    ['RU', 'RU'],
    ['NO', 'NO'],
    ['XK', 'XK'],
    ['US-CA', 'US-CA'],
    ['FR-75', 'FR-75'],
    ['GB-ENG', 'GB-ENG'],
    ['africa', 'africa'],
    ['north-america', 'north-america'],
    ['AS64500', 'AS64500'],
    ['AS4294967295', 'AS4294967295'],
    ['198.51.100.0/24', '198.51.100.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:1::/48', '2001:db8:1::/48'],
    ['::/0', '::/0'],
    ['city:RU/Moscow', 'city:RU/moscow'],
    ['city:US-IL/Springfield', 'city:US-IL/springfield'],
    ['city:BR/São Paulo', 'city:BR/sao paulo'],
    // IPv4 inside IPv6 is placed as IPv4.
    ['::ffff:192.0.2.0/120', '192.0.2.0/24'],
  ])('is %s', (text, expected) => expect(key(text)).toBe(expected));

  it.each([
    ['UK', 'unknown-country: did you mean GB?'],
    ['EL', 'unknown-country: did you mean GR?'],
    ['ru', 'unknown-country: did you mean RU?'],
    ['EU', 'unknown-country: did you mean europe?'],
    ['ZZ', 'unknown-country: write an ISO 3166-1 alpha-2 code such as DE'],
    ['UK-ENG', 'unknown-country: did you mean GB?'],
    ['us-ca', 'unknown-country: did you mean US?'],
    ['US-ca', 'unknown-place: did you mean US-CA?'],
    ['AS0', 'bad-as: write AS and a number from 1 to 4294967295'],
    ['AS4294967296', 'bad-as: write AS and a number from 1 to 4294967295'],
    ['as64500', 'bad-as: write AS64500'],
    ['AS064500', 'bad-as: write AS64500'],
    ['198.51.100.1/24', 'host-bits: write 198.51.100.0/24'],
    ['2001:db8::1/48', 'host-bits: write 2001:db8::/48'],
    ['198.51.100.7', 'bad-network: write 198.51.100.7/32, or the network you mean'],
    ['198.51.100.0/33', 'bad-network: write a network such as 192.0.2.0/24 or 2001:db8::/32'],
    ['198.51.100.0/024', 'bad-network: write a network such as 192.0.2.0/24 or 2001:db8::/32'],
    ['city:Moscow', 'bad-city: write city:COUNTRY/NAME, such as city:RU/Moscow or city:US-IL/Springfield'],
    ['city:RU/', 'bad-city: write city:COUNTRY/NAME, such as city:RU/Moscow or city:US-IL/Springfield'],
    ['city:europe/Paris', 'bad-city: write city:RU/Moscow or city:US-IL/Springfield'],
    ['city:UK/London', 'unknown-country: did you mean GB?'],
  ])('is not %s', (text, expected) => expect(key(text)).toBe(expected));

  it.each([
    ['Europe', 'europe'],
    ['south america', 'south-america'],
    ['Germany', 'DE'],
    ['64500', 'AS64500'],
  ])('is not %s, but perhaps %s', (text, meant) => expect(key(text)).toContain(`did you mean ${meant}?`));

  it('never comes out of any text by a throw, and its key reads back', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'RUuk-AS64:/.:cityabc0129 ') }), (text) => {
        const result = parsePlace(text);
        if (result.ok) expect(key(placeKey(result.place))).toBe(placeKey(result.place));
      }),
    );
  });
});

describe('regions', () => {
  const errors = (text: string) => errorsOf(`${HEAD}regions: ${text}\n`);

  it('have names of lower-case letters, digits and hyphens', () => {
    expect(errors('{ a: [RU], north-2: [FI] }')).toEqual([]);
    for (const name of ['North', '2nd', 'a_b', 'a.b', '-a', 'default', '""']) {
      expect(errors(`{ ${name}: [RU] }`), name).toEqual(['bad-name 7:12']);
    }
  });

  it('have places, each once', () => {
    expect(errors('{ a: RU }')).toEqual([]);
    expect(errors('{ a: [RU, BY, RU] }')).toEqual(['duplicate-place 7:24']);
    expect(errors('{ a: [] }')).toEqual(['no-values 7:15']);
    expect(errors('{ a: { RU: x } }')).toEqual(['wrong-shape 7:15']);
    expect(errors('{ a: [UK, ZZ] }')).toEqual(['unknown-country 7:16', 'unknown-country 7:20']);
    expect(errors('[RU]')).toEqual(['wrong-shape 7:10']);
  });
});
