// The lock on state/: one holder, gone with its process, and no reason not to start where there are no locks.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateLock } from '../../dist/control/state-lock.js';
import { loadFfi } from '../../dist/serve/ffi.js';

const ffi = loadFfi();
let folder = '';
let file = '';
const held: StateLock[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meridian-lock-'));
  file = join(folder, 'lock');
});
afterEach(() => {
  for (const lock of held.splice(0)) lock.release();
  rmSync(folder, { recursive: true });
});
function open(path = file, calls = ffi): StateLock {
  const lock = new StateLock(path, calls);
  held.push(lock);
  return lock;
}

describe.skipIf(ffi === null)('the lock on the state folder', () => {
  it('is held once, by the process that the file names', () => {
    const first = open();
    expect(first.take()).toEqual({ state: 'locked' });
    expect(open().take()).toEqual({ state: 'busy', pid: process.pid });
    expect(readFileSync(file, 'utf8').trim()).toBe(String(process.pid));
    expect(statSync(file).mode & 0o007).toBe(0);
    first.release();
    expect(open().take()).toEqual({ state: 'locked' });
  });

  it('goes with its process, however that ends', async () => {
    const program = `
      const { StateLock } = await import(${JSON.stringify(fileURLToPath(new URL('../../dist/control/state-lock.js', import.meta.url)))});
      const { loadFfi } = await import(${JSON.stringify(fileURLToPath(new URL('../../dist/serve/ffi.js', import.meta.url)))});
      console.log(new StateLock(${JSON.stringify(file)}, loadFfi()).take().state);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [text] = (await once(child.stdout, 'data')) as [Buffer];
    expect(text.toString().trim()).toBe('locked');
    expect(open().take()).toEqual({ state: 'busy', pid: child.pid });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(open().take()).toEqual({ state: 'locked' });
  });

  it('is taken anew when its folder was deleted', async () => {
    const lock = open();
    lock.take();
    expect(await lock.isLost()).toBe(false);
    rmSync(file);
    expect(await lock.isLost()).toBe(true);
    await lock.store();
    expect(await lock.isLost()).toBe(false);
    expect(open().take()).toMatchObject({ state: 'busy' });
  });

  it('that can’t be had is told, and no more', () => {
    mkdirSync(file);
    expect(open().take()).toMatchObject({ state: 'unlockable' });
    expect(open(join(folder, 'none', 'lock')).take()).toMatchObject({ state: 'unlockable' });
    expect(open(join(folder, 'other'), null).take()).toMatchObject({ state: 'unlockable' });
    const errno = (code: number) => ({ ...ffi!, flock: () => -1, errno: () => code });
    // ENOLCK, of file systems without locks.
    expect(open(join(folder, 'other'), errno(37)).take()).toEqual({ state: 'unlockable', reason: 'flock: errno 37' });
  });

  it('asks NFS for the right to write, which it needs there', () => {
    let tries = 0;
    const nfs = { ...ffi!, flock: () => (++tries === 1 ? -1 : 0), errno: () => 9 };
    expect(open(file, nfs).take()).toEqual({ state: 'locked' });
  });
});
