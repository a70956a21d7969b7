// The registries' extended delegation statistics to a country database: who was given which addresses, by the country they registered in.
import { type Prefix, parseAddress, parsePrefix } from '../base/address.ts';
import { continentOfCode, isCountry } from '../geo/countries.ts';
import { nestPrefixes, type RangeTable } from '../geo/ranges.ts';
import { type MmdbField, writeMmdb } from './mmdb-write.ts';
import type { Registry } from './rir.ts';
import { ContentError } from './source.ts';

/** Words of the files, version 2: `registry|cc|type|start|value|date|status|id`. */
const STATUS_GIVEN: ReadonlySet<string> = new Set(['allocated', 'assigned']);

/** What was read so far: networks, and for each the index of its code. */
interface Delegations {
  readonly prefixes: Prefix[];
  readonly codeOf: number[];
  readonly codes: string[];
  readonly numbers: Map<string, number>;
}

/**
 * Makes the database. Throws ContentError for a text that isn't such a file of its registry: one registry short would leave a
 * continent without a country.
 */
export function delegatedDatabase(files: readonly { readonly registry: Registry; readonly bytes: Buffer }[]): Buffer {
  const all: Delegations = { prefixes: [], codeOf: [], codes: [], numbers: new Map() };
  // As old as its oldest part.
  const builtAt = Math.min(...files.map(({ registry, bytes }) => readFile(registry, bytes.toString('latin1'), all)));
  const table = (words: 1 | 4): RangeTable =>
    nestPrefixes(words, all.prefixes).table.map((value) => (value === 0 ? 0 : all.codeOf[value - 1]! + 1));
  return writeMmdb({
    v4: table(1),
    v6: table(4),
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
  for (const line of text.split('\n')) {
    number++;
    if (line === '' || line.startsWith('#')) continue;
    const fields = line.trimEnd().split('|');
    if (madeAt === null) {
      madeAt = readHeader(registry, fields);
      continue;
    }
    const [owner, code, type, start, value, , status] = fields as (string | undefined)[];
    if (owner === registry && status !== undefined && (type === 'ipv4' || type === 'ipv6')) {
      if (!STATUS_GIVEN.has(status) || code === undefined || continentOfCode(code) === null) continue;
      const prefixes = type === 'ipv4' ? networks4(start!, value!) : networks6(start!, value!);
      if (prefixes === null)
        throw new ContentError(`line ${number} of ${registry}'s file is damaged: ${line.slice(0, 80)}`);
      for (const prefix of prefixes) add(all, prefix, code);
      delegations++;
    } else if (fields.length < 6) {
      throw new ContentError(`line ${number} of ${registry}'s file is damaged: ${line.slice(0, 80)}`);
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

function add({ prefixes, codeOf, codes, numbers }: Delegations, prefix: Prefix, code: string): void {
  let number = numbers.get(code);
  if (number === undefined) {
    number = codes.length;
    codes.push(code);
    numbers.set(code, number);
  }
  prefixes.push(prefix);
  codeOf.push(number);
}

/** A first address and how many: not always a power of two, nor aligned to one. null: damaged. */
function networks4(start: string, count: string): Prefix[] | null {
  const address = parseAddress(start);
  let left = /^[1-9]\d{0,9}$/.test(count) ? Number(count) : 0;
  if (address?.family !== 4 || left === 0) return null;
  let first = Buffer.from(address.bytes).readUInt32BE();
  if (first + left > 2 ** 32) return null;
  const prefixes: Prefix[] = [];
  while (left > 0) {
    let size = 1;
    // The largest network that begins here and holds no more than is left.
    while (size * 2 <= left && first % (size * 2) === 0) size *= 2;
    prefixes.push({
      address: {
        family: 4,
        bytes: Uint8Array.of(first >>> 24, (first >>> 16) & 255, (first >>> 8) & 255, first & 255),
      },
      length: 32 - Math.log2(size),
    });
    first += size;
    left -= size;
  }
  return prefixes;
}

function networks6(start: string, length: string): Prefix[] | null {
  const prefix = parsePrefix(`${start}/${length}`);
  return prefix?.address.family === 6 ? [prefix] : null;
}
