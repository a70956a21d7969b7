// Answers and their size: what gives way when an answer is larger than what the client takes.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ecs, OPTION, optionOf, parse, query, sendUdp } from '../support/dns.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { askFor, countries, dataOf } from '../support/story.ts';

const GEO = countries({ '1.0.0.0/8': 'RU' });
const members = (count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);
const list = (count: number, prefix: string): string =>
  `[${members(count, prefix)
    .map((a) => `"${a}"`)
    .join(', ')}]`;

const ZONE = `
zone: sizes.test
ns: [ns1.sizes.test., ns2.sizes.test.]
pools:
  forty:   { members: ${list(40, '10.0.0.')} }
  forty6:  { members: ${list(40, '2001:db8::')} }
  huge:    { members: ${list(900, '2001:db8:1::')} }
  ordered: { pick: ordered, members: ${list(40, '10.0.1.')} }
records:
  ns1: { A: 192.0.2.1 }
  ns2: { A: 192.0.2.2 }
  forty: { A: { pools: [forty] } }
  forty6: { AAAA: { pools: [forty6] } }
  huge: { AAAA: { pools: [huge] } }
  ordered: { A: { answers: 40, pools: [ordered] } }
  ten: { A: { answers: 10, pools: [forty] } }
  static: { A: ${list(40, '192.0.2.')} }
  static25: { A: ${list(25, '192.0.2.')} }
  toforty: { CNAME: forty }
  tostatic: { CNAME: static }
  mail: { MX: [${members(12, '')
    .map((i) => `"${i} mx${i}.a-mail-host"`)
    .join(', ')}] }
${members(12, '')
  .map((i) => `  mx${i}.a-mail-host: { A: 192.0.2.${i}, AAAA: "2001:db8::${i}" }`)
  .join('\n')}
  steeredmail: { MX: ["10 forty", "20 static25"] }
  child: { NS: [${members(8, '')
    .map((i) => `a-nameserver-${i}.with-a-long-name.child`)
    .join(', ')}] }
${members(8, '')
  .map((i) => `  a-nameserver-${i}.with-a-long-name.child: { A: 192.0.2.${i}, AAAA: "2001:db8::${i}" }`)
  .join('\n')}
  text: { TXT: ["${'x'.repeat(900)}"] }
  a-label-of-quite-some-length.and-another-one-that-is-long.and-one-more-to-make-it-so: { A: { pools: [forty] } }
  "*.wild": { A: { pools: [forty] } }
`;

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({
    files: { 'zones/sizes.test.yaml': ZONE, 'geoip/countries.mmdb': GEO },
    settings: { udp: { 'max-size': 4096, 'max-size-without-cookie': 4096 }, identity: { nsid: 'a-server-somewhere' } },
  });
});
afterAll(() => server?.stop());

describe('without EDNS', () => {
  test('a steered set of forty is cut to what fits into 512 bytes, with TC clear, and differs from answer to answer', async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 10; i++) {
      const reply = await askFor(server, 'forty.sizes.test', { udpSize: null });
      expect(reply.tc).toBe(false);
      expect(reply.bytes.length).toBeLessThanOrEqual(512);
      expect(reply.answers.length).toBe(Math.floor((512 - 12 - 22) / 16));
      expect(reply.opt).toBeNull();
      for (const data of dataOf(reply)) seen.add(data);
    }
    expect(seen.size).toBeGreaterThan(32);
  });

  test('over TCP all forty come', async () => {
    const reply = await askFor(server, 'forty.sizes.test', { udpSize: null, tcp: true });
    expect(dataOf(reply).length).toBe(40);
    expect((await askFor(server, 'ten.sizes.test', { udpSize: null, tcp: true })).answers.length).toBe(10);
  });

  test('an ordered pool keeps its order where it is cut', async () => {
    const reply = await askFor(server, 'ordered.sizes.test', { udpSize: null });
    expect(reply.answers.map((record) => record.data)).toEqual(members(29, '10.0.1.'));
  });

  test('a static set of forty is empty with TC, and whole over TCP', async () => {
    const reply = await askFor(server, 'static.sizes.test', { udpSize: null });
    expect([reply.tc, reply.answers.length, reply.authorities.length, reply.additionals.length]).toEqual([
      true,
      0,
      0,
      0,
    ]);
    const whole = await askFor(server, 'static.sizes.test', { udpSize: null, tcp: true });
    expect([whole.tc, dataOf(whole).length]).toEqual([false, 40]);
    expect((await askFor(server, 'static25.sizes.test', { udpSize: null })).answers.length).toBe(25);
  });

  test('a CNAME counts: a steered set behind it is cut, a static one truncates the answer', async () => {
    const steered = await askFor(server, 'toforty.sizes.test', { udpSize: null });
    expect([steered.tc, steered.answers[0]!.type]).toEqual([false, 'CNAME']);
    expect(dataOf(steered).length).toBeGreaterThan(25);
    expect((await askFor(server, 'tostatic.sizes.test', { udpSize: null })).tc).toBe(true);
  });

  test('the addresses of mail hosts give way, the MX records stay', async () => {
    const reply = await askFor(server, 'mail.sizes.test', { udpSize: null, type: 'MX' });
    expect([reply.tc, reply.answers.length]).toEqual([false, 12]);
    expect(reply.additionals.length).toBeLessThan(24);
    const whole = await askFor(server, 'mail.sizes.test', { udpSize: null, type: 'MX', tcp: true });
    expect(whole.additionals.length).toBe(24);
  });

  test('glue of a referral does not give way: TC, and whole over TCP', async () => {
    expect((await askFor(server, 'www.child.sizes.test', { udpSize: null })).tc).toBe(true);
    const whole = await askFor(server, 'www.child.sizes.test', { udpSize: null, tcp: true });
    expect([whole.tc, whole.authorities.length, whole.additionals.length]).toEqual([false, 8, 16]);
  });

  test('steered addresses never stand in the additional section', async () => {
    const reply = await askFor(server, 'steeredmail.sizes.test', { type: 'MX', tcp: true });
    expect(new Set(reply.additionals.map((record) => record.name))).toEqual(new Set(['static25.sizes.test.']));
  });
});

describe('with EDNS', () => {
  test('the size that the client names is filled, the subnet and the size of the OPT counted', async () => {
    const reply = await askFor(server, 'forty.sizes.test', { udpSize: 1232, subnet: '192.0.2.0/24' });
    expect([reply.tc, reply.answers.length]).toEqual([false, 40]);
    const small = await askFor(server, 'forty.sizes.test', { udpSize: 600, subnet: '192.0.2.0/24' });
    expect(small.answers.length).toBe(Math.floor((600 - 12 - 22 - 11 - 11) / 16));
  });

  test('a size below 512 counts as 512', async () => {
    const reply = await askFor(server, 'forty.sizes.test', { udpSize: 100 });
    expect(reply.answers.length).toBe(Math.floor((512 - 12 - 22 - 11) / 16));
  });

  test('NSID gives way before addresses do', async () => {
    // Forty addresses leave room for the name of the server in 800 bytes, but not in 700.
    for (const [udpSize, told] of [
      [800, true],
      [700, false],
    ] as const) {
      const options = [{ code: OPTION.NSID, data: Buffer.alloc(0) }];
      const reply = parse((await sendUdp(server, query({ name: 'forty.sizes.test', edns: { udpSize, options } })))!);
      expect([udpSize, reply.answers.length, optionOf(reply, OPTION.NSID) !== undefined]).toEqual([
        udpSize,
        told ? 40 : Math.min(40, Math.floor((udpSize - 12 - 22 - 11) / 16)),
        told || (udpSize - 12 - 22 - 11) % 16 >= 22,
      ]);
    }
  });

  test('never a byte more than the client takes, whatever is asked and whatever comes along', async () => {
    const names = [
      ...['forty', 'forty6', 'huge', 'ordered', 'static', 'static25', 'toforty', 'tostatic', 'mail', 'steeredmail'],
      ...[
        'www.child',
        'text',
        'nothing',
        'x.y.wild',
        '@',
        'a-label-of-quite-some-length.and-another-one-that-is-long.and-one-more-to-make-it-so',
      ],
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.constantFrom('A', 'AAAA', 'MX', 'NS', 'TXT', 'SOA', 'ANY'),
        fc.option(fc.integer({ min: 0, max: 4500 })),
        fc.constantFrom(null, '192.0.2.0/24', '2001:db8::/56', '0.0.0.0/0'),
        fc.boolean(),
        fc.boolean(),
        async (label, type, udpSize, subnet, nsid, cookie) => {
          const name = label === '@' ? 'sizes.test' : `${label}.sizes.test`;
          const options = [
            ...(subnet === null ? [] : [ecs(subnet)]),
            ...(nsid ? [{ code: OPTION.NSID, data: Buffer.alloc(0) }] : []),
            ...(cookie ? [{ code: OPTION.COOKIE, data: Buffer.from('0123456789abcdef', 'hex') }] : []),
          ];
          const edns = udpSize === null ? null : { udpSize, options };
          const bytes = await sendUdp(server, query({ name, type, edns }));
          const reply = parse(bytes!);
          expect(bytes!.length).toBeLessThanOrEqual(udpSize === null ? 512 : Math.min(4096, Math.max(512, udpSize)));
          const steered = ['forty', 'toforty', 'x.y.wild', 'a-label'].some((start) => label.startsWith(start));
          if (steered && type === 'A' && label !== 'forty6') {
            expect(reply.tc).toBe(false);
            expect(dataOf(reply).length).toBeGreaterThan(0);
          }
          if (reply.tc) expect(reply.answers).toEqual([]);
          if (label === 'static' && type === 'A') expect(dataOf(reply).length).toBe(reply.tc ? 0 : 40);
        },
      ),
      { numRuns: 600 },
    );
  });

  test('the smaller of both sides holds: 1232 unless the settings say more', async () => {
    const other = await startServer({ files: { 'zones/sizes.test.yaml': ZONE, 'geoip/countries.mmdb': GEO } });
    try {
      const reply = await askFor(other, 'huge.sizes.test', { udpSize: 4096, type: 'AAAA' });
      expect(reply.bytes.length).toBeLessThanOrEqual(1232);
      expect(reply.bytes.length).toBeGreaterThan(1232 - 28);
      expect(reply.opt?.udpSize).toBe(1232);
      expect((await askFor(other, 'static.sizes.test', { udpSize: 4096 })).answers.length).toBe(40);
      expect((await askFor(other, 'text.sizes.test', { udpSize: 900, type: 'TXT' })).tc).toBe(true);
    } finally {
      await other.stop();
    }
  });
});
