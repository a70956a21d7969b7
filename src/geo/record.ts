// One database record of any schema in use, brought to the same few facts.
import { continentOf, continentOfCode, isContinentCode, isCountry } from './countries.ts';
import type { MmdbValue } from './mmdb-data.ts';
import { type ContinentCode, type Coordinates, NOWHERE, type PlaceFacts } from './place.ts';
import { subdivisionAround, subdivisionByName } from './subdivisions.ts';

/** What one record says. */
export interface RecordFacts {
  readonly place: PlaceFacts;
  /** 0 where the record has none. */
  readonly as: number;
}

type Fields = { readonly [key: string]: MmdbValue };

/**
 * Reads MaxMind's nested schemas (City, Country, Enterprise, ASN, ISP; DB-IP and IP2Location write the same) and the flat ones of
 * ip-location-db (`country_code`, `state1`, `autonomous_system_number`) and IPinfo (`country`, `region`, `loc`, `asn: "AS123"`).
 */
export function readRecord(record: MmdbValue): RecordFacts {
  const fields = fieldsOf(record);
  const country = readCountry(fields);
  const [subdivision, district] = readSubdivisions(fields, country);
  return {
    place: {
      country,
      continent: readContinent(fields),
      subdivision,
      district,
      city: nameOf(fields.city),
      at: readCoordinates(fields),
    },
    as: readAs(fields),
  };
}

/** Country and AS alone, for who needs no more: a city database has half a million of other facts. */
export function readCountryAndAs(record: MmdbValue): RecordFacts {
  const fields = fieldsOf(record);
  return { place: { ...NOWHERE, country: readCountry(fields) }, as: readAs(fields) };
}

function readCountry(fields: Fields): string | null {
  for (const value of [
    fieldsOf(fields.country).iso_code,
    fields.country_code,
    fields.country_iso_code,
    fields.country,
  ]) {
    const code = textOf(value)?.toUpperCase();
    if (code !== undefined && isCountry(code)) return code;
  }
  return null;
}

function readContinent(fields: Fields): ContinentCode | null {
  const country = textOf(fields.country_code) ?? textOf(fieldsOf(fields.country).iso_code) ?? textOf(fields.country);
  for (const value of [fieldsOf(fields.continent).code, fields.continent_code, fields.continent]) {
    const code = textOf(value)?.toUpperCase();
    if (code !== undefined && isContinentCode(code)) return code;
  }
  // Some databases write EU as the country of what they can place no better. A real country's continent follows from it later.
  const code = country?.toUpperCase() ?? '';
  return isCountry(code) ? null : continentOfCode(code);
}

/** The widest subdivision and the one inside it. */
function readSubdivisions(fields: Fields, country: string | null): [string | null, string | null] {
  if (country === null) return [null, null];
  const found: string[] = [];
  const add = (codes: readonly (MmdbValue | undefined)[], names: readonly (MmdbValue | undefined)[]): void => {
    const code = codeIn(country, codes);
    const named = code === null ? namedBy(country, names, found[0] ?? null) : [code];
    for (const one of named) if (!found.includes(one)) found.push(one);
  };
  if (Array.isArray(fields.subdivisions)) {
    for (const item of fields.subdivisions) {
      const { iso_code: code, names, name } = fieldsOf(item);
      add([code], [nameOf(names) ?? undefined, name]);
    }
  }
  add(
    [fields.subdivision_code, fields.subdivision_iso_code, fields.region_code, fields.state_code],
    [fields.region, fields.subdivision, fields.state1, fields.state],
  );
  add([], [fields.state2]);
  return [found[0] ?? null, found[1] ?? null];
}

/** `US-CA` and `CA` are US-CA. */
function codeIn(country: string, values: readonly (MmdbValue | undefined)[]): string | null {
  for (const value of values) {
    const text = textOf(value);
    if (text === undefined) continue;
    if (/^[A-Z0-9]{1,3}$/.test(text)) return `${country}-${text}`;
    if (/^[A-Z]{2}-[A-Z0-9]{1,3}$/.test(text) && text.startsWith(country)) return text;
  }
  return null;
}

/**
 * `California` is US-CA, and where fields for names hold a code, that. The name of a part alone says what it lies in too:
 * Madrid's province is [ES-MD, ES-M].
 */
function namedBy(country: string, values: readonly (MmdbValue | undefined)[], within: string | null): string[] {
  for (const value of values) {
    const text = textOf(value);
    if (text === undefined) continue;
    const code = subdivisionByName(country, text, within);
    if (code === null) {
      const written = codeIn(country, [text]);
      if (written !== null) return [written];
      continue;
    }
    const around = subdivisionAround(code);
    return around === null ? [code] : [around, code];
  }
  return [];
}

function readCoordinates(fields: Fields): Coordinates | null {
  const location = fieldsOf(fields.location);
  let latitude = numberOf(location.latitude ?? fields.latitude ?? fields.lat);
  let longitude = numberOf(location.longitude ?? fields.longitude ?? fields.lng ?? fields.lon);
  const pair = /^\s*(-?[0-9.]+)\s*,\s*(-?[0-9.]+)\s*$/.exec(textOf(fields.loc) ?? '');
  if (pair !== null) {
    latitude = Number(pair[1]);
    longitude = Number(pair[2]);
  }
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return null;
  // Nobody lives where the equator meets the prime meridian: it is what exporters make of an empty cell.
  return latitude === 0 && longitude === 0 ? null : [latitude, longitude];
}

function readAs(fields: Fields): number {
  const value =
    fields.autonomous_system_number ??
    fieldsOf(fields.traits).autonomous_system_number ??
    fields.asn ??
    fields.as_number ??
    fieldsOf(fields.as).asn;
  const number =
    typeof value === 'string' ? Number(/^(?:AS)?([0-9]{1,10})$/i.exec(value.trim())?.[1] ?? 0) : Number(value ?? 0);
  return Number.isInteger(number) && number > 0 && number <= 0xffff_ffff ? number : 0;
}

function fieldsOf(value: MmdbValue | undefined): Fields {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array) ? value : {};
}

function textOf(value: MmdbValue | undefined): string | undefined {
  const text = typeof value === 'string' ? value.trim() : '';
  return text === '' ? undefined : text;
}

function numberOf(value: MmdbValue | undefined): number {
  if (typeof value === 'number') return value;
  const text = textOf(value);
  return text === undefined ? Number.NaN : Number(text);
}

/** A name as flat text, `{ en }`, or `{ names: { en } }`; of other languages the first. */
function nameOf(value: MmdbValue | undefined): string | null {
  const flat = textOf(value);
  if (flat !== undefined) return flat;
  const fields = fieldsOf(value);
  const names = fields.names === undefined ? fields : fieldsOf(fields.names);
  return textOf(names.en) ?? textOf(fields.name) ?? textOf(Object.values(names)[0]) ?? null;
}

/** The continent that facts stand for: their own, else their country's. */
export function withContinent(facts: PlaceFacts): PlaceFacts {
  return facts.continent !== null || facts.country === null
    ? facts
    : { ...facts, continent: continentOf(facts.country) };
}
