// The kinds of files that MaxMind's own test data has, made by our own writer; maxmind's reader is the second opinion.
import { Reader, type Response } from 'maxmind';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../dist/base/address.js';
import { type Database, readDatabase } from '../../dist/geo/mmdb.js';
import { MmdbData } from '../../dist/geo/mmdb-data.js';
import { valueAt } from '../support/geo.ts';
import {
  buildMmdb,
  type Field,
  float32,
  int32,
  type MmdbOptions,
  Octets,
  octetString,
  pointer,
  Uint32,
  unsigned,
} from '../support/mmdb.ts';

const networks = ['1.1.1.1/32', '1.1.1.2/31', '1.1.1.4/30', '1.1.1.8/29', '1.1.1.16/28', '1.1.1.32/32'] as const;
const networks6 = [
  '2a00::1:ffff:ffff/128',
  '2a00::2:0:0/122',
  '2a00::2:0:40/124',
  '2a00::2:0:50/125',
  '2a00::2:0:58/127',
] as const;

function numbered(all: readonly string[]): [string, Field][] {
  return all.map((network, i) => [network, { autonomous_system_number: new Uint32(i + 1) }]);
}

function read(bytes: Buffer): Database {
  const database = readDatabase('kind.mmdb', bytes);
  if (typeof database === 'string') throw new Error(database);
  return database;
}

/** The number of the record at an address, 0 for none. */
function ours(database: Database, text: string): number {
  const address = parseAddress(text)!;
  const value = valueAt(address.family === 4 ? database.v4 : database.v6, address);
  return value === 0 ? 0 : database.records[value - 1]!.as;
}

function theirs(bytes: Buffer, text: string): number {
  return new Reader<{ autonomous_system_number: number } & Response>(bytes).get(text)?.autonomous_system_number ?? 0;
}

const near4 = [
  '0.0.0.0',
  '1.1.1.0',
  '1.1.1.1',
  '1.1.1.2',
  '1.1.1.3',
  '1.1.1.5',
  '1.1.1.15',
  '1.1.1.31',
  '1.1.1.32',
  '1.1.1.33',
  '255.255.255.255',
];
const near6 = [
  '2a00::',
  '2a00::1:ffff:ffff',
  '2a00::2:0:0',
  '2a00::2:0:3f',
  '2a00::2:0:40',
  '2a00::2:0:59',
  '2a00::2:0:5a',
  'ffff::',
];

describe('a file', () => {
  it.each([24, 28, 32] as const)('with records of %i bits is read: IPv4 alone, IPv6 alone, and both', (recordSize) => {
    for (const [records, options, near] of [
      [numbered(networks), { ipVersion: 4 }, near4],
      [numbered(networks6), { ipVersion: 6 }, near6],
      [numbered([...networks, ...networks6]), { ipVersion: 6 }, [...near4, ...near6]],
      [numbered([...networks, ...networks6]), { ipVersion: 6, aliases: true }, [...near4, ...near6]],
    ] as [[string, Field][], MmdbOptions, string[]][]) {
      const bytes = buildMmdb(records, { ...options, recordSize });
      const database = read(bytes);
      for (const text of near) expect(ours(database, text), text).toBe(theirs(bytes, text));
      expect(near.some((text) => ours(database, text) > 0)).toBe(true);
    }
  });

  it.each([24, 28, 32] as const)('with records of %i bits may use all of them', (recordSize) => {
    // A data section so long that its pointers fill the record: of 24 bits nearly, of more by its upper bits being in use.
    const filler = { filler: octetString(Buffer.alloc(recordSize === 24 ? 16_000_000 : 17_000_000)) };
    const bytes = buildMmdb(
      [
        ['1.1.1.1/32', filler],
        ['1.1.1.2/32', { autonomous_system_number: new Uint32(7) }],
      ],
      {
        recordSize,
        ipVersion: 4,
        pointers: false,
      },
    );
    expect(ours(read(bytes), '1.1.1.2')).toBe(7);
  });

  it('of IPv4 alone says nothing of IPv6', () => {
    const { v4, v6 } = read(buildMmdb(numbered(networks), { ipVersion: 4 }));
    expect([v4.length > 1, v6.length, v6.values[0]]).toEqual([true, 1, 0]);
  });

  it('of IPv6 without a tree for IPv4 says nothing of IPv4, or for all of it what stands above', () => {
    const none = buildMmdb(numbered(networks6));
    expect(ours(read(none), '1.1.1.1')).toBe(0);
    // As MaxMind-DB-no-ipv4-search-tree.mmdb: one record at ::/64.
    const above = buildMmdb(numbered(['::/64']));
    for (const text of ['1.1.1.1', '192.0.2.1', '255.255.255.255']) expect(ours(read(above), text), text).toBe(1);
    expect(theirs(above, '1.1.1.1')).toBe(1);
  });

  it('whose only node has nothing, or one record for the whole world, is read', () => {
    expect(ours(read(buildMmdb([], { ipVersion: 4 })), '192.0.2.1')).toBe(0);
    const halves = buildMmdb(numbered(['0.0.0.0/1', '128.0.0.0/1']), { ipVersion: 4 });
    expect([ours(read(halves), '1.1.1.1'), ours(read(halves), '192.0.2.1')]).toEqual([1, 2]);
  });

  it('with pointers everywhere, or nowhere, says the same', () => {
    const record = { country: { iso_code: 'GB' }, city: { names: { de: 'London', en: 'London' } }, country_code: 'GB' };
    for (const pointers of [true, false]) {
      const database = read(
        buildMmdb(
          [
            ['1.1.1.0/24', record],
            ['1.1.2.0/24', record],
          ],
          { pointers },
        ),
      );
      expect(
        database.records.map(({ place }) => [place.country, place.city]),
        `${pointers}`,
      ).toEqual([['GB', 'London']]);
    }
  });

  it('with pointers in its metadata, or more in them than we know, is read', () => {
    const more = { languages: ['en', 'de', 'en'], description: { en: 'Test', de: 'Test' }, unknown: { lists: [1, 2] } };
    for (const metadataPointers of [true, false]) {
      const database = read(buildMmdb(numbered(networks), { metadataPointers, metadata: more, type: 'Test' }));
      expect([database.type, database.builtAt, ours(database, '1.1.1.1')]).toEqual(['Test', 1_700_000_000, 1]);
    }
  });

  it('whose records are texts, numbers or lists says nothing of places', () => {
    const database = read(
      buildMmdb([
        ['1.1.1.0/24', '1.1.1.0/24'],
        ['1.1.2.0/24', 5],
        ['1.1.3.0/24', [1, 'x']],
      ]),
    );
    expect(database.records.map(({ place, as }) => [place.country, as])).toEqual(Array(3).fill([null, 0]));
  });

  it('that was built at the end of time is read without a date', () => {
    expect(read(buildMmdb([], { metadata: { build_epoch: unsigned(9, 2n ** 64n - 1n) } })).builtAt).toBe(0);
  });
});

/** What a data section decodes to at an offset. */
function decode(offset: number, ...parts: (Octets | number | Uint8Array)[]): unknown {
  const bytes = new Octets(...parts.map((part) => (part instanceof Octets ? part.bytes : part))).bytes;
  return new MmdbData(bytes, 0, bytes.length).decode(offset);
}

describe('a value', () => {
  it.each<[string, Octets, unknown]>([
    ['an empty text', new Octets(0x40), ''],
    ['a text of 28 octets', new Octets(0x40 | 28, Buffer.alloc(28, 'x')), 'x'.repeat(28)],
    ['a text of 29', new Octets(0x40 | 29, 0, Buffer.alloc(29, 'x')), 'x'.repeat(29)],
    ['a text of 284', new Octets(0x40 | 29, 255, Buffer.alloc(284, 'x')), 'x'.repeat(284)],
    ['a text of 285', new Octets(0x40 | 30, 0, 0, Buffer.alloc(285, 'x')), 'x'.repeat(285)],
    ['a text of 65,820', new Octets(0x40 | 30, 255, 255, Buffer.alloc(65_820, 'x')), 'x'.repeat(65_820)],
    ['a text of 65,821', new Octets(0x40 | 31, 0, 0, 0, Buffer.alloc(65_821, 'x')), 'x'.repeat(65_821)],
    ['a text in other letters', new Octets(0x40 | 9, Buffer.from('人'.repeat(3))), '人人人'],
    ['a float', float32(1.5), 1.5],
    ['a double', new Octets(0x68, Buffer.from('4045147ae147ae14', 'hex')), 42.16],
    ['a negative number', int32(-268_435_456), -268_435_456],
    ['a number of 16 bits', unsigned(5, 500n), 500],
    ['a number of 32 bits', unsigned(6, 2n ** 32n - 1n), 2 ** 32 - 1],
    ['a number of 32 bits in no octets', unsigned(6, 0n), 0],
    ['a number of 64 bits', unsigned(9, 2n ** 60n), 2n ** 60n],
    ['a number of 128 bits', unsigned(10, 2n ** 120n), 2n ** 120n],
    ['true', new Octets(1, 7), true],
    ['false', new Octets(0, 7), false],
    ['an empty map', new Octets(0xe0), {}],
    ['an empty list', new Octets(0, 4), []],
    ['octets', octetString(Buffer.from([0, 0, 0, 42])), Buffer.from([0, 0, 0, 42])],
  ])('that is %s is read', (_, octets, value) => {
    expect(decode(0, octets)).toEqual(value);
  });

  it.each([
    [1, 0],
    [1, 2047],
    [2, 2048],
    [2, 526_335],
    [3, 526_336],
    [3, 600_000],
    [4, 700_000],
    [4, 20],
  ] as const)('behind a pointer of size %i to %i is read', (octets, offset) => {
    const link = pointer(offset, octets);
    const target = Buffer.from([0x41, 0x79]);
    const at = offset + target.length;
    const before = Buffer.alloc(offset);
    expect(decode(at, before, target, link)).toBe('y');
  });

  it('in maps in lists in maps is read, and what follows a pointer too', () => {
    const inner = [0xe1, 0x41, 0x61, 0x01, 0x04, 0xc1, 0x05];
    expect(decode(0, 0xe1, 0x41, 0x62, 0x02, 0x04, ...inner, 0x41, 0x7a)).toEqual({ b: [{ a: [5] }, 'z'] });
    // { a: ->12, b: "z" } where 12 is "xy".
    const record = [0xe2, 0x41, 0x61, ...pointer(9, 1).bytes, 0x41, 0x62, 0x41, 0x7a];
    expect(decode(0, ...record, 0x42, 0x78, 0x79)).toEqual({ a: 'xy', b: 'z' });
  });
});
