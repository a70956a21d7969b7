// What the fallback through node:dgram must do by means of its own.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAddress } from '../../dist/base/address.js';
import { serveCounters, UDP_RECEIVED, UDP_SENT, UDP_SILENT } from '../../dist/serve/counters.js';
import { DgramServer } from '../../dist/serve/dgram.js';
import { askUdp, message } from '../support/clients.ts';
import { ToyResponder } from '../support/toy-responder.mjs';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function make(): { server: DgramServer; counters: Float64Array } {
  const counters = serveCounters();
  const server = new DgramServer({ responder: new ToyResponder(), counters });
  cleanups.push(() => server.close());
  return { server, counters };
}

describe('DgramServer', () => {
  it.each([
    ['0.0.0.0', '127.0.0.1'],
    ['::', '::1'],
  ])('answers on %s from the address that was asked', async (wildcard, asked) => {
    const { server } = make();
    const port = await server.listen({ address: parseAddress(wildcard)!, port: 0 });
    const asker = await askUdp(asked, port as number);
    cleanups.push(() => asker.close());
    asker.send(message(1));
    expect((await asker.answers([1])).size).toBe(1);
  });

  it.each(['0.0.0.0', '127.0.0.1'])('sees that another program has a port of %s', async (host) => {
    const other = createSocket({ type: 'udp4', reuseAddr: true }).bind(0, '127.0.0.1');
    cleanups.push(() => other.close());
    await once(other, 'listening');
    const result = await make().server.listen({ address: parseAddress(host)!, port: other.address().port });
    expect(result).toMatchObject({ code: 'EADDRINUSE' });
  });

  it('meets an empty datagram with silence and counts what it does', async () => {
    const { server, counters } = make();
    const port = await server.listen({ address: parseAddress('127.0.0.1')!, port: 0 });
    const asker = await askUdp('127.0.0.1', port as number);
    cleanups.push(() => asker.close());
    asker.send(new Uint8Array(0));
    asker.send(message(1));
    await asker.answers([1]);
    expect([counters[UDP_RECEIVED], counters[UDP_SILENT], counters[UDP_SENT]]).toEqual([2, 1, 1]);
  });
});
