// The side of a replacement that comes: takes sockets and state from the running server, and tells it when to stop reading.
import { Socket } from 'node:net';
import { StartError } from '../api/start-error.ts';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { PROGRAM_VERSION } from '../base/version.ts';
import type { Ffi } from '../serve/ffi.ts';
import { describeSocket, type GivenSocket } from '../serve/given.ts';
import { connectUnix, receiveDescriptors } from '../serve/unix-socket.ts';
import type { Counters } from './handover.ts';
import { FromPredecessor, Lines, type StateHanded, toLine } from './handover-messages.ts';

interface Handed {
  readonly pid: number;
  readonly version: string;
  readonly sockets: readonly GivenSocket[];
  readonly lockFd: number | null;
}

/**
 * Asks the server that listens at `file` for its sockets and its state. null: nobody listens there, or it is one that has just ended. Throws
 * StartError when it can't be replaced now.
 */
export async function beginTakeover(ffi: Ffi, file: string, clock: Clock, log: Logger): Promise<Takeover | null> {
  const fd = connectUnix(ffi, file);
  if (fd === null) return null;
  const hello = Buffer.from(toLine({ kind: 'hello', pid: process.pid, version: PROGRAM_VERSION }));
  const memory = Buffer.allocUnsafeSlow(Math.max(hello.length, 128));
  memory.set(hello);
  if (ffi.write(fd, ffi.addressOf(memory), hello.length) !== hello.length) {
    ffi.close(fd);
    return null;
  }
  const lines = new Lines();
  const fds: number[] = [];
  const untilMs = clock.monotonicMs() + limits.handoverMs;
  for (;;) {
    const received = receiveDescriptors(ffi, fd);
    if (received === null) {
      if (clock.monotonicMs() > untilMs)
        throw new StartError('the running server does not answer, so it cannot be replaced');
      await new Promise<void>((resolve) => void clock.after(limits.handoverLookMs, resolve));
      continue;
    }
    fds.push(...received.fds);
    const [first, ...more] = lines.add(received.bytes);
    if (first !== undefined) {
      const message = FromPredecessor.parse(JSON.parse(first));
      if (message.kind === 'handing')
        return new Takeover({ ffi, fd, lines, more, handed: sort(ffi, message, fds), clock, log });
      throw new StartError('another server is just replacing the running one');
    }
    if (received.end) {
      for (const one of [fd, ...fds]) ffi.close(one);
      return null;
    }
  }
}

function sort(ffi: Ffi, message: Extract<FromPredecessor, { kind: 'handing' }>, fds: readonly number[]): Handed {
  const { pid, version, names } = message;
  if (names.length !== fds.length) throw new StartError('the running server did not hand all its sockets over');
  const sockets: GivenSocket[] = [];
  let lockFd: number | null = null;
  fds.forEach((fd, i) => {
    const socket = names[i] === 'lock' ? null : describeSocket(ffi, fd, names[i]!);
    if (socket !== null) sockets.push(socket);
    else if (names[i] === 'lock') lockFd = fd;
  });
  return { pid, version, sockets, lockFd };
}

interface TakeoverParts {
  readonly ffi: Ffi;
  readonly fd: number;
  readonly lines: Lines;
  /** Lines that came with the descriptors. */
  readonly more: readonly string[];
  readonly handed: Handed;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Takeover {
  readonly pid: number;
  readonly version: string;
  readonly sockets: readonly GivenSocket[];
  /** The running server's lock on the state folder, held by both. */
  readonly lockFd: number | null;
  /** What the running server has counted so far, as its metrics have it. */
  counters: Counters = {};
  /** The service manager that the other process answers to. */
  manager: StateHanded['manager'] = null;
  /** Called once, when the other process has closed its end: it has no use for the sockets any more. */
  onGone: () => void = () => {};
  readonly #ffi: Ffi;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #used = new Set<number>();
  #states: StateHanded[] = [];
  #gone = false;
  #wake = (): void => {};

  constructor({ ffi, fd, lines, more, handed, clock, log }: TakeoverParts) {
    this.#ffi = ffi;
    this.#clock = clock;
    this.pid = handed.pid;
    this.version = handed.version;
    this.sockets = handed.sockets;
    this.lockFd = handed.lockFd;
    this.#socket = new Socket({ fd, readable: true, writable: true });
    this.#socket.on('error', () => {});
    this.#socket.on('data', (chunk: Buffer) => {
      try {
        for (const line of lines.add(chunk)) this.#hear(line);
      } catch (error) {
        log.error(
          { event: 'replace-failed', error: String(error) },
          'the running server said what cannot be understood',
        );
        this.#socket.destroy();
      }
    });
    this.#socket.on('close', () => {
      this.#gone = true;
      this.#wake();
      this.onGone();
    });
    for (const line of more) this.#hear(line);
  }

  #hear(line: string): void {
    const message = FromPredecessor.parse(JSON.parse(line));
    if (message.kind === 'state' || message.kind === 'counters') this.counters = message.counters;
    if (message.kind === 'state') {
      this.#states.push(message);
      this.manager = message.manager;
    }
    this.#wake();
  }

  /** What the running server knows, for loading with. null: it has ended meanwhile. */
  first(): Promise<StateHanded | null> {
    return this.#state();
  }

  /** Has the running server hold still, and returns what it knows. null: it has ended meanwhile, and this one goes on alone. */
  last(): Promise<StateHanded | null> {
    this.#states = [];
    this.#say({ kind: 'ready' });
    return this.#state();
  }

  /** This one answers: the other stops reading. */
  serving(): void {
    this.#say({ kind: 'serving' });
    for (const { fd } of this.sockets) if (!this.#used.has(fd)) this.#ffi.close(fd);
  }

  /** Somebody here owns these descriptors from now on. */
  use(fds: readonly number[]): void {
    for (const fd of fds) this.#used.add(fd);
  }

  /** The start fails: the other one goes on. */
  abandon(): void {
    this.#socket.destroy();
  }

  #say(message: Parameters<typeof toLine>[0]): void {
    if (!this.#gone) this.#socket.write(toLine(message));
  }

  async #state(): Promise<StateHanded | null> {
    const untilMs = this.#clock.monotonicMs() + limits.handoverMs;
    while (this.#states.length === 0 && !this.#gone) {
      const leftMs = untilMs - this.#clock.monotonicMs();
      if (leftMs <= 0)
        throw new StartError('the running server does not hand its state over, so it cannot be replaced');
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(leftMs, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
    }
    return this.#states.at(-1) ?? null;
  }
}
