// When a busy thread gathers packets before it reads, with clocks of its own.
import { describe, expect, it } from 'vitest';
import { limits } from '../../dist/base/limits.js';
import { Pace } from '../../dist/serve/pace.js';

/** A thread that is busy for `share` of the time; `rounds` rounds of `received` packets each. Returns what the last one said. */
function thread(): { run(share: number, rounds?: number, received?: number): boolean } {
  let wallMs = 0;
  let cpuMs = 0;
  const pace = new Pace(
    () => wallMs,
    () => cpuMs,
  );
  return {
    run(share, rounds = limits.gatherRounds, received = 10) {
      let gathers = false;
      for (let i = 0; i < rounds; i++) {
        wallMs += 0.04;
        cpuMs += 0.04 * share;
        gathers = pace.gathers(received);
      }
      return gathers;
    },
  };
}

describe('a data thread', () => {
  it('answers at once while it has time to spare', () => {
    const { run } = thread();
    for (const share of [0, 0.3, 0.6, 0.74]) expect(run(share)).toBe(false);
  });

  it('gathers when most of its time is spent answering', () => {
    expect(thread().run(0.8)).toBe(true);
  });

  it('goes on gathering where that made it less busy, and ends when half its time is free', () => {
    const { run } = thread();
    run(0.9);
    expect(run(0.6)).toBe(true);
    expect(run(0.45)).toBe(false);
    expect(run(0.6)).toBe(false);
  });

  it('looks at its clocks once in many rounds: a burst alone starts nothing', () => {
    const { run } = thread();
    expect(run(1, limits.gatherRounds - 1)).toBe(false);
    expect(run(1, 1)).toBe(true);
  });

  it('answers at once when a round found next to nothing, however busy it was', () => {
    const { run } = thread();
    run(0.9);
    expect(run(0.9, 1, limits.gatherFrom - 1)).toBe(false);
    expect(run(0.9, 1, limits.gatherFrom)).toBe(true);
  });
});
