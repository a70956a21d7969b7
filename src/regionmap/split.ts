// Counts the networks that resolvers send in which clients get different lists: what one of them may be told for all.
import { limits } from '../base/limits.ts';
import { embeddedBlock, NOT_EMBEDDED } from '../geo/embedded.ts';
import type { GeoView } from '../geo/lookup.ts';
import { MAP } from './layout.ts';
import { RegionMapView } from './lookup.ts';

/** The client subnets that large resolvers send: RFC 7871 11.1 asks for no longer ones. */
const SENT_BITS = { 4: 24, 6: 56 } as const;

const SIGN = 0x80000000 | 0;

/**
 * How many IPv4 /24 and IPv6 /56 hold clients whose first lists differ. A list begins where a range of the image does, or a
 * network or AS of the map: each such place inside of a network is asked for its scope.
 * @param map at word `atWords` of `words`, made for `geo`
 */
export function* countSplit(
  words: Int32Array,
  atWords: number,
  geo: GeoView,
): Generator<void, { ipv4: number; ipv6: number }> {
  const view = new RegionMapView();
  view.attach(words, atWords, geo);
  const four = new Set<number>();
  const try4 = (start: number): void => {
    if ((start & 0xff) === 0 || four.has(start >>> 8)) return;
    view.locate4(start, -1);
    if (view.scope(0) > SENT_BITS[4]) four.add(start >>> 8);
  };
  for (let range = 0; range < geo.count4; range++) {
    if (range % limits.splitStep === 0) yield;
    try4(geo.start4(range));
  }
  const segments4 = atWords + words[atWords + MAP.segments4]!;
  for (let i = 0; i < words[atWords + MAP.segmentCount4]!; i++) {
    if (i % limits.splitStep === 0) yield;
    try4(words[segments4 + i]! ^ SIGN);
  }
  const six = new Set<string>();
  const try6 = (w0: number, w1: number, w2: number, w3: number): void => {
    // Global unicast (2000::/3, RFC 4291 2.4): no resolver sends others.
    if (w0 >>> 29 !== 1 || ((w1 & 0xff) | w2 | w3) === 0 || embeddedBlock(w0, w1, w2, w3) !== NOT_EMBEDDED) return;
    const network = `${w0},${w1 >>> 8}`;
    if (six.has(network)) return;
    view.locate6(w0, w1, w2, w3);
    if (view.scope(0) > SENT_BITS[6]) six.add(network);
  };
  for (let range = 0; range < geo.count6; range++) {
    if (range % limits.splitStep === 0) yield;
    try6(geo.start6(range, 0), geo.start6(range, 1), geo.start6(range, 2), geo.start6(range, 3));
  }
  const n = words[atWords + MAP.segmentCount6]!;
  const segments6 = atWords + words[atWords + MAP.segments6]!;
  const word = (column: number, i: number): number => words[segments6 + column * n + i]! ^ SIGN;
  for (let i = 0; i < n; i++) {
    if (i % limits.splitStep === 0) yield;
    try6(word(0, i), word(1, i), word(2, i), word(3, i));
  }
  return { ipv4: four.size, ipv6: six.size };
}
