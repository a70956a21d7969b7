// Runs the load generators and reads their results: dnsperf, and the generator of this folder.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findExecutable } from './process.mjs';

const here = dirname(fileURLToPath(import.meta.url));

/** Builds bench/NAME.c into `directory` unless it is there already: its path, or undefined without a compiler. */
export function build(name, directory) {
  const compiler = findExecutable('cc', 'gcc', 'clang');
  if (compiler === undefined) return undefined;
  mkdirSync(directory, { recursive: true });
  const source = join(here, `${name}.c`);
  const target = join(directory, name);
  if (!existsSync(target) || statSync(target).mtimeMs < statSync(source).mtimeMs)
    execFileSync(compiler, ['-O2', '-o', target, source, '-lm'], { stdio: 'inherit' });
  return target;
}

/** Runs a command pinned to a core: `{ stdout, stderr }`. */
function run(command, args, core) {
  return new Promise((resolve, reject) => {
    const pinned = core === undefined ? [command, args] : ['taskset', ['-c', String(core), command, ...args]];
    const child = spawn(...pinned, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => (stdout += text));
    child.stderr.on('data', (text) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0
        ? resolve({ stdout, stderr })
        : reject(new Error(`${command} ${args.join(' ')}: exit ${code}\n${stdout}${stderr}`)),
    );
  });
}

/**
 * dnsperf with 8 sockets in one thread and at most `outstanding` queries on their way (150: the socket buffer of every
 * server holds them, those that don't enlarge it too), or at `rate` queries a second:
 * `{ sent, answered, lost, seconds, qps }`.
 */
export async function dnsperf({ port, file, seconds, core, rate, outstanding = 150 }) {
  const limit = rate === undefined ? [] : ['-Q', String(Math.round(rate))];
  const { stdout } = await run(
    'dnsperf',
    [
      ...['-s', '127.0.0.1', '-p', String(port), '-B', '-d', file, '-l', String(seconds)],
      ...['-c', '8', '-T', '1', '-q', String(outstanding), '-t', '1', ...limit],
    ],
    core,
  );
  const figure = (pattern) => Number(pattern.exec(stdout)?.[1] ?? Number.NaN);
  return {
    sent: figure(/Queries sent:\s+(\d+)/),
    answered: figure(/Queries completed:\s+(\d+)/),
    lost: figure(/Queries lost:\s+(\d+)/),
    seconds: figure(/Run time \(s\):\s+([\d.]+)/),
    qps: figure(/Queries per second:\s+([\d.]+)/),
  };
}

let realtime;
/** What to put before a command so that it runs before everything else; nothing where that isn't allowed. */
function first() {
  realtime ??= spawnSync('chrt', ['--rr', '2', 'true']).status === 0;
  return realtime ? ['chrt', '--rr', '2'] : [];
}

/** bench/load.c at `rate` a second or with `window` outstanding, `urgent`: before everything else: the figures that it prints, latencies in us. */
export async function load({
  program,
  port,
  file,
  seconds,
  core,
  rate,
  window,
  sources,
  sockets,
  expect,
  epoch,
  urgent,
}) {
  const args = ['--port', port, '--file', file, '--seconds', seconds];
  if (rate !== undefined) args.push('--rate', Math.round(rate));
  if (window !== undefined) args.push('--window', window);
  if (sources !== undefined) args.push('--sources', sources.join(','));
  if (sockets !== undefined) args.push('--sockets', sockets);
  if (expect !== undefined) args.push('--expect', expect);
  if (epoch !== undefined) args.push('--epoch', epoch);
  const [command, ...words] = [...(urgent ? first() : []), program, ...args.map(String)];
  const { stdout, stderr } = await run(command, words, core);
  return { ...JSON.parse(stdout), complaints: stderr.trim() };
}
