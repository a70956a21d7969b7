// A connection that hands on what its client sends in small pieces, and none while requests wait: Node's parser takes all it is given.
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { limits } from '../base/limits.ts';

type Done = (error?: Error | null) => void;

/** What Node's HTTP server asks of a connection, over a TCP socket that nobody else reads. */
export class PacedSocket extends Duplex {
  readonly #socket: Socket;
  readonly remoteAddress: string | undefined;
  /** Bytes that the kernel has taken. */
  takenBytes = 0;
  #received: Buffer = Buffer.alloc(0);
  #isWanted = false;
  #isHeld = false;
  #hasEnded = false;

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.remoteAddress = socket.remoteAddress;
    socket.on('data', (bytes) => {
      socket.pause();
      this.#received = bytes;
      this.#feed();
    });
    socket.pause();
    socket.on('end', () => {
      this.#hasEnded = true;
      this.#feed();
    });
    socket.on('timeout', () => this.emit('timeout'));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** While it is held, nothing more of what the client sends is handed on. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#feed();
  }

  /** As that of a socket: Node ends connections that are idle with it. */
  setTimeout(ms: number): this {
    this.#socket.setTimeout(ms);
    return this;
  }

  /** Ends once everything is sent. */
  destroySoon(): void {
    this.end(() => this.destroy());
  }

  #feed(): void {
    if (!this.#isWanted || this.#isHeld) return;
    if (this.#received.length > 0) {
      const piece = this.#received.subarray(0, limits.adminReadBytes);
      this.#received = this.#received.subarray(piece.length);
      this.#isWanted = false;
      this.push(piece);
    } else if (this.#hasEnded) {
      this.#isWanted = false;
      this.push(null);
    } else this.#socket.resume();
  }

  override _read(): void {
    this.#isWanted = true;
    this.#feed();
  }

  override _write(bytes: Buffer, _encoding: string, done: Done): void {
    this.#socket.write(bytes, (error) => {
      this.takenBytes += bytes.length;
      done(error);
    });
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), '', done);
  }

  override _final(done: Done): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#socket.destroy();
    done(error);
  }
}
