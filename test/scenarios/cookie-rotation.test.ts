// Cookie secrets are rotated while the server runs: an old one verifies as long as it stands in the file.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ask, OPTION } from '../support/dns.ts';
import { startServer } from '../support/server.ts';

const ONE = '00112233445566778899aabbccddeeff';
const TWO = 'ffeeddccbbaa99887766554433221100';
const CLIENT = Buffer.from('0102030405060708', 'hex');

it('a cookie stays valid while its secret is in the file, and a reload drops it with the secret', async () => {
  const server = await startServer({
    files: {
      'zones/example.test.yaml': {
        zone: 'example.test',
        ns: ['ns.example.net.'],
        records: { www: { A: '192.0.2.1' } },
      },
      'cookie.key': `${ONE}\n`,
    },
    settings: { cookies: { 'secret-file': 'cookie.key' } },
  });
  try {
    const cookieOf = async (cookie: Buffer): Promise<Buffer> => {
      const options = [{ code: OPTION.COOKIE, data: cookie }];
      const reply = await ask(server, { name: 'www.example.test.', type: 'A', edns: { udpSize: 1232, options } });
      return Buffer.from(reply.opt!.options.find((option) => option.code === OPTION.COOKIE)!.data);
    };
    const counts = async (): Promise<[valid: number, invalid: number]> => {
      const status = (await (await fetch(`${server.admin}/api/v1/status`)).json()) as {
        counters: Record<string, number>;
      };
      return [status.counters.cookieValid!, status.counters.cookieInvalid!];
    };
    const rotate = async (...secrets: string[]): Promise<void> => {
      writeFileSync(join(server.directory, 'cookie.key'), `${secrets.join('\n')}\n`);
      expect((await fetch(`${server.admin}/api/v1/reload`, { method: 'POST' })).status).toBe(200);
    };
    const cookie = await cookieOf(CLIENT);
    await cookieOf(cookie);
    expect(await counts()).toEqual([1, 0]);

    await rotate(TWO, ONE);
    await cookieOf(cookie);
    expect(await counts()).toEqual([2, 0]);

    await rotate(TWO);
    const invalidAfterAsking = async (): Promise<number> => {
      await cookieOf(cookie);
      return (await counts())[1];
    };
    await expect.poll(invalidAfterAsking, { timeout: 60_000 }).toBeGreaterThan(0);
  } finally {
    await server.stop();
  }
});
