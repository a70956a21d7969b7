// Arbitrary names and well-formed record data, for property tests.
import fc from 'fast-check';
import { parseRdata } from '../../dist/wire/rdata.js';
import { TYPE } from '../../dist/wire/types.js';

type Octets = fc.Arbitrary<number[]>;

/** An uncompressed wire name with any octets in its labels. */
export const wireName: fc.Arbitrary<Uint8Array> = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 8 })
  .map((labels) => {
    const octets: number[] = [];
    for (const label of labels) {
      if (octets.length + label.length + 2 > 255) break;
      octets.push(label.length, ...label);
    }
    return Uint8Array.from([...octets, 0]);
  });

/** Like `wireName`, of labels from a few letters, so that equal and related names occur. */
export const smallName: fc.Arbitrary<Uint8Array> = fc
  .array(fc.array(fc.constantFrom(65, 97, 66, 98, 46, 255), { minLength: 1, maxLength: 2 }), { maxLength: 4 })
  .map((labels) => Uint8Array.from([...labels.flatMap((label) => [label.length, ...label]), 0]));

const octet: Octets = fc.nat(255).map((value) => [value]);
const name: Octets = wireName.map((wire) => [...wire]);
const printable = (least: number): fc.Arbitrary<Uint8Array> =>
  fc.string({ minLength: least, maxLength: 30 }).map((text) => new Uint8Array(Buffer.from(text)));
const string: Octets = fc
  .oneof(printable(0), fc.uint8Array({ maxLength: 255 }))
  .map((octets) => [octets.length, ...octets]);
const strings: Octets = join(
  string,
  fc.array(string, { maxLength: 4 }).map((list) => list.flat()),
);

function octets(least: number, most = least): Octets {
  return fc.uint8Array({ minLength: least, maxLength: most }).map((bytes) => [...bytes]);
}

function join(...parts: Octets[]): Octets {
  return fc.tuple(...parts).map((list) => list.flat());
}

function u16(value: number): number[] {
  return [value >> 8, value & 255];
}

const digest = (kinds: Record<number, number>): Octets =>
  fc
    .constantFrom(...Object.entries(kinds))
    .chain(([kind, size]) => octets(size).map((bytes) => [Number(kind), ...bytes]));

const alpn: Octets = fc
  .array(fc.oneof(printable(1), fc.uint8Array({ minLength: 1, maxLength: 20 })), { minLength: 1, maxLength: 4 })
  .map((ids) => ids.flatMap((id) => [id.length, ...id]));
const addresses = (size: number): Octets => fc.integer({ min: 1, max: 3 }).chain((count) => octets(count * size));

const PARAMETER_VALUES: Record<number, Octets> = {
  1: alpn,
  3: octets(2),
  4: addresses(4),
  5: octets(1, 80),
  6: addresses(16),
  7: fc.constantFrom('/dns-query{?dns}', '/é{?a,dns}').map((text) => [...Buffer.from(text)]),
  8: fc.constant<number[]>([]),
  667: octets(0, 40),
  65534: octets(0, 40),
};

const parameters: Octets = fc.subarray(Object.keys(PARAMETER_VALUES).map(Number)).chain((keys) =>
  fc
    .tuple(fc.subarray(keys), fc.boolean(), fc.tuple(...keys.map((key) => PARAMETER_VALUES[key]!)))
    .map(([mandatory, only, values]) => {
      const list = keys.map((key, i) => [key, values[i]!] as const);
      if (only && keys.includes(1)) list.push([2, []]);
      if (mandatory.length > 0) list.push([0, mandatory.flatMap(u16)]);
      list.sort(([a], [b]) => a - b);
      return list.flatMap(([key, value]) => [...u16(key), ...u16(value.length), ...value]);
    }),
);

const service: Octets = fc.oneof(
  name.map((target) => [0, 0, ...target]),
  join(fc.integer({ min: 1, max: 65535 }).map(u16), name, parameters),
);

const size: Octets = fc.oneof(
  fc.constant<number[]>([0]),
  fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(9)).map(([digit, exponent]) => [(digit << 4) | exponent]),
);
const angle = (most: number): Octets =>
  fc.integer({ min: -most * 3_600_000, max: most * 3_600_000 }).map((value) => {
    const number = value + 2 ** 31;
    return [...u16(Math.floor(number / 65536)), ...u16(number % 65536)];
  });

const ds = join(octets(3), digest({ 1: 20, 2: 32, 4: 48 }));
const tlsa = join(octets(2), fc.oneof(digest({ 1: 32, 2: 64 }), join(fc.constant<number[]>([0]), octets(1, 90))));
const dnskey = join(octets(2), fc.constant<number[]>([3]), octets(2, 100));

const ARBITRARY: Record<number, Octets> = {
  [TYPE.A]: octets(4),
  [TYPE.AAAA]: octets(16),
  [TYPE.NS]: name,
  [TYPE.CNAME]: name,
  [TYPE.DNAME]: name,
  [TYPE.PTR]: name,
  [TYPE.MB]: name,
  [TYPE.MINFO]: join(name, name),
  [TYPE.SOA]: join(name, name, octets(20)),
  [TYPE.MX]: join(octets(2), name),
  [TYPE.TXT]: strings,
  [TYPE.SPF]: strings,
  [TYPE.HINFO]: join(string, string),
  [TYPE.RP]: join(name, name),
  [TYPE.AFSDB]: join(octets(2), name),
  [TYPE.RT]: join(octets(2), name),
  [TYPE.KX]: join(octets(2), name),
  [TYPE.LP]: join(octets(2), name),
  [TYPE.L32]: octets(6),
  [TYPE.X25]: string,
  [TYPE.SRV]: join(octets(6), name),
  [TYPE.NAPTR]: join(octets(4), string, string, string, name),
  [TYPE.CERT]: octets(6, 60),
  [TYPE.DHCID]: octets(1, 60),
  [TYPE.DS]: ds,
  [TYPE.CDS]: fc.oneof(ds, fc.constant<number[]>([0, 0, 0, 0, 0])),
  [TYPE.DNSKEY]: dnskey,
  [TYPE.CDNSKEY]: dnskey,
  [TYPE.SSHFP]: join(octet, digest({ 1: 20, 2: 32 })),
  [TYPE.TLSA]: tlsa,
  [TYPE.SMIMEA]: tlsa,
  [TYPE.OPENPGPKEY]: octets(1, 200),
  [TYPE.ZONEMD]: join(octets(4), fc.constant<number[]>([1]), digest({ 1: 48, 2: 64 })),
  [TYPE.URI]: join(
    octets(4),
    fc.oneof(
      printable(1).map((text) => [...text]),
      octets(1, 60),
    ),
  ),
  [TYPE.CAA]: join(
    octet,
    fc.stringMatching(/^[a-zA-Z0-9]{1,15}$/).map((text) => [text.length, ...Buffer.from(text)]),
    fc.oneof(
      printable(0).map((text) => [...text]),
      octets(0, 300),
    ),
  ),
  [TYPE.LOC]: join(fc.constant<number[]>([0]), size, size, size, angle(90), angle(180), octets(4)),
  [TYPE.SVCB]: service,
  [TYPE.HTTPS]: service,
};

/** Types that `rdataOf` has data of. */
export const ARBITRARY_TYPES: readonly number[] = Object.keys(ARBITRARY).map(Number);

/** Well-formed data of the type. */
export function rdataOf(type: number): fc.Arbitrary<Uint8Array> {
  return ARBITRARY[type]!.map((list) => Uint8Array.from(list));
}

/** Whether the octets are data of the type: what the generic form of RFC 3597 asks of them. */
export function isWellFormed(type: number, bytes: Uint8Array): boolean {
  const hex = Buffer.from(bytes).toString('hex');
  return parseRdata(type, `\\# ${bytes.length} ${hex}`, Uint8Array.of(0)).ok;
}
