import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { Reader, type Response } from 'maxmind';
import { describe, expect, it } from 'vitest';
import { type Address, formatAddress, maskAddress, type Prefix, parseAddress } from '../../dist/base/address.js';
import { embeddedDatabaseFile } from '../../dist/geo/embedded-database.js';
import { type Database, readDatabase } from '../../dist/geo/mmdb.js';
import { fromBigInt, toBigInt, valueAt } from '../support/geo.ts';
import { buildMmdb, Uint32 } from '../support/mmdb.ts';

function read(bytes: Buffer): Database {
  const database = readDatabase('test.mmdb', bytes);
  if (typeof database === 'string') throw new Error(database);
  return database;
}

/** The record of an address. */
function recordOf(database: Database, address: Address): Database['records'][number] | undefined {
  return database.records[valueAt(address.family === 4 ? database.v4 : database.v6, address) - 1];
}

const network = fc
  .oneof(
    fc.tuple(
      fc.ipV4().map((text) => parseAddress(text)!),
      fc.integer({ min: 0, max: 32 }),
    ),
    // Inside 2000::/3, away from the blocks that carry IPv4.
    fc.tuple(
      fc.bigInt(0x2a00n << 112n, (0x2a10n << 112n) - 1n).map((value) => fromBigInt(6, value)),
      fc.integer({ min: 12, max: 128 }),
    ),
  )
  .map(([address, length]): Prefix => ({ address: maskAddress(address, length), length }));

describe('an MMDB file', () => {
  it.each([24, 28, 32] as const)(
    'gives with %i-bit records the same record for every address as maxmind',
    (recordSize) => {
      fc.assert(
        fc.property(
          fc.array(network, { minLength: 1, maxLength: 12 }),
          fc.boolean(),
          fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
          (networks, aliases, seeds) => {
            const bytes = buildMmdb(
              networks.map((prefix, i) => [
                `${formatAddress(prefix.address)}/${prefix.length}`,
                { autonomous_system_number: new Uint32(i + 1) },
              ]),
              { recordSize, aliases },
            );
            const reader = new Reader<{ autonomous_system_number: number } & Response>(bytes);
            const database = read(bytes);
            for (const seed of seeds) {
              const { address, length } = networks[seed % networks.length]!;
              const bits = address.bytes.length * 8;
              const size = 1n << BigInt(bits - length);
              const steps = [0n, -1n, size - 1n, size, size / 2n];
              const client = fromBigInt(
                address.family,
                BigInt.asUintN(bits, toBigInt(address) + steps[(seed >> 4) % 5]!),
              );
              if (client.family === 6 && (client.bytes[0] !== 0x2a || client.bytes[1]! > 0x10)) continue;
              expect(recordOf(database, client)?.as ?? 0, formatAddress(client)).toBe(
                reader.get(formatAddress(client))?.autonomous_system_number ?? 0,
              );
            }
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  it('of version 4 has no IPv6 ranges, and one of version 6 keeps IPv4 out of them, aliases too', () => {
    const records = [['192.0.2.0/24', { country_code: 'RU' }]] as const;
    expect(read(buildMmdb(records, { ipVersion: 4 })).v6.length).toBe(1);
    const { v4, v6 } = read(buildMmdb(records, { aliases: true }));
    expect([v4.length, v6.length, v6.values[0]]).toEqual([3, 1, 0]);
  });

  it('that is truncated anywhere, or garbage anywhere, is a problem or a database, never an exception', () => {
    const good = buildMmdb(
      Array.from(
        { length: 40 },
        (_, i) =>
          [
            `10.${i}.0.0/16`,
            { country: { iso_code: i % 2 ? 'RU' : 'BR' }, city: { names: { en: `City ${i}` } } },
          ] as const,
      ),
    );
    for (let length = 0; length < good.length; length++)
      expect(readDatabase('cut.mmdb', good.subarray(0, length)), `${length}`).toBeTypeOf('string');
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.uint8Array({ minLength: 1, maxLength: 40 }), (at, noise) => {
        const bytes = Buffer.from(good);
        bytes.set(noise.subarray(0, good.length - at), at);
        expect(['string', 'object']).toContain(typeof readDatabase('noise.mmdb', bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('whose tree runs in circles is refused soon', () => {
    const bytes = buildMmdb([['192.0.2.0/24', { country_code: 'RU' }]]);
    // Both children of the root are the root.
    bytes.fill(0, 0, 6);
    expect(readDatabase('circle.mmdb', bytes)).toMatch(/damaged/);
  });

  it('names the type and the time of its building', () => {
    const { type, builtAt } = read(
      buildMmdb([['192.0.2.0/24', 'x']], { type: 'DBIP-City-Lite', buildEpoch: 1_750_000_000 }),
    );
    expect([type, builtAt]).toEqual(['DBIP-City-Lite', 1_750_000_000]);
  });

  it('that comes with the program knows countries of both families', () => {
    const database = read(readFileSync(embeddedDatabaseFile()));
    expect(database.v4.length).toBeGreaterThan(100_000);
    expect(database.v6.length).toBeGreaterThan(100_000);
    expect(database.records.filter(({ place }) => place.country === null).length).toBeLessThan(3);
  });
});
