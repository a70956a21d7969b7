// Rules that name networks and AS numbers: where they hold, and how the runs of equal lists go on across their edges.
import { EMBEDDED_BLOCKS, placedPrefix } from '../geo/embedded.ts';
import { mergeTables, nestPrefixes, RangeTable } from '../geo/ranges.ts';
import { nextBit, previousBit } from './bits.ts';
import type { ChainBuilder } from './chains.ts';
import { type AddressWords, compareWords, type FamilyRanges, startOf } from './family.ts';
import { boundsColumn, segmentColumns } from './layout.ts';
import type { MapSpec } from './spec.ts';

const SIGN = 0x80000000;
const NOWHERE: AddressWords = [0, 0, 0, 0];

/**
 * Cuts the space into segments: 1 + chain where rules for networks or AS numbers decide, 0 where geography does. null where no rule
 * holds anywhere. Adjacent segments of one chain are one.
 */
export function cutSegments(family: FamilyRanges, spec: MapSpec, chains: ChainBuilder): RangeTable | null {
  const prefixes: ReturnType<typeof placedPrefix>[] = [];
  const slots: number[] = [];
  const asSlots = new Map<number, number>();
  for (const { places, slot } of spec.regions) {
    for (const place of places) {
      if (place.kind === 'as' && !asSlots.has(place.number)) asSlots.set(place.number, slot);
      if (place.kind !== 'network') continue;
      const prefix = placedPrefix(place.prefix);
      if (prefix === undefined || (prefix.address.family === 4) !== (family.words === 1)) continue;
      prefixes.push(prefix);
      slots.push(slot);
    }
  }
  const networks = nestPrefixes(
    family.words,
    prefixes.map((prefix) => prefix!),
  );
  const numbers = asSlots.size === 0 ? null : family.asTable(asSlots);
  if (
    networks.table.length === 1 &&
    networks.table.values[0] === 0 &&
    (numbers === null || numbers.length === 1) &&
    !numbers?.values[0]
  )
    return null;

  const ruleLists: (readonly number[])[] = [[]];
  const known = new Map<string, number>([['', 0]]);
  const tables = [
    networks.table,
    ...(numbers === null ? [] : [numbers]),
    ...(family.words === 4 ? [nestPrefixes(4, EMBEDDED_BLOCKS).table] : []),
  ];
  const overlay = mergeTables(tables, (values) => {
    if (family.words === 4 && values[tables.length - 1] !== 0) return 0;
    const list: number[] = [];
    for (let i = values[0]! - 1; i >= 0; i = networks.parents[i]!) list.push(slots[i]!);
    if (numbers !== null && values[1] !== 0) list.push(values[1]! - 1);
    const key = list.join();
    const number = known.get(key) ?? ruleLists.push(list) - 1;
    known.set(key, number);
    return number;
  });
  return chainsOf(overlay, ruleLists, family, chains);
}

/** Replaces the rules' lists by chains, which depend on the places below. */
function chainsOf(
  overlay: RangeTable,
  ruleLists: readonly (readonly number[])[],
  family: FamilyRanges,
  chains: ChainBuilder,
): RangeTable {
  const segments = new RangeTable(family.words, overlay.length);
  const known = ruleLists.map(() => new Map<number, number>());
  for (let k = 0; k < overlay.length; k++) {
    let start = startOf(overlay, k);
    if (overlay.values[k] === 0) {
      segments.append(...start, 0);
      continue;
    }
    const rules = ruleLists[overlay.values[k]!]!;
    const end = k + 1 < overlay.length ? startOf(overlay, k + 1) : null;
    for (let range = family.find(start); ; ) {
      const place = family.places[range]!;
      const kind = chains.kindOf(rules, place);
      let chain = known[overlay.values[k]!]!.get(kind);
      if (chain === undefined) {
        chain = chains.chainFor(rules, place);
        known[overlay.values[k]!]!.set(kind, chain);
      }
      segments.append(...start, chain + 1);
      if (++range === family.count) break;
      start = family.start(range);
      if (end !== null && compareWords(start, end) >= 0) break;
    }
  }
  return segments;
}

/** What a run needs to know of one level of lists. */
export interface Level {
  readonly bits: Int32Array;
  /** The value of a range of the geo image that no rule touches; equal values are equal lists. */
  readonly valueOfRange: (range: number) => number;
  readonly valueOfChain: (chain: number) => number;
}

/** The table of segments as it stands in the map: start, chain and bounds of runs. */
export function segmentTable(segments: RangeTable, family: FamilyRanges, levels: readonly Level[]): Int32Array {
  const n = segments.length;
  const { words } = family;
  const out = new Int32Array(n * segmentColumns(words));
  const put = (column: number, k: number, address: AddressWords, flip: number): void => {
    for (let c = 0; c < words; c++) out[(column + c) * n + k] = address[c]! ^ flip;
  };
  for (let k = 0; k < n; k++) {
    put(0, k, startOf(segments, k), SIGN);
    out[words * n + k] = segments.values[k]! - 1;
  }
  const edges = new SegmentEdges(segments, family);
  levels.forEach((level, l) => {
    const { firsts, afters } = edges.runs(level);
    for (let k = 0; k < n; k++) {
      put(boundsColumn(words, l, 0), k, firsts[k]!, 0);
      put(boundsColumn(words, l, 1), k, afters[k]!, 0);
    }
  });
  return out;
}

/** The ranges of the geo image at both ends of each segment. */
class SegmentEdges {
  readonly #segments: RangeTable;
  readonly #family: FamilyRanges;
  readonly #firstRange: Int32Array;
  readonly #lastRange: Int32Array;

  constructor(segments: RangeTable, family: FamilyRanges) {
    const n = segments.length;
    this.#segments = segments;
    this.#family = family;
    this.#firstRange = new Int32Array(n);
    this.#lastRange = new Int32Array(n).fill(family.count - 1);
    for (let k = 0; k < n; k++) {
      const start = startOf(segments, k);
      const range = family.find(start);
      this.#firstRange[k] = range;
      if (k > 0) this.#lastRange[k - 1] = compareWords(family.start(range), start) === 0 ? range - 1 : range;
    }
  }

  /**
   * For each segment the first address of the run that its first address lies in, and the address after the run that its last
   * address lies in (zeros for the end of the space).
   */
  runs(level: Level): { firsts: AddressWords[]; afters: AddressWords[] } {
    const n = this.#segments.length;
    const { values } = this.#segments;
    const { count } = this.#family;
    const valueAt = (k: number, range: number): number =>
      values[k] === 0 ? level.valueOfRange(range) : level.valueOfChain(values[k]! - 1);
    const valueFirst = (k: number): number => valueAt(k, this.#firstRange[k]!);
    const valueLast = (k: number): number => valueAt(k, this.#lastRange[k]!);
    const firsts: AddressWords[] = [];
    let runFirst = NOWHERE;
    for (let k = 0; k < n; k++) {
      if (k > 0 && valueLast(k - 1) !== valueFirst(k)) runFirst = startOf(this.#segments, k);
      firsts.push(runFirst);
      if (values[k] !== 0) continue;
      const bit = previousBit(level.bits, 0, count, this.#lastRange[k]!);
      if (bit > this.#firstRange[k]!) runFirst = this.#family.start(bit);
    }
    const afters = new Array<AddressWords>(n).fill(NOWHERE);
    let runAfter = NOWHERE;
    for (let k = n - 1; k >= 0; k--) {
      if (k < n - 1 && valueLast(k) !== valueFirst(k + 1)) runAfter = startOf(this.#segments, k + 1);
      afters[k] = runAfter;
      if (values[k] !== 0) continue;
      const bit = nextBit(level.bits, 0, count, this.#firstRange[k]!);
      if (bit <= this.#lastRange[k]!) runAfter = this.#family.start(bit);
    }
    return { firsts, afters };
  }
}
