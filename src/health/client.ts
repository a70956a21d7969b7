// The control thread's end of the health thread: tells it the targets and what an operator wants, follows its news, starts it again.
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { EventLogger, Logger } from '../base/log.ts';
import type { Storage } from '../base/storage.ts';
import type { HealthEvent } from './event.ts';
import type { TargetHealth, WatchedTarget } from './health.ts';
import { Inbox } from './inbox.ts';
import {
  type HealthBatch,
  type HealthSettings,
  type HealthStart,
  SIGNAL,
  SIGNAL_WORDS,
  type ToHealth,
} from './messages.ts';
import { HealthMirror } from './mirror.ts';
import type { Blackout, Freeze, Saved } from './saved.ts';
import type { HealthSource } from './saved-health.ts';
import type { ScheduleStats } from './schedule.ts';
import { VerdictStore } from './verdict-store.ts';

/** A running health thread. */
export interface HealthLink {
  send(message: ToHealth): void;
  /** Ends it at once, whatever it is doing. */
  terminate(): void;
}

export interface HealthClientOptions {
  readonly settings: HealthSettings;
  readonly logLevel: string;
  readonly board: SharedArrayBuffer;
  /** Where verdicts are kept across restarts; null: nowhere. */
  readonly stateFile: { readonly file: string; readonly storage: Storage } | null;
  readonly onEvent: (event: HealthEvent) => void;
  /** Starts a thread. `onEnd` is called once when it has ended, with the reason when it failed. */
  readonly start: (
    start: HealthStart,
    onBatch: (batch: HealthBatch) => void,
    onEnd: (error: Error | null) => void,
  ) => HealthLink;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What it says of itself, beside the schedule's figures. */
export interface HealthStats extends ScheduleStats {
  /** Times that the thread was started again. */
  readonly restarts: number;
  /** What the thread could not tell, since the control thread was busy for too long. */
  readonly droppedEvents: number;
  readonly droppedLines: number;
}

const NOTHING_YET: ScheduleStats = { jobs: 0, running: 0, waiting: 0, started: 0, mostLateMs: 0, late: [] };

export class HealthClient implements HealthSource {
  readonly #options: HealthClientOptions;
  /** What a thread that is started again starts with. */
  #settings: HealthSettings;
  readonly #mirror = new HealthMirror();
  readonly #store: VerdictStore | null;
  readonly #signals = new SharedArrayBuffer(SIGNAL_WORDS * 4);
  readonly #words = new Int32Array(this.#signals);
  #link: HealthLink | null = null;
  readonly #inbox = new Inbox((id) => this.#mirror.known(id));
  #open = 0;
  #waiters: { readonly done: () => boolean; readonly resolve: () => void }[] = [];
  #stats: ScheduleStats = NOTHING_YET;
  /** Figures of the threads that have ended. */
  #earlier: ScheduleStats = NOTHING_YET;
  #restarts = 0;
  #droppedEvents = 0;
  #droppedLines = 0;
  #startedAtMs = 0;
  #restartMs: number = limits.threadRestartMs;
  #cancelRestart = (): void => {};
  #stopping = false;

  constructor(options: HealthClientOptions) {
    this.#options = options;
    this.#settings = options.settings;
    const { clock, stateFile } = options;
    const snapshot = (): Saved | null => this.#mirror.snapshot(clock.nowMs());
    this.#store = stateFile === null ? null : new VerdictStore({ ...stateFile, snapshot });
  }

  /** Takes up the saved verdicts, as far as they can be read, and starts the thread. Probes start with `setTargets`. */
  start(): void {
    const saved = this.#store?.load() ?? null;
    if (saved !== null) this.#mirror.restore(saved);
    this.#startThread();
  }

  /** The saved verdicts as they are now. */
  saved(): Saved | null {
    return this.#store?.load() ?? null;
  }

  // ---- What it is told -------------------------------------------------------------------------------------------------

  /** The targets from now on; the thread is told of what is new, gone, or other than before. */
  setTargets(targets: readonly WatchedTarget[]): void {
    const { changed, gone } = this.#mirror.set(targets);
    this.#inbox.change(changed, gone);
    this.#store?.soon();
    this.#pump();
  }

  /** Lets verdicts stand still until `untilMs` (wall clock; null: until `thaw`); probes go on. */
  freeze(untilMs: number | null, reason: string, by: string): void {
    const freeze = { untilMs, reason, by };
    this.#mirror.freeze = freeze;
    this.#command({ kind: 'freeze', freeze });
  }

  /** Where the admin listens from now on, which probes leave alone. */
  leaveAlone(admin: NonNullable<HealthSettings['rules']['admin']>): void {
    this.#settings = { ...this.#settings, rules: { ...this.#settings.rules, admin } };
    this.#command({ kind: 'leave-alone', admin });
  }

  /** Ends a freeze: verdicts are what the probes say. */
  thaw(by: string): void {
    if (this.#mirror.freeze === null) return;
    this.#mirror.freeze = null;
    this.#command({ kind: 'thaw', by });
  }

  // ---- What is known ---------------------------------------------------------------------------------------------------

  health(id: string): TargetHealth | undefined {
    return this.#mirror.health(id);
  }

  frozen(): Freeze | null {
    return this.#mirror.freeze;
  }

  /** The blackout whose verdicts are held, if there is one. */
  blackout(): Blackout | null {
    return this.#mirror.blackout;
  }

  stats(): HealthStats {
    const [earlier, now] = [this.#earlier, this.#stats];
    return {
      ...now,
      started: earlier.started + now.started,
      mostLateMs: Math.max(earlier.mostLateMs, now.mostLateMs),
      late: addUp(earlier.late, now.late),
      restarts: this.#restarts,
      droppedEvents: this.#droppedEvents,
      droppedLines: this.#droppedLines,
    };
  }

  /** Its element SIGNAL.heartbeat changes at least every limits.heartbeatMs while the thread turns; 0 until it does. */
  get signs(): Int32Array {
    return this.#words;
  }

  /** Resolves when the thread has all targets and each of them a verdict; saved ones count at once. */
  firstRound(): Promise<void> {
    return this.#when(() => this.#inbox.upToDate && this.#open === 0);
  }

  /** Resolves when the thread knows the targets as they are now. Never waits for longer than limits.healthTakenMs. */
  async taken(): Promise<void> {
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#options.clock.after(limits.healthTakenMs, resolve);
    });
    await Promise.race([this.#when(() => this.#inbox.upToDate), late]);
    cancel();
  }

  /** Calls back once the thread knows nothing any more of what is gone now. */
  whenTaken(callback: () => void): void {
    void this.#when(() => this.#inbox.upToDate).then(callback);
  }

  #when(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ done, resolve });
      this.#settle();
    });
  }

  #settle(): void {
    const [over, left] = [this.#waiters.filter(({ done }) => done()), this.#waiters.filter(({ done }) => !done())];
    this.#waiters = left;
    for (const { resolve } of over) resolve();
  }

  // ---- The thread ------------------------------------------------------------------------------------------------------

  /** Ends the thread, one that hangs too, and starts another, which goes on from what is known here. */
  restart(): void {
    this.#link?.terminate();
  }

  /** Ends all probes and writes the state file. Ends within limits.stopMs, but for the disk. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelRestart();
    if (this.#link !== null) {
      this.#link.send({ kind: 'stop' });
      const cancel = this.#options.clock.after(limits.stopMs, () => this.#link?.terminate());
      await this.#when(() => this.#link === null);
      cancel();
    }
    await this.#store?.stop();
  }

  #startThread(): void {
    const { logLevel, board, clock, start } = this.#options;
    const settings = this.#settings;
    const { freeze, blackout } = this.#mirror;
    Atomics.store(this.#words, SIGNAL.acknowledged, 0);
    Atomics.store(this.#words, SIGNAL.heartbeat, 0);
    this.#startedAtMs = clock.monotonicMs();
    // A batch of a thread that has been given up may still be under way.
    let over = false;
    const end = (error: Error | null): void => {
      // Told twice, two successors would be started.
      if (over) return;
      over = true;
      this.#ended(error);
    };
    try {
      this.#link = start(
        { settings, logLevel, freeze, blackout, board, signals: this.#signals },
        (batch) => {
          if (!over) this.#take(batch);
        },
        end,
      );
    } catch (error) {
      // Out of memory or descriptors, for one: it may pass.
      end(error as Error);
      return;
    }
    this.#pump();
  }

  #ended(error: Error | null): void {
    const { log, clock } = this.#options;
    this.#link = null;
    this.#earlier = { ...this.stats(), jobs: 0, running: 0, waiting: 0 };
    this.#stats = NOTHING_YET;
    this.#settle();
    if (error !== null)
      log.error({ event: 'thread-failed', thread: 'health', error: error.stack ?? error.message }, 'a thread failed');
    if (this.#stopping) return;
    log.error({ event: 'thread-restarted', thread: 'health' }, 'a thread ended and is started again');
    this.#restarts++;
    this.#inbox.startOver(this.#mirror.ids());
    this.#open = 0;
    const ranMs = clock.monotonicMs() - this.#startedAtMs;
    this.#restartMs =
      ranMs > limits.healthRestartMs ? limits.threadRestartMs : Math.min(2 * this.#restartMs, limits.healthRestartMs);
    this.#cancelRestart = clock.after(this.#restartMs, () => this.#startThread());
  }

  #command(command: ToHealth): void {
    this.#inbox.command(command);
    this.#store?.soon();
    this.#pump();
  }

  #pump(): void {
    if (this.#link === null) return;
    for (let message = this.#inbox.next(); message !== null; message = this.#inbox.next()) this.#link.send(message);
  }

  #take(batch: HealthBatch): void {
    this.#inbox.taken(batch.taken);
    this.#open = batch.open;
    this.#stats = batch.stats;
    this.#droppedEvents += batch.droppedEvents;
    this.#droppedLines += batch.droppedLines;
    let changed = this.#mirror.apply(batch);
    // A freeze that the thread has yet to hear of is the truth already.
    if (this.#inbox.obeyed) {
      changed ||= this.#mirror.freeze !== null && batch.freeze === null;
      this.#mirror.freeze = batch.freeze;
    }
    changed ||= this.#mirror.blackout?.untilMs !== batch.blackout?.untilMs;
    this.#mirror.blackout = batch.blackout;
    if (changed) this.#store?.soon();
    const log: EventLogger = this.#options.log;
    for (const { level, fields, message } of batch.lines) log[level](fields, message);
    for (const event of batch.events) this.#options.onEvent(event);
    this.#warnOfLoss(batch);
    Atomics.add(this.#words, SIGNAL.acknowledged, 1);
    this.#settle();
    this.#pump();
  }

  #warnOfLoss({ droppedEvents: events, droppedLines: lines }: HealthBatch): void {
    if (events + lines === 0) return;
    this.#options.log.error(
      { event: 'health-news-dropped', events, lines },
      'the control thread was busy for so long that news of the health thread were dropped; verdicts were not',
    );
  }
}

function addUp(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0));
}
