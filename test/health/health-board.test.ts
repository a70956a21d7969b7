// Health's half of the board: one word a target, written beside the operators' half.
import { expect, it } from 'vitest';
import { Board, FORCED_DOWN, LOAD_FULL, VERDICT_DOWN, VERDICT_UP } from '../../dist/board/board.js';
import { type TargetHealth, unchecked, type WatchedTarget } from '../../dist/health/health.js';
import { HealthBoard } from '../../dist/health/health-board.js';
import { target } from '../support/fleet.ts';

const board = new Board();

function watched(address: string, more: Partial<WatchedTarget> = {}): WatchedTarget {
  const spec = target(address);
  return { ...spec, slot: board.slot(spec.id), shed: null, capacity: null, ...more };
}

function health(more: Partial<TargetHealth>): TargetHealth {
  return { ...unchecked, secondsToFlip: 30, ...more };
}

it('a verdict is on the board the moment it is told, and leaves alone what was forced', () => {
  const one = watched('10.0.0.1');
  const writer = new HealthBoard(board.buffer);
  writer.set(one);
  board.force(one.slot, FORCED_DOWN);
  writer.report(one.id, health({ verdict: 'up' }));
  expect(board.get(one.slot)).toEqual({
    verdict: VERDICT_UP,
    forced: FORCED_DOWN,
    watched: true,
    flipSeconds: 30,
    load: LOAD_FULL,
  });
  writer.report(one.id, health({ verdict: 'down' }));
  expect(board.get(one.slot)).toMatchObject({ verdict: VERDICT_DOWN, forced: FORCED_DOWN });
  writer.drop(one.id);
  writer.report(one.id, health({ verdict: 'up' }));
  expect(board.get(one.slot).verdict).toBe(VERDICT_DOWN);
});

it('a load counts against the capacity of its member, 1 where none is written', () => {
  const big = watched('10.0.1.1', { shed: [0.5, 1], capacity: 500 });
  const small = watched('10.0.1.2', { shed: [0.5, 1] });
  const writer = new HealthBoard(board.buffer);
  for (const one of [big, small]) writer.set(one);
  for (let i = 0; i < 200; i++) {
    writer.report(big.id, health({ load: 375 }));
    writer.report(small.id, health({ load: 0.75 }));
  }
  const half = Math.round(LOAD_FULL / 2);
  expect(Math.abs(board.get(big.slot).load - half)).toBeLessThanOrEqual(1);
  expect(Math.abs(board.get(small.slot).load - half)).toBeLessThanOrEqual(1);
  writer.report(big.id, health({ load: 500 }));
  expect(board.get(big.slot).load).toBe(0);
});

it('a weight that is being shed stays where it is for the next thread, and comes back whole with a pool that sheds no more', () => {
  const one = watched('10.0.2.1', { shed: [0.5, 1] });
  const first = new HealthBoard(board.buffer);
  first.set(one);
  for (let i = 0; i < 20; i++) first.report(one.id, health({ load: 0.9 }));
  const shed = board.get(one.slot).load;
  expect(shed).toBeLessThan(LOAD_FULL);
  const second = new HealthBoard(board.buffer);
  second.set(one);
  second.write(one.id, health({}));
  expect(board.get(one.slot).load).toBe(shed);
  second.set({ ...one, shed: null });
  second.write(one.id, health({ load: 0.9 }));
  expect(board.get(one.slot).load).toBe(LOAD_FULL);
});
