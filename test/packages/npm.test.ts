import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { have } from '../support/programs.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const manifest = JSON.parse(read('package.json'));

interface Locked {
  readonly engines?: { readonly node?: string };
  readonly dev?: boolean;
}
const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };

/** Whether a range of versions, as `engines` has them (`^20.19.0 || >=22`), takes the oldest Node that we promise. */
function takes(range: string, [major, minor, patch]: readonly number[]): boolean {
  return range.split('||').some((part) =>
    part
      .trim()
      .replace(/(>=|<=|[<>=^~])\s+/g, '$1')
      .split(/\s+/)
      .every((comparator) => {
        const match = /^(>=|<=|[<>=^~])?v?(\d+|\*)(?:\.(\d+|x))?(?:\.(\d+|x))?$/.exec(comparator);
        if (match === null) throw new Error(`"${comparator}" is a range that this test does not know`);
        if (match[2] === '*') return true;
        const bound = [match[2], match[3], match[4]].map((part) => Number(part ?? 0) || 0);
        const order = major! - bound[0]! || minor! - bound[1]! || patch! - bound[2]!;
        switch (match[1]) {
          case '>=':
            return order >= 0;
          case '>':
            return order > 0;
          case '<':
            return order < 0;
          case '<=':
            return order <= 0;
          case '^':
            return order >= 0 && major === bound[0];
          case '~':
            return order >= 0 && major === bound[0] && minor === bound[1];
          default:
            return major === bound[0] && (match[3] === undefined || order === 0);
        }
      }),
  );
}

describe('package.json', () => {
  it('promises a Node that every package of the locked tree runs on', () => {
    const oldest = /^>=(\d+)\.(\d+)\.(\d+)$/.exec(manifest.engines.node)!.slice(1).map(Number);
    const strange = Object.entries(lock.packages)
      .filter(([, { engines }]) => engines?.node !== undefined && !takes(engines.node, oldest))
      .map(([name, { engines }]) => `${name} wants ${engines!.node}`);
    expect(strange).toEqual([]);
    expect(takes('>=22', oldest)).toBe(false);
    expect(takes('18 || 20 || >=22', oldest)).toBe(true);
    expect(takes('^20.20.0 || >=24', oldest)).toBe(false);
  });

  it('says what a registry shows, and is not private', () => {
    expect(manifest.private).toBeUndefined();
    for (const key of ['description', 'license', 'author', 'homepage', 'bugs', 'repository', 'keywords', 'exports']) {
      expect(manifest[key], key).toBeTruthy();
    }
    expect(manifest.repository.url).toMatch(/^git\+https:\/\/.*\.git$/);
  });
});

/** Runs a program and returns all it said. */
async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  // npm tells programs that it runs, such as these tests, what it was told itself.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { cwd, env, maxBuffer: 64 * 1024 * 1024 });
    return `${stdout}${stderr}`;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  }
}

/** The files that a clone would have. */
function clone(target: string): void {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  for (const name of execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\0')) {
    if (name === '' || !existsSync(join(root, name))) continue;
    mkdirSync(dirname(join(target, name)), { recursive: true });
    cpSync(join(root, name), join(target, name));
  }
}

describe.skipIf(!have('git', 'npm'))('npm pack in a fresh clone, and npm install --global of what it made', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meridian-pack-'));
  const fresh = join(folder, 'clone');
  const prefix = join(folder, 'prefix');
  const installed = join(prefix, 'lib/node_modules/meridian');
  const program = join(prefix, 'bin/meridian');
  let said = '';

  beforeAll(async () => {
    clone(fresh);
    await run(fresh, 'npm', 'pack', '--pack-destination', folder);
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
    mkdirSync(prefix);
    said = await run(
      prefix,
      'npm',
      'install',
      '--global',
      '--ignore-scripts',
      '--prefix',
      prefix,
      join(folder, tarball),
    );
  }, 900_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('says nothing against this Node, nor anything else', () => {
    expect(said).not.toMatch(/warn|EBADENGINE|deprecated/i);
    expect(said).toMatch(/added \d+ packages/);
  });

  it('installs a command that runs anywhere, and its manual page', async () => {
    expect(await run(folder, program, '--version')).toBe(`${manifest.version}\n`);
    expect(existsSync(join(prefix, 'share/man/man1/meridian.1'))).toBe(true);
  });

  it('brings documents, examples, data, licences and files to deploy', () => {
    for (const path of manifest.files as string[]) {
      if (!path.startsWith('!')) expect(existsSync(join(installed, path)), path).toBe(true);
    }
    for (const path of [
      'docs/operations.md',
      'zones/net.cat.yaml',
      'geoip/overrides.yaml',
      'dist/serve/udp-worker.bundle.js',
    ]) {
      expect(existsSync(join(installed, path)), path).toBe(true);
    }
  });

  it('brings what needed a hand to run on the oldest Node, and no tool', () => {
    for (const name of manifest.bundleDependencies as string[]) {
      expect(existsSync(join(installed, 'node_modules', name)), name).toBe(true);
    }
    for (const name of ['typescript', 'vitest', 'rolldown']) {
      expect(existsSync(join(installed, 'node_modules', name)), name).toBe(false);
    }
  });

  it('leaves a built program in the clone', () => {
    expect(statSync(join(fresh, 'dist/cli/main.js')).mode & 0o111).not.toBe(0);
  });

  it('serves: its own example is checked and its settings are found', async () => {
    const zones = join(folder, 'zones');
    cpSync(join(installed, 'zones'), zones, { recursive: true });
    expect(await run(folder, program, 'check')).toContain('0 errors');
  });
});
