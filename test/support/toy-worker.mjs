// A data thread with the toy responder: workerData says which sockets it serves; word 0 of `control` makes it stop or crash.
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../dist/base/clock.js';
import { loadFfi } from '../../dist/serve/ffi.js';
import { Priority } from '../../dist/serve/priority.js';
import { StreamServer } from '../../dist/serve/stream.js';
import { UdpLoop } from '../../dist/serve/udp.js';
import { ToyResponder } from './toy-responder.mjs';

export const GO_ON = 0;
export const STOP = 1;
export const CRASH = 2;

if (workerData?.toy) {
  const { sockets, bell, tcpFds, control, counters } = workerData;
  const words = new Int32Array(control);
  const row = new Float64Array(counters);
  const responder = new ToyResponder();
  if (tcpFds) {
    const server = new StreamServer({
      responder,
      counters: row,
      clock: systemClock,
      idleTimeoutMs: 10_000,
      maxConnections: 1000,
      maxConnectionsPerClient: 1000,
      ipv4PrefixBits: 32,
      ipv6PrefixBits: 64,
    });
    for (const fd of tcpFds) await server.listenFd(fd);
    parentPort.once('message', async () => {
      await server.close();
      process.exit(0);
    });
    parentPort.postMessage('ready');
  } else {
    const ffi = loadFfi();
    const loop = new UdpLoop({
      ffi,
      priority: new Priority(ffi, false, systemClock.monotonicMs),
      beat: new Int32Array(1),
      sockets,
      bell,
      responder,
      counters: row,
      onBell: () => {
        const order = Atomics.load(words, 0);
        if (order === CRASH) throw new Error('crash was asked for');
        return order === GO_ON;
      },
    });
    parentPort.postMessage('ready');
    loop.run();
    Atomics.store(words, 1, responder.misused);
  }
}
