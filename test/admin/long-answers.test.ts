import { get, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ZoneSummary } from '../../dist/api/views.js';
import { limits } from '../../dist/base/limits.js';
import { type RunningAdmin, runAdmin } from '../support/admin.ts';

let running: RunningAdmin;
let made: number;
let ended: number;

beforeEach(async () => {
  running = await runAdmin();
  [made, ended] = [0, 0];
});

afterEach(() => running.admin.stop());

/** Zones without end; counts how many were made. */
async function* endless(summary: ZoneSummary): AsyncGenerator<ZoneSummary> {
  try {
    for (;;) {
      made++;
      yield { ...summary, name: `z${made}.${'x'.repeat(1_000)}` };
    }
  } finally {
    ended++;
  }
}

function ask(path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(`${running.admin.url}${path}`, { agent: false }, (response) => {
      response.pause();
      response.on('error', () => {});
      resolve(response);
    }).on('error', reject);
  });
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** How many were made once no more are. */
async function settled(): Promise<number> {
  for (let same = 0, last = -1; ; last = made) {
    same = made === last ? same + 1 : 0;
    if (same > 300) return made;
    await turn();
  }
}

describe('a long answer', () => {
  it('is made as far as it is read, and ended when its client leaves', async () => {
    running.control.zones = () => endless(running.control.summary);
    const response = await ask('/api/v1/zones');
    const first = await settled();
    // A megabyte is an entry; the sockets of both ends hold some megabytes.
    expect(first).toBeLessThan(20_000);
    expect(await settled()).toBe(first);
    expect((await running.ask('GET', '/healthz')).status).toBe(200);
    response.destroy();
    while (ended === 0) await turn();
  });

  it('waits for its turn, and those beyond are told to come again', async () => {
    running.control.zones = () => endless(running.control.summary);
    const open: Promise<IncomingMessage>[] = [];
    for (let i = 0; i < limits.adminLongPerClient; i++) open.push(ask('/api/v1/zones'));
    await Promise.all(open.slice(0, limits.adminLongAtOnce));
    // Whatever arrives last of them: one too many is refused, also of the other lists.
    let reply = await running.ask('GET', '/api/v1/explain?name=net.cat');
    expect(reply.status).toBe(200);
    for (;;) {
      const late = ask('/api/v1/health');
      const response = await Promise.race([late, settled().then(() => null)]);
      if (response === null) continue;
      expect([response.statusCode, response.headers['retry-after']]).toEqual([429, '2']);
      break;
    }
    reply = await running.ask('GET', '/metrics');
    expect(reply.text).toMatch(/meridian_admin_requests_refused_total\{kind="list"\} [1-9]/);
    expect(made).toBeGreaterThan(0);
  });
});
