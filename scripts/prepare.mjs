// Installs and builds what is out of date, and nothing else: what `npm start` and `npm test` run first.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);

/** When a file was last written, in milliseconds; 0 for one that isn't there. */
function writtenMs(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The latest of a folder's files and of its folders: those tell of a deletion. */
function newestMs(folder) {
  let newest = writtenMs(folder);
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestMs(path) : writtenMs(path));
  }
  return newest;
}

/** Runs npm or a script quietly; what it had to say is shown only when it fails. Returns whether it succeeded. */
function run(what, script, args) {
  process.stderr.write(`${what} ...\n`);
  const npm = script === null;
  const { status, error, stdout, stderr } = spawnSync(npm ? 'npm' : process.execPath, npm ? args : [script, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    shell: npm && process.platform === 'win32',
  });
  if (status === 0) return true;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}${error ? `${error.message}\n` : ''}${what} failed\n`);
  return false;
}

function install() {
  const installed = writtenMs('node_modules/.package-lock.json');
  if (installed !== 0 && installed >= writtenMs('package-lock.json')) return;
  // npm's own path is known when npm runs this; --include=dev, since the compiler is needed with NODE_ENV=production too.
  const npm = process.env.npm_execpath;
  const script = npm !== undefined && /\.c?js$/.test(npm) ? npm : null;
  // No package's own scripts: none here needs one, and one that is taken over by somebody would run them on every machine.
  const args = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  if (!run('installing', script, args)) process.exit(1);
}

/** Removes what was built from sources that are gone: old modules must not be found. */
function sweep(folder) {
  for (const entry of readdirSync(join(root, 'dist', folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      sweep(path);
      if (readdirSync(join(root, 'dist', path)).length === 0) rmdirSync(join(root, 'dist', path));
    } else {
      const source = /^(.*?)(?:\.js|\.d\.ts)(?:\.map)?$/.exec(path)?.[1];
      if (source !== undefined && !existsSync(join(root, 'src', `${source}.ts`))) rmSync(join(root, 'dist', path));
    }
  }
}

/** Whether a source's module is missing in dist/. */
function lacksModule(folder) {
  return readdirSync(join(root, 'src', folder), { withFileTypes: true }).some((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return lacksModule(path);
    return path.endsWith('.ts') && !existsSync(join(root, 'dist', path.replace(/\.ts$/, '.js')));
  });
}

function build() {
  const bundler = join(root, 'scripts/bundle.mjs');
  const bundles = ['dist/serve/udp-worker.bundle.js', 'dist/control/health-worker.bundle.js'];
  // The oldest: the compiler may have run without the bundler (npm run types).
  const built = Math.min(...['dist/.tsbuildinfo', ...bundles].map(writtenMs));
  const sources = Math.max(
    newestMs('src'),
    writtenMs('tsconfig.json'),
    writtenMs('scripts/bundle.mjs'),
    writtenMs('node_modules/.package-lock.json'),
  );
  const incomplete = lacksModule('');
  if (built >= sources && !incomplete) return;
  const startedAt = new Date();
  const record = join(root, 'dist/.tsbuildinfo');
  if (existsSync(join(root, 'dist'))) sweep('');
  // With a record of what it wrote before, the compiler would not write again what somebody deleted.
  if (incomplete) rmSync(record, { force: true });
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  if (!run('building', compiler, ['-p', 'tsconfig.json']) || !run('bundling', bundler, [])) {
    // A build that failed must not look like one that is up to date.
    rmSync(record, { force: true });
    process.exit(1);
  }
  chmodSync(join(root, 'dist/cli/main.js'), 0o755);
  // As of when the compiler began: a source that was saved meanwhile is newer.
  utimesSync(record, startedAt, startedAt);
}

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Meridian needs Node 20.19 or newer; this is ${process.versions.node}\n`);
  process.exit(1);
}
install();
build();
