// Where one address lies, for people: its place, its AS number, and the network around it that lies there too.
import type { Address, Prefix } from '../base/address.ts';
import { placedAddress } from './embedded.ts';
import type { GeoView } from './lookup.ts';
import type { Source } from './merge.ts';
import type { PlaceFacts } from './place.ts';

/** Where an address lies, for people. */
export interface LocatedAddress {
  /** The address that was looked up: the IPv4 one inside where there is one. */
  readonly address: Address;
  readonly placeId: number;
  readonly facts: PlaceFacts;
  /** null where nobody knows the place. */
  readonly source: Source | null;
  /** AS number; 0 where no database or override says. */
  readonly as: number;
  /** The whole range with this place, and the largest network around the address in it. */
  readonly first: Address;
  readonly last: Address;
  readonly network: Prefix;
}

/** Looks an address up; the IPv4 one inside where there is one. */
export function locate(geo: GeoView, asked: Address): LocatedAddress {
  const address = placedAddress(asked);
  const words = wordsOf(address.bytes);
  const four = address.family === 4;
  const range = four ? geo.find4(words[0]!) : geo.find6(words[0]!, words[1]!, words[2]!, words[3]!);
  const placeId = four ? geo.place4(range) : geo.place6(range);
  const first = startOf(geo, address.family, range);
  const last =
    range + 1 === (four ? geo.count4 : geo.count6)
      ? { family: address.family, bytes: new Uint8Array(address.bytes.length).fill(255) }
      : before(startOf(geo, address.family, range + 1));
  return {
    address,
    placeId,
    facts: geo.facts(placeId),
    source: geo.sourceOf(placeId),
    as: asOf(geo, address),
    first,
    last,
    network: largestNetwork(address, first, last),
  };
}

/** The AS number of an address, 0 for none. */
function asOf(geo: GeoView, address: Address): number {
  const { family, bytes } = address;
  const key = wordsOf(bytes);
  let low = 0;
  let high = geo.asCount(family) - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    let order = 0;
    for (let c = 0; c < key.length && order === 0; c++)
      order = (geo.asStart(family, middle, c) >>> 0) - (key[c]! >>> 0);
    if (order <= 0) low = middle;
    else high = middle - 1;
  }
  return geo.asNumber(family, low);
}

/** An address as int32 words, most significant first. */
export function wordsOf(bytes: Uint8Array): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Int32Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(i * 4));
}

/** The first address of a range. */
export function startOf(geo: GeoView, family: 4 | 6, range: number): Address {
  return addressOf(family === 4 ? [geo.start4(range)] : [0, 1, 2, 3].map((column) => geo.start6(range, column)));
}

/** The address of int32 words, most significant first: the other way round than `wordsOf`. */
export function addressOf(words: readonly number[]): Address {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    view.setInt32(i * 4, word);
  });
  return { family: words.length === 1 ? 4 : 6, bytes };
}

/** The address before one that isn't zero. */
function before(address: Address): Address {
  const bytes = address.bytes.slice();
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = bytes[i]! - 1;
    if (bytes[i] !== 255) break;
  }
  return { family: address.family, bytes };
}

/** The shortest prefix around an address that lies in [first, last]. */
function largestNetwork(address: Address, first: Address, last: Address): Prefix {
  const bits = address.bytes.length * 8;
  for (let length = 0; length < bits; length++) {
    const low = address.bytes.slice();
    const high = address.bytes.slice();
    for (let i = 0; i < low.length; i++) {
      const mask = 0xff >> Math.max(0, Math.min(8, length - i * 8));
      low[i] = low[i]! & ~mask;
      high[i] = high[i]! | mask;
    }
    if (Buffer.compare(low, first.bytes) >= 0 && Buffer.compare(high, last.bytes) <= 0) {
      return { address: { family: address.family, bytes: low }, length };
    }
  }
  return { address, length: bits };
}
