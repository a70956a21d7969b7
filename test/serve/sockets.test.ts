// Opening sockets: all addresses, one port for UDP and TCP, and every way in which a port can be taken.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAddress } from '../../dist/base/address.js';
import * as abi from '../../dist/serve/abi.js';
import { listenMessage } from '../../dist/serve/listen.js';
import { type OpenSockets, openSockets } from '../../dist/serve/sockets.js';
import { askTcp, message } from '../support/clients.ts';
import { ffiHere, startTcpThread } from '../support/toy-thread.ts';

const ffi = ffiHere();
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function open(listen: readonly [host: string, port: number][], threads = 1): OpenSockets {
  const sockets = openSockets(
    ffi,
    listen.map(([host, port]) => ({ address: parseAddress(host)!, port })),
    threads,
  );
  cleanups.push(() => sockets.close());
  return sockets;
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

describe('openSockets', () => {
  it('gives each thread a socket of each address, and one TCP listener', () => {
    const sockets = open(
      [
        ['127.0.0.1', 0],
        ['::1', 0],
        ['0.0.0.0', 0],
      ],
      3,
    );
    expect(sockets.failures).toEqual([]);
    expect(sockets.udp.map((thread) => thread.map(({ family, wildcard }) => [family, wildcard]))).toEqual(
      Array(3).fill([
        [4, false],
        [6, false],
        [4, true],
      ]),
    );
    expect(sockets.tcp.length).toBe(3);
    const fds = [...sockets.udp.flat().map(({ fd }) => fd), ...sockets.tcp];
    expect(new Set(fds).size).toBe(12);
  });

  it('picks one port for UDP and TCP', async () => {
    const sockets = open([['127.0.0.1', 0]]);
    const { port } = sockets.listening[0]!;
    expect(port).toBeGreaterThan(0);
    const udp = createSocket('udp4');
    cleanups.push(() => udp.close());
    udp.bind(port, '127.0.0.1');
    expect((await once(udp, 'error'))[0]).toMatchObject({ code: 'EADDRINUSE' });
    const client = connect(port, '127.0.0.1');
    cleanups.push(() => client.destroy());
    await once(client, 'connect');
  });

  it('sees that a port is taken for UDP alone, and leaves nothing open', async () => {
    const other = createSocket('udp4');
    cleanups.push(() => other.close());
    other.bind(0, '127.0.0.1');
    await once(other, 'listening');
    const before = openDescriptors();
    const { failures, tcp } = open([['127.0.0.1', other.address().port]]);
    expect(failures).toMatchObject([{ code: 'EADDRINUSE' }]);
    expect(failures[0]!.message).toContain('(UDP)');
    expect(tcp).toEqual([]);
    expect(openDescriptors()).toBe(before);
  });

  it('sees that a port is taken for TCP alone', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    cleanups.push(() => other.close());
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const { failures } = open([['127.0.0.1', port]]);
    expect(failures).toMatchObject([{ code: 'EADDRINUSE' }]);
    expect(failures[0]!.message).toContain('(TCP)');
  });

  it('sees through the SO_REUSEPORT of a server like itself', () => {
    const first = open([['127.0.0.1', 0]], 2);
    const { port } = first.listening[0]!;
    expect(open([['127.0.0.1', port]], 2).failures).toMatchObject([{ code: 'EADDRINUSE' }]);
    expect(open([['0.0.0.0', port]], 2).failures).toMatchObject([{ code: 'EADDRINUSE' }]);
  });

  it('sees through the SO_REUSEPORT of a server that has UDP alone', () => {
    const first = openSockets(ffi, [{ address: parseAddress('127.0.0.1')!, port: 0 }], 1);
    cleanups.push(() => ffi.close(first.udp[0]![0]!.fd));
    ffi.close(first.tcp[0]!);
    const { failures } = open([['127.0.0.1', first.listening[0]!.port]]);
    expect(failures).toMatchObject([{ code: 'EADDRINUSE' }]);
    expect(failures[0]!.message).toContain('(UDP)');
  });

  it('opens what it can, and reports every address that it cannot', () => {
    const sockets = open([
      ['192.0.2.1', 0],
      ['127.0.0.1', 0],
      ['2001:db8::1', 0],
    ]);
    expect(sockets.listening.length).toBe(1);
    expect(sockets.failures.map(({ code }) => code)).toEqual(['EADDRNOTAVAIL', 'EADDRNOTAVAIL']);
    expect(sockets.failures[1]!.message).toBe(
      'cannot listen on [2001:db8::1]:0 (TCP): EADDRNOTAVAIL, this machine does not have that address; correct `listen` or add the address first',
    );
  });

  it('reports a port that takes a right', () => {
    const denied = { ...ffi, bind: () => -1, errno: () => abi.EACCES };
    const { failures } = openSockets(denied, [{ address: parseAddress('127.0.0.1')!, port: 53 }], 1);
    expect(failures).toMatchObject([{ code: 'EACCES' }]);
    expect(failures[0]!.message).toContain('CAP_NET_BIND_SERVICE');
  });

  it('tries again where the port that TCP got is taken for UDP', () => {
    let binds = 0;
    let unlucky = 0;
    const kernel = {
      ...ffi,
      // The second bind of each try is UDP's.
      bind: (fd: number, address: number, length: number) => {
        if (++binds % 2 === 0 && unlucky < 3) {
          unlucky++;
          return -1;
        }
        return ffi.bind(fd, address, length);
      },
      errno: () => (unlucky > 0 ? abi.EADDRINUSE : ffi.errno()),
    };
    const before = openDescriptors();
    const sockets = openSockets(kernel, [{ address: parseAddress('127.0.0.1')!, port: 0 }], 1);
    expect(sockets.failures).toEqual([]);
    expect(unlucky).toBe(3);
    expect(openDescriptors()).toBe(before + 2);
    sockets.close();
    expect(openDescriptors()).toBe(before);
  });

  it('hands out TCP listeners that outlive the thread that served them', async () => {
    const sockets = open([['127.0.0.1', 0]]);
    const { port } = sockets.listening[0]!;
    const first = await startTcpThread([sockets.duplicate(sockets.tcp[0]!)]);
    const asker = await askTcp('127.0.0.1', port);
    cleanups.push(() => asker.close());
    asker.send(message(1));
    await asker.answers([1]);
    await first.crash();

    // Nobody accepts now; the kernel does.
    const waiting = await askTcp('127.0.0.1', port);
    cleanups.push(() => waiting.close());
    waiting.send(message(2));
    const second = await startTcpThread([sockets.duplicate(sockets.tcp[0]!)]);
    cleanups.push(() => second.stop());
    expect((await waiting.answers([2])).size).toBe(1);
  });
});

describe('listenMessage', () => {
  it.each(['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EMFILE', 'errno 999'])(
    'is one line for %s',
    (code) => {
      const text = listenMessage({ address: parseAddress('::1')!, port: 53 }, code, 'UDP');
      expect(text).toMatch(/^cannot listen on \[::1\]:53 \(UDP\): .+$/);
      expect(text).toContain(code);
      expect(text).not.toContain('\n');
    },
  );
});
