import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const HEAP = new URL('../../dist/base/heap.js', import.meta.url).href;

/** MiB of the young generation of a process that starts a thread running `thread`, then keeps all that it makes. */
function youngMb(thread: string): number {
  const program = `
    const { keepHeapsSmall } = await import('${HEAP}');
    const { Worker } = await import('node:worker_threads');
    const { getHeapSpaceStatistics } = await import('node:v8');
    keepHeapsSmall();
    await new Promise((done) => new Worker(${JSON.stringify(thread)}, { eval: true }).once('exit', done));
    const kept = [];
    for (let i = 0; i < 2e6; i++) kept.push({ i });
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return Number(stdout);
}

describe('young generations', () => {
  it('stay small although a thread was started meanwhile, which takes the setting back in some versions of V8', () => {
    expect(youngMb(`import('${HEAP}').then((heap) => heap.keepHeapsSmall())`)).toBeLessThanOrEqual(4);
  });
});

describe('collecting the heap', () => {
  it('gives back at once what nothing holds any more', () => {
    const program = `
      const { collectHeap } = await import('${HEAP}');
      let kept = Array.from({ length: 1e6 }, (_, i) => ({ i }));
      const before = process.memoryUsage().heapUsed;
      kept = null;
      collectHeap();
      console.log(before - process.memoryUsage().heapUsed, typeof gc);`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const [freed, exposed] = stdout.trim().split(' ');
    expect(Number(freed)).toBeGreaterThan(10_000_000);
    expect(exposed).toBe('undefined');
  });
});
