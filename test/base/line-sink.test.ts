// The sink of lines: whoever reads it, or doesn't, nothing waits and what is lost is counted.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SINK = fileURLToPath(new URL('../../dist/base/line-sink.js', import.meta.url));

/** Writes lines to standard error through a sink, then tells on standard output what was dropped. */
const PROGRAM = `
  import { LineSink } from ${JSON.stringify(SINK)};
  const [count, bytes] = process.argv.slice(1).map(Number);
  const sink = new LineSink(2, (dropped) => 'dropped ' + dropped + '\\n');
  for (let i = 0; i < count; i++) sink.write(String(i).padStart(8) + 'x'.repeat(bytes - 9) + '\\n');
  await sink.flush();
  process.stdout.write('end ' + sink.dropped + '\\n', () => process.exit());
`;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-sink-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Runs it with this as standard error; `read`: what reads a pipe. */
async function run(
  count: number,
  bytes: number,
  stderr: number | 'pipe',
  read: boolean,
): Promise<{ dropped: number; text: string }> {
  const args = ['--input-type=module', '-e', PROGRAM, String(count), String(bytes)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', stderr] });
  let text = '';
  let said = '';
  if (read) child.stderr?.setEncoding('utf8').on('data', (part) => (text += part));
  child.stdout!.setEncoding('utf8').on('data', (part) => (said += part));
  await once(child.stdout!, 'end');
  child.stderr?.destroy();
  return { dropped: Number(/end (\d+)/.exec(said)![1]), text };
}

describe('a sink of lines', () => {
  it('loses nothing where somebody reads, in order', async () => {
    const { dropped, text } = await run(2_000, 100, 'pipe', true);
    expect(dropped).toBe(0);
    expect(text.split('\n').map((line) => Number(line.slice(0, 8)))).toEqual([...Array(2_000).keys(), 0]);
  });

  it('writes to a file behind what it holds', async () => {
    const file = join(directory, 'log');
    const fd = openSync(file, 'a');
    const { dropped } = await run(3_000, 100, fd, false);
    closeSync(fd);
    expect(dropped).toBe(0);
    expect(readFileSync(file, 'utf8').length).toBe(300_000);
  });

  it('ends, and counts what was lost, where nobody reads a pipe', async () => {
    const fifo = join(directory, 'pipe');
    execFileSync('mkfifo', [fifo]);
    const fd = openSync(fifo, constants.O_RDWR);
    // 64 KiB in the pipe, a MiB in the queue: the rest is dropped.
    const { dropped } = await run(4_000, 1_000, fd, false);
    closeSync(fd);
    expect(dropped).toBeGreaterThan(2_000);
    expect(dropped).toBeLessThan(4_000);
  });

  it('ends, and counts what was lost, where nobody reads a socket', async () => {
    // Node's pipes to its children are sockets; the kernel holds more in them than in a pipe.
    const { dropped } = await run(8_000, 1_000, 'pipe', false);
    expect(dropped).toBeGreaterThan(4_000);
    expect(dropped).toBeLessThan(8_000);
  });

  it('counts every line that a full disk took none of', async () => {
    const fd = openSync('/dev/full', 'w');
    const { dropped } = await run(500, 100, fd, false);
    closeSync(fd);
    expect(dropped).toBe(500);
  });
});
