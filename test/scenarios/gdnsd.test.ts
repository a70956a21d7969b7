// The same situations for gdnsd and Meridian: both give each client the same addresses, with the same scope.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { bitsOf, contains, parsePrefix } from '../../src/base/address.ts';
import { placedAddress } from '../../src/geo/embedded.ts';
import { SPECIAL4, SPECIAL6 } from '../../src/geo/special.ts';
import { hasGdnsd, type RunningGdnsd, startGdnsd } from '../support/gdnsd.ts';
import { buildMmdb, type Field } from '../support/mmdb.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { askFor, Backends, dataOf, scopeOf, until, verdicts } from '../support/story.ts';

const run = hasGdnsd || process.env.CI === 'true';
if (!run) console.warn('gdnsd is not installed: nothing to compare with, skipped');

function city(country: string, continent: string, region: string, name: string, at: readonly [number, number]): Field {
  return {
    country: { iso_code: country },
    continent: { code: continent },
    subdivisions: [{ iso_code: region }],
    city: { names: { en: name } },
    location: { latitude: at[0], longitude: at[1] },
  };
}

const MOSCOW = city('RU', 'EU', 'MOW', 'Moscow', [55.75, 37.62]);
const OMSK = city('RU', 'EU', 'OMS', 'Omsk', [54.99, 73.37]);
const RIO = city('BR', 'SA', 'RJ', 'Rio de Janeiro', [-22.9, -43.2]);
const NEW_YORK = city('US', 'NA', 'NY', 'New York', [40.7, -74]);
const FRESNO = city('US', 'NA', 'CA', 'Fresno', [36.7, -119.8]);
const PARIS = city('FR', 'EU', 'IDF', 'Paris', [48.86, 2.35]);
const TOKYO = city('JP', 'AS', '13', 'Tokyo', [35.7, 139.7]);
const FIJI = city('FJ', 'OC', 'C', 'Suva', [-18.1, 178.4]);

/** Networks of many lengths, next to each other and inside of each other, with gaps. */
const PLACES: readonly (readonly [string, Field])[] = [
  ['1.0.0.0/9', MOSCOW],
  ['1.128.0.0/10', OMSK],
  ['1.192.0.0/11', PARIS],
  ['1.192.16.0/20', MOSCOW],
  ['2.0.0.0/8', RIO],
  ['3.0.0.0/8', NEW_YORK],
  ['3.16.0.0/12', FRESNO],
  ['3.17.3.128/25', TOKYO],
  ['4.0.0.0/8', FIJI],
  ['5.5.5.5/32', RIO],
  ['200.0.0.0/7', RIO],
  ['2a00::/12', PARIS],
  ['2a00:1000::/24', MOSCOW],
  ['2600::/12', NEW_YORK],
  ['2600:5::/32', FRESNO],
  ['2800::/13', RIO],
  ['2400:1:2:3::/64', TOKYO],
];

const CENTRES = { moscow: [55.75, 37.62], rio: [-22.9, -43.2], newyork: [40.7, -74], auckland: [-36.8, 174.8] };

const POOLS = {
  moscow: ['127.40.0.1', '127.40.0.2'],
  rio: ['127.40.1.1'],
  newyork: ['127.40.2.1', '127.40.2.2', '127.40.2.3'],
  auckland: ['127.40.3.1'],
};

const list = (values: readonly unknown[]): string => `[${values.join(', ')}]`;
const dcmap = Object.entries(POOLS)
  .map(([name, members]) => `${name} => ${list(members)}`)
  .join(', ');
const coordinates = Object.entries(CENTRES)
  .map(([name, at]) => `${name} => ${list(at)}`)
  .join(', ');

const GDNSD = {
  zone: 'both.test',
  database: buildMmdb(PLACES, { type: 'GeoLite2-City' }),
  maps: `places => { geoip2_db => test.mmdb, datacenters => [moscow, rio, newyork, auckland],
  map => {
    EU => { default => [moscow, newyork, rio], RU => { default => [moscow, newyork], OMS => [auckland, moscow] } },
    SA => [rio, newyork],
    NA => { US => { default => [newyork, rio], CA => [auckland, newyork, rio] } },
    default => [newyork, moscow, rio] },
  nets => { 10.0.0.0/8 => [rio, moscow], 10.20.0.0/16 => [moscow, rio], 3.17.0.0/16 => [rio, moscow],
    2001:db8::/32 => [auckland, rio], 2600:5:8000::/33 => [rio, newyork] } }
near => { geoip2_db => test.mmdb, datacenters => [moscow, rio, newyork, auckland], auto_dc_limit => 0,
  auto_dc_coords => { ${coordinates} } }`,
  resources: {
    places: `map => places, dcmap => { ${dcmap} }`,
    near: `map => near, dcmap => { ${dcmap} }`,
  },
};

/** gdnsd wants half of a datacenter's addresses up, rounded up. */
const pools = Object.entries(POOLS)
  .map(
    ([name, members]) =>
      `  ${name}: { at: ${list(CENTRES[name as keyof typeof CENTRES])}, min-live: "50%", check: tcp, members: ${list(members)} }`,
  )
  .join('\n');
const REGIONS = `
        ten: [rio, moscow]
        twenty: [moscow, rio]
        seventeen: [rio, moscow]
        doc: [auckland, rio]
        fresnosix: [rio, newyork]
        omsk: [auckland, moscow]
        RU: [moscow, newyork]
        europe: [moscow, newyork, rio]
        south-america: [rio, newyork]
        california: [auckland, newyork, rio]
        US: [newyork, rio]
        default: [newyork, moscow, rio]`;
const zoneFor = (port: number): string => `
version: meridian/v1
zone: both.test
ns: [ns.example.net.]
regions:
  ten: [10.0.0.0/8]
  twenty: [10.20.0.0/16]
  seventeen: [3.17.0.0/16]
  doc: ["2001:db8::/32"]
  fresnosix: ["2600:5:8000::/33"]
  omsk: [RU-OMS]
  california: [US-CA]
checks:
  tcp: { tcp: { port: ${port} }, interval: 200ms, timeout: 200ms, fall: 1, rise: 1 }
pools:
${pools}
records:
  places:
    A:
      ttl: 30
      regions:${REGIONS}
  near: { A: { ttl: 30, closest: [moscow, rio, newyork, auckland] } }
`;

describe.skipIf(!run)('gdnsd and Meridian', () => {
  let gdnsd: RunningGdnsd;
  let server: RunningServer;
  let backends: Backends;
  beforeAll(async () => {
    gdnsd = await startGdnsd(GDNSD);
    backends = await Backends.start(Object.values(POOLS).flat());
    server = await startServer({
      files: { 'zones/both.test.yaml': zoneFor(backends.port), 'geoip/city.mmdb': GDNSD.database },
    });
  });
  afterAll(async () => {
    await gdnsd?.stop();
    await server?.stop();
    await backends?.stop();
  });

  /** Answer and scope of one server. */
  async function of(which: RunningGdnsd | RunningServer, name: string, subnet: string): Promise<string> {
    const reply = await askFor(which, `${name}.both.test`, { subnet });
    return `${name} ${subnet} ${reply.rcode} ${dataOf(reply).join(' ')} /-${scopeOf(reply)}`;
  }

  /** Both are asked until they agree, as states take a moment; fails with what they said last. */
  async function agree(name: string, subnet: string): Promise<void> {
    await until(
      async () => [await of(gdnsd, name, subnet), await of(server, name, subnet)],
      ([theirs, ours]) => {
        const [[answer, scope], [ourAnswer, ourScope]] = [theirs!.split('/-'), ours!.split('/-')];
        return answer === ourAnswer && Number(ourScope) === withoutSpecial(subnet, Number(scope));
      },
    );
  }

  /** Stops these backends, tells gdnsd the same, and waits until no state is on its way any more. */
  async function down(...addresses: string[]): Promise<void> {
    for (const address of Object.values(POOLS).flat()) {
      await backends.close(address);
      if (!addresses.includes(address)) await backends.open(address);
    }
    await gdnsd.down(...addresses);
    await until(
      async () => Object.entries(await verdicts(server)),
      (states) => states.every(([id, state]) => (state === 'down') === addresses.includes(id.split('/')[2]!)),
    );
  }

  const four = fc
    .tuple(
      fc.constantFrom(1, 2, 3, 4, 5, 9, 200, 201),
      fc.nat(255),
      fc.nat(255),
      fc.constantFrom(8, 11, 16, 20, 24, 32),
    )
    .map(([a, b, c, length]) => `${masked([a, b, c, 77], length)}/${length}`);
  const nearby = fc
    .tuple(fc.constantFrom('1.192.', '1.128.', '3.17.', '3.16.', '5.5.'), fc.nat(255), fc.nat(255))
    .map(([start, c, d]) => `${start}${c}.${d}/32`);
  const six = fc
    .tuple(fc.constantFrom('2a00:1000', '2a00', '2600:5', '2600', '2800', '2400:1:2', '2002:303'), fc.nat(0xffff))
    .map(([start, word]) => `${start}:${word.toString(16)}::/64`);

  test('agree on addresses and scope for any client, by place, by network and by distance', {
    timeout: 180_000,
  }, async () => {
    await fc.assert(fc.asyncProperty(fc.constantFrom('places', 'near'), fc.oneof(four, nearby, six), agree), {
      numRuns: 400,
    });
  });

  test.each([
    ['a member of two', ['127.40.0.1']],
    ['a whole pool', ['127.40.0.1', '127.40.0.2']],
    ['a member of three', ['127.40.2.2']],
    ['most of a pool', ['127.40.2.2', '127.40.2.3']],
    ['the farthest pool', ['127.40.3.1']],
    ['the nearest pool of the south', ['127.40.1.1']],
  ])('agree with %s down', async (_, addresses) => {
    await down(...addresses);
    await fc.assert(fc.asyncProperty(fc.constantFrom('places', 'near'), fc.oneof(four, nearby, six), agree), {
      numRuns: 60,
    });
  });

  test('agree to answer with the first pool as if it were up when everything is down', {
    timeout: 180_000,
  }, async () => {
    await down(...Object.values(POOLS).flat());
    for (const subnet of ['1.1.1.0/24', '2.1.1.0/24', '3.1.1.0/24', '2400::/48', '9.9.9.0/24']) {
      await until(
        async () => [
          dataOf(await askFor(gdnsd, 'places.both.test', { subnet })),
          dataOf(await askFor(server, 'places.both.test', { subnet })),
        ],
        ([theirs, ours]) => theirs!.join(' ') === ours!.join(' ') && ours!.length > 0,
      );
    }
    await down();
    await agree('places', '1.1.1.0/24');
  });
});

/** An IPv4 address with the bits behind the prefix cleared. */
function masked(bytes: readonly number[], length: number): string {
  return bytes.map((byte, i) => byte & ~(0xff >> Math.max(0, Math.min(8, length - i * 8))) & 0xff).join('.');
}

/** The shortest scope, `least` or longer, in which a client has no special-purpose space, of which gdnsd knows nothing (contract, "client"). */
function withoutSpecial(subnet: string, least: number): number {
  const asked = parsePrefix(subnet)!.address;
  const address = placedAddress(asked);
  const blocks = address.family === 4 ? SPECIAL4 : SPECIAL6;
  // Of IPv4 inside 6to4 the scope counts from where it begins.
  const before = address.family === asked.family ? 0 : 16;
  const bits = before + bitsOf(address.family);
  for (let scope = least; scope < bits; scope++) {
    const network = { address, length: Math.max(0, scope - before) };
    if (!blocks.some(({ prefix }) => contains(network, prefix.address))) return scope;
  }
  return bits;
}
