// The real health thread over a real backend: what stands when it is ended in the middle of its work.
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../dist/base/clock.js';
import { createLog } from '../../dist/base/log.js';
import { Board, VERDICT_DOWN, VERDICT_UP } from '../../dist/board/board.js';
import { startHealthThread } from '../../dist/control/health-thread.js';
import { HealthClient } from '../../dist/health/client.js';
import type { HealthEvent } from '../../dist/health/event.js';
import { SIGNAL } from '../../dist/health/messages.js';
import { tcpBackend } from '../support/backends.ts';
import { check, tcpCheck } from '../support/checks.ts';
import { until } from '../support/story.ts';

let stop = async (): Promise<void> => {};
afterEach(() => stop());

test('ended in the middle of its work it is started again, and no verdict is ever unknown in between', async () => {
  const backend = await tcpBackend(() => {});
  const board = new Board();
  const events: HealthEvent[] = [];
  const client = new HealthClient({
    settings: {
      maxConcurrent: 10,
      blackoutHoldMs: 0,
      rules: { exec: false, files: [], linkLocal: false, admin: null },
    },
    logLevel: 'silent',
    board: board.buffer,
    stateFile: null,
    onEvent: (event) => events.push(event),
    start: startHealthThread,
    clock: systemClock,
    log: createLog('silent'),
  });
  stop = async () => {
    await client.stop();
    await backend.close();
  };
  client.start();
  const id = 'z/p/127.0.0.1';
  const slot = board.slot(id);
  const web = check(tcpCheck(backend.port), { intervalMs: 100, timeoutMs: 100, fall: 2, rise: 1 });
  client.setTargets([
    { id, zone: 'z', pool: 'p', address: '127.0.0.1', family: 4, check: web, slot, shed: null, capacity: null },
  ]);
  await client.firstRound();
  expect(board.get(slot).verdict).toBe(VERDICT_UP);
  const since = client.health(id)!.sinceMs;
  for (let restarts = 1; restarts <= 3; restarts++) {
    const seen = new Set<number>();
    const probes = client.stats().started;
    client.restart();
    await until(
      async () => {
        seen.add(board.get(slot).verdict);
        const { restarts: times, started } = client.stats();
        return times === restarts && started > probes + 2;
      },
      (over) => over,
      20_000,
    );
    expect([...seen]).toEqual([VERDICT_UP]);
  }
  expect(client.health(id)).toMatchObject({ verdict: 'up', sinceMs: since });
  const beat = client.signs[SIGNAL.heartbeat]!;
  await until(
    async () => client.signs[SIGNAL.heartbeat]!,
    (now) => now !== beat,
  );
  await backend.close();
  await until(
    async () => board.get(slot).verdict,
    (verdict) => verdict === VERDICT_DOWN,
  );
  await until(
    async () => events.at(-1)?.to,
    (to) => to === 'down',
  );
  expect(events.filter(({ kind }) => kind === 'flip').map(({ to }) => to)).toEqual(['up', 'down']);
}, 120_000);
