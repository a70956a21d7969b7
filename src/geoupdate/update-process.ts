// Entry of the process that a server's scheduled update runs in: one job comes in, its results go out.
import { setPriority } from 'node:os';
import { systemClock } from '../base/clock.ts';
import type { UpdateReply } from './run-update.ts';
import { type UpdateJob, updateDatabases } from './update.ts';

/** Niceness: answering, probing and loading come first. */
const BEHIND_ALL = 15;

try {
  setPriority(BEHIND_ALL);
} catch {
  // Where it isn't allowed, updating is merely less polite.
}

// A server that has ended needs no news.
process.on('disconnect', () => process.exit());

process.once('message', (job: UpdateJob) => {
  void updateDatabases(job, systemClock)
    .then(
      (results): UpdateReply => ({ results }),
      (error: Error): UpdateReply => ({ error: error.message }),
    )
    // What is said last must have left before the line is cut.
    .then((reply) => process.send?.(reply, () => process.disconnect()));
});
