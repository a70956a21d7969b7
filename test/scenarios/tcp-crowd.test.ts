// Ten thousand idle TCP connections, clients that never read and clients that drip, all at once: others don't notice.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { query, sendTcp, sendUdp } from '../support/dns.ts';
import { HANGS_MS } from '../support/patience.ts';
import { lacking } from '../support/programs.ts';
import { type RunningServer, startServer } from '../support/server.ts';

/** The program's default limits: these many connections, and from each network. */
const MOST = 10_000;
const FROM_EACH = 100;
const DEAF = 50;
const DRIPPING = 50;

/** Descriptors that a process may have here: the program and this one need as many as there are connections. */
function mostDescriptors(): number {
  return Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0);
}
const able =
  process.platform === 'linux' &&
  (mostDescriptors() >= MOST + 1000 || lacking(`${MOST + 1000} open files (ulimit -Hn)`));

const frame = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);

describe.skipIf(!able)('a crowd of TCP clients', () => {
  let server: RunningServer;
  const sockets: Socket[] = [];
  let drip: NodeJS.Timeout;

  beforeAll(async () => {
    const large = Array.from({ length: 3000 }, (_, i) => `198.18.${i >> 8}.${i & 255}`);
    server = await startServer({
      files: {
        'zones/net.cat.yaml': {
          zone: 'net.cat',
          ns: ['ns.example.'],
          records: { www: { A: '192.0.2.1' }, large: { A: large } },
        },
      },
      // Nobody is to leave while this looks; all other limits are the defaults.
      settings: { tcp: { 'idle-timeout': '5m' } },
    });
  });
  afterAll(async () => {
    clearInterval(drip);
    for (const socket of sockets) socket.destroy();
    await server?.stop();
  });

  const residentBytes = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]) * 1024;

  async function figure(name: string): Promise<number> {
    const text = await (await fetch(`${server.admin}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  }

  async function open(network: number): Promise<Socket> {
    const { host, port } = server;
    const socket = connect({ host, port, localAddress: `127.1.${network}.1`, noDelay: true });
    socket.on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  /** Asks a hundred times over each transport; the slowest answer. */
  async function slowestMs(): Promise<number> {
    let slowest = 0;
    for (let i = 0; i < 100; i++) {
      for (const send of [sendUdp, sendTcp]) {
        const startMs = performance.now();
        const answer = await send(server, query({ name: 'www.net.cat.' }), HANGS_MS);
        expect(answer?.subarray(-4)).toEqual(Buffer.from([192, 0, 2, 1]));
        slowest = Math.max(slowest, performance.now() - startMs);
      }
    }
    return slowest;
  }

  it('leaves others their answers', async () => {
    await slowestMs();
    const before = residentBytes();
    // The last network's connections are for those who ask.
    const networks = MOST / FROM_EACH - 1;
    const crowd: Socket[] = [];
    for (let network = 0; network < networks; network += 3) {
      const some = [network, network + 1, network + 2].filter((n) => n < networks);
      crowd.push(...(await Promise.all(some.flatMap((n) => Array.from({ length: FROM_EACH }, () => open(n))))));
    }
    expect(crowd).toHaveLength(MOST - FROM_EACH);

    // Megabytes of answers each that nobody fetches.
    const flood = Buffer.concat(Array.from({ length: 100 }, (_, id) => frame(query({ id, name: 'large.net.cat.' }))));
    for (const socket of crowd.slice(0, DEAF)) {
      socket.pause();
      socket.write(flood);
    }
    // Requests that never end.
    const slow = frame(query({ name: 'www.net.cat.', edns: { options: [{ code: 65001, data: Buffer.alloc(3000) }] } }));
    let octet = 0;
    drip = setInterval(() => {
      for (const socket of crowd.slice(DEAF, DEAF + DRIPPING)) socket.write(slow.subarray(octet, octet + 1));
      octet++;
    }, 20);

    expect(await slowestMs()).toBeLessThan(HANGS_MS);
    expect(await figure('meridian_tcp_open')).toBeGreaterThanOrEqual(MOST - FROM_EACH);
    // Nobody was thrown out: all of this is within the limits.
    expect(crowd.filter((socket) => socket.destroyed || socket.readableEnded)).toEqual([]);
    expect(residentBytes() - before).toBeLessThan(120e6);

    // Those who sit idle still get an answer when they ask.
    const old = crowd.at(-1)!;
    old.write(frame(query({ id: 4711, name: 'www.net.cat.' })));
    const [answer] = (await once(old, 'data')) as [Buffer];
    expect(answer.readUInt16BE(2)).toBe(4711);
  });

  it('makes room for a newcomer when all connections are taken', async () => {
    // Two networks more than there is room for: who has been idle the longest goes.
    const more = await Promise.all([200, 201].flatMap((n) => Array.from({ length: FROM_EACH }, () => open(n))));
    for (const [id, socket] of more.entries()) socket.write(frame(query({ id, name: 'www.net.cat.' })));
    const answers = await Promise.all(more.map(async (socket) => ((await once(socket, 'data')) as [Buffer])[0]));
    expect(answers.map((answer) => answer.readUInt16BE(2))).toEqual(more.map((_, id) => id));
    expect(await slowestMs()).toBeLessThan(HANGS_MS);
    expect(await figure('meridian_tcp_open')).toBeLessThanOrEqual(MOST);
  });
});
