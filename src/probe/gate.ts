// A stream between a socket and the library that reads its protocol: counts what comes before the library works on it, and closes when it is too much.
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { limits } from '../base/limits.ts';

/** Passes bytes on in both directions, errors and the end too. */
export abstract class Gate extends Duplex {
  readonly #socket: Socket;
  readonly #onExcess: (reason: string) => void;
  #reads = 0;

  /** `onExcess` is told why the gate closed, once. */
  constructor(socket: Socket, onExcess: (reason: string) => void) {
    super();
    this.#socket = socket;
    this.#onExcess = onExcess;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** Another probe begins on a connection that was kept. */
  refill(): void {
    this.#reads = 0;
  }

  /** Looks at the next bytes; says why they are too much, if they are. */
  protected abstract count(chunk: Buffer): string | null;

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    if (this.destroyed) return;
    const excess = ++this.#reads > limits.probeReads ? 'answer in too many pieces' : this.count(chunk);
    if (excess !== null) {
      this.#onExcess(excess);
      this.destroy();
    } else if (!this.push(chunk)) this.#socket.pause();
  }
}

/** Goes through a sequence of headers of one size, each of which says how long the payload behind it is. */
export class Headers {
  readonly #header: Buffer;
  #bytes = 0;
  #payload = 0;

  constructor(size: number) {
    this.#header = Buffer.alloc(size);
  }

  /** `onHeader` gets each header that is whole with these bytes; it returns its payload's length, or why all is over. */
  read(chunk: Buffer, onHeader: (header: Buffer) => number | string): string | null {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payload > 0) {
        const skipped = Math.min(this.#payload, chunk.length - at);
        this.#payload -= skipped;
        at += skipped;
        continue;
      }
      const taken = Math.min(this.#header.length - this.#bytes, chunk.length - at);
      chunk.copy(this.#header, this.#bytes, at, at + taken);
      this.#bytes += taken;
      at += taken;
      if (this.#bytes < this.#header.length) continue;
      this.#bytes = 0;
      const payload = onHeader(this.#header);
      if (typeof payload === 'string') return payload;
      this.#payload = payload;
    }
    return null;
  }
}
