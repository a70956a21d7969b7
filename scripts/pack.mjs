// Around `npm pack` and `npm publish`: "before" leaves the lock file beside package.json under the name that packages carry, "after" takes it away.
//
// Who installs the package then gets the tree that was tested: `overrides` of a package that is installed count for nothing, its
// npm-shrinkwrap.json counts. The tools are left out of it: nobody who installs needs them.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const SHRINKWRAP = 'npm-shrinkwrap.json';

/** The lock without what only development needs. */
function lockToShip() {
  const lock = JSON.parse(readFileSync(path('package-lock.json'), 'utf8'));
  const { devDependencies: _, ...program } = lock.packages[''];
  const shipped = Object.entries(lock.packages).filter(([where, { dev }]) => where !== '' && dev !== true);
  return { ...lock, packages: { '': program, ...Object.fromEntries(shipped) } };
}

if (process.argv[2] === 'before') writeFileSync(path(SHRINKWRAP), `${JSON.stringify(lockToShip(), null, 2)}\n`);
else rmSync(path(SHRINKWRAP), { force: true });
