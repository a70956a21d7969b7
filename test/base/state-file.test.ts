// A state file: read once, stored soon after a change, tried again while the disk says no, and back when somebody removed it.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeLeftovers } from '../../dist/base/stable-file.js';
import { StateFile, type StateFileOptions } from '../../dist/base/state-file.js';
import { FakeClock } from '../support/clock.ts';
import { TestStorage, until } from '../support/storage.ts';

let folder = '';
let file = '';
let clock: FakeClock;
let storage: TestStorage;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meridian-state-'));
  file = join(folder, 'state', 'a.json');
  clock = new FakeClock();
  storage = new TestStorage(clock);
});
afterEach(() => {
  storage.stop();
  rmSync(folder, { recursive: true });
});

let value: unknown = 1;
function open(more: Partial<StateFileOptions<unknown>> = {}): StateFile<unknown> {
  const write = (): string => JSON.stringify(value);
  return new StateFile<unknown>({ file, storage, read: (text) => JSON.parse(text), write, ...more });
}
const read = (): unknown => JSON.parse(readFileSync(file, 'utf8'));
const stored = (): boolean => existsSync(file);
/** A folder that takes no files, for root neither. */
const block = (): void => writeFileSync(join(folder, 'state'), 'a file in the way');
const unblock = (): void => rmSync(join(folder, 'state'));

describe('a state file', () => {
  it('is read once and left alone by that', () => {
    expect(open().load()).toBeNull();
    expect(readdirSync(folder)).toEqual([]);
    mkdirSync(join(folder, 'state'));
    writeFileSync(file, '[7]');
    expect(open().load()).toEqual([7]);
    expect(storage.damaged).toEqual([]);
  });

  it('is for the user and the group of the server, also when others could read it before', async () => {
    value = 1;
    await open().store();
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(statSync(join(folder, 'state')).mode & 0o007).toBe(0);
    chmodSync(file, 0o666);
    open().load();
    expect(statSync(file).mode & 0o777).toBe(0o640);
    chmodSync(file, 0o644);
    open({ mode: 0o600 }).load();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['wrong JSON', '{"a'],
    ['nothing', ''],
    ['garbage', '\0\u0001\ufffd'],
  ])('with %s is as none, told, and kept beside when it is written over', async (_what, text) => {
    mkdirSync(join(folder, 'state'));
    writeFileSync(file, text);
    const state = open();
    expect(state.load()).toBeNull();
    expect(storage.damaged).toMatchObject([{ file }]);
    expect(readFileSync(file, 'utf8')).toBe(text);
    value = { good: true };
    expect(await state.store()).toBe(true);
    expect(read()).toEqual({ good: true });
    expect(readFileSync(`${file}.damaged`, 'utf8')).toBe(text);
  });

  it('of any size is no danger: what is too large is not read', () => {
    mkdirSync(join(folder, 'state'));
    writeFileSync(file, '1');
    truncateSync(file, 2 ** 40);
    expect(open().load()).toBeNull();
    expect(storage.damages).toContain('larger than');
  });

  it('is stored soon after a change, and changes that come together are one writing', async () => {
    let writings = 0;
    const state = open({ everyMs: 1_000, write: () => `${++writings}` });
    for (let i = 0; i < 5; i++) state.soon();
    await clock.advance(0);
    await until(stored);
    await state.store();
    expect(read()).toBe(2);
    state.soon();
    state.soon();
    await clock.advance(999);
    expect(read()).toBe(2);
    await clock.advance(1);
    await until(() => read() === 3);
    await state.close();
    expect(writings).toBe(3);
  });

  it('says at once whether it was stored, and tries again until it is', async () => {
    block();
    storage.start();
    const state = open();
    value = 'first';
    expect(await state.store()).toBe(false);
    expect(storage.unsaved).toMatchObject([{ file, sinceMs: clock.nowMs() }]);
    for (let i = 0; i < 10; i++) await clock.advance(10_000);
    value = 'last';
    unblock();
    await until(async () => {
      await clock.advance(5_000);
      return storage.unsaved.length === 0;
    });
    expect(read()).toBe('last');
    expect(storage.told).toEqual(['state-unsaved', 'state-saved']);
    expect(storage.logged.map((line) => line.event)).toEqual(['state-unsaved', 'state-saved']);
  });

  it('is stored again when somebody removed it, or its folder', async () => {
    storage.start();
    const state = open();
    value = 5;
    await state.store();
    for (const path of [file, join(folder, 'state')]) {
      rmSync(path, { recursive: true });
      await until(async () => {
        await clock.advance(5_000);
        return stored();
      });
      expect(read()).toBe(5);
    }
  });

  it('that nobody ever stored is not made by a look', async () => {
    storage.start();
    open();
    await clock.advance(60_000);
    expect(stored()).toBe(false);
  });

  it('is removed where there shall be none', async () => {
    let text: string | null = '1';
    const state = open({ write: () => text });
    await state.store();
    text = null;
    expect(await state.store()).toBe(true);
    expect(stored()).toBe(false);
    expect(await state.isLost()).toBe(false);
  });

  it('stores what has changed before it ends, and nothing after', async () => {
    const state = open();
    value = 9;
    state.soon();
    await state.close();
    expect(read()).toBe(9);
    rmSync(file);
    state.soon();
    await clock.advance(60_000);
    expect(stored()).toBe(false);
  });

  it('is never written for a command that only looks', async () => {
    storage = new TestStorage(clock, { readOnly: true });
    mkdirSync(join(folder, 'state'));
    writeFileSync(file, '[7]', { mode: 0o644 });
    chmodSync(file, 0o644);
    const state = open();
    expect(state.load()).toEqual([7]);
    state.soon();
    expect(await state.store()).toBe(false);
    await state.close();
    expect(read()).toEqual([7]);
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(storage.unsaved).toEqual([]);
  });
});

describe('what killed writers left', () => {
  it('is removed at the start, and nothing else is', () => {
    const names = ['a.json', 'a.json.4000000.0.tmp', 'b.tmp', `tokens.${process.ppid}.3.tmp`, `c.${process.pid}.1.tmp`];
    for (const name of names) writeFileSync(join(folder, name), '');
    removeLeftovers(folder, false);
    expect(readdirSync(folder).sort()).toEqual(['a.json', 'b.tmp', `tokens.${process.ppid}.3.tmp`]);
    removeLeftovers(folder, true);
    expect(readdirSync(folder).sort()).toEqual(['a.json', 'b.tmp']);
    removeLeftovers(join(folder, 'none'), true);
  });
});
