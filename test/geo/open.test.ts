import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAddress } from '../../dist/base/address.js';
import { EMBEDDED_DATABASE } from '../../dist/geo/embedded-database.js';
import { locate } from '../../dist/geo/locate.js';
import { loadGeo } from '../../dist/geo/open.js';
import { viewOf } from '../support/geo.ts';
import { buildMmdb } from '../support/mmdb.ts';

let directory: string;
let overridesFile: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'geo-'));
  overridesFile = join(directory, 'overrides.yaml');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const countryOf = (image: Uint8Array, address: string): string | null =>
  locate(viewOf(image), parseAddress(address)!).facts.country;

describe('geography from the disk', () => {
  it('is the embedded database where the folder is empty or missing', () => {
    for (const folder of [directory, join(directory, 'missing'), null]) {
      const loaded = loadGeo({ directory: folder, overridesFile });
      expect(loaded.problems).toEqual([]);
      expect(loaded.sources.map(({ kind }) => kind)).toEqual(['embedded']);
      expect([loaded.hasCities, loaded.hasSubdivisions, loaded.hasCoordinates, loaded.hasAs]).toEqual([
        false,
        false,
        false,
        false,
      ]);
      expect(countryOf(loaded.image, '8.8.8.8')).toBe('US');
    }
  });

  it('keeps the embedded database beside databases without countries, and drops it beside one with them', () => {
    writeFileSync(join(directory, 'asn.mmdb'), buildMmdb([['8.8.8.0/24', { autonomous_system_number: 15169 }]]));
    const first = loadGeo({ directory, overridesFile });
    expect(first.sources.map(({ file }) => file)).toEqual(['asn.mmdb', EMBEDDED_DATABASE.file]);
    expect(first.hasAs).toBe(true);
    writeFileSync(join(directory, 'city.mmdb'), buildMmdb([['8.8.8.0/24', { country_code: 'FR', city: 'Paris' }]]));
    const second = loadGeo({ directory, overridesFile });
    expect(second.sources.map(({ file }) => file)).toEqual(['asn.mmdb', 'city.mmdb']);
    expect([second.hasCities, countryOf(second.image, '8.8.8.8'), countryOf(second.image, '9.9.9.9')]).toEqual([
      true,
      'FR',
      null,
    ]);
  });

  it('names a broken database and goes on with the others', () => {
    writeFileSync(join(directory, 'a.mmdb'), 'garbage');
    writeFileSync(join(directory, 'b.mmdb'), buildMmdb([['8.8.8.0/24', { country_code: 'FR' }]]).subarray(0, 200));
    writeFileSync(join(directory, 'c.mmdb'), buildMmdb([['8.8.8.0/24', { country_code: 'FR' }]]));
    const { problems, image } = loadGeo({ directory, overridesFile });
    expect(problems.map(({ file }) => file)).toEqual([join(directory, 'a.mmdb'), join(directory, 'b.mmdb')]);
    expect(countryOf(image, '8.8.8.8')).toBe('FR');
  });

  it('ignores broken overrides, or comes back to the last good ones, with their lists', () => {
    writeFileSync(overridesFile, 'networks: { 10.0.0.0/8: RU }\nlists: [{ file: list.txt, place: BR }]\n');
    writeFileSync(join(directory, 'list.txt'), '192.168.0.0/16\n');
    const good = loadGeo({ directory, overridesFile });
    expect([countryOf(good.image, '10.1.1.1'), countryOf(good.image, '192.168.1.1')]).toEqual(['RU', 'BR']);
    expect(good.watched).toContain(join(directory, 'list.txt'));
    rmSync(join(directory, 'list.txt'));
    const broken = loadGeo({ directory, overridesFile });
    expect(broken.diagnostics.map(({ code }) => code)).toEqual(['unreadable-file']);
    expect([broken.overridesFailed, broken.overrides, countryOf(broken.image, '10.1.1.1')]).toEqual([true, null, null]);
    const kept = loadGeo({ directory, overridesFile, lastGoodOverrides: JSON.parse(JSON.stringify(good.overrides)) });
    expect(kept.overridesFailed).toBe(true);
    expect([countryOf(kept.image, '10.1.1.1'), countryOf(kept.image, '192.168.1.1')]).toEqual(['RU', 'BR']);
  });

  it('has the same stamp for the same content, another for other content', () => {
    const stamp = (): number => viewOf(loadGeo({ directory, overridesFile }).image).stamp;
    writeFileSync(join(directory, 'c.mmdb'), buildMmdb([['8.8.8.0/24', { country_code: 'FR' }]]));
    const before = stamp();
    expect(stamp()).toBe(before);
    writeFileSync(overridesFile, 'networks: { 10.0.0.0/8: RU }\n');
    expect(stamp()).not.toBe(before);
  });
});
