// A region map that is one way up: for a client of whom only facts are known, and for lists as they are written.
import { unitVector } from '../geo/distance.ts';
import type { Coordinates } from '../geo/place.ts';
import { ClosestOrder } from './closest.ts';
import { RegionMapView } from './lookup.ts';
import type { MapSpec } from './spec.ts';

/** @param variants the lists: slot, then the entries of its `closest` groups (layout.ts) */
export function oneChain(variants: readonly (readonly number[])[]): RegionMapView {
  const words = [variants.length];
  let variantAt = 1 + variants.length;
  for (const variant of variants) {
    words.push(variantAt);
    variantAt += variant.length;
  }
  const view = new RegionMapView();
  view.words = Int32Array.from([...words, ...variants.flat()]);
  return view;
}

/**
 * @param slots the lists, as `wayUp` has them
 * @param from where the client is; null: nobody knows, and every `closest` has its listed order
 */
export function chainFrom(spec: MapSpec, slots: readonly number[], from: Coordinates | null): RegionMapView {
  const at = from && unitVector(from);
  return oneChain(
    slots.map((slot) => {
      const variant = [slot];
      for (const closest of spec.slots[slot]!.closest) new ClosestOrder(closest).order(at, variant);
      return variant;
    }),
  );
}
