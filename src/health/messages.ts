// What the control thread and the health thread tell each other. Both sides have bounds: see outbox.ts and client.ts.
import type { EventLevel } from '../base/log.ts';
import type { ProbeResult } from '../probe/probe.ts';
import type { ProbeRules } from '../probe/reach.ts';
import type { HealthEvent } from './event.ts';
import type { Told, WatchedTarget } from './health.ts';
import type { MonitorOptions } from './monitor.ts';
import type { Blackout, Freeze, SavedProbe } from './saved.ts';
import type { ScheduleStats } from './schedule.ts';
import type { State, Verdict } from './state.ts';

/** What the settings say. */
export type HealthSettings = Pick<MonitorOptions, 'maxConcurrent' | 'blackoutHoldMs' | 'rules'>;

/** What a health thread starts with. */
export interface HealthStart {
  readonly settings: HealthSettings;
  /** Log lines below this level are not made. */
  readonly logLevel: string;
  readonly freeze: Freeze | null;
  readonly blackout: Blackout | null;
  readonly board: SharedArrayBuffer;
  /** Words by `SIGNAL`. */
  readonly signals: SharedArrayBuffer;
}

/** Words that both threads see at once. */
export const SIGNAL = {
  /** Changes at least every limits.heartbeatMs while the health thread turns. */
  heartbeat: 0,
  /** Batches that the control thread has taken from this health thread. */
  acknowledged: 1,
} as const;
export const SIGNAL_WORDS = 2;

/** A target with what is known of it already. */
export interface KnownTarget {
  readonly target: WatchedTarget;
  readonly told: Told | null;
  /** By the keys of its plain checks. */
  readonly probes: readonly (readonly [string, SavedProbe])[];
}

/** To the health thread. */
export type ToHealth =
  | { readonly kind: 'targets'; readonly changed: readonly KnownTarget[]; readonly gone: readonly string[] }
  | { readonly kind: 'freeze'; readonly freeze: Freeze }
  | { readonly kind: 'thaw'; readonly by: string }
  | { readonly kind: 'leave-alone'; readonly admin: NonNullable<ProbeRules['admin']> }
  | { readonly kind: 'stop' };

/** What is known of a probed thing since the last batch that had it. */
export interface Probed {
  readonly state: State;
  readonly result: ProbeResult;
  /** Milliseconds of the probes since then, oldest first. */
  readonly latencies: readonly number[];
}

export interface LogLine {
  readonly level: EventLevel;
  readonly fields: object;
  readonly message: string;
}

/** To the control thread: everything that happened since the last batch, or as much of it as one batch may hold. */
export interface HealthBatch {
  /** Messages that the health thread has taken so far. */
  readonly taken: number;
  /** Targets that have no verdict yet, as of now. */
  readonly open: number;
  readonly probes: readonly (readonly [key: string, Probed])[];
  readonly told: readonly (readonly [id: string, verdict: Verdict, sinceMs: number | null])[];
  readonly events: readonly HealthEvent[];
  readonly lines: readonly LogLine[];
  /** Events and log lines that found no room since the last batch. */
  readonly droppedEvents: number;
  readonly droppedLines: number;
  readonly freeze: Freeze | null;
  readonly blackout: Blackout | null;
  readonly stats: ScheduleStats;
}
