import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addToken } from '../../dist/admin/tokens.js';
import { type RunningAdmin, runAdmin, temporaryFolder } from '../support/admin.ts';
import { Meridian, meridian } from '../support/meridian.ts';

const folder = temporaryFolder();

describe('the command line', () => {
  it('shows help with examples, and its version, fast', async () => {
    const help = await meridian(['--help']);
    expect(help.code).toBe(0);
    for (const word of ['serve', 'check', 'explain', 'coverage', 'drain', 'Examples:', 'Exit codes:']) {
      expect(help.stdout).toContain(word);
    }
    expect((await meridian(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await meridian(['force', '--help'])).stdout).toMatch(/Examples:\n\s+meridian force/);
  });

  it.each([
    ['no command', []],
    ['an unknown command', ['srve']],
    ['an unknown option', ['status', '--jsn']],
    ['a missing argument', ['explain']],
    ['too many arguments', ['reload', 'all']],
    ['a missing reason', ['drain', 'net.cat/rio', '--for', '1h']],
    ['a target that is none', ['drain', 'rio', '--for', '1h', '--reason', 'x', '--admin', 'http://127.0.0.1:9']],
    ['a URL that is none', ['status', '--admin', 'ftp://x']],
    ['a format that is not there', ['import', 'bind', 'db.net.cat']],
    ['two forms at once', ['coverage', 'net.cat', '--csv', '--json']],
  ])('ends with 2 for %s', async (_what, args) => {
    const { code, stderr } = await meridian(args, { cwd: folder });
    expect(stderr).not.toBe('');
    expect(code).toBe(2);
  });

  it('names the command that was probably meant', async () => {
    expect((await meridian(['srve'])).stderr).toContain('Did you mean serve?');
  });

  it('ends with 3 and one line when no server is there', async () => {
    const { code, stderr } = await meridian(['status', '--admin', 'http://127.0.0.1:9']);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^meridian: cannot reach a server at http:\/\/127\.0\.0\.1:9: .*\n$/);
  });

  it('makes a token that it prints once, alone on standard output', async () => {
    const { code, stdout } = await meridian(['token', 'add', 'ci', 'viewer'], { cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^mrd_[\w-]{43}\n$/);
    const again = await meridian(['token', 'add', 'ci', 'viewer'], { cwd: folder });
    expect([again.code, again.stdout]).toEqual([1, '']);
    expect((await meridian(['token', 'add', 'eve', 'king'], { cwd: folder })).code).toBe(1);
  });
});

describe('commands that talk to a server', () => {
  let running: RunningAdmin;
  const ask = (...args: string[]) => meridian([...args, '--admin', running.admin.url]);

  beforeEach(async () => {
    running = await runAdmin();
  });

  afterEach(() => running.admin.stop());

  it('print the status as tables that line up', async () => {
    const { code, stdout } = await ask('status');
    expect(code).toBe(0);
    expect(stdout).toContain('fail-open active: net.cat A');
    const lines = stdout.split('\n');
    const head = lines.find((line) => line.startsWith('TARGET'))!;
    const row = lines.find((line) => line.startsWith('net.cat/rio'))!;
    expect(row.indexOf('down')).toBe(head.indexOf('STATE'));
    expect(row.indexOf('connection refused')).toBe(head.indexOf('LAST PROBE'));
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toMatch(/ \n/);
    expect(JSON.parse((await ask('status', '--json')).stdout).targets).toHaveLength(2);
  });

  it('explain an answer as a story with tables', async () => {
    const { code, stdout } = await ask('explain', 'net.cat', 'AAAA', '--client', '81.2.69.160');
    expect(code).toBe(0);
    expect(stdout).toContain(' 1. The client 81.2.69.160 is in GB.\n 2. ');
    expect(stdout).toMatch(/moscow\s+up\s+2500\s+127\.0\.1\.1\s+up\s+1\s+yes\s+up\s+200 OK/);
    expect(stdout).toContain('net.cat. 60 IN A 127.0.1.1');
    expect(running.control.asked).toEqual([['explain', { name: 'net.cat', type: 'AAAA', client: '81.2.69.160' }]]);
    const json = await ask('explain', 'net.cat', '--json');
    expect(JSON.parse(json.stdout).answer.scope).toBe(16);
  });

  it('end with 1 when the server finds the question wrong', async () => {
    const { code, stderr } = await ask('explain', 'net.cat', '--client', 'nonsense');
    expect([code, stderr]).toEqual([1, 'meridian: "nonsense" is not an IP address\n']);
  });

  it('print the coverage as a table, CSV and JSON', async () => {
    expect((await ask('coverage', 'net.cat')).stdout).toMatch(/AQ\s+default\s+none\n\n2 places, 1 by default/);
    expect((await ask('coverage', 'net.cat', 'A', '--csv')).stdout).toBe(
      'place,region,pool\r\nRU,russia,moscow\r\nAQ,default,\r\n',
    );
    expect(JSON.parse((await ask('coverage', 'net.cat', '--json')).stdout).rows).toHaveLength(2);
  });

  it('force, drain and release targets and pools', async () => {
    const asked = ['--for', '30m', '--reason', 'works'];
    const forced = await ask('force', 'net.cat/rio/2001:db8::1', ...asked);
    expect(forced.code).toBe(0);
    expect(forced.stdout).toContain('rio.net.cat A has no member left');
    await ask('force', 'net.cat/moscow', '--state', 'up', ...asked);
    await ask('drain', 'net.cat/moscow', '--for', 'forever', '--reason', 'move');
    await ask('unforce', 'net.cat/moscow');
    await ask('unforce', 'net.cat/rio/2001:db8::1');
    const by = 'local';
    expect(running.control.asked).toEqual([
      ['forceTarget', 'net.cat/rio/2001:db8::1', { state: 'down', forMs: 1_800_000, reason: 'works', by }],
      ['forcePool', 'net.cat', 'moscow', { state: 'up', forMs: 1_800_000, reason: 'works', by }],
      ['forcePool', 'net.cat', 'moscow', { state: 'drain', forMs: null, reason: 'move', by }],
      ['unforcePool', 'net.cat', 'moscow', by],
      ['unforceTarget', 'net.cat/rio/2001:db8::1', by],
    ]);
    expect((await ask('drain', 'net.cat/nowhere', ...asked)).code).toBe(1);
  });

  it('say when what was forced could not be stored', async () => {
    const asked = ['--for', '30m', '--reason', 'works'];
    expect((await ask('force', 'net.cat/moscow', ...asked)).stdout).not.toContain('stored');
    running.control.stores = false;
    const forced = await ask('force', 'net.cat/moscow', ...asked);
    expect(forced.stdout).toContain('could not be stored');
    expect(forced.code).toBe(0);
    expect((await ask('unforce', 'net.cat/rio/2001:db8::1')).stdout).toContain('could not be stored');
  });

  it('reload', async () => {
    expect((await ask('reload')).stdout).toBe('1 zone, changed: net.cat\n');
    expect(running.control.asked).toEqual([['reload']]);
  });

  it('print what happened, and follow what happens', async () => {
    running.control.emit('health.flip', 'rio is down');
    expect((await ask('events')).stdout).toMatch(/health\.flip\s+rio is down\n$/);
    const following = new Meridian(['events', '--follow', '--admin', running.admin.url]);
    await following.says(/rio is down/);
    running.control.emit('health.flip', 'rio is up');
    await following.says(/rio is up/);
    await following.stop('SIGINT');
  });

  it('send the token of --token-file', async () => {
    await running.admin.stop();
    const tokens = join(folder, 'tokens');
    const file = join(folder, 'alice.token');
    writeFileSync(file, `${addToken(tokens, 'alice', 'operator')}\n`);
    running = await runAdmin({ tokensFile: tokens });
    const without = await ask('reload');
    expect([without.code, without.stderr]).toEqual([1, expect.stringContaining('--token-file')]);
    expect((await ask('reload', '--token-file', file)).code).toBe(0);
    expect((await ask('reload', '--token-file', join(folder, 'nothing'))).code).toBe(1);
  });
});
