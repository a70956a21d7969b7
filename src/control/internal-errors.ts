// What becomes of an exception or rejection that nobody expected: it is logged with its stack and counted, and everything goes on.
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';

const MINUTE_MS = 60_000;

/** Programmers' mistakes in the control plane. One for the process. */
export class InternalErrors {
  readonly #clock: Clock;
  readonly #log: Logger;
  #count = 0;
  #minute = Number.NEGATIVE_INFINITY;
  #logged = 0;
  #cancelRecover: (() => void) | null = null;
  /** Called a moment after an error, for many at once but once: looks whether the parts still work. */
  recover: () => void = () => {};

  constructor(options: { clock: Clock; log: Logger }) {
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** @param origin where it came up: `uncaughtException`, a thread's name, a part of the control plane */
  report(error: unknown, origin: string): void {
    this.#count++;
    const minute = Math.floor(this.#clock.monotonicMs() / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#logged = 0;
    }
    if (this.#logged++ < limits.internalErrorsLogged) {
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#log.error({ event: 'internal-error', origin, error: stack }, 'a mistake of the program: it goes on');
    }
    this.#cancelRecover ??= this.#clock.after(limits.recoverMs, () => {
      this.#cancelRecover = null;
      this.recover();
    });
  }

  /** Takes over what would end the process. Returns what gives it back. */
  catchAll(): () => void {
    const onException = (error: unknown): void => this.report(error, 'uncaughtException');
    const onRejection = (error: unknown): void => this.report(error, 'unhandledRejection');
    process.on('uncaughtException', onException);
    process.on('unhandledRejection', onRejection);
    return () => {
      process.off('uncaughtException', onException);
      process.off('unhandledRejection', onRejection);
    };
  }

  stop(): void {
    this.#cancelRecover?.();
    this.#cancelRecover = null;
    this.recover = () => {};
  }
}
