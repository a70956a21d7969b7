// Frame Streams, the transport of dnstap (farsightsec.github.io/fstrm): frames with a length before them, and the control frames around.

export const CONTENT_TYPE = 'protobuf:dnstap.Dnstap';

export const CONTROL = { accept: 1, start: 2, stop: 3, ready: 4, finish: 5 } as const;
type ControlType = (typeof CONTROL)[keyof typeof CONTROL];

/** The control field that names what the frames hold. */
const FIELD_CONTENT_TYPE = 1;
/** Longest control frame that the other side may send: the protocol's own bound. */
const CONTROL_BYTES = 512;

/** A data frame: the length, then the payload. */
export function dataFrame(payload: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(4 + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame.set(payload, 4);
  return frame;
}

/** A control frame: an escape of four zero octets, the length, the type; START, READY and ACCEPT name the content. */
export function controlFrame(type: ControlType): Uint8Array {
  const named = type !== CONTROL.stop && type !== CONTROL.finish;
  const content = Buffer.from(named ? CONTENT_TYPE : '');
  const frame = Buffer.alloc(12 + (named ? 8 + content.length : 0));
  frame.writeUInt32BE(frame.length - 8, 4);
  frame.writeUInt32BE(type, 8);
  if (named) {
    frame.writeUInt32BE(FIELD_CONTENT_TYPE, 12);
    frame.writeUInt32BE(content.length, 16);
    content.copy(frame, 20);
  }
  return frame;
}

/** Collects what the other side sends: control frames alone. */
export class ControlReader {
  #bytes = Buffer.alloc(0);

  /** Types of the control frames that are whole now; throws where the other side speaks something else, or takes no dnstap. */
  add(chunk: Uint8Array): number[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const types: number[] = [];
    while (this.#bytes.length >= 8) {
      const length = this.#bytes.readUInt32BE(4);
      if (this.#bytes.readUInt32BE(0) !== 0 || length < 4 || length > CONTROL_BYTES) {
        throw new Error('the reader does not speak Frame Streams');
      }
      if (this.#bytes.length < 8 + length) break;
      const frame = this.#bytes.subarray(8, 8 + length);
      this.#bytes = this.#bytes.subarray(8 + length);
      const type = frame.readUInt32BE(0);
      if (type === CONTROL.accept && !accepts(frame)) throw new Error('the reader takes no dnstap');
      types.push(type);
    }
    return types;
  }
}

/** Whether an ACCEPT frame takes our content: it names it, or nothing. */
function accepts(frame: Buffer): boolean {
  let named = 0;
  for (let p = 4; p + 8 <= frame.length; ) {
    const length = frame.readUInt32BE(p + 4);
    if (frame.readUInt32BE(p) === FIELD_CONTENT_TYPE) {
      if (frame.toString('latin1', p + 8, p + 8 + length) === CONTENT_TYPE) return true;
      named++;
    }
    p += 8 + length;
  }
  return named === 0;
}
