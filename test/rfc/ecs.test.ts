// The client subnet option, RFC 7871: what is refused, what decides, what comes back.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, ecs, OPTION, type Option, optionOf, type Reply } from '../support/dns.ts';
import { type RunningServer, startServer } from '../support/server.ts';

const ZONE = {
  version: 'meridian/v1',
  zone: 'geo.test',
  ttl: 60,
  ns: ['ns1.example.net.'],
  regions: {
    office: ['45.51.100.0/24', '2400:db8:1::/48'],
    lab: ['45.51.100.128/26'],
    home: ['127.0.0.0/8', '::1/128'],
  },
  pools: {
    office: { members: ['192.0.2.1', '2400:db8::1'] },
    lab: { members: ['192.0.2.2', '2400:db8::2'] },
    home: { members: ['192.0.2.3', '2400:db8::3'] },
    rest: { members: ['192.0.2.4', '2400:db8::4'] },
    sticky: { pick: 'sticky', members: ['192.0.2.5', '192.0.2.6', '192.0.2.7'] },
    names: { members: ['by-region.geo.test.'] },
  },
  records: {
    'by-region': { ADDR: { regions: { office: 'office', lab: 'lab', home: 'home', default: 'rest' } } },
    coarse: { A: { regions: { '45.0.0.0/8': 'office', default: 'rest' } } },
    everyone: { A: { pools: ['rest'] } },
    stuck: { A: { pools: ['sticky'] } },
    nowhere: { A: { regions: { office: 'office', default: 'nodata' } } },
    static: { A: '192.0.2.9', MX: '10 by-region' },
    alias: { CNAME: 'by-region' },
    'alias-of-coarse': { CNAME: 'coarse' },
    chosen: { CNAME: { pools: ['names'] } },
    'to-static': { CNAME: 'static' },
    sub: { NS: ['ns.example.net.'] },
  },
};

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ files: { 'zones/geo.test.yaml': ZONE } });
});
afterAll(() => server?.stop());

const at = (name: string, options: Option[], type = 'A'): Promise<Reply> =>
  ask(server, { name: `${name}.geo.test.`, type, edns: { options } });
const addresses = (reply: Reply): string[] =>
  reply.answers.filter((r) => r.type === 'A' || r.type === 'AAAA').map((r) => r.data);
const scope = (reply: Reply): number => optionOf(reply, OPTION.ECS)![3]!;

describe('a subnet that is not right is FORMERR', () => {
  it.each([
    ['scope not 0', ecs('45.51.100.0/24', { scope: 24 })],
    ['an unknown family', ecs('45.51.100.0/24', { family: 3 })],
    ['family 0 with a prefix', ecs('45.51.100.0/24', { family: 0 })],
    ['an IPv4 prefix over 32', ecs('45.51.100.0/33')],
    ['an IPv6 prefix over 128', ecs('2400:db8::/129')],
    ['an IPv6 prefix under family 1', ecs('2400:db8::/56', { family: 1 })],
    ['fewer octets than the prefix needs', ecs('45.51.100.0/24', { octets: 2 })],
    ['more octets than the prefix needs', ecs('45.51.100.0/24', { octets: 4 })],
    ['octets for a prefix of 0', ecs('45.51.100.0/0', { octets: 1 })],
    ['bits set past the prefix', ecs('45.51.100.1/31')],
    ['bits set past the prefix, IPv6', ecs('2400:db8:0:ff::/57')],
    ['3 octets in all', { code: OPTION.ECS, data: Buffer.from([0, 1, 0]) }],
    ['nothing at all', { code: OPTION.ECS, data: Buffer.alloc(0) }],
  ])('%s', async (_, option) => {
    const reply = await at('by-region', [option]);
    expect(reply).toMatchObject({ rcode: 'FORMERR', answers: [], authorities: [] });
    expect(optionOf(reply, OPTION.ECS)).toBeUndefined();
    expect(reply.opt).not.toBeNull();
  });
});

describe('which client decides', () => {
  it.each([
    ['45.51.100.7/32', '192.0.2.1'],
    ['45.51.100.0/24', '192.0.2.1'],
    ['45.51.100.130/32', '192.0.2.2'],
    ['45.51.101.0/24', '192.0.2.4'],
    ['2400:db8:1:2::/64', '192.0.2.1'],
    ['2400:db8:2::/48', '192.0.2.4'],
  ])('%s: the subnet, not the resolver', async (subnet, expected) => {
    expect(addresses(await at('by-region', [ecs(subnet)]))).toEqual([expected]);
  });

  it('a subnet that is shorter than a region is placed by its first address', async () => {
    expect(addresses(await at('by-region', [ecs('45.51.96.0/19')]))).toEqual(['192.0.2.4']);
    expect(addresses(await at('by-region', [ecs('45.51.100.0/22')]))).toEqual(['192.0.2.1']);
  });

  it('without a subnet the resolver, over UDP and TCP, IPv4 and IPv6', async () => {
    for (const to of [server, server.v6]) {
      for (const tcp of [false, true]) {
        const reply = await ask(to, { name: 'by-region.geo.test.', edns: {}, tcp });
        expect(addresses(reply)).toEqual(['192.0.2.3']);
        expect(optionOf(reply, OPTION.ECS)).toBeUndefined();
      }
    }
  });

  it.each([
    ['IPv4 source /0', ecs('0.0.0.0/0')],
    ['IPv6 source /0', ecs('::/0')],
    ['family 0', { code: OPTION.ECS, data: Buffer.from([0, 0, 0, 0]) }],
  ])('with %s the resolver, and scope 0', async (_, option) => {
    const reply = await at('by-region', [option]);
    expect(addresses(reply)).toEqual(['192.0.2.3']);
    expect(optionOf(reply, OPTION.ECS)).toEqual(option.data);
  });

  it('a subnet decides for AAAA too, whatever its family', async () => {
    expect(addresses(await at('by-region', [ecs('45.51.100.7/32')], 'AAAA'))).toEqual(['2400:db8:0:0:0:0:0:1']);
  });

  it('IPv4 inside IPv6 is placed as IPv4', async () => {
    for (const subnet of ['::ffff:2d33:6407/128', '64:ff9b::2d33:6407/128', '2002:2d33:6407::/48']) {
      expect(addresses(await at('by-region', [ecs(subnet)]))).toEqual(['192.0.2.1']);
    }
  });
});

describe('what comes back', () => {
  it('is family, source and address as they came', async () => {
    for (const subnet of [
      '45.51.100.7/32',
      '11.0.0.0/8',
      '45.51.100.128/25',
      '192.0.0.0/3',
      '2400:db8:1::/48',
      '2000::/3',
      '2400:db8::1/128',
    ]) {
      for (const name of ['by-region', 'static', 'missing', 'nowhere', 'sub']) {
        const option = ecs(subnet);
        const got = optionOf(await at(name, [option]), OPTION.ECS)!;
        expect([...got.subarray(0, 3), ...got.subarray(4)]).toEqual([
          ...option.data.subarray(0, 3),
          ...option.data.subarray(4),
        ]);
      }
    }
  });

  it('is nothing where nothing was asked', async () => {
    expect(optionOf(await at('by-region', []), OPTION.ECS)).toBeUndefined();
  });

  it('is the first of two subnets', async () => {
    const reply = await at('by-region', [ecs('45.51.100.7/32'), ecs('11.0.0.1/32')]);
    expect(addresses(reply)).toEqual(['192.0.2.1']);
    expect(optionOf(reply, OPTION.ECS)!.toString('hex')).toMatch(/^000120..2d336407$/);
  });

  it('is the one of two that opts out, wherever it stands: the resolver decides then', async () => {
    for (const options of [
      [ecs('45.51.100.7/32'), ecs('0.0.0.0/0')],
      [ecs('0.0.0.0/0'), ecs('45.51.100.7/32')],
    ]) {
      const reply = await at('by-region', options);
      expect(reply.rcode).toBe('NOERROR');
      expect(addresses(reply)).toEqual(['192.0.2.3']);
      expect(
        reply
          .opt!.options.filter(({ code }) => code === OPTION.ECS)
          .map(({ data }) => Buffer.from(data).toString('hex')),
      ).toEqual(['00010000']);
    }
  });

  it('stands in every answer, errors too', async () => {
    const option = ecs('45.51.100.0/24');
    const broken = { code: OPTION.COOKIE, data: Buffer.alloc(3) };
    const replies = [
      await at('missing', [option]),
      await at('by-region', [option], 'TXT'),
      await ask(server, { name: 'example.org.', edns: { options: [option] } }),
      await at('by-region', [option], 'ANY'),
      await at('by-region', [option, broken]),
    ];
    expect(replies.map(({ rcode }) => rcode)).toEqual(['NXDOMAIN', 'NOERROR', 'REFUSED', 'NOERROR', 'FORMERR']);
    for (const reply of replies) {
      const got = optionOf(reply, OPTION.ECS)!;
      expect([...got.subarray(0, 3), ...got.subarray(4)]).toEqual([0, 1, 24, 45, 51, 100]);
    }
  });
});

describe('the scope', () => {
  it.each([
    // office: /24 with lab's /26 cut out of its upper half.
    ['45.51.100.7/32', 25],
    ['45.51.100.0/24', 25],
    ['45.51.100.130/32', 26],
    ['45.51.100.200/32', 26],
    ['45.51.101.0/24', 24],
    ['45.51.102.0/24', 23],
    ['44.128.0.0/24', 8],
    ['2400:db8:1:2::/64', 48],
    ['2400:db8:0:2::/64', 48],
  ])('%s gets /%i: the shortest network in which every client has the same pools', async (subnet, expected) => {
    expect(scope(await at('by-region', [ecs(subnet)]))).toBe(expected);
  });

  it('is never longer than it must be: networks of a country far from any rule share', async () => {
    expect(scope(await at('coarse', [ecs('45.51.100.7/32')]))).toBe(8);
    expect(scope(await at('coarse', [ecs('150.1.2.3/32')]))).toBe(3);
    expect(scope(await at('coarse', [ecs('44.1.2.3/32')]))).toBe(8);
  });

  it('is 0 where the client does not matter', async () => {
    for (const [name, type] of [
      ['everyone', 'A'],
      ['static', 'A'],
      ['static', 'MX'],
      ['to-static', 'A'],
      ['alias', 'CNAME'],
      ['missing', 'A'],
      ['by-region', 'TXT'],
      ['by-region', 'ANY'],
      ['x.sub', 'A'],
    ] as const) {
      const reply = await at(name, [ecs('45.51.100.7/32')], type);
      expect(`${name} ${type} ${scope(reply)}`).toBe(`${name} ${type} 0`);
    }
    const refused = await ask(server, { name: 'example.org.', edns: { options: [ecs('45.51.100.7/32')] } });
    expect(refused.rcode).toBe('REFUSED');
    expect(scope(refused)).toBe(0);
  });

  it('of a CNAME chain is the longest of its links', async () => {
    expect(scope(await at('alias', [ecs('45.51.100.7/32')]))).toBe(25);
    expect(scope(await at('chosen', [ecs('45.51.100.7/32')]))).toBe(25);
    expect(scope(await at('alias-of-coarse', [ecs('45.51.100.7/32')]))).toBe(8);
  });

  it('of NODATA from steering is true too, and its SOA is short-lived', async () => {
    const reply = await at('nowhere', [ecs('45.51.101.7/32')]);
    expect(reply).toMatchObject({ rcode: 'NOERROR', aa: true, answers: [] });
    expect(scope(reply)).toBe(24);
    expect(reply.authorities[0]!.ttl).toBeLessThanOrEqual(30);
  });

  it('of a sticky pool is /24 or /56', async () => {
    const four = await at('stuck', [ecs('45.51.100.7/32')]);
    expect(scope(four)).toBe(24);
    expect(scope(await at('stuck', [ecs('2400:db8:5:4321::/64')]))).toBe(56);
    expect(addresses(await at('stuck', [ecs('45.51.100.0/24')]))).toEqual(addresses(four));
  });

  it('is the same over TCP', async () => {
    const reply = await ask(server, {
      name: 'by-region.geo.test.',
      edns: { options: [ecs('45.51.100.7/32')] },
      tcp: true,
    });
    expect(scope(reply)).toBe(25);
  });

  it('steered addresses never stand in the additional section', async () => {
    const reply = await at('static', [], 'MX');
    expect(reply.answers).toHaveLength(1);
    expect(reply.additionals).toEqual([]);
  });
});
