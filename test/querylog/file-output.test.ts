// The log in a file: rotated by size, begun and ended properly, and what becomes of it where nothing can be written.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FileOutput } from '../../dist/querylog/file-output.js';

let folder: string;
let nowMs: number;
let written: number;
let dropped: number;
let troubles: (string | null)[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meridian-'));
  nowMs = 0;
  written = 0;
  dropped = 0;
  troubles = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function output(path: string, { keep = 2, framed = false, rotateBytes = 100 } = {}): FileOutput {
  return new FileOutput({
    path: path.startsWith('/') ? path : join(folder, path),
    rotateBytes,
    keep,
    format: { begin: Buffer.from(framed ? '<' : ''), end: Buffer.from(framed ? '>' : '') },
    news: {
      written: (records) => {
        written += records;
      },
      dropped: (records) => {
        dropped += records;
      },
      trouble: (reason) => {
        if (reason !== (troubles.at(-1) ?? null)) troubles.push(reason);
      },
    },
    clock: { monotonicMs: () => nowMs },
  });
}

const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
const chunk = (letter: string, bytes = 60): Buffer => Buffer.from(letter.repeat(bytes));

it('a file that would get too long is put aside, and as many are kept as are wanted', async () => {
  const out = output('q');
  out.turn();
  for (const letter of 'abcd') {
    expect(out.ready).toBe(true);
    out.write(chunk(letter), 1);
  }
  await out.close();
  expect(readdirSync(folder).sort()).toEqual(['q', 'q.1', 'q.2']);
  expect([text('q')[0], text('q.1')[0], text('q.2')[0]]).toEqual(['d', 'c', 'b']);
  expect([written, dropped]).toEqual([4, 0]);
});

it('with keep: 0 only the current file is there', async () => {
  const out = output('q', { keep: 0 });
  out.turn();
  out.write(chunk('a'), 1);
  out.write(chunk('b'), 1);
  await out.close();
  expect(readdirSync(folder)).toEqual(['q']);
  expect(text('q')).toBe('b'.repeat(60));
});

it('lines go on in the file of the run before; frames begin a new one, and each file is begun and ended', async () => {
  writeFileSync(join(folder, 'lines'), 'before\n');
  const lines = output('lines');
  lines.turn();
  lines.write(chunk('a', 3), 1);
  await lines.close();
  expect(text('lines')).toBe('before\naaa');

  writeFileSync(join(folder, 'frames'), '<before>');
  const frames = output('frames', { framed: true });
  frames.turn();
  frames.write(chunk('a', 70), 1);
  frames.write(chunk('b', 70), 1);
  await frames.close();
  expect(text('frames.2')).toBe('<before>');
  expect(text('frames.1')).toBe(`<${'a'.repeat(70)}>`);
  expect(text('frames')).toBe(`<${'b'.repeat(70)}>`);
});

it('a file that somebody puts aside is opened anew when asked', async () => {
  const out = output('q');
  out.turn();
  out.write(chunk('a'), 1);
  renameSync(join(folder, 'q'), join(folder, 'aside'));
  out.reopen();
  out.write(chunk('b'), 1);
  await out.close();
  expect([text('aside')[0], text('q')]).toEqual(['a', 'b'.repeat(60)]);
});

it('a full disk is told, tried again ever more seldom, and what waits is written once there is room', async () => {
  const out = output('/dev/full');
  out.turn();
  out.write(chunk('a'), 5);
  expect(troubles).toEqual([expect.stringContaining('ENOSPC')]);
  expect(out.ready).toBe(false);
  nowMs += 60_000;
  out.turn();
  expect([written, dropped]).toEqual([0, 0]);
  await out.close();
  expect([written, dropped]).toEqual([0, 5]);
});

it('a folder that is missing is told, and used once it is there', async () => {
  const out = output('later/q');
  out.turn();
  expect(out.ready).toBe(false);
  expect(troubles).toEqual([expect.stringContaining('ENOENT')]);
  execFileSync('mkdir', [join(folder, 'later')]);
  out.turn();
  // Not before the pause is over.
  expect(out.ready).toBe(false);
  nowMs += 100;
  out.turn();
  expect(out.ready).toBe(true);
  expect(troubles.at(-1)).toBeNull();
  await out.close();
});

it('a named pipe waits for its reader, is never waited for when full, and starts anew with the next reader', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const out = output('pipe', { framed: true });
  out.turn();
  expect(troubles).toEqual(['nobody reads the pipe']);
  expect(out.ready).toBe(false);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  nowMs += 60_000;
  out.turn();
  let chunks = 0;
  for (; out.ready && chunks < 1000; chunks++) out.write(chunk('a', 4096), 1);
  // A pipe holds 64 KiB, or what the system allows this user.
  expect(chunks).toBeLessThan(1000);
  expect(written).toBe(chunks - 1);
  closeSync(reader);
  out.turn();
  expect(troubles.at(-1)).toContain('EPIPE');
  const next = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  nowMs += 60_000;
  out.turn();
  expect(written).toBe(chunks);
  await out.close();
  expect(readFileSync(next, 'utf8')).toBe(`<${'a'.repeat(4096)}>`);
  closeSync(next);
});
