import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server as NetServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, temporaryFolder } from '../support/admin.ts';
import { MAIN, Meridian, meridian } from '../support/meridian.ts';

let folder: string;
let running: Meridian | undefined;
let taken: NetServer | undefined;

beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder, 'zones'));
  write('zones/net.cat.yaml', ZONE);
  configure({});
});

afterEach(async () => {
  await running?.stop('SIGKILL');
  running = undefined;
  taken?.close();
  taken = undefined;
});

const ZONE = `zone: net.cat
ns: [ns1.example.net., ns2.example.net.]
pools: { rio: { members: [192.0.2.1, 192.0.2.2] } }
records: { www: { A: { ttl: 60, pools: [rio] } } }
`;

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

/** Ports that are free; more settings as YAML lines by key. */
function configure(more: Record<string, string>): void {
  const settings = {
    listen: '["127.0.0.1:0"]',
    admin: '{ listen: "127.0.0.1:0" }',
    workers: '1',
    log: '{ level: warn }',
    ...more,
  };
  write(
    'meridian.yaml',
    Object.entries(settings)
      .map(([key, value]) => `${key}: ${value}\n`)
      .join(''),
  );
}

async function serve(): Promise<string> {
  running = new Meridian(['serve'], { cwd: folder });
  return (await running.says(/admin on (http:\S+)\n/))[1]!;
}

async function takePort(): Promise<number> {
  taken = createServer();
  await new Promise<void>((resolve) => taken!.listen(0, '127.0.0.1', resolve));
  return (taken.address() as { port: number }).port;
}

describe('serve', () => {
  it('says what it serves and where, and ends with 0 on SIGTERM', async () => {
    const url = await serve();
    expect(running!.stdout).toMatch(/Meridian serves net\.cat\n {2}DNS on 127\.0\.0\.1:\d+ \(UDP and TCP\)/);
    expect((await ask(url, 'GET', '/readyz')).status).toBe(200);
    const { code } = await running!.stop('SIGTERM');
    expect(code).toBe(0);
  });

  it('ends with 0 on Ctrl-C', async () => {
    await serve();
    expect((await running!.stop('SIGINT')).code).toBe(0);
  });

  it('tells everything through its admin and the commands', async () => {
    const url = await serve();
    const status = await ask(url, 'GET', '/api/v1/status');
    expect(status.json).toMatchObject({ ready: true, admin: url });
    expect(status.json.zones[0]).toMatchObject({ name: 'net.cat', state: 'ok' });
    expect((await ask(url, 'GET', '/api/v1/explain?name=www.net.cat')).json.answer.rcode).toBe('NOERROR');
    expect((await ask(url, 'GET', '/metrics')).text).toContain('meridian_ready 1\n');
    const id = 'net.cat/rio/192.0.2.1';
    const drained = await meridian(['drain', id, '--for', '1h', '--reason', 'works', '--admin', url]);
    expect(drained.stdout).toContain(`${id}: forced drain`);
    const { targets } = (await ask(url, 'GET', '/api/v1/health')).json;
    expect(targets.find((target: { id: string }) => target.id === id).forced).toMatchObject({ state: 'drain' });
    const explained = await meridian(['explain', 'www.net.cat', '--admin', url]);
    expect(explained.stdout).toContain('www.net.cat. 60 IN A 192.0.2.2');
    expect(explained.stdout).not.toContain('IN A 192.0.2.1');
  });

  it('reads its files again on SIGHUP', async () => {
    const url = await serve();
    write('zones/net.cat.yaml', `${ZONE.trimEnd().slice(0, -2)}, ftp: { A: 192.0.2.9 } }\n`);
    running!.process.kill('SIGHUP');
    for (;;) {
      const { json } = await ask(url, 'GET', '/api/v1/explain?name=ftp.net.cat');
      if (json.answer.rcode === 'NOERROR') break;
    }
  });

  it('leaves a token for local commands, for this start and its owner alone', async () => {
    await meridian(['token', 'add', 'ci', 'viewer'], { cwd: folder });
    const url = await serve();
    expect((await ask(url, 'GET', '/api/v1/status')).status).toBe(401);
    const file = join(folder, 'state/admin.token');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const headers = { authorization: `Bearer ${readFileSync(file, 'utf8').trim()}` };
    expect((await ask(url, 'POST', '/api/v1/reload', { headers })).status).toBe(200);
  });

  it('ends with 3 and one line when its port is taken', async () => {
    const port = await takePort();
    configure({ listen: `["127.0.0.1:${port}"]` });
    const dns = await meridian(['serve'], { cwd: folder });
    expect(dns.code).toBe(3);
    expect(dns.stderr).toMatch(new RegExp(`^meridian: .*127\\.0\\.0\\.1:${port}.*taken.*\\n$`));
    // The server below may be ready by then, and has the age of its database to tell.
    configure({ admin: `{ listen: "127.0.0.1:${port}" }`, log: '{ level: error }' });
    const admin = await meridian(['serve'], { cwd: folder });
    expect(admin.code).toBe(3);
    expect(admin.stderr).toMatch(new RegExp(`^meridian: the admin's port 127\\.0\\.0\\.1:${port} is taken.*\\n$`));
  });

  it('ends with 3 when the zones folder is missing', async () => {
    configure({ zones: 'nowhere' });
    const zones = await meridian(['serve'], { cwd: folder });
    expect([zones.code, zones.stderr]).toEqual([3, expect.stringMatching(/^meridian: .*nowhere.*\n$/)]);
  });

  it('serves the other zones beside a broken one, but not with --strict', async () => {
    write('zones/net.dog.yaml', 'zone: net.dog\n');
    const url = await serve();
    expect(running!.stdout).toContain('net.dog (error)');
    expect((await ask(url, 'GET', '/readyz')).status).toBe(200);
    await running!.stop();
    const strict = await meridian(['serve', '--strict'], { cwd: folder });
    expect(strict.code).toBe(1);
    expect(strict.stderr).toContain('net.dog.yaml:1:7: missing-key');
  });

  it('ends with 1 when the settings are wrong, and says all of it', async () => {
    configure({ listn: '[]', workers: 'many' });
    const { code, stderr } = await meridian(['serve'], { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toContain('did you mean "listen"?');
    expect(stderr).toContain('workers');
  });

  it("ends with a line for a webhook's secret file that is empty, which would sign with a key that everybody knows", async () => {
    write('hook.key', '\n');
    configure({ health: '{ webhooks: [{ url: "http://127.0.0.1:9/", secret-file: hook.key }] }' });
    const { code, stderr } = await meridian(['serve'], { cwd: folder });
    expect([code, stderr.trim().split('\n').at(-1)]).toEqual([
      3,
      expect.stringMatching(/hook\.key is empty: write one/),
    ]);
  });

  it.skipIf(process.platform !== 'linux')('ends with a line where too few files may be open', async () => {
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', 'ulimit -n 64; exec "$0" "$@"', process.execPath, MAIN, 'serve'],
      { cwd: folder, encoding: 'utf8' },
    );
    expect(status).toBe(3);
    expect(stderr).toMatch(/^meridian: only 64 files may be open at once: [^\n]+\n$/);
  });
});
