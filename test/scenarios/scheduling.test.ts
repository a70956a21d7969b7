// How the kernel is asked to schedule the threads of a running server.
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../support/server.ts';

/** sched.h. */
const [OTHER, RR, BATCH] = [0, 2, 3];

interface Thread {
  readonly id: number;
  readonly nice: number;
  readonly policy: number;
}

/** All threads of a process, from /proc (proc(5): fields 19 and 41, counted behind the name in parentheses). */
function threads(pid: number): Thread[] {
  return readdirSync(`/proc/${pid}/task`).map((id) => {
    const stat = readFileSync(`/proc/${pid}/task/${id}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { id: Number(id), nice: Number(fields[19 - 3]), policy: Number(fields[41 - 3]) };
  });
}

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

  it('that answer run like those of other programs: two for UDP, one for TCP', () => {
    expect(threads(server.pid).filter(({ policy }) => policy === OTHER || policy === RR)).toHaveLength(3);
  });

  it('that rule and probe step behind them', () => {
    const main = threads(server.pid).find(({ id }) => id === server.pid);
    expect(main?.policy).toBe(BATCH);
    expect(main?.nice).toBe(threads(process.pid).find(({ id }) => id === process.pid)?.nice);
  });

  it('that compile and collect in the background step behind those too', () => {
    const helpers = threads(server.pid).filter(({ policy, nice }) => policy === BATCH && nice === 10);
    expect(helpers.length).toBeGreaterThanOrEqual(1);
  });
});
