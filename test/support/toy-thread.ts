// Starts, stops and crashes data threads with the toy responder.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Bell, openBell } from '../../dist/serve/bell.js';
import { serveCounters } from '../../dist/serve/counters.js';
import { type Ffi, loadFfi } from '../../dist/serve/ffi.js';
import type { UdpSocket } from '../../dist/serve/sockets.js';

const STOP = 1;
const CRASH = 2;

/** The calls, in a test that needs them. */
export function ffiHere(): Ffi {
  const ffi = loadFfi();
  if (ffi === null) throw new Error('libc cannot be called here');
  return ffi;
}

export interface ToyThread {
  readonly counters: Float64Array;
  readonly bell: Bell;
  /** Ends the loop and waits for the thread. Returns how often the responder was called outside of a batch. */
  stop(): Promise<number>;
  /** Makes the loop throw and waits until the thread is gone. */
  crash(): Promise<void>;
}

/** A thread that runs UdpLoop over these sockets. */
export async function startUdpThread(ffi: Ffi, sockets: readonly UdpSocket[]): Promise<ToyThread> {
  const bell = openBell(ffi);
  const control = new SharedArrayBuffer(8);
  const words = new Int32Array(control);
  const counters = new SharedArrayBuffer(serveCounters().byteLength);
  const worker = new Worker(new URL('./toy-worker.mjs', import.meta.url), {
    workerData: { toy: true, sockets, bell: { fd: bell.fd, rings: bell.rings }, control, counters },
  });
  await once(worker, 'message');
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const order = async (what: number): Promise<void> => {
    Atomics.store(words, 0, what);
    bell.ring();
    await exited;
    bell.close();
  };
  return {
    counters: new Float64Array(counters),
    bell,
    stop: async () => {
      await order(STOP);
      return Atomics.load(words, 1);
    },
    crash: async () => {
      worker.on('error', () => {});
      await order(CRASH);
    },
  };
}

/** A thread that runs StreamServer over listening sockets; `stop` closes gracefully, `crash` ends it on the spot. */
export async function startTcpThread(
  tcpFds: readonly number[],
): Promise<{ stop(): Promise<void>; crash(): Promise<void> }> {
  const worker = new Worker(new URL('./toy-worker.mjs', import.meta.url), {
    workerData: {
      toy: true,
      tcpFds,
      control: new SharedArrayBuffer(8),
      counters: new SharedArrayBuffer(serveCounters().byteLength),
    },
  });
  await once(worker, 'message');
  return {
    stop: async () => {
      const exited = once(worker, 'exit');
      worker.postMessage('stop');
      await exited;
    },
    crash: async () => {
      await worker.terminate();
    },
  };
}
