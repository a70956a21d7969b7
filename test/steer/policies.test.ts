// Properties of each policy, for any pools, weights, states and clients.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { greatCircleKm } from '../../dist/geo/distance.js';
import { query } from '../support/dns.ts';
import { Plane, values } from '../support/plane.ts';

function zone(pools: string, records: string): string {
  return `zone: example.test\nns: [ns.example.net.]\npools:\n${pools}\nrecords:\n${records}\n`;
}

const ask = (plane: Plane, subnet = '1.1.1.0/24'): string[] => values(plane.ask('www.example.test.', 'A', { subnet }));
const address = (n: number): string => `192.0.2.${n + 1}`;

/** Members that are live, as booleans, at least one of them. */
const states = (most: number) =>
  fc.array(fc.boolean(), { minLength: 1, maxLength: most }).filter((live) => live.includes(true));

describe('ordered', () => {
  it('answers the first live members of the file, as many as are wanted', () => {
    fc.assert(
      fc.property(states(12), fc.integer({ min: 1, max: 12 }), (live, answers) => {
        const members = live.map((_, i) => address(i)).join(', ');
        const plane = new Plane([
          zone(`  p: { pick: ordered, members: [${members}] }`, `  www: { A: { answers: ${answers}, pools: [p] } }`),
        ]);
        plane.down(...live.flatMap((up, i) => (up ? [] : [`example.test/p/${address(i)}`])));
        const expected = live.flatMap((up, i) => (up ? [address(i)] : [])).slice(0, answers);
        expect(ask(plane)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });
});

describe('failover', () => {
  it('answers from the first pool that is up, whatever the others are', () => {
    fc.assert(
      fc.property(states(10), (up) => {
        const pools = up.map((_, i) => `  p${i}: { members: [${address(i)}] }`).join('\n');
        const plane = new Plane([zone(pools, `  www: { A: { pools: [${up.map((_, i) => `p${i}`).join(', ')}] } }`)]);
        plane.down(...up.flatMap((is, i) => (is ? [] : [`example.test/p${i}/${address(i)}`])));
        expect(ask(plane)).toEqual([address(up.indexOf(true))]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('weighted between pools', () => {
  it('is fair among those that are up: chi-square over twenty thousand draws, weight 0 never', () => {
    const weights = fc.array(fc.constantFrom(0, 1, 5, 50, 100, 400, 1000), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(weights, fc.nat(5), (given, downAt) => {
        const pools = given.map((_, i) => `  p${i}: { members: [${address(i)}] }`).join('\n');
        const shares = given.map((weight, i) => `p${i}: ${weight}`).join(', ');
        const plane = new Plane([zone(pools, `  www: { A: { weighted: { ${shares} } } }`)]);
        const down = downAt % given.length;
        plane.down(`example.test/p${down}/${address(down)}`);
        const left = given.map((weight, i): number => (i === down ? 0 : weight));
        const total = left.reduce((a, b) => a + b);
        if (total === 0) return;
        const draws = 20_000;
        const seen = new Float64Array(given.length);
        const request = query({ name: 'www.example.test.', type: 'A' });
        for (let i = 0; i < draws; i++) {
          const response = plane.exchange(request)!;
          seen[response[response.length - 1]! - 1]!++;
        }
        let statistic = 0;
        left.forEach((weight, i) => {
          if (weight === 0) expect(seen[i]).toBe(0);
          else statistic += (seen[i]! - (draws * weight) / total) ** 2 / ((draws * weight) / total);
        });
        // Five degrees of freedom at most: 30.9 is exceeded by chance once in a hundred thousand.
        expect(statistic).toBeLessThan(30.9);
      }),
      { numRuns: 12, seed: 7 },
    );
  });
});

describe('sticky', () => {
  it('moves the clients of a lost member and no others, whichever is lost, with any weights', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(weights, fc.nat(11), (given, lostAt) => {
        const members = given.map((weight, i) => `{ address: ${address(i)}, weight: ${weight} }`).join(', ');
        const plane = new Plane([zone(`  p: { pick: sticky, members: [${members}] }`, '  www: { A: { pools: [p] } }')]);
        const clients = Array.from({ length: 60 }, (_, i) => `10.7.${i}.0/24`);
        const before = clients.map((client) => ask(plane, client)[0]);
        const lost = address(lostAt % given.length);
        plane.down(`example.test/p/${lost}`);
        clients.forEach((client, i) => {
          const now = ask(plane, client)[0];
          if (before[i] === lost) expect(now).not.toBe(lost);
          else expect(now).toBe(before[i]);
        });
        // Back again, all of them are where they were.
        plane.up(`example.test/p/${lost}`);
        expect(clients.map((client) => ask(plane, client)[0])).toEqual(before);
      }),
      { numRuns: 15 },
    );
  });

  it('loses one share of the clients with one of n, and has shares by weight', () => {
    const members = Array.from({ length: 10 }, (_, i) => address(i));
    const plane = new Plane([
      zone(`  p: { pick: sticky, members: [${members.join(', ')}] }`, '  www: { A: { pools: [p] } }'),
    ]);
    const clients = Array.from({ length: 20_000 }, (_, i) => `11.${i >> 8}.${i & 255}.0/24`);
    const before = clients.map((client) => ask(plane, client)[0]);
    plane.down(`example.test/p/${members[3]}`);
    const moved = clients.filter((client, i) => ask(plane, client)[0] !== before[i]).length;
    expect(moved).toBe(before.filter((member) => member === members[3]).length);
    expect(moved / clients.length).toBeGreaterThan(0.09);
    expect(moved / clients.length).toBeLessThan(0.11);
  });
});

describe('closest', () => {
  // Databases say 0, 0 where they know nothing.
  const degrees = fc
    .tuple(fc.integer({ min: -85, max: 85 }), fc.integer({ min: -179, max: 179 }))
    .filter(([latitude, longitude]) => latitude !== 0 || longitude !== 0);
  const distance = (from: readonly [number, number], to: readonly [number, number], bias: number): number =>
    greatCircleKm(from, to) * bias;

  it('answers from the pool of the least distance times bias that is up, anywhere on earth, also inside of a region', () => {
    const pool = fc.record({ at: degrees, bias: fc.constantFrom(0.5, 1, 1, 2), up: fc.boolean() });
    fc.assert(
      fc.property(degrees, fc.array(pool, { minLength: 2, maxLength: 6 }), fc.boolean(), (client, pools, nested) => {
        if (!pools.some(({ up }) => up)) return;
        const text = pools
          .map(({ at, bias }, i) => `  p${i}: { at: [${at[0]}, ${at[1]}], bias: ${bias}, members: [${address(i)}] }`)
          .join('\n');
        const closest = `closest: [${pools.map((_, i) => `p${i}`).join(', ')}]`;
        const set = nested ? `regions: { europe: { ${closest} }, default: nodata }` : closest;
        const record = {
          country: { iso_code: 'FR' },
          continent: { code: 'EU' },
          location: { latitude: client[0], longitude: client[1] },
        };
        const plane = new Plane([zone(text, `  www: { A: { ${set} } }`)], { places: [['1.0.0.0/8', record]] });
        plane.down(...pools.flatMap(({ up }, i) => (up ? [] : [`example.test/p${i}/${address(i)}`])));
        const far = pools.map(({ at, bias, up }) => (up ? distance(client, at, bias) : Number.POSITIVE_INFINITY));
        const chosen = Number(ask(plane)[0]!.split('.')[3]) - 1;
        // Equal to the metre is a tie.
        expect(far[chosen]! - Math.min(...far)).toBeLessThan(0.01);
      }),
      { numRuns: 60 },
    );
  });

  it('shares among exactly those within the spread of the nearest', () => {
    const offsets = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(offsets, (given) => {
        // Pools on the client's meridian, some tenths of a degree (11.1 km) away.
        const text = given
          .map((tenths, i) => `  p${i}: { at: [${10 + tenths / 10}, 20], members: [${address(i)}] }`)
          .join('\n');
        const set = `spread: 100km, closest: [${given.map((_, i) => `p${i}`).join(', ')}]`;
        const record = {
          country: { iso_code: 'TD' },
          continent: { code: 'AF' },
          location: { latitude: 10, longitude: 20 },
        };
        const plane = new Plane([zone(text, `  www: { A: { ${set} } }`)], { places: [['1.0.0.0/8', record]] });
        const seen = new Set(Array.from({ length: 120 }, () => ask(plane)[0]!));
        const km = given.map((tenths) => greatCircleKm([10, 20], [10 + tenths / 10, 20]));
        const near = km.flatMap((d, i) => (d <= Math.min(...km) + 100 ? [address(i)] : []));
        expect([...seen].sort()).toEqual(near.sort());
      }),
      { numRuns: 25, seed: 11 },
    );
  });
});
