import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ageDays, oldDatabases } from '../../dist/geo/age.js';
import { isGeoFile, readGeoFolder } from '../../dist/geo/folder.js';
import { loadGeo } from '../../dist/geo/open.js';
import { buildMmdb } from '../support/mmdb.ts';

let directory: string;
const write = (name: string): void => writeFileSync(join(directory, name), '');
const fixOf = (name: string): string | undefined =>
  readGeoFolder(directory).unread.find(({ file }) => file === join(directory, name))?.fix;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'geo-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the folder of the databases', () => {
  it('has the .mmdb files for databases, in the order of their names, and is empty where it is missing', () => {
    for (const name of [
      'b.mmdb',
      'a.mmdb',
      '.hidden.mmdb',
      'a.mmdb.previous',
      'a.mmdb.77.tmp',
      'overrides.yaml',
      'x.txt',
    ])
      write(name);
    expect(readGeoFolder(directory)).toEqual({ databases: ['a.mmdb', 'b.mmdb'], unread: [] });
    expect(readGeoFolder(join(directory, 'missing'))).toEqual({ databases: [], unread: [] });
    expect(['a.mmdb', 'a.mmdb.previous', 'a.mmdb.77.tmp', '.x'].filter(isGeoFile)).toEqual(['a.mmdb']);
  });

  it('names what is packed, but not beside what it was unpacked to', () => {
    write('a.mmdb.gz');
    expect(fixOf('a.mmdb.gz')).toBe('unpack it: gunzip a.mmdb.gz');
    write('a.mmdb');
    expect(readGeoFolder(directory).unread).toEqual([]);
  });

  it('names archives, folders with databases, and forms that are not read', () => {
    for (const name of ['a.tar.gz', 'a.tgz', 'a.zip', 'IP2LOCATION.BIN', 'a.csv', 'b.MMDB']) write(name);
    mkdirSync(join(directory, 'GeoLite2-City_20261127'));
    write('GeoLite2-City_20261127/GeoLite2-City.mmdb');
    mkdirSync(join(directory, 'lists'));
    const { databases, unread } = readGeoFolder(directory);
    expect(databases).toEqual([]);
    expect(unread.map(({ file }) => file.slice(directory.length + 1)).sort()).toEqual(
      ['GeoLite2-City_20261127', 'IP2LOCATION.BIN', 'a.csv', 'a.tar.gz', 'a.tgz', 'a.zip', 'b.MMDB'].sort(),
    );
    expect(fixOf('GeoLite2-City_20261127')).toBe('move it up: mv GeoLite2-City_20261127/GeoLite2-City.mmdb .');
    expect(fixOf('b.MMDB')).toBe('rename it: mv b.MMDB b.mmdb');
  });

  it('gives advice that works', () => {
    const shell = (command: string): void => void execFileSync('/bin/sh', ['-c', command], { cwd: directory });
    mkdirSync(join(directory, 'One_20261127'));
    write('One_20261127/One.mmdb');
    shell('tar -czf One_20261127.tar.gz One_20261127 && rm -r One_20261127');
    mkdirSync(join(directory, 'Two_20261127'));
    write('Two_20261127/Two.mmdb');
    write('Three.mmdb');
    shell('gzip Three.mmdb');
    for (const { fix } of readGeoFolder(directory).unread) shell(fix.slice(fix.indexOf(': ') + 2));
    expect(readGeoFolder(directory).databases).toEqual(['One.mmdb', 'Three.mmdb', 'Two.mmdb']);
  });

  it('keeps nothing that lies there from being a reason not to load the rest', () => {
    writeFileSync(join(directory, 'a.mmdb'), buildMmdb([['8.8.8.0/24', { country_code: 'FR' }]]));
    write('b.mmdb.gz');
    const { problems, unread, sources } = loadGeo({ directory, overridesFile: null });
    expect([problems, unread.length, sources.length]).toEqual([[], 1, 1]);
  });
});

describe('the age of a database', () => {
  const now = Date.UTC(2026, 10, 30);
  const source = (kind: 'embedded' | 'database', daysAgo: number | null) => ({
    kind,
    file: 'x.mmdb',
    type: 'X',
    builtAt: daysAgo === null ? 0 : now / 1000 - daysAgo * 86_400,
    gives: 1,
  });

  it('is told from 90 days on, with the way out', () => {
    const told = (kind: 'embedded' | 'database', daysAgo: number | null) => oldDatabases([source(kind, daysAgo)], now);
    expect(told('database', 89.9)).toEqual([]);
    expect(told('database', 90)).toEqual([
      'x.mmdb is 90 days old (built 2026-09-01): "meridian geoip update" fetches a newer one',
    ]);
    expect(told('embedded', 166)[0]).toContain('the embedded database (x.mmdb) is 166 days old');
  });

  it('is not known of one that does not say, and never below zero', () => {
    expect(ageDays(source('database', null), now)).toBeNull();
    expect(oldDatabases([source('database', null)], now)).toEqual([]);
    expect(ageDays(source('database', -5), now)).toBe(0);
  });
});
