// Ports for programs that must be told theirs: nobody else gets them meanwhile.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Ports that the kernel gives to nobody by itself (it begins at 32768): a part of them for each of the processes that run tests. */
const FIRST_PORT = 10_240;
const PORTS = 2_560;
const PARTS = 8;
let nextPort = Math.floor(Math.random() * PORTS);

/** A port of 127.0.0.1, TCP and UDP, that is free, and stays so until whoever asked for it takes it. */
export async function freePort(): Promise<number> {
  const part = Number(process.env.VITEST_POOL_ID ?? 0) % PARTS;
  for (;;) {
    nextPort = (nextPort + 1) % PORTS;
    const port = FIRST_PORT + part * PORTS + nextPort;
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const stream = createServer();
  const datagrams = createSocket('udp4');
  try {
    stream.listen(port, '127.0.0.1');
    await once(stream, 'listening');
    datagrams.bind(port, '127.0.0.1');
    await once(datagrams, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    await Promise.all(
      [stream, datagrams].map(
        (one) =>
          new Promise<void>((resolve) => {
            try {
              one.close(() => resolve());
            } catch {
              // It never listened.
              resolve();
            }
          }),
      ),
    );
  }
}
