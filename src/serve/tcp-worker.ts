// Entry of the TCP thread: an event loop of its own, away from the control plane's, with the same answer path.
import { type MessagePort, workerData } from 'node:worker_threads';
import { Transfers } from '../answer/transfer.ts';
import { systemClock } from '../base/clock.ts';
import { keepHeapsSmall } from '../base/heap.ts';
import {
  type AnswerMemory,
  type AnswerSettings,
  createAnswerer,
  logged,
  type StopMessage,
  type ThreadMessage,
  takeMessage,
  takeMessages,
} from './answerer.ts';
import { loadFfi } from './ffi.ts';
import { giveSigns } from './heartbeat.ts';
import type { ListenAddress } from './listen.ts';
import { scheduleAsOthers } from './priority.ts';
import { StreamServer } from './stream.ts';

/** What the thread starts with. `fds` null: it opens `listen` itself. */
export interface TcpWorkerData {
  readonly memory: AnswerMemory;
  readonly settings: AnswerSettings;
  readonly port: MessagePort;
  readonly fds: readonly number[] | null;
  readonly listen: readonly ListenAddress[];
  readonly idleTimeoutMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerClient: number;
  readonly ipv4PrefixBits: number;
  readonly ipv6PrefixBits: number;
  /** An int32 that the thread changes while it lives. */
  readonly beat: SharedArrayBuffer;
}

keepHeapsSmall();
const ffi = loadFfi();
if (ffi !== null) scheduleAsOthers(ffi);

const data = workerData as TcpWorkerData;
const { port } = data;
giveSigns(data.beat);
const { answerer, parts } = createAnswerer(data.memory, data.settings, () => {
  const message = takeMessages(port, parts);
  if (message !== null) void stop(message);
});
answerer.transfer = new Transfers(parts).handler;
const server = new StreamServer({
  responder: logged(answerer, data.memory),
  counters: new Float64Array(data.memory.serveCounters),
  clock: systemClock,
  idleTimeoutMs: data.idleTimeoutMs,
  maxConnections: data.maxConnections,
  maxConnectionsPerClient: data.maxConnectionsPerClient,
  ipv4PrefixBits: data.ipv4PrefixBits,
  ipv6PrefixBits: data.ipv6PrefixBits,
});

async function stop({ connectionsMs }: StopMessage): Promise<void> {
  await server.close(connectionsMs);
  port.close();
}

port.on('message', (message: ThreadMessage) => {
  const isStop = takeMessage(message, parts);
  if (isStop !== null) void stop(isStop);
});
const ports: number[] = [];
const failures: string[] = [];
if (data.fds !== null) for (const fd of data.fds) await server.listenFd(fd);
else {
  for (const address of data.listen) {
    const result = await server.listen(address);
    if (typeof result === 'number') ports.push(result);
    else failures.push(result.message);
  }
}
port.postMessage({ kind: 'ready', ports, failures });
