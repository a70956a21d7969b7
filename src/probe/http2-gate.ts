// What an HTTP/2 server may send for one probe: frames are counted before node:http2 works on them, those without data too.
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { limits } from '../base/limits.ts';

/** RFC 9113 4.1. */
const HEADER_BYTES = 9;
const DATA = 0;
const SETTINGS = 4;

/** A stream between a socket and its HTTP/2 session. When too much comes it says why and ends both. */
export class FrameGate extends Duplex {
  readonly #socket: Socket;
  readonly #onExcess: (reason: string) => void;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  /** Bytes of the frame's payload that are still to come. */
  #payload = 0;
  #begun = false;
  #frames = 0;
  #reads = 0;
  /** Payload of all frames but DATA, whose sum flow control holds down. */
  #otherBytes = 0;

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
    this.#frames = 0;
    this.#reads = 0;
    this.#otherBytes = 0;
  }

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
    const excess = this.#count(chunk);
    if (excess !== null) {
      this.#onExcess(excess);
      this.destroy();
    } else if (!this.push(chunk)) this.#socket.pause();
  }

  #count(chunk: Buffer): string | null {
    if (++this.#reads > limits.probeReads) return 'response in too many pieces';
    let at = 0;
    while (at < chunk.length) {
      if (this.#payload > 0) {
        const skipped = Math.min(this.#payload, chunk.length - at);
        this.#payload -= skipped;
        at += skipped;
        continue;
      }
      const taken = Math.min(HEADER_BYTES - this.#headerBytes, chunk.length - at);
      chunk.copy(this.#header, this.#headerBytes, at, at + taken);
      this.#headerBytes += taken;
      at += taken;
      if (this.#headerBytes < HEADER_BYTES) continue;
      this.#headerBytes = 0;
      this.#payload = this.#header.readUIntBE(0, 3);
      // RFC 9113 3.4: what a server says first.
      if (!this.#begun && this.#header[3] !== SETTINGS) return 'not HTTP/2';
      this.#begun = true;
      if (++this.#frames > limits.probeFrames) return 'too many HTTP/2 frames';
      if (this.#header[3] === DATA) continue;
      this.#otherBytes += this.#payload;
      if (this.#otherBytes > limits.probeHeadBytes) return 'headers too long';
    }
    return null;
  }
}
