import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Connections, clientOf } from '../../dist/admin/connections.js';
import { limits } from '../../dist/base/limits.js';
import { FakeClock } from '../support/clock.ts';

const REQUEST = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n';

let server: Server | null = null;
const sockets: Socket[] = [];
let clock: FakeClock;
let connections: Connections;
/** Requests that were read, and those that were handed on. */
let read: number;
let answered: number;

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.closeAllConnections();
  await new Promise((resolve) => server!.close(resolve));
  expect(clock.pending).toBe(0);
});

async function serve(answer: RequestListener): Promise<void> {
  clock = new FakeClock();
  connections = new Connections(clock);
  [read, answered] = [0, 0];
  const inTurn = connections.inTurn((request, response) => {
    answered++;
    answer(request, response);
  });
  server = createServer((request, response) => {
    read++;
    inTurn(request, response);
  });
  connections.watch(server);
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
}

function open(text = ''): Socket {
  const socket = connect((server!.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  socket.pause();
  if (text !== '') socket.write(text);
  sockets.push(socket);
  return socket;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function until(done: () => boolean): Promise<void> {
  while (!done()) await turn();
}

/** Lets what is on its way arrive. */
async function settle(): Promise<void> {
  for (let i = 0; i < 200; i++) await turn();
}

describe('a connection', () => {
  it('has its requests answered one after the other, and what is sent ahead is not even read', async () => {
    const waiting: ServerResponse[] = [];
    await serve((_request, response) => waiting.push(response));
    const socket = open(REQUEST.repeat(3_000));
    await until(() => answered === 1);
    await settle();
    expect(answered).toBe(1);
    expect(read).toBeLessThan((2 * limits.adminReadBytes) / REQUEST.length);
    waiting[0]!.end('one');
    await until(() => answered === 2);
    await settle();
    expect(answered).toBe(2);
    socket.destroy();
    await until(() => connections.counts().open === 0);
  });

  it('gets all of its answers in order, however many it asks for at once', async () => {
    await serve((request, response) => response.end(`<${request.url}>`));
    const socket = open();
    let text = '';
    socket.resume();
    socket.on('data', (part) => {
      text += part;
    });
    const paths = Array.from({ length: 500 }, (_, i) => `/${i}`);
    socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`).join(''));
    await until(() => text.includes('</499>'));
    expect([...text.matchAll(/<(\/\d+)>/g)].map(([, path]) => path)).toEqual(paths);
  });

  it('gives everybody else their turn between two requests', async () => {
    await serve((_request, response) => response.end('x'));
    open(REQUEST.repeat(1_000));
    await until(() => answered > 0);
    const before = answered;
    await turn();
    // A clock that stands still never ends a slice: the connection alone has one request in each turn.
    expect(answered - before).toBeLessThan(10);
  });

  it('reads bodies that are larger than what is read at once', async () => {
    let length = 0;
    await serve((request, response) => {
      request.on('data', (part: Buffer) => {
        length += part.length;
      });
      request.on('end', () => response.end('done'));
    });
    const socket = open(`PUT / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50000\r\n\r\n${'b'.repeat(50_000)}`);
    socket.resume();
    await new Promise((resolve) => socket.once('data', resolve));
    expect(length).toBe(50_000);
  });

  it('whose client takes nothing of its answer is closed after some looks', async () => {
    await serve((_request, response) => response.end(Buffer.alloc(20_000_000)));
    open(REQUEST);
    await until(() => answered === 1);
    await settle();
    await clock.advance((limits.adminStalledLooks + 1) * limits.adminLookMs);
    expect(connections.counts()).toMatchObject({ open: 0, closed: { stalled: 1, slow: 0, unread: 0 } });
  });

  it('whose client reads too slowly is closed later, but not one without an end', async () => {
    const responses: ServerResponse[] = [];
    await serve((_request, response) => responses.push(response));
    for (const text of [REQUEST, REQUEST]) open(text);
    await until(() => answered === 2);
    connections.endless(responses[1]!.req.socket);
    const write = (): void => {
      for (const response of responses) if (!response.destroyed) response.write(Buffer.alloc(5_000_000));
    };
    write();
    for (let i = 0; i <= limits.adminSlowLooks; i++) {
      // Each takes a little between two looks, and there is always more.
      for (const response of responses) (response.req.socket as unknown as { takenBytes: number }).takenBytes++;
      await clock.advance(limits.adminLookMs);
    }
    expect(connections.counts()).toMatchObject({ open: 1, closed: { slow: 1, stalled: 0 } });
  });

  it('with the most unread output is closed when it is too much in all', async () => {
    const share = limits.adminUnreadBytesInAll / 2;
    const sizes = [share, 1_000_000, share + 8_000_000];
    await serve((_request, response) => response.end(Buffer.alloc(sizes[answered - 1]!)));
    for (const _size of sizes) {
      const before = answered;
      open(REQUEST);
      await until(() => answered > before);
    }
    await settle();
    await clock.advance(limits.adminLookMs);
    expect(connections.counts()).toMatchObject({ open: 2, closed: { unread: 1 } });
  });
});

describe('connections of one client', () => {
  it('are refused over the bound while all of them are asking, and counted', async () => {
    await serve(() => {});
    for (let i = 0; i < limits.adminConnectionsPerClient; i++) open(REQUEST);
    await until(() => answered === limits.adminConnectionsPerClient);
    const refused = open(REQUEST);
    await new Promise((resolve) => refused.resume().once('close', resolve));
    expect(connections.counts()).toMatchObject({ open: limits.adminConnectionsPerClient, refusedOfClient: 1 });
    expect(answered).toBe(limits.adminConnectionsPerClient);
  });

  it('that wait for nothing make way, the oldest first', async () => {
    await serve((_request, response) => response.end('x'));
    const idle: Socket[] = [];
    for (let i = 0; i < limits.adminConnectionsPerClient; i++) {
      idle.push(open());
      await until(() => connections.counts().open === i + 1);
    }
    const closed = new Promise((resolve) => idle[0]!.resume().once('close', resolve));
    open(REQUEST);
    await closed;
    await until(() => answered === 1);
    expect(connections.counts()).toMatchObject({ open: limits.adminConnectionsPerClient, refusedOfClient: 0 });
  });

  it('are those of an IPv4 address, and of an IPv6 network', () => {
    expect(clientOf('192.0.2.1')).toBe(clientOf('::ffff:192.0.2.1'));
    expect(clientOf('192.0.2.1')).not.toBe(clientOf('192.0.2.2'));
    expect(clientOf('2001:db8:1:2::3')).toBe(clientOf('2001:db8:1:ff::9'));
    expect(clientOf('2001:db8:1:100::3')).not.toBe(clientOf('2001:db8:1:2::3'));
    expect(clientOf('fe80::1%eth0')).toBe(clientOf('fe80::2%eth1'));
  });
});
