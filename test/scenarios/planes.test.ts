// Health and the control plane beside each other in a real server: one of them stands still, the other goes on.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { holdThread, threadsOf } from '../support/hold-thread.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { admin, Backends, force, got, until, verdicts } from '../support/story.ts';

const ONE = '127.0.7.1';
const SPARE = '192.0.2.1';
const TARGET = `planes.test/a/${ONE}`;
/** sched.h. */
const BATCH = 3;

const zone = (port: number): string => `
zone: planes.test
ns: [ns.elsewhere.test.]
checks: { talk: { tcp: { port: ${port} }, interval: 200ms, timeout: 150ms, fall: 2, rise: 1 } }
pools:
  a: { check: talk, members: [${ONE}] }
  spare: { members: [${SPARE}] }
records: { www: { A: { pools: [a, spare] } } }
`;

describe.runIf(process.platform === 'linux')('when one thread stands still', () => {
  let backends: Backends;
  let server: RunningServer;
  let release = (): void => {};

  beforeAll(async () => {
    backends = await Backends.start([ONE]);
    server = await startServer({ files: { 'zones/planes.test.yaml': zone(backends.port) } });
  });
  afterEach(() => release());
  afterAll(async () => {
    await server?.stop();
    await backends?.stop();
  });

  const now = (): Promise<string> => got(server, 'www.planes.test');
  const answers = (wanted: string): Promise<number> => until(now, (seen) => seen === wanted, 20_000);

  /** The threads that run behind those that answer: the main thread, and the one of health once builders are gone. */
  const batchThreads = (): number[] =>
    threadsOf(server.pid).flatMap(({ id, policy }) => (policy === BATCH && id !== server.pid ? [id] : []));

  test('verdicts reach the answers while the control thread does nothing; later it tells what happened', async () => {
    await answers(ONE);
    release = holdThread(server.pid);
    await expect(fetch(`${server.admin}/readyz`, { signal: AbortSignal.timeout(500) })).rejects.toThrow();
    await backends.close(ONE);
    await answers(SPARE);
    await backends.open(ONE);
    await answers(ONE);
    await backends.close(ONE);
    await answers(SPARE);
    release();
    await until(
      () => verdicts(server),
      (seen) => seen[TARGET] === 'down',
    );
    const { events } = (await admin(server, 'GET', '/api/v1/events')).json as { events: { detail: { to: string } }[] };
    expect(events.slice(-3).map(({ detail }) => detail.to)).toEqual(['down', 'up', 'down']);
    expect(server.output().match(/"event":"health-flip"[^\n]*"to":"down"/g)).toHaveLength(2);
    await backends.open(ONE);
    await answers(ONE);
  });

  test('an operator takes a target out and puts it back while the health thread does nothing; later the verdict still stands', async () => {
    await answers(ONE);
    await until(
      async () => batchThreads().length,
      (count) => count === 1,
      20_000,
    );
    release = holdThread(batchThreads()[0]!);
    await force(server, TARGET, 'down');
    expect(await now()).toBe(SPARE);
    await force(server, TARGET, null);
    expect(await now()).toBe(ONE);
    await force(server, TARGET, 'down');
    await backends.close(ONE);
    release();
    await until(
      () => verdicts(server),
      (seen) => seen[TARGET] === 'down',
    );
    // The verdict that came later has not lifted what was forced, nor the other way round.
    await backends.open(ONE);
    await until(
      () => verdicts(server),
      (seen) => seen[TARGET] === 'up',
    );
    expect(await now()).toBe(SPARE);
    await force(server, TARGET, null);
    expect(await now()).toBe(ONE);
  });
});
