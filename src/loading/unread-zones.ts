// What lies in the zones folder, looks meant to be read, and isn't.

import { join } from 'node:path';
import { limits } from '../base/limits.ts';
import type { Unread } from '../geo/folder.ts';
import { COMMON_FILE, fileOfZone, zoneOfFile } from '../zonefile/zone-file-name.ts';

/** Names of files that are told of a folder. */
const NAMED = 3;

/** Names that may be folders, of zones perhaps: not hidden ones, which is how Kubernetes keeps its versions (`..data`). */
export function possibleFolders(names: readonly string[]): string[] {
  return names.filter((name) => !name.startsWith('.') && !/\.ya?ml$/i.test(name)).slice(0, limits.zoneFolderLooks);
}

/** What isn't read of these names: other endings, and the second file of a zone. */
export function unreadFiles(directory: string, names: readonly string[]): Unread[] {
  const first = new Map<string, string>();
  return names.flatMap((name) => {
    const file = join(directory, name);
    const zone = zoneOfFile(name);
    const other = zone === null ? undefined : first.get(zone);
    if (other !== undefined) {
      const reason = `the zone ${zone} has the file ${other} already`;
      return [{ file, reason, fix: 'put what it says into one file, and remove the other' }];
    }
    if (zone !== null) first.set(zone, name);
    const wanted = rightName(name);
    if (wanted === null) return [];
    return [{ file, reason: 'its name does not end in .yaml', fix: `rename it: mv ${name} ${wanted}` }];
  });
}

/** What a file with an ending that is nearly right should be called; null: it is none. */
function rightName(name: string): string | null {
  if (name.startsWith('.') || name.endsWith('.yaml')) return null;
  const bare = /^(.+)\.ya?ml$/i.exec(name)?.[1];
  if (bare === undefined) return null;
  const wanted = `${bare}.yaml`;
  const zone = zoneOfFile(wanted);
  return zone === null ? COMMON_FILE : fileOfZone(zone);
}

/** A folder with zone files in it; null where there are none. */
export function unreadFolder(directory: string, name: string, inside: readonly string[]): Unread | null {
  const zones = inside.filter((file) => !file.startsWith('.') && /\.ya?ml$/i.test(file));
  const [first] = zones;
  if (first === undefined) return null;
  const more = zones.length > NAMED ? ` and ${zones.length - NAMED} more` : '';
  const reason = `it is a folder with ${zones.slice(0, NAMED).join(', ')}${more} in it, and folders are not looked into`;
  return { file: join(directory, name), reason, fix: `move it up: mv ${name}/${first} .` };
}
