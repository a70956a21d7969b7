// The UDP loop against a real kernel, and against one that fails in every way that it may.
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAddress } from '../../dist/base/address.js';
import { limits } from '../../dist/base/limits.js';
import * as abi from '../../dist/serve/abi.js';
import { openBell } from '../../dist/serve/bell.js';
import {
  serveCounters,
  UDP_BATCHES,
  UDP_GATHERED,
  UDP_PORT_ZERO,
  UDP_RECEIVED,
  UDP_SEND_FAILED,
  UDP_SENT,
  UDP_SILENT,
} from '../../dist/serve/counters.js';
import type { Ffi } from '../../dist/serve/ffi.js';
import { Priority } from '../../dist/serve/priority.js';
import { type OpenSockets, openSockets } from '../../dist/serve/sockets.js';
import { UdpLoop } from '../../dist/serve/udp.js';
import { askUdp, message } from '../support/clients.ts';
import { TOY, ToyResponder } from '../support/toy-responder.mjs';
import { ffiHere, startUdpThread, type ToyThread } from '../support/toy-thread.ts';

const ffi = ffiHere();
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function open(hosts: readonly string[], threads = 1): OpenSockets {
  const sockets = openSockets(
    ffi,
    hosts.map((host) => ({ address: parseAddress(host)!, port: 0 })),
    threads,
  );
  cleanups.push(() => sockets.close());
  expect(sockets.failures).toEqual([]);
  return sockets;
}

async function start(sockets: OpenSockets, thread = 0): Promise<ToyThread> {
  const started = await startUdpThread(ffi, sockets.udp[thread]!);
  cleanups.push(() => started.stop());
  return started;
}

async function ask(host: string, port: number): ReturnType<typeof askUdp> {
  const asker = await askUdp(host, port);
  cleanups.push(() => asker.close());
  return asker;
}

describe('a data thread', () => {
  it('answers on all its sockets', async () => {
    const sockets = open(['127.0.0.1', '127.0.0.3', '::1']);
    await start(sockets);
    for (const [i, host] of ['127.0.0.1', '127.0.0.3', '::1'].entries()) {
      const asker = await ask(host, sockets.listening[i]!.port);
      asker.send(message(1));
      expect((await asker.answers([1])).size).toBe(1);
    }
  });

  it('answers from the address that was asked where it listens on all', async () => {
    const sockets = open(['0.0.0.0', '::']);
    await start(sockets);
    const [four, six] = sockets.listening;
    // The askers are connected: they don't take an answer from anywhere else.
    for (const host of ['127.0.0.2', '127.7.7.7', '127.0.0.1']) {
      const asker = await ask(host, four!.port);
      for (let id = 0; id < 100; id++) asker.send(message(id, id % 3 === 0 ? TOY.silence : TOY.echo));
      await asker.answers(Array.from({ length: 100 }, (_, id) => id).filter((id) => id % 3 !== 0));
    }
    const asker = await ask('::1', six!.port);
    for (let id = 0; id < 100; id++) asker.send(message(id));
    await asker.answers(Array.from({ length: 100 }, (_, id) => id));
  });

  it('meets an empty datagram with silence', async () => {
    const sockets = open(['127.0.0.1']);
    const thread = await start(sockets);
    const asker = await ask('127.0.0.1', sockets.listening[0]!.port);
    asker.send(new Uint8Array(0));
    asker.send(message(1));
    expect((await asker.answers([1])).size).toBe(1);
    expect(await thread.stop()).toBe(0);
    expect(thread.counters[UDP_SILENT]).toBe(1);
    expect(thread.counters[UDP_RECEIVED]).toBe(2);
    expect(thread.counters[UDP_SENT]).toBe(1);
  });

  it.each([
    ['at the bell where it waits on several sockets', ['127.0.0.1', '::1']],
    ['when its only socket is released', ['127.0.0.1']],
  ])('ends %s, long before its wait would be over', async (_, hosts) => {
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const sockets = open(hosts);
      const thread = await startUdpThread(ffi, sockets.udp[0]!);
      const before = performance.now();
      const stopped = thread.stop();
      if (hosts.length === 1) sockets.release(0);
      await stopped;
      times.push(performance.now() - before);
      // What wakes it is no query.
      expect(thread.counters[UDP_RECEIVED]).toBe(0);
    }
    expect(Math.min(...times)).toBeLessThan(limits.idleWaitMs / 2);
  });

  it('hears the bell with the next query where it waits on one socket', async () => {
    const sockets = open(['127.0.0.1']);
    const asker = await ask('127.0.0.1', sockets.listening[0]!.port);
    const bell = openBell(ffi);
    cleanups.push(() => bell.close());
    bell.ring();
    const heard: number[] = [];
    const counters = serveCounters();
    for (let id = 0; id < 3; id++) {
      asker.socket.send(message(id), (error) => asker.socket.emit('sent', error));
      await once(asker.socket, 'sent');
    }
    new UdpLoop({
      // One query at a time.
      ffi: { ...ffi, recvmmsg: (fd, at, _count, flags, timeout) => ffi.recvmmsg(fd, at, 1, flags, timeout) },
      sockets: sockets.udp[0]!,
      bell,
      onBell: () => {
        heard.push(counters[UDP_RECEIVED]!);
        if (heard.length === 1) bell.ring();
        return heard.length < 3;
      },
      responder: new ToyResponder(),
      priority: calm(),
      beat: new Int32Array(1),
      counters,
    }).run();
    // Rung before the first and once more after it; then it waited for its time.
    expect(heard).toEqual([1, 2, 3]);
    await asker.answers([0, 1, 2]);
  });

  it('uses no measurable processor time when idle', async () => {
    const sockets = open(['127.0.0.1', '::1']);
    await start(sockets);
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const { user, system } = process.cpuUsage(before);
    // The thread wakes four times a second; the rest is the test runner's own.
    expect(user + system).toBeLessThan(100_000);
  });

  it('shares a port with another, each query answered by one of them', async () => {
    const sockets = open(['127.0.0.1'], 2);
    const threads = [await start(sockets, 0), await start(sockets, 1)];
    for (let i = 0; i < 40; i++) {
      const asker = await ask('127.0.0.1', sockets.listening[0]!.port);
      asker.send(message(1));
      await asker.answers([1]);
    }
    for (const thread of threads) await thread.stop();
    const counts = threads.map((thread) => thread.counters[UDP_RECEIVED]!);
    expect(counts[0]! + counts[1]!).toBe(40);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  it('loses no packet when it crashes and another takes its sockets', async () => {
    const sockets = open(['127.0.0.1']);
    const first = await startUdpThread(ffi, sockets.udp[0]!);
    const asker = await ask('127.0.0.1', sockets.listening[0]!.port);
    const ids = Array.from({ length: 900 }, (_, id) => id);
    for (const id of ids.slice(0, 300)) asker.send(message(id));
    await asker.answers(ids.slice(0, 300));
    await first.crash();
    for (const id of ids.slice(300, 600)) asker.send(message(id));
    await start(sockets);
    for (const id of ids.slice(600)) asker.send(message(id));
    expect((await asker.answers(ids)).size).toBe(900);
  });
});

describe('a data thread that finds several packets again and again', () => {
  it('sleeps for a moment before it reads on, counts that, and sends all answers of a batch at once from then on', async () => {
    const sockets = open(['127.0.0.1']);
    const found = limits.udpSend + 4;
    const packets = (limits.coalesceLookRounds + 10) * found;
    const asker = await ask('127.0.0.1', sockets.listening[0]!.port);
    for (let id = 0; id < packets; id++) {
      asker.socket.send(message(id), (error) => asker.socket.emit('sent', error));
      await once(asker.socket, 'sent');
    }
    const slept: number[] = [];
    const sends: number[] = [];
    const bell = openBell(ffi);
    cleanups.push(() => bell.close());
    const counters = serveCounters();
    new UdpLoop({
      // A kernel that hands out a few at a time, as if they had come so.
      ffi: {
        ...ffi,
        recvmmsg: (fd, at, count, flags, timeout) => ffi.recvmmsg(fd, at, Math.min(count, found), flags, timeout),
        sendmmsg: (fd, at, count, flags) => {
          sends.push(count);
          return ffi.sendmmsg(fd, at, count, flags);
        },
        usleep: (us) => slept.push(us),
      },
      sockets: sockets.udp[0]!,
      bell,
      onBell: () => counters[UDP_RECEIVED]! < packets,
      responder: new ToyResponder(),
      priority: calm(),
      beat: new Int32Array(1),
      counters,
    }).run();
    expect(counters[UDP_SENT]).toBe(packets);
    expect(slept).toEqual(Array(11).fill(limits.coalesceUs));
    expect(sends).toEqual([
      ...Array(limits.coalesceLookRounds).fill([limits.udpSend, 4]).flat(),
      ...Array(10).fill(found),
    ]);
    expect(counters[UDP_GATHERED]).toBe(11);
  });
});

/** The usual priority: these loops run in the test's own thread. */
function calm(): Priority {
  return new Priority({ ...ffi, schedule: () => false }, false, () => 0);
}

/** Runs a loop in this thread over what `requests` clients have sent by now; it ends when it has drained the sockets. */
function drain(sockets: OpenSockets, kernel: Ffi): { counters: Float64Array; misused: number } {
  const bell = openBell(ffi);
  bell.ring();
  const counters = serveCounters();
  const responder = new ToyResponder();
  new UdpLoop({
    ffi: kernel,
    sockets: sockets.udp[0]!,
    bell,
    onBell: () => false,
    responder,
    priority: calm(),
    beat: new Int32Array(1),
    counters,
  }).run();
  bell.close();
  return { counters, misused: responder.misused };
}

/** A kernel whose named call first fails with each of these errors, then works. */
function failing(call: 'poll' | 'recvmmsg' | 'sendmmsg', errors: readonly number[]): Ffi {
  const left = [...errors];
  let pending = 0;
  return {
    ...ffi,
    errno: () => pending || ffi.errno(),
    [call]: (...args: never[]) => {
      pending = left.shift() ?? 0;
      return pending === 0 ? (ffi[call] as (...args: never[]) => number)(...args) : -1;
    },
  };
}

describe('a kernel that fails', () => {
  async function sendAll(port: number, ids: readonly number[]): ReturnType<typeof askUdp> {
    const asker = await ask('127.0.0.1', port);
    for (const id of ids) {
      asker.socket.send(message(id), (error) => asker.socket.emit('sent', error));
      await once(asker.socket, 'sent');
    }
    return asker;
  }
  const ids = Array.from({ length: 150 }, (_, id) => id);

  it('has what arrived before the end answered', async () => {
    const sockets = open(['127.0.0.1']);
    const asker = await sendAll(sockets.listening[0]!.port, ids);
    const { counters, misused } = drain(sockets, ffi);
    await asker.answers(ids);
    expect(misused).toBe(0);
    expect(counters[UDP_SENT]).toBe(150);
    expect(counters[UDP_BATCHES]).toBe(3);
  });

  it('has the first answers of a batch sent before the last are made', async () => {
    const sockets = open(['127.0.0.1']);
    const asker = await sendAll(sockets.listening[0]!.port, ids);
    const sends: number[] = [];
    drain(sockets, {
      ...ffi,
      sendmmsg: (fd, at, count, flags) => {
        sends.push(count);
        return ffi.sendmmsg(fd, at, count, flags);
      },
    });
    await asker.answers(ids);
    expect(sends).toEqual([...Array(9).fill(limits.udpSend), 6]);
  });

  it.each([
    ['receiving is interrupted', failing('recvmmsg', [abi.EINTR])],
    ['sending is interrupted', failing('sendmmsg', [abi.EINTR, abi.EINTR, abi.EINTR, abi.EINTR])],
    ['there is no room to send for a moment', failing('sendmmsg', [abi.EAGAIN, abi.ENOBUFS])],
  ])('loses nothing when %s', async (_, kernel) => {
    const sockets = open(['127.0.0.1']);
    const asker = await sendAll(sockets.listening[0]!.port, ids);
    const { counters } = drain(sockets, kernel);
    await asker.answers(ids);
    expect(counters[UDP_SENT]).toBe(150);
    expect(counters[UDP_SEND_FAILED]).toBe(0);
  });

  it('loses nothing when poll is interrupted', async () => {
    const sockets = open(['127.0.0.1', '::1']);
    const asker = await sendAll(sockets.listening[0]!.port, ids);
    const { counters } = drain(sockets, failing('poll', [abi.EINTR, abi.EINTR]));
    await asker.answers(ids);
    expect(counters[UDP_SENT]).toBe(150);
    expect(counters[UDP_SEND_FAILED]).toBe(0);
  });

  it('sends the rest of a batch that the kernel took in part', async () => {
    const sockets = open(['127.0.0.1']);
    const asker = await sendAll(sockets.listening[0]!.port, ids);
    const grudging: Ffi = {
      ...ffi,
      sendmmsg: (fd, at, count, flags) => ffi.sendmmsg(fd, at, Math.min(count, 7), flags),
    };
    const { counters } = drain(sockets, grudging);
    await asker.answers(ids);
    expect(counters[UDP_SENT]).toBe(150);
  });

  it('loses only the answer that cannot be sent', async () => {
    const sockets = open(['127.0.0.1']);
    const asker = await sendAll(sockets.listening[0]!.port, ids);
    const EPERM = 1;
    const { counters } = drain(sockets, failing('sendmmsg', [EPERM]));
    await asker.answers(ids.slice(1));
    expect(counters[UDP_SENT]).toBe(149);
    expect(counters[UDP_SEND_FAILED]).toBe(1);
  });

  it('drops what one call sends when there is no room for long, and goes on with the next', async () => {
    const sockets = open(['127.0.0.1']);
    const asker = await sendAll(sockets.listening[0]!.port, ids);
    const { counters } = drain(sockets, failing('sendmmsg', Array(limits.udpSendTries + 1).fill(abi.ENOBUFS)));
    await asker.answers(ids.slice(limits.udpSend));
    expect(counters[UDP_SEND_FAILED]).toBe(limits.udpSend);
    expect(counters[UDP_SENT]).toBe(150 - limits.udpSend);
  });

  it('drops what came from port 0', async () => {
    const sockets = open(['127.0.0.1']);
    const asker = await sendAll(sockets.listening[0]!.port, ids.slice(0, 3));
    const sender = Buffer.from([abi.AF_INET, 0, asker.localPort >> 8, asker.localPort & 255, 127, 0, 0, 1]);
    let arena: Uint8Array = new Uint8Array(0);
    const forging: Ffi = {
      ...ffi,
      addressOf: (view) => {
        if (view.length > arena.length) arena = view;
        return ffi.addressOf(view);
      },
      recvmmsg: (...args) => {
        const received = ffi.recvmmsg(...args);
        const name = Buffer.from(arena.buffer, arena.byteOffset, arena.length).indexOf(sender);
        if (name >= 0) arena.fill(0, name + 2, name + 4);
        return received;
      },
    };
    const { counters } = drain(sockets, forging);
    await asker.answers([1, 2]);
    expect(counters[UDP_PORT_ZERO]).toBe(1);
    expect(counters[UDP_SENT]).toBe(2);
    expect(counters[UDP_SEND_FAILED]).toBe(0);
  });

  it.each([
    [
      'fe80::1',
      'keeps the interface that a query to a link-local address came in by: without it the address means nothing',
      7,
    ],
    ['2001:db8::1', 'leaves the interface of an answer from any other address to the route', 0],
  ])('%s: %s', async (address, _, expected) => {
    const sockets = open(['::']);
    const asker = await ask('::1', sockets.listening[0]!.port);
    asker.socket.send(message(1), (error) => asker.socket.emit('sent', error));
    await once(asker.socket, 'sent');
    // struct in6_pktinfo: the address that was asked, and the interface that it came in by (in native order: lo is 1).
    const info = (host: string, face: number): Buffer =>
      Buffer.concat([parseAddress(host)!.bytes, new Uint8Array(Int32Array.of(face).buffer)]);
    let arena: Buffer = Buffer.alloc(0);
    const faces: number[] = [];
    const elsewhere: Ffi = {
      ...ffi,
      addressOf: (view) => {
        if (view.length > arena.length) arena = Buffer.from(view.buffer, view.byteOffset, view.length);
        return ffi.addressOf(view);
      },
      recvmmsg: (...args) => {
        const received = ffi.recvmmsg(...args);
        const at = arena.indexOf(info('::1', 1));
        if (received > 0 && at >= 0) info(address, 7).copy(arena, at);
        return received;
      },
      sendmmsg: (_fd, _at, count) => {
        faces.push(...[0, 7].filter((face) => arena.includes(info(address, face))));
        return count;
      },
    };
    drain(sockets, elsewhere);
    expect(faces).toEqual([expected]);
  });

  it.each([
    [1, 'recvmmsg failed: errno 9'],
    [2, 'fd 1023 is not open'],
  ])('ends the loop with an error where a descriptor is no socket, one of %i', (count, thrown) => {
    const bell = openBell(ffi);
    cleanups.push(() => bell.close());
    const loop = new UdpLoop({
      ffi,
      sockets: Array.from({ length: count }, () => ({ fd: 1023, family: 4 as const, wildcard: false })),
      bell,
      onBell: () => true,
      responder: new ToyResponder(),
      priority: calm(),
      beat: new Int32Array(1),
      counters: serveCounters(),
    });
    expect(() => loop.run()).toThrow(thrown);
  });
});
