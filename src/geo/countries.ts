// Countries and the continents that they lie in.
import { countries } from 'countries-list';
import { CONTINENTS, type ContinentCode } from './place.ts';

const CONTINENT_CODES: ReadonlySet<string> = new Set(Object.values(CONTINENTS));

/** Reserved by ISO 3166-1 for other uses, but no countries: parts of Saint Helena that are `SH`. */
const NOT_COUNTRIES: ReadonlySet<string> = new Set(['AC', 'TA']);

/**
 * Where databases and the list that the others come from disagree. Russia: most of its addresses are used in Europe, and
 * MaxMind and DB-IP say Europe, so clients would move between continents with the choice of the database. Christmas Island: Australia's,
 * and in Oceania for MaxMind.
 */
const OTHER_CONTINENTS: Readonly<Record<string, ContinentCode>> = { RU: 'EU', CX: 'OC' };

/**
 * Codes that databases and registries write as a country's and that name none: of where they are used, the continent is all that is
 * known. The Netherlands Antilles fell into three countries in 2010.
 */
const CONTINENT_ONLY: Readonly<Record<string, ContinentCode>> = { EU: 'EU', AP: 'AS', AN: 'NA' };

/** Whether a text is an ISO 3166-1 alpha-2 code in capitals (or `XK`, Kosovo). */
export function isCountry(code: string): boolean {
  return Object.hasOwn(countries, code) && !NOT_COUNTRIES.has(code);
}

/** Every country code, sorted. */
export function allCountries(): string[] {
  return Object.keys(countries).filter(isCountry).sort();
}

/** A country's English name; null for what is no country. */
export function countryName(code: string): string | null {
  return isCountry(code) ? countries[code as keyof typeof countries].name : null;
}

/** The continent of a country; null for what is no country. */
export function continentOf(code: string): ContinentCode | null {
  return isCountry(code) ? (OTHER_CONTINENTS[code] ?? countries[code as keyof typeof countries].continent) : null;
}

/** The continent of a country or of a code that stands in a country's place (`EU`, `AP`, `AN`); null for anything else. */
export function continentOfCode(code: string): ContinentCode | null {
  return continentOf(code) ?? (Object.hasOwn(CONTINENT_ONLY, code) ? CONTINENT_ONLY[code]! : null);
}

/** Whether a text is one of the seven codes that databases use (`EU`). */
export function isContinentCode(code: string): code is ContinentCode {
  return CONTINENT_CODES.has(code);
}
