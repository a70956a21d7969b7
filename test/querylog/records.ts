// Queries for tests of the log: through the very tap that a data thread has, into a ring.
import type { Responder } from '../../dist/answer/port.js';
import type { AnswerTrace } from '../../dist/answer/trace.js';
import { RandomWords } from '../../dist/base/random.js';
import { createRing } from '../../dist/board/ring.js';
import { QueryTap } from '../../dist/serve/query-tap.js';

/** An answer path that writes `response` over what it is asked. */
export class FixedResponder implements Responder {
  readonly peer = { family: 4 as 4 | 6, w0: 0x7f000001, w1: 0, w2: 0, w3: 0, port: 4242 };
  trace: AnswerTrace | null = null;
  response: Uint8Array = new Uint8Array(0);
  /** Told of each answer, to the listener. */
  tells: (trace: AnswerTrace) => void = () => {};

  respond(bytes: Uint8Array, at: number): number {
    if (this.trace !== null) this.tells(this.trace);
    bytes.set(this.response, at);
    return this.response.length;
  }
  readNext(): void {}
  lookAhead(): void {}
  answer(_i: number, bytes: Uint8Array, at: number): number {
    return this.respond(bytes, at);
  }
  beginBatch(): void {}
  endBatch(): void {}
  readonly isTimed = false;
  took(): void {}
}

export const TIME_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

/** A tap over a fixed answer path. */
export function makeTap(sample = 1, ringBytes = 1 << 16) {
  const ring = createRing(ringBytes);
  const responder = new FixedResponder();
  const tap = new QueryTap(responder, { ring, sample }, { nowMs: () => TIME_MS }, new RandomWords([1, 2, 3, 4]));
  return { ring, responder, tap };
}

/** Asks it. */
export function ask(tap: QueryTap, request: Uint8Array, transport: 0 | 1 = 0): void {
  const bytes = new Uint8Array(70_000);
  bytes.set(request, 7);
  tap.beginBatch();
  tap.respond(bytes, 7, request.length, 65_535, transport);
  tap.endBatch();
}
