import { describe, expect, it } from 'vitest';
import { limits } from '../../dist/base/limits.js';
import { atOnce, finish, inSlices, Slices, Unwanted } from '../../dist/base/slices.js';

/** A clock on which each look takes a millisecond. */
function tickingClock(): { monotonicMs(): number } {
  let ms = 0;
  return { monotonicMs: () => ms++ };
}

function* steps(count: number, done: () => void): Generator<number, string> {
  for (let i = 0; i < count; i++) {
    done();
    yield i;
  }
  return 'end';
}

describe('long work in slices', () => {
  it('has one slice in each turn of the event loop, whatever else is in slices too', async () => {
    let inThisTurn = 0;
    let most = 0;
    const turning = setInterval(() => {}, 1);
    const count = (): void => {
      inThisTurn++;
      most = Math.max(most, inThisTurn);
    };
    let over = false;
    const watch = async (): Promise<void> => {
      while (!over) {
        inThisTurn = 0;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const watching = watch();
    const works = Array.from({ length: 20 }, () => finish(steps(50, count), new Slices(() => true, tickingClock())));
    expect(await Promise.all(works)).toEqual(Array.from({ length: 20 }, () => 'end'));
    over = true;
    await watching;
    clearInterval(turning);
    // Two turns may lie between two looks of the watcher.
    expect(most).toBeLessThanOrEqual(2 * (limits.sliceMs + 1));
  });

  it('ends at its next rest once nobody waits for it', async () => {
    let isWanted = true;
    let done = 0;
    const slices = new Slices(() => isWanted, tickingClock());
    const work = finish(
      steps(1_000, () => {
        if (++done === 20) isWanted = false;
      }),
      slices,
    );
    await expect(work).rejects.toBeInstanceOf(Unwanted);
    expect(done).toBeLessThanOrEqual(20 + limits.sliceMs + 1);
  });

  it('yields what its steps yield, without the pauses', async () => {
    const told: number[] = [];
    for await (const one of inSlices([1, null, 2, null, 3], new Slices())) told.push(one);
    expect(told).toEqual([1, 2, 3]);
    expect(atOnce(steps(3, () => {}))).toBe('end');
  });
});
