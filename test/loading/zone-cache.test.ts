// What is kept of zones: under names that file systems take, and made anew when another version of the program made it.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { programKey } from '../../dist/loading/program-key.js';
import { type CachedZone, dropZone, loadZone, sourceKey, storeZone } from '../../dist/loading/zone-cache.js';
import { compileZone } from '../../dist/zonefile/compile.js';
import { modelOf } from '../support/zones.ts';

const folder = mkdtempSync(join(tmpdir(), 'meridian-cache-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TEXT = 'zone: a.test\nns: [ns.elsewhere.test.]\nrecords:\n  www: { A: 192.0.2.1 }\n';
const cached = (): CachedZone => ({ key: 'k', compiled: compileZone(modelOf(TEXT, null)), warnings: [] });

describe('the zone cache', () => {
  test('keeps zones of the longest names apart, in file names with room for what a temporary file needs', () => {
    const base = Array(4).fill('x'.repeat(61)).join('.');
    const names = [`a.${base}`, `b.${base}`, `${base}.a`, `${base}.b`, '.', 'a.test'];
    for (const name of names) expect(storeZone(folder, name, cached(), name)).toBeNull();
    for (const name of names) expect(loadZone(folder, name)?.text).toBe(name);
    const files = readdirSync(join(folder, 'zones'));
    expect(Math.max(...files.map((file) => file.length))).toBeLessThan(200);
    dropZone(folder, names[0]!);
    expect(loadZone(folder, names[0]!)).toBeNull();
    expect(loadZone(folder, names[1]!)).not.toBeNull();
  });

  test('says why it can keep nothing, and throws nothing', () => {
    const noFolder = join(folder, 'file');
    writeFileSync(noFolder, '');
    expect(storeZone(noFolder, 'a.test', cached(), TEXT)).toMatch(/ENOTDIR|EEXIST/);
    expect(() => dropZone(noFolder, 'a.test')).not.toThrow();
  });

  test('gives image and text back as they were stored', () => {
    const zone = cached();
    storeZone(folder, 'a.test', zone, TEXT);
    const kept = loadZone(folder, 'a.test')!;
    expect(kept.text).toBe(TEXT);
    expect(Buffer.from(kept.cached!.compiled.image).equals(Buffer.from(zone.compiled.image))).toBe(true);
    expect(kept.cached!.compiled.meta).toEqual(zone.compiled.meta);
  });
});

describe('the key of a source', () => {
  test('depends on each part and on where parts begin, and on the program', () => {
    const keys = [
      ['a', 'b'],
      ['ab', ''],
      ['a', 'c'],
      ['b', 'a'],
    ].map(sourceKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(programKey()).toMatch(/^[\w-]{43}$/);
    expect(programKey()).toBe(programKey());
  });
});
