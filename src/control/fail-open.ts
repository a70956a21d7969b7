// Which steered record sets fail open now, and which an operator's hand leaves without a member.

import type { Board } from '../board/board.ts';
import { isLive, isWithdrawn, packTarget } from '../board/board.ts';
import { TYPE, typeToText } from '../wire/types.ts';
import type { SteeringMeta, ZoneMeta } from '../zone/meta.ts';
import { poolsOf } from '../zonefile/compile-steering.ts';

/** How a steered set stands: `empty` means that no member is left that may be answered. */
export interface SetState {
  readonly failOpen: boolean;
  readonly empty: boolean;
}

/** Looks at all lists of a set together: fail-open is active for some client when none of a list's members is live. */
export function stateOfSet(meta: ZoneMeta, steering: SteeringMeta, board: Board): SetState {
  const family = steering.type === TYPE.A ? 4 : steering.type === TYPE.AAAA ? 6 : 'name';
  const words = (names: readonly string[]): number[] =>
    meta.pools
      .filter((pool) => names.includes(pool.name))
      .flatMap((pool) => pool.members.map((number) => meta.targets[number]!))
      .filter((target) => target.family === family)
      .flatMap((target) => {
        const slot = board.slotOf(target.id);
        return slot === undefined ? [] : [packTarget(board.get(slot))];
      });
  const all = words(steering.lists.flatMap(poolsOf));
  const defaults = words(poolsOf(steering.lists[steering.defaultSlot]!));
  // Every list climbs to the default: a set fails open where a list and the default have nothing live.
  const down = (list: readonly number[]): boolean => list.length > 0 && !list.some(isLive);
  const failOpen =
    steering.whenAllDown === 'serve' &&
    (defaults.length > 0 ? down(defaults) && steering.lists.some((list) => down(words(poolsOf(list)))) : down(all));
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
