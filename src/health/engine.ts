// What runs in the health thread: the monitor, the board's half that is its own, and what it tells the control thread.
import type { Clock, Random } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { EventLevel, EventLogger } from '../base/log.ts';
import { HealthBoard } from './health-board.ts';
import { type HealthBatch, type HealthStart, type LogLine, SIGNAL, type ToHealth } from './messages.ts';
import { Monitor, type MonitorOptions } from './monitor.ts';
import { Outbox } from './outbox.ts';

export interface EngineOptions extends Pick<MonitorOptions, 'probe' | 'lookup'> {
  readonly start: HealthStart;
  readonly clock: Clock;
  readonly random: Random;
  readonly send: (batch: HealthBatch) => void;
}

/** Waits for nobody: no file, no log, no answer of the control thread. */
export class HealthEngine {
  readonly #clock: Clock;
  readonly #monitor: Monitor;
  readonly #board: HealthBoard;
  readonly #outbox: Outbox;
  readonly #signals: Int32Array;
  #taken = 0;
  #cancelBeat = (): void => {};

  constructor(options: EngineOptions) {
    const { start, clock, random, send } = options;
    this.#clock = clock;
    this.#signals = new Int32Array(start.signals);
    this.#board = new HealthBoard(start.board);
    this.#outbox = new Outbox({
      clock,
      acknowledged: () => Atomics.load(this.#signals, SIGNAL.acknowledged),
      send: (queued) => send({ ...queued, ...this.#now() }),
    });
    this.#monitor = new Monitor({
      ...start.settings,
      clock,
      random,
      log: queueLog(start.logLevel, (line) => this.#outbox.line(line)),
      // The control thread keeps them: it is the one who is asked.
      history: 0,
      onHealth: (id, health) => {
        this.#board.report(id, health);
        this.#outbox.told(id, health.verdict, health.sinceMs);
      },
      onEvent: (event) => this.#outbox.event(event),
      onProbe: (key, state, result) => this.#outbox.probed(key, state, result),
      ...(options.probe && { probe: options.probe }),
      ...(options.lookup && { lookup: options.lookup }),
    });
    this.#monitor.resume(start.freeze, start.blackout);
    this.#beat();
  }

  receive(message: ToHealth): void {
    this.#taken++;
    switch (message.kind) {
      case 'targets':
        this.#change(message);
        break;
      case 'freeze':
        this.#monitor.freeze(message.freeze.untilMs, message.freeze.reason, message.freeze.by);
        break;
      case 'thaw':
        this.#monitor.thaw(message.by);
        break;
      case 'leave-alone':
        this.#monitor.leaveAlone(message.admin);
        break;
      case 'stop':
        this.stop();
    }
    // The control thread waits for its word.
    this.#outbox.flush(0);
  }

  /** Ends all probes and tells the last news. */
  stop(): void {
    this.#monitor.stop();
    this.#cancelBeat();
    this.#outbox.stop();
  }

  #change({ changed, gone }: ToHealth & { kind: 'targets' }): void {
    this.#monitor.restore(
      changed.flatMap(({ probes }) => probes),
      changed.flatMap(({ target, told }) => (told === null ? [] : [[target.id, told] as const])),
    );
    for (const { target } of changed) this.#board.set(target);
    for (const id of gone) {
      this.#board.drop(id);
      this.#outbox.forget(id);
    }
    this.#monitor.change(
      changed.map(({ target }) => target),
      gone,
    );
    for (const { target } of changed) this.#board.write(target.id, this.#monitor.health(target.id)!);
    void this.#monitor.firstRound().then(() => this.#outbox.flush(0));
  }

  #now(): Omit<HealthBatch, keyof Parameters<ConstructorParameters<typeof Outbox>[0]['send']>[0]> {
    const monitor = this.#monitor;
    return {
      taken: this.#taken,
      open: monitor.open,
      freeze: monitor.frozen(),
      blackout: monitor.blackout(),
      stats: monitor.stats(),
    };
  }

  #beat(): void {
    Atomics.add(this.#signals, SIGNAL.heartbeat, 1);
    this.#cancelBeat = this.#clock.after(limits.heartbeatMs, () => this.#beat());
  }
}

const LEVELS: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];

/** A log whose lines another thread writes. */
function queueLog(level: string, queue: (line: LogLine) => void): EventLogger {
  const lineOf = (of: EventLevel) =>
    LEVELS.indexOf(of) < LEVELS.indexOf(level)
      ? () => {}
      : (fields: object, message: string) => queue({ level: of, fields, message });
  return { debug: lineOf('debug'), info: lineOf('info'), warn: lineOf('warn'), error: lineOf('error') };
}
