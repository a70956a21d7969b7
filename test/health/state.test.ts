import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { initialState, next, type State, type StateSettings, secondsToFlip } from '../../dist/health/state.js';

const SETTINGS: StateSettings = { fall: 3, rise: 2, flapFlips: 1000, flapWindowMs: 600_000 };

/** `S` and `F` in a row, one a second. */
function run(letters: string, settings = SETTINGS, from: State = initialState): State {
  let state = from;
  let atMs = state.flips.at(-1) ?? 0;
  for (const letter of letters) {
    atMs += 1000;
    state = next(state, { ok: letter === 'S', atMs }, settings);
  }
  return state;
}

/** The contract's sentence, word for word, over the whole history. */
function specified(history: readonly boolean[], fall: number, rise: number): 'up' | 'down' | 'unknown' {
  let verdict: 'up' | 'down' | 'unknown' = 'unknown';
  let since: boolean[] = [];
  for (const ok of history) {
    if (verdict === 'unknown') {
      verdict = ok ? 'up' : 'down';
      since = ok ? [true] : [];
      continue;
    }
    since.push(ok);
    if (verdict === 'down') {
      if (since.length >= rise && since.slice(-rise).every(Boolean)) {
        verdict = 'up';
        since = since.slice(-rise);
      }
    } else {
      // Failures after the last place where `rise` successes stand in a row.
      let failures = 0;
      let inRow = 0;
      for (const one of since) {
        inRow = one ? inRow + 1 : 0;
        if (inRow >= rise) failures = 0;
        if (!one) failures++;
      }
      if (failures >= fall) {
        verdict = 'down';
        since = [];
      }
    }
  }
  return verdict;
}

const histories = fc.array(fc.boolean(), { maxLength: 60 });
const thresholds = fc.integer({ min: 1, max: 5 });

describe('the state machine', () => {
  test('knows nothing before the first probe, and the first probe decides', () => {
    expect(initialState.verdict).toBe('unknown');
    expect(run('S').verdict).toBe('up');
    expect(run('F').verdict).toBe('down');
  });

  test('counts failures across single successes, forgets them after rise successes in a row', () => {
    expect(run('SFSFSF').verdict).toBe('down');
    expect(run('SFFSSFF').verdict).toBe('up');
    expect(run('SFFSSFFF').verdict).toBe('down');
  });

  test('comes up only after rise successes in a row', () => {
    expect(run('FSFSFS').verdict).toBe('down');
    expect(run('FSS').verdict).toBe('up');
  });

  test('agrees with the contract for every history and every threshold', () => {
    fc.assert(
      fc.property(histories, thresholds, thresholds, (history, fall, rise) => {
        const settings = { ...SETTINGS, fall, rise };
        const state = history.reduce((at, ok, i) => next(at, { ok, atMs: i }, settings), initialState);
        expect(state.verdict).toBe(specified(history, fall, rise));
      }),
      { numRuns: 2000 },
    );
  });

  test('keeps its counts within their thresholds', () => {
    fc.assert(
      fc.property(histories, thresholds, thresholds, (history, fall, rise) => {
        let state = initialState;
        for (const [i, ok] of history.entries()) {
          state = next(state, { ok, atMs: i * 1000 }, { ...SETTINGS, fall, rise });
          expect(state.failures).toBeLessThan(fall);
          expect(state.successes).toBeLessThanOrEqual(rise);
          if (state.probed === 'down') expect(state.failures).toBe(0);
        }
      }),
    );
  });

  test('never flips earlier than the probes that secondsToFlip counts', () => {
    fc.assert(
      fc.property(histories, thresholds, thresholds, (history, fall, rise) => {
        const settings = { ...SETTINGS, fall, rise };
        let state = initialState;
        for (const [i, ok] of history.entries()) {
          const before = state;
          state = next(state, { ok, atMs: i }, settings);
          if (before.verdict !== 'unknown' && state.verdict !== before.verdict) {
            expect(secondsToFlip(before, before.verdict, settings, 1000)).toBe(1);
          }
        }
      }),
    );
  });

  test('does not change what it was given', () => {
    const state = Object.freeze({ ...run('SF'), flips: Object.freeze([]) as unknown as number[] });
    expect(() => next(state, { ok: false, atMs: 5 }, SETTINGS)).not.toThrow();
  });

  test('remembers since when the verdict holds', () => {
    expect(run('S').sinceMs).toBe(1000);
    expect(run('SSSFF').sinceMs).toBe(1000);
    expect(run('SSSFFF').sinceMs).toBe(6000);
  });
});

describe('seconds to a flip', () => {
  test.each([
    ['S', 30],
    ['SF', 20],
    ['SFF', 10],
    ['SFFS', 10],
    ['SFFSS', 30],
    ['SFFF', 20],
    ['SFFFS', 10],
    ['F', 20],
    ['FS', 10],
    ['FSF', 20],
    ['', 30],
  ])('after %s at 10 s intervals: %i', (letters, seconds) => {
    const state = run(letters);
    expect(secondsToFlip(state, state.verdict, SETTINGS, 10_000)).toBe(seconds);
  });

  test('are whole, rounded down, never negative', () => {
    expect(secondsToFlip(run('SF'), 'up', SETTINGS, 750)).toBe(1);
    expect(secondsToFlip(run('SFF'), 'up', SETTINGS, 750)).toBe(0);
    // Held up by a freeze while the probes say down.
    expect(secondsToFlip(run('SFFF'), 'up', SETTINGS, 10_000)).toBe(0);
    expect(secondsToFlip(run('FSS'), 'down', SETTINGS, 10_000)).toBe(0);
  });
});

describe('flapping', () => {
  const flappy: StateSettings = { fall: 1, rise: 1, flapFlips: 4, flapWindowMs: 60_000 };

  test('more flips than allowed hold the target down, though its last probe was good', () => {
    expect(run('SFSFS', flappy)).toMatchObject({ verdict: 'up', flapping: false });
    const state = run('SFSFSFS', flappy);
    expect(state).toMatchObject({ probed: 'up', verdict: 'down', flapping: true });
  });

  test('it ends when half of the flips are older than the window', () => {
    let state = run('SFSFSFS', flappy);
    const last = state.flips.at(-1)!;
    state = next(state, { ok: true, atMs: last + 50_000 }, flappy);
    expect(state.flapping).toBe(true);
    // Three of five are left, more than half of what is allowed.
    state = next(state, { ok: true, atMs: last + 57_000 }, flappy);
    expect(state.flapping).toBe(true);
    state = next(state, { ok: true, atMs: last + 58_500 }, flappy);
    expect(state).toMatchObject({ flapping: false, verdict: 'up' });
  });

  test('slow flips are no flapping', () => {
    let state = initialState;
    for (let i = 0; i < 50; i++) state = next(state, { ok: i % 2 === 0, atMs: i * 20_000 }, flappy);
    expect(state.flapping).toBe(false);
  });

  test('what is remembered of flips is bounded', () => {
    expect(run('SF'.repeat(500), { ...flappy, flapWindowMs: 1e9 }).flips.length).toBeLessThanOrEqual(5);
  });
});
