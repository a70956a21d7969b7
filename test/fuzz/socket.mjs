// Sends the fuzzer's requests to the real program over UDP and TCP, judges what comes back, and watches its memory.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { judge, readRequest, request, Violation } from './judge.mjs';
import { Dice, Mutator, wireName } from './mutate.mjs';
import { NAMES, writeZones } from './zones.mjs';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** Requests between two markers: their answers fit into a receive buffer that nobody had to enlarge. */
const BATCH = 100;
const MARKER_ID = 0xfffe;
const MARKER = Buffer.concat([
  Buffer.from([MARKER_ID >> 8, MARKER_ID & 255, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
  wireName('mail.fuzz.test.'),
  Buffer.from([0, 1, 0, 1]),
]);
const UDP_CIRCUMSTANCES = {
  tcp: false,
  udpMax: 1232,
  udpMaxWithoutCookie: 1232,
  cookies: true,
  isValidCookie: () => true,
  limited: false,
};

/** Starts the program with the fuzzer's zones. */
export async function startProgram() {
  const directory = mkdtempSync(join(tmpdir(), 'meridian-fuzz-'));
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const adminPort = probe.address().port;
  probe.close();
  await once(probe, 'close');
  writeZones(directory, { settings: `admin: { listen: "127.0.0.1:${adminPort}" }\n` });
  const child = spawn(process.execPath, [MAIN, 'serve', '--config', join(directory, 'meridian.yaml')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output = (output + chunk).slice(-10_000);
    });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(directory, { recursive: true });
  };
  const admin = `http://127.0.0.1:${adminPort}`;
  for (let tries = 0; ; tries++) {
    const ready = await fetch(`${admin}/readyz`).then(
      (r) => r.ok,
      () => false,
    );
    if (ready) break;
    if (tries === 500 || child.exitCode !== null) {
      await stop();
      throw new Error(`the program did not start: ${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  const status = await (await fetch(`${admin}/api/v1/status`)).json();
  const port = Number(status.listen[0].split(':').at(-1));
  const residentBytes = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) * 1024;
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  return { port, residentBytes, isAlive, stop, output: () => output };
}

/** Makes the requests of a batch: each with an id that is its number in it. */
function makeBatch(mutator, count, least) {
  const requests = [];
  while (requests.length < count) {
    mutator.next();
    if (mutator.length < least) continue;
    const bytes = Buffer.from(mutator.bytes.subarray(0, mutator.length));
    if (bytes.length >= 2) bytes.writeUInt16BE(requests.length);
    requests.push(bytes);
  }
  return requests;
}

/** Judges the answers of a batch; returns how many there were. */
function judgeBatch(requests, answers, circumstances, onMistake) {
  requests.forEach((asked, i) => {
    const got = answers.get(i);
    readRequest(asked, asked.length);
    if (circumstances.tcp && request.type >= 251 && request.type <= 252) return;
    try {
      if (got === undefined) {
        if (!request.silent) throw new Violation('no answer');
        return;
      }
      // The judge may look a little behind what it reads.
      const bytes = Buffer.alloc(got.length + 1024);
      got.copy(bytes);
      judge(asked, asked.length, bytes, got.length, circumstances);
    } catch (error) {
      onMistake({ what: error.message, line: `${circumstances.tcp ? 'tcp' : 'udp'} 0 ${asked.toString('hex')}` });
    }
  });
  return answers.size;
}

/** One UDP client: batch after batch. */
async function fuzzUdp(port, packets, seed, onBatch, onMistake) {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let answers = new Map();
  let arrived = () => {};
  socket.on('message', (bytes) => {
    const id = bytes.readUInt16BE(0);
    if (id === MARKER_ID) arrived();
    else answers.set(id, bytes);
  });
  const send = (bytes) => socket.send(bytes);
  const round = async (requests) => {
    answers = new Map();
    const done = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Violation('no answer to a good query')), 5000);
      arrived = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    for (const bytes of requests) send(bytes);
    send(MARKER);
    await done;
    return answers;
  };
  const mutator = new Mutator(new Dice(seed), NAMES);
  try {
    for (let sent = 0; sent < packets; sent += BATCH) {
      const requests = makeBatch(mutator, BATCH, 0);
      const got = await round(requests);
      // What the kernel dropped is asked again, alone.
      for (const [i, bytes] of requests.entries()) {
        if (got.has(i)) continue;
        readRequest(bytes, bytes.length);
        if (request.silent) continue;
        const again = (await round([bytes])).get(i);
        if (again !== undefined) got.set(i, again);
      }
      onBatch(requests.length, judgeBatch(requests, got, UDP_CIRCUMSTANCES, onMistake));
    }
  } catch (error) {
    onMistake({ what: error.message, line: '' });
  } finally {
    socket.close();
  }
}

/** One TCP client. Requests under 12 octets are left out: they close the connection. */
async function fuzzTcp(port, packets, seed, onBatch, onMistake) {
  const mutator = new Mutator(new Dice(seed), NAMES);
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  let held = Buffer.alloc(0);
  let answers = new Map();
  let arrived = () => {};
  let failed = () => {};
  socket.on('data', (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    let p = 0;
    while (held.length - p >= 2 && held.length - p >= 2 + held.readUInt16BE(p)) {
      const bytes = held.subarray(p + 2, p + 2 + held.readUInt16BE(p));
      p += 2 + bytes.length;
      if (bytes.readUInt16BE(0) === MARKER_ID) arrived();
      else answers.set(bytes.readUInt16BE(0), Buffer.from(bytes));
    }
    held = held.subarray(p);
  });
  socket.on('close', () => failed(new Violation('the connection was closed')));
  socket.on('error', () => {});
  const frame = (bytes) => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
  try {
    for (let sent = 0; sent < packets; sent += BATCH) {
      const requests = makeBatch(mutator, BATCH, 12);
      answers = new Map();
      const done = new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Violation('no answer over TCP')), 10_000);
        arrived = () => {
          clearTimeout(timer);
          resolve();
        };
        failed = (error) => {
          clearTimeout(timer);
          reject(error);
        };
      });
      socket.write(Buffer.concat([...requests, MARKER].map(frame)));
      await done;
      onBatch(requests.length, judgeBatch(requests, answers, { ...UDP_CIRCUMSTANCES, tcp: true }, onMistake));
    }
  } catch (error) {
    onMistake({ what: error.message, line: '' });
  } finally {
    failed = () => {};
    socket.destroy();
  }
}

/**
 * Fuzzes the running program.
 * @param {{ udp: number, tcp: number, seed: number, clients?: number }} options how many requests over what
 * @returns {Promise<{ packets: number, answers: number, found: import('./run.mjs').Found[], resident: number[] }>} `resident`:
 *   the program's memory after each tenth of the UDP requests, the first tenth being its warming up
 */
export async function fuzzSocket(options) {
  const program = await startProgram();
  const found = [];
  const resident = [];
  const result = { packets: 0, answers: 0 };
  const onMistake = (mistake) => {
    if (found.length < 20) found.push(mistake);
  };
  const clients = options.clients ?? 4;
  try {
    const step = Math.max(BATCH, options.udp / 10);
    const onBatch = (packets, answers) => {
      const before = Math.floor(result.packets / step);
      result.packets += packets;
      result.answers += answers;
      if (Math.floor(result.packets / step) > before) resident.push(program.residentBytes());
    };
    await Promise.all(
      Array.from({ length: clients }, (_, i) =>
        fuzzUdp(program.port, options.udp / clients, options.seed + i, onBatch, onMistake),
      ),
    );
    const onTcpBatch = (packets, answers) => {
      result.packets += packets;
      result.answers += answers;
    };
    if (options.tcp > 0) await fuzzTcp(program.port, options.tcp, options.seed + 99, onTcpBatch, onMistake);
    resident.push(program.residentBytes());
    if (!program.isAlive()) onMistake({ what: `the program ended: ${program.output()}`, line: '' });
  } finally {
    await program.stop();
  }
  return { ...result, found, resident };
}
