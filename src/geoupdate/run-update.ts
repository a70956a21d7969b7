// Runs an update in a process of its own: opening large databases takes seconds and a gigabyte, and both end with it.
import { fork } from 'node:child_process';
import { limits } from '../base/limits.ts';
import type { UpdateJob, UpdateResult } from './update.ts';

/** What comes back; an error concerns the whole job. */
export type UpdateReply = { readonly results: readonly UpdateResult[] } | { readonly error: string };

/** Rejects when the process ends without a reply, or is ended by the signal. */
export function runUpdate(job: UpdateJob, signal: AbortSignal): Promise<UpdateReply> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./update-process.js', import.meta.url), {
      signal,
      killSignal: 'SIGKILL',
      // Without a limit the young generation grows to a hundred megabytes.
      execArgv: [`--max-semi-space-size=${limits.geoUpdateYoungMb}`],
      // Nothing of it may hold the log or the shell of the server.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      timeout: limits.geoUpdateMs,
    });
    child.once('message', (reply: UpdateReply) => resolve(reply));
    child.once('error', reject);
    child.once('exit', (code, killedBy) => reject(new Error(`the update ended with ${killedBy ?? code}`)));
    child.send(job, (error) => error && reject(error));
  });
}
