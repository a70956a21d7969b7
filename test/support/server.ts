// A whole Meridian for tests: a folder of its own, the real program on free ports, stopped at the end.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Server } from './dns.ts';
import { HANGS_MS } from './patience.ts';
import { freePort } from './ports.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Servers that run: a test that fails before it stops its own must not leave it behind. */
const running = new Set<ChildProcess>();
for (const event of ['exit', 'SIGTERM'] as const) {
  process.once(event, () => {
    for (const child of running) child.kill('SIGKILL');
    if (event === 'SIGTERM') process.exit(143);
  });
}

export interface ServerOptions {
  /** Files below the folder by their path (`zones/example.test.yaml`): text, bytes, or an object that is written as JSON, which is YAML too. */
  readonly files: Readonly<Record<string, string | Uint8Array | object>>;
  /** A folder that is there already, such as that of a server which was killed; it is left behind. */
  readonly directory?: string;
  /** Keys of meridian.yaml, over the defaults of these tests: loopback, free ports, no rate limit, two data threads. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Told of the process before it is ready. */
  readonly onSpawn?: (pid: number) => void;
  /** The admin's port; any free one where absent. */
  readonly adminPort?: number;
  /** Zones in error are meant: else the start fails with what is wrong. */
  readonly brokenZones?: boolean;
  /** A program that runs it, with its arguments, such as one that enters a namespace. */
  readonly within?: readonly string[];
  /** Environment variables beside this process's. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningServer extends Server {
  /** The same server on ::1. */
  readonly v6: Server;
  /** `http://127.0.0.1:PORT` */
  readonly admin: string;
  readonly directory: string;
  readonly pid: number;
  /** What it has printed so far, both streams. */
  output(): string;
  /** Sends SIGTERM, waits for the end, removes the folder unless it was given. Returns the exit code. */
  stop(): Promise<number | null>;
  /** Sends SIGKILL and waits for the end; the folder stays as it is then. */
  kill(): Promise<void>;
}

/** Starts the program and resolves when it answers queries; rejects with its output when it ends before. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'meridian-'));
  const adminPort = options.adminPort ?? (await freePort());
  const settings = {
    version: 'meridian/v1',
    listen: ['127.0.0.1:0', '[::1]:0'],
    admin: { listen: `127.0.0.1:${adminPort}` },
    workers: 2,
    'rate-limit': 'off',
    ...options.settings,
  };
  for (const [path, content] of Object.entries({ 'meridian.yaml': settings, ...options.files })) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    const isText = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(file, isText ? content : JSON.stringify(content, null, 2));
  }
  const [program, ...args] = [
    ...(options.within ?? []),
    ...[process.execPath, MAIN, 'serve', '--config', join(directory, 'meridian.yaml')],
  ] as [string, ...string[]];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  if (child.pid !== undefined) options.onSpawn?.(child.pid);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const admin = `http://127.0.0.1:${adminPort}`;
  const end = async (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await once(child, 'exit');
      clearTimeout(timer);
    }
    if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
    return child.exitCode;
  };
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  try {
    await untilReady(child, admin);
    const status = (await (await fetch(`${admin}/api/v1/status`)).json()) as {
      listen: string[];
      zones: { name: string; state: string }[];
    };
    const broken = status.zones.filter((zone) => zone.state !== 'ok').map((zone) => zone.name);
    if (broken.length > 0 && !options.brokenZones) throw new Error(`zones in error: ${broken.join(' ')}`);
    const port = (prefix: string): number => {
      const address = status.listen.find((text) => text.startsWith(prefix));
      return Number(address?.slice(address.lastIndexOf(':') + 1) ?? Number.NaN);
    };
    return {
      host: '127.0.0.1',
      port: port('127.0.0.1:'),
      v6: { host: '::1', port: port('[::1]:') },
      admin,
      directory,
      pid: child.pid!,
      output: () => output,
      stop: end,
      kill,
    };
  } catch (error) {
    await end();
    throw new Error(`the server did not start: ${(error as Error).message}\n${output}`);
  }
}

/** Asks /readyz until it says 200. */
async function untilReady(child: ChildProcess, admin: string): Promise<void> {
  const deadline = Date.now() + HANGS_MS;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    if (Date.now() > deadline) throw new Error('it does not get ready');
    try {
      const response = await fetch(`${admin}/readyz`);
      await response.arrayBuffer();
      if (response.status === 200) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
