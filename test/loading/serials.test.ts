// SOA serials: they grow with every change, keep still without one, and survive restarts.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Serials } from '../../dist/loading/serials.js';
import { TestStorage } from '../support/storage.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-serials-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('a serial', () => {
  it('is the time of the change, and grows by one when that would not grow', () => {
    const serials = new Serials(null);
    expect(serials.assign('net.cat', 'a', null, 1000)).toBe(1000);
    expect(serials.assign('net.cat', 'a', null, 2000)).toBe(1000);
    expect(serials.assign('net.cat', 'b', null, 2000)).toBe(2000);
    expect(serials.assign('net.cat', 'c', null, 2000)).toBe(2001);
    expect(serials.assign('net.cat', 'd', null, 1500)).toBe(2002);
  });

  it("is the file's own where it gives one", () => {
    const serials = new Serials(null);
    expect(serials.assign('net.cat', 'a', 2026112201, 1000)).toBe(2026112201);
    expect(serials.assign('net.cat', 'b', null, 1000)).toBe(2026112202);
  });

  const open = (file: string, storage = new TestStorage()): Serials => {
    const serials = new Serials({ file, storage });
    serials.load();
    return serials;
  };

  it('is the same after a restart without a change, and greater after one with', async () => {
    const file = join(directory, 'serials.json');
    const before = open(file);
    before.assign('net.cat', 'a', null, 1000);
    await before.save();
    const after = open(file);
    expect(after.assign('net.cat', 'a', null, 5000)).toBe(1000);
    expect(open(file).assign('net.cat', 'b', null, 900)).toBe(1001);
  });

  it('that cannot be read costs its zone alone, and stays in the file until there is a new one', async () => {
    const file = join(directory, 'serials.json');
    const saved = { 'a.test': { serial: 7_000_000, key: 'a' }, 'b.test': { serial: -1, key: 'b' }, 'c.test': [7] };
    writeFileSync(file, JSON.stringify(saved));
    const storage = new TestStorage();
    const serials = open(file, storage);
    expect(storage.damages).toContain('b.test, c.test');
    expect(serials.assign('a.test', 'new', null, 5)).toBe(7_000_001);
    expect(serials.assign('b.test', 'b', null, 5)).toBe(5);
    await serials.save();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      'a.test': { serial: 7_000_001, key: 'new' },
      'b.test': { serial: 5, key: 'b' },
      'c.test': [7],
    });
  });

  it('of a file that is cut off is known as far as the file goes', () => {
    const file = join(directory, 'serials.json');
    const text = JSON.stringify({ 'a.test': { serial: 2_026_112_201, key: 'a' }, 'b.test': { serial: 8, key: 'b' } });
    writeFileSync(file, text.slice(0, -5));
    expect(open(file).assign('a.test', 'new', null, 1000)).toBe(2_026_112_202);
  });

  it('is assigned though it cannot be stored, and stored when it can be', async () => {
    const state = join(directory, 'state');
    writeFileSync(state, 'a file where the folder should be');
    const storage = new TestStorage();
    const serials = open(join(state, 'serials.json'), storage);
    expect(serials.assign('net.cat', 'a', null, 1000)).toBe(1000);
    await serials.save();
    expect(storage.unsaved).toMatchObject([{ file: join(state, 'serials.json') }]);
    rmSync(state);
    await serials.stop();
    expect(storage.unsaved).toEqual([]);
    expect(open(join(state, 'serials.json')).assign('net.cat', 'a', null, 2000)).toBe(1000);
  });
});
