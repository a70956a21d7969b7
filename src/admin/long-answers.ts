// Long answers: each waits for its turn, is made in slices, and is sent no faster than its client reads.
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import type { Clock } from '../base/clock.ts';
import { Slices, Unwanted } from '../base/slices.ts';
import { clientOf } from './connections.ts';
import { jsonPieces } from './json-text.ts';
import { LONG_KINDS, type LongKind, Turns } from './turns.ts';

/** Makes the reply to a request: an object whose values may be lists, or the pieces of a text. */
type Make<R> = (request: FastifyRequest & { params: R }, slices: Slices) => object | Promise<object>;

export class LongAnswers {
  readonly #clock: Clock;
  readonly #turns = new Map(LONG_KINDS.map((kind) => [kind, new Turns(kind)]));

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A handler whose reply is JSON. */
  json<R = unknown>(kind: LongKind, make: Make<R>): RouteHandlerMethod {
    return this.#handler(kind, 'application/json; charset=utf-8', async (request, slices) =>
      jsonPieces(await make(request as FastifyRequest & { params: R }, slices), slices),
    );
  }

  /** A handler whose reply is a text that comes in pieces. */
  text(kind: LongKind, type: string, make: (slices: Slices) => AsyncGenerator<string>): RouteHandlerMethod {
    return this.#handler(kind, type, async (_request, slices) => make(slices));
  }

  /** Requests that were refused, by kind. */
  refused(): [LongKind, number][] {
    return [...this.#turns].map(([kind, turns]) => [kind, turns.refused]);
  }

  #handler(
    kind: LongKind,
    type: string,
    make: (request: FastifyRequest, slices: Slices) => Promise<AsyncGenerator<string>>,
  ): RouteHandlerMethod {
    return async (request, reply) => {
      const { raw } = reply;
      const client = clientOf(request.socket.remoteAddress);
      const endTurn = await this.#turns.get(kind)!.take(client, (callback) => raw.once('close', callback));
      if (endTurn === null) throw new Unwanted();
      // Work for a client that left goes on to its next rest: its turn ends there.
      const slices = new Slices(() => !raw.destroyed, this.#clock);
      let sent = false;
      try {
        await slices.rest();
        const pieces = await make(request, slices);
        reply.type(type);
        const body = await bodyOf(pieces);
        if (raw.destroyed) {
          if (typeof body !== 'string') body.destroy();
          throw new Unwanted();
        }
        sent = true;
        if (typeof body === 'string') endTurn();
        else body.once('close', endTurn);
        return send(reply, body);
      } finally {
        if (!sent) endTurn();
      }
    };
  }
}

function send(reply: FastifyReply, body: string | Readable): FastifyReply {
  if (typeof body !== 'string') body.on('error', () => reply.raw.destroy());
  return reply.send(body);
}

/** A text where one piece is all there is; else a stream that makes each piece when the one before is taken. */
async function bodyOf(pieces: AsyncGenerator<string>): Promise<string | Readable> {
  const first = await pieces.next();
  const second = first.done ? first : await pieces.next();
  if (first.done) return '';
  if (second.done) return first.value;
  return Readable.from(
    (async function* () {
      yield first.value;
      yield second.value;
      yield* pieces;
    })(),
    { highWaterMark: 1 },
  );
}
