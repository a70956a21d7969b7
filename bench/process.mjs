// Starts servers pinned to a core, and reads what /proc knows of them: CPU time, memory, and who else used the core.
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { query } from './wire.mjs';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** The path of an executable, or undefined where it isn't installed. */
export function findExecutable(...names) {
  for (const name of names) {
    try {
      const path = `${process.env.PATH}:/usr/sbin:/sbin:/usr/local/sbin`;
      return execFileSync('/bin/sh', ['-c', 'command -v -- "$0"', name], {
        encoding: 'utf8',
        env: { ...process.env, PATH: path },
      }).trim();
    } catch {}
  }
  return undefined;
}

/** What a command prints, both streams together; empty where it can't run. */
export function outputOf(command, args) {
  try {
    return execFileSync('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', command, ...args], {
      encoding: 'utf8',
      timeout: 10_000,
    });
  } catch (error) {
    return String(error.stdout ?? '');
  }
}

/** A port on 127.0.0.1 that is free for UDP and for TCP. */
export async function freePort() {
  for (;;) {
    const tcp = createServer();
    await new Promise((resolve, reject) => tcp.once('error', reject).listen(0, '127.0.0.1', resolve));
    const { port } = tcp.address();
    const udp = createSocket('udp4');
    const free = await new Promise((resolve) => {
      udp.once('error', () => resolve(false));
      udp.bind(port, '127.0.0.1', () => resolve(true));
    });
    udp.close();
    await new Promise((resolve) => tcp.close(resolve));
    if (free) return port;
  }
}

/** The process and all its descendants. */
function tree(pid) {
  const all = [pid];
  for (let i = 0; i < all.length; i++) {
    try {
      for (const task of readdirSync(`/proc/${all[i]}/task`))
        for (const child of readFileSync(`/proc/${all[i]}/task/${task}/children`, 'utf8').split(' '))
          if (child.trim() !== '') all.push(Number(child));
    } catch {}
  }
  return all;
}

/** CPU seconds that a process and its descendants have used so far, all threads: `{ user, sys }`. */
export function cpuSeconds(pid) {
  let user = 0;
  let sys = 0;
  for (const one of tree(pid)) {
    try {
      const stat = readFileSync(`/proc/${one}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      user += Number(fields[11]);
      sys += Number(fields[12]);
    } catch {}
  }
  return { user: user / ticksPerSecond, sys: sys / ticksPerSecond };
}

/** Megabytes (10^6) of a process and its descendants: resident now, resident at its peak, and of the resident what no file backs. */
export function memoryMegabytes(pid) {
  const sum = { resident: 0, peak: 0, anonymous: 0, shared: 0 };
  for (const one of tree(pid)) {
    try {
      const status = readFileSync(`/proc/${one}/status`, 'utf8');
      const of = (key) => (Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) * 1024) / 1e6;
      sum.resident += of('VmRSS');
      sum.peak += of('VmHWM');
      sum.anonymous += of('RssAnon');
      sum.shared += of('RssShmem');
    } catch {}
  }
  return sum;
}

/** Busy and stolen seconds of one core since boot. */
export function coreSeconds(core) {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '';
  const [user, nice, system, , , irq, softirq, steal] = line.split(' ').map((ticks) => Number(ticks) / ticksPerSecond);
  return { busy: user + nice + system + irq + softirq, steal };
}

/** One question to 127.0.0.1: the answer's bytes, or undefined after `timeoutMs`. */
export function ask(port, packet, timeoutMs = 200, from = undefined) {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const end = (answer) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => end(undefined), timeoutMs);
    socket.on('message', (message) => message.readUInt16BE(0) === packet.readUInt16BE(0) && end(message));
    socket.on('error', () => end(undefined));
    socket.bind(0, from, () => socket.send(packet, port, '127.0.0.1'));
  });
}

/**
 * Asks `name` every few milliseconds, each time from a socket of its own, until an answer without an error comes.
 * Returns the milliseconds since `since` (performance.now()), or throws after `limitMs`, or when the server ended.
 */
export async function untilAnswer(
  server,
  port,
  name,
  since,
  limitMs,
  everyMs = 5,
  accept = (reply) => (reply[3] & 15) === 0,
) {
  const packet = query(name, { id: 4711 });
  let answeredAt;
  const pending = new Set();
  while (answeredAt === undefined) {
    if (server.ended()) throw new Error(`${server.label} ended: ${server.output()}`);
    if (performance.now() - since > limitMs)
      throw new Error(`${server.label}: no answer for ${name} in ${limitMs} ms: ${server.output()}`);
    const one = ask(port, packet, 1000).then((reply) => {
      pending.delete(one);
      if (reply !== undefined && accept(reply)) answeredAt ??= performance.now();
    });
    pending.add(one);
    await wait(everyMs);
  }
  return answeredAt - since;
}

/**
 * Starts a command pinned to the cores of `cores` (text of taskset, or undefined: free). Its output goes to a file.
 * Returns `{ pid, label, startedAt, ended(), output(), stop() }`; `stop` waits, with SIGKILL after 10 s.
 */
export function start(label, { command, args, cores, cwd, env, logPath }) {
  const log = openSync(logPath, 'w');
  const startedAt = performance.now();
  const child = cores
    ? spawn('taskset', ['-c', cores, command, ...args], {
        cwd,
        env: { ...process.env, ...env },
        stdio: ['ignore', log, log],
      })
    : spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', log, log] });
  closeSync(log);
  const running = { over: undefined };
  const gone = new Promise((resolve) => {
    const end = (why) => {
      running.over = why;
      resolve();
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(signal ?? `exit ${code}`));
  });
  alive.add(child);
  void gone.then(() => alive.delete(child));
  return {
    pid: child.pid,
    label,
    startedAt,
    ended: () => running.over,
    output: () => readFileSync(logPath, 'utf8').slice(-3000),
    kill: (signal) => child.kill(signal),
    async stop() {
      if (running.over !== undefined) return 0;
      const from = performance.now();
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(late);
      return performance.now() - from;
    },
  };
}

const alive = new Set();

/** Ends whatever `start` started and still runs. */
export function stopAll() {
  for (const child of alive) child.kill('SIGKILL');
}

/** Moves a running process with all its threads to the cores of `cores`. */
export function pin(pid, cores) {
  execFileSync('taskset', ['-a', '-c', '-p', cores, String(pid)], { stdio: 'ignore' });
}
