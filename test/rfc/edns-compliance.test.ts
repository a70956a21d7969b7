// The EDNS compliance tests of DNS flag day 2019 and 2020, each by its name, and what else RFC 6891 asks for.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, type EdnsFields, OPTION, type Option, optionOf, type Reply } from '../support/dns.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { asZoneFile, type StaticZone, zoneFiles } from '../support/static-zone.ts';
import { EXAMPLE } from './zones.ts';

/** A zone with static sets of many sizes, one steered set that can be cut, and a referral with much glue. */
const SIZES: StaticZone = {
  zone: 'sizes.test.',
  ns: ['ns1.example.test.'],
  records: [
    ...Array.from({ length: 40 }, (_, i) => [`static`, 'A', `192.0.2.${i + 1}`] as const),
    ...Array.from({ length: 100 }, (_, i) => [`large`, 'A', `198.51.100.${i + 1}`] as const),
    ...Array.from(
      { length: 13 },
      (_, i) => ['cut', 'NS', `a-rather-long-name-for-a-server-${i}.cut.sizes.test.`] as const,
    ),
    ...Array.from(
      { length: 13 },
      (_, i) => [`a-rather-long-name-for-a-server-${i}.cut`, 'AAAA', `2001:db8::${i + 1}`] as const,
    ),
    ['mx', 'MX', '10 static.sizes.test.'],
  ],
};

const POOL = Array.from({ length: 100 }, (_, i) => `203.0.113.${i + 1}`);

let server: RunningServer;
let small: RunningServer;
beforeAll(async () => {
  const sizes = asZoneFile(SIZES) as { records: Record<string, object>; pools?: object };
  const files = {
    ...zoneFiles([EXAMPLE]),
    'zones/sizes.test.yaml': {
      ...sizes,
      pools: { all: { members: POOL } },
      records: { ...sizes.records, steered: { A: { ttl: 60, pools: ['all'] } } },
    },
  };
  const identity = { nsid: 'node-7', version: 'a name server', hostname: 'ns1.example.test' };
  server = await startServer({ files, settings: { identity } });
  small = await startServer({ files, settings: { udp: { 'max-size': 4096, 'max-size-without-cookie': 512 } } });
});
afterAll(async () => {
  await server?.stop();
  await small?.stop();
});

const soa = (edns: EdnsFields | null, tcp = false): Promise<Reply> =>
  ask(server, { name: 'example.test.', type: 'SOA', edns, tcp });
const isSoa = { rcode: 'NOERROR', aa: true, tc: false, answers: [{ name: 'example.test.', type: 'SOA' }] };
const codes = (reply: Reply): number[] => (reply.opt?.options ?? []).map((o) => o.code);
const UNKNOWN: Option = { code: 100, data: Buffer.from('unknown') };

describe('DNS flag day', () => {
  it('dns: plain DNS is answered without an OPT', async () => {
    const reply = await soa(null);
    expect(reply).toMatchObject({ ...isSoa, opt: null });
  });

  it('edns: EDNS 0 is answered with an OPT of version 0', async () => {
    const reply = await soa({});
    expect(reply).toMatchObject({ ...isSoa, opt: { version: 0, flags: 0, options: [] } });
    expect(reply.opt!.udpSize).toBe(1232);
  });

  it('edns1: EDNS 1 is BADVERS, with version 0 and no answer', async () => {
    expect(await soa({ version: 1 })).toMatchObject({
      rcode: 'BADVERS',
      answers: [],
      authorities: [],
      opt: { version: 0, options: [] },
    });
  });

  it('ednsopt: an unknown option is ignored and not echoed', async () => {
    expect(await soa({ options: [UNKNOWN] })).toMatchObject({ ...isSoa, opt: { version: 0, options: [] } });
  });

  it('edns1opt: EDNS 1 with an unknown option is BADVERS, the option is not echoed', async () => {
    expect(await soa({ version: 1, options: [UNKNOWN] })).toMatchObject({
      rcode: 'BADVERS',
      answers: [],
      opt: { version: 0, options: [] },
    });
  });

  it('ednsflags: an unknown flag is ignored and not echoed', async () => {
    for (const flags of [0x0080, 0x4000, 0x0001, 0x7fff]) {
      expect(await soa({ flags })).toMatchObject({ ...isSoa, opt: { version: 0, flags: 0 } });
    }
  });

  it('edns1flags: EDNS 1 with an unknown flag is BADVERS without the flag', async () => {
    expect(await soa({ version: 1, flags: 0x80 })).toMatchObject({ rcode: 'BADVERS', opt: { version: 0, flags: 0 } });
  });

  it('do: DO is echoed', async () => {
    expect(await soa({ flags: 0x8000 })).toMatchObject({ ...isSoa, opt: { version: 0, flags: 0x8000 } });
  });

  it('subnet: ECS is echoed, with scope 0 for static data', async () => {
    const option = { code: OPTION.ECS, data: Buffer.from('00011800c00002', 'hex') };
    const reply = await soa({ options: [option] });
    expect(reply).toMatchObject(isSoa);
    expect(optionOf(reply, OPTION.ECS)).toEqual(option.data);
  });

  it('cookie: a client cookie comes back with a server cookie', async () => {
    const client = Buffer.from('0123456789abcdef', 'hex');
    const reply = await soa({ options: [{ code: OPTION.COOKIE, data: client }] });
    expect(reply).toMatchObject(isSoa);
    const cookie = optionOf(reply, OPTION.COOKIE)!;
    expect(cookie).toHaveLength(24);
    expect(cookie.subarray(0, 8)).toEqual(client);
    expect(cookie[8]).toBe(1);
    // And is recognised: it comes back as it is.
    const again = await soa({ options: [{ code: OPTION.COOKIE, data: cookie }] });
    expect(optionOf(again, OPTION.COOKIE)).toEqual(cookie);
  });

  it('cookie: a wrong server cookie is answered like none', async () => {
    const wrong = Buffer.from('0123456789abcdef010000000000000000000000deadbeef', 'hex');
    const reply = await soa({ options: [{ code: OPTION.COOKIE, data: wrong }] });
    expect(reply).toMatchObject(isSoa);
    expect(optionOf(reply, OPTION.COOKIE)!.subarray(8)).not.toEqual(wrong.subarray(8));
  });

  it('edns@512: a client that takes 512 bytes gets no more', async () => {
    const reply = await ask(server, { name: 'static.sizes.test.', edns: { udpSize: 512, flags: 0x8000 } });
    expect(reply.bytes.length).toBeLessThanOrEqual(512);
    expect(reply).toMatchObject({ tc: true, answers: [], opt: { version: 0 } });
  });

  it('ednstcp: EDNS over TCP', async () => {
    expect(await soa({ udpSize: 512, flags: 0x8000 }, true)).toMatchObject({
      ...isSoa,
      opt: { version: 0, flags: 0x8000 },
    });
    const large = await ask(server, { name: 'large.sizes.test.', edns: { udpSize: 512 }, tcp: true });
    expect(large).toMatchObject({ tc: false, rcode: 'NOERROR' });
    expect(large.answers).toHaveLength(100);
  });

  it('optlist: NSID, ECS /0, EXPIRE and COOKIE together', async () => {
    const reply = await soa({
      options: [
        { code: OPTION.NSID, data: Buffer.alloc(0) },
        { code: OPTION.ECS, data: Buffer.from('00010000', 'hex') },
        { code: 9, data: Buffer.alloc(0) },
        { code: OPTION.COOKIE, data: Buffer.alloc(8, 5) },
      ],
    });
    expect(reply).toMatchObject(isSoa);
    expect(codes(reply).sort((a, b) => a - b)).toEqual([OPTION.NSID, OPTION.ECS, OPTION.COOKIE]);
    expect(optionOf(reply, OPTION.NSID)!.toString()).toBe('node-7');
    expect(optionOf(reply, OPTION.ECS)).toEqual(Buffer.from('00010000', 'hex'));
  });
});

describe('every kind of answer has an OPT where the query has one', () => {
  it.each([
    ['NXDOMAIN', 'missing.example.test.', 'A'],
    ['REFUSED', 'example.org.', 'A'],
    ['referral', 'x.sub.example.test.', 'A'],
    ['ANY', 'example.test.', 'ANY'],
    ['CHAOS', 'version.bind.', 'TXT'],
  ])('%s', async (_, name, type) => {
    const fields = { name, type, class: name.endsWith('.bind.') ? 3 : 1 };
    expect((await ask(server, { ...fields, edns: { flags: 0x8000 } })).opt).toMatchObject({
      version: 0,
      flags: 0x8000,
    });
    expect((await ask(server, fields)).opt).toBeNull();
  });
});

describe('sizes', () => {
  it('without EDNS, UDP has 512 bytes; static sets that do not fit are truncated to nothing', async () => {
    const reply = await ask(server, { name: 'static.sizes.test.' });
    expect(reply).toMatchObject({ tc: true, answers: [], authorities: [], additionals: [] });
  });

  it('the smaller of both sizes holds, to the byte', async () => {
    // 12 header, 23 question, 16 for each address, 11 OPT: 40 addresses are 686.
    for (const [udpSize, tc] of [
      [686, false],
      [685, true],
      [4096, false],
    ] as const) {
      const reply = await ask(server, { name: 'static.sizes.test.', edns: { udpSize } });
      expect(reply.tc).toBe(tc);
      expect(reply.answers).toHaveLength(tc ? 0 : 40);
      if (!tc) expect(reply.bytes.length).toBe(686);
    }
    // 100 addresses are more than our own 1232.
    expect(await ask(server, { name: 'large.sizes.test.', edns: { udpSize: 4096 } })).toMatchObject({ tc: true });
  });

  it('a size below 512 counts as 512', async () => {
    for (const udpSize of [0, 1, 100, 511]) {
      const reply = await ask(server, { name: 'example.test.', type: 'NS', edns: { udpSize } });
      expect(reply).toMatchObject({ tc: false, rcode: 'NOERROR' });
    }
  });

  it('steered sets are cut to what fits, without TC', async () => {
    for (const [edns, limit] of [
      [null, 512],
      [{ udpSize: 512 }, 512],
      [{ udpSize: 800 }, 800],
      [{ udpSize: 4096 }, 1232],
    ] as const) {
      const reply = await ask(server, { name: 'steered.sizes.test.', edns });
      expect(reply.tc).toBe(false);
      expect(reply.bytes.length).toBeLessThanOrEqual(limit);
      expect(reply.bytes.length).toBeGreaterThan(limit - 16);
      expect(reply.answers.every((r) => POOL.includes(r.data))).toBe(true);
      expect(new Set(reply.answers.map((r) => r.data)).size).toBe(reply.answers.length);
    }
    expect((await ask(server, { name: 'steered.sizes.test.', tcp: true })).answers).toHaveLength(100);
  });

  it('additional addresses give way without TC; NSID and extended errors after them', async () => {
    const options = [{ code: OPTION.NSID, data: Buffer.alloc(0) }];
    const reply = await ask(server, { name: 'mx.sizes.test.', type: 'MX', edns: { udpSize: 512, options } });
    expect(reply).toMatchObject({ tc: false, additionals: [] });
    expect(reply.answers).toHaveLength(1);
    expect(optionOf(reply, OPTION.NSID)).toBeDefined();
    const roomy = await ask(server, { name: 'mx.sizes.test.', type: 'MX', edns: { udpSize: 1232, options } });
    expect(roomy.additionals).toHaveLength(40);
  });

  it('in-zone glue that does not fit sets TC (RFC 9471), and is whole over TCP', async () => {
    expect(await ask(server, { name: 'x.cut.sizes.test.', edns: { udpSize: 512 } })).toMatchObject({ tc: true });
    const whole = await ask(server, { name: 'x.cut.sizes.test.', tcp: true });
    expect(whole).toMatchObject({ tc: false, aa: false });
    expect(whole.additionals).toHaveLength(13);
  });

  it('without a valid cookie, udp.max-size-without-cookie holds; with one, udp.max-size', async () => {
    const large = (options: Option[]): Promise<Reply> =>
      ask(small, { name: 'large.sizes.test.', edns: { udpSize: 4096, options } });
    const client = { code: OPTION.COOKIE, data: Buffer.alloc(8, 9) };
    expect(await large([])).toMatchObject({ tc: true });
    const first = await large([client]);
    expect(first).toMatchObject({ tc: true });
    const cookie = { code: OPTION.COOKIE, data: optionOf(first, OPTION.COOKIE)! };
    const trusted = await large([cookie]);
    expect(trusted.tc).toBe(false);
    expect(trusted.answers).toHaveLength(100);
    const steered = await ask(small, { name: 'steered.sizes.test.', edns: { udpSize: 4096 } });
    expect(steered.tc).toBe(false);
    expect(steered.bytes.length).toBeLessThanOrEqual(512);
  });
});

describe('options over TCP', () => {
  it('keepalive tells the idle timeout, over TCP alone (RFC 7828)', async () => {
    const options = [{ code: OPTION.KEEPALIVE, data: Buffer.alloc(0) }];
    expect(optionOf(await soa({ options }, true), OPTION.KEEPALIVE)!.readUInt16BE()).toBe(100);
    expect(optionOf(await soa({ options }), OPTION.KEEPALIVE)).toBeUndefined();
  });

  it('padding fills up to 468 octets, over TCP alone (RFC 8467)', async () => {
    const options = [{ code: OPTION.PADDING, data: Buffer.alloc(20) }];
    const reply = await soa({ options }, true);
    expect(reply.bytes.length % 468).toBe(0);
    expect([...optionOf(reply, OPTION.PADDING)!].every((octet) => octet === 0)).toBe(true);
    expect(optionOf(await soa({ options }), OPTION.PADDING)).toBeUndefined();
  });
});

describe('CHAOS (RFC 4892)', () => {
  const chaos = (name: string, type = 'TXT'): Promise<Reply> => ask(server, { name, type, class: 3 });

  it('tells version and hostname as the settings say', async () => {
    for (const [name, text] of [
      ['version.bind.', 'a name server'],
      ['VERSION.server.', 'a name server'],
      ['hostname.bind.', 'ns1.example.test'],
      ['id.server.', 'ns1.example.test'],
    ] as const) {
      const reply = await chaos(name);
      expect(reply.rcode).toBe('NOERROR');
      expect(reply.answers).toMatchObject([{ type: 'TXT', class: 3, ttl: 0, data: `"${text}"` }]);
    }
  });

  it('refuses everything else', async () => {
    expect((await chaos('authors.bind.')).rcode).toBe('REFUSED');
    expect((await chaos('example.test.')).rcode).toBe('REFUSED');
    expect((await chaos('version.bind.', 'A')).rcode).toBe('REFUSED');
    const silent = await ask(small, { name: 'version.bind.', type: 'TXT', class: 3 });
    expect(silent.rcode).toBe('REFUSED');
  });

  it('an error has an OPT where the request had one, whatever is wrong with it (RFC 6891 7)', async () => {
    for (const opcode of [1, 2, 4, 5, 6]) {
      const reply = await ask(server, { name: 'edns.test.', opcode, edns: {} });
      expect(reply, `opcode ${opcode}`).toMatchObject({ rcode: 'NOTIMP', opt: { version: 0 } });
    }
    for (const opcode of [0, 4, 5])
      expect((await ask(server, { name: 'edns.test.', opcode, edns: null })).opt).toBeNull();
  });
});
