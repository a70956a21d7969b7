// The probes against the real things: nginx, NSD, WireGuard.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusedPort } from '../support/backends.ts';
import { Authority } from '../support/certificates.ts';
import { dnsCheck, httpCheck } from '../support/checks.ts';
import { canMakeNamespaces, hasTun, Namespace } from '../support/namespace.ts';
import { have, Program } from '../support/programs.ts';
import { tryProbe } from '../support/try.ts';
import { keyPair } from '../support/wireguard.ts';

const folder = mkdtempSync(join(tmpdir(), 'meridian-real-'));
// nginx's workers are another user when it is started by root.
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function accepts(port: number): Promise<boolean> {
  return tryProbe({
    kind: 'tcp',
    port,
    tls: false,
    sni: null,
    verify: true,
    caFile: null,
    send: null,
    expect: null,
  }).then((result) => result.ok);
}

describe.runIf(have('nginx', 'openssl'))('against nginx', () => {
  const ports = { plain: 0, good: 0, expired: 0, self: 0, foreign: 0, two: 0 };
  let authority: Authority;
  let nginx: Program;

  beforeAll(async () => {
    authority = new Authority(folder);
    const foreignFolder = join(folder, 'foreign');
    mkdirSync(foreignFolder);
    const issued = {
      good: authority.issue('good', ['net.cat'], 40),
      expired: authority.issue('expired', ['net.cat'], -1),
      self: authority.issue('self', ['net.cat'], 40, true),
      foreign: new Authority(foreignFolder).issue('foreign', ['net.cat'], 40),
      two: authority.issue('two', ['net.cat'], 5),
    };
    for (const key of Object.keys(ports) as (keyof typeof ports)[]) ports[key] = await refusedPort();
    const tls = (name: keyof typeof issued, more = ''): string =>
      `server { listen 127.0.0.1:${ports[name]} ssl${more}; server_name net.cat; ssl_certificate ${issued[name].certificate}; ssl_certificate_key ${issued[name].key};
        location / { return 200 "secure $ssl_server_name $server_protocol"; } }`;
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
      .join(' ');
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr; events { worker_connections 256; }
       http { access_log off; ${temporary}
         server { listen 127.0.0.1:${ports.plain} default_server; return 421 "wrong host"; }
         server { listen 127.0.0.1:${ports.plain}; server_name net.cat;
           location /good { return 200 "all good"; }
           location /bad { return 503 "maintenance"; }
           location /moved { return 301 /good; }
           location /slow { limit_rate 1000; root ${folder}; } }
         ${tls('good')} ${tls('expired')} ${tls('self')} ${tls('foreign')} ${tls('two', ' http2')}
       }`,
    );
    writeFileSync(join(folder, 'slow'), 'x'.repeat(100_000));
    nginx = new Program('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')]);
    await nginx.until(() => accepts(ports.two));
  });
  afterAll(() => nginx?.stop());

  const probe = (path: string, more = {}) =>
    tryProbe(httpCheck(ports.plain, { host: 'net.cat', path, ...more }), { timeoutMs: 1_000 });
  const https = (name: keyof typeof ports, more = {}) =>
    tryProbe(httpCheck(ports[name], { tls: true, host: 'net.cat', caFile: authority.file, ...more }), {
      timeoutMs: 3_000,
    });

  test('a good page is good', async () => {
    expect(await probe('/good', { expectBody: { kind: 'bytes', bytes: Buffer.from('all good') } })).toMatchObject({
      ok: true,
    });
  });

  test('a page that takes longer than the timeout is down, and ends in time', async () => {
    const result = await probe('/slow');
    // How much nginx sends before it slows down is its own affair.
    expect(result).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^timeout: (no response|response not complete)$/),
    });
    // The page itself drips for a minute.
    expect(result.latencyMs).toBeLessThan(30_000);
  });

  test('wrong status, redirect and wrong host are down', async () => {
    expect(await probe('/bad')).toMatchObject({ ok: false, reason: 'status 503', evidence: '503 maintenance' });
    expect(await probe('/moved')).toMatchObject({ ok: false, reason: 'status 301' });
    expect(await probe('/good', { host: 'other.cat' })).toMatchObject({ ok: false, reason: 'status 421' });
  });

  test('a good certificate is good, and its days are told', async () => {
    expect(await https('good')).toMatchObject({
      ok: true,
      certificateDays: 40,
      evidence: '200 secure net.cat HTTP/1.1',
    });
  });

  test('expired, self-signed, foreign and wrong-host certificates are down, each with its reason', async () => {
    expect((await https('expired')).reason).toBe('certificate has expired');
    expect((await https('self')).reason).toBe('certificate is self-signed');
    expect((await https('foreign')).reason).toBe('certificate has an unknown issuer');
    expect((await https('good', { sni: 'other.cat' })).reason).toBe('certificate is for another name');
    expect((await https('two', { minDays: 7 })).reason).toBe('certificate expires in 5 days');
    expect(await https('self', { verify: false })).toMatchObject({ ok: true });
  });

  test('HTTP/2 is spoken where both can', async () => {
    expect(await https('two', { version: '2' })).toMatchObject({ ok: true, evidence: '200 secure net.cat HTTP/2.0' });
    expect(await https('good', { version: '2' })).toMatchObject({ ok: false });
  });

  test('a stopped server is refused', async () => {
    await nginx.stop();
    expect(await probe('/good')).toMatchObject({ ok: false, reason: 'connection refused' });
  });
});

describe.runIf(have('nsd'))('against NSD', () => {
  let nsd: Program;
  let port = 0;

  beforeAll(async () => {
    port = await refusedPort();
    const zone = [
      '$ORIGIN example.org.',
      '$TTL 60',
      '@ SOA ns hostmaster 1 60 60 60 60',
      '@ NS ns',
      'ns A 192.0.2.1',
      '@ A 192.0.2.7',
      '@ A 192.0.2.8',
      '@ AAAA 2001:db8::7',
      '@ MX 10 mail',
      'mail A 192.0.2.9',
      'txt TXT "hello" " world"',
    ];
    zone.push(...Array.from({ length: 200 }, (_, i) => `big A 10.1.${i >> 8}.${i & 255}`));
    writeFileSync(join(folder, 'example.org.zone'), `${zone.join('\n')}\n`);
    const control = `remote-control:\n  control-enable: no\n`;
    writeFileSync(
      join(folder, 'nsd.conf'),
      `server:\n  ip-address: 127.0.0.1@${port}\n  username: ""\n  chroot: ""\n  zonesdir: "${folder}"\n  pidfile: "${folder}/nsd.pid"\n  xfrdfile: "${folder}/xfrd.state"\n  zonelistfile: "${folder}/zone.list"\n  database: ""\n  xfrdir: "${folder}"\n  server-count: 1\n${control}zone:\n  name: example.org\n  zonefile: example.org.zone\n`,
    );
    nsd = new Program('nsd', ['-d', '-c', join(folder, 'nsd.conf')]);
    await nsd.until(async () => (await tryProbe(dnsCheck(port))).ok);
  });
  afterAll(() => nsd?.stop());

  const ask = (more = {}) => tryProbe(dnsCheck(port, more), { timeoutMs: 1_000 });

  test.each(['udp', 'tcp'])('rcode and value are judged, over %s', async (transport) => {
    expect(await ask({ transport })).toMatchObject({ ok: true });
    expect(await ask({ transport, expectValue: '192.0.2.8' })).toMatchObject({ ok: true });
    expect(await ask({ transport, expectValue: '192.0.2.9' })).toMatchObject({
      ok: false,
      reason: 'value does not match',
    });
    expect(await ask({ transport, name: 'none.example.org.' })).toMatchObject({ ok: false, reason: 'rcode NXDOMAIN' });
    expect(await ask({ transport, name: 'none.example.org.', expectRcode: 'NXDOMAIN' })).toMatchObject({ ok: true });
    expect(await ask({ transport, name: 'example.net.', expectRcode: 'REFUSED' })).toMatchObject({ ok: true });
  });

  test('values are compared by what they mean', async () => {
    expect(await ask({ type: 'AAAA', expectValue: '2001:0DB8:0::7' })).toMatchObject({ ok: true });
    expect(await ask({ type: 'MX', expectValue: '10 MAIL.example.org.' })).toMatchObject({ ok: true });
    expect(await ask({ name: 'txt.example.org.', type: 'TXT', expectValue: '"hello world"' })).toMatchObject({
      ok: true,
    });
    expect(await ask({ name: 'EXAMPLE.org.', type: 'NS', expectValue: 'ns.example.org.' })).toMatchObject({ ok: true });
  });

  test('a value that was cut off a UDP answer is found over TCP', async () => {
    expect(await ask({ name: 'big.example.org.', expectValue: '10.1.0.199' })).toMatchObject({ ok: true });
  });

  test('a stopped server is refused', async () => {
    await nsd.stop();
    expect(await ask()).toMatchObject({ ok: false, reason: 'connection refused' });
    expect(await ask({ transport: 'tcp' })).toMatchObject({ ok: false, reason: 'connection refused' });
  });
});

describe.runIf(have('wireguard-go', 'wg') && canMakeNamespaces() && hasTun())(
  'against wireguard-go in a namespace',
  () => {
    let space: Namespace;
    let wireguard: Program;
    const server = keyPair();
    const client = keyPair();
    const preshared = Buffer.alloc(32, 9);
    const keyFile = (name: string): string => join(folder, name);

    beforeAll(async () => {
      space = new Namespace(1);
      writeFileSync(keyFile('server.key'), server.privateBytes.toString('base64'), { mode: 0o600 });
      writeFileSync(keyFile('client.key'), client.privateBytes.toString('base64'));
      writeFileSync(keyFile('stranger.key'), keyPair().privateBytes.toString('base64'));
      // A device name of our own: the control socket's folder is shared by all namespaces.
      const device = `mrdwg${process.pid % 10_000}`;
      wireguard = space.start('wireguard-go', ['-f', device], { WG_PROCESS_FOREGROUND: '1', LOG_LEVEL: 'verbose' });
      await wireguard.until(async () => existsSync(`/var/run/wireguard/${device}.sock`));
      space.exec(
        'wg',
        'set',
        device,
        'listen-port',
        '51820',
        'private-key',
        keyFile('server.key'),
        'peer',
        client.publicBytes.toString('base64'),
        'allowed-ips',
        '10.77.0.2/32',
      );
      space.exec('ip', 'link', 'set', device, 'up');
      await wireguard.until(async () => (await probe('client.key')).ok);
    });
    afterAll(async () => {
      await wireguard?.stop();
      space?.remove();
    });

    const probe = (key: string, more = {}) =>
      tryProbe(
        {
          kind: 'wireguard',
          port: 51820,
          publicKey: server.publicBytes,
          privateKeyFile: keyFile(key),
          presharedKey: null,
          ...more,
        },
        { address: space.address, timeoutMs: 1_000 },
      );

    test('the right key is up, again and again', async () => {
      for (let i = 0; i < 5; i++) {
        // The server ignores initiations less than 20 ms apart, the repetition within the try covers that.
        expect(await probe('client.key')).toMatchObject({ ok: true, evidence: 'handshake' });
      }
    });

    test('a wrong key of the server, or a key that the server does not know, is down', async () => {
      expect(await probe('client.key', { publicKey: keyPair().publicBytes })).toMatchObject({
        ok: false,
        reason: 'timeout: no handshake',
      });
      expect(await probe('stranger.key')).toMatchObject({ ok: false, reason: 'timeout: no handshake' });
    });

    test('a preshared key that the server does not have is down', async () => {
      expect(await probe('client.key', { presharedKey: preshared })).toMatchObject({ ok: false });
    });

    test('a stopped server is down', async () => {
      await wireguard.stop();
      expect(await probe('client.key')).toMatchObject({ ok: false, reason: 'connection refused' });
    });
  },
);
