// The directory: the one segment that is current, from which every zone, region map and the geo image are reached.
//
//  words: [0] generation (never 0)  [1] geo image ref, 0: none  [2] zones  [3] table mask  [4] table, word
//         [5..8] bit n set: some zone's apex has n labels (0 to 127)
//  table  slots of 2 words [hash of the apex][entry word]; open addressing, power of two, at most half full
//  entry  [0] apex octets | state << 8   [1] zone image ref, 0 in ZONE_ERROR   [2] zone number (row of its counters)
//         [3] map count   [4..] map refs, then the apex (wire, lower case)

import { hashLabel, NAME_HASH_ROOT } from '../base/hash.ts';
import type { SegmentRef } from '../board/store.ts';
import type { Labels } from '../wire/labels.ts';

export const DIRECTORY = {
  generation: 0,
  geo: 1,
  zones: 2,
  tableMask: 3,
  table: 4,
  depths: 5,
  size: 9,
} as const;

export const ENTRY = { apex: 0, image: 1, number: 2, maps: 3, size: 4 } as const;

/** The zone has an image. */
const ZONE_OK = 0;
/** The zone never had a good version: SERVFAIL. */
export const ZONE_ERROR = 1;

export interface DirectoryZone {
  /** Wire form, lower case. */
  readonly apex: Uint8Array;
  /** null: in error, answered with SERVFAIL. */
  readonly image: SegmentRef | null;
  readonly number: number;
  readonly maps: readonly SegmentRef[];
}

/**
 * The entry of the zone whose apex is the suffix of `labels` that starts at label `i`: a word in `words`, or 0.
 * @param at the directory's first word in `words`; `bytes` is the same memory
 */
export function findEntry(words: Int32Array, bytes: Uint8Array, at: number, labels: Labels, i: number): number {
  const hash = labels.hashes[i]!;
  const mask = words[at + DIRECTORY.tableMask]!;
  const table = at + words[at + DIRECTORY.table]!;
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const entryWord = words[table + slot * 2 + 1]!;
    if (entryWord === 0) return 0;
    if (words[table + slot * 2] !== hash) continue;
    const entry = at + entryWord;
    const nameAt = (entry + ENTRY.size + words[entry + ENTRY.maps]!) * 4;
    if (labels.suffixEquals(i, bytes, nameAt, words[entry + ENTRY.apex]! & 255)) return entry;
  }
}

/** Builds the directory's image. */
export function buildDirectory(generation: number, geo: SegmentRef, zones: readonly DirectoryZone[]): Uint8Array {
  let slots = 4;
  while (slots < zones.length * 2) slots *= 2;
  const entryWords = (z: DirectoryZone): number => ENTRY.size + z.maps.length + Math.ceil(z.apex.length / 4);
  const total = zones.reduce((sum, z) => sum + entryWords(z), DIRECTORY.size + slots * 2);
  const words = new Int32Array(total);
  const bytes = new Uint8Array(words.buffer);
  words[DIRECTORY.generation] = generation;
  words[DIRECTORY.geo] = geo;
  words[DIRECTORY.zones] = zones.length;
  words[DIRECTORY.tableMask] = slots - 1;
  words[DIRECTORY.table] = DIRECTORY.size;
  let at = DIRECTORY.size + slots * 2;
  for (const zone of zones) {
    const starts: number[] = [];
    for (let p = 0; zone.apex[p] !== 0; p += zone.apex[p]! + 1) starts.push(p);
    const hash = starts.reduceRight((h, p) => hashLabel(h, zone.apex, p), NAME_HASH_ROOT);
    words[DIRECTORY.depths + (starts.length >> 5)]! |= 1 << (starts.length & 31);
    let slot = hash & (slots - 1);
    while (words[DIRECTORY.size + slot * 2 + 1] !== 0) slot = (slot + 1) & (slots - 1);
    words[DIRECTORY.size + slot * 2] = hash;
    words[DIRECTORY.size + slot * 2 + 1] = at;
    words[at + ENTRY.apex] = zone.apex.length | ((zone.image === null ? ZONE_ERROR : ZONE_OK) << 8);
    words[at + ENTRY.image] = zone.image ?? 0;
    words[at + ENTRY.number] = zone.number;
    words[at + ENTRY.maps] = zone.maps.length;
    zone.maps.forEach((map, i) => {
      words[at + ENTRY.size + i] = map;
    });
    bytes.set(zone.apex, (at + ENTRY.size + zone.maps.length) * 4);
    at += entryWords(zone);
  }
  return bytes;
}
