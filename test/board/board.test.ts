// The board's words: what is packed comes back, and the forced beats the verdict.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Board,
  FORCED_DOWN,
  FORCED_DRAIN,
  FORCED_NONE,
  FORCED_UP,
  flipSecondsOf,
  type HealthWord,
  isLive,
  isWithdrawn,
  loadOf,
  packTarget,
  type TargetWord,
  unpackTarget,
  VERDICT_DOWN,
  VERDICT_UNKNOWN,
  VERDICT_UP,
  writeHealth,
} from '../../dist/board/board.js';

const word = fc.record({
  verdict: fc.constantFrom(VERDICT_UNKNOWN, VERDICT_UP, VERDICT_DOWN),
  forced: fc.constantFrom(FORCED_NONE, FORCED_UP, FORCED_DOWN, FORCED_DRAIN),
  load: fc.integer({ min: 0, max: 255 }),
  watched: fc.boolean(),
  flipSeconds: fc.integer({ min: 0, max: 524_287 }),
}) as fc.Arbitrary<TargetWord>;

describe('a target word', () => {
  it('holds every field without touching the others', () => {
    fc.assert(
      fc.property(word, (target) => {
        expect(unpackTarget(packTarget(target))).toEqual(target);
      }),
    );
  });

  it('is live by the forced where there is one, else unless its verdict is down', () => {
    fc.assert(
      fc.property(word, (target) => {
        const expected = target.forced === FORCED_NONE ? target.verdict !== VERDICT_DOWN : target.forced === FORCED_UP;
        expect(isLive(packTarget(target))).toBe(expected);
        expect(isWithdrawn(packTarget(target))).toBe(target.forced === FORCED_DOWN || target.forced === FORCED_DRAIN);
        expect(loadOf(packTarget(target))).toBe(target.load);
        expect(flipSecondsOf(packTarget(target))).toBe(target.watched ? target.flipSeconds : -1);
      }),
    );
  });

  it('keeps the longest time that fits for one that is longer', () => {
    const target = {
      verdict: VERDICT_UP,
      forced: FORCED_NONE,
      load: 255,
      watched: true,
      flipSeconds: Number.POSITIVE_INFINITY,
    } as const;
    expect(flipSecondsOf(packTarget(target))).toBe(524_287);
  });
});

const { forced, ...others } = {
  verdict: fc.constantFrom(VERDICT_UNKNOWN, VERDICT_UP, VERDICT_DOWN),
  forced: fc.constantFrom(FORCED_NONE, FORCED_UP, FORCED_DOWN, FORCED_DRAIN),
  load: fc.integer({ min: 0, max: 255 }),
  watched: fc.boolean(),
  flipSeconds: fc.integer({ min: 0, max: 524_287 }),
};

describe('the two writers of a word', () => {
  it('each change their own bits, whatever was there', () => {
    const step = fc.oneof(forced, fc.record(others) as fc.Arbitrary<HealthWord>);
    fc.assert(
      fc.property(word, fc.array(step), (first, steps) => {
        const board = new Board();
        const words = new Int32Array(board.buffer);
        const slot = board.slot('z/p/192.0.2.1');
        board.set(slot, first);
        let expected = first;
        for (const one of steps) {
          expected = { ...expected, ...(typeof one === 'number' ? { forced: one } : one) };
          if (typeof one === 'number') board.force(slot, one);
          else writeHealth(words, slot, one);
          expect(board.get(slot)).toEqual(expected);
        }
      }),
    );
  });

  it('lose nothing when both write at the same moment', async () => {
    const board = new SharedArrayBuffer(4 * 4);
    const gate = new SharedArrayBuffer(4);
    const file = new URL('../support/board-writer.mjs', import.meta.url);
    const results = await Promise.all(
      ['health', 'control'].map(async (side) => {
        const worker = new Worker(file, { workerData: { board, gate, side, rounds: 200_000, slots: 4 } });
        const [result] = (await once(worker, 'message')) as [{ lost: number; mixed: number }];
        return result;
      }),
    );
    expect(results.map(({ lost }) => lost)).toEqual([0, 0]);
    // Both were at it together.
    for (const { mixed } of results) expect(mixed).toBeGreaterThan(0);
  });
});

describe('the board', () => {
  it('gives a target one slot for as long as it is there, and the slot to another after', () => {
    const board = new Board();
    const a = board.slot('z/p/192.0.2.1');
    expect(board.slot('z/p/192.0.2.1')).toBe(a);
    const b = board.slot('z/p/192.0.2.2');
    expect(b).not.toBe(a);
    board.update(a, { verdict: VERDICT_DOWN });
    board.drop('z/p/192.0.2.1');
    const c = board.slot('z/p/192.0.2.3');
    expect(c).toBe(a);
    expect(board.get(c).verdict).toBe(VERDICT_UNKNOWN);
    expect(board.idOf(b)).toBe('z/p/192.0.2.2');
  });
});
