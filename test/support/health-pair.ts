// Both ends of the health thread in one thread: the client and the engine over imaginary backends, messages copied as between threads.
import { Board } from '../../dist/board/board.js';
import { HealthClient, type HealthClientOptions } from '../../dist/health/client.js';
import { HealthEngine } from '../../dist/health/engine.js';
import type { TargetSpec, WatchedTarget } from '../../dist/health/health.js';
import type { HealthBatch, HealthStart, ToHealth } from '../../dist/health/messages.js';
import type { FakeClock } from './clock.ts';
import { Backends } from './fleet.ts';
import { TestStorage } from './storage.ts';

export class HealthPair extends Backends {
  readonly board = new Board();
  readonly client: HealthClient;
  readonly storage: TestStorage;
  /** Batches that the control thread got, and messages that the health thread got. */
  readonly batches: HealthBatch[] = [];
  readonly messages: ToHealth[] = [];
  /** What each thread was started with. */
  readonly starts: HealthStart[] = [];
  /** Whether the control thread, or the health thread, turns; what comes meanwhile waits. */
  controlTurns = true;
  healthTurns = true;
  readonly #toControl: HealthBatch[] = [];
  readonly #toHealth: ToHealth[] = [];
  #engine: HealthEngine | null = null;
  #ids: string[] = [];
  #end = (_error: Error | null): void => {};

  constructor(
    options: Partial<Omit<HealthClientOptions, 'stateFile'>> & { clock?: FakeClock; stateFile?: string } = {},
  ) {
    super(options.clock);
    this.storage = new TestStorage(this.clock);
    this.client = new HealthClient({
      settings: {
        maxConcurrent: 500,
        blackoutHoldMs: 60_000,
        rules: { exec: false, files: [], linkLocal: false, admin: null },
      },
      logLevel: 'trace',
      board: this.board.buffer,
      onEvent: (event) => this.events.push(event),
      start: (start, onBatch, onEnd) => this.#start(start, onBatch, onEnd),
      log: this.log,
      ...options,
      stateFile: options.stateFile === undefined ? null : { file: options.stateFile, storage: this.storage },
      clock: this.clock,
    });
    this.client.start();
  }

  setTargets(specs: readonly TargetSpec[], more: Partial<WatchedTarget> = {}): void {
    this.#ids = specs.map(({ id }) => id);
    this.client.setTargets(
      specs.map((spec) => ({ ...spec, slot: this.board.slot(spec.id), shed: null, capacity: null, ...more })),
    );
  }

  verdicts(): string {
    return this.#ids.map((id) => this.client.health(id)?.verdict ?? 'none').join(' ');
  }

  /** The health thread dies. */
  die(error = new Error('out of memory')): void {
    const engine = this.#engine;
    this.#engine = null;
    engine?.stop();
    this.#toHealth.length = 0;
    this.#end(error);
  }

  /** Ends both as a server does. */
  async stop(): Promise<void> {
    const stopped = this.client.stop();
    await this.clock.advance(1);
    await stopped;
  }

  /** Delivers what waits, in both directions, until nothing does. */
  deliver(): void {
    for (;;) {
      const message = this.healthTurns && this.#engine !== null ? this.#toHealth.shift() : undefined;
      const batch = this.controlTurns ? this.#toControl.shift() : undefined;
      if (message !== undefined) this.#engine!.receive(message);
      if (batch !== undefined) this.#onBatch(batch);
      if (message?.kind === 'stop') {
        this.deliver();
        this.#end(null);
      }
      if (message === undefined && batch === undefined) return;
    }
  }

  #onBatch = (_batch: HealthBatch): void => {};

  #start(
    start: HealthStart,
    onBatch: (batch: HealthBatch) => void,
    onEnd: (error: Error | null) => void,
  ): { send: (message: ToHealth) => void; terminate: () => void } {
    this.starts.push(start);
    this.#onBatch = onBatch;
    this.#end = onEnd;
    const later = (): void => void this.clock.after(0, () => this.deliver());
    const engine = new HealthEngine({
      start,
      clock: this.clock,
      random: this.random,
      probe: this.probe,
      send: (batch) => {
        if (this.#engine !== engine) return;
        this.batches.push(batch);
        this.#toControl.push(structuredClone(batch));
        later();
      },
    });
    this.#engine = engine;
    return {
      send: (message) => {
        this.messages.push(message);
        this.#toHealth.push(structuredClone(message));
        later();
      },
      terminate: () => this.clock.after(0, () => this.die()),
    };
  }
}
