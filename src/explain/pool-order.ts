// In which order a client's choices name their pools: `closest` by distance, the others as they are written.
import { greatCircleKm } from '../geo/distance.ts';
import type { Coordinates } from '../geo/place.ts';
import type { PoolMeta } from '../zone/meta.ts';
import type { Choice } from '../zone/model.ts';
import { poolsOf } from '../zonefile/compile-steering.ts';

/** Names of the pools of one choice, for a client at these coordinates (null: nobody knows where, the listed order holds). */
export function poolsInOrder(choice: Choice, pools: readonly PoolMeta[], from: Coordinates | null): string[] {
  const names = poolsOf([choice]);
  if (choice.kind !== 'closest' || from === null) return names;
  const distance = (name: string): number => {
    const pool = pools.find((p) => p.name === name);
    return pool?.at ? greatCircleKm(from, pool.at) * pool.bias : Number.POSITIVE_INFINITY;
  };
  return names
    .map((name) => ({ name, km: distance(name) }))
    .sort((a, b) => a.km - b.km)
    .map(({ name }) => name);
}
