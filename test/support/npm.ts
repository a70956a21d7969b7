// Packages of npm that only tests want: real databases, too large for the repository. Kept in the system's temporary folder.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The folder of a package (`NAME@VERSION`), installed if it isn't there yet; null, and a message, where npm can't. */
export async function npmPackage(spec: string): Promise<string | null> {
  const name = spec.slice(0, spec.lastIndexOf('@'));
  const folder = join(tmpdir(), 'meridian-test-packages', spec.replaceAll('/', '+'));
  const installed = join(folder, 'node_modules', name);
  if (existsSync(installed)) return installed;
  // Installed aside: another test process may do the same, and a broken install must not look like a whole one.
  const aside = `${folder}.${process.pid}`;
  mkdirSync(aside, { recursive: true });
  writeFileSync(join(aside, 'package.json'), '{"private":true}');
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', spec];
  try {
    await promisify(execFile)('npm', args, { cwd: aside, timeout: 300_000 });
    renameSync(aside, folder);
  } catch (error) {
    // Unless another process was quicker, this says why there is none.
    if (!existsSync(installed)) console.warn(`skipped: npm can't install ${spec}: ${(error as Error).message}`);
  }
  rmSync(aside, { recursive: true, force: true });
  return existsSync(installed) ? installed : null;
}
