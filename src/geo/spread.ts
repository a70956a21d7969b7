// The countries that the addresses of one network lie in: a resolver sends a whole network, and gets one answer for it.
import type { Prefix } from '../base/address.ts';
import { placedPrefix } from './embedded.ts';
import { PLACE } from './image.ts';
import { wordsOf } from './locate.ts';
import type { GeoView } from './lookup.ts';

/** What an address that nobody knows is in. */
const UNKNOWN = 'no known country';

/** The countries of a network that lies in several, those with most addresses first; empty where it lies in one, or nowhere. */
export function severalCountries(geo: GeoView, prefix: Prefix): string[] {
  const placed = placedPrefix(prefix);
  if (placed === undefined) return [];
  const { address, length } = placed;
  const last = lastAddress(address.bytes, length);
  const first = wordsOf(address.bytes);
  const end = wordsOf(last);
  const four = address.family === 4;
  const find = (w: Int32Array): number => (four ? geo.find4(w[0]!) : geo.find6(w[0]!, w[1]!, w[2]!, w[3]!));
  const to = find(end);
  const sizes = new Map<number, number>();
  let start = numberOf(first);
  for (let range = find(first); range <= to; range++) {
    const after = range === to ? numberOf(end) + 1n : startOf(geo, four, range + 1);
    const place = four ? geo.place4(range) : geo.place6(range);
    const country = geo.placeWord(place, PLACE.country);
    sizes.set(country, (sizes.get(country) ?? 0) + Number(after - start));
    start = after;
  }
  if (sizes.size < 2) return [];
  return [...sizes].sort((a, b) => b[1] - a[1]).map(([country]) => geo.text(country) ?? UNKNOWN);
}

function startOf(geo: GeoView, four: boolean, range: number): bigint {
  return four
    ? numberOf(Int32Array.of(geo.start4(range)))
    : numberOf(Int32Array.from([0, 1, 2, 3], (column) => geo.start6(range, column)));
}

function numberOf(words: Int32Array): bigint {
  return words.reduce((all, word) => (all << 32n) | BigInt(word >>> 0), 0n);
}

function lastAddress(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.map((byte, i) => byte | (0xff >> Math.max(0, Math.min(8, length - i * 8))));
}
