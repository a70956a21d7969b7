// Writes the few kinds of Protocol Buffers fields that dnstap has (protobuf.dev, "Encoding"): whole numbers, fixed 32 bits, bytes.

/** Wire types. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** Fields of one message, by number, in the order in which they are written. */
export type Field =
  | readonly [number: number, kind: 'uint', value: number]
  | readonly [number: number, kind: 'fixed32', value: number]
  | readonly [number: number, kind: 'bytes', value: Uint8Array];

/** The message with these fields. Numbers are whole and from 0 to 2^53. */
export function encodeMessage(fields: readonly Field[]): Uint8Array {
  let size = 0;
  for (const field of fields) size += sizeOf(field);
  const out = new Uint8Array(size);
  let p = 0;
  for (const field of fields) {
    const [number, kind, value] = field;
    switch (kind) {
      case 'uint':
        p = varint(out, varint(out, p, number * 8 + VARINT), value);
        break;
      case 'fixed32':
        p = varint(out, p, number * 8 + FIXED_32);
        for (let i = 0; i < 4; i++) out[p++] = value >>> (i * 8);
        break;
      case 'bytes':
        p = varint(out, varint(out, p, number * 8 + LENGTH_DELIMITED), value.length);
        out.set(value, p);
        p += value.length;
    }
  }
  return out;
}

function sizeOf([number, kind, value]: Field): number {
  const tag = varintSize(number * 8);
  switch (kind) {
    case 'uint':
      return tag + varintSize(value);
    case 'fixed32':
      return tag + 4;
    case 'bytes':
      return tag + varintSize(value.length) + value.length;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let left = value; left >= 128; left = Math.floor(left / 128)) size++;
  return size;
}

/** Seven bits an octet, the lowest first; the top bit says that more follow. Returns the place behind. */
function varint(out: Uint8Array, at: number, value: number): number {
  let p = at;
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) out[p++] = (left % 128) | 128;
  out[p++] = left;
  return p;
}
