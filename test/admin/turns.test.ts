import { describe, expect, it } from 'vitest';
import { Turns } from '../../dist/admin/turns.js';
import { limits } from '../../dist/base/limits.js';

const stays = (): void => {};
const { adminLongAtOnce: atOnce, adminLongWaiting: waiting, adminLongPerClient: perClient } = limits;

describe('turns for long answers', () => {
  it('are given to some at once, and to the next when one ends', async () => {
    const turns = new Turns('coverage');
    const ends = await Promise.all(Array.from({ length: atOnce }, (_, i) => turns.take(`c${i}`, stays)));
    let begun = false;
    const next = turns.take('next', stays).then((end) => {
      begun = true;
      return end;
    });
    await Promise.resolve();
    expect(begun).toBe(false);
    ends[0]!();
    // Ended twice is ended once.
    ends[0]!();
    expect(await next).not.toBeNull();
    let other = false;
    void turns.take('other', stays).then(() => {
      other = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(other).toBe(false);
  });

  it('are refused to a client that has many already, and given again when they end', async () => {
    const turns = new Turns('metrics');
    const taken = Array.from({ length: perClient }, () => turns.take('greedy', stays));
    await expect(turns.take('greedy', stays)).rejects.toMatchObject({ code: 'too-many-requests', status: 429 });
    expect(turns.refused).toBe(1);
    for (const end of taken) (await end)!();
    expect(await turns.take('greedy', stays)).not.toBeNull();
  });

  it('are refused to everybody when too many wait', async () => {
    const turns = new Turns('list');
    for (let i = 0; i < atOnce + waiting; i++) void turns.take(`c${i}`, stays);
    await expect(turns.take('late', stays)).rejects.toMatchObject({ code: 'busy', status: 503 });
    await expect(turns.take('late', stays)).rejects.toMatchObject({ headers: { 'retry-after': '5' } });
  });

  it('are kept for nobody who has left', async () => {
    const turns = new Turns('list');
    const ends = await Promise.all(Array.from({ length: atOnce }, (_, i) => turns.take(`c${i}`, stays)));
    let leave = (): void => {};
    const left = turns.take('leaver', (callback) => {
      leave = callback;
    });
    const patient = turns.take('patient', stays);
    leave();
    expect(await left).toBeNull();
    ends[0]!();
    expect(await patient).not.toBeNull();
  });
});
