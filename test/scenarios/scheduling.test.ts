// How the kernel is asked to schedule the threads of a running server.
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../support/server.ts';

/** sched.h. */
const [OTHER, BATCH] = [0, 3];

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

  it('that answer, and those that compile what they run, are like those of other programs', () => {
    // Two for UDP, one for TCP, and V8's: one at least.
    expect(threads(server.pid).filter(({ policy }) => policy === OTHER).length).toBeGreaterThanOrEqual(4);
  });

  it('that rules and probes steps behind them, with the share that is its own', () => {
    const nice = threads(process.pid).find(({ id }) => id === process.pid)!.nice;
    expect(threads(server.pid).find(({ id }) => id === server.pid)).toMatchObject({ policy: BATCH, nice });
  });
});
