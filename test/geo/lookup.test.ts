import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { Reader, type Response } from 'maxmind';
import { describe, expect, it } from 'vitest';
import {
  type Address,
  contains,
  formatAddress,
  formatPrefix,
  maskAddress,
  type Prefix,
  parseAddress,
  parsePrefix,
} from '../../dist/base/address.js';
import { isCountry } from '../../dist/geo/countries.js';
import { placedAddress } from '../../dist/geo/embedded.js';
import { embeddedDatabaseFile } from '../../dist/geo/embedded-database.js';
import { locate } from '../../dist/geo/locate.js';
import type { GeoView } from '../../dist/geo/lookup.js';
import { loadGeo } from '../../dist/geo/open.js';
import type { Override } from '../../dist/geo/overrides.js';
import { SPECIAL_PLACE } from '../../dist/geo/place.js';
import { specialBlockOf } from '../../dist/geo/special.js';
import { fromBigInt, geoOf, type Records, recordFor, toBigInt, viewOf } from '../support/geo.ts';
import { buildMmdb } from '../support/mmdb.ts';

interface FlatRecord {
  readonly country_code?: string;
  readonly city?: string;
  readonly autonomous_system_number?: number;
}

const override = (network: string, place: Partial<NonNullable<Override['place']>> | null, as = 0): Override => ({
  prefix: parsePrefix(network)!,
  place: place && { country: null, subdivision: null, city: null, at: null, ...place },
  as,
});

function facts(geo: GeoView, address: string): string {
  const { facts, as, source } = locate(geo, parseAddress(address)!);
  const { country, continent, subdivision, city, at } = facts;
  return [country, continent, subdivision, city, at?.join(), as || null, source?.file]
    .filter((x) => x !== null && x !== undefined)
    .join(' ');
}

describe('the geo image', () => {
  it('places random clients of both families where maxmind places them, with the embedded database', () => {
    const geo = viewOf(loadGeo({ directory: null, overridesFile: null }).image);
    const reader = new Reader<FlatRecord & Response>(readFileSync(embeddedDatabaseFile()));
    const client = fc.oneof(
      fc.bigInt(0n, 2n ** 32n - 1n).map((value) => fromBigInt(4, value)),
      fc.bigInt(0x2000n << 112n, (0x4000n << 112n) - 1n).map((value) => fromBigInt(6, value)),
      // Where the registries really hand out: many short ranges.
      fc
        .tuple(fc.constantFrom(0x2a00n, 0x2a0dn, 0x2001n, 0x2406n, 0x2804n), fc.bigInt(0n, 2n ** 112n - 1n))
        .map(([high, low]) => fromBigInt(6, (high << 112n) | low)),
    );
    let known = 0;
    fc.assert(
      fc.property(client, (address) => {
        const placed = placedAddress(address);
        const special = specialBlockOf(address) !== null;
        const country = special ? null : (reader.get(formatAddress(placed))?.country_code ?? null);
        if (country !== null && isCountry(country)) known++;
        expect(locate(geo, address).facts.country, formatAddress(address)).toBe(
          country !== null && isCountry(country) ? country : null,
        );
      }),
      { numRuns: 5000 },
    );
    expect(known).toBeGreaterThan(1000);
  });

  it('agrees at every edge of its ranges with the neighbour that it names', () => {
    const geo = viewOf(loadGeo({ directory: null, overridesFile: null }).image);
    for (let range = 1; range < geo.count4; range += 97) {
      expect(geo.find4(geo.start4(range))).toBe(range);
      expect(geo.find4(geo.start4(range) - 1)).toBe(range - 1);
      expect(geo.place4(range)).not.toBe(geo.place4(range - 1));
    }
    for (let range = 1; range < geo.count6; range += 97) {
      const words = [0, 1, 2, 3].map((column) => geo.start6(range, column)) as [number, number, number, number];
      expect(geo.find6(...words)).toBe(range);
    }
  });

  it('takes the place of each address from the most detailed database that knows its country, and the AS from any', () => {
    const geo = geoOf([
      { file: 'A-Country.mmdb', records: [['0.0.0.0/0', { country: { iso_code: 'DE' } }]] },
      {
        file: 'B-City.mmdb',
        records: [
          [
            '11.0.0.0/8',
            {
              country: { iso_code: 'US' },
              continent: { code: 'NA' },
              subdivisions: [{ iso_code: 'CA' }],
              city: { names: { en: 'Fresno' } },
            },
          ],
          ['11.1.0.0/16', { country: { iso_code: 'CA' } }],
          ['11.2.0.0/16', { city: { names: { en: 'Lost' } } }],
        ],
      },
      { file: 'C-City.mmdb', records: [['11.0.0.0/9', { country_code: 'BR', city: 'Rio', state1: 'RJ' }]] },
      { file: 'D-ASN.mmdb', records: [['11.0.0.0/12', { autonomous_system_number: 64500 }]] },
      { file: 'E-ASN.mmdb', records: [['0.0.0.0/0', { asn: 'AS64501' }]] },
    ]);
    expect(facts(geo, '9.9.9.9')).toBe('DE EU 64501 A-Country.mmdb');
    expect(facts(geo, '11.9.9.9')).toBe('US NA US-CA Fresno 64500 B-City.mmdb');
    // Both city databases know the country; the one that says more of this address decides.
    expect(facts(geo, '11.1.9.9')).toBe('BR SA BR-RJ Rio 64500 C-City.mmdb');
    // A database that doesn't know the country is no match for one that does.
    expect(facts(geo, '11.2.9.9')).toBe('BR SA BR-RJ Rio 64500 C-City.mmdb');
    expect(facts(geo, '11.200.9.9')).toBe('US NA US-CA Fresno 64501 B-City.mmdb');
  });

  it('lets overrides replace country, subdivision, city and coordinates together; the longest network wins', () => {
    const city = {
      country: { iso_code: 'US' },
      continent: { code: 'EU' },
      subdivisions: [{ iso_code: 'CA' }],
      city: { names: { en: 'Fresno' } },
      location: { latitude: 36.7, longitude: -119.8 },
    };
    const geo = geoOf(
      [{ file: 'City.mmdb', records: [['0.0.0.0/0', { ...city, autonomous_system_number: 64500 }]] }],
      [
        override('45.0.2.0/24', { country: 'RU' }),
        override('45.0.2.128/25', { country: 'FJ', at: [-17.8, 178] }, 64501),
        override('45.51.100.0/24', { at: [1, 2] }),
        override('45.0.113.0/24', null, 64502),
        override('45.0.2.192/26', null, 64503),
      ],
    );
    expect(facts(geo, '9.9.9.9')).toBe('US EU US-CA Fresno 36.7,-119.8 64500 City.mmdb');
    expect(facts(geo, '45.0.2.1')).toBe('RU EU 64500 overrides.yaml');
    expect(facts(geo, '45.0.2.129')).toBe('FJ OC -17.8,178 64501 overrides.yaml');
    // Without an overriding country the continent stays the database's.
    expect(facts(geo, '45.51.100.1')).toBe('EU 1,2 64500 overrides.yaml');
    expect(facts(geo, '45.0.113.1')).toBe('US EU US-CA Fresno 36.7,-119.8 64502 City.mmdb');
    // What says only the AS leaves the place to the next override around it.
    expect(facts(geo, '45.0.2.193')).toBe('FJ OC -17.8,178 64503 overrides.yaml');
  });

  it('agrees with a plain search through overlapping City, ASN and override networks', () => {
    const network = (v4: boolean): fc.Arbitrary<Prefix> =>
      v4
        ? fc
            .tuple(fc.bigInt(0n, 2n ** 32n - 1n), fc.integer({ min: 0, max: 32 }))
            .map(([value, length]) => ({ address: maskAddress(fromBigInt(4, value), length), length }))
        : fc
            .tuple(fc.bigInt(0x2a00n << 112n, (0x2a02n << 112n) - 1n), fc.integer({ min: 15, max: 128 }))
            .map(([value, length]) => ({ address: maskAddress(fromBigInt(6, value), length), length }));
    const networks = fc.array(fc.oneof(network(true), network(false)), { maxLength: 8 });
    fc.assert(
      fc.property(
        networks,
        networks,
        networks,
        fc.array(fc.nat(), { minLength: 10, maxLength: 10 }),
        (cities, numbers, places, seeds) => {
          const countries = ['US', 'RU', 'BR', 'FJ', 'DE', 'ZA', 'JP', 'CA'];
          const text = (prefix: Prefix): string => formatPrefix(prefix);
          const cityRecords: Records = cities.map((prefix, i) => [
            text(prefix),
            { country_code: countries[i]!, city: `City ${i}` },
          ]);
          const asRecords: Records = numbers.map((prefix, i) => [text(prefix), { autonomous_system_number: 100 + i }]);
          const overrides = places.map((prefix, i) =>
            override(text(prefix), i % 3 === 2 ? null : { country: countries[7 - i]! }, i % 2 ? 200 + i : 0),
          );
          const geo = geoOf(
            [
              { file: 'City.mmdb', records: cityRecords, options: { recordSize: 32 } },
              { file: 'ASN.mmdb', records: asRecords },
            ],
            overrides,
          );
          const readers = [cityRecords, asRecords].map(
            (records) => new Reader<FlatRecord & Response>(buildMmdb(records)),
          );
          const all = [...cities, ...numbers, ...places];
          for (const seed of seeds) {
            const around = all[seed % Math.max(1, all.length)] ?? parsePrefix('45.0.2.0/24')!;
            const bits = around.address.bytes.length * 8;
            const size = 1n << BigInt(bits - around.length);
            const client = fromBigInt(
              around.address.family,
              BigInt.asUintN(bits, toBigInt(around.address) + [0n, -1n, size - 1n, size, size / 2n][seed % 5]!),
            );
            if (client.family === 6 && (client.bytes[0] !== 0x2a || client.bytes[1]! > 1)) continue;
            const longest = (says: (o: Override) => boolean): Override | undefined =>
              overrides
                .filter((o) => says(o) && contains(o.prefix, client))
                .reduce<Override | undefined>(
                  (best, o) => (best && best.prefix.length >= o.prefix.length ? best : o),
                  undefined,
                );
            const placing = longest((o) => o.place !== null);
            const numbering = longest((o) => o.as > 0);
            // Of special-purpose space nobody but an override knows anything.
            const special = specialBlockOf(client) !== null;
            const fromCity = special ? null : readers[0]!.get(formatAddress(client));
            const fromNumbers = special ? null : readers[1]!.get(formatAddress(client));
            const located = locate(geo, client);
            expect(located.facts.country ?? null).toBe(
              placing ? placing.place!.country : (fromCity?.country_code ?? null),
            );
            expect(located.facts.city).toBe(placing ? null : (fromCity?.city ?? null));
            expect(located.as).toBe(numbering?.as ?? fromNumbers?.autonomous_system_number ?? 0);
            if (!special) expect(recordFor(cityRecords, client) === undefined).toBe(fromCity === null);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('places IPv4 inside IPv6 as IPv4, whatever the database says of the blocks', () => {
    const geo = geoOf([
      {
        file: 'x.mmdb',
        records: [
          ['45.51.100.0/24', { country_code: 'RU' }],
          ['2000::/3', { country_code: 'US' }],
        ],
        options: { aliases: true },
      },
    ]);
    for (const address of [
      '::ffff:45.51.100.7',
      '64:ff9b::2d33:6407',
      '2002:2d33:6407::1',
      '2001:0:1:2:3:4:d2cc:9bf8',
      '45.51.100.7',
    ]) {
      expect(facts(geo, address), address).toBe('RU EU x.mmdb');
    }
    expect(facts(geo, '2002:2d33:6507::1')).toBe('');
    expect(facts(geo, '2003::1')).toBe('US NA x.mmdb');
  });

  it('gives special-purpose addresses no place, whatever a database says', () => {
    const world = [
      ['0.0.0.0/0', { country_code: 'AU', autonomous_system_number: 64500 }],
      ['::/0', { country_code: 'JP', autonomous_system_number: 64500 }],
    ] as const;
    const geo = geoOf([{ file: 'x.mmdb', records: world }]);
    for (const address of [
      ...[
        '0.0.0.0',
        '10.1.2.3',
        '100.64.0.1',
        '100.127.255.255',
        '127.0.0.1',
        '169.254.1.1',
        '172.16.0.1',
        '172.31.9.9',
      ],
      ...['192.0.0.9', '192.0.2.1', '192.31.196.1', '192.52.193.1', '192.88.99.1', '192.168.1.1', '192.175.48.1'],
      ...['198.18.0.1', '198.19.255.255', '198.51.100.7', '203.0.113.9', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
      ...[
        '::',
        '::1',
        '64:ff9b:1::1',
        '100::1',
        '1fff::1',
        '2001:2::1',
        '2001:1ff::1',
        '2001:db8::1',
        '2620:4f:8000::1',
      ],
      ...['3fff::1', '3fff:fff::1', '4000::1', '5f00::1', 'a000::1', 'fd00::1', 'fe80::1', 'ff02::1'],
      // And inside IPv6: mapped, NAT64, 6to4, Teredo.
      ...['::ffff:10.1.2.3', '64:ff9b::c0a8:101', '2002:7f00:1::1', '2001:0:1:2:3:4:f5fe:fdfc'],
    ]) {
      expect(facts(geo, address), address).toBe('');
      expect(locate(geo, parseAddress(address)!).placeId, address).toBe(SPECIAL_PLACE);
    }
    for (const address of [
      '1.1.1.1',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.1.1',
      '100.128.0.0',
      '172.32.0.1',
      '223.1.1.1',
    ])
      expect(facts(geo, address), address).toBe('AU OC 64500 x.mmdb');
    for (const address of [
      '2001:200::1',
      '2001:db7::1',
      '2001:db9::1',
      '2400::1',
      '2620:4f:7fff::1',
      '3ffe::1',
      '3fff:1000::1',
    ])
      expect(facts(geo, address), address).toBe('JP AS 64500 x.mmdb');
  });

  it('has a place for them where an override gives one, and nothing of what a database says of the rest', () => {
    const geo = geoOf(
      [{ file: 'x.mmdb', records: [['0.0.0.0/0', { country_code: 'AU' }]] }],
      [
        override('10.1.0.0/16', { country: 'RU' }),
        override('10.2.0.0/16', { at: [1, 2] }),
        override('10.3.0.0/16', null, 64501),
      ],
    );
    expect(facts(geo, '10.1.2.3')).toBe('RU EU overrides.yaml');
    expect(facts(geo, '::ffff:10.1.2.3')).toBe('RU EU overrides.yaml');
    // The continent that the database has of it is none either.
    expect(facts(geo, '10.2.2.3')).toBe('1,2 overrides.yaml');
    expect(facts(geo, '10.3.2.3')).toBe('64501');
    expect(facts(geo, '10.4.2.3')).toBe('');
  });

  it('takes every home network and every example for nowhere with the embedded database too', () => {
    const geo = viewOf(loadGeo({ directory: null, overridesFile: null }).image);
    for (const address of [
      '192.168.1.1',
      '172.17.0.2',
      '198.51.100.1',
      '203.0.113.1',
      '2001:db8::1',
      '10.0.0.1',
      '::1',
    ])
      expect(facts(geo, address), address).toBe('');
  });

  it('names the range and the largest network around a client', () => {
    const geo = geoOf([
      {
        file: 'x.mmdb',
        records: [
          ['11.0.0.0/9', { country_code: 'RU' }],
          ['11.128.0.0/10', { country_code: 'RU' }],
        ],
      },
    ]);
    const { first, last, network } = locate(geo, parseAddress('11.130.0.1')!);
    const show = (a: Address): string => formatAddress(a);
    expect([show(first), show(last), formatPrefix(network)]).toEqual(['11.0.0.0', '11.191.255.255', '11.128.0.0/10']);
  });
});
