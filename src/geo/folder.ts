// What lies in the folder of the databases: those that are read, and what somebody meant to be read and isn't.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A file or folder that is not read as it is. */
export interface Unread {
  /** Its path. */
  readonly file: string;
  readonly reason: string;
  /** What to do. */
  readonly fix: string;
}

export interface GeoFolder {
  /** Base names of the databases, sorted. */
  readonly databases: readonly string[];
  readonly unread: readonly Unread[];
}

/** Whether a name in the folder can mean anything: not what an update writes aside, nor the database before the last. */
export function isGeoFile(name: string): boolean {
  return !name.startsWith('.') && !name.endsWith('.tmp') && !name.endsWith('.previous');
}

/** Endings of what publishers offer besides MMDB files. */
const OTHER_FORMATS = /\.(?:csv|bin|dat)(?:\.gz|\.zip)?$|\.zip$/i;
/** Every publisher of databases has an edition in a form that is read. */
const WANTED = 'fetch the MMDB edition instead';

/** Throws what the file system throws; a folder that doesn't exist is empty. */
export function readGeoFolder(directory: string): GeoFolder {
  const entries = entriesOf(directory).filter(({ name }) => isGeoFile(name));
  const names = new Set(entries.map(({ name }) => name));
  const databases = entries
    .filter((entry) => !entry.isDirectory() && entry.name.endsWith('.mmdb'))
    .map(({ name }) => name);
  const unread = entries.flatMap((entry) => {
    const found = entry.isDirectory() ? unreadFolder(directory, entry.name) : unreadFile(entry.name, names);
    return found === null ? [] : [{ file: join(directory, entry.name), ...found }];
  });
  return { databases: databases.sort(), unread };
}

function entriesOf(directory: string): { readonly name: string; isDirectory(): boolean }[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function unreadFile(name: string, names: ReadonlySet<string>): Omit<Unread, 'file'> | null {
  if (name.endsWith('.mmdb.gz')) {
    // Kept beside what it was unpacked to, it is nobody's mistake.
    if (names.has(name.slice(0, -3))) return null;
    return { reason: 'it is packed, and only .mmdb files are read', fix: `unpack it: gunzip ${name}` };
  }
  if (/\.(?:tar|tar\.gz|tgz)$/.test(name)) {
    const fix = `unpack the database in it: tar -xf ${name} --strip-components=1 --wildcards '*.mmdb'`;
    return { reason: 'it is an archive, and only .mmdb files are read', fix };
  }
  if (OTHER_FORMATS.test(name)) return { reason: 'it is in a form that is not read', fix: WANTED };
  if (/\.mmdb$/i.test(name) && !name.endsWith('.mmdb'))
    return { reason: 'its name does not end in .mmdb', fix: `rename it: mv ${name} ${name.slice(0, -5)}.mmdb` };
  return null;
}

/** Archives unpack to folders with a date, such as GeoLite2-City_20261127. */
function unreadFolder(directory: string, name: string): Omit<Unread, 'file'> | null {
  let inside: string[];
  try {
    inside = readdirSync(join(directory, name)).filter((file) => file.endsWith('.mmdb') || file.endsWith('.mmdb.gz'));
  } catch {
    return null;
  }
  if (inside.length === 0) return null;
  const fix = `move it up: mv ${name}/${inside[0]} .`;
  return { reason: `it is a folder with ${inside.join(' and ')} in it, and folders are not looked into`, fix };
}
