// What images are made by: a key that changes with the program, so that state/ never serves what an older one made of a file.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Modules whose code decides what becomes of a zone file or a database. */
const MAKERS = ['base', 'geo', 'regionmap', 'wire', 'zone', 'zonefile'];
/** Files below data/ that do. */
const DATA = ['subdivisions.txt'];
/** Libraries that do. */
const LIBRARIES = ['countries-list', 'maxmind', 'yaml'];

let key: string | null = null;

/** The hash over the built modules and the libraries' versions; takes a few milliseconds, once a thread. */
export function programKey(): string {
  key ??= hashProgram();
  return key;
}

function hashProgram(): string {
  const hash = createHash('sha256');
  for (const maker of MAKERS) {
    const folder = new URL(`../${maker}/`, import.meta.url);
    for (const name of readdirSync(folder).sort()) {
      if (name.endsWith('.js')) hash.update(`\0${maker}/${name}\0`).update(readFileSync(new URL(name, folder)));
    }
  }
  for (const name of DATA)
    hash.update(`\0${name}\0`).update(readFileSync(new URL(`../../data/${name}`, import.meta.url)));
  const require = createRequire(import.meta.url);
  for (const library of LIBRARIES) {
    const entry = require.resolve(library);
    const folder = entry.slice(
      0,
      entry.lastIndexOf(join('node_modules', library)) + join('node_modules', library).length,
    );
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    hash.update(`\0${library}@${version}`);
  }
  return hash.digest('base64url');
}
