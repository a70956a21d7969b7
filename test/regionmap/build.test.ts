import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Address,
  formatAddress,
  formatPrefix,
  maskAddress,
  type Prefix,
  parseAddress,
  parsePrefix,
} from '../../dist/base/address.js';
import { coordinatesOf } from '../../dist/geo/centres.js';
import { EMBEDDED_BLOCKS, embeddedPrecedingBits, placedAddress, placedPrefix } from '../../dist/geo/embedded.js';
import { locate, wordsOf } from '../../dist/geo/locate.js';
import type { GeoView } from '../../dist/geo/lookup.js';
import type { Override } from '../../dist/geo/overrides.js';
import type { Coordinates, Place } from '../../dist/geo/place.js';
import { SPECIAL_PLACE } from '../../dist/geo/place.js';
import { SPECIAL4, SPECIAL6, specialBlockOf } from '../../dist/geo/special.js';
import { buildRegionMap, mapKey } from '../../dist/regionmap/build.js';
import { RegionMapView } from '../../dist/regionmap/lookup.js';
import type { MapSpec } from '../../dist/regionmap/spec.js';
import { type MatchedClient, regionMatcher } from '../../dist/zone/match.js';
import { fromBigInt, geoOf, inSharedMemory, type Records, toBigInt } from '../support/geo.ts';

const matchRegions = (regions: Parameters<typeof regionMatcher>[0], client: MatchedClient) =>
  regionMatcher(regions)(client);

const TIER_START = 0x10000;

/** A region map in memory, asked with addresses. */
class TestMap {
  readonly view = new RegionMapView();
  constructor(geo: GeoView, spec: MapSpec) {
    const { words, at } = inSharedMemory(buildRegionMap(geo, spec));
    this.view.attach(words, at, geo);
    if (!this.view.fits()) throw new Error('the map does not fit its geo image');
  }

  ask(address: Address, spec: MapSpec): { chain: string[]; scopes: [number, number] } {
    const w = wordsOf(address.bytes);
    if (address.family === 4) this.view.locate4(w[0]!, -1);
    else this.view.locate6(w[0]!, w[1]!, w[2]!, w[3]!);
    const chain = Array.from({ length: this.view.listCount }, (_, i) => {
      const at = this.view.variantAt(i);
      const slot = this.view.words[at]!;
      const entries = spec.slots[slot]!.closest.reduce((n, group) => n + group.points.length, 0);
      return [...this.view.words.subarray(at, at + 1 + entries)].join();
    });
    return { chain, scopes: [this.view.scope(0), this.view.scope(1)] };
  }
}

/** The same by the contract's words alone. */
class Oracle {
  readonly #geo: GeoView;
  readonly #spec: MapSpec;
  readonly #breaks: Record<4 | 6, bigint[]>;
  readonly #chains = new Map<string, string[]>();
  /** By level: whether clients differ at all. */
  readonly #varies: readonly [boolean, boolean];

  constructor(geo: GeoView, spec: MapSpec, networks: readonly Prefix[]) {
    this.#geo = geo;
    this.#spec = spec;
    const special = [...SPECIAL4, ...SPECIAL6].map(({ prefix }) => prefix);
    const ends = (family: 4 | 6): bigint[] => {
      const bits = family === 4 ? 32n : 128n;
      const all = [0n];
      for (const { address, length } of [...networks, ...EMBEDDED_BLOCKS, ...special, parsePrefix('::/96')!]) {
        if (address.family !== family) continue;
        const first = toBigInt(maskAddress(address, length));
        all.push(first, first + (1n << (bits - BigInt(length))));
      }
      return [...new Set(all)].filter((value) => value < 1n << bits).sort((a, b) => (a < b ? -1 : 1));
    };
    this.#breaks = { 4: ends(4), 6: ends(6) };
    const everywhere = ([4, 6] as const).flatMap((f) =>
      this.#breaks[f].map((value) => this.chain(fromBigInt(f, value))),
    );
    this.#varies = [
      new Set(everywhere.map((chain) => chain[0])).size > 1,
      new Set(everywhere.map((chain) => chain.join(' '))).size > 1,
    ];
  }

  /** What a client has that says nothing of where it is: whatever its resolver has, so each block is like nothing else. */
  #unplaced(address: Address): string | null {
    const { facts, as, placeId } = locate(this.#geo, address);
    if (placeId !== SPECIAL_PLACE) return null;
    const regions = this.#spec.regions.map(({ places }, i) => ({ name: String(i), places }));
    const named = matchRegions(regions, { address, as, facts }).some(
      ({ place }) => place.kind === 'network' || place.kind === 'as',
    );
    return named ? null : `special ${formatPrefix(specialBlockOf(address)!.prefix)}`;
  }

  chain(address: Address): string[] {
    const key = address.bytes.join();
    const chain = this.#chains.get(key) ?? this.#chainOf(address);
    this.#chains.set(key, chain);
    return chain;
  }

  #chainOf(address: Address): string[] {
    const { facts, as } = locate(this.#geo, address);
    const regions = this.#spec.regions.map(({ places }, i) => ({ name: String(i), places }));
    const slots = matchRegions(regions, { address, as, facts }).map(
      ({ region }) => this.#spec.regions[Number(region)]!.slot,
    );
    if (this.#spec.defaultClimbs || slots.length === 0) slots.push(this.#spec.defaultSlot);
    return [...new Set(slots)].map((slot) => [slot, ...this.#orders(slot, coordinatesOf(facts))].join());
  }

  #orders(slot: number, at: Coordinates | null): number[] {
    return this.#spec.slots[slot]!.closest.flatMap(({ points, spreadKm }) => {
      if (at === null) return points.map((_, i) => i + TIER_START);
      const left = points.map((point, i) => ({ i, km: haversineKm(at, point.at) * point.bias }));
      const out: number[] = [];
      while (left.length > 0) {
        const nearest = Math.min(...left.map(({ km }) => km));
        const tier = left.filter(({ km }) => km <= nearest + spreadKm);
        out.push(...tier.map(({ i }, k) => (k === 0 ? i + TIER_START : i)));
        for (const one of tier) left.splice(left.indexOf(one), 1);
      }
      return out;
    });
  }

  /** Every list that a client in the prefix has. */
  #listsIn(family: 4 | 6, first: bigint, length: number, level: number): Set<string> {
    const bits = family === 4 ? 32 : 128;
    const end = first + (1n << BigInt(bits - length));
    const out = new Set<string>();
    const add = (f: 4 | 6, value: bigint): void => {
      out.add(this.#valueOf(f, value, level));
    };
    if (family === 6) {
      for (const [block, { address, length: blockLength }] of EMBEDDED_BLOCKS.entries()) {
        const start = toBigInt(address);
        const inside = first >= start && first < start + (1n << BigInt(128 - blockLength));
        const around = start >= first && start < end;
        if (inside && length >= blockLength) {
          const preceding = embeddedPrecedingBits(block);
          const inner = Math.max(0, Math.min(32, length - preceding));
          const four = toBigInt(placedAddress(fromBigInt(6, first)));
          const masked = (four >> BigInt(32 - inner)) << BigInt(32 - inner);
          return this.#listsIn(4, masked, inner, level);
        }
        if (around) for (const list of this.#listsIn(4, 0n, 0, level)) out.add(list);
      }
    }
    const embedded = (value: bigint): boolean => family === 6 && placedAddress(fromBigInt(6, value)).family === 4;
    if (!embedded(first)) add(family, first);
    for (const value of this.#breaks[family]) {
      // Two are as good as many.
      if (value >= end || out.size > 1) break;
      if (value > first && !embedded(value)) add(family, value);
    }
    return out;
  }

  readonly #values = new Map<string, string>();

  /** What counts as equal: the list or the chain of lists; of a client that is nowhere, its block. */
  #valueOf(family: 4 | 6, value: bigint, level: number): string {
    const key = `${family} ${value} ${level}`;
    let text = this.#values.get(key);
    if (text === undefined) {
      const client = fromBigInt(family, value);
      const chain = this.chain(client);
      text = (this.#varies[level] ? this.#unplaced(client) : null) ?? (level === 0 ? chain[0]! : chain.join(' '));
      this.#values.set(key, text);
    }
    return text;
  }

  /** The shortest prefix length in which all have one list. */
  scope(address: Address, level: number): number {
    const bits = address.bytes.length * 8;
    const value = toBigInt(address);
    for (let length = 0; length < bits; length++) {
      const host = BigInt(bits - length);
      if (this.#listsIn(address.family, (value >> host) << host, length, level).size === 1) return length;
    }
    return bits;
  }
}

function haversineKm([lat1, lon1]: Coordinates, [lat2, lon2]: Coordinates): number {
  const rad = Math.PI / 180;
  const a =
    Math.sin(((lat2 - lat1) * rad) / 2) ** 2 +
    Math.cos(lat1 * rad) * Math.cos(lat2 * rad) * Math.sin(((lon2 - lon1) * rad) / 2) ** 2;
  return 2 * 6371.0088 * Math.asin(Math.min(1, Math.sqrt(a)));
}

// ---- Random worlds: few places, crowded into little space, so that everything overlaps. ------------------------------------

const PLACES: readonly {
  country?: string;
  subdivision?: string;
  district?: string;
  city?: string;
  at?: [number, number];
  continent?: string;
}[] = [
  { country: 'RU', city: 'Moscow', at: [55.75, 37.62] },
  { country: 'RU', city: 'Moscow (Tsentralnyy okrug)', at: [55.75, 37.62] },
  { country: 'RU' },
  { country: 'US', subdivision: 'IL', city: 'Springfield', at: [39.8, -89.6] },
  { country: 'US', subdivision: 'MA', city: 'Springfield', at: [42.1, -72.6] },
  { country: 'US', subdivision: 'CA' },
  { country: 'GB', subdivision: 'ENG', district: 'LND', city: 'London', at: [51.5, -0.1] },
  { country: 'FR', at: [48.9, 2.4] },
  { country: 'FJ', at: [-17.8, 179.9] },
  { continent: 'EU' },
];

function cityRecord(index: number): { [key: string]: never } {
  const { country, subdivision, district, city, at, continent } = PLACES[index]!;
  return {
    ...(country ? { country: { iso_code: country } } : {}),
    ...(continent ? { continent: { code: continent } } : {}),
    ...(subdivision
      ? { subdivisions: [subdivision, ...(district ? [district] : [])].map((code) => ({ iso_code: code })) }
      : {}),
    ...(city ? { city: { names: { en: city } } } : {}),
    ...(at ? { location: { latitude: at[0], longitude: at[1] } } : {}),
  } as unknown as { [key: string]: never };
}

const network4 = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      '45.0.113.0',
      '203.0.112.0',
      '203.0.113.0',
      '45.0.113.128',
      '45.0.113.77',
      '10.0.0.0',
      '10.200.0.0',
    ),
    fc.integer({ min: 20, max: 32 }),
  ),
  fc.tuple(
    fc.constantFrom('0.0.0.0', '255.255.255.255', '128.0.0.0', '45.0.113.1', '127.255.255.255'),
    fc.integer({ min: 0, max: 32 }),
  ),
);
const network6 = fc.oneof(
  fc.tuple(
    fc.constantFrom('2400:db8::', '2400:db8:0:8000::', '2400:db8::ffff', '2001:db8::', '2001:dff::', 'fd00::'),
    fc.integer({ min: 29, max: 68 }),
  ),
  fc.tuple(
    fc.constantFrom(
      '::',
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      '2001::',
      '2002::',
      '2003::',
      '2001:1::',
      '64:ff9b::',
      '::1:0:0',
      '8000::',
    ),
    fc.integer({ min: 0, max: 128 }),
  ),
);
const network = fc
  .oneof(network4, network6)
  .map(([text, length]): Prefix => ({ address: maskAddress(parseAddress(text)!, length), length }));
const AS_NUMBERS = [64500, 64501];

const rule: fc.Arbitrary<Place> = fc.oneof(
  network.map((prefix): Place => ({ kind: 'network', prefix })),
  fc.constantFrom(...AS_NUMBERS).map((number): Place => ({ kind: 'as', number })),
  fc.constantFrom<Place>(
    { kind: 'city', country: 'RU', subdivision: null, name: 'MOSCOW' },
    { kind: 'city', country: 'US', subdivision: null, name: 'Springfield' },
    { kind: 'city', country: 'US', subdivision: 'US-IL', name: 'springfield' },
    { kind: 'city', country: 'GB', subdivision: 'GB-LND', name: 'London' },
    { kind: 'subdivision', code: 'US-CA' },
    { kind: 'subdivision', code: 'GB-ENG' },
    { kind: 'subdivision', code: 'GB-LND' },
    { kind: 'country', code: 'US' },
    { kind: 'country', code: 'RU' },
    { kind: 'country', code: 'GB' },
    { kind: 'continent', code: 'EU' },
    { kind: 'continent', code: 'NA' },
    { kind: 'continent', code: 'OC' },
  ),
);

const point = fc.record({
  at: fc.constantFrom<Coordinates>(
    [55.75, 37.62],
    [-22.9, -43.2],
    [40.7, -74],
    [40.8, -74.1],
    [-18, -179.5],
    [90, 0],
    [51.5, -0.1],
  ),
  bias: fc.constantFrom(1, 1, 1, 0.5, 3),
});
const slot = fc.record({
  closest: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(
        fc.record({ points: fc.array(point, { minLength: 1, maxLength: 4 }), spreadKm: fc.constantFrom(0, 50, 2000) }),
        { minLength: 1, maxLength: 2 },
      ),
    },
  ),
});

const spec: fc.Arbitrary<MapSpec> = fc.integer({ min: 1, max: 4 }).chain((slots) =>
  fc.record({
    slots: fc.array(slot, { minLength: slots, maxLength: slots }),
    defaultSlot: fc.integer({ min: 0, max: slots - 1 }),
    defaultClimbs: fc.boolean(),
    regions: fc
      .uniqueArray(rule, {
        selector: (place) => JSON.stringify(place, (_, v) => (v instanceof Uint8Array ? [...v] : v)).toLowerCase(),
        maxLength: 7,
      })
      .chain((places) =>
        fc
          .array(fc.integer({ min: 0, max: slots - 1 }), { minLength: places.length, maxLength: places.length })
          .map((of) => {
            const regions = Array.from({ length: slots }, (_, slot) => ({
              slot,
              places: places.filter((_, i) => of[i] === slot),
            }));
            return regions.filter(({ places: inside }) => inside.length > 0);
          }),
      ),
  }),
);

const world = fc.record({
  cities: fc.array(fc.tuple(network, fc.integer({ min: 0, max: PLACES.length - 1 })), { maxLength: 10 }),
  numbers: fc.array(fc.tuple(network, fc.constantFrom(...AS_NUMBERS)), { maxLength: 5 }),
  overrides: fc.array(fc.tuple(network, fc.constantFrom('US', 'GB', null), fc.constantFrom(0, 64500)), {
    maxLength: 3,
  }),
  spec,
});

function text({ address, length }: Prefix): string {
  return `${formatAddress(address)}/${length}`;
}

/** Records inside the blocks that carry IPv4 are no IPv6 networks; under ::/96 databases keep IPv4 itself. */
function outsideBlocks(prefix: Prefix): boolean {
  return (
    prefix.address.family === 4 ||
    ![...EMBEDDED_BLOCKS, parsePrefix('::/96')!].some(
      (b) => b.length <= prefix.length && toBigInt(maskAddress(prefix.address, b.length)) === toBigInt(b.address),
    )
  );
}

/** Clients at the edges of everything, and a few bits beside them; some of them carried in IPv6. */
function clientsOf(networks: readonly Prefix[], seeds: readonly number[]): Address[] {
  const clients: Address[] = [
    parseAddress('0.0.0.0')!,
    parseAddress('::')!,
    parseAddress('2001::')!,
    parseAddress('2001:1::')!,
    parseAddress('2003::')!,
  ];
  const edges = [...networks, ...EMBEDDED_BLOCKS];
  for (const seed of seeds) {
    const { address, length } = edges[seed % edges.length]!;
    const bits = address.bytes.length * 8;
    const size = 1n << BigInt(bits - length);
    const first = toBigInt(address);
    const steps = [0n, -1n, size - 1n, size, 1n, size / 2n, 1n << BigInt((seed >> 8) % bits)];
    const value = BigInt.asUintN(bits, first + steps[(seed >> 4) % steps.length]!);
    const client = fromBigInt(address.family, value);
    clients.push(client);
    if (client.family === 4) {
      const v4 = toBigInt(client);
      const carried = [
        (0xffffn << 32n) | v4,
        (0x64ff9bn << 96n) | v4,
        (0x2002n << 112n) | (v4 << 80n) | 5n,
        (0x20010000n << 96n) | (77n << 40n) | (v4 ^ 0xffffffffn),
      ];
      clients.push(fromBigInt(6, carried[seed % 4]!));
    }
  }
  return clients;
}

describe('a region map', () => {
  it('says of every client what the contract says, with the shortest scope in which it holds', () => {
    fc.assert(
      fc.property(
        world,
        fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
        ({ cities, numbers, overrides, spec }, seeds) => {
          const cityRecords: Records = cities
            .filter(([prefix]) => outsideBlocks(prefix))
            .map(([prefix, place]) => [text(prefix), cityRecord(place)]);
          const asRecords: Records = numbers
            .filter(([prefix]) => outsideBlocks(prefix))
            .map(([prefix, as]) => [text(prefix), { autonomous_system_number: as }]);
          const written: Override[] = overrides
            .filter(([prefix]) => outsideBlocks(prefix))
            .map(([prefix, country, as]) => ({
              prefix,
              place: country === null ? null : { country, subdivision: null, city: null, at: null },
              as,
            }));
          const geo = geoOf(
            [
              { file: 'City.mmdb', records: cityRecords, options: { aliases: seeds[0]! % 2 === 0 } },
              { file: 'ASN.mmdb', records: asRecords, options: { recordSize: 28 } },
            ],
            written,
          );
          const named = [
            ...cities.map(([prefix]) => prefix),
            ...numbers.map(([prefix]) => prefix),
            ...overrides.map(([prefix]) => prefix),
            ...spec.regions.flatMap(({ places }) =>
              places.flatMap((place) => (place.kind === 'network' ? [place.prefix] : [])),
            ),
          ];
          const networks = named.map((prefix) => placedPrefix(prefix) ?? prefix);
          const map = new TestMap(geo, spec);
          const oracle = new Oracle(geo, spec, networks);
          for (const client of clientsOf(networks, seeds)) {
            const { chain, scopes } = map.ask(client, spec);
            expect(chain, formatAddress(client)).toEqual(oracle.chain(client));
            expect(scopes, `scopes of ${formatAddress(client)}`).toEqual([
              oracle.scope(client, 0),
              oracle.scope(client, 1),
            ]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('of a world without rules is one list everywhere, with scope 0', () => {
    const geo = geoOf([{ file: 'x.mmdb', records: [['45.0.113.0/24', { country_code: 'RU' }]] }]);
    const spec: MapSpec = { regions: [], defaultSlot: 0, defaultClimbs: true, slots: [{ closest: [] }] };
    const map = new TestMap(geo, spec);
    for (const client of [
      '45.0.113.1',
      '0.0.0.0',
      '255.255.255.255',
      '::',
      '2400:db8::1',
      '2002:2d00:7101::',
      '2001:0:1::2',
      '::ffff:1.2.3.4',
    ]) {
      expect(map.ask(parseAddress(client)!, spec)).toEqual({ chain: ['0'], scopes: [0, 0] });
    }
  });

  it('never climbs to an empty default, and to another one last', () => {
    const geo = geoOf([{ file: 'x.mmdb', records: [['45.0.113.0/24', { country_code: 'RU' }]] }]);
    const spec: MapSpec = {
      regions: [
        { places: [{ kind: 'continent', code: 'EU' }], slot: 1 },
        { places: [{ kind: 'country', code: 'RU' }], slot: 2 },
      ],
      defaultSlot: 0,
      defaultClimbs: true,
      slots: [{ closest: [] }, { closest: [] }, { closest: [] }],
    };
    const client = parseAddress('45.0.113.1')!;
    expect(new TestMap(geo, spec).ask(client, spec)).toEqual({ chain: ['2', '1', '0'], scopes: [24, 24] });
    const nodata = { ...spec, defaultClimbs: false };
    expect(new TestMap(geo, nodata).ask(client, nodata).chain).toEqual(['2', '1']);
    expect(new TestMap(geo, nodata).ask(parseAddress('9.9.9.9')!, nodata).chain).toEqual(['0']);
  });

  it('gives IPv4 inside IPv6 the scope of the IPv4 address behind the bits before it', () => {
    const geo = geoOf([
      {
        file: 'x.mmdb',
        records: [
          ['45.0.113.0/24', { country_code: 'RU' }],
          ['2000::/3', { country_code: 'US' }],
        ],
      },
    ]);
    const spec: MapSpec = {
      regions: [{ places: [{ kind: 'country', code: 'RU' }], slot: 1 }],
      defaultSlot: 0,
      defaultClimbs: true,
      slots: [{ closest: [] }, { closest: [] }],
    };
    const map = new TestMap(geo, spec);
    const scopeOf = (text: string): number => map.ask(parseAddress(text)!, spec).scopes[0];
    expect(scopeOf('45.0.113.7')).toBe(24);
    expect(scopeOf('::ffff:45.0.113.7')).toBe(96 + 24);
    expect(scopeOf('64:ff9b::2d00:7107')).toBe(96 + 24);
    expect(scopeOf('2002:2d00:7107::1')).toBe(16 + 24);
    expect(scopeOf('2001:0:1:2:3:4:d2ff:8ef8')).toBe(96 + 24);
    // Neighbours of the blocks stop at them.
    expect(scopeOf('2003::1')).toBe(16);
    // And documentation begins at 3fff::.
    expect(scopeOf('3000::1')).toBe(5);
  });

  it('lets runs of one list go on across the edges of networks that rules name', () => {
    const slots = [{ closest: [] }, { closest: [] }];
    // Countries left and right of a network, all with one list; the rest of the world has another.
    for (const [middle, left, right] of [
      ['45.0.113.64/26', '45.0.113.0/26', '45.0.113.128/25'],
      ['2400:db8:4000::/34', '2400:db8::/34', '2400:db8:8000::/33'],
    ] as const) {
      const geo = geoOf([
        {
          file: 'x.mmdb',
          records: [
            [left, { country_code: 'RU' }],
            [right, { country_code: 'BY' }],
          ],
        },
      ]);
      const regions: MapSpec['regions'] = [
        {
          slot: 1,
          places: [
            { kind: 'network', prefix: parsePrefix(middle)! },
            { kind: 'country', code: 'RU' },
            { kind: 'country', code: 'BY' },
          ],
        },
      ];
      const spec: MapSpec = { regions, defaultSlot: 0, defaultClimbs: true, slots };
      const map = new TestMap(geo, spec);
      const whole = middle.includes(':') ? 32 : 24;
      for (const network of [left, middle, right]) {
        expect(map.ask(parsePrefix(network)!.address, spec).scopes, network).toEqual([whole, whole]);
      }
    }
  });

  it('is built anew for another geo image only', () => {
    const spec: MapSpec = { regions: [], defaultSlot: 0, defaultClimbs: true, slots: [{ closest: [] }] };
    const one = geoOf([{ file: 'x.mmdb', records: [['45.0.113.0/24', { country_code: 'RU' }]] }]);
    const other = geoOf([{ file: 'x.mmdb', records: [['45.0.113.0/25', { country_code: 'RU' }]] }]);
    const { words, at } = inSharedMemory(buildRegionMap(one, spec));
    const view = new RegionMapView();
    view.attach(words, at, one);
    expect(view.fits()).toBe(true);
    view.attach(words, at, other);
    expect(view.fits()).toBe(false);
  });

  it('has one key for specs that say the same in another order', () => {
    const region = (code: string, slot: number): MapSpec['regions'][number] => ({
      places: [
        { kind: 'country', code },
        { kind: 'subdivision', code: `${code}-X` },
      ],
      slot,
    });
    const spec = (regions: MapSpec['regions']): MapSpec => ({
      regions,
      defaultSlot: 0,
      defaultClimbs: true,
      slots: [{ closest: [] }, { closest: [] }, { closest: [] }],
    });
    const key = mapKey(spec([region('RU', 1), region('US', 2)]));
    expect(mapKey(spec([region('US', 2), { ...region('RU', 1), places: [...region('RU', 1).places].reverse() }]))).toBe(
      key,
    );
    expect(mapKey(spec([region('RU', 2), region('US', 1)]))).not.toBe(key);
    expect(mapKey({ ...spec([region('RU', 1), region('US', 2)]), defaultClimbs: false })).not.toBe(key);
  });
});
