// Pools: members, weights, place, and how few of them may live.
import { describe, expect, it } from 'vitest';
import type { Pool } from '../../dist/zone/model.js';
import { errorsOf, modelOf, warningsOf } from '../support/zones.ts';

const HEAD = 'zone: example.org\nns: [ns.example.net.]\n';
const pool = (text: string): Pool => modelOf(`${HEAD}pools: { p: ${text} }\n`).pools.get('p')!;
/** Errors of a pool whose map begins in 3:13. */
const errors = (text: string) => errorsOf(`${HEAD}pools: { p: ${text} }\n`);

describe('members', () => {
  it('are addresses in their canonical text, or maps with weight, name and capacity', () => {
    const text =
      '{ members: [192.0.2.1, "2001:DB8::0:1", { address: 192.0.2.2, weight: 0, name: m2, capacity: 1.5 }] }';
    expect(pool(text).members).toMatchObject([
      { address: '192.0.2.1', family: 4, weight: 1, stickyName: '192.0.2.1', capacity: null },
      { address: '2001:db8::1', family: 6 },
      { address: '192.0.2.2', weight: 0, stickyName: 'm2', capacity: 1.5 },
    ]);
  });

  it('are names, absolute or of the zone', () => {
    const members = pool('{ members: [LB.Example.NET., { address: web, weight: 2 }] }').members;
    expect(members.map(({ address, family, weight }) => [address, family, weight])).toEqual([
      ['lb.example.net.', 'name', 1],
      ['web.example.org.', 'name', 2],
    ]);
  });

  it('are not both, nor twice', () => {
    expect(errors('{ members: [192.0.2.1, a.example.net.] }')).toEqual(['mixed-members 3:36']);
    expect(errors('{ members: [192.0.2.1, { address: 192.0.2.1 }] }')).toEqual(['duplicate-member 3:36']);
    expect(errors('{ members: ["2001:db8::1", "2001:db8:0::1"] }')).toEqual(['duplicate-member 3:40']);
    expect(errors('{ members: [a.example.net., A.example.net.] }')).toEqual(['duplicate-member 3:41']);
  });

  it('share a name only across families', () => {
    const two = (a: string, b: string) =>
      warningsOf(`${HEAD}pools: { p: { members: [{ address: ${a}, name: m }, { address: ${b}, name: m }] } }\n`);
    expect(two('192.0.2.1', '"2001:db8::1"')).toEqual(['unused-pool 3:10']);
    expect(two('192.0.2.1', '192.0.2.2')).toContain('shared-name 3:58');
  });

  it('must be there and right', () => {
    expect(errors('{}')).toEqual(['missing-key 3:10']);
    expect(errors('{ members: [] }')).toEqual(['no-values 3:24']);
    expect(errors('{ members: 192.0.2.1 }')).toEqual(['wrong-shape 3:24']);
    expect(errors('{ members: [192.0.2.256, 10.0, "1:2:3", 192.0.2.0/24, ""] }')).toEqual([
      'bad-address 3:25',
      'bad-address 3:38',
      'bad-address 3:44',
      'bad-address 3:53',
      'bad-address 3:67',
    ]);
    expect(errors('{ members: [{ weight: 1 }] }')).toEqual(['missing-key 3:25']);
    expect(errors('{ members: [{ address: 192.0.2.1, weigth: 2 }] }')).toEqual(['unknown-key 3:47']);
    for (const weight of ['-1', '65536']) {
      expect(errors(`{ members: [{ address: 192.0.2.1, weight: ${weight} }] }`)).toEqual(['out-of-range 3:55']);
    }
    for (const weight of ['01', '1.5', 'heavy', '0x10', '1_0']) {
      expect(errors(`{ members: [{ address: 192.0.2.1, weight: ${weight} }] }`)).toEqual(['bad-number 3:55']);
    }
    expect(errors('{ members: [{ address: 192.0.2.1, capacity: 0 }] }')).toEqual(['out-of-range 3:57']);
  });
});

describe('the other keys', () => {
  const m = 'members: [192.0.2.1]';

  it('have their defaults', () => {
    expect(pool(`{ ${m} }`)).toMatchObject({
      at: null,
      check: null,
      pick: 'weighted',
      minLive: { kind: 'count', count: 1 },
      bias: 1,
      shed: null,
    });
  });

  it('are read', () => {
    expect(
      pool(`{ ${m}, at: [-22.9, -43.2], pick: sticky, min-live: "50%", bias: 0.8, shed: [0.7, 0.95] }`),
    ).toMatchObject({
      at: [-22.9, -43.2],
      pick: 'sticky',
      minLive: { kind: 'percent', percent: 50 },
      bias: 0.8,
      shed: [0.7, 0.95],
    });
    expect(pool(`{ ${m}, min-live: 1, at: [90, -180] }`).at).toEqual([90, -180]);
  });

  it('are within bounds', () => {
    // The first key behind the members stands in 3:37, its value behind ": ".
    const one = (text: string) => errors(`{ ${m}, ${text} }`);
    expect(one('at: [90.1, 0]')).toEqual(['out-of-range 3:42']);
    expect(one('at: [0, 181]')).toEqual(['out-of-range 3:45']);
    expect(one('at: [1]')).toEqual(['wrong-shape 3:41']);
    expect(one('at: [1e1, 0]')).toEqual(['bad-number 3:42']);
    expect(one('at: moscow')).toEqual(['wrong-shape 3:41']);
    expect(one('pick: wieghted')).toEqual(['bad-choice 3:43']);
    expect(one('min-live: 0')).toEqual(['out-of-range 3:47']);
    for (const bad of ['"0%"', '"101%"', '"5.5%"', '"050%"'])
      expect(one(`min-live: ${bad}`)).toEqual(['bad-value 3:47']);
    expect(one('bias: 0')).toEqual(['out-of-range 3:43']);
    expect(one('bias: -1')).toEqual(['out-of-range 3:43']);
    expect(one('shed: [0.95, 0.7]')).toEqual(['out-of-range 3:43']);
    expect(one('shed: [0.5, 1.1]')).toEqual(['out-of-range 3:49']);
    expect(one('shed: 0.5')).toEqual(['wrong-shape 3:43']);
    expect(one('wieght: 3')).toEqual(['unknown-key 3:37']);
  });

  it('include names that targets can carry', () => {
    const named = (name: string) => errorsOf(`${HEAD}pools: { ${name}: { members: [192.0.2.1] } }\n`);
    expect([named('eu-west_1'), named('Paris.2')]).toEqual([[], []]);
    for (const bad of ['a/b', '"a b"', 'nodata', '""']) expect(named(bad), bad).toEqual(['bad-name 3:10']);
  });
});
