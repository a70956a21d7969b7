// Targets on the board: verdict, forcedStates and load in one word.
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../../dist/base/clock.js';
import { createLog } from '../../dist/base/log.js';
import { Board, FORCED_DOWN, LOAD_FULL, VERDICT_DOWN, VERDICT_UP } from '../../dist/board/board.js';
import { type TargetHealth, unchecked } from '../../dist/health/health.js';
import { Rows } from '../../dist/loading/memory.js';
import { Drains } from '../../dist/targets/drains.js';
import { ForcedStates } from '../../dist/targets/forced-states.js';
import { Targets } from '../../dist/targets/targets.js';
import { compileZone } from '../../dist/zonefile/compile.js';
import { modelOf } from '../support/zones.ts';

const ZONE = `zone: example.test
ns: [ns.example.net.]
checks: { web: { http: { port: 80, load: { header: X-Load } } } }
pools:
  p: { check: web, shed: [0.5, 1], members: [{ address: 192.0.2.1, capacity: 500 }, 192.0.2.2] }
records: { www: { A: { pools: [p] } } }
`;
const [BIG, SMALL] = ['example.test/p/192.0.2.1', 'example.test/p/192.0.2.2'] as const;

const hands: ForcedStates[] = [];
afterEach(() => {
  for (const forcedStates of hands.splice(0)) forcedStates.stop();
});

function make(): {
  board: Board;
  targets: Targets;
  forcedStates: ForcedStates;
  report: (id: string, health: Partial<TargetHealth>) => void;
} {
  const board = new Board();
  const healths = new Map<string, TargetHealth>();
  const forcedStates = new ForcedStates({
    file: null,
    clock: systemClock,
    log: createLog('silent'),
    onChange: () => targets.refresh(),
  });
  hands.push(forcedStates);
  const targets: Targets = new Targets({
    board,
    rows: new Rows(),
    drains: new Drains({ file: null, earlierRun: false, nowMs: 0 }),
  });
  targets.bind({ forcedStates, health: { setTargets: () => {}, health: (id) => healths.get(id) } });
  const { meta } = compileZone(modelOf(ZONE));
  targets.set(meta.targets, meta.pools);
  const report = (id: string, change: Partial<TargetHealth>): void => {
    const health = { ...unchecked, secondsToFlip: 30, ...change };
    healths.set(id, health);
    targets.onHealth(id, health);
  };
  return { board, targets, forcedStates, report };
}

it('a verdict is on the board the moment it is told, and the forced state stands beside it', () => {
  const { board, targets, forcedStates, report } = make();
  const slot = targets.slot(BIG)!;
  report(BIG, { verdict: 'up' });
  expect(board.get(slot)).toMatchObject({ verdict: VERDICT_UP, watched: true, flipSeconds: 30 });
  report(BIG, { verdict: 'down' });
  expect(board.get(slot).verdict).toBe(VERDICT_DOWN);
  forcedStates.force('example.test/p', { state: 'down', untilMs: null, reason: '', by: 'ann', sinceMs: 0 });
  expect(board.get(slot)).toMatchObject({ verdict: VERDICT_DOWN, forced: FORCED_DOWN });
});

it('a load counts against the capacity of its member, 1 where none is written', () => {
  const { board, targets, report } = make();
  for (let i = 0; i < 200; i++) {
    report(BIG, { load: 375 });
    report(SMALL, { load: 0.75 });
  }
  const half = Math.round(LOAD_FULL / 2);
  expect(Math.abs(board.get(targets.slot(BIG)!).load - half)).toBeLessThanOrEqual(1);
  expect(Math.abs(board.get(targets.slot(SMALL)!).load - half)).toBeLessThanOrEqual(1);
  report(BIG, { load: 500 });
  expect(board.get(targets.slot(BIG)!).load).toBe(0);
  expect(targets.view(BIG, 0)!.load).toBe(1);
});
