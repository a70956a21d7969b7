import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEMO_PORTS, DEMO_SITES, type Demo, startDemo } from '../../dist/control/demo.js';
import { parseZone } from '../../dist/zonefile/parse.js';
import { ask } from '../support/admin.ts';

describe('the example zone', () => {
  const file = new URL('../../zones/net.cat.yaml', import.meta.url);
  const source = { file: 'net.cat.yaml', text: readFileSync(file, 'utf8'), expectedName: 'net.cat' };
  const { model, diagnostics } = parseZone(source, null, {
    baseDirectory: '/',
    checkRules: { exec: false, files: ['/etc/meridian/state/checks'], linkLocal: false },
    geoData: null,
  });

  it('has no mistakes and no doubtful spots', () => {
    expect(diagnostics).toEqual([]);
  });

  it("names the demo's backends, and probes their ports", () => {
    for (const [site, addresses] of Object.entries(DEMO_SITES)) {
      expect(model!.pools.get(site)!.members.map((member) => member.address)).toEqual(addresses);
    }
    const demo = new Set(Object.values(DEMO_SITES).flat());
    for (const pool of model!.pools.values()) {
      expect(pool.members.every((member) => demo.has(member.address))).toBe(true);
      const probe = pool.check!.probe;
      if (probe.kind === 'http') expect(probe).toMatchObject({ port: DEMO_PORTS.http, path: '/healthz' });
      else expect(probe).toMatchObject({ kind: 'udp', port: DEMO_PORTS.udp });
    }
  });
});

describe("the demo's backends", () => {
  let demo: Demo;

  beforeEach(async () => {
    demo = await startDemo({ http: 0, udp: 0, control: 0 });
  });

  afterEach(() => demo.stop());

  it('are alive on addresses of their own', async () => {
    for (const { address, ports } of demo.backends) {
      const reply = await ask(`http://${address}:${ports.http}`, 'GET', '/healthz');
      expect([reply.status, reply.text]).toEqual([200, 'ok\n']);
    }
    expect(await ping(demo.backends[0]!)).toBe('pong');
  });

  it('stop and start one by one or by site', async () => {
    const rio = demo.backends.find((backend) => backend.site === 'rio')!;
    const before = rio.ports.http;
    expect((await ask(demo.url, 'POST', '/stop/rio')).text).toMatch(/rio +127\.0\.2\.1 +stopped/);
    await expect(ask(`http://${rio.address}:${before}`, 'GET', '/healthz')).rejects.toThrow(/ECONNREFUSED/);
    expect((await ask(demo.url, 'POST', '/stop/127.0.1.1')).text).toMatch(
      /127\.0\.1\.1 +stopped\n.*127\.0\.1\.2 +running/,
    );
    expect((await ask(demo.url, 'POST', '/start/rio')).text).toMatch(/rio +127\.0\.2\.1 +running/);
    expect((await ask(`http://${rio.address}:${rio.ports.http}`, 'GET', '/healthz')).status).toBe(200);
  });

  it('are not stopped by pages, by GET, or by a name that is none of theirs', async () => {
    expect((await ask(demo.url, 'POST', '/stop/rio', { headers: { origin: 'https://evil.example' } })).status).toBe(
      403,
    );
    expect((await ask(demo.url, 'GET', '/stop/rio')).status).toBe(405);
    expect((await ask(demo.url, 'POST', '/stop/paris')).status).toBe(404);
    expect((await ask(demo.url, 'GET', '/')).text).not.toContain('stopped');
  });
});

function ping({ address, ports }: Demo['backends'][number]): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4', (message) => {
      socket.close();
      resolve(message.toString());
    });
    socket.send('ping', ports.udp, address);
  });
}
