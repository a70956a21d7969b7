// Great circle distance, right across the antimeridian and at the poles.
import type { Coordinates } from './place.ts';

/** Mean radius of the Earth (IUGG). */
const EARTH_RADIUS_KM = 6371.0088;

/** A point on the unit sphere: what coordinates become once, so that each distance is three products and an arc. */
export type UnitVector = readonly [x: number, y: number, z: number];

/** Degrees to a point on the unit sphere. */
export function unitVector([latitude, longitude]: Coordinates): UnitVector {
  const phi = (latitude * Math.PI) / 180;
  const lambda = (longitude * Math.PI) / 180;
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}

/** Kilometres between two points, from the chord: exact for near points, where the arc cosine of a product is not. */
export function vectorDistanceKm(a: UnitVector, b: UnitVector): number {
  const x = a[0] - b[0];
  const y = a[1] - b[1];
  const z = a[2] - b[2];
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(x * x + y * y + z * z) / 2));
}

/** Kilometres along the great circle between two places in degrees. */
export function greatCircleKm(a: Coordinates, b: Coordinates): number {
  return vectorDistanceKm(unitVector(a), unitVector(b));
}
