import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../dist/base/address.js';
import { buildGeoImage } from '../../dist/geo/image.js';
import { locate } from '../../dist/geo/locate.js';
import { readDatabase } from '../../dist/geo/mmdb.js';
import { digestOf, readChecksum } from '../../dist/geoupdate/checksum.js';
import { readPlaced, shareChanged } from '../../dist/geoupdate/compare.js';
import { delegatedDatabase } from '../../dist/geoupdate/delegated.js';
import { unpackDatabase } from '../../dist/geoupdate/unpack.js';
import { mergeGeo, type Records, viewOf } from '../support/geo.ts';
import { buildMmdb, Uint32 } from '../support/mmdb.ts';

const database = buildMmdb([['192.0.2.0/24', { country_code: 'DE' }]]);

function archive(...entries: readonly [name: string, bytes: Uint8Array][]): Promise<Uint8Array> {
  return packTar(entries.map(([name, body]) => ({ header: { name, size: body.length, type: 'file' }, body })));
}

describe('unpacking', () => {
  it('takes a database as it is, gzipped, in a tar archive and in a gzipped one, by the bytes alone', async () => {
    const tar = await archive(
      ['GeoLite2-City_20261127/COPYRIGHT.txt', Buffer.from('text')],
      ['GeoLite2-City_20261127/GeoLite2-City.mmdb', database],
    );
    for (const bytes of [database, gzipSync(database), Buffer.from(tar), gzipSync(tar)]) {
      expect((await unpackDatabase(bytes, 'GeoLite2-City.mmdb')).equals(database)).toBe(true);
    }
  });

  it('takes the database that bears the name, and refuses to guess between others', async () => {
    const other = buildMmdb([['198.51.100.0/24', { country_code: 'FR' }]]);
    const tar = Buffer.from(await archive(['a/one.mmdb', other], ['a/two.mmdb', database]));
    expect((await unpackDatabase(tar, 'two.mmdb')).equals(database)).toBe(true);
    await expect(unpackDatabase(tar, 'three.mmdb')).rejects.toThrow('several databases');
  });

  it('says what is wrong with what is cut, damaged, too large or without a database', async () => {
    const packed = gzipSync(database);
    await expect(unpackDatabase(packed.subarray(0, -20), 'x.mmdb')).rejects.toThrow('the gzip file is cut');
    const damaged = Buffer.from(packed);
    damaged[packed.length - 6]! ^= 0xff;
    await expect(unpackDatabase(damaged, 'x.mmdb')).rejects.toThrow('the gzip file is damaged');
    await expect(unpackDatabase(gzipSync(Buffer.alloc(100_000)), 'x.mmdb', 9_999)).rejects.toThrow('larger than 9999');
    const without = Buffer.from(await archive(['README.txt', Buffer.from('nothing here')]));
    await expect(unpackDatabase(without, 'x.mmdb')).rejects.toThrow('no .mmdb file');
    const tar = Buffer.from(await archive(['x.mmdb', database]));
    await expect(unpackDatabase(tar.subarray(0, 700), 'x.mmdb')).rejects.toThrow('archive is damaged');
    tar[20] = 0x41;
    await expect(unpackDatabase(tar, 'x.mmdb')).rejects.toThrow('archive is damaged');
  });
});

describe('a checksum file', () => {
  const sha = digestOf(Buffer.from('x'), 'sha256');
  const md5 = digestOf(Buffer.from('x'), 'md5');

  it('is read as GNU, BSD and those who write the digest alone have it', () => {
    expect(readChecksum(`${sha}  GeoLite2-City_20261127.tar.gz\n`, 'sha256')).toBe(sha);
    expect(readChecksum(`${sha.toUpperCase()}\n`, 'sha256')).toBe(sha);
    expect(readChecksum(`MD5 (delegated-apnic-extended-20261129) = ${md5}\n`, 'md5')).toBe(md5);
    expect(readChecksum(`${md5} *delegated-lacnic-extended-latest`, 'md5')).toBe(md5);
  });

  it('has none where digits of the right number are missing or stand twice', () => {
    expect(readChecksum('<html>404 Not Found</html>', 'sha256')).toBeUndefined();
    expect(readChecksum(sha.slice(1), 'sha256')).toBeUndefined();
    expect(readChecksum(`${sha}a`, 'sha256')).toBeUndefined();
    expect(readChecksum(`${sha} a\n${digestOf(Buffer.from('y'), 'sha256')} b\n`, 'sha256')).toBeUndefined();
  });
});

describe('comparing two databases', () => {
  const share = (before: Records, after: Records): number => {
    const placed = [before, after].map((records) => {
      const read = readPlaced('x.mmdb', buildMmdb(records));
      if (typeof read === 'string') throw new Error(read);
      return read;
    });
    return shareChanged(placed[0]!, placed[1]!);
  };
  const de = { country_code: 'DE' };
  const fr = { country_code: 'FR' };

  it('counts addresses, not networks, and only those with a country in either', () => {
    const before: Records = [['20.0.0.0/8', de]];
    expect(share(before, before)).toBe(0);
    expect(
      share(before, [
        ['20.0.0.0/9', de],
        ['20.128.0.0/9', fr],
      ]),
    ).toBe(0.5);
    expect(
      share(before, [
        ['20.0.0.0/8', de],
        ['21.0.0.0/8', fr],
      ]),
    ).toBe(0.5);
    expect(share(before, [['20.0.0.0/8', { city: 'Bonn', country_code: 'DE' }]])).toBe(0);
    expect(
      share(
        [
          ['20.0.0.0/8', de],
          ['20.0.0.0/24', fr],
        ],
        before,
      ),
    ).toBeCloseTo(2 ** -16, 12);
  });

  it('takes the worse of the two families, so that the far larger IPv6 hides nothing', () => {
    const v6 = ['2a00::/12', de] as const;
    expect(share([['20.0.0.0/8', de], v6], [['20.0.0.0/8', fr], v6])).toBe(1);
    const quarter = share([['20.0.0.0/8', de], v6], [['20.0.0.0/8', de], v6, ['2a0c::/14', fr]]);
    expect(quarter).toBeCloseTo(0.25, 12);
    expect(
      share(
        [['2a00::/64', de]],
        [
          ['2a00::/64', de],
          ['2a00::1/128', fr],
        ],
      ),
    ).toBeCloseTo(2 ** -64, 30);
  });

  it('compares databases of AS numbers by these, and finds all changed where the kind is another', () => {
    const as = (number: number): Records[number][1] => ({ autonomous_system_number: new Uint32(number) });
    expect(share([['20.0.0.0/8', as(1)]], [['20.0.0.0/8', as(2)]])).toBe(1);
    expect(share([['20.0.0.0/8', as(1)]], [['20.0.0.0/8', as(1)]])).toBe(0);
    expect(share([['20.0.0.0/8', de]], [['20.0.0.0/8', as(1)]])).toBe(1);
  });
});

describe("the registries' statistics", () => {
  const file = (registry: string, ...lines: string[]): { registry: never; bytes: Buffer } => ({
    registry: registry as never,
    bytes: Buffer.from(
      [
        `2|${registry}|1764460799|${lines.length}|19830705|20261129|+0100`,
        `${registry}|*|ipv4|*|9|summary`,
        ...lines,
        '',
      ].join('\n'),
    ),
  });
  const countryOf = (bytes: Buffer, ...addresses: string[]): (string | null)[] => {
    const database = readDatabase('rir.mmdb', bytes);
    if (typeof database === 'string') throw new Error(database);
    const view = viewOf(buildGeoImage(mergeGeo([{ database, kind: 'database' }], [], '')));
    return addresses.map((address) => {
      const { country, continent } = locate(view, parseAddress(address)!).facts;
      return country ?? continent;
    });
  };

  it('become a database: counts that are no power of two, both families, holes where nobody was given anything', () => {
    const bytes = delegatedDatabase([
      file(
        'ripencc',
        '# a remark',
        'ripencc|FR|asn|7|1|19930901|allocated|a',
        'ripencc|DE|ipv4|193.0.0.0|768|19930901|allocated|a|extra',
        'ripencc|FR|ipv4|193.0.4.0|256|19930901|assigned|b',
        'ripencc||ipv4|193.0.5.0|256||available|',
        'ripencc|ZZ|ipv4|193.0.6.0|256||reserved|',
        'ripencc|EU|ipv4|193.0.7.0|256|19930901|allocated|c',
        'ripencc|NL|ipv6|2001:67c::|32|20050101|allocated|d',
      ),
      file('arin', 'arin|US|ipv4|3.0.0.0|16777216|19880223|allocated|x'),
    ]);
    expect(
      countryOf(
        bytes,
        '193.0.0.0',
        '193.0.2.255',
        '193.0.3.0',
        '193.0.4.1',
        '193.0.5.1',
        '193.0.6.1',
        '193.0.7.1',
        '3.255.255.255',
        '4.0.0.0',
      ),
    ).toEqual(['DE', 'DE', null, 'FR', null, null, 'EU', 'US', null]);
    expect(countryOf(bytes, '2001:67c:1::1', '2001:67d::1')).toEqual(['NL', null]);
    expect(readDatabase('rir.mmdb', bytes)).toMatchObject({ builtAt: Date.UTC(2026, 10, 29) / 1000 });
  });

  it('are refused when they are of another registry or version, damaged, or empty', () => {
    const refused =
      (registry: string, text: string): (() => Buffer) =>
      () =>
        delegatedDatabase([{ registry: registry as never, bytes: Buffer.from(text) }]);
    expect(refused('arin', file('ripencc', 'ripencc|DE|ipv4|193.0.0.0|256|1|allocated|a').bytes.toString())).toThrow(
      'no statistics file of arin',
    );
    expect(refused('arin', '<html>down for works</html>')).toThrow('no statistics file');
    expect(refused('arin', file('arin').bytes.toString())).toThrow('no delegations');
    for (const [start, value] of [
      ['3.0.0', '256'],
      ['3.0.0.0', '0'],
      ['255.255.255.0', '512'],
      ['2a00::', '256'],
      ['3.0.0.0', '1e3'],
    ])
      expect(refused('arin', file('arin', `arin|US|ipv4|${start}|${value}|1|allocated|a`).bytes.toString())).toThrow(
        'is damaged',
      );
    expect(refused('arin', file('arin', 'arin|US|ipv6|2a00::|129|1|allocated|a').bytes.toString())).toThrow(
      'is damaged',
    );
    expect(
      refused('arin', file('arin', 'arin|US|ipv4|3.0.0.0|256|1|allocated|a', 'arin|US|ip').bytes.toString()),
    ).toThrow('line 4');
  });
});
