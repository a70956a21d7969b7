// Files that are written whole or not at all.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeStable, writeStable } from '../../dist/base/stable-file.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meridian-stable-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.each([
  ['written at once', async (...args: Parameters<typeof writeStable>) => writeStable(...args)],
  ['written without waiting', storeStable],
])('a file that is %s', (_, write) => {
  it('has its content and its permissions, and leaves nothing beside it', async () => {
    const file = join(folder, 'state', 'deep', 'x');
    await write(file, 'old');
    await write(file, Buffer.from('new'), { mode: 0o600 });
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'state', 'deep'))).toEqual(['x']);
  });

  it('is the old one, with nothing beside it, when it can not be replaced', async () => {
    // A folder with something in it is replaced by no file, for root neither.
    mkdirSync(join(folder, 'x'));
    writeFileSync(join(folder, 'x', 'inside'), 'kept');
    await expect(write(join(folder, 'x'), 'new')).rejects.toThrow();
    expect(readFileSync(join(folder, 'x', 'inside'), 'utf8')).toBe('kept');
    expect(readdirSync(folder)).toEqual(['x']);
  });

  it('comes out whole when several are written at the same time', async () => {
    const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(100_000));
    await Promise.all(texts.map((text) => write(join(folder, 'x'), text)));
    expect(texts).toContain(readFileSync(join(folder, 'x'), 'utf8'));
    expect(readdirSync(folder)).toEqual(['x']);
  });
});
