// What every transport must do, whatever carries the bytes: one suite for the UDP loop, for dgram and for TCP.
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAddress } from '../../dist/base/address.js';
import { systemClock } from '../../dist/base/clock.js';
import { limits } from '../../dist/base/limits.js';
import { serveCounters } from '../../dist/serve/counters.js';
import { DgramServer } from '../../dist/serve/dgram.js';
import { openSockets } from '../../dist/serve/sockets.js';
import { StreamServer } from '../../dist/serve/stream.js';
import { type Asker, askTcp, askUdp, message } from '../support/clients.ts';
import { TOY, ToyResponder } from '../support/toy-responder.mjs';
import { ffiHere, startUdpThread } from '../support/toy-thread.ts';

interface Running {
  readonly port: number;
  /** Stops it; returns how often the responder was called outside of a batch. */
  stop(): Promise<number>;
}

interface Transport {
  readonly name: string;
  readonly number: 0 | 1;
  readonly largest: number;
  start(host: string, port?: number): Promise<Running>;
  ask(host: string, port: number): Promise<Asker>;
}

function portOf(result: number | { message: string }): number {
  if (typeof result === 'number') return result;
  throw new Error(result.message);
}

const transports: Transport[] = [
  {
    name: 'the UDP loop over libc',
    number: 0,
    largest: limits.udpResponseBytes,
    start: async (host, port = 0) => {
      const ffi = ffiHere();
      const sockets = openSockets(ffi, [{ address: parseAddress(host)!, port }], 1);
      if (sockets.failures.length > 0) throw new Error(sockets.failures[0]!.message);
      const thread = await startUdpThread(ffi, sockets.udp[0]!);
      return {
        port: sockets.listening[0]!.port,
        stop: async () => {
          const misused = await thread.stop();
          sockets.close();
          return misused;
        },
      };
    },
    ask: askUdp,
  },
  {
    name: 'node:dgram',
    number: 0,
    largest: limits.udpResponseBytes,
    start: async (host, port = 0) => {
      const responder = new ToyResponder();
      const server = new DgramServer({ responder, counters: serveCounters() });
      return {
        port: portOf(await server.listen({ address: parseAddress(host)!, port })),
        stop: async () => {
          await server.close();
          return responder.misused;
        },
      };
    },
    ask: askUdp,
  },
  {
    name: 'TCP',
    number: 1,
    largest: limits.messageBytes,
    start: async (host, port = 0) => {
      const responder = new ToyResponder();
      const server = new StreamServer({
        responder,
        counters: serveCounters(),
        clock: systemClock,
        idleTimeoutMs: 10_000,
        maxConnections: 100,
        maxConnectionsPerClient: 100,
        ipv4PrefixBits: 32,
        ipv6PrefixBits: 64,
      });
      return {
        port: portOf(await server.listen({ address: parseAddress(host)!, port })),
        stop: async () => {
          await server.close();
          return responder.misused;
        },
      };
    },
    ask: askTcp,
  },
];

describe.each(transports)('$name', (transport) => {
  const askers: Asker[] = [];
  let running: Running | undefined;

  async function start(host = '127.0.0.1'): Promise<Asker> {
    running = await transport.start(host);
    return ask(host);
  }

  async function ask(host = '127.0.0.1'): Promise<Asker> {
    const asker = await transport.ask(host, running!.port);
    askers.push(asker);
    return asker;
  }

  afterEach(async () => {
    for (const asker of askers.splice(0)) asker.close();
    const misused = await running?.stop();
    running = undefined;
    expect(misused ?? 0, 'respond was called outside of beginBatch and endBatch').toBe(0);
  });

  it('returns what the answer path wrote', async () => {
    const asker = await start();
    const request = message(0x1234);
    asker.send(request);
    const answer = (await asker.answers([0x1234])).get(0x1234)!;
    const expected = Buffer.from(request);
    expected[2] = 0x80;
    expect(answer).toEqual(expected);
  });

  it('tells the answer path who asks, over IPv4 and IPv6', async () => {
    const four = await start();
    four.send(message(1, TOY.peer));
    const answer = (await four.answers([1])).get(1)!;
    expect([...answer.subarray(12)]).toEqual([
      4,
      transport.number,
      four.localPort >> 8,
      four.localPort & 255,
      127,
      0,
      0,
      1,
    ]);
    four.close();
    askers.length = 0;
    await running!.stop();

    const six = await start('::1');
    six.send(message(2, TOY.peer));
    const answer6 = (await six.answers([2])).get(2)!;
    const one = [...Array(15).fill(0), 1];
    expect([...answer6.subarray(12)]).toEqual([6, transport.number, six.localPort >> 8, six.localPort & 255, ...one]);
  });

  it('sends answers as large as the transport allows', async () => {
    const asker = await start();
    asker.send(message(7, TOY.large, 40));
    const answer = (await asker.answers([7])).get(7)!;
    expect(answer.length).toBe(transport.largest);
    expect(answer.subarray(40).every((byte) => byte === 0x5a)).toBe(true);
  });

  it('answers a burst of a thousand requests without losing one', async () => {
    const asker = await start();
    const ids = Array.from({ length: 1000 }, (_, i) => i);
    for (const id of ids) asker.send(message(id, TOY.echo, 24 + (id % 50)));
    const answers = await asker.answers(ids);
    for (const id of ids) {
      const expected = message(id, TOY.echo, 24 + (id % 50));
      expected[2] = 0x80;
      expect(answers.get(id)).toEqual(expected);
    }
  });

  it('never mixes up answers, whichever requests are met with silence', async () => {
    await start();
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            silent: fc.boolean(),
            length: fc.integer({ min: 12, max: 600 }),
          }),
          { minLength: 1, maxLength: 150 },
        ),
        async (requests) => {
          const asker = await ask();
          const ids = requests.map((_, id) => id).filter((id) => !requests[id]!.silent);
          requests.forEach(({ silent, length }, id) => {
            asker.send(message(id, silent ? TOY.silence : TOY.echo, length));
          });
          const answers = await asker.answers(ids);
          for (const id of ids) {
            const expected = message(id, TOY.echo, requests[id]!.length);
            expected[2] = 0x80;
            expect(answers.get(id)).toEqual(expected);
          }
          expect(answers.size).toBe(ids.length);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('hands over the longest request whole, and a longer one so that it can be refused', async () => {
    const asker = await start();
    asker.send(message(1, TOY.echo, limits.udpRequestBytes));
    asker.send(message(2, TOY.echo, limits.udpRequestBytes + 1));
    asker.send(message(3, TOY.echo, 20_000));
    asker.send(message(4, TOY.echo, 65_000));
    asker.send(message(5));
    const answers = await asker.answers([1, 2, 3, 4, 5]);
    expect(answers.get(1)!.length).toBe(limits.udpRequestBytes);
    for (const id of [2, 3, 4]) expect([...answers.get(id)!.subarray(0, 4)]).toEqual([0, id, 0x80, 0x81]);
    expect(answers.get(5)!.length).toBe(24);
  });

  it('leaves the port free when it has stopped', async () => {
    await start();
    const { port } = running!;
    await running!.stop();
    running = await transport.start('127.0.0.1', port);
    const asker = await ask();
    asker.send(message(9));
    expect((await asker.answers([9])).size).toBe(1);
  });

  it('says in one line that a port is taken', async () => {
    await start();
    await expect(transport.start('127.0.0.1', running!.port)).rejects.toThrow(
      new RegExp(`^cannot listen on 127\\.0\\.0\\.1:${running!.port} \\((UDP|TCP)\\): EADDRINUSE, the port is taken`),
    );
  });

  it('says in one line that an address is not of this machine', async () => {
    await expect(transport.start('192.0.2.77', 0)).rejects.toThrow(/^cannot listen on 192\.0\.2\.77:0 .*EADDRNOTAVAIL/);
  });
});
