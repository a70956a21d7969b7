// The side of a replacement that goes: hands sockets and state to a server that asks for them, and goes on where that one fails.
import { stat } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import type { Kept } from '../base/storage.ts';
import { PROGRAM_VERSION } from '../base/version.ts';
import type { Ffi } from '../serve/ffi.ts';
import { descriptorBatches, listenUnix, peerUser, sendDescriptors } from '../serve/unix-socket.ts';
import { FromSuccessor, Lines, type StateHanded, toLine } from './handover-messages.ts';

/** The name of the socket in the state folder. */
export const HANDOVER_FILE = 'replace.sock';

export type Counters = Readonly<Record<string, number>>;

/** A running server as it is handed over. */
export interface Predecessor {
  /** What goes along, each with what it is for: `dns`, `admin`, `lock`. From now on another process may read the sockets. */
  descriptors(): readonly { readonly name: string; readonly fd: number }[];
  /** What is known now. `final`: and it doesn't change any more, but for what is counted, until `resume`. */
  state(final: boolean): Promise<Omit<StateHanded, 'kind'>>;
  /** The other one failed: all goes on as if nothing had happened. */
  resume(): void;
  /** Stops reading, lets open connections finish, tells what is counted until then. The process ends afterwards. */
  leave(tell: (counters: Counters) => void): Promise<void>;
}

export interface HandoverOptions {
  readonly ffi: Ffi;
  /** Path of the socket. */
  readonly file: string;
  readonly server: Predecessor;
  /** Called when this process has nothing left to do. */
  readonly onLeft: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

type Stage = 'asked' | 'handed' | 'held' | 'left';

interface Successor {
  readonly socket: Socket;
  readonly fd: number;
  stage: Stage;
  pid: number;
  cancel: () => void;
}

export class Handover implements Kept {
  readonly file: string;
  readonly #options: HandoverOptions;
  #listener: Server | null = null;
  #successor: Successor | null = null;

  constructor(options: HandoverOptions) {
    this.#options = options;
    this.file = options.file;
  }

  /** Listens anew, in place of a socket that is lost. */
  async store(): Promise<void> {
    this.#listener?.close();
    this.listen();
  }

  /** Whether somebody took the socket away while nobody takes over. */
  async isLost(): Promise<boolean> {
    if (this.#listener === null || this.#successor !== null) return false;
    return stat(this.file).then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    );
  }

  /** Listens for one that wants to take over. Where that can't be (a read-only folder), this server can only be stopped: that is told. */
  listen(): void {
    const { ffi, file, log } = this.#options;
    try {
      const fd = listenUnix(ffi, file, limits.handoverBacklog);
      this.#listener = createServer((socket) => this.#accept(socket));
      this.#listener.on('error', (error) =>
        log.warn({ event: 'replace-unavailable', file, reason: error.message }, TOLD),
      );
      this.#listener.listen({ fd });
      this.#listener.unref();
    } catch (error) {
      log.warn({ event: 'replace-unavailable', file, reason: (error as Error).message }, TOLD);
    }
  }

  /** Whether another process has the sockets. */
  get handing(): boolean {
    return this.#successor !== null;
  }

  stop(): void {
    this.#listener?.close();
    this.#listener = null;
    this.#successor?.cancel();
    this.#successor?.socket.destroy();
  }

  #accept(socket: Socket): void {
    const { ffi, log } = this.#options;
    socket.on('error', () => {});
    const fd = (socket as unknown as { _handle?: { fd?: number } })._handle?.fd ?? -1;
    const user = peerUser(ffi, fd);
    // The file's mode keeps strangers out already; not where somebody changed it.
    if (user === null || (user !== 0 && user !== process.geteuid?.())) {
      log.warn({ event: 'replace-refused', user }, 'a process of another user asked for the sockets and gets nothing');
      socket.destroy();
      return;
    }
    if (this.#successor !== null) {
      socket.end(toLine({ kind: 'busy' }));
      return;
    }
    const successor: Successor = { socket, fd, stage: 'asked', pid: 0, cancel: () => {} };
    this.#successor = successor;
    this.#within(successor, limits.handoverMs);
    const lines = new Lines();
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const line of lines.add(chunk)) this.#hear(successor, FromSuccessor.parse(JSON.parse(line)));
      } catch {
        socket.destroy();
      }
    });
    socket.on('close', () => this.#lost(successor));
  }

  #hear(successor: Successor, message: FromSuccessor): void {
    if (message.kind === 'hello' && successor.stage === 'asked') {
      successor.pid = message.pid;
      this.#hand(successor, message.version);
    } else if (message.kind === 'ready' && successor.stage === 'handed') {
      successor.stage = 'held';
      this.#within(successor, limits.handoverMs);
      void this.#tellState(successor, true);
    } else if (message.kind === 'serving' && successor.stage === 'held') {
      void this.#leave(successor);
    } else successor.socket.destroy();
  }

  #hand(successor: Successor, version: string): void {
    const { ffi, server, log } = this.#options;
    const { pid, socket, fd } = successor;
    log.info({ event: 'replace-asked', pid, version }, 'a server comes to take over');
    successor.stage = 'handed';
    this.#within(successor, limits.handoverLoadMs);
    const given = server.descriptors();
    const names = given.map(({ name }) => name);
    const batches = descriptorBatches(given.map((one) => one.fd));
    const line = Buffer.from(toLine({ kind: 'handing', pid: process.pid, version: PROGRAM_VERSION, names }));
    batches.forEach((batch, i) => {
      // The line comes with the last of them: who has read it has them all.
      const bytes = i === batches.length - 1 ? line : Buffer.from('\n');
      if (sendDescriptors(ffi, fd, bytes, batch) !== bytes.length) socket.destroy();
    });
    void this.#tellState(successor, false);
  }

  async #tellState(successor: Successor, final: boolean): Promise<void> {
    try {
      const state = await this.#options.server.state(final);
      successor.socket.write(toLine({ kind: 'state', ...state }));
    } catch (error) {
      this.#options.log.error({ event: 'replace-failed', error: String(error) }, 'the state could not be handed over');
      successor.socket.destroy();
    }
  }

  async #leave(successor: Successor): Promise<void> {
    const { server, onLeft, log } = this.#options;
    successor.stage = 'left';
    successor.cancel();
    this.#listener?.close();
    this.#listener = null;
    log.info({ event: 'replaced', pid: successor.pid }, 'another server answers; open TCP connections are finished');
    await server.leave((counters) => successor.socket.write(toLine({ kind: 'counters', counters })));
    await new Promise<void>((resolve) => {
      successor.cancel = this.#options.clock.after(limits.handoverMs, resolve);
      successor.socket.once('close', () => resolve());
      successor.socket.end();
    });
    successor.cancel();
    onLeft();
  }

  #lost(successor: Successor): void {
    successor.cancel();
    if (successor.stage === 'left') return;
    this.#successor = null;
    if (successor.stage === 'asked') return;
    const { server, log } = this.#options;
    log.error(
      { event: 'replace-failed', pid: successor.pid },
      'the server that came to take over is gone: this one goes on',
    );
    server.resume();
  }

  #within(successor: Successor, ms: number): void {
    successor.cancel();
    successor.cancel = this.#options.clock.after(ms, () => successor.socket.destroy());
  }
}

const TOLD = 'this server cannot be replaced while it runs: `serve --replace` finds no socket in the state folder';
