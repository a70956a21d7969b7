// Entry of the health thread: probes, verdicts and their half of the board, until it is told to stop.
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock, systemRandom } from '../base/clock.ts';
import { keepHeapsSmall } from '../base/heap.ts';
import { HealthEngine } from '../health/engine.ts';
import type { HealthStart, ToHealth } from '../health/messages.ts';
import { scheduleHealth } from './background.ts';

/** What the thread starts with. */
export interface HealthWorkerData extends HealthStart {
  readonly nice: number;
}

keepHeapsSmall();
const { nice, ...start } = workerData as HealthWorkerData;
scheduleHealth(nice);
const port = parentPort!;
const engine = new HealthEngine({
  start,
  clock: systemClock,
  random: systemRandom,
  send: (batch) => port.postMessage(batch),
});
port.on('message', (message: ToHealth) => {
  engine.receive(message);
  if (message.kind === 'stop') port.close();
});
