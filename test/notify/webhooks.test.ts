import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { pino } from 'pino';
import { afterEach, describe, expect, test } from 'vitest';
import { signature, Webhooks } from '../../dist/notify/webhooks.js';
import { type Backend, tcpBackend } from '../support/backends.ts';
import { FakeClock } from '../support/clock.ts';

const open: Backend[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

interface Post {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A receiver that answers the nth POST with `status(n)`; 0: not at all. */
async function receiver(status: (n: number) => number) {
  const posts: Post[] = [];
  let wake = (): void => {};
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      posts.push({ headers: request.headers, body });
      const code = status(posts.length);
      if (code !== 0) response.writeHead(code).end('taken');
      wake();
    });
  });
  const backend = await tcpBackend(() => {}, server);
  open.push(backend);
  return {
    url: `http://127.0.0.1:${backend.port}/hook`,
    posts,
    /** Resolves when `count` POSTs have come. */
    async received(count: number): Promise<void> {
      while (posts.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

function setUp(url: string, secret: Uint8Array | null = null) {
  const clock = new FakeClock();
  const logged: string[] = [];
  const hooks = new Webhooks({
    clock,
    random: () => 0,
    log: pino({}, { write: (line: string) => logged.push(line) }),
    hooks: [{ url, secret }],
  });
  return { clock, hooks, logged };
}

/** Moves the clock until the receiver has had `count` POSTs. */
async function untilReceived(
  clock: FakeClock,
  target: Awaited<ReturnType<typeof receiver>>,
  count: number,
): Promise<void> {
  const done = target.received(count).then(() => true);
  while (!(await Promise.race([done, new Promise<false>((resolve) => setTimeout(() => resolve(false), 5))])))
    await clock.advance(1_000);
}

describe('webhooks', () => {
  test('deliver events as signed JSON, in order', async () => {
    const target = await receiver(() => 204);
    const secret = Buffer.from('secret');
    const { clock, hooks } = setUp(target.url, secret);
    hooks.send({ kind: 'flip', to: 'down' });
    hooks.send({ kind: 'flip', to: 'up' });
    await target.received(2);
    expect(target.posts.map((post) => JSON.parse(post.body).to)).toEqual(['down', 'up']);
    const seconds = Math.floor(clock.nowMs() / 1000);
    const { headers, body } = target.posts[0]!;
    expect(headers['content-type']).toBe('application/json');
    expect(headers['meridian-signature']).toBe(
      `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`,
    );
    expect(signature(secret, seconds, body)).toBe(headers['meridian-signature']);
    hooks.stop();
  });

  test('are tried again with growing waits until they are taken', async () => {
    const target = await receiver((n) => (n < 4 ? 503 : 200));
    const { clock, hooks } = setUp(target.url);
    hooks.send({ n: 1 });
    hooks.send({ n: 2 });
    const startMs = clock.nowMs();
    await untilReceived(clock, target, 5);
    expect(target.posts.map((post) => JSON.parse(post.body).n)).toEqual([1, 1, 1, 1, 2]);
    expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(7_000);
    hooks.stop();
  });

  test('that refuse an event are not asked again', async () => {
    const target = await receiver((n) => (n === 1 ? 400 : 200));
    const { hooks, logged } = setUp(target.url);
    hooks.send({ n: 1 });
    hooks.send({ n: 2 });
    await target.received(2);
    expect(target.posts.map((post) => JSON.parse(post.body).n)).toEqual([1, 2]);
    expect(logged.join()).toContain('webhook-failed');
    hooks.stop();
  });

  test.each([
    ['an interim response first', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n'],
    [
      'several of them',
      'HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ],
    ['a body that is cut off', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf'],
    ['chunks that are none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n'],
    ['what is no HTTP', 'thanks\r\n'],
    ['a body without end', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1_000_000)}`],
  ])('that answer with %s get each event once', async (_, answer) => {
    const bodies: string[] = [];
    let wake = (): void => {};
    const backend = await tcpBackend((socket) => {
      let said = '';
      socket.on('data', (data) => {
        said += data;
        if (!said.endsWith('}')) return;
        bodies.push(said.slice(said.indexOf('{')));
        socket.end(answer);
        wake();
      });
    });
    open.push(backend);
    const { clock, hooks, logged } = setUp(`http://127.0.0.1:${backend.port}/hook`);
    hooks.send({ n: 1 });
    hooks.send({ n: 2 });
    const done = (async () => {
      while (bodies.length < 2) await new Promise<void>((resolve) => (wake = resolve));
      return true;
    })();
    // Were it tried again, that would come within a second.
    while (!(await Promise.race([done, new Promise<false>((resolve) => setTimeout(() => resolve(false), 20))])))
      await clock.advance(1_500);
    expect(bodies).toEqual(['{"n":1}', '{"n":2}']);
    expect(logged.join()).not.toContain('unreachable');
    hooks.stop();
  });

  test('that hang are given up after ten seconds and tried again', async () => {
    const target = await receiver((n) => (n === 1 ? 0 : 200));
    const { clock, hooks } = setUp(target.url);
    hooks.send({ n: 1 });
    await untilReceived(clock, target, 2);
    hooks.stop();
  });

  test('have a bounded queue whose oldest events go first', async () => {
    const target = await receiver((n) => (n === 1 ? 503 : 200));
    const { clock, hooks, logged } = setUp(target.url);
    for (let n = 0; n < 1_500; n++) hooks.send({ n });
    await untilReceived(clock, target, 3);
    expect(target.posts.slice(0, 3).map((post) => JSON.parse(post.body).n)).toEqual([0, 0, 501]);
    expect(logged.filter((line) => line.includes('webhook-queue-full'))).toHaveLength(1);
    hooks.stop();
  });
});
