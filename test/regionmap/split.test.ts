import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Prefix, parsePrefix } from '../../dist/base/address.js';
import { atOnce } from '../../dist/base/slices.js';
import { wordsOf } from '../../dist/geo/locate.js';
import type { GeoView } from '../../dist/geo/lookup.js';
import type { Place } from '../../dist/geo/place.js';
import { buildRegionMap } from '../../dist/regionmap/build.js';
import { RegionMapView } from '../../dist/regionmap/lookup.js';
import type { MapSpec } from '../../dist/regionmap/spec.js';
import { countSplit } from '../../dist/regionmap/split.js';
import { fromBigInt, geoOf, inSharedMemory, toBigInt } from '../support/geo.ts';

const slot = { closest: [] };

function mapOf(geo: GeoView, places: readonly (readonly Place[])[]): { words: Int32Array; at: number } {
  const spec: MapSpec = {
    regions: places.map((list, i) => ({ places: list, slot: i })),
    defaultSlot: places.length,
    slots: Array(places.length + 1).fill(slot),
    defaultClimbs: true,
  };
  return inSharedMemory(buildRegionMap(geo, spec));
}

describe('networks that resolvers send', () => {
  it('are counted where clients in them get different lists: by country, by network and by IPv6', () => {
    const geo = geoOf([
      {
        file: 'country.mmdb',
        records: [
          ['81.0.0.0/25', { country_code: 'RU' }],
          ['81.0.0.128/25', { country_code: 'BR' }],
          ['81.0.1.0/24', { country_code: 'RU' }],
          ['81.0.2.0/25', { country_code: 'DE' }],
          ['81.0.2.128/25', { country_code: 'FR' }],
          ['2a00::/57', { country_code: 'RU' }],
          ['2a00:0:0:80::/57', { country_code: 'BR' }],
          ['2a00:0:0:100::/56', { country_code: 'RU' }],
        ],
      },
    ]);
    const russia: Place[] = [{ kind: 'country', code: 'RU' }];
    const { words, at } = mapOf(geo, [russia]);
    // Germany and France are of one list, so that network isn't counted.
    expect(atOnce(countSplit(words, at, geo))).toEqual({ ipv4: 1, ipv6: 1 });
    const office: Place[] = [{ kind: 'network', prefix: parsePrefix('81.0.1.16/28')! }];
    const both = mapOf(geo, [russia, office]);
    expect(atOnce(countSplit(both.words, both.at, geo))).toEqual({ ipv4: 2, ipv6: 1 });
    const none = mapOf(geo, []);
    expect(atOnce(countSplit(none.words, none.at, geo))).toEqual({ ipv4: 0, ipv6: 0 });
  });

  it('are those that asking every address finds', () => {
    // Four /24 of IPv4, cut anywhere.
    const network = fc
      .tuple(fc.integer({ min: 0, max: 1023 }), fc.integer({ min: 23, max: 32 }))
      .map(([offset, length]): Prefix => {
        const size = 2 ** (32 - length);
        return { address: fromBigInt(4, BigInt(0x51000000 + Math.floor(offset / size) * size)), length };
      });
    const text = ({ address, length }: Prefix): string => `${[...address.bytes].join('.')}/${length}`;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(network, fc.constantFrom('RU', 'BR', 'DE')), { maxLength: 8 }),
        fc.uniqueArray(network, { maxLength: 4, selector: text }),
        (records, networks) => {
          const geo = geoOf([
            { file: 'c.mmdb', records: records.map(([prefix, code]) => [text(prefix), { country_code: code }]) },
          ]);
          const { words, at } = mapOf(geo, [
            [{ kind: 'country', code: 'RU' }],
            networks.map((prefix): Place => ({ kind: 'network', prefix })),
          ]);
          const view = new RegionMapView();
          view.attach(words, at, geo);
          const split = new Set<number>();
          for (let block = 0; block < 4; block++) {
            const slots = new Set<number>();
            for (let host = 0; host < 256; host++) {
              const address = fromBigInt(4, BigInt(0x51000000 + block * 256 + host));
              view.locate4(wordsOf(address.bytes)[0]!, -1);
              slots.add(words[view.variantAt(0)]!);
              expect(toBigInt(address) >> 8n).toBe(BigInt(0x510000 + block));
            }
            if (slots.size > 1) split.add(block);
          }
          expect(atOnce(countSplit(words, at, geo)).ipv4).toBe(split.size);
        },
      ),
      { numRuns: 60 },
    );
  });
});
