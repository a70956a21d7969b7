// Entry of a data thread: serves its UDP sockets with the answer path until it is told to stop.
import { type MessagePort, workerData } from 'node:worker_threads';
import { systemClock } from '../base/clock.ts';
import { keepHeapsSmall } from '../base/heap.ts';
import {
  type AnswerMemory,
  type AnswerSettings,
  createAnswerer,
  logged,
  type ThreadMessage,
  takeMessage,
  takeMessages,
} from './answerer.ts';
import type { BellEnd } from './bell.ts';
import { DgramServer } from './dgram.ts';
import { loadFfi } from './ffi.ts';
import { giveSigns } from './heartbeat.ts';
import { inlineAnswerPath } from './inlining.ts';
import type { ListenAddress } from './listen.ts';
import { Priority, scheduleAsOthers } from './priority.ts';
import type { UdpSocket } from './sockets.ts';
import { UdpLoop } from './udp.ts';

/** What the thread starts with. `sockets` null: no libc here, it listens through node:dgram on `listen`. */
export interface UdpWorkerData {
  readonly memory: AnswerMemory;
  readonly settings: AnswerSettings;
  readonly port: MessagePort;
  readonly sockets: readonly UdpSocket[] | null;
  /** Null where `sockets` is. */
  readonly bell: BellEnd | null;
  readonly listen: readonly ListenAddress[];
  /** Whether it may run before everything else, see priority.ts. */
  readonly realtime: boolean;
  /** An int32 that the thread changes while it lives. */
  readonly beat: SharedArrayBuffer;
}

keepHeapsSmall();
inlineAnswerPath();

const { memory, settings, port, sockets, bell, listen, realtime, beat } = workerData as UdpWorkerData;
let running = true;
const { answerer, parts } = createAnswerer(memory, settings, () => {
  running = takeMessages(port, parts) === null && running;
});
const responder = logged(answerer, memory);
const counters = new Float64Array(memory.serveCounters);

const ffi = loadFfi();

if (sockets !== null && bell !== null) {
  if (ffi === null) throw new Error('libc could be loaded in the main thread, but not here');
  const priority = new Priority(ffi, realtime, systemClock.monotonicMs);
  port.postMessage({ kind: 'ready', ports: [], failures: [], realtime: priority.allowed });
  new UdpLoop({
    ffi,
    sockets,
    bell,
    responder,
    priority,
    beat: new Int32Array(beat),
    counters,
    onBell: () => {
      running = takeMessages(port, parts) === null && running;
      return running;
    },
  }).run();
  port.close();
} else {
  if (ffi !== null) scheduleAsOthers(ffi);
  giveSigns(beat);
  const server = new DgramServer({ responder, counters });
  const results = [];
  for (const address of listen) results.push(await server.listen(address));
  port.on('message', (message: ThreadMessage) => {
    if (takeMessage(message, parts) !== null) void server.close().then(() => port.close());
  });
  port.postMessage({
    kind: 'ready',
    ports: results.filter((result) => typeof result === 'number'),
    failures: results.filter((result) => typeof result !== 'number').map((failure) => failure.message),
    realtime: false,
  });
}
