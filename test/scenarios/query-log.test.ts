// The query log of a running server: what dig asked stands in it, other people's tools read it, and what takes nothing holds up nothing.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { parse, query, sendUdp } from '../support/dns.ts';
import { HANGS_MS } from '../support/patience.ts';
import { have, Program } from '../support/programs.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { askFor } from '../support/story.ts';

const run = promisify(execFile);

const ZONE = `
version: meridian/v1
zone: log.test
ttl: 60
soa: { mname: ns.elsewhere.test., rname: host.log.test. }
ns: [ns.elsewhere.test.]
regions:
  lab:  [198.51.100.0/24]
  twin: [203.0.113.0/24]
pools:
  near: { members: [192.0.2.1, 192.0.2.2] }
  far:  { members: [192.0.2.9] }
records:
  www: { ADDR: { regions: { lab: [near, far], twin: [near, far], default: [far] } } }
  txt: { TXT: hello }
transfer: { allow: [127.0.0.0/8] }
`;

let server: RunningServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function serve(queryLog: Record<string, unknown>, directory?: string): Promise<RunningServer> {
  server = await startServer({
    files: { 'zones/log.test.yaml': ZONE },
    settings: { 'query-log': queryLog },
    ...(directory === undefined ? {} : { directory }),
  });
  return server;
}

const dig = ({ port }: RunningServer, ...args: string[]): Promise<{ stdout: string }> =>
  run('dig', ['@127.0.0.1', '-p', String(port), '+tries=1', '+timeout=20', ...args]);

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + HANGS_MS;
  while (!(await what())) {
    if (Date.now() > endMs) throw new Error(`it never came: ${what}\n${server?.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface Line {
  readonly name: string;
  readonly type: string;
  readonly [key: string]: unknown;
}

/** The lines of a log for this zone. */
function lines(text: string): Line[] {
  const whole = text.split('\n').filter((line) => line.startsWith('{"time"') && line.endsWith('}'));
  return whole.map((line) => JSON.parse(line) as Line).filter(({ name }) => name.endsWith('log.test.'));
}

async function metric({ admin }: RunningServer, name: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
}

/** A query as long as they may be: a thousand of them fill a thread's ring. */
const LONG = query({
  name: 'txt.log.test',
  type: 'TXT',
  edns: { options: [{ code: 12, data: new Uint8Array(4000) }] },
});

/** Asks until a query was dropped; every one is answered. */
async function askUntilDropped(running: RunningServer): Promise<void> {
  while ((await metric(running, 'meridian_query_log_dropped_total')) === 0) {
    const asked = Array.from({ length: 100 }, () => sendUdp(running, LONG, HANGS_MS));
    for (const reply of await Promise.all(asked)) expect(parse(reply!).rcode).toBe('NOERROR');
  }
}

describe.skipIf(!have('dig'))('JSON lines', () => {
  it('tell of each query what was asked, by whom, what was chosen and what was answered', async () => {
    const running = await serve({ to: 'queries.log' });
    const file = join(running.directory, 'queries.log');
    const asked = [
      ['www.log.test', 'A', '+subnet=198.51.100.77/32', '+dnssec'],
      ['www.log.test', 'A', '+subnet=8.8.8.0/24', '+tcp', '+nocookie'],
      ['no.log.test', 'AAAA', '+noedns', '+norecurse'],
      ['log.test', 'AXFR'],
    ];
    for (const [i, query] of asked.entries()) {
      await dig(running, ...query);
      // Each thread has a queue of its own: only what is logged already surely stands before the next.
      await until(() => lines(readFileSync(file, 'utf8')).length > i);
    }
    const common = { client: '127.0.0.0/24', zone: 'log.test' };
    expect(lines(readFileSync(file, 'utf8')).map(({ time, size, ...line }) => line)).toEqual([
      {
        ...common,
        ...{ transport: 'udp', name: 'www.log.test.', type: 'A', flags: ['aa', 'rd', 'ad', 'do'] },
        ...{ ecs: '198.51.100.0/24', rcode: 'NOERROR', region: 'lab,twin', pool: 'near', answers: 2, scope: 24 },
      },
      {
        ...common,
        ...{ transport: 'tcp', name: 'www.log.test.', type: 'A', flags: ['aa', 'rd', 'ad'] },
        ...{
          ecs: '8.8.8.0/24',
          rcode: 'NOERROR',
          region: 'default',
          pool: 'far',
          answers: 1,
          scope: expect.any(Number),
        },
      },
      {
        ...common,
        ...{ transport: 'udp', name: 'no.log.test.', type: 'AAAA', flags: ['aa', 'ad'] },
        ...{ ecs: null, rcode: 'NXDOMAIN', region: null, pool: null, answers: 0, scope: null },
      },
      {
        ...{ client: '127.0.0.0/24', transport: 'tcp', name: 'log.test.', type: 'AXFR', flags: expect.any(Array) },
        ...{ ecs: null, rcode: null, zone: null, region: null, pool: null, answers: 0, scope: null, transfer: true },
      },
    ]);
    expect(await metric(running, 'meridian_query_log_dropped_total')).toBe(0);
    expect(await metric(running, 'meridian_query_log_written_total')).toBeGreaterThanOrEqual(4);
  });

  it('go to standard output too, with whole addresses where those are asked for', async () => {
    const running = await serve({ to: 'stdout', addresses: 'whole' });
    await dig(running, 'www.log.test', 'A', '+subnet=198.51.100.77/32');
    await until(() => lines(running.output()).length === 1);
    expect(lines(running.output())[0]).toMatchObject({
      client: '127.0.0.1',
      port: expect.any(Number),
      ecs: '198.51.100.77/32',
    });
  });

  it('go on in the next file after a rotation by others and a reload', async () => {
    const running = await serve({ to: 'queries.log' });
    const file = join(running.directory, 'queries.log');
    await dig(running, 'txt.log.test', 'TXT');
    await until(() => existsSync(file) && lines(readFileSync(file, 'utf8')).length === 1);
    renameSync(file, `${file}.aside`);
    process.kill(running.pid, 'SIGHUP');
    await until(() => existsSync(file));
    await dig(running, 'txt.log.test', 'TXT');
    await until(() => lines(readFileSync(file, 'utf8')).length === 1);
    expect(lines(readFileSync(`${file}.aside`, 'utf8')).length).toBe(1);
  });

  it('are rotated, with every query in one of the files', async () => {
    const running = await serve({ to: 'queries.log', rotate: '64kB', keep: 100 });
    const count = 3_000;
    for (let i = 0; i < count; i += 100) {
      await Promise.all(Array.from({ length: 100 }, () => askFor(running, 'txt.log.test', { type: 'TXT' })));
    }
    const files = (): string[] => readdirSync(running.directory).filter((name) => name.startsWith('queries.log'));
    const texts = (): string[] => files().map((name) => readFileSync(join(running.directory, name), 'utf8'));
    // Only then do files keep their names.
    await until(async () => (await metric(running, 'meridian_query_log_written_total')) === count);
    expect(lines(texts().join('')).length).toBe(count);
    expect(files().length).toBeGreaterThan(5);
    for (const text of texts()) expect(text.length).toBeLessThanOrEqual(64_000);
  });

  it('are complete when the server ends', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'meridian-'));
    try {
      const running = await serve({ to: 'queries.log' }, directory);
      await Promise.all(Array.from({ length: 200 }, () => askFor(running, 'txt.log.test', { type: 'TXT' })));
      expect(await running.stop()).toBe(0);
      expect(lines(readFileSync(join(directory, 'queries.log'), 'utf8')).length).toBe(200);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

/** What a reader of dnstap prints; what it says beside that is left out. */
const read = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] });

describe.skipIf(!have('dig', 'dnstap-ldns', 'dnstap', 'fstrm_capture', 'fstrm_dump'))('dnstap', () => {
  it('in a file is read by other people’s tools', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'meridian-'));
    try {
      const running = await serve({ to: 'queries.tap', format: 'dnstap', addresses: 'whole' }, directory);
      await dig(running, 'www.log.test', 'A', '+subnet=198.51.100.77/32');
      await until(async () => (await metric(running, 'meridian_query_log_written_total')) > 0);
      await dig(running, 'txt.log.test', 'TXT', '+tcp');
      await running.stop();
      const file = join(directory, 'queries.tap');
      const short = read('dnstap-ldns', '-r', file);
      const seen = short
        .trim()
        .split('\n')
        .map((line) => line.split(' ').slice(2));
      expect(seen.map(([kind, from, transport, , name, , type]) => [kind, from, transport, name, type])).toEqual([
        ['AQ', '127.0.0.1', 'UDP', '"www.log.test."', 'A'],
        ['AR', '127.0.0.1', 'UDP', '"www.log.test."', 'A'],
        ['AQ', '127.0.0.1', 'TCP', '"txt.log.test."', 'TXT'],
        ['AR', '127.0.0.1', 'TCP', '"txt.log.test."', 'TXT'],
      ]);
      const long = read('dnstap', '-r', file, '-y');
      expect(long).toMatch(/version: "meridian \d/);
      expect(long).toContain('query_zone: "log.test."');
      expect(long).toContain('SUBNET: 198.51.100.77/32');
      expect(long).toContain('192.0.2.1');
      expect(read('fstrm_dump', file)).toContain('region=lab,twin pool=near');
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('to a socket is taken by fstrm_capture, also by one that comes late and one that comes back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'meridian-'));
    const socket = join(folder, 'tap.sock');
    const capture = (to: string): Program =>
      new Program('fstrm_capture', ['-t', 'protobuf:dnstap.Dnstap', '-u', socket, '-w', join(folder, to)]);
    const running = await serve({ to: `unix:${socket}`, format: 'dnstap' });
    try {
      await until(() => running.output().includes('query-log-failed'));
      let logged = 0;
      for (const file of ['one', 'two']) {
        const reader = capture(file);
        await reader.until(() => Promise.resolve(existsSync(socket)));
        await dig(running, 'www.log.test', 'A');
        logged++;
        await until(async () => (await metric(running, 'meridian_query_log_written_total')) === logged);
        await reader.stop();
        rmSync(socket, { force: true });
        const text = read('dnstap-ldns', '-r', join(folder, file));
        expect(text.split('\n').filter((line) => / A[QR] 127\.0\.0\.0 /.test(line)).length).toBe(2);
      }
      expect(running.output()).toContain('query-log-works');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('what takes nothing', () => {
  it('a full disk: everything is answered, drops are counted, status says why', async () => {
    const running = await serve({ to: '/dev/full' });
    await askUntilDropped(running);
    const status = (await (await fetch(`${running.admin}/api/v1/status`)).json()) as { warnings: string[] };
    expect(status.warnings.join('\n')).toContain('queries are not logged to /dev/full: ENOSPC');
    expect(running.output()).toContain('"event":"query-log-failed"');
  });

  it('a socket that nobody reads: everything is answered, drops are counted, and the server ends in time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'meridian-'));
    const reader = createServer((socket) => socket.on('error', () => {}).pause());
    reader.listen(join(folder, 's'));
    try {
      const running = await serve({ to: `unix:${join(folder, 's')}` });
      await askUntilDropped(running);
      expect(await running.stop()).toBe(0);
    } finally {
      reader.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('a named pipe that nobody opens: everything is answered, drops are counted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'meridian-'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    try {
      const running = await serve({ to: join(folder, 'pipe') });
      await askUntilDropped(running);
      expect(running.output()).toContain('nobody reads the pipe');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
