// Places as an operator writes them: countries, subdivisions, continents, cities, AS numbers and networks.
import { hasHostBits, parseAddress, parsePrefix } from '../base/address.ts';
import type { Code } from '../base/codes.ts';
import { hostBitsProblem } from '../base/fields.ts';
import { nearest } from '../base/nearest.ts';
import { allCountries, countryName, isCountry } from '../geo/countries.ts';
import { placedPrefix } from '../geo/embedded.ts';
import { CONTINENTS, foldName, type Place } from '../geo/place.ts';

export type PlaceResult =
  | { readonly ok: true; readonly place: Place }
  | { readonly ok: false; readonly code: Code; readonly message: string; readonly fix: string };

/** What people write for a country that ISO 3166 calls otherwise. */
const MISTAKEN: Readonly<Record<string, string>> = {
  UK: 'GB',
  EL: 'GR',
  SU: 'RU',
  YU: 'RS',
  CS: 'RS',
  BU: 'MM',
  ZR: 'CD',
  TP: 'TL',
  AN: 'CW',
  FX: 'FR',
  KO: 'XK',
  EU: 'europe',
};

function bad(code: Code, message: string, fix: string): PlaceResult {
  return { ok: false, code, message, fix };
}

/** Reads one place: `RU`, `US-CA`, `europe`, `city:RU/Moscow`, `AS64500`, `192.0.2.0/24`. */
export function parsePlace(text: string): PlaceResult {
  if (text.includes('/') && !text.startsWith('city:')) return parseNetwork(text);
  if (parseAddress(text) !== undefined) {
    const length = text.includes(':') ? 128 : 32;
    return bad(
      'bad-network',
      `"${text}" is an address, not a network`,
      `write ${text}/${length}, or the network you mean`,
    );
  }
  if (text.startsWith('city:')) return parseCity(text);
  if (Object.hasOwn(CONTINENTS, text)) {
    return { ok: true, place: { kind: 'continent', code: CONTINENTS[text as keyof typeof CONTINENTS] } };
  }
  if (/^AS[0-9]+$/i.test(text)) return parseAs(text);
  if (/^[A-Za-z]{2}$/.test(text)) {
    const problem = countryProblem(text);
    return problem ?? { ok: true, place: { kind: 'country', code: text } };
  }
  if (/^[A-Za-z]{2}-[A-Za-z0-9]{1,3}$/.test(text)) return parseSubdivision(text);
  return unknownPlace(text);
}

function parseNetwork(text: string): PlaceResult {
  const prefix = parsePrefix(text);
  if (prefix === undefined) {
    return bad('bad-network', `"${text}" is not a network`, 'write a network such as 192.0.2.0/24 or 2001:db8::/32');
  }
  if (hasHostBits(prefix)) return bad('host-bits', ...hostBitsProblem(prefix));
  const placed = placedPrefix(prefix);
  if (placed !== undefined) return { ok: true, place: { kind: 'network', prefix: placed } };
  const message = `${text} lies where IPv6 addresses carry IPv4 ones, which are placed as IPv4`;
  return bad('embedded-network', message, 'write the IPv4 network');
}

function parseAs(text: string): PlaceResult {
  const number = Number(text.slice(2));
  if (/^AS[1-9][0-9]*$/.test(text) && number <= 0xffffffff) return { ok: true, place: { kind: 'as', number } };
  const right =
    number >= 1 && number <= 0xffffffff ? `write AS${number}` : 'write AS and a number from 1 to 4294967295';
  return bad('bad-as', `"${text}" is not an AS number`, right);
}

/** What is wrong with a country code; null when it is right. */
function countryProblem(code: string): PlaceResult | null {
  if (isCountry(code)) return null;
  const upper = code.toUpperCase();
  const meant = MISTAKEN[upper] ?? (isCountry(upper) ? upper : undefined);
  const fix = meant === undefined ? 'write an ISO 3166-1 alpha-2 code such as DE' : `did you mean ${meant}?`;
  return bad('unknown-country', `there is no country "${code}"`, fix);
}

function parseSubdivision(text: string): PlaceResult {
  const country = text.slice(0, 2);
  const problem = countryProblem(country);
  if (problem !== null) return problem;
  if (/^[A-Z]{2}-[A-Z0-9]{1,3}$/.test(text)) return { ok: true, place: { kind: 'subdivision', code: text } };
  return bad('unknown-place', `"${text}" is not a subdivision code`, `did you mean ${text.toUpperCase()}?`);
}

function parseCity(text: string): PlaceResult {
  const match = /^city:([^/]+)\/(.+)$/.exec(text);
  const name = match?.[2]?.trim() ?? '';
  if (match === null || foldName(name) === '') {
    return bad(
      'bad-city',
      `"${text}" does not name a city`,
      'write city:COUNTRY/NAME, such as city:RU/Moscow or city:US-IL/Springfield',
    );
  }
  const area = parsePlace(match[1]!);
  if (!area.ok) return area;
  const { place } = area;
  if (place.kind === 'country')
    return { ok: true, place: { kind: 'city', country: place.code, subdivision: null, name } };
  if (place.kind === 'subdivision') {
    return { ok: true, place: { kind: 'city', country: place.code.slice(0, 2), subdivision: place.code, name } };
  }
  return bad(
    'bad-city',
    `"${match[1]}" is neither a country nor a subdivision`,
    'write city:RU/Moscow or city:US-IL/Springfield',
  );
}

function unknownPlace(text: string): PlaceResult {
  const asContinent = nearest(text.replaceAll(/[ _]/g, '-'), Object.keys(CONTINENTS));
  const named = allCountries().find((code) => countryName(code)?.toLowerCase() === text.toLowerCase());
  const meant = named ?? asContinent ?? (/^[1-9][0-9]{0,9}$/.test(text) ? `AS${text}` : undefined);
  const forms =
    'a place is a country (DE), subdivision (US-CA), continent (europe), city:RU/Moscow, AS64500 or a network';
  return bad('unknown-place', `"${text}" is no place`, meant === undefined ? forms : `did you mean ${meant}? ${forms}`);
}
