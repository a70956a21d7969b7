// Files that are broken as MaxMind's own bad ones are, and as downloads break: each is a text for the operator, never an exception.
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readDatabase } from '../../dist/geo/mmdb.js';
import {
  buildMmdb,
  type Field,
  type MmdbOptions,
  Octets,
  octetString,
  pointer,
  Uint32,
  unsigned,
} from '../support/mmdb.ts';

const good = buildMmdb([['192.0.2.0/24', { country_code: 'RU' }]]);
const marker = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');

/** A file whose only record is these octets. */
function withRecord(...parts: readonly (number | Uint8Array)[]): Buffer {
  return buildMmdb([['192.0.2.0/24', new Octets(...parts)]], { pointers: false });
}

function withMetadata(metadata: NonNullable<MmdbOptions['metadata']>): Buffer {
  return buildMmdb([['192.0.2.0/24', { country_code: 'RU' }]], { metadata });
}

/** A file whose metadata are these octets. */
function withMetadataOctets(...parts: readonly (number | Uint8Array)[]): Buffer {
  return Buffer.concat([good.subarray(0, good.lastIndexOf(marker)), marker, new Octets(...parts).bytes]);
}

function nested(depth: number, open: readonly number[]): Buffer {
  return Buffer.concat([...Array<Buffer>(depth).fill(Buffer.from(open)), Buffer.from([0xa0])]);
}

function withTree(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(good);
  change(bytes);
  return bytes;
}

describe('a broken file', () => {
  it.each<[string, Buffer]>([
    ['is empty', Buffer.alloc(0)],
    ['is a page that says "not found"', Buffer.from('<html><body>404 Not Found</body></html>')],
    ['is still compressed', gzipSync(good)],
    ['is the marker of the metadata alone', marker],
    ['has its end missing', good.subarray(0, good.length - 40)],
    ['has its beginning missing', good.subarray(100)],
    ['has metadata that are no map', withMetadataOctets(0x41, 0x78)],
    ['has metadata that point at themselves', withMetadataOctets(0x20, 0x00)],
    ['has metadata without an end', withMetadataOctets(0xff, 0xff, 0xff, 0xff)],
    ['has an empty map of metadata', withMetadataOctets(0xe0)],
    ['is of format 3', withMetadata({ binary_format_major_version: new Uint32(3) })],
    ['is of no format', withMetadata({ binary_format_major_version: undefined })],
    ['is for IP version 5', withMetadata({ ip_version: new Uint32(5) })],
    ['is for no IP version', withMetadata({ ip_version: undefined })],
    ['has records of 0 bits', withMetadata({ record_size: new Uint32(0) })],
    ['has records of 36 bits', withMetadata({ record_size: new Uint32(36) })],
    ['has records of a text', withMetadata({ record_size: 'many' })],
    ['has no nodes', withMetadata({ node_count: new Uint32(0) })],
    ['has more nodes than octets', withMetadata({ node_count: new Uint32(4_000_000_000) })],
    ['counts its nodes in 128 bits', withMetadata({ node_count: unsigned(10, 2n ** 100n) })],
    ['counts half a node', withMetadata({ node_count: 1.5 })],
    ['has a tree that runs in circles', withTree((bytes) => bytes.fill(0, 0, 6))],
    ['has a tree that leads out of the file', withTree((bytes) => bytes.fill(0xff, 0, 6))],
    [
      'has a tree that leads into what separates it from the data',
      withTree((bytes) => bytes.writeUIntBE(120 + 5, 3, 3)),
    ],
    ['has a pointer out of the file', withRecord(pointer(600_000, 3).bytes)],
    ['has a pointer beyond 32 bits', withRecord(0x38, 0xff, 0xff, 0xff, 0xff)],
    ['has a pointer to itself', withRecord(pointer(0, 1).bytes)],
    ['has two pointers to each other', withRecord(pointer(2, 1).bytes, pointer(0, 1).bytes)],
    ['has a map that holds itself', withRecord(0xe1, 0x41, 0x61, pointer(0, 1).bytes)],
    ['has a list that holds itself often', withRecord(0x08, 0x04, ...Array<Uint8Array>(8).fill(pointer(0, 1).bytes))],
    ['has maps nested 1,000 deep', withRecord(nested(1000, [0xe1, 0x41, 0x61]))],
    ['has lists nested 1,000 deep', withRecord(nested(1000, [0x01, 0x04]))],
    ['has a map of 16 million', withRecord(0xff, 0xff, 0xff, 0xff, 0x41, 0x61, 0xa0)],
    ['has a list of 16 million', withRecord(0x1f, 0x04, 0xff, 0xff, 0xff, 0xa0)],
    ['has a list of 6,000 small values', withRecord(0x1e, 0x04, 0x16, 0x53, Buffer.alloc(6000, 0xa0))],
    ['has a text longer than the file', withRecord(0x5f, 0xff, 0xff, 0xff, 0x78)],
    ['has octets longer than the file', withRecord(0x9f, 0xff, 0xff, 0xff, 0x78)],
    ['has a double of 7 octets', withRecord(0x67, Buffer.alloc(7))],
    ['has a float of 8 octets', withRecord(0x08, 0x08, Buffer.alloc(8))],
    ['has a number of 32 bits in 5 octets', withRecord(0xc5, Buffer.alloc(5, 1))],
    ['has a number of 128 bits in 17 octets', withRecord(0x11, 0x03, Buffer.alloc(17, 1))],
    ['has a key that is a number', withRecord(0xe1, 0xa0, 0x41, 0x78)],
    ['has a key that points at a number', withRecord(0xe1, pointer(4, 1).bytes, 0x41, 0x78, 0xa0)],
    ['has a container, which no file may have', withRecord(0x00, 0x05)],
    ['has an end marker, which no file may have', withRecord(0x00, 0x06)],
    ['has a value of no known type', withRecord(0x00, 0xf0)],
  ])('that %s is said to be so', (_, bytes) => {
    const said = readDatabase('broken.mmdb', bytes);
    expect(said).toBeTypeOf('string');
    expect(said).toMatch(/^(?:it is|its) [^\n]{5,200}$/);
  });

  it('that is compressed says what to do', () => {
    expect(readDatabase('x.mmdb', gzipSync(good))).toBe('it is compressed (gzip): unpack it');
  });

  it('is no file whose names only are in no proper UTF-8', () => {
    const record: Field = { country_code: 'RU', city: new Octets(0x43, Buffer.from('c32878', 'hex')) };
    expect(readDatabase('latin.mmdb', buildMmdb([['192.0.2.0/24', record]]))).toMatchObject({
      records: [{ place: { country: 'RU', city: '\ufffd(x' } }],
    });
  });

  it('is none whose data say what looks like the marker of the metadata: the last one counts', () => {
    const record = { country_code: 'RU', x: octetString(marker) };
    expect(readDatabase('marker.mmdb', buildMmdb([['192.0.2.0/24', record]]))).toBeTypeOf('object');
  });
});
