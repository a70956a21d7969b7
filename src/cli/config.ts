// Finds and reads the settings for a command.
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { type Diagnostic, formatDiagnostic } from '../base/diagnostic.ts';
import { limits } from '../base/limits.ts';
import { readTextHere } from '../base/read-file.ts';
import { readSettings, type Settings } from '../settings/settings.ts';
import { EXIT, Failure } from './exit.ts';

/** What is looked for when no `--config` is given. */
const DEFAULT_FILE = 'meridian.yaml';

export interface FoundSettings {
  /** null: there is no file, everything is as by default. */
  readonly file: string | null;
  /** null: there are errors among the diagnostics. */
  readonly settings: Settings | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads `--config`, else ./meridian.yaml, else takes the defaults. Throws Failure when a file can't be read. */
export function findSettings(config: string | undefined): FoundSettings {
  const file = config ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : null);
  if (file === null) return { file, ...readSettings(null, process.cwd()) };
  let text: string;
  try {
    text = readTextHere(file, limits.yamlFileBytes);
  } catch (error) {
    throw new Failure(EXIT.input, `cannot read the settings ${file}: ${reasonOf(error)}`);
  }
  return { file, ...readSettings({ file, text }) };
}

/** As findSettings. Throws Failure with every mistake when there are errors. */
export function loadSettings(config: string | undefined): Settings {
  const { settings, diagnostics } = findSettings(config);
  if (settings === null)
    throw new Failure(EXIT.input, `the settings are wrong\n${diagnostics.map(formatDiagnostic).join('\n')}`);
  return settings;
}

/** A path as people would write it from here. */
export function shortPath(path: string): string {
  const short = relative(process.cwd(), resolve(path));
  return short === '' ? '.' : short.startsWith('..') ? resolve(path) : short;
}

/** Why the file system said no, in words. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'EACCES') return 'no permission';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'ENOTDIR') return 'a part of the path is no folder';
  return message;
}
