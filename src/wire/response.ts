// Reads what a DNS server answers to a question of ours: whether it is the answer, its code, and the data of its records.
import { limits } from '../base/limits.ts';
import { equalNames, lowerName } from './name.ts';
import { numberAt } from './rdata-field.ts';
import { type RdataForm, rdataForm } from './rdata-table.ts';

/** Octets of the header (RFC 1035 4.1.1), and of type and class behind a question's name. */
const HEADER_BYTES = 12;
const TYPE_AND_CLASS_BYTES = 4;
const IN = 1;

/** One record of the answer section. */
export interface AnswerRecord {
  readonly type: number;
  /** The data with its names written out (RFC 1035 4.1.4 lets them be pointers). */
  readonly data: Uint8Array;
}

export interface Response {
  readonly rcode: number;
  readonly truncated: boolean;
  /** The first records of the answer, as many as are well formed and `limits.probeRecords` at most. */
  readonly answers: readonly AnswerRecord[];
}

/** What was asked. */
export interface Question {
  readonly id: number;
  /** Wire form. */
  readonly name: Uint8Array;
  readonly type: number;
}

/** The query's bytes: one question, recursion desired. */
export function queryBytes({ id, name, type }: Question): Buffer {
  const query = Buffer.alloc(HEADER_BYTES + name.length + TYPE_AND_CLASS_BYTES);
  query.writeUInt16BE(id, 0);
  query[2] = 1;
  query[5] = 1;
  query.set(name, HEADER_BYTES);
  query.writeUInt16BE(type, HEADER_BYTES + name.length);
  query.writeUInt16BE(IN, HEADER_BYTES + name.length + 2);
  return query;
}

/** The response to this very question, however its end is broken or cut off; undefined for anything else. Never throws. */
export function readResponse(message: Uint8Array, question: Question): Response | undefined {
  if (message.length < HEADER_BYTES || numberAt(message, 0, 2) !== question.id) return undefined;
  const flags = numberAt(message, 2, 2);
  // QR, and the opcode of a query.
  if (flags >> 11 !== 0b10000) return undefined;
  const rcode = flags & 0xf;
  const truncated = (flags & 0x200) !== 0;
  const questions = numberAt(message, 4, 2);
  // RFC 2308 2.1 and many servers: an error may come without the question.
  if (questions === 0 && rcode !== 0) return { rcode, truncated, answers: [] };
  const asked = questions === 1 ? expandName(message, HEADER_BYTES) : undefined;
  if (asked === undefined || !equalNames(asked.wire, question.name)) return undefined;
  const { end } = asked;
  if (end + TYPE_AND_CLASS_BYTES > message.length) return undefined;
  if (numberAt(message, end, 2) !== question.type || numberAt(message, end + 2, 2) !== IN) return undefined;
  return { rcode, truncated, answers: readAnswers(message, end + TYPE_AND_CLASS_BYTES, numberAt(message, 6, 2)) };
}

function readAnswers(message: Uint8Array, from: number, count: number): AnswerRecord[] {
  const answers: AnswerRecord[] = [];
  let at = from;
  for (let i = 0; i < Math.min(count, limits.probeRecords); i++) {
    const owner = nameEnd(message, at);
    // Type, class, TTL and length follow.
    if (owner < 0 || owner + 10 > message.length) break;
    const start = owner + 10;
    const end = start + numberAt(message, owner + 8, 2);
    if (end > message.length) break;
    const type = numberAt(message, owner, 2);
    if (numberAt(message, owner + 2, 2) === IN) answers.push({ type, data: expandData(message, start, end, type) });
    at = end;
  }
  return answers;
}

/** The data with its names written out; as it stands where it is not well formed or its type is not known. */
function expandData(message: Uint8Array, start: number, end: number, type: number): Uint8Array {
  const data = message.subarray(start, end);
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const field of rdataForm(type)?.fields ?? []) {
    if (field.name === undefined) {
      const next = field.skip(data, at);
      if (next < 0) return data;
      parts.push(data.subarray(at, next));
      at = next;
    } else {
      const name = expandName(message, start + at);
      if (name === undefined || name.end > end) return data;
      parts.push(name.wire);
      at = name.end - start;
    }
  }
  return parts.length === 0 || at !== data.length ? data : Buffer.concat(parts);
}

/** Data whose names are in lower case, so that it compares by octets (RFC 4343). */
export function foldNames(type: number, data: Uint8Array): Uint8Array {
  const form: RdataForm | undefined = rdataForm(type);
  if (!form?.fields.some((field) => field.name !== undefined)) return data;
  const folded = data.slice();
  let at = 0;
  for (const field of form.fields) {
    const end = field.skip(data, at);
    if (end < 0) return data;
    if (field.name !== undefined) folded.set(lowerName(data.subarray(at, end)), at);
    at = end;
  }
  return folded;
}

/** The name at `message[at]`, pointers followed, and where what follows it begins. */
function expandName(message: Uint8Array, at: number): { wire: Uint8Array; end: number } | undefined {
  const end = nameEnd(message, at);
  if (end < 0) return undefined;
  const wire = new Uint8Array(limits.nameBytes);
  let length = 0;
  // A pointer leads to what stands before; so there is no circle.
  let before = at;
  for (let p = at; p < message.length; ) {
    const octet = message[p]!;
    if (octet >= 0xc0) {
      p = ((octet & 0x3f) << 8) | (message[p + 1] ?? 0);
      if (p >= before) return undefined;
      before = p;
      continue;
    }
    if (octet > limits.labelBytes || length + octet + 1 > wire.length || p + octet + 1 > message.length)
      return undefined;
    wire.set(message.subarray(p, p + octet + 1), length);
    length += octet + 1;
    if (octet === 0) return { wire: wire.slice(0, length), end };
    p += octet + 1;
  }
  return undefined;
}

/** The offset behind the name at `message[at]`, or -1. */
function nameEnd(message: Uint8Array, at: number): number {
  for (let p = at; p < message.length; ) {
    const octet = message[p]!;
    if (octet >= 0xc0) return p + 2 <= message.length ? p + 2 : -1;
    if (octet > limits.labelBytes) return -1;
    p += octet + 1;
    if (octet === 0) return p;
  }
  return -1;
}
