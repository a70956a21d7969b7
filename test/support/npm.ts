// Packages of npm that only tests want: real databases, too large for the repository. Kept in the system's temporary folder.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The folder of a package (`NAME@VERSION`), installed if it isn't there yet; null, and a message, where npm can't. */
export function npmPackage(spec: string): string | null {
  const name = spec.slice(0, spec.lastIndexOf('@'));
  const folder = join(tmpdir(), 'meridian-test-packages', spec.replaceAll('/', '+'));
  const installed = join(folder, 'node_modules', name);
  if (existsSync(installed)) return installed;
  // Installed aside: another test process may do the same, and a broken install must not look like a whole one.
  const aside = `${folder}.${process.pid}`;
  mkdirSync(aside, { recursive: true });
  writeFileSync(join(aside, 'package.json'), '{"private":true}');
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', spec];
  const { status, stderr } = spawnSync('npm', args, { cwd: aside, encoding: 'utf8', timeout: 300_000 });
  try {
    if (status === 0) renameSync(aside, folder);
  } catch {
    // The other was quicker.
  }
  rmSync(aside, { recursive: true, force: true });
  if (existsSync(installed)) return installed;
  console.warn(`skipped: npm can't install ${spec}: ${stderr ?? ''}`);
  return null;
}
