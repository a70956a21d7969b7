// Whether one path lies below another, by their names alone.
import { sep } from 'node:path';

/** Whether an absolute path without dots lies below a folder. */
export function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
