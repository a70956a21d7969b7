// Backends that die and come back while a real server watches them.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query, sendUdp } from '../support/dns.ts';
import { HANGS_MS } from '../support/patience.ts';
import { freePort } from '../support/ports.ts';
import { have, Program } from '../support/programs.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { admin, askFor, Backends, countries, force, got, until, verdicts } from '../support/story.ts';

const GEO = countries({ '1.0.0.0/8': 'RU' });
const NGINX = '127.30.0.1';
const [ONE, TWO, THREE, FOUR] = ['127.30.1.1', '127.30.1.2', '127.30.1.3', '127.30.1.4'];
const [U1, U2] = ['127.30.2.1', '127.30.2.2'];

/** A UDP backend that answers `ping` with `pong`. */
async function udpEcho(address: string, port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (data, from) => {
    if (data.toString() === 'ping') socket.send('pong 1', from.port, from.address);
  });
  socket.bind(port, address);
  await once(socket, 'listening');
  return socket;
}

function zone(tcp: number, udp: number, http: number): string {
  return `
zone: health.test
ns: [ns.elsewhere.test.]
checks:
  web: { http: { port: ${http}, path: /healthz, host: shop.health.test, expect-body: fine }, interval: 200ms, timeout: 300ms, fall: 2, rise: 2 }
  tcp: { tcp: { port: ${tcp} }, interval: 100ms, timeout: 300ms, fall: 2, rise: 2 }
  udp: { udp: { port: ${udp}, send: ping, expect: "regex:^pong [0-9]" }, interval: 200ms, timeout: 150ms, fall: 2, rise: 2 }
  slow: { tcp: { port: ${tcp} }, interval: 10s, timeout: 1s, fall: 3, rise: 2 }
  slower: { tcp: { port: ${tcp} }, interval: 60s, timeout: 1s, fall: 3, rise: 2 }
pools:
  web: { check: web, members: [${NGINX}, 127.30.0.2] }
  spare: { members: [192.0.2.1] }
  one: { check: tcp, members: [${ONE}] }
  tcp: { check: tcp, min-live: 2, members: [${TWO}, ${THREE}] }
  udp: { check: udp, members: [${U1}, ${U2}] }
  slow: { check: slow, members: [${ONE}] }
  slower: { check: slower, members: [${TWO}] }
  slowdead: { check: slow, members: [${FOUR}] }
  slowboth: { check: slow, members: [${ONE}, ${FOUR}] }
  dead: { check: slow, members: [127.30.9.1, 127.30.9.2, "::1"] }
  dead2: { check: slow, members: [127.30.9.3] }
records:
  web: { A: { ttl: 30, pools: [web, spare] } }
  one: { A: { pools: [one, spare] } }
  tcp: { A: { pools: [tcp, spare] } }
  udp: { A: { pools: [udp] } }
  dead: { ADDR: { pools: [dead, dead2] } }
  deadsecond: { A: { pools: [dead2, dead] } }
  deadnodata: { A: { pools: [dead], when-all-down: nodata } }
  deadservfail: { A: { pools: [dead], when-all-down: servfail } }
  deadregion: { A: { regions: { europe: dead, default: nodata } } }
  ttl: { A: { ttl: { max: 300, min: 5 }, pools: [slow] } }
  ttlover: { A: { ttl: { max: 300, min: 5 }, pools: [slowdead, slow] } }
  ttldrawn: { A: { ttl: { max: 300, min: 5 }, weighted: { slow: 1, slower: 1 } } }
  ttldrawnover: { A: { ttl: { max: 300, min: 5 }, pools: [slowdead, slower] } }
  ttlboth: { A: { ttl: { max: 300, min: 5 }, pools: [slowboth] } }
  ttlmax: { A: { ttl: { max: 25, min: 5 }, pools: [slow] } }
  ttlmin: { A: { ttl: { max: 300, min: 60 }, pools: [slow] } }
  ttlunchecked: { A: { ttl: { max: 300, min: 5 }, pools: [spare] } }
`;
}

describe.runIf(have('nginx'))('a server and its backends', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meridian-nginx-'));
  let server: RunningServer;
  let backends: Backends;
  let nginx: Program;
  let http = 0;
  const udp = new Map<string, Socket>();

  const startNginx = async (): Promise<void> => {
    nginx = new Program('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')]);
    await nginx.until(async () => {
      try {
        return (await fetch(`http://${NGINX}:${http}/healthz`)).status === 421;
      } catch {
        return false;
      }
    });
  };

  beforeAll(async () => {
    backends = await Backends.start([ONE, TWO, THREE]);
    const udpPort = backends.port;
    for (const address of [U1, U2]) udp.set(address, await udpEcho(address, udpPort));
    http = await freePort();
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((k) => `${k}_temp_path ${folder}/${k};`);
    mkdirSync(join(folder, 'logs'));
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr; events { worker_connections 64; }
       http { access_log off; ${temporary.join(' ')}
         server { listen ${NGINX}:${http} default_server; return 421 "wrong host"; }
         server { listen ${NGINX}:${http}; server_name shop.health.test; location /healthz { return 200 "all fine here"; } } }`,
    );
    await startNginx();
    server = await startServer({
      files: { 'zones/health.test.yaml': zone(backends.port, udpPort, http), 'geoip/countries.mmdb': GEO },
    });
  });
  afterAll(async () => {
    await server?.stop();
    await nginx?.stop();
    await backends?.stop();
    for (const socket of udp.values()) socket.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const now = (label: string): Promise<string> => got(server, `${label}.health.test`);

  test('the first probe decides: what was dead at the start is in no answer', async () => {
    expect(await now('web')).toBe(NGINX);
    expect(await now('tcp')).toBe(`${TWO} ${THREE}`);
    const states = await verdicts(server);
    expect(states[`health.test/web/${NGINX}`]).toBe('up');
    expect(states['health.test/web/127.30.0.2']).toBe('down');
    expect(states['health.test/dead/127.30.9.1']).toBe('down');
    expect(states['health.test/spare/192.0.2.1']).toBe('up');
  });

  test('nginx is stopped: its address leaves within the bound; it is started: its address comes back', async () => {
    await nginx.stop();
    // interval + (fall - 1) x min(1 s, interval) + timeout, and a second for a busy machine.
    await until(
      () => now('web'),
      (seen) => seen === '192.0.2.1',
      200 + 200 + 300 + 1_000,
    );
    await until(
      async () => (await verdicts(server))[`health.test/web/${NGINX}`],
      (seen) => seen === 'down',
      1_500,
    );
    await startNginx();
    await until(
      () => now('web'),
      (seen) => seen === NGINX,
      2_000,
    );
  });

  test('a TCP backend is closed and opened again; min-live counts', async () => {
    await backends.close(ONE);
    await until(
      () => now('one'),
      (seen) => seen === '192.0.2.1',
      1_500,
    );
    await backends.open(ONE);
    await until(
      () => now('one'),
      (seen) => seen === ONE,
      1_500,
    );
    await backends.close(THREE);
    await until(
      () => now('tcp'),
      (seen) => seen === '192.0.2.1',
      1_500,
    );
    await force(server, `health.test/tcp/${THREE}`, 'up');
    expect(await now('tcp')).toBe(`${TWO} ${THREE}`);
    await force(server, `health.test/tcp/${THREE}`, null);
    expect(await now('tcp')).toBe('192.0.2.1');
    await backends.open(THREE);
    await until(
      () => now('tcp'),
      (seen) => seen === `${TWO} ${THREE}`,
      1_500,
    );
  });

  test('a UDP backend falls silent and speaks again', async () => {
    expect(await now('udp')).toBe(`${U1} ${U2}`);
    udp.get(U1)!.close();
    await until(
      () => now('udp'),
      (seen) => seen === U2,
      2_000,
    );
    udp.set(U1, await udpEcho(U1, backends.port));
    await until(
      () => now('udp'),
      (seen) => seen === `${U1} ${U2}`,
      2_000,
    );
  });

  test('all down: the first pool is served as if it were up, and told; or NODATA; or SERVFAIL', async () => {
    expect(await now('dead')).toBe('127.30.9.1 127.30.9.2');
    expect(await got(server, 'dead.health.test', { type: 'AAAA' })).toBe('::1');
    expect(await now('deadsecond')).toBe('127.30.9.3');
    expect(await now('deadnodata')).toBe('NODATA');
    expect(await now('deadservfail')).toBe('SERVFAIL');
    expect(await now('deadregion')).toBe('NODATA');
    const { json } = await admin(server, 'GET', '/api/v1/status');
    expect(json.failOpen.join(' ')).toContain('dead A');
    expect((await admin(server, 'GET', '/readyz')).status).toBe(200);
    await force(server, 'health.test/dead/127.30.9.1', 'drain');
    expect(await now('dead')).toBe('127.30.9.2');
    await force(server, 'health.test/dead', 'down');
    expect(await now('dead')).toBe('127.30.9.3');
    expect(await now('deadsecond')).toBe('127.30.9.3');
    await force(server, 'health.test/dead2', 'down');
    expect(await now('dead')).toBe('NODATA');
    for (const what of ['dead', 'dead2', 'dead/127.30.9.1']) await force(server, `health.test/${what}`, null);
    expect(await now('dead')).toBe('127.30.9.1 127.30.9.2');
  });

  test('a TTL of {max, min} is the time in which a verdict could flip', async () => {
    const ttl = async (label: string): Promise<number> =>
      (await askFor(server, `${label}.health.test`)).answers[0]!.ttl;
    // Up, no failure so far: interval x fall; down, no success so far: interval x rise.
    expect(await ttl('ttl')).toBe(30);
    expect(await ttl('ttlover')).toBe(20);
    expect(await ttl('ttlboth')).toBe(20);
    // Of a draw only the pool that was drawn counts.
    const drawn = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const { data, ttl: seconds } = (await askFor(server, 'ttldrawn.health.test')).answers[0]!;
      drawn.add(`${data} ${seconds}`);
    }
    expect([...drawn].sort()).toEqual([`${ONE} 30`, `${TWO} 180`]);
    expect(await ttl('ttldrawnover')).toBe(20);
    expect(await ttl('ttlmax')).toBe(25);
    expect(await ttl('ttlmin')).toBe(60);
    expect(await ttl('ttlunchecked')).toBe(300);
    expect(await ttl('web')).toBe(30);
  });
});

describe.concurrent('starting', () => {
  /** A zone whose backends accept and say nothing: each probe takes its whole timeout. */
  const silent = (port: number, timeout: string, more = ''): string => `
zone: slow.test
ns: [ns.elsewhere.test.]
checks:
  talk: { tcp: { port: ${port}, expect: hello }, interval: 20s, timeout: ${timeout}, fall: 1, rise: 1 }
pools:
  a: { check: talk, members: [${ONE}] }
  b: { members: [192.0.2.1] }
records:
  www: { A: { pools: [a, b] } }
${more}`;
  let backends: Backends;
  beforeAll(async () => {
    backends = await Backends.start([ONE]);
  });
  afterAll(() => backends?.stop());

  /** Starts a server with silent backends. Returns it, and how long it took until it answered and said that it is ready. */
  async function startSilent(timeout: string): Promise<{ server: RunningServer; answeredMs: number; readyMs: number }> {
    const [port, adminPort] = [await freePort(), await freePort()];
    const startMs = performance.now();
    const starting = startServer({
      files: { 'zones/slow.test.yaml': silent(backends.port, timeout), 'geoip/countries.mmdb': GEO },
      settings: { listen: [`127.0.0.1:${port}`, '[::1]:0'] },
      adminPort,
    });
    const early: number[] = [];
    let answeredMs = 0;
    while (answeredMs === 0 && performance.now() - startMs < HANGS_MS) {
      const answer = await sendUdp({ host: '127.0.0.1', port }, query({ name: 'www.slow.test' }), 100).catch(
        () => null,
      );
      if (answer !== null) answeredMs = performance.now() - startMs;
      else {
        const ready = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => null);
        if (ready !== null) early.push(ready.status);
      }
    }
    const server = await starting;
    const readyMs = performance.now() - startMs;
    // The last look may have come between the first answer and this one.
    expect(new Set(early.slice(0, -1))).toEqual(new Set([503]));
    return { server, answeredMs, readyMs };
  }

  test('it is silent until the first round of probes is in', async () => {
    const { server, answeredMs, readyMs } = await startSilent('2s');
    try {
      expect(answeredMs).toBeGreaterThan(2_000);
      expect(readyMs).toBeGreaterThan(2_000);
      // The verdict is in: it wasn't the five seconds that let it begin.
      expect(await got(server, 'www.slow.test')).toBe('192.0.2.1');
    } finally {
      await server.stop();
    }
  });

  test('or five seconds have passed: unknown counts as up then', async () => {
    const { server, answeredMs } = await startSilent('9500ms');
    try {
      expect(answeredMs).toBeGreaterThan(4_900);
      // No verdict is in: it was the five seconds that let it begin, not the probe, which takes nine.
      expect(await verdicts(server)).toMatchObject({ [`slow.test/a/${ONE}`]: 'unknown' });
      expect(await got(server, 'www.slow.test')).toBe(ONE);
    } finally {
      await server.stop();
    }
  });

  test('an edit and a SIGHUP while it starts are neither lost nor the end of it', async () => {
    const [directory, adminPort] = [mkdtempSync(join(tmpdir(), 'meridian-early-')), await freePort()];
    try {
      const files = { 'zones/slow.test.yaml': silent(backends.port, '3s'), 'geoip/countries.mmdb': GEO };
      let pid = 0;
      const onSpawn = (spawned: number): void => {
        pid = spawned;
      };
      const starting = startServer({ files, directory, adminPort, onSpawn });
      // Its targets are known once the zones are read; should it fail before, that is what to tell.
      await Promise.race([
        starting,
        until(
          () => admin({ admin: `http://127.0.0.1:${adminPort}` }, 'GET', '/api/v1/health').catch(() => null),
          (reply) => reply !== null && reply.json.targets.length > 0,
        ),
      ]);
      writeFileSync(
        join(directory, 'zones/slow.test.yaml'),
        silent(backends.port, '3s').replaceAll('192.0.2.1', '192.0.2.2'),
      );
      process.kill(pid, 'SIGHUP');
      const server = await starting;
      try {
        // The poll behind the watcher would see it after five seconds only.
        await until(
          () => got(server, 'www.slow.test'),
          (seen) => seen === '192.0.2.2',
          4_500,
        );
      } finally {
        await server.stop();
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test('kill -9 keeps verdicts and forced states, and the next start answers at once with them', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'meridian-kill-'));
    const more = '  forced: { A: { pools: [b] } }\n  pool: { A: { pools: [c, b] } }\n';
    const text = silent(backends.port, '3s', more).replace('records:', '  c: { members: [192.0.2.9] }\nrecords:');
    try {
      const first = await startServer({
        files: { 'zones/slow.test.yaml': text, 'geoip/countries.mmdb': GEO },
        directory,
      });
      await until(
        () => got(first, 'www.slow.test'),
        (seen) => seen === '192.0.2.1',
      );
      await force(first, 'slow.test/b/192.0.2.1', 'drain');
      await force(first, 'slow.test/c', 'down');
      // A first verdict is written within a second.
      await until(
        async () => readFileSync(join(directory, 'state/verdicts.json'), 'utf8'),
        (saved) => saved.includes('down'),
      );
      await first.kill();
      const killedMs = Date.now();
      const second = await startServer({ files: {}, directory });
      try {
        // No probe has ended since: what answers goes by what was saved.
        const { json: health } = await admin(second, 'GET', '/api/v1/health');
        const a = health.targets.find((t: { id: string }) => t.id === `slow.test/a/${ONE}`);
        expect(Date.parse(a.lastProbe.at)).toBeLessThan(killedMs);
        expect(await verdicts(second)).toMatchObject({ [`slow.test/a/${ONE}`]: 'down' });
        expect(await got(second, 'forced.slow.test')).toBe('NODATA');
        expect(await got(second, 'pool.slow.test')).toBe('NODATA');
        // Nobody is live, and only the probe, not an operator, says so of the first.
        expect(await got(second, 'www.slow.test')).toBe(ONE);
        const b = health.targets.find((t: { id: string }) => t.id === 'slow.test/b/192.0.2.1');
        expect(b.forced).toMatchObject({ state: 'drain', reason: 'a test' });
      } finally {
        await second.stop();
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
