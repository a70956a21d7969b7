// Server cookies between us and BIND, Knot and NSD with one secret: each accepts what the others made (RFC 9018).
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { COOKIE_VALID, Cookies } from '../../dist/guard/cookies.js';
import { OPTION, optionOf, parse, query, type Reply, type Server, sendUdp } from '../support/dns.ts';
import { freePort } from '../support/ports.ts';

const SECRET = 'e5e973e5a6b2a43f48e7dc849e37bfcf';
const LOOPBACK = { family: 4 as const, w0: 0x7f000001, w1: 0, w2: 0, w3: 0 };
const CLIENT = Buffer.from('2464c4abcf10c957', 'hex');
const ZONE = '$TTL 60\n@ IN SOA ns.x. h.x. 1 60 60 60 60\n@ IN NS ns.x.\n@ IN A 192.0.2.1\n';

interface Peer {
  readonly program: string;
  readonly version: string;
  readonly args: (folder: string, port: number) => string[];
  readonly files: (folder: string, port: number) => Record<string, string>;
  /** Whether it answers BADCOOKIE to clients without a server cookie of its own. */
  readonly strict: boolean;
}

const PEERS: Record<string, Peer> = {
  BIND: {
    program: 'named',
    version: '-v',
    args: (folder, port) => ['-g', '-c', join(folder, 'named.conf'), '-p', String(port), '-n', '1'],
    files: (folder, port) => ({
      'named.conf': `options { directory "${folder}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
        pid-file none; recursion no; dnssec-validation no; notify no; session-keyfile none;
        cookie-algorithm siphash24; cookie-secret "${SECRET}"; require-server-cookie yes; };
        controls { };
        zone "cookie.test" { type primary; file "${folder}/zone"; };`,
      zone: ZONE,
    }),
    strict: true,
  },
  Knot: {
    program: 'knotd',
    version: '-V',
    args: (folder) => ['-c', join(folder, 'knot.conf')],
    files: (folder, port) => ({
      'knot.conf': `server:
    rundir: "${folder}"
    listen: 127.0.0.1@${port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "${folder}"
mod-cookies:
  - id: default
    secret: 0x${SECRET}
    badcookie-slip: 1
template:
  - id: default
    global-module: mod-cookies/default
zone:
  - domain: cookie.test
    file: "${folder}/zone"
    semantic-checks: off
`,
      zone: ZONE.replaceAll('@', 'cookie.test.'),
    }),
    strict: true,
  },
  NSD: {
    program: 'nsd',
    version: '-v',
    args: (folder) => ['-d', '-c', join(folder, 'nsd.conf')],
    files: (folder, port) => ({
      'nsd.conf': `server:
  ip-address: 127.0.0.1@${port}
  username: ""
  chroot: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: "${folder}/pid"
  xfrdfile: "${folder}/xfrd"
  xfrdir: "${folder}"
  zonelistfile: "${folder}/zonelist"
  answer-cookie: yes
  cookie-secret: "${SECRET}"
remote-control:
  control-enable: no
zone:
  name: "cookie.test"
  zonefile: "${folder}/zone"
`,
      zone: ZONE,
    }),
    strict: false,
  },
};

let stop: () => Promise<void> = async () => {};
afterEach(() => stop());

async function start(peer: Peer): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'cookie-peer-'));
  const port = await freePort();
  for (const [name, text] of Object.entries(peer.files(folder, port))) writeFileSync(join(folder, name), text);
  const child = spawn(peer.program, peer.args(folder, port), { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const server = { host: '127.0.0.1', port };
  for (let tries = 0; tries < 100; tries++) {
    const answer = await sendUdp(server, query({ name: 'cookie.test.' }), 100).catch(() => null);
    if (answer !== null) return server;
    if (child.exitCode !== null) break;
  }
  throw new Error(`${peer.program} did not start: ${output}`);
}

async function askWith(server: Server, cookie: Uint8Array): Promise<Reply> {
  const answer = await sendUdp(
    server,
    query({ name: 'cookie.test.', edns: { options: [{ code: OPTION.COOKIE, data: cookie }] } }),
  );
  return parse(answer!);
}

describe.each(Object.entries(PEERS))('%s', (_, peer) => {
  const installed = spawnSync(peer.program, [peer.version]).error === undefined;

  it.skipIf(!installed)('makes cookies that we accept, and accepts ours', async () => {
    const server = await start(peer);
    const cookies = new Cookies([Buffer.from(SECRET, 'hex')]);
    const now = Math.floor(Date.now() / 1000);

    const theirs = optionOf(await askWith(server, CLIENT), OPTION.COOKIE)!;
    const reply = new Uint8Array(24);
    expect(theirs).toHaveLength(24);
    expect(cookies.check(theirs, 24, LOOPBACK, now, reply)).toBe(COOKIE_VALID);
    expect(Buffer.from(reply)).toEqual(theirs);

    const ours = new Uint8Array(24);
    cookies.check(CLIENT, 8, LOOPBACK, now, ours);
    expect((await askWith(server, ours)).rcode).toBe('NOERROR');
    // One that was made a minute ago is good as well.
    cookies.check(CLIENT, 8, LOOPBACK, now - 60, ours);
    expect((await askWith(server, ours)).rcode).toBe('NOERROR');

    const forged = Uint8Array.from(ours);
    forged[20]! ^= 1;
    const refused = await askWith(server, forged);
    if (peer.strict) expect(refused.rcode).toBe('BADCOOKIE');
    else expect(optionOf(refused, OPTION.COOKIE)).not.toEqual(Buffer.from(forged));
  });
});
