// SOA serials: they grow with every change, keep still without one, and survive restarts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Serials } from '../../dist/loading/serials.js';

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

  it('is the same after a restart without a change, and greater after one with', () => {
    const file = join(directory, 'serials.json');
    const before = new Serials(file);
    before.assign('net.cat', 'a', null, 1000);
    before.save();
    const after = new Serials(file);
    expect(after.assign('net.cat', 'a', null, 5000)).toBe(1000);
    expect(new Serials(file).assign('net.cat', 'b', null, 900)).toBe(1001);
  });
});
