// Writes the databases that the benchmark asks from: GeoIP2-Country out of the embedded country database, and a large made-up city database.
import { readFileSync, writeFileSync } from 'node:fs';
import { countries } from 'countries-list';
import { Reader } from 'maxmind';
import { embeddedDatabaseFile } from '../dist/geo/embedded-database.js';

/** Where the country database lies that comes with the program. */
export const embeddedPath = embeddedDatabaseFile();

/** Bytes of a control byte: MMDB types 1 to 7 in the upper three bits, later ones in a byte of their own. */
function control(type, size) {
  const long = size < 29 ? [] : size < 285 ? [size - 29] : [(size - 285) >> 8, (size - 285) & 255];
  const short = size < 29 ? size : size < 285 ? 29 : 30;
  return type < 8 ? [(type << 5) | short, ...long] : [short, type - 7, ...long];
}

/** One value in the MMDB data format: strings, numbers (doubles, and unsigned whole ones), maps, lists. */
export function encode(value) {
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([Buffer.from(control(2, text.length)), text]);
  }
  if (typeof value === 'bigint') {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(value);
    return Buffer.concat([Buffer.from(control(9, 8)), bytes]);
  }
  if (typeof value === 'number' && Number.isInteger(value)) {
    const wide = value > 65535;
    const bytes = Buffer.alloc(wide ? 4 : 2);
    wide ? bytes.writeUInt32BE(value) : bytes.writeUInt16BE(value);
    return Buffer.concat([Buffer.from(control(wide ? 6 : 5, bytes.length)), bytes]);
  }
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value);
    return Buffer.concat([Buffer.from(control(3, 8)), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([Buffer.from(control(11, value.length)), ...value.map(encode)]);
  const pairs = Object.entries(value);
  return Buffer.concat([
    Buffer.from(control(7, pairs.length)),
    ...pairs.flatMap(([key, inner]) => [encode(key), encode(inner)]),
  ]);
}

/** The search tree of a database in memory: two words a node; below `nodes` a child, `nodes` nothing, above it 1 + n for value n. */
class Tree {
  constructor(room) {
    this.words = new Uint32Array(room * 2);
    this.nodes = 0;
  }

  /** Reads the tree of an opened database; its values are numbered by first sight and returned in `values`. */
  static read(buffer, reader, extraNodes) {
    const { nodeCount, searchTreeSize } = reader.metadata;
    const tree = new Tree(nodeCount + extraNodes);
    const numbers = new Map();
    const values = [];
    for (let i = 0; i < nodeCount * 2; i++) {
      const word = (buffer[i * 3] << 16) | (buffer[i * 3 + 1] << 8) | buffer[i * 3 + 2];
      if (word < nodeCount) tree.words[i] = word;
      else if (word === nodeCount) tree.words[i] = EMPTY;
      else {
        let number = numbers.get(word);
        if (number === undefined) {
          number = values.length;
          numbers.set(word, number);
          values.push(reader.decoder.decode(word - nodeCount + searchTreeSize).value);
        }
        tree.words[i] = VALUE + number;
      }
    }
    tree.nodes = nodeCount;
    return { tree, values };
  }

  /** The node below which IPv4 stands. */
  get ipv4() {
    let node = 0;
    for (let i = 0; i < 96; i++) node = this.words[node * 2];
    return node;
  }

  /** Puts a value under an IPv4 network, over what was there. */
  insert4(address, length, number) {
    let node = this.ipv4;
    for (let bit = 0; bit < length; bit++) {
      const slot = node * 2 + ((address >>> (31 - bit)) & 1);
      if (bit === length - 1) this.words[slot] = VALUE + number;
      else {
        if (this.words[slot] >= EMPTY) {
          const fresh = this.nodes++;
          this.words[fresh * 2] = this.words[slot];
          this.words[fresh * 2 + 1] = this.words[slot];
          this.words[slot] = fresh;
        }
        node = this.words[slot];
      }
    }
  }

  /** The whole file: tree, data, metadata. */
  write(path, records, type) {
    const offsets = [];
    let length = 0;
    for (const record of records) {
      offsets.push(length);
      length += record.length;
    }
    const bits = this.nodes + 16 + length < 2 ** 24 ? 24 : 32;
    const step = bits / 8;
    const bytes = Buffer.alloc(this.nodes * 2 * step);
    for (let i = 0; i < this.nodes * 2; i++) {
      const word = this.words[i];
      const out = word < EMPTY ? word : word === EMPTY ? this.nodes : this.nodes + 16 + offsets[word - VALUE];
      if (bits === 24) bytes.writeUIntBE(out, i * 3, 3);
      else bytes.writeUInt32BE(out, i * 4);
    }
    const metadata = encode({
      binary_format_major_version: 2,
      binary_format_minor_version: 0,
      build_epoch: 1_750_000_000n,
      database_type: type,
      description: { en: 'Benchmark' },
      ip_version: 6,
      languages: ['en'],
      node_count: 0x1_0000 + this.nodes,
      record_size: bits,
    });
    // node_count must be a 32-bit number even when it is small; it was written 65536 too large to get that width.
    const at = metadata.indexOf('node_count') + 'node_count'.length + 1;
    metadata.writeUInt32BE(this.nodes, at);
    writeFileSync(
      path,
      Buffer.concat([bytes, Buffer.alloc(16), ...records, Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), metadata]),
    );
  }
}

const EMPTY = 0x8000_0000;
const VALUE = EMPTY + 1;

/** A record of GeoIP2-Country. */
function countryRecord(code) {
  return encode({
    continent: { code: countries[code]?.continent ?? 'EU' },
    country: { iso_code: code, names: { en: countries[code]?.name ?? code } },
  });
}

/** What the walk of a database's tree tells: `{ address: bigint, length, country }` for each network, IPv6 without its images of IPv4. */
function* networks(tree, values) {
  const stack = [[0, 0n, 0]];
  while (stack.length > 0) {
    const [node, prefix, depth] = stack.pop();
    for (const bit of [1, 0]) {
      const next = tree.words[node * 2 + bit];
      const address = prefix | (BigInt(bit) << BigInt(127 - depth));
      if (next === EMPTY) continue;
      if (next > EMPTY) yield { address, length: depth + 1, country: values[next - VALUE].country_code };
      else if (depth === 15 && address >> 112n === 0x2002n) continue;
      else if (depth === 31 && address >> 96n === 0x2001_0000n) continue;
      else if (depth === 95 && address >> 32n === 0xffffn) continue;
      else stack.push([next, address, depth + 1]);
    }
  }
}

/**
 * Writes a GeoIP2-Country database to `path`: the embedded database's networks in MaxMind's nested form, so that every
 * server reads the same file, with the quarters of 127.0.0.0/8 given to the countries of `loopback`, and `outside`, an IPv4 address of this
 * machine, to the first of them.
 * Returns the networks by country: `{ US: { ipv4: [[address, length]…], ipv6: [[bigint, length]…] } }`.
 */
export function writeCountryDatabase(path, loopback, outside) {
  const buffer = readFileSync(embeddedPath);
  const reader = new Reader(buffer);
  if (reader.metadata.recordSize !== 24) throw new Error(`${embeddedPath}: records of 24 bits were expected`);
  const { tree, values } = Tree.read(buffer, reader, 1000);
  const byCountry = {};
  for (const { address, length, country } of networks(tree, values)) {
    if (typeof country !== 'string') continue;
    byCountry[country] ??= { ipv4: [], ipv6: [] };
    if (address >> 32n === 0n) byCountry[country].ipv4.push([Number(address), length - 96]);
    else if (address >> 125n === 1n) byCountry[country].ipv6.push([address, length]);
  }
  const codes = values.map((value) => value.country_code);
  for (const [quarter, code] of loopback.entries()) {
    if (!codes.includes(code)) codes.push(code);
    tree.insert4((0x7f00_0000 | (quarter << 22)) >>> 0, 10, codes.indexOf(code));
  }
  if (outside !== undefined) {
    const address = outside.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
    tree.insert4(address, 32, codes.indexOf(loopback[0]));
  }
  tree.write(path, codes.map(countryRecord), 'GeoIP2-Country');
  return byCountry;
}

/**
 * Writes a made-up city database of about `megabytes` (GeoIP2-City, a tenth of a million cities each with its own
 * coordinates for every 16 MB) to `path`: the networks of the embedded database cut into pieces of at most a /22.
 */
export function writeCityDatabase(path, megabytes) {
  const buffer = readFileSync(embeddedPath);
  const reader = new Reader(buffer);
  const { tree, values } = Tree.read(buffer, reader, 6_000_000);
  const records = [];
  const wanted = megabytes * 1e6;
  const recordBytes = 150;
  const networksV4 = [...networks(tree, values)].filter((n) => n.address >> 32n === 0n);
  const room = tree.words.length / 2 - 10_000;
  const cities = Math.max(1000, Math.round((wanted - (tree.nodes + 2_600_000) * 8) / recordBytes));
  let piece = 0;
  tree.words.forEach((word, i) => {
    if (word > EMPTY) tree.words[i] = VALUE + ((word * 2_654_435_761) % cities);
  });
  for (const { address, length } of networksV4) {
    const bits = length - 96;
    const step = 2 ** 10;
    for (
      let at = Number(address);
      bits < 22 && at < Number(address) + 2 ** (32 - bits) && tree.nodes < room;
      at += step
    )
      tree.insert4(at, 22, piece++ % cities);
  }
  const codes = [...new Set(values.map((value) => value.country_code))].filter((code) => countries[code]);
  for (let i = 0; i < cities; i++) {
    const code = codes[i % codes.length];
    records.push(
      encode({
        city: { geoname_id: 100_000 + i, names: { en: `City ${i}` } },
        continent: { code: countries[code].continent },
        country: { iso_code: code },
        location: {
          latitude: ((i * 7919) % 18_000) / 100 - 90.001,
          longitude: ((i * 104_729) % 36_000) / 100 - 180.001,
        },
        subdivisions: [{ iso_code: String(i % 60) }],
      }),
    );
  }
  tree.write(path, records, 'GeoIP2-City');
}
