// meridian.yaml: every key with its default, paths made absolute, and every mistake in its place.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSettings, type Settings } from '../../dist/settings/settings.js';
import { places } from '../support/zones.ts';

const FILE = '/etc/meridian/meridian.yaml';
const read = (text: string) => readSettings({ file: FILE, text });
const errors = (text: string) => places(read(text).diagnostics, 'error');

function settings(text: string): Settings {
  const found = read(text);
  if (found.settings === null) throw new Error(JSON.stringify(found.diagnostics));
  return found.settings;
}

/** What the contract says where nothing is written. */
const DEFAULTS = {
  admin: { tokensFile: '/etc/meridian/state/tokens', tokensFileGiven: false, hosts: [] },
  zones: '/etc/meridian/zones',
  geoip: { directory: '/etc/meridian/geoip', overrides: '/etc/meridian/geoip/overrides.yaml' },
  state: '/etc/meridian/state',
  workers: null,
  udp: { maxSize: 1232, maxSizeWithoutCookie: 1232, realtime: true },
  tcp: { idleTimeoutMs: 10_000, maxConnections: 10_000, maxConnectionsPerClient: 100 },
  cookies: { secretFile: '/etc/meridian/state/cookie.key', secretFileGiven: false },
  rateLimit: { responsesPerSecond: 200, slip: 1, ipv4Prefix: 24, ipv6Prefix: 56, exempt: [] },
  identity: { nsid: '', version: '', hostname: '' },
  health: {
    maxConcurrent: 500,
    blackoutHoldMs: 60_000,
    exec: false,
    files: ['/etc/meridian/state/checks'],
    linkLocal: false,
    webhooks: [],
  },
  log: { level: 'info' },
};

describe('settings', () => {
  it('are the defaults when the file is empty or missing', () => {
    for (const found of [
      settings(''),
      settings('version: meridian/v1\n'),
      readSettings(null, '/etc/meridian').settings!,
    ]) {
      expect(found).toMatchObject(DEFAULTS);
      expect(found.listen.map(({ text }) => text)).toEqual(['127.0.0.1:5300', '[::1]:5300']);
      expect(found.admin.listen.text).toBe('127.0.0.1:8053');
      expect(found.baseDirectory).toBe('/etc/meridian');
    }
  });

  it('are those that the contract shows, which are the defaults too', () => {
    const text = `version: meridian/v1
listen: ["127.0.0.1:5300", "[::1]:5300"]      # UDP and TCP
admin: { listen: "127.0.0.1:8053", tokens-file: state/tokens, hosts: [] }
zones: zones
geoip: { directory: geoip, overrides: geoip/overrides.yaml }
state: state
workers: auto
udp: { max-size: 1232, max-size-without-cookie: 1232, realtime: true }
tcp: { idle-timeout: 10s, max-connections: 10000, max-connections-per-client: 100 }
cookies: { secret-file: state/cookie.key }
rate-limit: { responses-per-second: 200, slip: 1, ipv4-prefix: 24, ipv6-prefix: 56, exempt: [] }
identity: { nsid: "", version: "", hostname: "" }
health: { max-concurrent: 500, blackout-hold: 60s, exec: false, files: [state/checks], link-local: false, webhooks: [] }
log: { level: info }
`;
    expect(settings(text)).toMatchObject({
      ...DEFAULTS,
      admin: { ...DEFAULTS.admin, tokensFileGiven: true },
      cookies: { ...DEFAULTS.cookies, secretFileGiven: true },
    });
  });

  it('take every value', () => {
    const found = settings(`
listen: 0.0.0.0:53
admin: { listen: "[::1]:0", tokens-file: /run/tokens, hosts: [DNS.example.net] }
zones: ../zones
geoip: { directory: /var/geoip }
state: /var/lib/meridian
workers: 4
udp: { max-size: 4096, max-size-without-cookie: 512, realtime: false }
tcp: { idle-timeout: 2m, max-connections: 1, max-connections-per-client: 1 }
rate-limit: { responses-per-second: 5, slip: 0, ipv4-prefix: 32, ipv6-prefix: 64, exempt: [192.0.2.0/24, "2001:db8::1"] }
identity: { nsid: ns1, version: meridian, hostname: a.example }
health: { max-concurrent: 10, blackout-hold: 0, exec: true, files: [verdicts, /run/verdicts], link-local: true, webhooks: [https://example.net/hook, { url: "http://127.0.0.1:9", secret-file: hook.key }] }
log: { level: debug }
`);
    expect(found.listen).toMatchObject([{ port: 53, text: '0.0.0.0:53' }]);
    expect(found).toMatchObject({
      admin: { tokensFile: '/run/tokens', hosts: ['dns.example.net'] },
      zones: '/etc/zones',
      geoip: { directory: '/var/geoip', overrides: '/var/geoip/overrides.yaml' },
      state: '/var/lib/meridian',
      cookies: { secretFile: '/var/lib/meridian/cookie.key', secretFileGiven: false },
      workers: 4,
      udp: { maxSize: 4096, maxSizeWithoutCookie: 512, realtime: false },
      tcp: { idleTimeoutMs: 120_000 },
      rateLimit: { slip: 0, exempt: [{ length: 24 }, { length: 128 }] },
      identity: { nsid: 'ns1' },
      health: {
        exec: true,
        files: ['/etc/meridian/verdicts', '/run/verdicts'],
        linkLocal: true,
        blackoutHoldMs: 0,
        webhooks: [
          { url: 'https://example.net/hook', secretFile: null },
          { url: 'http://127.0.0.1:9', secretFile: '/etc/meridian/hook.key' },
        ],
      },
      log: { level: 'debug' },
    });
    expect(settings('rate-limit: off').rateLimit).toBeNull();
  });

  it('are relative to their file', () => {
    expect(readSettings({ file: 'conf/meridian.yaml', text: '' }).settings?.zones).toBe(resolve('conf/zones'));
  });

  it('do not let others reach the admin without tokens', () => {
    for (const address of ['0.0.0.0', '192.0.2.1', '[::]', '[2001:db8::1]']) {
      expect(errors(`admin: { listen: "${address}:8053" }`)).toEqual(['admin-without-tokens 1:18']);
      expect(errors(`admin: { listen: "${address}:8053", tokens-file: state/tokens }`)).toEqual([]);
    }
    const atDefault = readSettings(
      { file: FILE, text: 'admin: { listen: "0.0.0.0:8053" }' },
      '/m',
      (path) => path === '/m/state/tokens',
    );
    expect(atDefault.diagnostics).toEqual([]);
    for (const address of ['127.0.0.1', '127.1.2.3', '[::1]'])
      expect(errors(`admin: { listen: "${address}:8053" }`)).toEqual([]);
  });
});

describe('mistakes in settings', () => {
  it('name the nearest key', () => {
    const { diagnostics } = read('udp: { maxsize: 1 }\nlisten-on: x\nrate_limit: off\n');
    expect(places(diagnostics, 'error')).toEqual(['unknown-key 1:8', 'unknown-key 2:1', 'unknown-key 3:1']);
    expect(diagnostics[0]?.fix).toContain('"max-size"');
    expect(diagnostics[2]?.fix).toContain('"rate-limit"');
  });

  it.each([
    ['listen: [127.0.0.1]', 'bad-listen 1:10'],
    ['listen: ["::1:5300"]', 'bad-listen 1:10'],
    ['listen: ["[127.0.0.1]:53"]', 'bad-listen 1:10'],
    ['listen: ["localhost:53"]', 'bad-listen 1:10'],
    ['listen: ["127.0.0.1:65536"]', 'bad-listen 1:10'],
    ['listen: ["127.0.0.1:053"]', 'bad-listen 1:10'],
    ['listen: []', 'no-values 1:9'],
    ['zones: ""', 'bad-path 1:8'],
    ['zones: [a]', 'wrong-shape 1:8'],
    ['workers: 0', 'out-of-range 1:10'],
    ['workers: many', 'bad-number 1:10'],
    ['udp: { max-size: 511 }', 'out-of-range 1:18'],
    ['udp: { max-size: 65536 }', 'out-of-range 1:18'],
    ['udp: 1232', 'wrong-shape 1:6'],
    ['tcp: { idle-timeout: 10 s }', 'bad-duration 1:22'],
    ['tcp: { idle-timeout: 500ms }', 'bad-duration 1:22'],
    ['rate-limit: on', 'bad-choice 1:13'],
    ['rate-limit: { ipv4-prefix: 33 }', 'out-of-range 1:28'],
    ['rate-limit: { exempt: [192.0.2.1/24] }', 'host-bits 1:24'],
    ['identity: { nsid: [a] }', 'wrong-shape 1:19'],
    ['health: { exec: maybe }', 'bad-choice 1:17'],
    ['health: { link-local: maybe }', 'bad-choice 1:23'],
    ['health: { files: [""] }', 'bad-path 1:19'],
    ['health: { webhooks: [example.net] }', 'bad-value 1:22'],
    ['log: { level: verbose }', 'bad-choice 1:15'],
    ['admin: { hosts: ["a b"] }', 'bad-value 1:18'],
    ['version: 1', 'bad-choice 1:10'],
    ['- a', 'wrong-shape 1:1'],
    ['a: [', 'yaml-syntax 1:5'],
  ])('%s is %s', (text, expected) => {
    expect(errors(text)).toEqual([expected]);
    expect(read(text).settings).toBeNull();
  });

  it('listen twice on one address and port', () => {
    expect(places(read('listen: ["127.0.0.1:53", "127.0.0.1:53"]').diagnostics, 'warning')).toEqual([
      'duplicate-value 1:26',
    ]);
    expect(settings('listen: ["127.0.0.1:0", "127.0.0.1:0"]').listen).toHaveLength(2);
  });

  it('are all reported at once', () => {
    expect(errors('workers: -1\nlog: { level: x }\ncolour: blue\nudp: { max-size: x }\n')).toEqual([
      'out-of-range 1:10',
      'bad-choice 2:15',
      'unknown-key 3:1',
      'bad-number 4:18',
    ]);
  });
});

describe('the documentation', () => {
  it('of the zone format shows settings that are right', () => {
    const text = readFileSync(new URL('../../docs/zone-reference.md', import.meta.url), 'utf8');
    for (const match of text.matchAll(/```yaml settings\n(.*?)```/gs)) expect(errors(match[1] ?? '')).toEqual([]);
  });
});
