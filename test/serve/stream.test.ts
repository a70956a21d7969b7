// DNS over TCP: framing, limits, slow and silent clients, transfers, closing.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAddress } from '../../dist/base/address.js';
import { limits } from '../../dist/base/limits.js';
import {
  serveCounters,
  TCP_ACCEPTED,
  TCP_CLOSED_GARBAGE,
  TCP_CLOSED_IDLE,
  TCP_CLOSED_UNREAD,
  TCP_OPEN,
  TCP_RECEIVED,
  TCP_REFUSED_CLIENT,
  TCP_REFUSED_FULL,
  TCP_TRANSFERS,
} from '../../dist/serve/counters.js';
import { openSockets } from '../../dist/serve/sockets.js';
import { StreamServer } from '../../dist/serve/stream.js';
import type { TransferHandler } from '../../src/answer/port.ts';
import { askTcp, frame, message } from '../support/clients.ts';
import { FakeClock } from '../support/clock.ts';
import { TOY, ToyResponder } from '../support/toy-responder.mjs';
import { ffiHere } from '../support/toy-thread.ts';

const IDLE_MS = 10_000;
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Served {
  readonly port: number;
  readonly server: StreamServer;
  readonly clock: FakeClock;
  readonly counters: Float64Array;
}

async function serve(
  options: { maxConnections?: number; maxConnectionsPerClient?: number; transfer?: TransferHandler } = {},
): Promise<Served> {
  const clock = new FakeClock();
  const counters = serveCounters();
  const server = new StreamServer({
    responder: new ToyResponder(options.transfer),
    counters,
    clock,
    idleTimeoutMs: IDLE_MS,
    maxConnections: options.maxConnections ?? 100,
    maxConnectionsPerClient: options.maxConnectionsPerClient ?? 100,
    ipv4PrefixBits: 32,
    ipv6PrefixBits: 64,
  });
  const sockets = openSockets(ffiHere(), [{ address: parseAddress('127.0.0.1')!, port: 0 }], 0);
  await server.listenFd(sockets.duplicate(sockets.tcp[0]!));
  sockets.close();
  const { port } = sockets.listening[0]!;
  cleanups.push(async () => {
    const closed = server.close();
    await clock.advance(limits.tcpGraceMs);
    await closed;
  });
  return { port, server, clock, counters };
}

async function ask(port: number): ReturnType<typeof askTcp> {
  const asker = await askTcp('127.0.0.1', port);
  cleanups.push(() => asker.close());
  return asker;
}

/** A client that reads nothing until it is told to. */
async function deafClient(port: number, localAddress?: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, ...(localAddress ? { localAddress } : {}) });
  cleanups.push(() => socket.destroy());
  socket.on('error', () => {});
  socket.pause();
  await once(socket, 'connect');
  return socket;
}

/** Resolves when the server has closed the connection; what it still sent is thrown away. */
async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.readableEnded && !socket.destroyed) await Promise.race([once(socket, 'end'), once(socket, 'close')]);
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe('framing', () => {
  it('takes messages apart however TCP cuts the stream', async () => {
    const { port } = await serve();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.integer({ min: 12, max: 80 }), fc.integer({ min: 12, max: 9000 })), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3000 })), {
          minLength: 1,
          maxLength: 30,
        }),
        async (lengths, cuts) => {
          const asker = await ask(port);
          const stream = Buffer.concat(lengths.map((length, id) => frame(message(id, TOY.echo, length))));
          for (let at = 0, i = 0; at < stream.length; i++) {
            const end = i < cuts.length ? at + cuts[i]! : stream.length;
            await new Promise((resolve) => asker.socket.write(stream.subarray(at, end), resolve));
            at = end;
          }
          const answers = await asker.answers(lengths.map((_, id) => id));
          lengths.forEach((length, id) => {
            const fits = length <= limits.udpRequestBytes;
            expect(answers.get(id)!.length).toBe(fits ? length : 12);
            expect(answers.get(id)![3]).toBe(fits ? TOY.echo : 0x81);
          });
          asker.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('answers a message that comes byte by byte', async () => {
    const { port } = await serve();
    const asker = await ask(port);
    for (const byte of frame(message(3))) {
      await new Promise((resolve) => asker.socket.write(Buffer.of(byte), resolve));
    }
    expect((await asker.answers([3])).size).toBe(1);
  });

  it('answers in full a client that sends its requests and its FIN at once', async () => {
    const { port } = await serve();
    const asker = await ask(port);
    const ids = Array.from({ length: 200 }, (_, id) => id);
    asker.socket.end(Buffer.concat(ids.map((id) => frame(message(id)))));
    await asker.answers(ids);
    await closed(asker.socket);
  });

  it.each([0, 1, 11])('answers what came before a length of %i, then closes', async (length) => {
    const { port, counters } = await serve();
    const asker = await ask(port);
    const garbage = Buffer.alloc(2 + length);
    garbage.writeUInt16BE(length);
    asker.socket.write(Buffer.concat([frame(message(1)), garbage, frame(message(2))]));
    await asker.answers([1]);
    await closed(asker.socket);
    expect(counters[TCP_CLOSED_GARBAGE]).toBe(1);
    expect(counters[TCP_RECEIVED]).toBe(1);
  });
});

describe('idle connections', () => {
  it('are closed after the idle timeout, and not before', async () => {
    const { port, clock, counters } = await serve();
    const asker = await ask(port);
    asker.send(message(1));
    await asker.answers([1]);
    await clock.advance(IDLE_MS - 10);
    expect(counters[TCP_OPEN]).toBe(1);
    await clock.advance(20);
    await closed(asker.socket);
    expect(counters[TCP_CLOSED_IDLE]).toBe(1);
  });

  it('stay open while requests come', async () => {
    const { port, clock, counters } = await serve();
    const asker = await ask(port);
    for (let id = 0; id < 5; id++) {
      await clock.advance(IDLE_MS * 0.7);
      asker.send(message(id));
      await asker.answers([id]);
    }
    expect(counters[TCP_CLOSED_IDLE]).toBe(0);
  });

  it('are closed although bytes trickle in, as long as no request is complete', async () => {
    const { port, clock, counters } = await serve();
    const asker = await ask(port);
    const bytes = frame(message(1, TOY.echo, 100));
    for (let i = 0; i < 11; i++) {
      await new Promise((resolve) => asker.socket.write(bytes.subarray(i, i + 1), resolve));
      await clock.advance(IDLE_MS / 10);
    }
    await closed(asker.socket);
    expect(counters[TCP_CLOSED_IDLE]).toBe(1);
  });

  it('are closed each in its time', async () => {
    const { port, clock, counters } = await serve();
    const askers = [];
    for (let i = 0; i < 4; i++) {
      askers.push(await ask(port));
      await until(() => counters[TCP_ACCEPTED] === i + 1);
      await clock.advance(1000);
    }
    await clock.advance(IDLE_MS - 4000 + 10);
    await until(() => counters[TCP_OPEN] === 3);
    await clock.advance(2000);
    await until(() => counters[TCP_OPEN] === 1);
    await clock.advance(1000);
    await until(() => counters[TCP_OPEN] === 0);
    expect(clock.pending).toBe(0);
  });
});

describe('limits', () => {
  it('refuse a client its next connection, but nobody else', async () => {
    const { port, counters } = await serve({ maxConnectionsPerClient: 3 });
    const first = [await ask(port), await ask(port), await ask(port)];
    await until(() => counters[TCP_OPEN] === 3);
    await closed((await ask(port)).socket);
    expect(counters[TCP_REFUSED_CLIENT]).toBe(1);
    await deafClient(port, '127.0.0.9');
    await until(() => counters[TCP_OPEN] === 4);
    for (const [id, asker] of first.entries()) {
      asker.send(message(id));
      await asker.answers([id]);
    }
    // One that goes makes room.
    first[0]!.close();
    await until(() => counters[TCP_OPEN] === 3);
    const next = await ask(port);
    next.send(message(9));
    await next.answers([9]);
  });

  it('let a new client in at the expense of the one that is idle the longest', async () => {
    const { port, counters } = await serve({ maxConnections: 3 });
    const askers = [await ask(port), await ask(port), await ask(port)];
    await until(() => counters[TCP_OPEN] === 3);
    for (const i of [1, 0, 2]) {
      askers[i]!.send(message(i));
      await askers[i]!.answers([i]);
    }
    const late = await ask(port);
    late.send(message(7));
    await late.answers([7]);
    await closed(askers[1]!.socket);
    expect(counters[TCP_REFUSED_FULL]).toBe(1);
    for (const i of [0, 2]) {
      askers[i]!.send(message(10 + i));
      await askers[i]!.answers([10 + i]);
    }
  });

  it('let thousands of idle connections harm nobody', async () => {
    const { port, counters } = await serve({ maxConnections: 2000, maxConnectionsPerClient: 1000 });
    for (let host = 1; host <= 2; host++) {
      await Promise.all(Array.from({ length: 1000 }, () => deafClient(port, `127.0.1.${host}`)));
    }
    await until(() => counters[TCP_OPEN] === 2000);
    const asker = await ask(port);
    asker.send(message(1));
    expect((await asker.answers([1])).size).toBe(1);
  });
});

describe('a client that does not read', () => {
  const flood = Buffer.concat(Array.from({ length: 200 }, (_, id) => frame(message(id, TOY.large))));

  it('is waited for, with few answers in memory, and closed after the idle timeout', async () => {
    const { port, clock, counters } = await serve();
    const deaf = await deafClient(port);
    deaf.write(flood);
    const other = await ask(port);
    await until(() => counters[TCP_RECEIVED]! > 3);
    // 200 answers of 64 KiB: most requests wait while others are served.
    other.send(message(1));
    await other.answers([1]);
    expect(counters[TCP_RECEIVED]).toBeLessThan(190);
    await clock.advance(IDLE_MS / 2);
    other.send(message(2));
    await other.answers([2]);
    await clock.advance(IDLE_MS / 2 + 10);
    expect(counters[TCP_CLOSED_UNREAD]).toBe(1);
    other.send(message(3));
    await other.answers([3]);
  });

  it('gets every answer once it reads', async () => {
    const { port, counters } = await serve();
    const asker = await ask(port);
    asker.socket.pause();
    asker.socket.write(flood);
    await until(() => counters[TCP_RECEIVED]! > 3);
    asker.socket.resume();
    const answers = await asker.answers(Array.from({ length: 200 }, (_, id) => id));
    for (const answer of answers.values()) expect(answer.length).toBe(limits.messageBytes);
  });

  it('loses its connection when too many others do not read either', async () => {
    const { port, counters } = await serve({ maxConnections: 2000, maxConnectionsPerClient: 2000 });
    const most = Math.ceil(limits.tcpUnreadBytesInAll / 10_000);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < most && counters[TCP_CLOSED_UNREAD] === 0; i++) {
      (await deafClient(port)).write(flood);
    }
    await until(() => counters[TCP_CLOSED_UNREAD]! > 0);
    expect(process.memoryUsage().rss - before).toBeLessThan(6 * limits.tcpUnreadBytesInAll);
    const asker = await ask(port);
    asker.send(message(1));
    await asker.answers([1]);
  });
});

describe('a transfer', () => {
  async function* messages(count: number, length: number): AsyncGenerator<Uint8Array> {
    for (let id = 1; id <= count; id++) yield message(id, TOY.echo, length);
  }

  it('sends all messages, then goes on with the next request', async () => {
    const seen: [Uint8Array, number][] = [];
    const { port, counters } = await serve({
      transfer: (request, peer) => {
        seen.push([request, peer.w0]);
        return messages(50, 60_000);
      },
    });
    const asker = await ask(port);
    const request = message(999, TOY.transfer);
    asker.socket.write(Buffer.concat([frame(message(998)), frame(request), frame(message(1000))]));
    const answers = await asker.answers([998, 1000]);
    expect([...answers.keys()]).toEqual([998, ...Array.from({ length: 50 }, (_, i) => i + 1), 1000]);
    for (let id = 1; id <= 50; id++) expect(answers.get(id)!.equals(message(id, TOY.echo, 60_000))).toBe(true);
    expect(counters[TCP_TRANSFERS]).toBe(1);
    expect([...seen[0]![0]]).toEqual([...request]);
    expect(seen[0]![1]).toBe(0x7f000001);
  });

  it('waits for a client that reads slowly, and stops when the client goes', async () => {
    let sent = 0;
    let stopped = false;
    const { port } = await serve({
      transfer: async function* () {
        try {
          for (;;) {
            sent++;
            yield message(1, TOY.echo, 60_000);
          }
        } finally {
          stopped = true;
        }
      },
    });
    const deaf = await deafClient(port);
    deaf.write(frame(message(1, TOY.transfer)));
    await until(() => sent > 3);
    let last = -1;
    await until(() => {
      const still = sent === last;
      last = sent;
      return still;
    });
    expect(sent).toBeLessThan(1000);
    deaf.destroy();
    await until(() => stopped);
  });

  it('is not idle while its messages are being made', async () => {
    let go: (() => void) | undefined;
    const { port, clock, counters } = await serve({
      transfer: async function* () {
        yield message(1);
        await new Promise<void>((resolve) => {
          go = resolve;
        });
        yield message(2);
      },
    });
    const asker = await ask(port);
    asker.send(message(9, TOY.transfer));
    await asker.answers([1]);
    await until(() => go !== undefined);
    await clock.advance(3 * IDLE_MS);
    expect(counters[TCP_OPEN]).toBe(1);
    go!();
    await asker.answers([2]);
    await clock.advance(IDLE_MS + 10);
    expect(counters[TCP_CLOSED_IDLE]).toBe(1);
  });

  it.each([
    [
      'breaks off',
      async function* (): AsyncGenerator<Uint8Array> {
        yield message(1);
        throw new Error('the zone has gone');
      },
    ],
    ['has no handler', undefined],
  ])('closes the connection when it %s', async (_, transfer) => {
    const { port } = await serve(transfer ? { transfer } : {});
    const asker = await ask(port);
    asker.socket.write(Buffer.concat([frame(message(9, TOY.transfer)), frame(message(10))]));
    await closed(asker.socket);
    expect((await asker.answers([])).has(10)).toBe(false);
  });
});

describe('close', () => {
  it('ends idle connections at once and accepts no new ones', async () => {
    const { port, server } = await serve();
    const asker = await ask(port);
    asker.send(message(1));
    await asker.answers([1]);
    await server.close();
    await closed(asker.socket);
    const late = connect(port, '127.0.0.1');
    const [error] = await once(late, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('sends the answers to what was read', async () => {
    const { port, server, counters } = await serve();
    const asker = await ask(port);
    asker.socket.pause();
    asker.socket.write(Buffer.concat(Array.from({ length: 20 }, (_, id) => frame(message(id, TOY.large)))));
    await until(() => counters[TCP_RECEIVED]! > 0);
    const done = server.close();
    asker.socket.resume();
    await asker.answers(Array.from({ length: 20 }, (_, id) => id));
    await done;
  });

  it('does not wait long for a client that does not read', async () => {
    const { port, server, clock, counters } = await serve();
    const deaf = await deafClient(port);
    deaf.write(Buffer.concat(Array.from({ length: 200 }, (_, id) => frame(message(id, TOY.large)))));
    await until(() => counters[TCP_RECEIVED]! > 3);
    const done = server.close();
    await clock.advance(limits.tcpGraceMs);
    await done;
    expect(counters[TCP_OPEN]).toBe(0);
  });
});
