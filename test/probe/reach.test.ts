// Where probes may not go: the server's own admin, link-local and metadata addresses, files outside of the folders that settings name.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { refusalOf } from '../../dist/probe/reach.js';
import type { Probe } from '../../dist/zone/model.js';
import { type Backend, tcpBackend } from '../support/backends.ts';
import { dnsCheck, httpCheck, tcpCheck, udpCheck } from '../support/checks.ts';
import { tryProbe } from '../support/try.ts';

const open: Backend[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

describe("this server's own admin", () => {
  const rules = (address: string) => ({ exec: false, files: [], linkLocal: false, admin: { address, port: 8053 } });
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .map(({ address }) => address);

  test.each([
    [
      '127.0.0.1',
      ['127.0.0.1', '0.0.0.0', '::', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:0.0.0.0'],
      ['127.0.0.2', '::1'],
    ],
    ['::1', ['::1', '0:0:0:0:0:0:0:1', '::', '0.0.0.0'], ['127.0.0.1']],
    ['0.0.0.0', ['127.0.0.1', '127.9.9.9', '0.0.0.0', ...own], ['192.0.2.1']],
    ['::', ['127.0.0.1', '::1', '::ffff:127.0.0.1', ...own], ['2001:db8::1']],
    ['192.0.2.7', ['192.0.2.7', '::ffff:192.0.2.7', '64:ff9b::192.0.2.7'], ['192.0.2.8', '127.0.0.1']],
  ])('on %s is not reached by any address of it', (listening, refused, free) => {
    for (const address of refused) {
      // A machine's link-local addresses are refused for what they are.
      expect(refusalOf(address, 8053, { ...rules(listening), linkLocal: true }), address).toMatch(/admin/);
      expect(refusalOf(address, 8054, { ...rules(listening), linkLocal: true }), address).toBeNull();
    }
    for (const address of free) expect(refusalOf(address, 8053, rules(listening)), address).toBeNull();
  });

  test('is asked by no kind of probe that could, by name neither', async () => {
    let connections = 0;
    const admin = await tcpBackend(
      () => connections++,
      createServer((_request, response) => response.end('secret')),
    );
    open.push(admin);
    const { port } = admin;
    const options = { rules: { admin: { address: '127.0.0.1', port } }, timeoutMs: 2_000 };
    const probes: Probe[] = [
      httpCheck(port),
      httpCheck(port, { tls: true }),
      httpCheck(port, { version: '2' }),
      tcpCheck(port),
      dnsCheck(port),
      dnsCheck(port, { transport: 'tcp' }),
    ];
    for (const probe of probes)
      for (const where of [{}, { address: '::ffff:127.0.0.1' }, { name: 'lb.test', lookup: async () => ['127.0.0.1'] }])
        expect(await tryProbe(probe, { ...options, ...where })).toMatchObject({
          ok: false,
          reason: "this server's own admin is not probed",
        });
    expect(connections).toBe(0);
    expect(await tryProbe(httpCheck(port), { timeoutMs: 2_000 })).toMatchObject({ ok: true });
  });
});

test('link-local and metadata addresses are probed only where settings allow it, by name neither', async () => {
  const rules = { exec: false, files: [], linkLocal: false, admin: null };
  for (const address of [
    '169.254.169.254',
    '169.254.0.1',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    'fe80::1',
    'fe80::1%lo',
    'febf::1',
    'fd00:ec2::254',
  ]) {
    expect(refusalOf(address, 80, rules), address).toMatch(/link-local/);
    expect(refusalOf(address, 80, { ...rules, linkLocal: true }), address).toBeNull();
  }
  for (const address of ['169.253.255.255', 'fec0::1', 'fd00:ec2::253', '192.0.2.1'])
    expect(refusalOf(address, 80, rules), address).toBeNull();
  for (const probe of [httpCheck(80), tcpCheck(80), udpCheck(80), dnsCheck(53)])
    expect(await tryProbe(probe, { name: 'metadata.test', lookup: async () => ['169.254.169.254'] })).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/link-local/),
    });
});

test('what a body says is told only where the check looks for something in it', async () => {
  const backend = await tcpBackend(
    () => {},
    createServer((request, response) => {
      if (request.url === '/cut')
        return void response.writeHead(200, { 'content-length': '99' }).write('secret', () => response.destroy());
      response.writeHead(request.url === '/no' ? 500 : 200).end('secret');
    }),
  );
  open.push(backend);
  for (const path of ['/', '/no', '/cut']) {
    const blind = await tryProbe(httpCheck(backend.port, { path, expectBody: null }));
    expect(JSON.stringify(blind), path).not.toMatch(/secret/);
    expect((await tryProbe(httpCheck(backend.port, { path }))).evidence, path).toMatch(/secret/);
  }
});

describe('a file check', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meridian-files-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const allowed = join(folder, 'checks');
  mkdirSync(join(allowed, 'deep'), { recursive: true });
  mkdirSync(join(folder, 'checks-not'));
  const options = { rules: { files: [allowed] }, timeoutMs: 3_000 };
  const read = (path: string) => tryProbe({ kind: 'file', path }, options);

  test('reads below the folders that settings name, wherever links and dots lead', async () => {
    writeFileSync(join(allowed, 'good'), 'up');
    writeFileSync(join(folder, 'secret'), 'up with a token');
    writeFileSync(join(folder, 'checks-not', 'secret'), 'up with a token');
    symlinkSync(join(folder, 'secret'), join(allowed, 'link'));
    symlinkSync(folder, join(allowed, 'deep', 'out'));
    symlinkSync('../good', join(allowed, 'deep', 'inside'));
    expect(await read(join(allowed, 'good'))).toMatchObject({ ok: true });
    expect(await read(join(allowed, 'deep', 'inside'))).toMatchObject({ ok: true });
    for (const path of [
      'link',
      'deep/out/secret',
      'deep/../../secret',
      '../checks-not/secret',
      'deep/{address}/../../../secret',
    ])
      expect(await read(`${allowed}/${path}`), path).toMatchObject({ ok: false, evidence: '' });
    expect(await read(`${allowed}/link`)).toMatchObject({ reason: expect.stringMatching(/outside.*health\.files/) });
    expect(await tryProbe({ kind: 'file', path: join(allowed, 'good') }, { rules: { files: [] } })).toMatchObject({
      ok: false,
    });
  });

  test('quotes only a file that says up or down', async () => {
    writeFileSync(join(allowed, 'token'), 'mrd_secret\n');
    expect(await read(join(allowed, 'token'))).toMatchObject({
      ok: false,
      reason: 'file says neither up nor down',
      evidence: '',
    });
  });

  test('is not held up by a named pipe, and reads no device and no folder', async () => {
    execFileSync('mkfifo', [join(allowed, 'pipe')]);
    for (const name of ['pipe', 'deep'])
      expect(await read(join(allowed, name))).toMatchObject({ ok: false, reason: expect.stringMatching(/regular/) });
    expect(await tryProbe({ kind: 'file', path: '/dev/zero' }, { rules: { files: ['/dev'] } })).toMatchObject({
      ok: false,
    });
    const pem = { tls: true, caFile: join(allowed, 'pipe') };
    for (const probe of [httpCheck(9, pem), tcpCheck(9, pem)])
      expect(await tryProbe(probe, { timeoutMs: 3_000 })).toMatchObject({
        ok: false,
        reason: 'ca-file cannot be used',
      });
  });
});
