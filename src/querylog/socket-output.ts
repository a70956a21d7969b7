// The query log to a program that listens on a unix socket: connected again and again, with a handshake where the form is dnstap.
import { createConnection, type Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { Backoff } from './backoff.ts';
import { CONTROL, ControlReader, controlFrame } from './frame-streams.ts';
import type { Output, OutputNews } from './output.ts';

export interface SocketOutputOptions {
  readonly path: string;
  /** Frame Streams in both directions: READY, ACCEPT, START, data, STOP, FINISH. Else bytes alone. */
  readonly frames: boolean;
  readonly news: OutputNews;
  readonly clock: Clock;
}

export class SocketOutput implements Output {
  readonly #options: SocketOutputOptions;
  readonly #backoff: Backoff;
  #socket: Socket | null = null;
  /** Records may be sent. */
  #open = false;
  #closing = false;
  #onFinish = (): void => {};

  constructor(options: SocketOutputOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.clock);
  }

  get ready(): boolean {
    return this.#open && this.#socket!.writableLength < limits.queryLogSocketBytes;
  }

  write(bytes: Uint8Array, records: number): void {
    const { written, dropped } = this.#options.news;
    // Those that a connection takes with it when it breaks are lost: nobody knows which of them were read.
    this.#socket!.write(bytes, (error) => (error ? dropped(records) : written(records)));
  }

  turn(): void {
    if (this.#socket === null && !this.#closing && this.#backoff.over) this.#connect();
  }

  /** Nobody puts a socket aside. */
  reopen(): void {}

  async close(): Promise<void> {
    this.#closing = true;
    const socket = this.#socket;
    if (socket === null) return;
    if (!this.#open) {
      socket.destroy();
      return;
    }
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      this.#onFinish = () => socket.end();
      if (this.#options.frames) socket.write(controlFrame(CONTROL.stop));
      else socket.end();
    });
  }

  #connect(): void {
    const { path, frames, news, clock } = this.#options;
    const socket = createConnection({ path });
    this.#socket = socket;
    let reason = 'the reader closed the connection';
    let cancelLate = (): void => {};
    const opened = (): void => {
      cancelLate();
      this.#open = true;
      this.#backoff.succeeded();
      news.trouble(null);
    };
    socket.on('connect', () => {
      if (!frames) return opened();
      socket.write(controlFrame(CONTROL.ready));
      cancelLate = clock.after(limits.queryLogHandshakeMs, () =>
        socket.destroy(new Error('the reader does not accept the stream')),
      );
    });
    const control = new ControlReader();
    socket.on('data', (chunk: Buffer) => {
      // Who reads JSON lines has nothing to say.
      if (!frames) return;
      try {
        for (const type of control.add(chunk)) {
          if (type === CONTROL.accept && !this.#open) {
            socket.write(controlFrame(CONTROL.start));
            opened();
          } else if (type === CONTROL.finish) this.#onFinish();
        }
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.on('close', () => {
      cancelLate();
      this.#socket = null;
      this.#open = false;
      this.#backoff.failed();
      if (!this.#closing) news.trouble(reason);
    });
  }
}
