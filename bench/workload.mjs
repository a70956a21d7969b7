// Generates the work: names, regions, addresses, and the query files that the load generators send.
import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { writeCountryDatabase } from './mmdb.mjs';
import { ipv4Text, query } from './wire.mjs';

/** The regions, each by its countries; whoever is in none of them belongs to the last. */
export const regions = [
  { name: 'americas', countries: ['US', 'CA', 'BR', 'MX'] },
  { name: 'europe', countries: ['DE', 'FR', 'GB', 'NL'] },
  { name: 'asia', countries: ['JP', 'CN', 'IN', 'KR'] },
  { name: 'rest', countries: [] },
];

/** The countries of 127.0.0.0/10, 127.64.0.0/10, 127.128.0.0/10 and 127.192.0.0/10: one of each region. */
const loopback = ['DE', 'US', 'JP', 'AU'];
/** Addresses to send from, one of each region. */
export const loopbackSources = ['127.0.0.1', '127.64.0.1', '127.128.0.1', '127.192.0.1'];
/** An address of this machine that is no loopback address, where it has one: what comes from it looks like a client elsewhere. */
export const outside = Object.values(networkInterfaces())
  .flat()
  .find((one) => one.family === 'IPv4' && !one.internal)?.address;
/** The region of 127.0.0.1 and of `outside`. */
export const localRegion = 1;

/** Services, each with a pool in every region: the names share them, as machines are shared. */
export const services = 100;
export const ttlSeconds = 60;
/** Names of one zone where there are more names than that. */
const namesPerZone = 10_000;

/** The two addresses of a service in a region, as numbers. */
export const serviceAddresses = (service, region) =>
  [1, 2].map((member) => ((10 << 24) | (region << 16) | (service << 8) | member) >>> 0);
/** The same as text. */
export const serviceTexts = (service, region) => serviceAddresses(service, region).map(ipv4Text);
/** The service of name number `n`. */
export const serviceOf = (n) => n % services;

/** Numbers that look random and are the same in each run (mulberry32), below `below`. */
export function dice(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/**
 * The zones for `count` names: one, `bench.example`, or with `split` as many as it takes at 10,000 names each, below
 * it. Each is `{ origin, first, count }`; its names are `hFIRST` and on.
 */
export function layout(count, split = count > namesPerZone) {
  if (!split) return [{ origin: 'bench.example', first: 0, count }];
  return Array.from({ length: Math.ceil(count / namesPerZone) }, (_, i) => ({
    origin: `z${i}.bench.example`,
    first: i * namesPerZone,
    count: Math.min(namesPerZone, count - i * namesPerZone),
  }));
}

/** Writes the country database into `directory`: `{ path, byCountry, others }`. */
export function writeGeography(directory) {
  const path = join(directory, 'country.mmdb');
  const byCountry = writeCountryDatabase(path, loopback, outside);
  const named = new Set(regions.flatMap((region) => region.countries));
  const others = Object.keys(byCountry).filter((code) => !named.has(code) && byCountry[code].ipv4.length > 10);
  return { path, byCountry, others };
}

/** A random client: its region, and a subnet for the query (a /24, one in eight a /56). */
export function randomClient(geography, roll) {
  for (;;) {
    const region = roll(regions.length);
    const codes = regions[region].countries.length > 0 ? regions[region].countries : geography.others;
    const { ipv4, ipv6 } = geography.byCountry[codes[roll(codes.length)]];
    const bytes = Buffer.alloc(16);
    if (roll(8) === 0 && ipv6.length > 0) {
      const [address, length] = ipv6[roll(ipv6.length)];
      if (length > 56) continue;
      const below = (BigInt(roll(2 ** 28)) << 28n) | BigInt(roll(2 ** 28));
      const whole = address | ((below & ((1n << BigInt(56 - length)) - 1n)) << 72n);
      bytes.writeBigUInt64BE(whole >> 64n, 0);
      return { region, subnet: { family: 2, length: 56, bytes } };
    }
    const [address, length] = ipv4[roll(ipv4.length)];
    if (length > 24) continue;
    bytes.writeUInt32BE((address + roll(2 ** (24 - length)) * 256) >>> 0, 0);
    return { region, subnet: { family: 1, length: 24, bytes } };
  }
}

/** The name with the case of each letter thrown anew. */
const mixCase = (name, roll) => name.replace(/[a-z]/g, (letter) => (roll(2) ? letter.toUpperCase() : letter));

/** The workloads by name: what each query of it is like. */
export const workloads = {
  plain: 'A queries without EDNS',
  ecs: 'A queries with a client subnet of their own each',
  mix: 'half without EDNS, a quarter with, a quarter with a client subnet; mixed case; 10% NXDOMAIN',
};

/** One query of a workload, for a random name of `zones`: which name (number and text), whether it is missing, the client if it carries one, the packet. */
export function drawQuery(kind, { zones, geography }, roll) {
  const n = roll(zones.reduce((sum, zone) => sum + zone.count, 0));
  const zone = zones.length === 1 ? zones[0] : zones[Math.floor(n / namesPerZone)];
  const draw = kind === 'mix' ? roll(4) : 0;
  const missing = kind === 'mix' && roll(10) === 0;
  const client = kind === 'ecs' || (kind === 'mix' && draw === 3) ? randomClient(geography, roll) : undefined;
  let name = `${missing ? 'n' : 'h'}${n}.${zone.origin}`;
  if (kind === 'mix') name = mixCase(name, roll);
  return { n, name, missing, client, packet: query(name, { edns: draw === 2, subnet: client?.subnet }) };
}

/**
 * Writes a query file of a workload to `path`: queries for random names of `zones`, each after its length in two
 * bytes. Returns a sample of what was asked and what belongs in the answer: `[{ packet, rcode, addresses, subnet }]`.
 */
export function writeQueries(path, kind, { zones, geography, queries, seed = 1 }) {
  const roll = dice(seed);
  const parts = [];
  const sample = [];
  for (let i = 0; i < queries; i++) {
    const { n, name, missing, client, packet } = drawQuery(kind, { zones, geography }, roll);
    parts.push(Buffer.from([packet.length >> 8, packet.length & 255]), packet);
    if (sample.length < 300)
      sample.push({
        name,
        packet,
        rcode: missing ? 3 : 0,
        addresses: missing ? [] : serviceTexts(serviceOf(n), client?.region ?? localRegion),
        subnet: client?.subnet,
      });
  }
  writeFileSync(path, Buffer.concat(parts));
  return sample;
}
