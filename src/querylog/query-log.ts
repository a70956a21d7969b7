// The control thread's end of the query log: has the rings and the thread that empties them, starts it again, and says how it fares.
import { Worker } from 'node:worker_threads';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { EventLogger } from '../base/log.ts';
import { createRing, ringDropped } from '../board/ring.ts';
import type { QueryTapMemory } from '../serve/query-tap.ts';
import type { QueryLogSettings } from '../settings/query-log.ts';
import { type FromWriter, type ToWriter, WRITER_COUNT, type WriterStart } from './messages.ts';
import type { NewNames } from './zone-names.ts';

export interface QueryLogOptions {
  readonly settings: QueryLogSettings;
  readonly identity: string;
  readonly version: string;
  /** An exception ended the thread. */
  readonly onFault: (error: unknown) => void;
  readonly clock: Clock;
  readonly log: EventLogger;
}

export class QueryLog {
  readonly #options: QueryLogOptions;
  readonly #rings = new Map<number, SharedArrayBuffer>();
  readonly #counts = new SharedArrayBuffer(WRITER_COUNT.size * 8);
  /** The names of every zone, by number: what a thread that is started again starts with. */
  readonly #names = new Map<number, NewNames>();
  #worker: Worker | null = null;
  #trouble: string | null = null;
  #stopping = false;
  #cancelRestart = (): void => {};

  constructor(options: QueryLogOptions) {
    this.#options = options;
  }

  /** What the thread with this reader number is told of it. A successor goes on in the same ring. */
  memory(reader: number): QueryTapMemory {
    let ring = this.#rings.get(reader);
    if (ring === undefined) {
      ring = createRing(limits.queryRingBytes);
      this.#rings.set(reader, ring);
      this.#send({ kind: 'ring', ring });
    }
    return { ring, sample: this.#options.settings.sample };
  }

  /** Queries that were written, and those that were dropped since nobody took them in time. */
  get counts(): { written: number; dropped: number } {
    const counts = new Float64Array(this.#counts);
    let dropped = counts[WRITER_COUNT.dropped]!;
    for (const ring of this.#rings.values()) dropped += ringDropped(ring);
    return { written: counts[WRITER_COUNT.written]!, dropped };
  }

  /** What is wrong, a sentence. */
  get problem(): string | null {
    if (this.#trouble === null) return null;
    return `queries are not logged to ${this.#place}: ${this.#trouble}`;
  }

  start(): void {
    if (this.#stopping) return;
    const { settings, identity, version, onFault, log, clock } = this.#options;
    const start: WriterStart = {
      settings,
      rings: [...this.#rings.values()],
      names: [...this.#names.values()],
      counts: this.#counts,
      identity,
      version,
    };
    const worker = new Worker(new URL('./writer-worker.js', import.meta.url), {
      workerData: start,
      name: 'query-log',
      resourceLimits: { maxYoungGenerationSizeMb: limits.queryLogYoungMb },
    });
    this.#worker = worker;
    worker.on('message', ({ trouble }: FromWriter) => this.#tell(trouble));
    worker.on('error', (error: Error) => {
      log.error(
        { event: 'thread-failed', thread: 'query-log', error: error.stack ?? error.message },
        'a thread failed',
      );
      onFault(error);
    });
    worker.on('exit', () => {
      this.#worker = null;
      if (this.#stopping) return;
      log.error({ event: 'thread-restarted', thread: 'query-log' }, 'a thread ended and is started again');
      this.#cancelRestart = clock.after(limits.threadRestartMs, () => this.start());
    });
  }

  /** Tells how zones that are served from now on are called, with their pools and regions. */
  names({ sinceMs, zones }: NewNames): void {
    for (const zone of zones) this.#names.set(zone.number, { sinceMs, zones: [zone] });
    this.#send({ kind: 'names', names: { sinceMs, zones } });
  }

  /** Opens the file anew: somebody may have put it aside. */
  reopen(): void {
    this.#send({ kind: 'reopen' });
  }

  /** Writes what the data threads left, as far as that goes at once. They have ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelRestart();
    const worker = this.#worker;
    if (worker === null) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.#send({ kind: 'stop' });
    let cancel = (): void => {};
    // Where the disk hangs it can't be ended: whoever ends the process doesn't wait for it (cli/serve.ts).
    const late = new Promise<void>((resolve) => {
      cancel = this.#options.clock.after(limits.queryLogStopMs, () => {
        void worker.terminate();
        resolve();
      });
    });
    await Promise.race([ended, late]);
    cancel();
  }

  get #place(): string {
    const { to } = this.#options.settings;
    return to.kind === 'stdout' ? 'stdout' : to.path;
  }

  #send(message: ToWriter): void {
    this.#worker?.postMessage(message);
  }

  #tell(trouble: string | null): void {
    const was = this.#trouble;
    this.#trouble = trouble;
    const { log } = this.#options;
    const fields = { to: this.#place };
    if (trouble !== null && was === null) {
      log.warn({ event: 'query-log-failed', ...fields, error: trouble }, 'queries cannot be logged for now');
    } else if (trouble === null && was !== null) {
      log.info({ event: 'query-log-works', ...fields, dropped: this.counts.dropped }, 'queries are logged again');
    }
  }
}
