// The words for where a client is: places that an operator writes, and what is known of one address.
import { formatPrefix, maskAddress, type Prefix } from '../base/address.ts';

/** ISO-like codes of the contract's seven continents, as the databases write them. */
export const CONTINENTS = {
  africa: 'AF',
  antarctica: 'AN',
  asia: 'AS',
  europe: 'EU',
  'north-america': 'NA',
  oceania: 'OC',
  'south-america': 'SA',
} as const;

export type ContinentCode = (typeof CONTINENTS)[keyof typeof CONTINENTS];

/** Latitude and longitude in degrees. */
export type Coordinates = readonly [latitude: number, longitude: number];

/** A place as a zone file names it: what a region is made of. */
export type Place =
  | { readonly kind: 'network'; readonly prefix: Prefix }
  | { readonly kind: 'as'; readonly number: number }
  /** `country` upper case; `subdivision` (`US-IL`) only where it was written; `name` as written. */
  | { readonly kind: 'city'; readonly country: string; readonly subdivision: string | null; readonly name: string }
  | { readonly kind: 'subdivision'; readonly code: string }
  | { readonly kind: 'country'; readonly code: string }
  | { readonly kind: 'continent'; readonly code: ContinentCode };

/** A place's canonical text, equal for equal places: `10.0.0.0/8`, `AS64500`, `city:US-IL/springfield`, `US-CA`, `RU`, `europe`. */
export type PlaceKey = string;

/** What is known of one address; null where no database or override says. */
export interface PlaceFacts {
  readonly country: string | null;
  readonly continent: ContinentCode | null;
  /** ISO 3166-2, `US-CA`; of several the widest (`GB-ENG`). */
  readonly subdivision: string | null;
  /** ISO 3166-2 of a subdivision inside that one (`GB-LND`), where a database has both. */
  readonly district: string | null;
  readonly city: string | null;
  readonly at: Coordinates | null;
}

/** What is known of an address that nobody knows. */
export const NOWHERE: PlaceFacts = {
  country: null,
  continent: null,
  subdivision: null,
  district: null,
  city: null,
  at: null,
};

/** The number of the place of special-purpose addresses that no override places (special.ts): nowhere, whatever a database says. */
export const SPECIAL_PLACE = 1;

/** Letters that no accent makes of others (Unicode doesn't take them apart), as files without diacritics write them: `Tromso`. */
const PLAIN_LETTERS: Readonly<Record<string, string>> = {
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  æ: 'ae',
  œ: 'oe',
  ß: 'ss',
  ı: 'i',
  ħ: 'h',
  ə: 'e',
};

/** Names compare without case, accents and punctuation: `São Paulo` is `sao paulo`, `St. Louis` is `st louis`, `Tromsø` is `tromso`. */
export function foldName(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[øłđðþæœßıħə]/g, (letter) => PLAIN_LETTERS[letter]!)
    .replace(/[\p{M}'‘’`´ʹʻʼʽʾʿ]/gu, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/**
 * The names that a city of a database answers to, folded, its own first: DB-IP writes the district behind it, and a client in
 * `Frankfurt am Main (Gallus)` is one in Frankfurt am Main.
 */
export function cityNames(city: string): readonly string[] {
  const whole = foldName(city);
  const plain = foldName(city.replace(/\([^)]*\)$/, ''));
  return plain === whole || plain === '' ? [whole] : [whole, plain];
}

/** The canonical text of a place. */
export function placeKey(place: Place): PlaceKey {
  switch (place.kind) {
    case 'network':
      return formatPrefix({
        address: maskAddress(place.prefix.address, place.prefix.length),
        length: place.prefix.length,
      });
    case 'as':
      return `AS${place.number}`;
    case 'city':
      return `city:${place.subdivision ?? place.country}/${foldName(place.name)}`;
    case 'subdivision':
    case 'country':
      return place.code;
    case 'continent':
      return continentName(place.code);
  }
}

/** The contract's word for a continent code: `EU` is `europe`. */
export function continentName(code: ContinentCode): keyof typeof CONTINENTS {
  return (Object.keys(CONTINENTS) as (keyof typeof CONTINENTS)[]).find((name) => CONTINENTS[name] === code)!;
}
