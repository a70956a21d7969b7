// Which pool a client gets who is known by facts alone: for places that no loaded database has an address of.
import { isLive, isWithdrawn } from '../board/board.ts';
import { coordinatesOf } from '../geo/centres.ts';
import type { PlaceFacts } from '../geo/place.ts';
import { TYPE } from '../wire/types.ts';
import type { PoolMeta, SteeringMeta, ZoneMeta } from '../zone/meta.ts';
import type { Choice } from '../zone/model.ts';
import { poolsInOrder } from './pool-order.ts';

interface PoolState {
  readonly up: boolean;
  readonly live: number;
  readonly available: number;
}

/** What a pool's members say; one without members of the family takes the state of its other family (contract, section 3). */
function stateOf(meta: ZoneMeta, steering: SteeringMeta, pool: PoolMeta, word: (id: string) => number): PoolState {
  const family = steering.type === TYPE.A ? 4 : steering.type === TYPE.AAAA ? 6 : 'name';
  const all = pool.members.map((number) => meta.targets[number]!);
  const own = all.filter((target) => target.family === family);
  const words = (own.length > 0 ? own : all).map((target) => word(target.id));
  const live = words.filter(isLive).length;
  const { minLive } = pool;
  const least = minLive.kind === 'count' ? minLive.count : Math.ceil((words.length * minLive.percent) / 100);
  return { up: live >= Math.max(1, least), live, available: words.filter((w) => !isWithdrawn(w)).length };
}

/**
 * @param slots lists of the client's way up, the region that wins first
 * @param word what the board has of a target
 * Returns the pool's name, of a weighted draw the first that could be drawn; null where the answer has no pool.
 */
export function expectedPool(
  meta: ZoneMeta,
  steering: SteeringMeta,
  slots: readonly number[],
  facts: PlaceFacts,
  word: (id: string) => number,
): string | null {
  const from = coordinatesOf(facts);
  const lists = slots.map((slot) => steering.lists[slot]!);
  if (lists[0]!.length === 0) return null;
  const states = new Map<string, PoolState>();
  const state = (name: string): PoolState => {
    const known = states.get(name) ?? stateOf(meta, steering, meta.pools.find((pool) => pool.name === name)!, word);
    states.set(name, known);
    return known;
  };
  // Weight 0 serves only when nothing else does.
  const order = (choice: Choice): string[] =>
    choice.kind === 'weighted'
      ? [...choice.shares].sort((a, b) => Number(a.weight === 0) - Number(b.weight === 0)).map((share) => share.pool)
      : poolsInOrder(choice, meta.pools, from);
  const names = lists.flatMap((list) => list.flatMap(order));
  const up = names.find((name) => state(name).up) ?? names.find((name) => state(name).live > 0);
  if (up !== undefined) return up;
  return (steering.whenAllDown === 'serve' ? names.find((name) => state(name).available > 0) : undefined) ?? null;
}
