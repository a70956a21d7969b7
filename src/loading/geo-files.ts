// How the files that geography is made of look: whether they changed, and which of them can't be looked at.
import { join } from 'node:path';
import { type FileLane, kindOf } from '../base/read-file.ts';
import { isGeoFile } from '../geo/folder.ts';
import type { GeoProblem } from '../geo/open.ts';
import { signatureOf } from './zone-files.ts';

/** How the files of the folder look, and those that settings and overrides name. */
export interface GeoLook {
  readonly listed: string;
  readonly named: ReadonlyMap<string, string>;
  /** Files that nobody should open: the file system doesn't answer, or they are none. */
  readonly refused: readonly GeoProblem[];
}

/** Never rejects: what can't be looked at looks like the reason. */
export async function lookAtGeo(lane: FileLane, folder: string, named: readonly string[]): Promise<GeoLook> {
  const refused: GeoProblem[] = [];
  const look = async (file: string): Promise<[string, string]> => {
    try {
      const found = await lane.look(file);
      if (found?.isFile() === false && file !== folder && (named.includes(file) || file.endsWith('.mmdb'))) {
        refused.push({ file, message: `it is ${kindOf(found)}, not a file` });
      }
      return [file, found === null ? '' : signatureOf(found)];
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      refused.push({ file, message: `it can't be read: ${message}` });
      return [file, String(code)];
    }
  };
  let names: string[] = [];
  try {
    names = (await lane.list(folder)).filter(isGeoFile);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // No folder: the embedded database alone.
    if (code !== 'ENOENT') refused.push({ file: folder, message: `the folder can't be read: ${message}` });
  }
  const listed = await Promise.all(names.map((name) => look(join(folder, name))));
  const others = await Promise.all(named.map(look));
  return {
    listed: listed.join('\n'),
    named: new Map(others),
    refused: [...new Map(refused.map((r) => [r.file, r])).values()],
  };
}

/** Whether something changed. A file that was not known before is none: a build has just read it. */
export function differ(old: GeoLook | null, now: GeoLook): boolean {
  if (old === null || old.listed !== now.listed) return true;
  return [...now.named].some(([file, signature]) => (old.named.get(file) ?? signature) !== signature);
}
