// Which record sets are told to fail open: those whose clients are really sent to members that are down.
import { describe, expect, it } from 'vitest';
import { Board, LOAD_FULL, VERDICT_DOWN, VERDICT_UP } from '../../dist/board/board.js';
import { emptySets, failOpenSets } from '../../dist/targets/fail-open.js';
import { compileZone } from '../../dist/zonefile/compile.js';
import { modelOf } from '../support/zones.ts';

const ZONE = `
version: meridian/v1
zone: steer.test
ns: [ns1.example.org.]
pools:
  both: { members: [192.0.2.1, "2001:db8::1"] }
  four: { members: [192.0.2.2] }
records:
  home: { ADDR: { pools: [four, both] } }
`;

/** The sets that fail open while just these targets are up. */
function failing(...up: string[]): string[] {
  const { meta } = compileZone(modelOf(ZONE));
  const board = new Board();
  for (const { id } of meta.targets) {
    const slot = board.slot(id);
    const verdict = up.includes(id) ? VERDICT_UP : VERDICT_DOWN;
    board.update(slot, { verdict, watched: true, load: LOAD_FULL });
  }
  expect(emptySets('steer.test', meta, board)).toEqual([]);
  return failOpenSets('steer.test', meta, board);
}

describe('fail-open', () => {
  it('is told of each family that has nothing live', () => {
    expect(failing()).toEqual(['steer.test home A', 'steer.test home AAAA']);
    expect(failing('steer.test/both/192.0.2.1')).toEqual(['steer.test home AAAA']);
  });

  it('is not told where a pool without the asked family is up and so the answer is NODATA', () => {
    expect(failing('steer.test/four/192.0.2.2')).toEqual([]);
  });
});
