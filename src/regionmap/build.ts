// Builds a region map: for one pattern of steering, from every address to the lists of pools of its clients (regionmaplayout.ts).
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
  const four = buildFamily(new FamilyRanges(geo, 1), spec, chains, [undefined, undefined]);
  const six = buildFamily(new FamilyRanges(geo, 4), spec, chains, four.uniform);

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
  /** For each level the list that every client of the family has; undefined where they differ. */
  readonly uniform: readonly [number | undefined, number | undefined];
}

/** @param blockValues what all of IPv4 has, for the IPv6 blocks that carry it; undefined where it differs */
function buildFamily(
  family: FamilyRanges,
  spec: MapSpec,
  chains: ChainBuilder,
  blockValues: readonly [number | undefined, number | undefined],
): BuiltFamily {
  const segments = cutSegments(family, spec, chains);
  const whole = buildLevel(family, chains.chainOfPlace, (chain) => chain, blockValues[1]);
  const firsts = Int32Array.from(chains.chains, (chain) => chain[0]!);
  const first = buildLevel(
    family,
    chains.chainOfPlace.map((chain) => firsts[chain]!),
    (chain) => firsts[chain]!,
    blockValues[0],
  );
  const levels: [Level, Level] = [first, whole];
  return {
    count: family.count,
    levels,
    segmentCount: segments?.length ?? 0,
    segments: segments && segmentTable(segments, family, levels),
    uniform: [uniformValue(family, segments, first), uniformValue(family, segments, whole)],
  };
}

function buildLevel(
  family: FamilyRanges,
  valueOfPlace: Int32Array,
  valueOfChain: (chain: number) => number,
  blockValue: number | undefined,
): Level {
  // A block in which clients differ is like none of its neighbours.
  const blocks = new Map(family.blocks().map((range, block) => [range, blockValue ?? -1 - block]));
  return {
    bits: changesBitset(family.places, valueOfPlace, blocks),
    valueOfRange: (range) => blocks.get(range) ?? valueOfPlace[family.places[range]!]!,
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
