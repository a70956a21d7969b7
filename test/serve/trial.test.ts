// Whether going first is worth its price, as a trial finds it.
import { describe, expect, it } from 'vitest';
import { limits } from '../../dist/base/limits.js';
import { Trial } from '../../dist/serve/trial.js';

const { trialPackets: window, trialGoodMs: goodMs, trialPrice: price } = limits;

/** A trial on a machine where a packet costs 1 us as usual and `firstUs` for a thread that goes first. */
function machine(firstUs: number) {
  const trial = new Trial();
  let nowMs = 0;
  const look = (packets: number): boolean => {
    nowMs += packets / 100;
    trial.look(packets, (packets * (trial.first ? firstUs : 1)) / 1000, nowMs);
    return trial.first;
  };
  return { trial, look, wait: (ms: number) => (nowMs += ms) };
}

describe('a trial', () => {
  it('goes first when its packets cost as much as without', () => {
    const { look } = machine(1);
    expect([look(window / 2), look(window / 2), look(window / 2), look(window / 2)]).toEqual([false, true, true, true]);
  });

  it.each([
    [price * 0.99, true],
    [price * 1.01, false],
  ])('takes a price of %f for %s', (firstUs, first) => {
    const { look } = machine(firstUs);
    look(window);
    expect(look(window)).toBe(first);
  });

  it('keeps to what it found until that is old, then tries as usual before it goes first', () => {
    const { look, wait } = machine(1);
    look(window);
    look(window);
    expect(look(10 * window)).toBe(true);
    wait(goodMs);
    expect(look(1)).toBe(false);
    expect(look(window - 1)).toBe(false);
    expect(look(1)).toBe(true);
    expect(look(window)).toBe(true);
  });

  it('throws away what it had half measured when it is interrupted', () => {
    const { trial, look } = machine(1);
    look(window);
    expect(trial.first).toBe(true);
    trial.interrupt();
    expect(trial.first).toBe(false);
    expect(look(window - 1)).toBe(false);
    trial.interrupt();
    expect(look(window - 1)).toBe(false);
  });

  it('keeps what it found when it is interrupted afterwards', () => {
    const { trial, look } = machine(1);
    look(window);
    look(window);
    trial.interrupt();
    expect(trial.first).toBe(true);
  });
});
