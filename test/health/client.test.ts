// The two ends of the health thread: what each knows of the other, and what stands when one of them is busy or dead.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../dist/base/limits.js';
import { FORCED_DOWN, VERDICT_DOWN, VERDICT_UP } from '../../dist/board/board.js';
import type { HealthEvent } from '../../dist/health/event.js';
import { SIGNAL } from '../../dist/health/messages.js';
import { Outbox, type Queued } from '../../dist/health/outbox.js';
import { FakeClock } from '../support/clock.ts';
import { addresses, target } from '../support/fleet.ts';
import { HealthPair } from '../support/health-pair.ts';

const [FIRST, SECOND] = ['net.cat/p/10.0.0.0', 'net.cat/p/10.0.0.1'] as const;

async function pairOf(count: number): Promise<HealthPair> {
  const pair = new HealthPair();
  pair.setTargets(addresses(count).map((address) => target(address)));
  await pair.settle();
  return pair;
}

describe('what the health thread tells', () => {
  test('views follow each probe, and the latencies of the last hundred', async () => {
    const pair = new HealthPair();
    pair.setTargets([target('10.0.0.0', { intervalMs: 1_000 })]);
    expect(pair.verdicts()).toBe('unknown');
    await pair.clock.advance(60_000);
    pair.tookMs = 7;
    await pair.clock.advance(60_000);
    const health = pair.client.health(FIRST)!;
    expect(health).toMatchObject({ verdict: 'up', lastProbe: { ok: true, latencyMs: 7 } });
    expect(health.latencies).toHaveLength(100);
    expect([health.latencies[0], health.latencies.at(-1)]).toEqual([5, 7]);
    expect(pair.client.stats().started).toBeGreaterThan(100);
    await pair.stop();
  });

  test('the first round is over when each target has a verdict', async () => {
    const pair = new HealthPair();
    pair.answers.set('10.0.0.1', 'silent');
    pair.setTargets(addresses(2).map((address) => target(address)));
    let over = false;
    void pair.client.firstRound().then(() => {
      over = true;
    });
    await pair.clock.advance(1_900);
    expect(over).toBe(false);
    await pair.clock.advance(200);
    expect(over).toBe(true);
    expect(pair.verdicts()).toBe('up down');
    await pair.stop();
  });

  test('a verdict moves on the board while the control thread is busy, which hears the latest of it after', async () => {
    const pair = await pairOf(2);
    pair.controlTurns = false;
    const batches = pair.batches.length;
    pair.answers.set('10.0.0.0', 'refused');
    await pair.clock.advance(30_000);
    expect(pair.board.get(0).verdict).toBe(VERDICT_DOWN);
    expect(pair.verdicts()).toBe('up up');
    pair.answers.clear();
    pair.answers.set('10.0.0.1', 'refused');
    await pair.clock.advance(60_000);
    expect([0, 1].map((slot) => pair.board.get(slot).verdict)).toEqual([VERDICT_UP, VERDICT_DOWN]);
    // One batch is under way, however long it takes.
    expect(pair.batches.length).toBe(batches + 1);
    pair.controlTurns = true;
    pair.deliver();
    await pair.clock.advance(200);
    expect(pair.verdicts()).toBe('up down');
    const flips = pair.events.filter(({ kind, from }) => kind === 'flip' && from !== 'unknown');
    expect(flips.map(({ target: id, to }) => `${id} ${to}`).sort()).toEqual([
      `${FIRST} down`,
      `${FIRST} up`,
      `${SECOND} down`,
    ]);
    await pair.stop();
  });

  test('no batch is larger than its bound', async () => {
    const pair = await pairOf(1_200);
    const flips = pair.batches.length;
    for (const address of addresses(1_200)) pair.answers.set(address, 'refused');
    pair.answers.set('10.0.0.0', 'ok');
    await pair.clock.advance(40_000);
    expect(pair.batches.length).toBeGreaterThan(flips);
    for (const batch of pair.batches) {
      for (const list of [batch.probes, batch.told, batch.events, batch.lines])
        expect(list.length).toBeLessThanOrEqual(limits.healthBatch);
    }
    expect(
      pair
        .verdicts()
        .split(' ')
        .filter((verdict) => verdict === 'down'),
    ).toHaveLength(1_199);
    await pair.stop();
  });
});

describe('what the health thread is told', () => {
  test('thousands of targets come in pieces, a few at a time', async () => {
    const pair = new HealthPair();
    pair.healthTurns = false;
    pair.setTargets(addresses(3_000).map((address) => target(address, null)));
    await pair.clock.advance(1_000);
    expect(pair.messages).toHaveLength(limits.healthMessages);
    pair.healthTurns = true;
    pair.deliver();
    await pair.clock.advance(1_000);
    expect(pair.messages).toHaveLength(3_000 / limits.healthTargets);
    expect(pair.board.get(2_999)).toMatchObject({ verdict: VERDICT_UP, watched: false });
    await pair.stop();
  });

  test('after a reload it hears of what is new, gone or other than before, and of nothing else', async () => {
    const pair = await pairOf(3);
    const before = pair.messages.length;
    const list = addresses(3).map((address) => target(address));
    pair.setTargets(list);
    expect(pair.messages).toHaveLength(before);
    pair.setTargets([list[0]!, target('10.0.0.1', { fall: 1 }), target('10.0.0.9')]);
    await pair.clock.advance(100);
    expect(
      pair.messages
        .slice(before)
        .map((message) =>
          message.kind === 'targets' ? [message.changed.map(({ target: { address } }) => address), message.gone] : [],
        ),
    ).toEqual([
      [['10.0.0.1', '10.0.0.9'], []],
      [[], ['net.cat/p/10.0.0.2']],
    ]);
    expect(pair.verdicts()).toBe('up up up');
    await pair.stop();
  });

  test('a target that moves to another pool keeps the verdict of its probe', async () => {
    const pair = await pairOf(1);
    const tries = pair.tries.get('10.0.0.0:80')!.length;
    pair.answers.set('10.0.0.0', 'silent');
    pair.setTargets([target('10.0.0.0', {}, { pool: 'q' })]);
    await pair.clock.advance(50);
    expect(pair.verdicts()).toBe('up');
    expect(pair.board.get(1).verdict).toBe(VERDICT_UP);
    expect(pair.tries.get('10.0.0.0:80')!.length).toBeLessThanOrEqual(tries + 1);
    await pair.stop();
  });

  test('a place on the board is free only when the thread has heard that its target is gone', async () => {
    const pair = await pairOf(2);
    pair.healthTurns = false;
    pair.setTargets([target('10.0.0.0')]);
    let free = false;
    pair.client.whenTaken(() => {
      free = true;
    });
    const taken = pair.client.taken();
    await pair.clock.advance(10_000);
    // A reload doesn't wait for ever.
    await taken;
    expect(free).toBe(false);
    pair.healthTurns = true;
    pair.deliver();
    await pair.clock.advance(100);
    expect(free).toBe(true);
    await pair.stop();
  });

  test('a freeze holds at once for who asks, and for verdicts as soon as the thread turns', async () => {
    const pair = await pairOf(2);
    pair.healthTurns = false;
    pair.client.freeze(null, 'works', 'ops');
    expect(pair.client.frozen()).toMatchObject({ reason: 'works', by: 'ops' });
    // A batch of before must not lift it.
    await pair.clock.advance(15_000);
    expect(pair.client.frozen()).not.toBeNull();
    pair.healthTurns = true;
    pair.deliver();
    pair.answers.set('10.0.0.0', 'refused');
    await pair.clock.advance(60_000);
    expect(pair.verdicts()).toBe('up up');
    pair.client.thaw('ops');
    expect(pair.client.frozen()).toBeNull();
    await pair.clock.advance(200);
    expect(pair.verdicts()).toBe('down up');
    expect(pair.events.map(({ kind }) => kind).slice(-3)).toEqual(['freeze', 'thaw', 'flip']);
    await pair.stop();
  });
});

describe('a health thread that dies', () => {
  test('leaves the board as it was, and its successor goes on with verdicts, counts and times', async () => {
    const pair = await pairOf(3);
    pair.answers.set('10.0.0.1', 'refused');
    await pair.clock.advance(14_000);
    pair.answers.set('10.0.0.2', 'refused');
    while (pair.client.health('net.cat/p/10.0.0.2')!.failures === 0) await pair.clock.advance(100);
    const words = [0, 1, 2].map((slot) => pair.board.get(slot));
    const before = addresses(3).map((address) => pair.client.health(`net.cat/p/${address}`)!);
    const events = pair.events.length;
    const probes = before[0]!.latencies.length;
    pair.die();
    expect(pair.verdicts()).toBe('up down up');
    await pair.clock.advance(limits.healthRestartMs);
    // Probes of the second thread are under way or in: nothing was forgotten meanwhile.
    expect(pair.starts).toHaveLength(2);
    expect(pair.client.stats().restarts).toBe(1);
    expect(pair.events.slice(events).filter(({ from }) => from === 'unknown')).toEqual([]);
    expect([0, 1].map((slot) => pair.board.get(slot).verdict)).toEqual(words.slice(0, 2).map(({ verdict }) => verdict));
    expect(pair.client.health(SECOND)).toMatchObject({ verdict: 'down', sinceMs: before[1]!.sinceMs });
    expect(pair.client.health(FIRST)!.latencies.length).toBeGreaterThan(probes);
    await pair.clock.advance(4_000);
    expect(pair.verdicts()).toBe('up down down');
    expect(pair.logged.filter(({ event }) => event === 'thread-restarted')).toHaveLength(1);
    expect(pair.logged.find(({ event }) => event === 'thread-failed')).toMatchObject({ thread: 'health' });
    await pair.stop();
  });

  test('its successor knows what was told, be it other than what its probes say: in a freeze, or of a check that was changed', async () => {
    const pair = await pairOf(2);
    pair.client.freeze(null, 'works', 'ops');
    pair.answers.set('10.0.0.0', 'refused');
    await pair.clock.advance(30_000);
    pair.answers.set('10.0.0.1', 'silent');
    pair.setTargets([target('10.0.0.0'), target('10.0.0.1', { fall: 2 })]);
    await pair.clock.advance(500);
    pair.die();
    await pair.clock.advance(1_000);
    expect(pair.client.frozen()).toMatchObject({ reason: 'works' });
    expect([0, 1].map((slot) => pair.board.get(slot).verdict)).toEqual([VERDICT_UP, VERDICT_UP]);
    expect(pair.verdicts()).toBe('up up');
    pair.client.thaw('ops');
    await pair.clock.advance(60_000);
    expect(pair.verdicts()).toBe('down down');
    await pair.stop();
  });

  test('hears what an operator wanted while there was none', async () => {
    const pair = await pairOf(1);
    pair.die();
    pair.client.freeze(null, 'works', 'ops');
    pair.board.force(0, FORCED_DOWN);
    await pair.clock.advance(1_000);
    pair.answers.set('10.0.0.0', 'refused');
    await pair.clock.advance(60_000);
    expect(pair.board.get(0)).toMatchObject({ verdict: VERDICT_UP, forced: FORCED_DOWN });
    expect(pair.events.filter(({ kind }) => kind === 'freeze')).toHaveLength(1);
    await pair.stop();
  });

  test('again and again is started more and more seldom', async () => {
    const pair = await pairOf(1);
    const starts = pair.starts.length;
    const endMs = pair.clock.nowMs() + 60_000;
    while (pair.clock.nowMs() < endMs) {
      const running = pair.starts.length;
      pair.die();
      while (pair.starts.length === running) await pair.clock.advance(10);
    }
    expect(pair.starts.length - starts).toBeGreaterThan(10);
    expect(pair.starts.length - starts).toBeLessThan(30);
    await pair.stop();
  });

  test('gives a sign of life while it turns, and can be ended where it does not', async () => {
    const pair = await pairOf(1);
    const beat = pair.client.signs[SIGNAL.heartbeat];
    await pair.clock.advance(limits.heartbeatMs);
    expect(pair.client.signs[SIGNAL.heartbeat]).not.toBe(beat);
    pair.client.restart();
    await pair.clock.advance(1_000);
    expect(pair.starts).toHaveLength(2);
    expect(pair.verdicts()).toBe('up');
    await pair.stop();
  });
});

test('events and log lines that find no room are counted, and told with the next batch; of probes and targets the latest stays', async () => {
  const clock = new FakeClock();
  const sent: Queued[] = [];
  const outbox = new Outbox({ clock, acknowledged: () => 0, send: (queued) => sent.push(queued) });
  const event = { kind: 'flip', reason: '' } as HealthEvent;
  outbox.event(event);
  await clock.advance(1_000);
  for (let i = 0; i < limits.healthQueue + 7; i++) {
    outbox.event(event);
    outbox.line({ level: 'info', fields: {}, message: String(i) });
    outbox.told('a', i % 2 === 0 ? 'up' : 'down', i);
  }
  outbox.told('b', 'down', 0);
  outbox.forget('b');
  await clock.advance(1_000);
  expect(sent).toHaveLength(1);
  outbox.stop();
  const [, last] = sent;
  expect(last).toMatchObject({ droppedEvents: 7, droppedLines: 7, told: [['a', 'up', limits.healthQueue + 6]] });
  expect([last!.events.length, last!.lines.length]).toEqual([limits.healthQueue, limits.healthQueue]);
  expect(last!.lines[0]!.message).toBe('0');
});

test('whatever happens, the board, the views and the probes agree in the end', async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer' as const), of: fc.nat(5), ok: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(8_000) }) },
    fc.record({ kind: fc.constant('targets' as const), mask: fc.nat(63), fall: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constantFrom('die', 'freeze', 'thaw', 'restart') }),
    fc.record({ kind: fc.constantFrom('control', 'health'), turns: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const pair = new HealthPair({
        settings: {
          maxConcurrent: 10,
          blackoutHoldMs: 0,
          rules: { exec: false, files: [], linkLocal: false, admin: null },
        },
      });
      let list = addresses(6).map((address) => target(address));
      pair.setTargets(list);
      for (const one of steps) {
        if (one.kind === 'answer') pair.answers.set(addresses(6)[one.of]!, one.ok ? 'ok' : 'refused');
        else if (one.kind === 'wait') await pair.clock.advance(one.ms);
        else if (one.kind === 'targets') {
          list = addresses(6)
            .filter((_, i) => (one.mask >> i) & 1)
            .map((address) => target(address, { fall: one.fall }));
          pair.setTargets(list);
        } else if (one.kind === 'die') pair.die();
        else if (one.kind === 'restart') pair.client.restart();
        else if (one.kind === 'freeze') pair.client.freeze(null, 'why', 'ops');
        else if (one.kind === 'thaw') pair.client.thaw('ops');
        else if ('turns' in one) pair[one.kind === 'control' ? 'controlTurns' : 'healthTurns'] = one.turns;
      }
      pair.controlTurns = true;
      pair.healthTurns = true;
      pair.deliver();
      pair.client.thaw('ops');
      await pair.clock.advance(120_000);
      const verdicts = { ok: VERDICT_UP, refused: VERDICT_DOWN } as Record<string, number>;
      for (const { id, address } of list) {
        const expected = verdicts[pair.answers.get(address) ?? 'ok'];
        expect(pair.board.get(pair.board.slotOf(id)!).verdict).toBe(expected);
        expect(pair.client.health(id)!.verdict).toBe(expected === VERDICT_UP ? 'up' : 'down');
      }
      expect(pair.client.frozen()).toBeNull();
      await pair.stop();
    }),
    {
      numRuns: 60,
      // The end of a thread that is told twice starts one successor.
      examples: [[[{ kind: 'die' }, { kind: 'die' }, { kind: 'wait', ms: 40 }, { kind: 'answer', of: 0, ok: false }]]],
    },
  );
}, 120_000);
