// Targets: what operators forced, on the board, and what health is told of them.
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../../dist/base/clock.js';
import { Board, FORCED_DOWN, FORCED_NONE, VERDICT_DOWN } from '../../dist/board/board.js';
import { type TargetHealth, unchecked, type WatchedTarget } from '../../dist/health/health.js';
import { Rows } from '../../dist/loading/memory.js';
import { Drains } from '../../dist/targets/drains.js';
import { ForcedStates } from '../../dist/targets/forced-states.js';
import { Targets } from '../../dist/targets/targets.js';
import { compileZone } from '../../dist/zonefile/compile.js';
import { TestStorage } from '../support/storage.ts';
import { modelOf } from '../support/zones.ts';

const ZONE = `zone: example.test
ns: [ns.example.net.]
checks: { web: { http: { port: 80, load: { header: X-Load } } } }
pools:
  p: { check: web, shed: [0.5, 1], members: [{ address: 192.0.2.1, capacity: 500 }, 192.0.2.2] }
records: { www: { A: { pools: [p] } } }
`;
const ID = 'example.test/p/192.0.2.1';

const hands: ForcedStates[] = [];
afterEach(() => {
  for (const forcedStates of hands.splice(0)) void forcedStates.stop();
});

function make(health: TargetHealth = unchecked): {
  board: Board;
  targets: Targets;
  forcedStates: ForcedStates;
  /** What health was told to watch. */
  watched: readonly WatchedTarget[];
} {
  const board = new Board();
  let watched: readonly WatchedTarget[] = [];
  const forcedStates = new ForcedStates({
    file: null,
    storage: new TestStorage(),
    clock: systemClock,
    onChange: () => targets.refresh(),
  });
  hands.push(forcedStates);
  const targets = new Targets({
    board,
    rows: new Rows(),
    drains: new Drains({ file: null, storage: new TestStorage(), nowMs: 0 }),
  });
  const setTargets = (list: readonly WatchedTarget[]): void => {
    watched = list;
  };
  targets.bind({ forcedStates, health: { setTargets, health: () => health } });
  const { meta } = compileZone(modelOf(ZONE));
  targets.set(meta.targets, meta.pools);
  return { board, targets, forcedStates, watched };
}

it('a forced state is on the board at once, and touches nothing that health wrote there', () => {
  const { board, targets, forcedStates } = make();
  const slot = targets.slot(ID)!;
  const health = { verdict: VERDICT_DOWN, watched: true, load: 77, flipSeconds: 30 } as const;
  board.update(slot, health);
  void forcedStates.force('example.test/p', { state: 'down', untilMs: null, reason: '', by: 'ann', sinceMs: 0 });
  expect(board.get(slot)).toEqual({ ...health, forced: FORCED_DOWN });
  forcedStates.unforce('example.test/p');
  expect(board.get(slot)).toEqual({ ...health, forced: FORCED_NONE });
});

it('health is told of each target with its place on the board and what its load is measured by', () => {
  const { targets, watched } = make();
  expect(watched.map(({ id, slot, shed, capacity }) => [id, slot, shed, capacity])).toEqual([
    [ID, targets.slot(ID), [0.5, 1], 500],
    ['example.test/p/192.0.2.2', targets.slot('example.test/p/192.0.2.2'), [0.5, 1], null],
  ]);
});

it('a view has the load beside what the target can take', () => {
  const { targets } = make({ ...unchecked, load: 375 });
  expect(targets.view(ID, 0)!.load).toBe(0.75);
});
