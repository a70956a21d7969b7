// What a backend's games cost: CPU of this process for a probe of each kind, whatever arrives. The games are played by a process of its own.
// Usage: node bench/health/games.mjs [probes of each] [part of a name]   (30)
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { blake2s } from '@noble/hashes/blake2.js';

const AT_MOST_MS = 5;
const head = 'HTTP/1.1 200 OK\r\n';
const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`;
const ab = Array.from(randomBytes(65_536), (octet) => (octet & 1 ? 'a' : 'b')).join('');
const frame = (type, payload = '', flags = 0, stream = 0) => {
  const bytes = Buffer.from(payload, 'latin1');
  const header = Buffer.alloc(9);
  header.writeUIntBE(bytes.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, bytes]);
};
const hello = frame(4);
/** `:status: 200`, HPACK's static table. */
const ok = frame(1, '\x88', 4, 1);
const many = (bytes, count = 20_000) => Buffer.concat(Array(count).fill(Buffer.from(bytes)));
/** Writes a text a byte at a time, as fast as the loop turns. */
const drip = (socket, text, from = 0) => {
  if (from >= text.length || socket.destroyed) return;
  socket.write(text.subarray(from, from + 1));
  setImmediate(drip, socket, text, from + 1);
};

const http = (more = {}) => ({
  ...{ kind: 'http', tls: false, method: 'GET', path: '/', host: 'web.test', sni: null, headers: {} },
  ...{ expectStatus: [[200, 299]], expectBody: null, verify: false, caFile: null, minDays: null },
  ...{ version: '1.1', reuse: false, load: null, ...more },
});
const http2 = () => http({ version: '2' });
const tcp = (expect, more = {}) => ({
  ...{ kind: 'tcp', tls: false, sni: null, verify: false, caFile: null, send: null, expect, ...more },
});
const text = (what) => ({ kind: 'bytes', bytes: Buffer.from(what) });
const regex = (source) => ({ kind: 'regex', source });
const dns = (more = {}) => ({
  ...{ kind: 'dns', transport: 'udp', name: 'example.org.', type: 'A', expectRcode: 'NOERROR', expectValue: null },
  ...more,
});
const udp = (expect) => ({ kind: 'udp', send: Buffer.from('ping'), expect });

/** A DNS answer of 64 KiB: records of one type whose names go through many pointers. */
function manyRecords(query, type, count) {
  const answer = Buffer.from(query);
  answer[2] = 0x84;
  answer.writeUInt16BE(count, 6);
  const records = Array(count).fill(Buffer.from([0xc0, 12, type >> 8, type & 255, 0, 1, 0, 0, 0, 60, 0, 2, 0xc0, 12]));
  return Buffer.concat([answer, ...records]).subarray(0, 65_535);
}
const framed = (message) => Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]);

/** By name: the check, and what the backend sends. `once` answers the first bytes, `open` a connection, `drip` byte by byte. */
const games = {
  'http: a good page of 64 KiB': { check: http(), once: `${head}Content-Length: 65536\r\n\r\n${ab}` },
  'http: 5,400 header lines': { check: http(), once: `${head}${'a:\n'.repeat(5_400)}\r\n` },
  'http: 250 long header lines': { check: http(), once: `${head}${`a:${'b'.repeat(60)}\n`.repeat(250)}\r\n` },
  'http: folded lines': { check: http(), once: `${head}a:\n${' b\n'.repeat(5_400)}\r\n` },
  'http: interim responses': { check: http(), once: 'HTTP/1.1 100 C\r\n\r\n'.repeat(900) },
  'http: 65,000 chunks of a byte': { check: http(), once: chunked + '1\r\nx\r\n'.repeat(65_000) },
  'http: chunks with extensions': { check: http(), once: chunked + `1;${'0'.repeat(240)}\r\nx\r\n`.repeat(2_000) },
  'http: trailers': { check: http(), once: `${chunked}0\r\n${'a:\n'.repeat(5_000)}` },
  'http: head a byte a segment': { check: http(), drip: `${head}X: ${'x'.repeat(16_000)}` },
  'http: body a byte a segment': { check: http(), drip: `${head}\r\n${ab}` },
  'http: chunks a byte a segment': { check: http(), drip: chunked + '1\r\nx\r\n'.repeat(10_000) },
  'http: a body against a regex that backtracks': {
    check: http({ expectBody: regex('^(\\w+\\s?)*$') }),
    once: `${head}\r\n${'a'.repeat(65_000)}!`,
    ends: true,
  },
  'http: a body against a regex that grows': {
    check: http({ expectBody: regex('a[ab]{60}[cd]') }),
    once: `${head}\r\n${ab}`,
    ends: true,
  },
  'http: JSON of nothing but brackets': {
    check: http({ load: { kind: 'json', pointer: '/load' } }),
    once: `${head}\r\n${'['.repeat(65_000)}`,
    ends: true,
  },
  'https: a good page': { check: http({ tls: true }), tls: true, once: `${head}Content-Length: 2\r\n\r\nok` },
  'https: records of a byte': { check: http({ tls: true }), tls: true, drip: `${head}\r\n${ab}` },
  'http/2: a good page': { check: http2(), once: Buffer.concat([hello, ok, frame(0, 'ok', 1, 1)]) },
  'http/2: 64 KiB in frames of 4 KiB': {
    check: http2(),
    once: Buffer.concat([hello, ok, many(frame(0, ab.slice(0, 4_096), 0, 1), 15), frame(0, 'ok', 1, 1)]),
  },
  'http/2: SETTINGS': { check: http2(), once: Buffer.concat([hello, many(hello)]) },
  'http/2: long SETTINGS': {
    check: http2(),
    once: Buffer.concat([hello, many(frame(4, '\0\x03\0\0\0\x64'.repeat(2_000)), 50)]),
  },
  'http/2: PING': { check: http2(), once: Buffer.concat([hello, many(frame(6, '12345678'))]) },
  'http/2: WINDOW_UPDATE': { check: http2(), once: Buffer.concat([hello, many(frame(8, '\0\0\0\x01'))]) },
  'http/2: PRIORITY': { check: http2(), once: Buffer.concat([hello, many(frame(2, '\0\0\0\x03\x01', 0, 1))]) },
  'http/2: empty DATA': { check: http2(), once: Buffer.concat([hello, ok, many(frame(0, '', 0, 1))]) },
  'http/2: empty CONTINUATION': {
    check: http2(),
    once: Buffer.concat([hello, frame(1, '', 0, 1), many(frame(9, '', 0, 1))]),
  },
  'http/2: interim HEADERS': { check: http2(), once: Buffer.concat([hello, many(frame(1, '\x08\x03100', 4, 1))]) },
  'http/2: RST_STREAM': { check: http2(), once: Buffer.concat([hello, many(frame(3, '\0\0\0\x08', 0, 1))]) },
  'http/2: PUSH_PROMISE': { check: http2(), once: Buffer.concat([hello, many(frame(5, '\0\0\0\x02\x82', 4, 1))]) },
  'http/2: frames nobody knows': { check: http2(), once: Buffer.concat([hello, many(frame(99))]) },
  'http/2: a header block that unfolds': {
    check: http2(),
    once: Buffer.concat([
      hello,
      frame(1, `\x88\x40\x01a\x7f\x81\x1e${'b'.repeat(4_000)}${'\xbe'.repeat(12_000)}`, 4, 1),
    ]),
  },
  'http/2: a byte a segment': { check: http2(), drip: Buffer.concat([hello, many(frame(6, '12345678'))]) },
  'tcp: a byte a segment': { check: tcp(text('SSH-2.0')), drip: ab, open: true },
  'tcp: a byte a segment, against a regex': { check: tcp(regex('^SSH-\\d')), drip: ab, open: true },
  'tcp: against a regex that grows': { check: tcp(regex('a[ab]{60}[cd]')), once: ab, open: true },
  'tcp: TLS records of a byte': { check: tcp(text('SSH-2.0'), { tls: true }), tls: true, drip: ab, open: true },
  'dns over tcp: a byte a segment': { check: dns({ transport: 'tcp' }), drip: `\xff\xff${ab}` },
  'dns over tcp: 4,000 records': {
    check: dns({ transport: 'tcp', type: 'NS', expectValue: 'ns.example.net.' }),
    answer: (query) => framed(manyRecords(query.subarray(2), 2, 4_600)),
  },
  'udp: empty datagrams': { check: udp(text('pong')), datagram: () => Buffer.alloc(0) },
  'udp: datagrams of 1,000 bytes': { check: udp(text('pong')), datagram: () => Buffer.alloc(1_000) },
  'udp: against a regex that grows': {
    check: udp(regex('a[ab]{60}[cd]')),
    datagram: () => Buffer.from(ab.slice(0, 1_000)),
  },
  'dns: empty datagrams': { check: dns(), datagram: () => Buffer.alloc(0) },
  'dns: answers to other questions': {
    check: dns(),
    datagram: (query) => Buffer.concat([Buffer.from([1, 2]), query.subarray(2)]),
  },
  'dns: 4,000 records': {
    check: dns({ type: 'NS', expectValue: 'ns.example.net.' }),
    datagram: (query) => manyRecords(query, 2, 4_600),
  },
  'wireguard: garbage': { check: { kind: 'wireguard' }, datagram: () => randomBytes(92) },
  'wireguard: answers that prove wrong': { check: { kind: 'wireguard' }, datagram: wrongHandshake },
  'wireguard: cookies that prove wrong': {
    check: { kind: 'wireguard' },
    datagram: (query) => Buffer.concat([Buffer.from([3, 0, 0, 0]), query.subarray(4, 8), randomBytes(56)]),
  },
  'exec: output without end': { check: { kind: 'exec', command: '/usr/bin/yes', args: [] } },
  'exec: output a byte at a time': {
    check: { kind: 'exec', command: '/bin/sh', args: ['-c', 'while :; do echo; done'] },
  },
};

/** A second message of the right form, for the right initiator, with the right first MAC, and nothing behind it. */
function wrongHandshake(query) {
  const body = Buffer.concat([Buffer.from([2, 0, 0, 0]), randomBytes(4), query.subarray(4, 8), randomBytes(48)]);
  const key = blake2s(Buffer.concat([Buffer.from('mac1----'), Buffer.from(process.env.OUR_PUBLIC, 'base64')]));
  return Buffer.concat([body, blake2s(body, { key, dkLen: 16 }), Buffer.alloc(16)]);
}

/** Plays all games; says on which ports. */
async function play(tls) {
  const ports = {};
  for (const [name, game] of Object.entries(games)) {
    if (game.datagram !== undefined) {
      const socket = createSocket('udp4');
      let until = 0;
      let timer;
      socket.on('message', (query, from) => {
        until = Date.now() + 100;
        clearInterval(timer);
        timer = setInterval(() => {
          for (let i = 0; i < 40; i++) socket.send(game.datagram(query), from.port, from.address, () => {});
          if (Date.now() > until) clearInterval(timer);
        }, 1);
      });
      socket.on('error', () => {});
      await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
      ports[name] = socket.address().port;
      continue;
    }
    const once = Buffer.from(
      game.once ?? game.drip ?? '',
      typeof (game.once ?? game.drip) === 'string' ? 'latin1' : undefined,
    );
    const server = (game.tls ? createTlsServer : createServer)(game.tls ? tls : {}, (socket) => {
      socket.on('error', () => {});
      socket.setNoDelay(true);
      const go = (data) => {
        if (game.answer !== undefined) socket.write(game.answer(data));
        else if (game.drip !== undefined) drip(socket, once);
        else if (game.ends) socket.end(once);
        else socket.write(once);
      };
      if (game.open) go();
      else socket.once('data', go);
      socket.on('data', () => {});
    });
    server.on('tlsClientError', () => {});
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports[name] = server.address().port;
  }
  process.stdout.write(`${JSON.stringify(ports)}\n`);
  process.on('SIGTERM', () => process.exit());
}

async function measure() {
  const { systemClock } = await import('../../dist/base/clock.js');
  const { ConfinedFiles } = await import('../../dist/probe/local-file.js');
  const { runProbe } = await import('../../dist/probe/probe.js');
  const { probeAddress } = await import('../../dist/probe/probes.js');
  const { median } = await import('../field.mjs');
  const [probes = '30', part = ''] = process.argv.slice(2);
  const folder = mkdtempSync(join(tmpdir(), 'meridian-games-'));
  const pair = JSON.parse(
    execFileSync(
      process.execPath,
      [
        '-e',
        `const { generateKeyPairSync } = require('node:crypto');
      const make = () => { const { publicKey, privateKey } = generateKeyPairSync('x25519');
        return [publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64'), privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32).toString('base64')]; };
      console.log(JSON.stringify([make(), make()]))`,
      ],
      { encoding: 'utf8' },
    ),
  );
  writeFileSync(join(folder, 'wg.key'), pair[0][1]);
  const ssl = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=web.test'];
  execFileSync('openssl', [...ssl, '-keyout', join(folder, 'key'), '-out', join(folder, 'cert')], { stdio: 'ignore' });
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'play', folder], {
    env: { OUR_PUBLIC: pair[0][0] },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ports = await new Promise((resolve) => {
    let said = '';
    child.stdout.on('data', (data) => {
      said += data;
      if (said.endsWith('\n')) resolve(JSON.parse(said));
    });
  });
  const rules = { exec: true, files: [], linkLocal: false, admin: null };
  const context = { rules, files: new ConfinedFiles() };
  const rows = [];
  for (const [name, { check }] of Object.entries(games)) {
    if (!name.includes(part)) continue;
    const keys = {
      publicKey: Buffer.from(pair[1][0], 'base64'),
      privateKeyFile: join(folder, 'wg.key'),
      presharedKey: null,
    };
    const probe = { ...check, port: ports[name], ...(check.kind === 'wireguard' ? keys : {}) };
    const costs = [];
    let reason = '';
    for (let i = -5; i < Number(probes); i++) {
      const before = process.cpuUsage();
      const target = { address: '127.0.0.1', name: null, kept: new Map() };
      const { result } = await runProbe(
        (attempt) => probeAddress(probe, target, attempt, context),
        500,
        systemClock,
        new AbortController(),
      );
      const { user, system } = process.cpuUsage(before);
      reason = result.reason;
      if (i >= 0) costs.push((user + system) / 1_000);
    }
    costs.sort((a, b) => a - b);
    const ms = Number(median(costs).toFixed(2));
    rows.push({
      game: name,
      'CPU ms a probe': ms,
      p90: Number(costs[Math.floor(costs.length * 0.9)].toFixed(2)),
      outcome: reason,
    });
  }
  console.table(rows);
  const over = rows.filter((row) => row['CPU ms a probe'] > AT_MOST_MS);
  console.log(
    over.length === 0
      ? `none over ${AT_MOST_MS} ms`
      : `over ${AT_MOST_MS} ms: ${over.map(({ game }) => game).join('; ')}`,
  );
  child.kill();
  rmSync(folder, { recursive: true });
}

if (process.argv[2] === 'play') {
  const folder = process.argv[3];
  await play({ key: readFileSync(join(folder, 'key')), cert: readFileSync(join(folder, 'cert')) });
} else await measure();
