// Builds a region map: for one pattern of steering, from every address to the lists of pools of its clients (layout.ts).
import { EMBEDDED_BLOCKS } from '../geo/embedded.ts';
import type { GeoView } from '../geo/lookup.ts';
import { placeKey } from '../geo/place.ts';
import type { RangeTable } from '../geo/ranges.ts';
import { changesBitset, nextBit } from './bits.ts';
import { ChainBuilder } from './chains.ts';
import { FamilyRanges, startOf } from './family.ts';
import { MAP, MAP_MAGIC, MAP_VERSION } from './layout.ts';
import { cutSegments, type Level, segmentTable } from './overlay.ts';
import type { MapSpec } from './spec.ts';

/** A text that is equal for specs that give the same map on the same geo image: the order of regions and places doesn't matter. */
export function mapKey(spec: MapSpec): string {
  const places = spec.regions.flatMap(({ places, slot }) => places.map((place) => `${placeKey(place)}=${slot}`));
  return JSON.stringify([places.sort(), spec.defaultSlot, spec.defaultClimbs, spec.slots]);
}

/** Builds the map as a segment of bytes that may be copied to any multiple of four. Takes some milliseconds. */
export function buildRegionMap(geo: GeoView, spec: MapSpec): Uint8Array {
  const chains = new ChainBuilder(geo, spec);
  const families = ([1, 4] as const).map((words) => {
    const family = new FamilyRanges(geo, words);
    return { family, segments: cutSegments(family, spec, chains) };
  });
  const [four, six] = buildFamilies(families[0]!, families[1]!, chains);

  const header = new Int32Array(MAP.size);
  const parts: Int32Array[] = [header];
  let length: number = MAP.size;
  const add = (part: Int32Array): number => {
    const at = length;
    parts.push(part);
    length += part.length;
    return at;
  };
  header[MAP.magic] = MAP_MAGIC;
  header[MAP.version] = MAP_VERSION;
  header[MAP.geoStamp] = geo.stamp;
  const variantAt = chains.variants.map((variant) => add(Int32Array.from(variant)));
  const chainAt = chains.chains.map((chain) =>
    add(Int32Array.from([chain.length, ...chain.map((v) => variantAt[v]!)])),
  );
  header[MAP.chainCount] = chains.chains.length;
  header[MAP.chains] = add(Int32Array.from(chainAt));
  const shift = chains.chains.length <= 0x100 ? 2 : chains.chains.length <= 0x10000 ? 1 : 0;
  header[MAP.placeShift] = shift;
  header[MAP.placeMask] = -1 >>> (32 - (32 >> shift));
  header[MAP.placeChain] = add(packed(chains.chainOfPlace, shift));
  for (const [family, bits, count, segmentCount, segments] of [
    [four, MAP.bits4, MAP.count4, MAP.segmentCount4, MAP.segments4],
    [six, MAP.bits6, MAP.count6, MAP.segmentCount6, MAP.segments6],
  ] as const) {
    header[bits] = add(family.levels[0].bits);
    const shared = family.levels[0].bits.every((word, i) => word === family.levels[1].bits[i]);
    header[bits + 1] = shared ? header[bits]! : add(family.levels[1].bits);
    header[count] = family.count;
    header[segmentCount] = family.segmentCount;
    header[segments] = family.segments === null ? 0 : add(family.segments);
  }
  header[MAP.length] = length;

  const map = new Int32Array(length);
  let at = 0;
  for (const part of parts) {
    map.set(part, at);
    at += part.length;
  }
  return new Uint8Array(map.buffer);
}

interface BuiltFamily {
  readonly count: number;
  readonly levels: readonly [Level, Level];
  readonly segmentCount: number;
  readonly segments: Int32Array | null;
}

/** One family of addresses, and where networks and AS numbers are named in it. */
interface CutFamily {
  readonly family: FamilyRanges;
  readonly segments: RangeTable | null;
}

/**
 * Both families. Where clients differ, one in special-purpose space has whatever its resolver has, which nobody knows beforehand: no run of
 * equal lists reaches into such a block, nor out of it.
 */
function buildFamilies(cut4: CutFamily, cut6: CutFamily, chains: ChainBuilder): [BuiltFamily, BuiltFamily] {
  const alike = [false, false] as const;
  const four = levelsOf(cut4, chains, [undefined, undefined], alike);
  const six = levelsOf(cut6, chains, four.uniform, alike);
  const [first, whole] = ([0, 1] as const).map(
    (l) => four.uniform[l] === undefined || four.uniform[l] !== six.uniform[l],
  );
  const apart = [first!, whole!] as const;
  if (!first && !whole) return [withSegments(cut4, four.levels), withSegments(cut6, six.levels)];
  const four2 = levelsOf(cut4, chains, [undefined, undefined], apart);
  return [withSegments(cut4, four2.levels), withSegments(cut6, levelsOf(cut6, chains, four2.uniform, apart).levels)];
}

/** For each level the list that every client of the family has; undefined where they differ. */
type Uniform = readonly [number | undefined, number | undefined];

/**
 * @param blockValues what all of IPv4 has, for the IPv6 blocks that carry it; undefined where it differs
 * @param apart whether special-purpose blocks are like nothing else, by level
 */
function levelsOf(
  { family, segments }: CutFamily,
  { chainOfPlace, chains }: ChainBuilder,
  blockValues: Uniform,
  apart: readonly [boolean, boolean],
): { levels: readonly [Level, Level]; uniform: Uniform } {
  const firsts = Int32Array.from(chains, (chain) => chain[0]!);
  const firstOf = (chain: number): number => firsts[chain]!;
  const first = buildLevel(family, chainOfPlace.map(firstOf), firstOf, blockValues[0], apart[0]);
  const whole = buildLevel(family, chainOfPlace, (chain) => chain, blockValues[1], apart[1]);
  return {
    levels: [first, whole],
    uniform: [uniformValue(family, segments, first), uniformValue(family, segments, whole)],
  };
}

function withSegments({ family, segments }: CutFamily, levels: readonly [Level, Level]): BuiltFamily {
  return {
    count: family.count,
    levels,
    segmentCount: segments?.length ?? 0,
    segments: segments && segmentTable(segments, family, levels),
  };
}

function buildLevel(
  family: FamilyRanges,
  valueOfPlace: Int32Array,
  valueOfChain: (chain: number) => number,
  blockValue: number | undefined,
  specialApart: boolean,
): Level {
  // A block in which clients differ is like none of its neighbours.
  const apart = new Map(family.blocks().map((range, block) => [range, blockValue ?? -1 - block]));
  if (specialApart) for (const range of family.special()) apart.set(range, -1 - EMBEDDED_BLOCKS.length - range);
  return {
    bits: changesBitset(family.places, valueOfPlace, apart),
    valueOfRange: (range) => apart.get(range) ?? valueOfPlace[family.places[range]!]!,
    valueOfChain,
  };
}

/** The value that every address of the family has, or undefined. */
function uniformValue(family: FamilyRanges, segments: RangeTable | null, level: Level): number | undefined {
  if (segments === null)
    return nextBit(level.bits, 0, family.count, 0) === family.count ? level.valueOfRange(0) : undefined;
  let all: number | undefined;
  const starts = Array.from({ length: segments.length }, (_, k) => family.find(startOf(segments, k)));
  for (let k = 0; k < segments.length; k++) {
    const chain = segments.values[k]! - 1;
    const value = chain >= 0 ? level.valueOfChain(chain) : level.valueOfRange(starts[k]!);
    if (all !== undefined && value !== all) return undefined;
    all = value;
    // Within a gap nothing may change either.
    const next = starts[k + 1] ?? family.count;
    if (chain < 0 && nextBit(level.bits, 0, family.count, starts[k]!) < next) return undefined;
  }
  return all;
}

/** Small numbers, 1 << shift to a word, the first in the lowest bits. */
function packed(values: Int32Array, shift: number): Int32Array {
  const bits = 32 >> shift;
  const out = new Int32Array(Math.ceil(values.length / (1 << shift)));
  values.forEach((value, i) => {
    out[i >> shift]! |= value << ((i & ((1 << shift) - 1)) * bits);
  });
  return out;
}
