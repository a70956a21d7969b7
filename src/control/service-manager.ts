// Tells the service manager how the server is (sd_notify(3)): ready, reloading, stopping, alive.
import type { Clock } from '../base/clock.ts';
import type { Ffi } from '../serve/ffi.ts';
import { sendUnixDatagram } from '../serve/unix-socket.ts';

/** Where a service manager listens, and how often it wants a sign of life; 0: never. */
export interface ManagerAddress {
  readonly socket: string;
  readonly watchdogUs: number;
}

/** What the environment says of a service manager, which is taken out of it: it is meant for this process alone. null: there is none. */
export function managerOf(env: NodeJS.ProcessEnv, pid: number): ManagerAddress | null {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: meant } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (socket === undefined || !/^[/@]./.test(socket)) return null;
  const watchdogUs = meant === undefined || meant === String(pid) ? Number(usec) : 0;
  return { socket, watchdogUs: Number.isFinite(watchdogUs) && watchdogUs > 0 ? watchdogUs : 0 };
}

/** Silent where there is no service manager; one that doesn't listen is no trouble of ours. */
export class ServiceManager {
  readonly #ffi: Ffi | null;
  readonly #clock: Clock;
  readonly #pid: number;
  readonly address: ManagerAddress | null;
  #isMain = true;
  #cancel = (): void => {};

  constructor(options: { address: ManagerAddress | null; ffi: Ffi | null; pid: number; clock: Clock }) {
    this.address = options.address;
    this.#ffi = options.ffi;
    this.#pid = options.pid;
    this.#clock = options.clock;
  }

  /** This process answers; it is the service's main process, whoever was before. */
  ready(): void {
    this.#tell(`MAINPID=${this.#pid}\nREADY=1\nSTATUS=answering`);
    this.#live();
  }

  reloading(): void {
    // Of CLOCK_MONOTONIC, which Node's is.
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  reloaded(): void {
    this.#tell('READY=1');
  }

  stopping(): void {
    this.#cancel();
    if (!this.#isMain) return;
    this.#tell('STOPPING=1');
  }

  /** Another process is the service now. */
  leave(): void {
    this.#isMain = false;
    this.#cancel();
  }

  /** Signs of life, twice as often as they are wanted. */
  #live(): void {
    this.#cancel();
    const everyMs = (this.address?.watchdogUs ?? 0) / 2000;
    if (everyMs <= 0) return;
    this.#tell('WATCHDOG=1');
    this.#cancel = this.#clock.after(everyMs, () => this.#live());
  }

  #tell(text: string): void {
    if (this.address === null || this.#ffi === null) return;
    try {
      sendUnixDatagram(this.#ffi, this.address.socket, text);
    } catch {
      // A path that can't be one.
    }
  }
}
