// NOTIFYs to secondaries: sent, repeated, acknowledged, given up, void when something newer comes.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAddress } from '../../dist/base/address.js';
import { limits } from '../../dist/base/limits.js';
import { createLog } from '../../dist/base/log.js';
import { Board } from '../../dist/board/board.js';
import { Images } from '../../dist/loading/images.js';
import { Notifier } from '../../dist/notify/notifier.js';
import { isNotifyReply, notifyMessage } from '../../dist/notify/notify-message.js';
import { compileZone } from '../../dist/zonefile/compile.js';
import { FakeClock } from '../support/clock.ts';
import { parse } from '../support/dns.ts';
import { modelOf } from '../support/zones.ts';

const log = createLog('silent');

function imageOf(name: string, serial: number): Int32Array {
  const images = new Images(new Board(), () => {});
  const compiled = compileZone(modelOf(`zone: ${name}\nns: [ns.elsewhere.test.]\n`));
  return images.store.words(images.link(compiled, serial));
}

/** A secondary that keeps what it is sent. */
class FakeSecondary {
  readonly socket: Socket;
  readonly got: { bytes: Buffer; from: RemoteInfo }[] = [];
  #wake = (): void => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('message', (bytes, from) => {
      this.got.push({ bytes, from });
      this.#wake();
    });
  }

  get target() {
    return { address: parseAddress(this.socket.address().address)!, port: this.socket.address().port };
  }

  /** Resolves once that many messages have come in all. */
  async messages(count: number): Promise<void> {
    while (this.got.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Answers a message that came. */
  async answer(index: number, change: (reply: Buffer) => Buffer = (reply) => reply): Promise<void> {
    const { bytes, from } = this.got[index]!;
    const reply = Buffer.from(bytes);
    reply[2]! |= 0x80;
    await new Promise<void>((resolve) => this.socket.send(change(reply), from.port, from.address, () => resolve()));
  }
}

const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

async function secondary(host = '127.0.0.1'): Promise<FakeSecondary> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4').bind(0, host);
  ended.push(() => socket.close());
  await once(socket, 'listening');
  return new FakeSecondary(socket);
}

function notifier(listen: readonly string[] = ['127.0.0.1']): { notifier: Notifier; clock: FakeClock } {
  const clock = new FakeClock();
  const made = new Notifier({
    listen: () => listen.map((text) => ({ address: parseAddress(text)!, port: 53 })),
    clock,
    log,
  });
  ended.push(() => made.stop());
  return { notifier: made, clock };
}

/** Waits until what a zone's notices look like pleases; news come over a real socket. */
async function settled(
  of: Notifier,
  zone: string,
  done: (view: ReturnType<Notifier['views']>[number]) => boolean,
): Promise<void> {
  while (!of.views(zone).every(done)) await new Promise((resolve) => setImmediate(resolve));
}

describe('a NOTIFY', () => {
  it('asks for the SOA of the zone, with AA and the linked serial in the answer', () => {
    const reply = parse(Buffer.from(notifyMessage(imageOf('a.test', 4_000_000_000))));
    expect(reply).toMatchObject({
      qr: false,
      opcode: 4,
      aa: true,
      tc: false,
      rd: false,
      rcode: 'NOERROR',
      questions: [{ name: 'a.test.', type: 'SOA', class: 1 }],
      answers: [{ name: 'a.test.', type: 'SOA', data: expect.stringContaining(' 4000000000 ') }],
      opt: null,
    });
  });

  it('is answered by its id, its opcode and its question, in any case', () => {
    const sent = Buffer.from(notifyMessage(imageOf('a.test', 1)));
    const reply = Buffer.from(sent);
    reply[2]! |= 0x80;
    const changed = (at: number, value: number): Buffer => {
      const copy = Buffer.from(reply);
      copy[at] = value;
      return copy;
    };
    expect(isNotifyReply(reply, sent)).toBe(true);
    expect(isNotifyReply(changed(13, 0x41), sent)).toBe(true);
    expect(isNotifyReply(changed(13, 0x62), sent)).toBe(false);
    expect(isNotifyReply(changed(0, 1), sent)).toBe(false);
    expect(isNotifyReply(changed(2, 0x84), sent)).toBe(false);
    expect(isNotifyReply(sent, sent)).toBe(false);
    // An error may come without the question.
    expect(isNotifyReply(changed(5, 0).subarray(0, 12), sent)).toBe(true);
    for (let length = 0; length < 24; length++) {
      if (length !== 12) expect(isNotifyReply(reply.subarray(0, length), sent)).toBe(false);
    }
  });
});

describe('the notifier', () => {
  it('sends until it is heard, at growing distances, and no more', async () => {
    const { notifier: made, clock } = notifier();
    const one = await secondary();
    made.announce({ name: 'a.test', serial: 7, image: imageOf('a.test', 7), secondaries: [one.target] });
    await one.messages(1);
    await clock.advance(limits.notifyFirstWaitMs - 1);
    expect(made.totals().notifySent).toBe(1);
    await clock.advance(1);
    await one.messages(2);
    await clock.advance(limits.notifyFirstWaitMs * 2 - 1);
    expect(made.totals().notifySent).toBe(2);
    await clock.advance(1);
    await one.messages(3);
    expect(one.got[2]!.bytes).toEqual(one.got[0]!.bytes);
    await one.answer(2);
    await settled(made, 'a.test', ({ state }) => state === 'acknowledged');
    expect(made.views('a.test')).toEqual([
      {
        secondary: `127.0.0.1:${one.target.port}`,
        serial: 7,
        state: 'acknowledged',
        tries: 3,
        at: new Date(clock.nowMs()).toISOString(),
        reason: null,
      },
    ]);
    expect(clock.pending).toBe(0);
    expect(made.totals()).toEqual({ notifySent: 3, notifyAcknowledged: 1, notifyFailed: 0 });
  });

  it('gives a secondary up in the end, and says why', async () => {
    const { notifier: made, clock } = notifier();
    const one = await secondary();
    made.announce({ name: 'a.test', serial: 7, image: imageOf('a.test', 7), secondaries: [one.target] });
    await one.messages(1);
    // NOTAUTH: it isn't told of the zone yet.
    await one.answer(0, (reply) => {
      reply[3] = 9;
      return reply;
    });
    await settled(made, 'a.test', ({ reason }) => reason === 'it answered NOTAUTH');
    for (let i = 0; i < limits.notifyTries; i++) await clock.advance(limits.notifyLongestWaitMs);
    expect(made.views('a.test')).toMatchObject([
      { state: 'failed', tries: limits.notifyTries, reason: 'it answered NOTAUTH' },
    ]);
    expect(clock.pending).toBe(0);
    expect(made.totals()).toMatchObject({ notifySent: limits.notifyTries, notifyFailed: 1 });
  });

  it('takes no answer from elsewhere, nor to something else', async () => {
    const { notifier: made, clock } = notifier();
    const [one, other] = [await secondary(), await secondary()];
    made.announce({ name: 'a.test', serial: 7, image: imageOf('a.test', 7), secondaries: [one.target] });
    await one.messages(1);
    other.got.push(one.got[0]!);
    await other.answer(0);
    await one.answer(0, (reply) => {
      reply[0]! ^= 1;
      return reply;
    });
    await one.answer(0, (reply) => reply.subarray(0, 1));
    // What comes after them on the same socket shows that they were seen.
    await one.answer(0, (reply) => {
      reply[3] = 2;
      return reply;
    });
    await settled(made, 'a.test', ({ reason }) => reason === 'it answered SERVFAIL');
    expect(made.views('a.test')).toMatchObject([{ state: 'waiting' }]);
    await clock.advance(limits.notifyFirstWaitMs);
    await one.messages(2);
  });

  it('forgets an older version for a newer one, and a zone that is gone', async () => {
    const { notifier: made, clock } = notifier();
    const one = await secondary();
    const secondaries = [one.target];
    made.announce({ name: 'a.test', serial: 7, image: imageOf('a.test', 7), secondaries });
    await one.messages(1);
    made.announce({ name: 'a.test', serial: 8, image: imageOf('a.test', 8), secondaries });
    await one.messages(2);
    await one.answer(0);
    await clock.advance(limits.notifyFirstWaitMs);
    await one.messages(3);
    expect(parse(one.got[2]!.bytes).answers[0]!.data).toContain(' 8 ');
    expect(made.views('a.test')).toMatchObject([{ serial: 8, state: 'waiting' }]);
    made.forget('a.test');
    expect(made.views('a.test')).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('tells each secondary once, from the address that queries are taken at', async () => {
    const { notifier: made } = notifier(['0.0.0.0', '127.0.0.3', '::1']);
    const [four, six] = [await secondary(), await secondary('::1')];
    const secondaries = [four.target, four.target, six.target];
    made.announce({ name: 'a.test', serial: 7, image: imageOf('a.test', 7), secondaries });
    await Promise.all([four.messages(1), six.messages(1)]);
    expect(four.got[0]!.from.address).toBe('127.0.0.3');
    expect(six.got[0]!.from.address).toBe('::1');
    await Promise.all([four.answer(0), six.answer(0)]);
    await settled(made, 'a.test', ({ state }) => state === 'acknowledged');
    expect(made.totals()).toMatchObject({ notifySent: 2, notifyAcknowledged: 2 });
  });

  it('sends many a few at a time', async () => {
    const { notifier: made, clock } = notifier();
    const one = await secondary();
    const image = imageOf('a.test', 7);
    const zones = limits.notifyBurst * 2 + 5;
    for (let i = 0; i < zones; i++) made.announce({ name: `z${i}`, serial: 7, image, secondaries: [one.target] });
    expect(made.totals().notifySent).toBe(limits.notifyBurst);
    await clock.advance(limits.notifyPauseMs);
    expect(made.totals().notifySent).toBe(limits.notifyBurst * 2);
    await clock.advance(limits.notifyPauseMs);
    expect(made.totals().notifySent).toBe(zones);
  });

  it('lives on where an address cannot be sent to', async () => {
    const { notifier: made, clock } = notifier(['127.0.0.1']);
    // A socket of loopback alone can't reach this one.
    const far = { address: parseAddress('255.255.255.255')!, port: 53 };
    made.announce({ name: 'a.test', serial: 7, image: imageOf('a.test', 7), secondaries: [far] });
    await settled(made, 'a.test', ({ reason }) => reason !== null);
    expect(made.views('a.test')).toMatchObject([{ state: 'waiting', tries: 1 }]);
    await clock.advance(limits.notifyFirstWaitMs);
    expect(made.views('a.test')).toMatchObject([{ tries: 2 }]);
  });
});
