// Unix sockets that carry descriptors.
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Ffi, loadFfi } from '../../src/serve/ffi.ts';
import { describeSocket } from '../../src/serve/given.ts';
import {
  connectUnix,
  descriptorBatches,
  listenUnix,
  peerUser,
  receiveDescriptors,
  sendDescriptors,
} from '../../src/serve/unix-socket.ts';

const ffi = loadFfi() as Ffi;
let directory = '';
let server: Server | null = null;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-unix-'));
});

afterEach(() => {
  server?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** The two ends of a connection. */
async function pair(file: string): Promise<{ here: number; there: number }> {
  const fd = listenUnix(ffi, file, 1);
  const accepted = new Promise<number>((resolve) => {
    server = createServer((socket) => {
      socket.pause();
      resolve((socket as unknown as { _handle: { fd: number } })._handle.fd);
    });
    server.listen({ fd });
  });
  const here = connectUnix(ffi, file);
  return { here: here!, there: await accepted };
}

describe.skipIf(ffi === null)('a unix socket', () => {
  it('is for its user alone, and knows who is at the other end', async () => {
    const file = join(directory, 'one.sock');
    const { here } = await pair(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(peerUser(ffi, here)).toBe(process.geteuid!());
    ffi.close(here);
  });

  it('carries listening sockets, with their addresses', async () => {
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const { port } = listener.address() as { port: number };
    const fd = (listener as unknown as { _handle: { fd: number } })._handle.fd;
    const { here, there } = await pair(join(directory, 'one.sock'));
    expect(receiveDescriptors(ffi, here)).toBeNull();
    expect(sendDescriptors(ffi, there, Buffer.from('hello'), [fd, fd])).toBe(5);
    const received = receiveDescriptors(ffi, here)!;
    expect(received.bytes.toString()).toBe('hello');
    expect(received.fds.length).toBe(2);
    expect(describeSocket(ffi, received.fds[0]!, 'dns')).toMatchObject({ protocol: 'TCP', port, name: 'dns' });
    for (const one of [...received.fds, here]) ffi.close(one);
    listener.close();
  });

  it('takes a path that is longer than a socket address, and the place of one that lies there', async () => {
    const folder = join(directory, 'x'.repeat(120));
    mkdirSync(folder);
    const file = join(folder, 'one.sock');
    ffi.close(listenUnix(ffi, file, 1));
    expect(connectUnix(ffi, file)).toBeNull();
    const { here } = await pair(file);
    ffi.close(here);
  });

  it('is nobody where there is no file', () => {
    expect(connectUnix(ffi, join(directory, 'none.sock'))).toBeNull();
  });
});

it('descriptors go in batches that the kernel takes', () => {
  const batches = descriptorBatches(Array.from({ length: 450 }, (_, i) => i));
  expect(batches.map((batch) => batch.length)).toEqual([200, 200, 50]);
});
