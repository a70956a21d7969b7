// The `regions` of a file: named sets of places.
import type { Document, Node, ScalarNode } from '../base/document.ts';
import { readMap, readOneOrMore, readScalar } from '../base/fields.ts';
import { limits } from '../base/limits.ts';
import { type Place, type PlaceKey, placeKey } from '../geo/place.ts';
import { parsePlace } from './places.ts';

/** A place and where it was written. */
export interface WrittenPlace {
  readonly place: Place;
  readonly key: PlaceKey;
  readonly offset: number;
}

/** A region, the file that it stands in, and where. */
export interface Region {
  readonly name: string;
  readonly places: readonly WrittenPlace[];
  readonly document: Document;
  readonly offset: number;
  /** Something in it is wrong and reported: what it covers is not known. */
  readonly broken: boolean;
}

const REGION_NAME = /^[a-z][a-z0-9-]*$/;

/** Reads the value of the key `regions`. */
export function readRegions(document: Document, node: Node | undefined): Map<string, Region> {
  const regions = new Map<string, Region>();
  const map =
    node === undefined
      ? undefined
      : readMap(document, node, 'regions', 'a map of names and their places', '{ east: [RU, BY] }');
  if (map === undefined) return regions;
  if (map.entries.size > limits.regionsPerZone) {
    document.report(
      'too-many',
      map,
      `${map.entries.size} regions; at most ${limits.regionsPerZone} are read`,
      'join some',
    );
    return regions;
  }
  for (const { key, value } of map.entries.values()) {
    checkName(document, key);
    const elements = readOneOrMore(document, value, `the region ${key.text}`);
    const places = readPlaces(document, elements ?? []);
    if (elements?.length === 0) {
      document.report(
        'no-values',
        value,
        `the region ${key.text} has no places`,
        'name at least one place, or remove it',
      );
    }
    const broken = elements === undefined || places.length < elements.length;
    regions.set(key.text, { name: key.text, places, document, offset: key.offset, broken });
  }
  return regions;
}

function checkName(document: Document, key: ScalarNode): void {
  if (key.text === 'default') {
    const fix = 'give the region another name; "default" is what record sets call the rest of the world';
    document.report('bad-name', key, 'a region cannot be called "default"', fix);
  } else if (!REGION_NAME.test(key.text)) {
    const fix = 'use lower-case letters, digits and hyphens, beginning with a letter';
    document.report('bad-name', key, `"${key.text}" is no name for a region`, fix);
  }
}

function readPlaces(document: Document, elements: readonly Node[]): WrittenPlace[] {
  const places: WrittenPlace[] = [];
  const seen = new Set<PlaceKey>();
  for (const element of elements) {
    const scalar = readScalar(document, element, 'a place');
    if (scalar === undefined) continue;
    const result = parsePlace(scalar.text);
    if (!result.ok) {
      document.report(result.code, scalar, result.message, result.fix);
      continue;
    }
    const key = placeKey(result.place);
    if (seen.has(key)) {
      document.report('duplicate-place', scalar, `${key} stands in this region already`, 'remove one of the two');
      continue;
    }
    seen.add(key);
    places.push({ place: result.place, key, offset: scalar.offset });
  }
  return places;
}
