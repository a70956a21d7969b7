// The layout of a region map's segment, in words of 32 bits, all offsets in words from its first.
//
//   header (MAP below): magic, format version, length, stamp of the geo image that it was built for, then counts and offsets
//
//   chains       for each chain the offset of [n, offset of variant, ...]: the lists that a client goes through, in order
//   variants     [slot, then for each `closest` of the slot's list, in its order: n entries], an entry being the number of a pool in the
//                `closest`, with TIER_START where it begins a new tier; pools of one tier are equally near
//   placeChain   for each place of the geo image its chain, packed 1, 2 or 4 to a word, the first in the lowest bits
//   bits         for each family and level a bitset over the geo image's ranges (regionmapbits.ts): set where the client's lists
//                differ from the range before. Level 0: the first list; level 1: the whole chain. Equal levels share one bitset.
//   segments     only where networks or AS numbers are named: the address space again, cut into pieces that have their chain
//                directly, and gaps where geography decides (chain -1). Columns of `count` words each, for IPv6 starts and bounds of
//                4 columns: start (highest bit of each word flipped), chain, and for level 0, then level 1, the run of equal lists that the
//                segment's first address lies in: its first address; and the run that its last address lies in: the address after it
//                (all zeros: the run reaches the end of the space). So a run that crosses segments costs one step, however many they are.

export const MAP_MAGIC = 0x50414d4d;
/** Raised with every change of the layout: maps of other versions are not read. */
export const MAP_VERSION = 1;

/** Words of the header. */
export const MAP = {
  magic: 0,
  version: 1,
  length: 2,
  geoStamp: 3,
  chainCount: 4,
  chains: 5,
  placeChain: 6,
  /** log2 of the places to a word. */
  placeShift: 7,
  placeMask: 8,
  /** Bitsets by family and level. */
  bits4: 9,
  bits6: 11,
  count4: 13,
  count6: 14,
  segmentCount4: 15,
  segments4: 16,
  segmentCount6: 17,
  segments6: 18,
  size: 20,
} as const;

/** Bit of an entry of a variant: a new tier begins here. */
export const TIER_START = 0x10000;

/** Words before the bounds in a row of segments: start and chain. */
export function boundsColumn(words: 1 | 4, level: number, bound: 0 | 1): number {
  return words + 1 + (level * 2 + bound) * words;
}

/** Columns of a table of segments. */
export function segmentColumns(words: 1 | 4): number {
  return words + 1 + 4 * words;
}
