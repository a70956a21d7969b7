// Which record sets are told to fail open: those whose clients are really sent to members that are down.
import { describe, expect, it } from 'vitest';
import { emptySets, failOpenSets } from '../../dist/targets/fail-open.js';
import { Plane, values } from '../support/plane.ts';

const ZONE = `
version: meridian/v1
zone: steer.test
ns: [ns1.example.org.]
pools:
  both: { at: [55, 37], members: [192.0.2.1, "2001:db8::1"] }
  four: { at: [40, -74], members: [192.0.2.2] }
records:
`;
const BOTH4 = 'steer.test/both/192.0.2.1';
const BOTH6 = 'steer.test/both/2001:db8::1';
const FOUR = 'steer.test/four/192.0.2.2';

/** A zone whose `home` is steered so, everybody down who isn't named. */
function plane(set: string, ...up: string[]): Plane {
  const made = new Plane([`${ZONE}  home: ${set}\n`]);
  const ids = made.zones[0]!.meta!.targets.map(({ id }) => id);
  made.down(...ids.filter((id) => !up.includes(id)));
  return made;
}

const failing = (made: Plane): string[] => failOpenSets(made.zones[0]!, made);
const emptied = (made: Plane): string[] => emptySets(made.zones[0]!, made);

describe('fail-open', () => {
  it('is told of each family that has nothing live', () => {
    expect(failing(plane('{ ADDR: { pools: [both, four] } }'))).toEqual(['steer.test home A', 'steer.test home AAAA']);
    expect(failing(plane('{ ADDR: { pools: [both, four] } }', FOUR, BOTH4))).toEqual([]);
  });

  it('is not told where a pool without the asked family is up and so the answer is NODATA', () => {
    expect(failing(plane('{ ADDR: { pools: [four, both] } }', FOUR))).toEqual([]);
  });

  it('is not told where a pool without the asked family is what would be answered: that is NODATA, not a member that is down', () => {
    const made = plane('{ ADDR: { pools: [four, both] } }');
    expect(values(made.ask('home.steer.test.', 'AAAA'), 'AAAA')).toEqual([]);
    expect(failing(made)).toEqual(['steer.test home A']);
    expect(made.count('failOpen')).toBe(0);
    made.ask('home.steer.test.', 'A');
    expect(made.count('failOpen')).toBe(1);
  });

  it('is told where such a pool is passed over, and the next has only members that are down', () => {
    const made = plane('{ ADDR: { pools: [four, both], on-missing-family: next } }', FOUR);
    expect(values(made.ask('home.steer.test.', 'AAAA'), 'AAAA')).toEqual(['2001:db8:0:0:0:0:0:1']);
    expect(failing(made)).toEqual(['steer.test home AAAA']);
  });

  it('is not told, and not counted, where operators took everybody out: that is NODATA', () => {
    const made = plane('{ A: { pools: [both, four] } }');
    made.force('down', BOTH4);
    expect([failing(made), emptied(made)]).toEqual([['steer.test home A'], []]);
    made.force('drain', FOUR);
    expect([failing(made), emptied(made)]).toEqual([[], ['steer.test home A']]);
    const reply = made.ask('home.steer.test.', 'A');
    expect([reply.rcode, reply.answers.length, made.count('failOpen')]).toEqual(['NOERROR', 0, 0]);
  });

  it('is not told where the set wants another answer when all is down', () => {
    expect(failing(plane('{ A: { pools: [both, four], when-all-down: servfail } }'))).toEqual([]);
  });

  it('is told where some clients have it: those of one region, those who are nearest to a pool', () => {
    const regions = plane('{ A: { regions: { RU: both, default: nodata } } }');
    expect(failing(regions)).toEqual(['steer.test home A']);
    expect(failing(plane('{ A: { regions: { RU: both, default: four } } }', FOUR))).toEqual([]);
    // The nearest of those in America has no IPv6.
    const near = plane('{ AAAA: { closest: [four, both] } }');
    expect(values(near.ask('home.steer.test.', 'AAAA', { subnet: '3.1.1.0/24' }), 'AAAA')).toEqual([]);
    expect(values(near.ask('home.steer.test.', 'AAAA', { subnet: '1.1.1.0/24' }), 'AAAA')).toHaveLength(1);
    expect(failing(near)).toEqual(['steer.test home AAAA']);
    near.force('down', BOTH6);
    expect(failing(near)).toEqual([]);
  });
});
