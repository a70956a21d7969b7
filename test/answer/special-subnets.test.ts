// Client subnets in special-purpose space: they say nothing of where the client is, so the resolver's address decides.
import { describe, expect, it } from 'vitest';
import type { Reply } from '../support/dns.ts';
import { type Asked, Plane } from '../support/plane.ts';
import { scopeOf } from '../support/story.ts';

const PLACES = [
  ['77.88.8.0/21', { country: { iso_code: 'RU' } }],
  ['200.160.0.0/20', { country: { iso_code: 'BR' } }],
  // What a careless database says of everything.
  ['0.0.0.0/1', { country: { iso_code: 'AU' } }],
  ['2a02:6b8::/32', { country: { iso_code: 'RU' } }],
] as const;

const ZONE = `
version: meridian/v1
zone: example.test
ns: [ns1]
pools:
  moscow: { members: [192.0.2.1] }
  rio: { members: [192.0.2.2] }
  far: { members: [192.0.2.3] }
  office: { members: [192.0.2.4] }
  sticky: { pick: sticky, members: [192.0.2.11, 192.0.2.12, 192.0.2.13, 192.0.2.14, 192.0.2.15, 192.0.2.16] }
records:
  ns1: { A: 192.0.2.53 }
  www: { A: { regions: { RU: moscow, BR: rio, AU: far, default: far } } }
  work: { A: { regions: { "10.7.0.0/16": office, RU: moscow, default: far } } }
  same: { A: { regions: { RU: far, default: far } } }
  all: { A: { pools: [far] } }
  stuck: { A: { pools: [sticky] } }
  alias: { CNAME: www }
`;

const plane = new Plane([ZONE], { places: PLACES });
const MOSCOW = '77.88.8.8';
const RIO = '200.160.2.3';
const ask = (name: string, asked: Asked): Reply => plane.ask(`${name}.example.test.`, 'A', asked);
const got = (name: string, subnet: string, from: string): string | undefined =>
  ask(name, { subnet, from }).answers.at(-1)?.data;
const scope = (name: string, subnet: string, from = MOSCOW): number => scopeOf(ask(name, { subnet, from }))!;

/** What resolvers send for users at home, for themselves, and for those who opted out. */
const NOWHERE = [
  ['127.0.0.1/32', 8],
  ['127.0.0.0/24', 8],
  ['0.0.0.0/32', 8],
  ['10.1.2.0/24', 8],
  ['172.17.3.0/24', 12],
  ['192.168.1.0/24', 16],
  ['100.64.7.0/24', 10],
  ['169.254.3.0/24', 16],
  ['198.51.100.0/24', 24],
  ['224.1.1.0/24', 4],
  ['250.1.1.0/24', 4],
  ['fd12:3456:789a::/56', 7],
  ['fe80::/56', 10],
  ['2001:db8:1::/56', 32],
  ['::1/128', 128],
  ['::ffff:c0a8:100/120', 112],
] as const;

describe('a client subnet in special-purpose space', () => {
  it.each(NOWHERE)('%s is placed by the resolver, with scope /%i', (subnet, expected) => {
    expect(got('www', subnet, MOSCOW)).toBe('192.0.2.1');
    expect(got('www', subnet, RIO)).toBe('192.0.2.2');
    expect(got('alias', subnet, RIO)).toBe('192.0.2.2');
    expect(scope('www', subnet)).toBe(expected);
    expect(scope('alias', subnet)).toBe(expected);
  });

  it('comes back octet for octet', () => {
    const reply = ask('www', { subnet: '10.1.2.0/24', from: MOSCOW });
    expect([...reply.opt!.options[0]!.data]).toEqual([0, 1, 24, 8, 10, 1, 2]);
  });

  it('has scope 0 only where no client matters', () => {
    for (const name of ['same', 'all', 'ns1', 'nothing']) expect(scope(name, '10.1.2.0/24'), name).toBe(0);
  });

  it('says where the client is when the record set names its network, or part of it', () => {
    expect(got('work', '10.7.2.0/24', MOSCOW)).toBe('192.0.2.4');
    expect(scope('work', '10.7.2.0/24')).toBe(16);
    expect(got('work', '10.8.2.0/24', MOSCOW)).toBe('192.0.2.1');
    // 10.0.0.0/8 without 10.7.0.0/16: the part around 10.8.
    expect(scope('work', '10.8.2.0/24')).toBe(13);
  });

  it('is never shared by public clients of the same resolver', () => {
    // 11.0.0.0/8 and 126.0.0.0/8 are in one place with everything below 128, but for what has none.
    expect(got('www', '11.1.2.0/24', MOSCOW)).toBe('192.0.2.3');
    expect(scope('www', '11.1.2.0/24')).toBe(8);
    expect(scope('www', '126.1.2.0/24')).toBe(8);
    expect(scope('www', '192.169.0.0/24')).toBe(16);
  });

  it('lets a sticky pool stick to the resolver, not to what thousands of homes have in common', () => {
    const resolvers = Array.from({ length: 40 }, (_, i) => `45.${i}.1.1`);
    expect(new Set(resolvers.map((from) => got('stuck', '192.168.1.0/24', from))).size).toBeGreaterThan(3);
    for (const from of resolvers.slice(0, 5)) {
      expect(got('stuck', '192.168.1.0/24', from)).toBe(got('stuck', '10.9.9.0/24', from));
      expect(got('stuck', '192.168.1.0/24', from)).toBe(ask('stuck', { from }).answers[0]!.data);
    }
    expect(scope('stuck', '192.168.1.0/24')).toBe(24);
  });

  it('of a resolver that is nowhere either is a client that nobody knows', () => {
    expect(got('www', '192.168.1.0/24', '192.168.1.1')).toBe('192.0.2.3');
    expect(scope('www', '192.168.1.0/24', '192.168.1.1')).toBe(16);
  });
});

describe('special-purpose space', () => {
  it('has no place, whatever the database says', () => {
    expect(ask('www', { from: '10.1.2.3' }).answers[0]!.data).toBe('192.0.2.3');
    expect(ask('www', { from: '11.1.2.3' }).answers[0]!.data).toBe('192.0.2.3');
    const zone = ZONE.replace('AU: far, default: far', 'AU: far, default: nodata');
    const strict = new Plane([zone], { places: PLACES });
    expect(strict.ask('www.example.test.', 'A', { from: '11.1.2.3' }).answers).toHaveLength(1);
    expect(strict.ask('www.example.test.', 'A', { from: '10.1.2.3' }).answers).toHaveLength(0);
  });
});
