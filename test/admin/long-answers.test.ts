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
    // A kilobyte is an entry; the sockets of both ends hold some megabytes.
    expect(first).toBeLessThan(20_000);
    expect(await settled()).toBe(first);
    expect((await running.ask('GET', '/healthz')).status).toBe(200);
    response.destroy();
    while (ended === 0) await turn();
  });

  it('waits for its turn, and those beyond are told to come again', async () => {
    running.control.zones = () => endless(running.control.summary);
    // Whichever of them arrives last is one too many.
    const open = Array.from({ length: limits.adminLongPerClient + 1 }, () => ask('/api/v1/zones'));
    const refused = await Promise.any(
      open.map(async (asked) => {
        const response = await asked;
        if (response.statusCode === 200) throw new Error('answered');
        return response;
      }),
    );
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '2']);
    // Other kinds have turns of their own.
    expect((await running.ask('GET', '/api/v1/explain?name=net.cat')).status).toBe(200);
    running.control.zones = async function* () {};
    const reply = await running.ask('GET', '/metrics');
    expect(reply.text).toMatch(/meridian_admin_requests_refused_total\{kind="list"\} 1\n/);
  });
});
