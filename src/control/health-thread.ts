// Starts the health thread: probes and verdicts go on in it whatever the control thread is busy with.
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { limits } from '../base/limits.ts';
import type { HealthLink } from '../health/client.ts';
import type { HealthBatch, HealthStart, ToHealth } from '../health/messages.ts';
import type { HealthWorkerData } from './health-worker.ts';

/** `onEnd` is called once when it has ended, with the reason when it failed. */
export function startHealthThread(
  start: HealthStart,
  onBatch: (batch: HealthBatch) => void,
  onEnd: (error: Error | null) => void,
): HealthLink {
  let failure: Error | null = null;
  const worker = new Worker(new URL('./health-worker.bundle.js', import.meta.url), {
    workerData: { ...start, nice: getPriority() } satisfies HealthWorkerData,
    name: 'health',
    resourceLimits: { maxYoungGenerationSizeMb: limits.healthYoungMb },
  });
  worker.on('message', onBatch);
  worker.on('error', (error: Error) => {
    failure = error;
  });
  worker.on('exit', () => onEnd(failure));
  return {
    send: (message: ToHealth) => worker.postMessage(message),
    terminate: () => void worker.terminate(),
  };
}
