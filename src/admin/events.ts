// The route of what happened: a list as JSON, or a live stream of server-sent events.
import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { ControlPlane, EventView } from '../api/views.ts';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { readQuery } from './body.ts';
import { Problem } from './problem.ts';

/** Events of one JSON reply when nobody says how many. */
const DEFAULT_EVENTS = 100;

/** Adds it. */
export function addEvents(app: FastifyInstance, control: ControlPlane, clock: Clock): void {
  let open = 0;
  app.get('/api/v1/events', (request, reply) => {
    if (!wantsStream(request.headers.accept)) {
      const { limit } = readQuery(request.query, ['limit']);
      reply.send({ events: control.events(readLimit(limit)) });
      return;
    }
    const { limit } = readQuery(request.query, ['limit']);
    if (open >= limits.eventStreams) {
      throw new Problem('too-many-streams', `${limits.eventStreams} streams are open`, { 'retry-after': '10' });
    }
    const last = request.headers['last-event-id'];
    const missed = eventsSince(control, typeof last === 'string' ? Number(last) : Number.NaN);
    const first = limit === undefined ? missed : control.events(readLimit(limit));
    open++;
    reply.hijack();
    stream(reply.raw, first, control, clock, () => open--);
  });
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

/** What a client that comes back with Last-Event-ID has missed, as far as it is kept. */
function eventsSince(control: ControlPlane, last: number): EventView[] {
  return Number.isSafeInteger(last) ? control.events(limits.events).filter((event) => event.id > last) : [];
}

/** One event in the stream's form: without an `event:` line, so that a browser's `onmessage` sees every type. */
function formatEvent(event: EventView): string {
  return `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`;
}

function stream(
  raw: ServerResponse,
  first: readonly EventView[],
  control: ControlPlane,
  clock: Clock,
  onEnd: () => void,
): void {
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-accel-buffering': 'no',
  });
  let cancelQuiet = (): void => undefined;
  const send = (text: string): void => {
    // A client that doesn't read would make the server keep everything for it; it can come back with Last-Event-ID.
    if (raw.writableLength > limits.eventStreamBytes) {
      raw.destroy();
      return;
    }
    raw.write(text);
    cancelQuiet();
    cancelQuiet = clock.after(limits.eventStreamQuietMs, () => send(':\n\n'));
  };
  const stop = control.onEvent((event) => send(formatEvent(event)));
  raw.on('error', () => raw.destroy());
  raw.on('close', () => {
    stop();
    cancelQuiet();
    onEnd();
  });
  // The comment tells a client that waits for the headers that the stream is open.
  send(`retry: 2000\n: events of meridian\n\n${first.map(formatEvent).join('')}`);
}
