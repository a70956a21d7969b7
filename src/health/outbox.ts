// What the health thread has to tell, until the control thread takes it: bounded, however long that one is busy.
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { ProbeResult } from '../probe/probe.ts';
import type { HealthEvent } from './event.ts';
import type { HealthBatch, LogLine, Probed } from './messages.ts';
import type { State, Verdict } from './state.ts';

/** The part of a batch that queues. */
export type Queued = Pick<HealthBatch, 'probes' | 'told' | 'events' | 'lines' | 'droppedEvents' | 'droppedLines'>;

export interface OutboxOptions {
  readonly clock: Clock;
  /** Sends a batch. */
  readonly send: (queued: Queued) => void;
  /** Batches that were taken. */
  readonly acknowledged: () => number;
}

/**
 * Of a probed thing and of a target only the latest is kept, so these are as many as there are; events and lines that find no room are
 * counted. One batch is under way at a time.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #probes = new Map<string, Probed>();
  readonly #told = new Map<string, readonly [string, Verdict, number | null]>();
  #events: HealthEvent[] = [];
  #lines: LogLine[] = [];
  #droppedEvents = 0;
  #droppedLines = 0;
  #sent = 0;
  #cancel: (() => void) | null = null;
  #dueMs = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** A probe is in: nobody waits for it. */
  probed(key: string, state: State, result: ProbeResult): void {
    const latencies = [...(this.#probes.get(key)?.latencies ?? []), result.latencyMs].slice(-limits.probeHistory);
    this.#probes.set(key, { state, result, latencies });
    this.flush(limits.healthTellMs);
  }

  /** What is told of a target now. */
  told(id: string, verdict: Verdict, sinceMs: number | null): void {
    this.#told.set(id, [id, verdict, sinceMs]);
    this.flush(limits.healthTellMs);
  }

  /** A target is gone. */
  forget(id: string): void {
    this.#told.delete(id);
  }

  event(event: HealthEvent): void {
    if (this.#events.length < limits.healthQueue) this.#events.push(event);
    else this.#droppedEvents++;
    this.flush();
  }

  line(line: LogLine): void {
    if (this.#lines.length < limits.healthQueue) this.#lines.push(line);
    else this.#droppedLines++;
    this.flush();
  }

  /** Sends what there is, be it nothing, in so many milliseconds at the latest. */
  flush(withinMs: number = limits.healthTellSoonMs): void {
    if (this.#stopped) return;
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs + withinMs >= this.#dueMs) return;
    this.#cancel?.();
    this.#dueMs = nowMs + withinMs;
    this.#cancel = clock.after(withinMs, () => this.#send());
  }

  /** Sends everything at once, for the last time. */
  stop(): void {
    if (this.#stopped) return;
    this.#cancel?.();
    this.#stopped = true;
    this.#options.send(this.#take(Number.POSITIVE_INFINITY));
  }

  #send(): void {
    this.#cancel = null;
    this.#dueMs = Number.POSITIVE_INFINITY;
    // The last one has not been taken: what comes meanwhile goes with the next.
    if (this.#options.acknowledged() < this.#sent) {
      this.flush(limits.healthTellAgainMs);
      return;
    }
    this.#sent++;
    this.#options.send(this.#take(limits.healthBatch));
    if (this.#probes.size + this.#told.size + this.#events.length + this.#lines.length > 0) this.flush();
  }

  /** At most so many of each kind, the oldest first. */
  #take(most: number): Queued {
    const queued = {
      probes: takeEntries(this.#probes, most),
      told: takeEntries(this.#told, most).map(([, told]) => told),
      events: this.#events.slice(0, most),
      lines: this.#lines.slice(0, most),
      droppedEvents: this.#droppedEvents,
      droppedLines: this.#droppedLines,
    };
    this.#events = this.#events.slice(most);
    this.#lines = this.#lines.slice(most);
    this.#droppedEvents = 0;
    this.#droppedLines = 0;
    return queued;
  }
}

function takeEntries<V>(map: Map<string, V>, most: number): [string, V][] {
  const taken: [string, V][] = [];
  for (const entry of map) {
    if (taken.length >= most) break;
    taken.push(entry);
    map.delete(entry[0]);
  }
  return taken;
}
