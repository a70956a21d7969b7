// Looking up the names of CNAME members: the hosts file, then DNS, each name by itself.
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode, encode, type Packet } from 'dns-packet';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../dist/base/clock.js';
import { Resolver } from '../../dist/probe/resolve.js';
import { systemLookup } from '../../dist/probe/system-names.js';
import { type Backend, udpBackend } from '../support/backends.ts';

const folder = mkdtempSync(join(tmpdir(), 'meridian-names-'));
afterAll(() => rmSync(folder, { recursive: true }));
const open: Backend[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const never = new AbortController().signal;
type Zone = Record<string, { A?: string[]; AAAA?: string[]; rcode?: number } | 'silent' | 'no AAAA'>;

/** A DNS server with these names; all others don't exist. Tells what it was asked for. */
async function server(zone: Zone) {
  const asked: string[] = [];
  const backend = await udpBackend((data, reply) => {
    const query = decode(data);
    const { name, type } = query.questions![0]!;
    asked.push(name);
    const known = zone[name];
    if (known === 'silent' || (known === 'no AAAA' && type === 'AAAA')) return;
    const records = known === 'no AAAA' ? { A: ['127.0.0.9'] } : known;
    const addresses = records?.[type as 'A' | 'AAAA'] ?? [];
    const answer: Packet = {
      type: 'response',
      id: query.id!,
      flags: records === undefined ? 3 : (records.rcode ?? 0),
      questions: query.questions!,
      answers: addresses.map((address) => ({ type: type as 'A', name, ttl: 1, data: address })),
    };
    reply(encode(answer));
  });
  open.push(backend);
  return { servers: [`127.0.0.1:${backend.port}`], asked };
}

const noHosts = join(folder, 'none');

describe('a name', () => {
  test('is asked for as it stands, never with a search domain behind it', async () => {
    const { servers, asked } = await server({ 'lb.example.net': { A: ['192.0.2.1'] } });
    const lookup = systemLookup({ clock: systemClock, hostsFile: noHosts, servers });
    expect(await lookup('lb.example.net', never)).toEqual(['192.0.2.1']);
    await expect(lookup('dead', never)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(new Set(asked)).toEqual(new Set(['lb.example.net', 'dead']));
  });

  test('has the addresses of both families in turns', async () => {
    const { servers } = await server({ both: { A: ['192.0.2.1', '192.0.2.2'], AAAA: ['2001:db8::1'] }, none: {} });
    const lookup = systemLookup({ clock: systemClock, hostsFile: noHosts, servers });
    expect(await lookup('both', never)).toEqual(['2001:db8::1', '192.0.2.1', '192.0.2.2']);
    await expect(lookup('none', never)).rejects.toMatchObject({ code: 'ENODATA' });
  });

  test('does not wait long for a family that never comes', async () => {
    const { servers } = await server({ half: 'no AAAA' });
    const lookup = systemLookup({ clock: systemClock, hostsFile: noHosts, servers });
    expect(await lookup('half', never)).toEqual(['127.0.0.9']);
  });

  test('that a server has trouble with is not gone', async () => {
    const { servers } = await server({ broken: { rcode: 2 } });
    const lookup = systemLookup({ clock: systemClock, hostsFile: noHosts, servers });
    await expect(lookup('broken', never)).rejects.toMatchObject({ code: 'ESERVFAIL' });
  });

  test('in the hosts file has the addresses from there, also after it changed', async () => {
    const { servers, asked } = await server({});
    const hostsFile = join(folder, 'hosts');
    writeFileSync(
      hostsFile,
      '# 192.0.2.9 lb\n127.0.0.1 localhost\n192.0.2.1  other LB.Example.Net # mine\n::1 lb.example.net\nbad line\n',
    );
    const lookup = systemLookup({ clock: systemClock, hostsFile, servers });
    expect(await lookup('lb.example.net', never)).toEqual(['192.0.2.1', '::1']);
    writeFileSync(hostsFile, '192.0.2.77 lb.example.net\n');
    utimesSync(hostsFile, 1, 1);
    expect(await lookup('lb.example.net', never)).toEqual(['192.0.2.77']);
    await expect(lookup('other', never)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(new Set(asked)).toEqual(new Set(['other']));
  });

  test('that is dead holds up no other', async () => {
    const dead = Array.from({ length: 40 }, (_, i) => `dead${i}`);
    const { servers } = await server({
      alive: { A: ['192.0.2.1'] },
      ...Object.fromEntries(dead.map((name) => [name, 'silent' as const])),
    });
    const resolver = new Resolver(systemClock, systemLookup({ clock: systemClock, hostsFile: noHosts, servers }));
    let ended = 0;
    const waiting = dead.map((name) => resolver.resolve(name, 100).catch(() => ended++));
    expect(await resolver.resolve('alive', 100)).toEqual(['192.0.2.1']);
    expect(ended).toBe(0);
    // The end of the program waits for none of them.
    resolver.stop();
    await Promise.all(waiting);
    expect(ended).toBe(40);
  });

  test('that no target has any more is looked up no longer', async () => {
    const { servers, asked } = await server({ dead: 'silent' });
    const resolver = new Resolver(systemClock, systemLookup({ clock: systemClock, hostsFile: noHosts, servers }));
    // Before its question is sent, and after.
    for (const sent of [false, true]) {
      const waiting = resolver.resolve('dead', 100);
      waiting.catch(() => {});
      if (sent) await expect.poll(() => asked.length).toBeGreaterThan(0);
      resolver.forget('dead');
      await expect(waiting).rejects.toMatchObject({ code: 'ECANCELLED' });
    }
  });
});
