// What the environment says wins over meridian.yaml, and is checked as it is.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../dist/settings/settings.js';
import { temporaryFolder } from '../support/admin.ts';
import { meridian } from '../support/meridian.ts';

const FILE = '/etc/meridian/meridian.yaml';
const read = (text: string, environment: Record<string, string>, tokens = false) =>
  readSettings({ file: FILE, text }, undefined, () => tokens, environment);

describe('settings from the environment', () => {
  it('win over the file, key by key', () => {
    const { settings, diagnostics } = read(
      'listen: ["127.0.0.1:53"]\nadmin: { hosts: [dns.example.net] }\nzones: there\nlog: { level: warn }\n',
      {
        MERIDIAN_LISTEN: '0.0.0.0:53, [::]:53',
        MERIDIAN_ADMIN_LISTEN: '127.0.0.1:9000',
        MERIDIAN_ZONES: 'zones',
        MERIDIAN_STATE: '/var/lib/meridian',
        MERIDIAN_LOG_LEVEL: 'debug',
      },
    );
    expect(diagnostics).toEqual([]);
    expect(settings!.listen.map(({ text }) => text)).toEqual(['0.0.0.0:53', '[::]:53']);
    expect(settings!.listenGiven).toBe(true);
    expect(settings!.admin.listen.text).toBe('127.0.0.1:9000');
    expect(settings!.admin.hosts).toEqual(['dns.example.net']);
    expect(settings!.zones).toBe(resolve('zones'));
    expect(settings!.log.level).toBe('debug');
    // What follows from the state folder follows from this one.
    expect(settings!.admin.tokensFile).toBe('/var/lib/meridian/tokens');
    expect(settings!.cookies.secretFile).toBe('/var/lib/meridian/cookie.key');
  });

  it('are enough without a file, and count as not there where they are empty', () => {
    const { settings } = readSettings(null, '/srv', () => false, {
      MERIDIAN_LISTEN: '127.0.0.1:53',
      MERIDIAN_ZONES: '',
    });
    expect(settings!.listen.map(({ text }) => text)).toEqual(['127.0.0.1:53']);
    expect(settings!.zones).toBe('/srv/zones');
  });

  it('that are wrong are told of by the name of the variable, all at once and with what is wrong in the file', () => {
    const { settings, diagnostics } = read('workers: many\n', {
      MERIDIAN_LISTEN: 'localhost',
      MERIDIAN_LOG_LEVEL: 'loud',
    });
    expect(settings).toBeNull();
    expect(diagnostics.map(({ file, code }) => `${file} ${code}`)).toEqual([
      'MERIDIAN_LISTEN bad-listen',
      'MERIDIAN_LOG_LEVEL bad-choice',
      expect.stringContaining(`${FILE} `),
    ]);
  });

  it('need tokens for an admin that others can reach, as the file does', () => {
    const environment = { MERIDIAN_ADMIN_LISTEN: '0.0.0.0:8053' };
    expect(read('', environment).diagnostics.map(({ code }) => code)).toEqual(['admin-without-tokens']);
    expect(read('', environment, true).diagnostics).toEqual([]);
    expect(read('admin: { tokens-file: tokens }\n', environment).diagnostics).toEqual([]);
  });

  it('are heard by the commands, MERIDIAN_CONFIG too, which --config goes before', async () => {
    const folder = temporaryFolder();
    const files = ['one', 'two'].map((name) => join(folder, `${name}.yaml`)) as [string, string];
    for (const file of files) writeFileSync(file, 'workers: many\n');
    const check = (args: string[], more = {}) =>
      meridian(['check', ...args], { cwd: folder, env: { MERIDIAN_CONFIG: files[0], ...more } });
    expect((await check([])).stdout).toMatch(/one\.yaml:1:10: error/);
    expect((await check(['--config', files[1]])).stdout).toMatch(/two\.yaml:1:10: error/);
    expect((await check([], { MERIDIAN_LISTEN: 'nowhere' })).stdout).toMatch(/MERIDIAN_LISTEN:1:\d+: error bad-listen/);
  });
});
