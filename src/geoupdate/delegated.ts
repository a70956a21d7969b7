// The registries' extended delegation statistics to a country database: who was given which addresses, by the country they registered in.
import { maskAddress, parseAddress, parsePrefix } from '../base/address.ts';
import { continentOfCode, isCountry } from '../geo/countries.ts';
import { Holdings } from './holdings.ts';
import { type MmdbField, writeMmdb } from './mmdb-write.ts';
import type { Registry } from './registries.ts';
import { ContentError } from './source.ts';

/** Words of the files, version 2: `registry|cc|type|start|value|date|status|id`. */
const STATUS_GIVEN: ReadonlySet<string> = new Set(['allocated', 'assigned']);

/** What was read so far; values are numbers of codes, from 1. */
interface Delegations {
  readonly v4: Holdings;
  readonly v6: Holdings;
  readonly codes: string[];
  readonly numbers: Map<string, number>;
}

/**
 * Makes the database. Throws ContentError for a text that isn't such a file of its registry: one registry short would leave a
 * continent without a country.
 */
export function delegatedDatabase(files: readonly { readonly registry: Registry; readonly bytes: Buffer }[]): Buffer {
  const all: Delegations = { v4: new Holdings(1), v6: new Holdings(4), codes: [], numbers: new Map() };
  // As old as its oldest part.
  const builtAt = Math.min(...files.map(({ registry, bytes }) => readFile(registry, bytes.toString('latin1'), all)));
  return writeMmdb({
    v4: all.v4.table(),
    v6: all.v6.table(),
    records: all.codes.map(recordOf),
    type: 'Meridian-RIR-Country',
    description:
      'Countries of registration, from the extended delegation statistics of AFRINIC, APNIC, ARIN, LACNIC and RIPE NCC (CC BY 4.0, Number Resource Organization, nro.net)',
    builtAt,
  });
}

function recordOf(code: string): MmdbField {
  const continent = { code: continentOfCode(code) ?? '' };
  return isCountry(code) ? { continent, country: { iso_code: code } } : { continent };
}

/** Returns when the file was made, in seconds since 1970. */
function readFile(registry: Registry, text: string, all: Delegations): number {
  let madeAt: number | null = null;
  let delegations = 0;
  let number = 0;
  for (let at = 0; at < text.length; ) {
    // Not split: half a million lines at once are a hundred megabytes.
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end < 0 ? text.length : end).trimEnd();
    at = end < 0 ? text.length : end + 1;
    number++;
    if (line === '' || line.startsWith('#')) continue;
    const fields = line.split('|');
    if (madeAt === null) {
      madeAt = readHeader(registry, fields);
      continue;
    }
    const [owner, code, type, start, value, , status] = fields as (string | undefined)[];
    if (owner === registry && status !== undefined && (type === 'ipv4' || type === 'ipv6')) {
      if (!STATUS_GIVEN.has(status) || code === undefined || continentOfCode(code) === null) continue;
      const added = type === 'ipv4' ? add4(all, start!, value!, code) : add6(all, start!, value!, code);
      if (!added) throw damaged(registry, number, line);
      delegations++;
    } else if (fields.length < 6) {
      throw damaged(registry, number, line);
    }
  }
  if (madeAt === null || delegations === 0) throw new ContentError(`${registry}'s file has no delegations in it`);
  return madeAt;
}

/** `2|ripencc|1732921199|271828|19830705|20241129|+0100`: version, registry, serial, records, first and last day. */
function readHeader(registry: Registry, [version, owner, , , , day]: readonly string[]): number {
  const date = /^(\d{4})(\d{2})(\d{2})$/.exec(day ?? '');
  if (!/^2(?:\.\d+)?$/.test(version ?? '') || owner !== registry || date === null)
    throw new ContentError(`this is no statistics file of ${registry}, version 2`);
  return Date.UTC(Number(date[1]), Number(date[2]) - 1, Number(date[3])) / 1000;
}

function damaged(registry: Registry, number: number, line: string): ContentError {
  return new ContentError(`line ${number} of ${registry}'s file is damaged: ${line.slice(0, 80)}`);
}

function numberOf({ codes, numbers }: Delegations, code: string): number {
  const known = numbers.get(code);
  if (known !== undefined) return known;
  codes.push(code);
  numbers.set(code, codes.length);
  return codes.length;
}

/** A first address and how many: not always a power of two, nor aligned to one. false: damaged. */
function add4(all: Delegations, start: string, count: string, code: string): boolean {
  const address = parseAddress(start);
  const size = /^[1-9]\d{0,9}$/.test(count) ? Number(count) : 0;
  if (address?.family !== 4 || size === 0) return false;
  const first = Buffer.from(address.bytes).readUInt32BE();
  const last = first + size - 1;
  if (last >= 2 ** 32) return false;
  all.v4.add(first, 0, last, 0, numberOf(all, code));
  return true;
}

/** A network. What is longer than a /64 belongs to who holds the /64. */
function add6(all: Delegations, start: string, length: string, code: string): boolean {
  const prefix = parsePrefix(`${start}/${length}`);
  if (prefix?.address.family !== 6) return false;
  if (prefix.length > 64) return true;
  const bytes = Buffer.from(maskAddress(prefix.address, prefix.length).bytes);
  const [first0, first1] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
  const host0 = prefix.length >= 32 ? 0 : 0xffff_ffff >>> prefix.length;
  const host1 = prefix.length <= 32 ? 0xffff_ffff : prefix.length === 64 ? 0 : 0xffff_ffff >>> (prefix.length - 32);
  all.v6.add(first0, first1, (first0 | host0) >>> 0, (first1 | host1) >>> 0, numberOf(all, code));
  return true;
}
