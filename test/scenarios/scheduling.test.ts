// How the kernel is asked to schedule the threads of a running server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { threadsOf } from '../support/hold-thread.ts';
import { type RunningServer, startServer } from '../support/server.ts';

/** sched.h. */
const [OTHER, BATCH] = [0, 3];

const zone = { zone: 'a.test', ns: ['ns1'], records: { ns1: { A: '192.0.2.1' } } };

describe.runIf(process.platform === 'linux')('the threads of a server', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({
      files: { 'zones/a.test.yaml': zone },
      settings: { workers: 2, udp: { realtime: false } },
    });
  });
  afterAll(() => server.stop());

  it('that answer, and those that compile what they run, are like those of other programs', () => {
    // Two for UDP, one for TCP, and V8's: one at least.
    expect(threadsOf(server.pid).filter(({ policy }) => policy === OTHER).length).toBeGreaterThanOrEqual(4);
  });

  it('that rules and the one that probes step behind them, each with the share that is its own', () => {
    const nice = threadsOf(process.pid).find(({ id }) => id === process.pid)!.nice;
    const behind = threadsOf(server.pid).filter(({ policy }) => policy === BATCH);
    expect(behind.find(({ id }) => id === server.pid)).toMatchObject({ nice });
    expect(behind.filter((thread) => thread.nice === nice).length).toBeGreaterThanOrEqual(2);
    // One that builds may still be there, and steps behind those.
    for (const thread of behind) expect(thread.nice).toBeGreaterThanOrEqual(nice);
  });
});
