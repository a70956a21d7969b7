// Response rate limits and cookies as a client meets them (contract, settings).
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ask,
  ecs,
  OPTION,
  type Option,
  optionOf,
  parse,
  type QueryFields,
  query,
  type Reply,
  type Server,
} from '../support/dns.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { zoneFiles } from '../support/static-zone.ts';
import { EXAMPLE, OTHER } from './zones.ts';

const RATE = 10;

/** Sends `count` of them at once from one socket and waits for every answer, or until `marker` was answered behind them. */
async function flood(server: Server, count: number, fields: (i: number) => QueryFields): Promise<Reply[]> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 }).bind(0, '127.0.0.1');
  const replies: Reply[] = [];
  try {
    await once(socket, 'listening');
    const done = new Promise<void>((resolve) => {
      socket.on('message', (bytes) => {
        if (bytes.readUInt16BE(0) === 0xffff) resolve();
        else replies.push(parse(bytes));
      });
    });
    for (let i = 0; i < count; i++) socket.send(query({ ...fields(i), id: i }), server.port, server.host);
    // A name of its own for the marker: it is never limited. The kernel keeps the order of one socket.
    markers++;
    socket.send(
      query({ name: `marker${markers}.other.test.`, type: 'TXT', id: 0xffff, edns: { options: [trusted] } }),
      server.port,
      server.host,
    );
    await done;
  } finally {
    socket.close();
  }
  return replies;
}

let markers = 0;
let trusted: Option;
let server: RunningServer;
let dropping: RunningServer;
const settings = (slip: number, more: object = {}): Record<string, unknown> => ({
  'rate-limit': { 'responses-per-second': RATE, slip, ...more },
  workers: 1,
});
async function learnCookie(from: Server): Promise<Option> {
  const client = { code: OPTION.COOKIE, data: Buffer.from('0123456789abcdef', 'hex') };
  const reply = await ask(from, { name: 'www.other.test.', tcp: true, edns: { options: [client] } });
  return { code: OPTION.COOKIE, data: optionOf(reply, OPTION.COOKIE)! };
}

beforeAll(async () => {
  const files = { ...zoneFiles([EXAMPLE, OTHER]), 'state/cookie.key': `${'ab'.repeat(16)}\n` };
  server = await startServer({ files, settings: settings(1) });
  dropping = await startServer({ files, settings: settings(0) });
  trusted = await learnCookie(server);
});
afterAll(async () => {
  await server?.stop();
  await dropping?.stop();
});

const full = (replies: readonly Reply[]): number => replies.filter((r) => !r.tc).length;

/** A flood that is over within a second gets the burst, and what a slow machine's second adds. */
function expectLimited(replies: readonly Reply[], startedMs: number): void {
  const most = RATE + Math.ceil(((Date.now() - startedMs) / 1000) * RATE) + 1;
  expect(full(replies)).toBeGreaterThanOrEqual(RATE);
  expect(full(replies)).toBeLessThanOrEqual(most);
}

describe('response rate limiting', () => {
  it('truncates what is over the limit, and TCP is open', async () => {
    const started = Date.now();
    const replies = await flood(server, 300, () => ({ name: 'www.example.test.', edns: {} }));
    expect(replies).toHaveLength(300);
    expectLimited(replies, started);
    for (const r of replies.filter((reply) => reply.tc)) {
      expect(r).toMatchObject({ rcode: 'NOERROR', answers: [], authorities: [], additionals: [], opt: { version: 0 } });
    }
    expect((await ask(server, { name: 'www.example.test.', tcp: true })).answers).toHaveLength(2);
  });

  it('with slip 0 drops what is over the limit', async () => {
    const started = Date.now();
    const replies = await flood(dropping, 300, () => ({ name: 'www.example.test.' }));
    expect(replies.length).toBeLessThan(100);
    expectLimited(replies, started);
  });

  it('counts each answered name for itself; names below one wildcard together', async () => {
    const names = ['mail', 'ns1', 'upper', 'c1'];
    const replies = await flood(server, RATE * names.length, (i) => ({
      name: `${names[i % names.length]}.example.test.`,
    }));
    expect(full(replies)).toBe(RATE * names.length);
    const started = Date.now();
    expectLimited(await flood(server, 200, (i) => ({ name: `x${i}.wild.example.test.` })), started);
  });

  it('counts NXDOMAIN by zone, errors and refusals together, whatever the names', async () => {
    let started = Date.now();
    expectLimited(await flood(server, 200, (i) => ({ name: `missing${i}.example.test.` })), started);
    started = Date.now();
    const refused = await flood(server, 200, (i) => ({ name: `${i}.example.org.` }));
    expectLimited(refused, started);
    expect(refused.every((r) => r.rcode === 'REFUSED')).toBe(true);
    started = Date.now();
    expectLimited(
      await flood(server, 200, (i) => ({ name: `${i}.example.test.`, trailing: Buffer.from([1]) })),
      started,
    );
    started = Date.now();
    expectLimited(await flood(server, 200, (i) => ({ name: `${i}.example.test.`, opcode: 5 })), started);
  });

  it('counts the source of the packet, never its ECS', async () => {
    const started = Date.now();
    const replies = await flood(server, 200, (i) => ({
      name: 'host1.wild.example.test.',
      edns: { options: [ecs(`10.${i}.0.0/16`)] },
    }));
    expectLimited(replies, started);
  });

  it('does not touch clients with a valid cookie', async () => {
    const replies = await flood(server, 300, () => ({
      name: 'types.example.test.',
      type: 'PTR',
      edns: { options: [trusted] },
    }));
    expect(replies).toHaveLength(300);
    expect(full(replies)).toBe(300);
    const wrong = { code: OPTION.COOKIE, data: Buffer.concat([trusted.data.subarray(0, 16), Buffer.alloc(8, 1)]) };
    const started = Date.now();
    expectLimited(
      await flood(server, 300, () => ({ name: 'types.example.test.', type: 'PTR', edns: { options: [wrong] } })),
      started,
    );
  });

  it('leaves exempt networks alone, and can be switched off', async () => {
    const files = zoneFiles([EXAMPLE, OTHER]);
    for (const changed of [settings(1, { exempt: ['127.0.0.0/8'] }), { 'rate-limit': 'off' }]) {
      const free = await startServer({ files, settings: changed });
      try {
        expect(full(await flood(free, 300, () => ({ name: 'www.example.test.' })))).toBe(300);
      } finally {
        await free.stop();
      }
    }
  });
});

describe('the cookie secret', () => {
  it('is made at the first start, for the owner alone, and kept', async () => {
    const files = zoneFiles([EXAMPLE, OTHER]);
    const first = await startServer({ files });
    try {
      const file = join(first.directory, 'state', 'cookie.key');
      expect(readFileSync(file, 'utf8')).toMatch(/^[0-9a-f]{32}$/m);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    } finally {
      await first.stop();
    }
  });

  it('is shared by a fleet: a cookie of one server is good on another', async () => {
    const cookie = optionOf(
      await ask(dropping, { name: 'www.other.test.', edns: { options: [trusted] } }),
      OPTION.COOKIE,
    );
    expect(cookie).toEqual(Buffer.from(trusted.data));
  });
});
