// The pools of a `closest` in the order of their distance from a place.
import { centreOf } from '../geo/centres.ts';
import { type UnitVector, unitVector, vectorDistanceKm } from '../geo/distance.ts';
import { PLACE } from '../geo/image.ts';
import type { GeoView } from '../geo/lookup.ts';
import type { Coordinates } from '../geo/place.ts';
import { TIER_START } from './layout.ts';
import type { ClosestSpec } from './spec.ts';

/** From where the clients of each place measure: its coordinates, else its country's centre. */
export class PlaceVectors {
  readonly #geo: GeoView;
  /** By text number; undefined where not asked yet. */
  readonly #centres: (UnitVector | null)[] = [];

  constructor(geo: GeoView) {
    this.#geo = geo;
  }

  /** null where not even the country is known. */
  of(place: number): UnitVector | null {
    const at = this.#geo.coordinates(place);
    if (at !== null) return unitVector(at);
    const country = this.#geo.placeWord(place, PLACE.country);
    let vector = this.#centres[country];
    if (vector === undefined) {
      const code = this.#geo.text(country);
      const centre: Coordinates | null = code === null ? null : centreOf(code);
      vector = centre && unitVector(centre);
      this.#centres[country] = vector;
    }
    return vector;
  }
}

/** One `closest`. */
export class ClosestOrder {
  readonly #vectors: readonly UnitVector[];
  readonly #biases: readonly number[];
  readonly #spreadKm: number;
  readonly #km: Float64Array;
  readonly #pools: Int32Array;

  constructor(spec: ClosestSpec) {
    this.#vectors = spec.points.map(({ at }) => unitVector(at));
    this.#biases = spec.points.map(({ bias }) => bias);
    this.#spreadKm = spec.spreadKm;
    this.#km = new Float64Array(spec.points.length);
    this.#pools = new Int32Array(spec.points.length);
  }

  /**
   * Adds an entry for each pool to `entries`, nearest first, tiers marked. A city database has 100,000 places, hence no objects here.
   * @param at null: the listed order, each a tier of its own
   */
  order(at: UnitVector | null, entries: number[]): void {
    const km = this.#km;
    const pools = this.#pools;
    const n = pools.length;
    if (at === null) {
      for (let i = 0; i < n; i++) entries.push(i | TIER_START);
      return;
    }
    for (let i = 0; i < n; i++) {
      const distance = vectorDistanceKm(at, this.#vectors[i]!) * this.#biases[i]!;
      let k = i;
      for (; k > 0 && km[k - 1]! > distance; k--) {
        km[k] = km[k - 1]!;
        pools[k] = pools[k - 1]!;
      }
      km[k] = distance;
      pools[k] = i;
    }
    for (let from = 0; from < n; ) {
      let to = from + 1;
      while (to < n && km[to]! - km[from]! <= this.#spreadKm) to++;
      // A tier is a set: its order must not tell clients apart.
      if (to - from > 1) pools.subarray(from, to).sort();
      for (let k = from; k < to; k++) entries.push(k === from ? pools[k]! | TIER_START : pools[k]!);
      from = to;
    }
  }
}
