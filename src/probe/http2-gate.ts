// What an HTTP/2 server may send for one probe: frames are counted before node:http2 works on them, those without data too.
import { limits } from '../base/limits.ts';
import { Gate, Headers } from './gate.ts';

/** RFC 9113 4.1. */
const HEADER_BYTES = 9;
const DATA = 0;
const SETTINGS = 4;

export class FrameGate extends Gate {
  readonly #headers = new Headers(HEADER_BYTES);
  #begun = false;
  #frames = 0;
  /** Payload of all frames but DATA, whose sum flow control holds down. */
  #otherBytes = 0;

  override refill(): void {
    super.refill();
    this.#frames = 0;
    this.#otherBytes = 0;
  }

  protected override count(chunk: Buffer): string | null {
    return this.#headers.read(chunk, (header) => {
      const payload = header.readUIntBE(0, 3);
      // RFC 9113 3.4: what a server says first.
      if (!this.#begun && header[3] !== SETTINGS) return 'not HTTP/2';
      this.#begun = true;
      if (++this.#frames > limits.probeFrames) return 'too many HTTP/2 frames';
      if (header[3] !== DATA) this.#otherBytes += payload;
      return this.#otherBytes > limits.probeHeadBytes ? 'headers too long' : payload;
    });
  }
}
