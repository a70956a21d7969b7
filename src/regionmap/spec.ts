// What a region map is made from: places to list slots, free of pool names, so that record sets with one pattern share one map.
import type { Coordinates, Place } from '../geo/place.ts';

/** One `closest` in a list: the coordinates of its pools in listed order, and how near counts as a tie. */
export interface ClosestSpec {
  readonly points: readonly { readonly at: Coordinates; readonly bias: number }[];
  readonly spreadKm: number;
}

/** A list of pools seen from the map: only what makes it depend on the client, its `closest` groups in order. */
export interface SlotSpec {
  readonly closest: readonly ClosestSpec[];
}

/**
 * Equal lists share a slot: the compiler numbers lists by content, so two regions with the same list are one here.
 * Slot numbers index `slots`. The default has a slot always (an empty list for `default: nodata`).
 */
export interface MapSpec {
  readonly regions: readonly { readonly places: readonly Place[]; readonly slot: number }[];
  readonly defaultSlot: number;
  readonly slots: readonly SlotSpec[];
  /** False for `default: nodata`: clients that match a region never climb to the default. */
  readonly defaultClimbs: boolean;
}
