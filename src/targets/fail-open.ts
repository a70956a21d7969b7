// Which steered record sets fail open now, and which forced states leave without a member.

import type { Board } from '../board/board.ts';
import { isLive, isWithdrawn, packTarget } from '../board/board.ts';
import { TYPE, typeToText } from '../wire/types.ts';
import type { SteeringMeta, TargetMeta, ZoneMeta } from '../zone/meta.ts';
import { poolsOf } from '../zonefile/compile-steering.ts';

/** How a steered set stands: `empty` means that no member is left that may be answered. */
export interface SetState {
  readonly failOpen: boolean;
  readonly empty: boolean;
}

/** Looks at all lists of a set together: fail-open is active for some client when none of a list's members is live. */
export function stateOfSet(meta: ZoneMeta, steering: SteeringMeta, board: Board): SetState {
  const family = steering.type === TYPE.A ? 4 : steering.type === TYPE.AAAA ? 6 : 'name';
  const wordsOf = (targets: readonly TargetMeta[]): number[] =>
    targets.flatMap((target) => {
      const slot = board.slotOf(target.id);
      return slot === undefined ? [] : [packTarget(board.get(slot))];
    });
  const words = (names: readonly string[], borrow: boolean): number[] =>
    meta.pools
      .filter((pool) => names.includes(pool.name))
      .flatMap((pool) => {
        const members = pool.members.map((number) => meta.targets[number]!);
        const own = members.filter((target) => target.family === family);
        // A pool without the asked family stands as its other family does: it is chosen, and NODATA is the answer.
        return wordsOf(own.length === 0 && borrow ? members : own);
      });
  const all = words(steering.lists.flatMap(poolsOf), false);
  const defaults = words(poolsOf(steering.lists[steering.defaultSlot]!), true);
  // Every list climbs to the default: a set fails open where a list and the default have nothing live.
  const down = (list: readonly number[]): boolean => list.length > 0 && !list.some(isLive);
  const failOpen =
    steering.whenAllDown === 'serve' &&
    (defaults.length > 0
      ? down(defaults) && steering.lists.some((list) => down(words(poolsOf(list), true)))
      : down(words(steering.lists.flatMap(poolsOf), true)));
  return { failOpen, empty: all.length > 0 && all.every(isWithdrawn) };
}

/** The sets of a zone that fail open, as `pool-list TYPE` in the words of the file. */
export function failOpenSets(zone: string, meta: ZoneMeta, board: Board): string[] {
  return meta.steerings
    .filter((steering) => stateOfSet(meta, steering, board).failOpen)
    .map((steering) => `${zone} ${steering.owners.join(' ')} ${typeToText(steering.type)}`);
}

/** The sets of a zone without a member that may be answered. */
export function emptySets(zone: string, meta: ZoneMeta, board: Board): string[] {
  return meta.steerings
    .filter((steering) => stateOfSet(meta, steering, board).empty)
    .map((steering) => `${zone} ${steering.owners.join(' ')} ${typeToText(steering.type)}`);
}
