import { get, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../dist/base/limits.js';
import { type RunningAdmin, runAdmin } from '../support/admin.ts';

let running: RunningAdmin;

beforeEach(async () => {
  running = await runAdmin();
});

afterEach(() => running.admin.stop());

/** Opens the live stream; `until` resolves with all the text as soon as it holds a word. */
function openStream(headers: Record<string, string> = {}) {
  let text = '';
  let wake = (): void => undefined;
  let ended = false;
  const opened = new Promise<IncomingMessage>((resolve, reject) => {
    const accept = 'text/event-stream';
    const request = get(`${running.admin.url}/api/v1/events`, { headers: { accept, ...headers } }, (response) => {
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        wake();
      });
      response.on('error', () => undefined);
      response.on('close', () => {
        ended = true;
        wake();
      });
      resolve(response);
    });
    request.on('error', reject);
  });
  const wait = async (done: () => boolean): Promise<string> => {
    await opened;
    while (!done())
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    return text;
  };
  return { opened, until: (word: string) => wait(() => text.includes(word)), end: () => wait(() => ended) };
}

describe('events', () => {
  it('come as JSON, the newest last, as many as asked for', async () => {
    for (const name of ['one', 'two', 'three']) running.control.emit('target.down', name);
    const { json } = await running.ask('GET', '/api/v1/events?limit=2');
    expect(json.events.map((event: { message: string }) => event.message)).toEqual(['two', 'three']);
    expect((await running.ask('GET', '/api/v1/events?limit=no')).status).toBe(400);
  });

  it('come live while they happen', async () => {
    const stream = openStream();
    expect((await stream.opened).headers['content-type']).toBe('text/event-stream');
    await stream.until(': events of meridian');
    const event = running.control.emit('target.down', 'rio left\nthe answers');
    const text = await stream.until('rio left');
    expect(text).toContain(`id: 1\ndata: ${JSON.stringify(event)}\n\n`);
  });

  it('that were missed are sent to a client that comes back', async () => {
    for (const name of ['one', 'two', 'three']) running.control.emit('target.down', name);
    const text = await openStream({ 'last-event-id': '1' }).until('three');
    expect(text).not.toContain('"one"');
    expect(text).toContain('"two"');
  });

  it('stop being watched when the client leaves', async () => {
    const before = running.control.listeners;
    const stream = openStream();
    await stream.until(': events');
    expect(running.control.listeners).toBe(before + 1);
    (await stream.opened).destroy();
    await stream.end();
    while (running.control.listeners > before) await new Promise((resolve) => setImmediate(resolve));
  });

  it('do not keep the server from stopping', async () => {
    const stream = openStream();
    await stream.until(': events');
    await running.admin.stop();
    await stream.end();
    expect(running.control.listeners).toBe(0);
  });

  it('wait in the record for a client that does not read, and all come when it reads on', async () => {
    const stream = openStream();
    await stream.until(': events');
    const response = await stream.opened;
    response.pause();
    for (let i = 0; i < 300; i++) {
      running.control.emit('flood', 'x'.repeat(100_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    // What the sockets of both ends hold, and a batch more: not thirty megabytes.
    const last = Math.max(...running.control.askedAfter);
    expect(last).toBeLessThan(200);
    response.resume();
    const text = await stream.until('id: 300\n');
    expect([...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))).toEqual(
      Array.from({ length: 300 }, (_, i) => i + 1),
    );
  });

  it('of one client have a bound, so that others get theirs', async () => {
    const streams = Array.from({ length: limits.eventStreamsPerClient }, () => openStream());
    for (const stream of streams) await stream.until(': events');
    const reply = await running.ask('GET', '/api/v1/events', { headers: { accept: 'text/event-stream' } });
    expect([reply.status, reply.json.code, reply.headers['retry-after']]).toEqual([429, 'too-many-requests', '10']);
    for (const stream of streams) (await stream.opened).destroy();
  });

  it('go on for a client that names an event which is yet to come: that was another life of the server', async () => {
    const stream = openStream({ 'last-event-id': '4711' });
    await stream.until(': events');
    running.control.emit('target.down', 'rio left');
    await stream.until('rio left');
  });
});
