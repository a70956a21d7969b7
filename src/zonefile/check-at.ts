// Coordinates of pools whose two numbers were probably swapped: GeoJSON and many maps write the longitude first.
import type { Document, Node, ScalarNode } from '../base/document.ts';
import { nearestCentreKm } from '../geo/centres.ts';
import { greatCircleKm } from '../geo/distance.ts';
import type { Coordinates } from '../geo/place.ts';

/** Farther from the middle of every country lies no place with a data centre: it is the middle of an ocean. */
const OCEAN_KM = 2200;
/** Nearer than this to the middle of a country is land, or nearly. */
const LAND_KM = 2000;
/** Nobody serves from beyond this latitude, but for Svalbard's few towns. */
const POLAR_DEGREES = 72;
/** How near to the middle of Svalbard those towns are. */
const POLAR_TOWN_KM = 150;
/** A member this far from its pool, and at most a third of it from the swapped place, says that it is swapped. */
const AWAY_KM = 1500;

/** The numbers of `at` where they can't be latitude and longitude but could be the other way round: what to write. */
export function swappedFix(first: Node, second: Node): string | null {
  if (first.kind !== 'scalar' || second.kind !== 'scalar') return null;
  const [longitude, latitude] = [numberOf(first), numberOf(second)];
  const could = Math.abs(longitude) > 90 && Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90;
  if (!could) return null;
  return `write [${second.text}, ${first.text}]: the latitude comes first`;
}

function numberOf({ text }: ScalarNode): number {
  return /^-?[0-9]+(?:\.[0-9]+)?$/.test(text) ? Number(text) : Number.NaN;
}

/**
 * Warns where coordinates lie in an ocean or at a pole and the swapped ones don't, or where what is known of the members fits the swapped ones.
 * @param members where the databases have the members
 */
export function lintAt(
  document: Document,
  offset: number,
  pool: string,
  at: Coordinates,
  members: readonly Coordinates[],
): void {
  const swapped: Coordinates = [at[1], at[0]];
  if (Math.abs(swapped[0]) > 90) return;
  if (!isNowhere(at, swapped) && !isElsewhere(at, swapped, members)) return;
  const message = `the pool ${pool} is at latitude ${at[0]}, longitude ${at[1]}: were the two swapped?`;
  const fix = `write at: [${at[1]}, ${at[0]}] (latitude, longitude), or accept: [swapped-at] if it is right`;
  document.report('swapped-at', offset, message, fix);
}

function isNowhere(at: Coordinates, swapped: Coordinates): boolean {
  if (Math.abs(swapped[0]) > POLAR_DEGREES || nearestCentreKm(swapped) > LAND_KM) return false;
  return nearestCentreKm(at) > (Math.abs(at[0]) > POLAR_DEGREES ? POLAR_TOWN_KM : OCEAN_KM);
}

function isElsewhere(at: Coordinates, swapped: Coordinates, members: readonly Coordinates[]): boolean {
  if (members.length === 0) return false;
  return members.every((place) => {
    const km = greatCircleKm(at, place);
    return km > AWAY_KM && greatCircleKm(swapped, place) < km / 3;
  });
}
