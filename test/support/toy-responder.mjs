// A stand-in for the answer path: echoes with QR set, and does what the fourth byte of the request asks for.
import { limits } from '../../dist/base/limits.js';

/** Commands, in the fourth byte of a request. */
export const TOY = { echo: 0, silence: 1, peer: 2, large: 3, transfer: 4 };

export class ToyResponder {
  peer = { family: 4, w0: 0, w1: 0, w2: 0, w3: 0, port: 0 };
  batches = 0;
  inBatch = false;
  misused = 0;
  lengths = [];

  constructor(transfer) {
    if (transfer) this.transfer = transfer;
  }

  respond(bytes, at, length, room, transport) {
    if (!this.inBatch) this.misused++;
    if (length < 12) return 0;
    bytes[at + 2] |= 0x80;
    if (length > limits.udpRequestBytes) {
      bytes[at + 3] = 0x81; // FORMERR, told from a toy's command by its high bit
      return 12;
    }
    switch (bytes[at + 3]) {
      case TOY.silence:
        return 0;
      case TOY.peer: {
        const { family, w0, w1, w2, w3, port } = this.peer;
        const words = family === 4 ? [w0] : [w0, w1, w2, w3];
        let end = at + 12;
        bytes[end++] = family;
        bytes[end++] = transport;
        bytes[end++] = port >> 8;
        bytes[end++] = port;
        for (const w of words) for (const shift of [24, 16, 8, 0]) bytes[end++] = w >> shift;
        return end - at;
      }
      case TOY.large:
        bytes.fill(0x5a, at + length, at + room);
        return room;
      case TOY.transfer:
        return transport === 1 ? -1 : 0;
      default:
        return length;
    }
  }

  readNext(i, _bytes, _at, length) {
    if (!this.inBatch) this.misused++;
    this.lengths[i] = length;
  }

  lookAhead() {}

  answer(i, bytes, at, room, transport) {
    return this.respond(bytes, at, this.lengths[i], room, transport);
  }

  beginBatch() {
    if (this.inBatch) this.misused++;
    this.inBatch = true;
    this.batches++;
  }

  endBatch() {
    if (!this.inBatch) this.misused++;
    this.inBatch = false;
  }

  get isTimed() {
    return false;
  }

  took() {}
}
