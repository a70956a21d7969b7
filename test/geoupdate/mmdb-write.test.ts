import fc from 'fast-check';
import { Reader, type Response } from 'maxmind';
import { describe, expect, it } from 'vitest';
import { formatAddress } from '../../dist/base/address.js';
import { readDatabase } from '../../dist/geo/mmdb.js';
import { nestPrefixes, type RangeTable } from '../../dist/geo/ranges.js';
import { type MmdbContent, writeMmdb } from '../../dist/geoupdate/mmdb-write.js';
import { fromBigInt } from '../support/geo.ts';

const CODES = ['DE', 'FR', 'US', 'BR', 'JP'];

function content(networks: readonly (readonly [text: string, code: number])[]): MmdbContent {
  const parsed = networks.map(([text]) => {
    const [address, length] = text.split('/') as [string, string];
    return { text: address, length: Number(length) };
  });
  const prefixes = parsed.map(({ text, length }) => ({
    address: {
      family: text.includes(':') ? (6 as const) : (4 as const),
      bytes: bytesOf(text),
    },
    length,
  }));
  const table = (words: 1 | 4): RangeTable =>
    nestPrefixes(words, prefixes).table.map((value) => (value === 0 ? 0 : networks[value - 1]![1] + 1));
  return {
    v4: table(1),
    v6: table(4),
    records: CODES.map((code) => ({ country: { iso_code: code } })),
    type: 'Test-Country',
    description: 'made for a test',
    builtAt: 1_790_000_000,
  };
}

function bytesOf(text: string): Uint8Array {
  if (!text.includes(':')) return Uint8Array.from(text.split('.'), Number);
  return fromBigInt(6, BigInt(`0x${text.replaceAll(':', '')}`)).bytes;
}

const network = fc.oneof(
  fc
    .tuple(fc.nat(0xffff_ffff), fc.integer({ min: 1, max: 32 }))
    .map(
      ([n, length]) =>
        `${formatAddress(fromBigInt(4, (BigInt(n) >> BigInt(32 - length)) << BigInt(32 - length)))}/${length}`,
    ),
  // 2800::/5, where no block stands for IPv4.
  fc.tuple(fc.bigInt(0n, (1n << 123n) - 1n), fc.integer({ min: 5, max: 128 })).map(([n, length]) => {
    const first = (((5n << 123n) | n) >> BigInt(128 - length)) << BigInt(128 - length);
    const hex = first.toString(16).padStart(32, '0');
    return `${hex.match(/.{4}/g)!.join(':')}/${length}`;
  }),
);

describe('writing an MMDB file', () => {
  it('gives back the same ranges when it is read, whatever the networks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(network, fc.nat(CODES.length - 1)), { minLength: 1, maxLength: 40 }),
        (networks) => {
          const made = content(networks);
          const database = readDatabase('test.mmdb', writeMmdb(made));
          if (typeof database === 'string') throw new Error(database);
          const codes = (table: RangeTable, code: (value: number) => string): string[] =>
            Array.from({ length: table.length }, (_, i) =>
              [...table.columns.map((column) => column[i]), code(table.values[i]!)].join(' '),
            );
          const wanted = (value: number): string => (value === 0 ? '-' : CODES[value - 1]!);
          const got = (value: number): string => (value === 0 ? '-' : database.records[value - 1]!.place.country!);
          expect(codes(database.v4, got)).toEqual(codes(made.v4, wanted));
          expect(codes(database.v6, got)).toEqual(codes(made.v6, wanted));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("is understood by the format's own reader, metadata included", () => {
    const bytes = writeMmdb(
      content([
        ['81.2.69.0/24', 1],
        ['2001:0db8:0000:0000:0000:0000:0000:0000/32', 3],
      ]),
    );
    const reader = new Reader<Response & { country: { iso_code: string } }>(bytes);
    expect(reader.get('81.2.69.160')?.country.iso_code).toBe('FR');
    expect(reader.get('81.2.70.1')).toBeNull();
    expect(reader.get('2001:db8::1')?.country.iso_code).toBe('BR');
    expect(reader.metadata).toMatchObject({ databaseType: 'Test-Country', ipVersion: 6, recordSize: 24 });
    expect(reader.metadata.buildEpoch.getTime()).toBe(1_790_000_000_000);
  });

  it('has a node even where the whole space is one range', () => {
    const { v4, v6, ...rest } = content([['10.0.0.0/8', 0]]);
    const whole = (table: RangeTable): RangeTable => table.map(() => 0);
    const database = readDatabase('empty.mmdb', writeMmdb({ ...rest, v4: whole(v4), v6: whole(v6) }));
    expect(database).toMatchObject({ v4: { length: 1 }, v6: { length: 1 } });
  });
});
