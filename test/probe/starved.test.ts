// A probe that could not be made for want of something on this machine says nothing of the backend.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../dist/base/clock.js';
import { failedBy, isLocalError } from '../../dist/probe/outcome.js';
import { runProbe } from '../../dist/probe/probe.js';
import type { Probe } from '../../dist/zone/model.js';
import { dnsCheck, httpCheck, tcpCheck, udpCheck } from '../support/checks.ts';
import { keyPair } from '../support/wireguard.ts';

const folder = mkdtempSync(join(tmpdir(), 'meridian-starved-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('an error', () => {
  const error = (code: string, address = '127.0.0.1') => Object.assign(new Error(code), { code, address });

  test.each(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EAGAIN', 'EADDRINUSE', 'EADDRNOTAVAIL'])(
    '%s is of this machine',
    (code) => {
      expect(failedBy(error(code))).toMatchObject({ ok: false, local: true });
    },
  );

  test.each(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ENOENT'])(
    '%s is not',
    (code) => {
      expect(failedBy(error(code))).toMatchObject({ ok: false, local: false });
    },
  );

  test('for want of an address of a family is of this machine only where it has one', () => {
    const six = Object.values(networkInterfaces()).some((list) => list?.some(({ family }) => family === 'IPv6'));
    expect(isLocalError(error('EADDRNOTAVAIL', '2001:db8::1'))).toBe(six);
  });

  test('that a probe throws is looked at too', async () => {
    const run = (thrown: Error) => runProbe(() => Promise.reject(thrown), 100, systemClock, new AbortController());
    expect(await run(error('ENOMEM'))).toMatchObject({ local: true });
    expect(await run(error('EWHATEVER'))).toMatchObject({ local: false });
  });
});

test('without file descriptors no kind of probe says that its backend is down', () => {
  const key = join(folder, 'wg.key');
  const pair = keyPair();
  writeFileSync(key, pair.privateBytes.toString('base64'));
  writeFileSync(join(folder, 'up'), 'up');
  const probes: Record<string, Probe> = {
    http: httpCheck(9),
    'http/2': httpCheck(9, { version: '2' }),
    https: httpCheck(9, { tls: true }),
    'https with ca-file': httpCheck(9, { tls: true, caFile: key }),
    tcp: tcpCheck(9),
    'tcp with TLS': tcpCheck(9, { tls: true, caFile: key }),
    udp: udpCheck(9),
    dns: dnsCheck(9),
    'dns over tcp': dnsCheck(9, { transport: 'tcp' }),
    wireguard: {
      kind: 'wireguard',
      port: 9,
      publicKey: pair.publicBytes,
      privateKeyFile: key,
      presharedKey: null,
    },
    exec: { kind: 'exec', command: '/bin/true', args: [] },
    file: { kind: 'file', path: join(folder, 'up') },
  };
  // Without its descriptors this process could not even report.
  const script = join(folder, 'starved.mjs');
  const dist = new URL('../../dist/', import.meta.url).href;
  writeFileSync(
    script,
    `import { openSync, closeSync, writeSync } from 'node:fs';
     import { systemClock } from '${dist}base/clock.js';
     import { runProbe } from '${dist}probe/probe.js';
     import { probeAddress, probeName } from '${dist}probe/probes.js';
     import { ConfinedFiles } from '${dist}probe/local-file.js';
     import { Resolver } from '${dist}probe/resolve.js';
     const probes = JSON.parse(process.argv[2], (_, value) => value?.type === 'Buffer' ? Buffer.from(value.data) : value);
     const rules = { exec: true, files: ['${folder}'], linkLocal: false, admin: null };
     const context = { rules, files: new ConfinedFiles(), resolver: new Resolver(systemClock), probe: probeAddress };
     // What Node opens once and keeps must be there.
     const run = (probe, name) => runProbe((attempt) => name === undefined
       ? probeAddress(probe, { address: '127.0.0.1', name: null, kept: new Map() }, attempt, context)
       : probeName(probe, name, new Map(), attempt, context), 3_000, systemClock, new AbortController());
     await run(probes.http);
     const taken = [];
     try { for (;;) taken.push(openSync('/dev/null')); } catch {}
     const found = {};
     for (const [kind, probe] of Object.entries(probes)) found[kind] = (await run(probe)).local;
     found.name = (await run(probes.http, 'lb.meridian.test')).local;
     writeSync(1, JSON.stringify(found));
     process.exit(0);`,
  );
  const argument = JSON.stringify(probes, (_, value: unknown) =>
    value instanceof Uint8Array && !Buffer.isBuffer(value) ? Buffer.from(value).toJSON() : value,
  );
  const output = execFileSync(
    '/bin/sh',
    ['-c', `ulimit -n 60; exec "${process.execPath}" "$@"`, 'sh', script, argument],
    {
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  const expected = Object.fromEntries([...Object.keys(probes), 'name'].map((kind) => [kind, true]));
  expect(JSON.parse(output)).toEqual(expected);
});
