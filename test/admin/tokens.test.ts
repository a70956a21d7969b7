import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { addToken, parseTokens } from '../../dist/admin/tokens.js';
import { type RunningAdmin, runAdmin, temporaryFolder } from '../support/admin.ts';

const folder = temporaryFolder();
let number = 0;
let running: RunningAdmin | undefined;

afterEach(async () => {
  await running?.admin.stop();
  running = undefined;
});

const newFile = (): string => join(folder, `${number++}`, 'tokens');
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const FORCE = '/api/v1/pools/net.cat/moscow/force';
const BODY = { state: 'down', for: '1h', reason: 'x' };

describe('tokens', () => {
  it('are kept as hashes, in a file that only its owner reads', () => {
    const file = newFile();
    const token = addToken(file, 'ci', 'operator');
    expect(readFileSync(file, 'utf8')).not.toContain(token);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(parseTokens(file, readFileSync(file, 'utf8'))).toMatchObject([{ name: 'ci', role: 'operator' }]);
  });

  it('need a name of their own and a role that exists', () => {
    const file = newFile();
    addToken(file, 'ci', 'operator');
    expect(() => addToken(file, 'ci', 'viewer')).toThrow(/has a token named "ci"/);
    expect(() => addToken(file, 'a b', 'viewer')).toThrow(/no name/);
    expect(() => addToken(file, 'bob', 'root')).toThrow(/no role "root": use viewer, operator, admin/);
  });

  it.each([
    ['with a wrong line', 'mallory admin nothing\n'],
    ['of garbage', '\0\u0001\ufffd{'],
    ['that is empty', ''],
  ])('in a file %s let nobody in, on loopback and beyond, until it is mended', async (_what, text) => {
    for (const host of ['127.0.0.1', '0.0.0.0']) {
      const file = newFile();
      const token = addToken(file, 'ci', 'operator');
      const good = readFileSync(file, 'utf8');
      writeFileSync(file, text === '' ? '' : good + text);
      const problems: (string | null)[] = [];
      running = await runAdmin({
        host,
        tokensFile: file,
        localToken: 'local',
        onTokensProblem: (problem) => problems.push(problem),
      });
      expect(problems).toEqual([expect.stringContaining('nobody gets into the admin')]);
      expect((await running.ask('GET', '/api/v1/status')).status).toBe(401);
      expect((await running.ask('GET', '/api/v1/status', bearer(token))).status).toBe(401);
      // Whoever may read the state folder may look at what is wrong.
      expect((await running.ask('GET', '/api/v1/status', bearer('local'))).status).toBe(200);
      writeFileSync(file, good);
      utimesSync(file, 1, 1);
      expect((await running.ask('GET', '/api/v1/status', bearer(token))).status).toBe(200);
      expect(problems.at(-1)).toBeNull();
      await running.admin.stop();
    }
  });

  it('in what is no file let nobody in', async () => {
    const file = newFile();
    mkdirSync(file, { recursive: true });
    running = await runAdmin({ tokensFile: file });
    expect((await running.ask('GET', '/api/v1/status')).status).toBe(401);
  });

  it('are not needed on loopback while there is no file', async () => {
    running = await runAdmin({ tokensFile: newFile() });
    expect((await running.ask('PUT', FORCE, { body: BODY })).status).toBe(200);
  });

  it('are needed beyond loopback', async () => {
    await expect(runAdmin({ host: '0.0.0.0', tokensFile: newFile() })).rejects.toThrow(/without tokens/);
    await expect(runAdmin({ host: '::', tokensFile: null })).rejects.toThrow(/without tokens/);
    const file = newFile();
    addToken(file, 'ci', 'viewer');
    running = await runAdmin({ host: '0.0.0.0', tokensFile: file });
    expect((await running.ask('GET', '/api/v1/status')).status).toBe(401);
  });

  it('decide who may look and who may act', async () => {
    const file = newFile();
    const viewer = addToken(file, 'wall', 'viewer');
    const operator = addToken(file, 'alice', 'operator');
    const admin = addToken(file, 'root', 'admin');
    running = await runAdmin({ tokensFile: file });
    const { ask } = running;

    const nobody = await ask('GET', '/api/v1/status');
    expect([nobody.status, nobody.json.code]).toEqual([401, 'no-token']);
    expect(nobody.headers['www-authenticate']).toContain('Bearer');
    expect((await ask('GET', '/metrics')).status).toBe(401);
    expect((await ask('GET', '/api/v1/nothing')).status).toBe(401);
    expect((await ask('GET', '/api/v1/status', bearer(`${viewer}x`))).json.code).toBe('bad-token');
    expect((await ask('GET', '/api/v1/status', bearer('x'.repeat(5000)))).json.code).toBe('bad-token');
    expect((await ask('GET', '/api/v1/status', bearer(viewer))).status).toBe(200);
    expect((await ask('PUT', FORCE, { ...bearer(viewer), body: BODY })).json.code).toBe('role-too-low');
    expect((await ask('POST', '/api/v1/reload', bearer(viewer))).status).toBe(403);
    expect(running.control.asked).toEqual([]);
    expect((await ask('PUT', FORCE, { ...bearer(operator), body: BODY })).status).toBe(200);
    expect((await ask('DELETE', FORCE, bearer(admin))).status).toBe(200);
    expect(running.control.asked[0]![3]).toMatchObject({ by: 'alice' });
    expect(running.control.asked[1]![3]).toBe('root');
  });

  it('are not asked for by supervisors and the page', async () => {
    const file = newFile();
    addToken(file, 'ci', 'viewer');
    running = await runAdmin({ tokensFile: file });
    for (const path of ['/healthz', '/readyz', '/', '/dashboard.js', '/dashboard.css']) {
      expect((await running.ask('GET', path)).status).toBe(200);
    }
  });

  it('count from the moment that they are added', async () => {
    const file = newFile();
    running = await runAdmin({ tokensFile: file });
    expect((await running.ask('GET', '/api/v1/status')).status).toBe(200);
    const token = addToken(file, 'first', 'viewer');
    expect((await running.ask('GET', '/api/v1/status')).status).toBe(401);
    expect((await running.ask('GET', '/api/v1/status', bearer(token))).status).toBe(200);
  });

  it('hold when the file is lost or broken: nothing opens by accident', async () => {
    const file = newFile();
    const token = addToken(file, 'ci', 'viewer');
    running = await runAdmin({ tokensFile: file });
    writeFileSync(file, 'nonsense\n');
    utimesSync(file, 1, 1);
    expect((await running.ask('GET', '/api/v1/status')).status).toBe(401);
    expect((await running.ask('GET', '/api/v1/status', bearer(token))).status).toBe(200);
    rmSync(file);
    expect((await running.ask('GET', '/api/v1/status')).status).toBe(401);
    expect((await running.ask('GET', '/api/v1/status', bearer(token))).status).toBe(200);
  });
});
