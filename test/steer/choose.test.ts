// How pools and members are chosen: each policy by its rule, draws by their distribution.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FORCED_NONE, LOAD_FULL, VERDICT_UP } from '../../dist/board/board.js';
import { query } from '../support/dns.ts';
import { Plane, values } from '../support/plane.ts';

/** A zone example.test with pools and the record sets of `www`. */
function zone(pools: string, records: string): string {
  return `zone: example.test\nns: [ns.example.net.]\npools:\n${pools}\nrecords:\n${records}\n`;
}

const count = (list: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const value of list) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
};

/** Pearson's statistic of observed counts against expected ones. */
function chiSquare(observed: readonly number[], expected: readonly number[]): number {
  return observed.reduce((sum, o, i) => sum + (o - expected[i]!) ** 2 / expected[i]!, 0);
}

describe('weighted members', () => {
  it('come first in proportion to their weights, over weights from 1 to 1000', () => {
    const weights = [1, 2, 5, 10, 50, 100, 250, 500, 1000];
    const members = weights.map((w, i) => `{ address: 192.0.2.${i + 1}, weight: ${w} }`).join(', ');
    const plane = new Plane([zone(`  p: { members: [${members}] }`, '  www: { A: { answers: 1, pools: [p] } }')]);
    const draws = 1_000_000;
    const seen = new Float64Array(weights.length);
    const request = query({ name: 'www.example.test.', type: 'A' });
    for (let i = 0; i < draws; i++) {
      const response = plane.exchange(request)!;
      seen[response[response.length - 1]! - 1]!++;
    }
    const total = weights.reduce((a, b) => a + b);
    const expected = weights.map((w) => (draws * w) / total);
    // 8 degrees of freedom: 26.1 is exceeded by chance once in a thousand; the seed is fixed.
    expect(chiSquare([...seen], expected)).toBeLessThan(26.1);
  });

  it('never name a member twice in one answer, and name all of them by default', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 20 }), (weights) => {
        const members = weights.map((w, i) => `{ address: 192.0.2.${i + 1}, weight: ${w} }`).join(', ');
        const plane = new Plane([zone(`  p: { members: [${members}] }`, '  www: { A: { pools: [p] } }')]);
        const answer = values(plane.ask('www.example.test.', 'A'));
        expect(new Set(answer).size).toBe(weights.length);
      }),
      { numRuns: 20 },
    );
  });

  it('of weight 0 serve only when nothing else does', () => {
    const pools = '  p: { members: [{ address: 192.0.2.1, weight: 0 }, 192.0.2.2] }';
    const plane = new Plane([zone(pools, '  www: { A: { pools: [p] } }')]);
    expect(values(plane.ask('www.example.test.', 'A'))).toEqual(['192.0.2.2']);
    plane.down('example.test/p/192.0.2.2');
    expect(values(plane.ask('www.example.test.', 'A'))).toEqual(['192.0.2.1']);
  });

  it('lose weight with load, take no new clients when shed, and have their written weights when all are', () => {
    const plane = new Plane([
      zone('  p: { members: [192.0.2.1, 192.0.2.2] }', '  www: { A: { answers: 1, pools: [p] } }'),
    ]);
    const first = (): number => {
      const drawn = Array.from({ length: 4000 }, () => values(plane.ask('www.example.test.', 'A'))[0]!);
      return count(drawn).get('192.0.2.1') ?? 0;
    };
    plane.set('example.test/p/192.0.2.1', { load: 85 });
    expect(first() / 4000).toBeGreaterThan(0.22);
    expect(first() / 4000).toBeLessThan(0.28);
    plane.set('example.test/p/192.0.2.1', { load: 0 });
    expect(first()).toBe(0);
    plane.set('example.test/p/192.0.2.2', { load: 0 });
    expect(first() / 4000).toBeGreaterThan(0.45);
  });
});

describe('more members than fit', () => {
  it('are cut to what fits, which is counted, and an answer that holds all is not', () => {
    const members = Array.from({ length: 40 }, (_, i) => `192.0.2.${i + 1}`).join(', ');
    const plane = new Plane([zone(`  p: { members: [${members}] }`, '  www: { A: { pools: [p] } }')]);
    const reply = plane.ask('www.example.test.', 'A', { udpSize: null });
    expect([reply.tc, reply.bytes.length <= 512, plane.count('cut')]).toEqual([false, true, 1]);
    expect(values(plane.ask('www.example.test.', 'A', { tcp: true })).length).toBe(40);
    expect(plane.count('cut')).toBe(1);
  });
});

describe('ordered members', () => {
  it('are answered in the order of the file, one by default, the next when it is down', () => {
    const pools = '  p: { pick: ordered, members: [192.0.2.3, 192.0.2.1, 192.0.2.2] }';
    const plane = new Plane([zone(pools, '  www: { A: { pools: [p] } }\n  two: { A: { answers: 2, pools: [p] } }')]);
    expect(values(plane.ask('www.example.test.', 'A'))).toEqual(['192.0.2.3']);
    expect(values(plane.ask('two.example.test.', 'A'))).toEqual(['192.0.2.3', '192.0.2.1']);
    plane.down('example.test/p/192.0.2.3');
    expect(values(plane.ask('www.example.test.', 'A'))).toEqual(['192.0.2.1']);
  });
});

describe('sticky members', () => {
  const members = Array.from({ length: 10 }, (_, i) => `192.0.2.${i + 1}`);
  const pools = `  p: { pick: sticky, members: [${members.join(', ')}] }`;
  const of = (plane: Plane, client: string): string =>
    values(plane.ask('www.example.test.', 'A', { subnet: client }))[0]!;
  const clients = Array.from({ length: 400 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);

  it('stay with a client network, whoever asks from it', () => {
    const plane = new Plane([zone(pools, '  www: { A: { pools: [p] } }')]);
    expect(of(plane, '198.51.100.7/32')).toBe(of(plane, '198.51.100.200/32'));
    expect(values(plane.ask('www.example.test.', 'A', { from: '198.51.100.9' }))[0]).toBe(of(plane, '198.51.100.0/24'));
  });

  it('move only the clients of a member that is lost', () => {
    const plane = new Plane([zone(pools, '  www: { A: { pools: [p] } }')]);
    const before = clients.map((client) => of(plane, client));
    plane.down('example.test/p/192.0.2.4');
    clients.forEach((client, i) => {
      const now = of(plane, client);
      if (before[i] === '192.0.2.4') expect(now).not.toBe('192.0.2.4');
      else expect(now).toBe(before[i]);
    });
    expect(new Set(before).size).toBe(10);
  });

  it('share clients by weight', () => {
    const weighted = '  p: { pick: sticky, members: [{ address: 192.0.2.1, weight: 3 }, 192.0.2.2] }';
    const plane = new Plane([zone(weighted, '  www: { A: { pools: [p] } }')]);
    const many = Array.from({ length: 4000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
    const share = many.filter((client) => of(plane, client) === '192.0.2.1').length / many.length;
    expect(share).toBeGreaterThan(0.72);
    expect(share).toBeLessThan(0.78);
  });

  it('give an IPv4 and an IPv6 address of one name to the same clients', () => {
    const named = `  p:
    pick: sticky
    members:
      - { address: 192.0.2.1, name: one }
      - { address: 192.0.2.2, name: two }
      - { address: "2001:db8::1", name: one }
      - { address: "2001:db8::2", name: two }`;
    const plane = new Plane([zone(named, '  www: { ADDR: { pools: [p] } }')]);
    for (const client of clients.slice(0, 50)) {
      const four = values(plane.ask('www.example.test.', 'A', { subnet: client }))[0]!;
      const six = values(plane.ask('www.example.test.', 'AAAA', { subnet: client }), 'AAAA')[0]!;
      expect(six.endsWith(four.slice(-1))).toBe(true);
    }
  });

  it('are the same in every version: these answers are fixed', () => {
    const plane = new Plane([zone(pools, '  www: { A: { pools: [p] } }')]);
    const fixed = ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24', '198.51.100.0/24'].map((client) => of(plane, client));
    expect(fixed).toMatchInlineSnapshot(`
      [
        "192.0.2.3",
        "192.0.2.1",
        "192.0.2.3",
        "192.0.2.10",
      ]
    `);
  });

  it('have a scope of at least /24 or /56', () => {
    const plane = new Plane([zone(pools, '  www: { A: { pools: [p] } }')]);
    const scope = (subnet: string): number => plane.ask('www.example.test.', 'A', { subnet }).opt!.options[0]!.data[3]!;
    expect(scope('10.0.0.0/16')).toBe(24);
    expect(scope('2001:db8::/32')).toBe(56);
  });
});

describe('pools', () => {
  const pools = `  a: { min-live: 2, members: [192.0.2.1, 192.0.2.2] }
  b: { min-live: "50%", members: [192.0.2.11, 192.0.2.12, 192.0.2.13] }
  c: { members: [192.0.2.21] }
  six: { members: ["2001:db8::1"] }`;
  const id = (pool: string, n: number): string => `example.test/${pool}/192.0.2.${n}`;
  const sorted = (plane: Plane, type = 'A'): string[] => values(plane.ask('www.example.test.', type), type).sort();

  it('are taken in order: the first that has its min-live, a count or a share rounded up', () => {
    const plane = new Plane([zone(pools, '  www: { A: { pools: [a, b, c] } }')]);
    expect(sorted(plane)).toEqual(['192.0.2.1', '192.0.2.2']);
    plane.down(id('a', 1));
    expect(sorted(plane)).toEqual(['192.0.2.11', '192.0.2.12', '192.0.2.13']);
    plane.down(id('b', 11));
    expect(sorted(plane)).toEqual(['192.0.2.12', '192.0.2.13']);
    plane.down(id('b', 12));
    expect(sorted(plane)).toEqual(['192.0.2.21']);
  });

  it('below min-live still answer with who is live before anything fails open', () => {
    const plane = new Plane([zone(pools, '  www: { A: { pools: [c, a, b], when-all-down: servfail } }')]);
    plane.down(id('c', 21), id('a', 1), id('b', 11), id('b', 12));
    expect(sorted(plane)).toEqual(['192.0.2.2']);
    plane.down(id('a', 2));
    expect(sorted(plane)).toEqual(['192.0.2.13']);
    plane.down(id('b', 13));
    expect(plane.ask('www.example.test.', 'A').rcode).toBe('SERVFAIL');
  });

  it('fail open with the first that has a member nobody forced down', () => {
    const plane = new Plane([zone(pools, '  www: { A: { pools: [a, c] } }')]);
    plane.down(id('a', 1), id('a', 2), id('c', 21));
    expect(sorted(plane)).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(plane.count('failOpen')).toBe(1);
    plane.force('drain', id('a', 1));
    expect(sorted(plane)).toEqual(['192.0.2.2']);
    plane.force('down', id('a', 2));
    expect(sorted(plane)).toEqual(['192.0.2.21']);
    plane.force('down', id('c', 21));
    const none = plane.ask('www.example.test.', 'A');
    expect([none.rcode, none.answers.length, none.authorities[0]!.ttl]).toEqual(['NOERROR', 0, 30]);
  });

  it('give NODATA where when-all-down says so', () => {
    const plane = new Plane([zone(pools, '  www: { A: { pools: [c], when-all-down: nodata } }')]);
    plane.down(id('c', 21));
    const reply = plane.ask('www.example.test.', 'A');
    expect([reply.rcode, reply.answers.length, reply.aa]).toEqual(['NOERROR', 0, true]);
  });

  it('obey the hand before the verdict', () => {
    const plane = new Plane([zone(pools, '  www: { A: { pools: [a, c] } }')]);
    plane.down(id('a', 1));
    plane.force('up', id('a', 1));
    expect(sorted(plane)).toEqual(['192.0.2.1', '192.0.2.2']);
    plane.force('drain', id('a', 2));
    expect(sorted(plane)).toEqual(['192.0.2.21']);
    plane.set(id('a', 2), { forced: FORCED_NONE, verdict: VERDICT_UP, load: LOAD_FULL });
    expect(sorted(plane)).toEqual(['192.0.2.1', '192.0.2.2']);
  });

  it('without a member of the family take the state of the other, and then answer NODATA', () => {
    const plane = new Plane([zone(pools, '  www: { ADDR: { pools: [c, six] } }')]);
    expect(sorted(plane, 'AAAA')).toEqual([]);
    plane.down(id('c', 21));
    expect(sorted(plane, 'AAAA')).toEqual(['2001:db8:0:0:0:0:0:1']);
  });

  it('share clients by weight, among those that are up', () => {
    const plane = new Plane([zone(pools, '  www: { A: { answers: 1, weighted: { c: 90, b: 10 } } }')]);
    const share = (): number =>
      Array.from({ length: 4000 }, () => values(plane.ask('www.example.test.', 'A'))[0]).filter(
        (a) => a === '192.0.2.21',
      ).length / 4000;
    expect(share()).toBeGreaterThan(0.87);
    expect(share()).toBeLessThan(0.93);
    plane.down(id('c', 21));
    expect(share()).toBe(0);
  });
});

describe('closest', () => {
  const pools = `  moscow: { at: [55.75, 37.62], members: [192.0.2.1] }
  rio: { at: [-22.9, -43.2], members: [192.0.2.2] }
  newyork: { at: [40.7, -74.0], members: [192.0.2.3] }
  boston: { at: [42.36, -71.06], members: [192.0.2.4] }
  fiji: { at: [-17.7, 178.0], members: [192.0.2.5] }
  samoa: { at: [-13.8, -171.8], members: [192.0.2.6] }`;
  const at = (plane: Plane, name: string, subnet: string): string =>
    values(plane.ask(`${name}.example.test.`, 'A', { subnet }))[0]!;

  it('prefers the nearest pool that is up, by great circle', () => {
    const plane = new Plane([zone(pools, '  www: { A: { closest: [moscow, rio, newyork] } }')]);
    expect(at(plane, 'www', '1.2.3.0/24')).toBe('192.0.2.1');
    expect(at(plane, 'www', '2.2.3.0/24')).toBe('192.0.2.2');
    expect(at(plane, 'www', '3.2.3.0/24')).toBe('192.0.2.3');
    expect(at(plane, 'www', '2a00:1::/48')).toBe('192.0.2.1');
    plane.down('example.test/rio/192.0.2.2');
    expect(at(plane, 'www', '2.2.3.0/24')).toBe('192.0.2.3');
  });

  it('is right across the antimeridian', () => {
    const places = [
      ['9.0.0.0/8', { country: { iso_code: 'FJ' }, location: { latitude: -17, longitude: -179.5 } }],
    ] as const;
    const plane = new Plane([zone(pools, '  www: { A: { closest: [samoa, fiji] } }')], { places });
    expect(at(plane, 'www', '9.1.1.0/24')).toBe('192.0.2.5');
  });

  it('keeps the listed order for clients that nobody can place', () => {
    const plane = new Plane([zone(pools, '  www: { A: { closest: [rio, moscow, newyork] } }')]);
    expect(at(plane, 'www', '203.0.113.0/24')).toBe('192.0.2.2');
  });

  it('shares near-ties within the spread, and bias moves the border', () => {
    const records = `  www: { A: { spread: 400km, closest: [newyork, boston] } }
  far: { A: { closest: [newyork, boston] } }`;
    const plane = new Plane([zone(pools.replace('boston: { ', 'boston: { bias: 0.01, '), records)]);
    const seen = new Set(Array.from({ length: 100 }, () => at(plane, 'www', '3.2.3.0/24')));
    expect([...seen].sort()).toEqual(['192.0.2.3', '192.0.2.4']);
    const biased = new Plane([
      zone(pools.replace('newyork: { ', 'newyork: { bias: 9, '), '  www: { A: { closest: [rio, newyork] } }'),
    ]);
    expect(at(biased, 'www', '3.2.3.0/24')).toBe('192.0.2.3');
    expect(at(biased, 'www', '4.2.3.0/24')).toBe('192.0.2.2');
  });
});

describe('regions', () => {
  const pools = `  moscow: { members: [192.0.2.1] }
  rio: { members: [192.0.2.2] }
  newyork: { members: [192.0.2.3] }`;
  const records = `  www:
    A:
      regions:
        RU: moscow
        europe: [newyork]
        1.2.0.0/16: rio
        default: nodata`;
  const at = (plane: Plane, subnet: string): string | undefined =>
    values(plane.ask('www.example.test.', 'A', { subnet }))[0];

  it('match the most specific place, climb to wider ones, and never to default: nodata', () => {
    const plane = new Plane([zone(pools, records)]);
    expect(at(plane, '1.9.0.0/24')).toBe('192.0.2.1');
    expect(at(plane, '1.2.3.0/24')).toBe('192.0.2.2');
    expect(at(plane, '4.2.3.0/24')).toBe('192.0.2.3');
    expect(at(plane, '3.2.3.0/24')).toBeUndefined();
    plane.down('example.test/rio/192.0.2.2');
    expect(at(plane, '1.2.3.0/24')).toBe('192.0.2.1');
    plane.down('example.test/moscow/192.0.2.1');
    expect(at(plane, '1.2.3.0/24')).toBe('192.0.2.3');
    plane.down('example.test/newyork/192.0.2.3');
    // Fail-open: the first on the way up.
    expect(at(plane, '1.2.3.0/24')).toBe('192.0.2.2');
  });

  it('have the scope of the whole way up once an answer had to climb', () => {
    const plane = new Plane([zone(pools, records)]);
    const scope = (subnet: string): number => plane.ask('www.example.test.', 'A', { subnet }).opt!.options[0]!.data[3]!;
    expect(scope('1.2.3.0/24')).toBe(16);
    expect(scope('4.0.0.0/8')).toBe(8);
    plane.down('example.test/moscow/192.0.2.1');
    expect(scope('1.9.0.0/24')).toBeGreaterThanOrEqual(8);
  });
});

describe('TTL', () => {
  const pools = `  p: { check: { tcp: { port: 80 }, interval: 10s }, members: [192.0.2.1, 192.0.2.2] }
  q: { members: [192.0.2.3] }`;

  it('follows the earliest possible flip of the members looked at, between its bounds', () => {
    const plane = new Plane([zone(pools, '  www: { A: { ttl: { max: 300, min: 20 }, pools: [p, q] } }')]);
    const ttl = (): number => plane.ask('www.example.test.', 'A').answers[0]!.ttl;
    plane.set('example.test/p/192.0.2.1', { watched: true, flipSeconds: 40 });
    plane.set('example.test/p/192.0.2.2', { watched: true, flipSeconds: 90 });
    expect(ttl()).toBe(40);
    plane.set('example.test/p/192.0.2.1', { watched: true, flipSeconds: 4 });
    expect(ttl()).toBe(20);
    plane.set('example.test/p/192.0.2.1', { watched: true, flipSeconds: 9000 });
    plane.set('example.test/p/192.0.2.2', { watched: true, flipSeconds: 9000 });
    expect(ttl()).toBe(300);
  });

  it('is the maximum where nothing is checked', () => {
    const plane = new Plane([zone(pools, '  www: { A: { ttl: { max: 300, min: 20 }, pools: [q] } }')]);
    expect(plane.ask('www.example.test.', 'A').answers[0]!.ttl).toBe(300);
  });
});
