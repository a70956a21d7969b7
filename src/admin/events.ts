// The route of what happened: a list as JSON, or a live stream of server-sent events.
import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { ControlPlane } from '../api/control-plane.ts';
import type { EventView } from '../api/views.ts';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { Slices, Unwanted } from '../base/slices.ts';
import { readQuery } from './body.ts';
import { type Connections, clientOf } from './connections.ts';
import type { LongAnswers } from './long-answers.ts';
import { Problem } from './problem.ts';

/** Events of one JSON reply when nobody says how many. */
const DEFAULT_EVENTS = 100;

/** Adds it. */
export function addEvents(
  app: FastifyInstance,
  control: ControlPlane,
  { long, connections, clock }: { long: LongAnswers; connections: Connections; clock: Clock },
): void {
  const open = new OpenStreams();
  const list = long.json('events', (request) => {
    const { limit } = readQuery(request.query, ['limit']);
    return { events: control.events(readLimit(limit)) };
  });
  app.get('/api/v1/events', function (request, reply) {
    if (!wantsStream(request.headers.accept)) return list.call(this, request, reply);
    const { limit } = readQuery(request.query, ['limit']);
    const seen = seenBefore(control, limit, request.headers['last-event-id']);
    const end = open.add(clientOf(request.socket.remoteAddress));
    connections.endless(request.socket);
    reply.hijack();
    stream(reply.raw, seen, control, clock, end);
    return;
  });
}

/** How many streams are open, in all and of whom. */
class OpenStreams {
  readonly #perClient = new Map<string, number>();
  #count = 0;

  /** Counts one more; returns what ends it. Throws Problem 429 and 503. */
  add(client: string): () => void {
    const own = this.#perClient.get(client) ?? 0;
    if (own >= limits.eventStreamsPerClient) {
      throw new Problem('too-many-requests', `${own} streams are open for you`, { 'retry-after': '10' });
    }
    if (this.#count >= limits.eventStreams) {
      throw new Problem('too-many-streams', `${this.#count} streams are open`, { 'retry-after': '10' });
    }
    this.#count++;
    this.#perClient.set(client, own + 1);
    return () => {
      this.#count--;
      const left = this.#perClient.get(client)! - 1;
      if (left === 0) this.#perClient.delete(client);
      else this.#perClient.set(client, left);
    };
  }
}

function wantsStream(accept: string | undefined): boolean {
  return accept !== undefined && /(?:^|[,\s])text\/event-stream(?:$|[;,\s])/i.test(accept);
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_EVENTS;
  const limit = /^[1-9][0-9]{0,5}$/.test(text) ? Number(text) : 0;
  if (limit === 0) throw new Problem('bad-request', `"limit" must be a whole number from 1 to ${limits.events}`);
  return Math.min(limit, limits.events);
}

/** The number of the last event that a stream's client doesn't want: what it names in Last-Event-ID, or all but the last `limit`, or all. */
function seenBefore(control: ControlPlane, limit: string | undefined, lastId: string | string[] | undefined): number {
  const newest = [...control.events(1)][0]?.id ?? 0;
  if (limit !== undefined) {
    const [first] = control.events(readLimit(limit));
    return first === undefined ? newest : first.id - 1;
  }
  // Digits alone: Number('') is 0. A number that is still to come is of an earlier life of this server.
  return typeof lastId === 'string' && /^[0-9]{1,15}$/.test(lastId) ? Math.min(Number(lastId), newest) : newest;
}

/** One event in the stream's form: without an `event:` line, so that a browser's `onmessage` sees every type. */
function formatEvent(event: EventView): string {
  return `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Sends what came after event number `seen`, and what comes: never more than the client reads. */
function stream(raw: ServerResponse, seen: number, control: ControlPlane, clock: Clock, onEnd: () => void): void {
  const slices = new Slices(() => !raw.destroyed, clock);
  let sent = seen;
  let isSending = false;
  let cancelQuiet = (): void => undefined;
  const write = (text: string): void => {
    raw.write(text);
    cancelQuiet();
    cancelQuiet = clock.after(limits.eventStreamQuietMs, () => {
      // Where something waits to be read, there is no silence to fill.
      if (raw.writableLength === 0) write(':\n\n');
    });
  };
  const send = async (): Promise<void> => {
    // The record keeps what the client has yet to read; `drain` says when there is room again.
    while (raw.writableLength <= limits.eventStreamBytes) {
      if (slices.isOver) await slices.rest();
      const events = control.eventsAfter(sent, limits.eventStreamBatch);
      if (events.length === 0) return;
      sent = events.at(-1)!.id;
      write(events.map(formatEvent).join(''));
    }
  };
  const sendSoon = (): void => {
    if (isSending || raw.destroyed) return;
    isSending = true;
    send()
      .finally(() => {
        isSending = false;
      })
      .catch((error: unknown) => {
        raw.destroy();
        if (!(error instanceof Unwanted)) throw error;
      });
  };
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-accel-buffering': 'no',
  });
  const stop = control.onEvent(sendSoon);
  raw.on('drain', sendSoon);
  raw.on('error', () => raw.destroy());
  raw.on('close', () => {
    stop();
    cancelQuiet();
    onEnd();
  });
  // The comment tells a client that waits for the headers that the stream is open.
  write('retry: 2000\n: events of meridian\n\n');
  sendSoon();
}
