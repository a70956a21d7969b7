// The log to a unix socket: readers that come late, go, refuse, say nothing or never read.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CONTROL, controlFrame } from '../../dist/querylog/frame-streams.js';
import { SocketOutput } from '../../dist/querylog/socket-output.js';
import { FakeClock } from '../support/clock.ts';
import { HANGS_MS } from '../support/patience.ts';

let folder: string;
let path: string;
let reader: Server | null;
let clock: FakeClock;
let written: number;
let dropped: number;
let troubles: (string | null)[];
const sockets: Socket[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meridian-'));
  path = join(folder, 's');
  reader = null;
  clock = new FakeClock();
  written = 0;
  dropped = 0;
  troubles = [];
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  reader?.close();
  rmSync(folder, { recursive: true, force: true });
});

function output(frames: boolean): SocketOutput {
  return new SocketOutput({
    path,
    frames,
    news: {
      written: (records) => {
        written += records;
      },
      dropped: (records) => {
        dropped += records;
      },
      trouble: (reason) => troubles.push(reason),
    },
    clock,
  });
}

/** Listens; `onSocket` is what the reader does. */
async function listen(onSocket: (socket: Socket) => void): Promise<void> {
  reader = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  reader.listen(path);
  await once(reader, 'listening');
}

async function until(what: () => boolean): Promise<void> {
  const endMs = Date.now() + HANGS_MS;
  while (!what()) {
    if (Date.now() > endMs) throw new Error(`it never came: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

it('a reader that comes late is found, and one that comes back after it went', async () => {
  const out = output(false);
  out.turn();
  await until(() => troubles.length === 1);
  expect(troubles[0]).toMatch(/ENOENT/);
  let text = '';
  await listen((socket) =>
    socket.on('data', (chunk) => {
      text += chunk;
    }),
  );
  // Not before the pause is over.
  out.turn();
  await clock.advance(100);
  out.turn();
  await until(() => out.ready);
  expect(troubles.at(-1)).toBeNull();
  out.write(Buffer.from('one\n'), 1);
  await until(() => text === 'one\n' && written === 1);
  sockets[0]!.destroy();
  await until(() => !out.ready);
  await clock.advance(1000);
  out.turn();
  await until(() => out.ready);
  out.write(Buffer.from('two\n'), 1);
  await until(() => text === 'one\ntwo\n');
  const closed = once(sockets[1]!, 'end');
  void out.close();
  await closed;
});

it('a reader that never reads is not waited for, and what it took with it is counted as dropped', async () => {
  await listen((socket) => socket.pause());
  const out = output(false);
  out.turn();
  await until(() => out.ready);
  let records = 0;
  while (out.ready) {
    out.write(Buffer.alloc(64 * 1024), 10);
    records += 10;
    expect(records).toBeLessThan(10_000);
  }
  sockets[0]!.destroy();
  await until(() => written + dropped === records);
  expect(dropped).toBeGreaterThan(0);
});

it('frames are sent once the reader accepts them, and the stream is ended by both', async () => {
  const seen: Uint8Array[] = [];
  await listen((socket) =>
    socket.on('data', (chunk: Buffer) => {
      seen.push(chunk);
      const all = Buffer.concat(seen);
      if (all.equals(controlFrame(CONTROL.ready))) socket.write(controlFrame(CONTROL.accept));
      if (all.includes(Buffer.from(controlFrame(CONTROL.stop)))) socket.end(Buffer.from(controlFrame(CONTROL.finish)));
    }),
  );
  const out = output(true);
  out.turn();
  await until(() => out.ready);
  out.write(Buffer.from('data'), 1);
  await out.close();
  const wanted = [
    controlFrame(CONTROL.ready),
    controlFrame(CONTROL.start),
    Buffer.from('data'),
    controlFrame(CONTROL.stop),
  ];
  expect(Buffer.concat(seen).equals(Buffer.concat(wanted))).toBe(true);
  expect(written).toBe(1);
});

it.each([
  ['says nothing', (): void => {}, 'the reader does not accept the stream'],
  [
    'speaks HTTP',
    (socket: Socket): void => void socket.write('HTTP/1.1 400 Bad\r\n\r\n'),
    'the reader does not speak Frame Streams',
  ],
  [
    'takes something else',
    (socket: Socket): void => {
      const accept = Buffer.from(controlFrame(CONTROL.accept));
      accept.write('protobuf:another', 20);
      socket.write(accept);
    },
    'the reader takes no dnstap',
  ],
])('a reader that %s is left, and tried again', async (what, does, reason) => {
  await listen(does);
  const out = output(true);
  out.turn();
  await until(() => sockets.length === 1);
  // What it says is heard at once, that it says nothing when its time is over.
  if (what === 'says nothing') await clock.advance(5_000);
  await until(() => troubles.length === 1);
  expect(troubles).toEqual([reason]);
  expect(out.ready).toBe(false);
  await clock.advance(100);
  out.turn();
  await until(() => sockets.length === 2);
  await out.close();
});
