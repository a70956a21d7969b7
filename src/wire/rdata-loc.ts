// The data of LOC records (RFC 1876): a place on earth as text and as 16 octets.
import { type Failure, failure, shown, type Token } from './presentation.ts';
import { type Field, numberAt, pushNumber } from './rdata-field.ts';

/** Thousandths of an arc second in a degree. */
const DEGREE = 3_600_000;
/** RFC 1876 2: the number that stands for the equator and the prime meridian. */
const ORIGIN = 2 ** 31;
/** RFC 1876 2: altitudes count in centimetres from 100 km below the reference spheroid. */
const BASE_CENTIMETRES = 10_000_000;
/** RFC 1876 3: size 1 m, horizontal precision 10 km, vertical 10 m. */
const DEFAULT_CENTIMETRES = [100, 1_000_000, 1000] as const;
const LARGEST_SIZE = 9 * 10 ** 9;

/** The whole data of a LOC record, version 0. */
export function location(): Field {
  return {
    label: 'latitude, longitude and altitude',
    takes: 'rest',
    quotes: 'never',
    parse: (tokens, draft) => {
      const reader = new Reader(tokens);
      const latitude = reader.angle('latitude', 'N', 'S', 90);
      const longitude = reader.angle('longitude', 'E', 'W', 180);
      const altitude = reader.metres('altitude', -BASE_CENTIMETRES, 2 ** 32 - 1 - BASE_CENTIMETRES, null);
      const sizes = ['size', 'horizontal precision', 'vertical precision'].map((what, i) =>
        reader.metres(what, 0, LARGEST_SIZE, DEFAULT_CENTIMETRES[i]!),
      );
      if (reader.wrong !== null) return reader.wrong;
      if (reader.at < tokens.length) return failure(`${shown(tokens[reader.at]!.text)} is one value too many`);
      draft.octets.push(0, ...sizes.map(sizeOctet));
      for (const number of [ORIGIN + latitude, ORIGIN + longitude, BASE_CENTIMETRES + altitude]) {
        pushNumber(draft.octets, number, 4);
      }
      return null;
    },
    skip: (bytes, at) => {
      if (at + 16 !== bytes.length || bytes[at] !== 0) return -1;
      if (![1, 2, 3].every((i) => isSize(bytes[at + i]!))) return -1;
      const inRange =
        Math.abs(numberAt(bytes, at + 4, 4) - ORIGIN) <= 90 * DEGREE &&
        Math.abs(numberAt(bytes, at + 8, 4) - ORIGIN) <= 180 * DEGREE;
      return inRange ? at + 16 : -1;
    },
    print: (bytes, at) =>
      [
        angleText(numberAt(bytes, at + 4, 4) - ORIGIN, 'N', 'S'),
        angleText(numberAt(bytes, at + 8, 4) - ORIGIN, 'E', 'W'),
        metresText(numberAt(bytes, at + 12, 4) - BASE_CENTIMETRES),
        ...[1, 2, 3].map((i) => metresText((bytes[at + i]! >> 4) * 10 ** (bytes[at + i]! & 15))),
      ].join(' '),
  };
}

/** Goes through the tokens; after the first mistake everything it gives is 0. */
class Reader {
  at = 0;
  wrong: Failure | null = null;
  readonly #tokens: readonly Token[];

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** Degrees, then maybe minutes and seconds, then the hemisphere: thousandths of an arc second. */
  angle(what: string, positive: string, negative: string, most: number): number {
    let sum = 0;
    for (let part = 0; part < 4 && this.wrong === null; part++) {
      const text = (this.#tokens[this.at]?.text ?? '').toUpperCase();
      if (part > 0 && (text === positive || text === negative)) {
        this.at++;
        if (sum > most * DEGREE) return this.#fail(`the ${what} is over ${most} degrees`);
        return text === positive ? sum : -sum;
      }
      const pattern = part === 2 ? /^([0-9]{1,2})(?:\.([0-9]{1,3}))?$/ : /^([0-9]{1,3})$/;
      const match = pattern.exec(text);
      if (match === null || part === 3) break;
      const number = Number(match[1]) * 1000 + Number((match[2] ?? '').padEnd(3, '0'));
      if (part > 0 && number >= 60_000) return this.#fail(`${shown(text)} in the ${what} is not below 60`);
      sum += (number * 3600) / 60 ** part;
      this.at++;
    }
    return this.#fail(`the ${what} must be degrees, minutes, seconds and ${positive} or ${negative}`);
  }

  /** A length such as `-2.00m`, in centimetres. */
  metres(what: string, least: number, most: number, absent: number | null): number {
    if (this.wrong !== null) return 0;
    const text = this.#tokens[this.at]?.text;
    if (text === undefined) return absent ?? this.#fail(`the ${what} is missing`);
    const match = /^(-?)([0-9]{1,8})(?:\.([0-9]{1,2}))?m?$/i.exec(text);
    if (match === null) return this.#fail(`the ${what} ${shown(text)} is no length in metres`);
    const length = Number(match[2]) * 100 + Number((match[3] ?? '').padEnd(2, '0'));
    const signed = match[1] === '-' ? -length : length;
    if (signed < least || signed > most)
      return this.#fail(`the ${what} must be from ${least / 100} to ${most / 100} metres`);
    this.at++;
    return signed;
  }

  #fail(reason: string): number {
    this.wrong ??= failure(reason);
    return 0;
  }
}

/** RFC 1876 2: one digit and a power of ten; further digits are cut off. */
function sizeOctet(centimetres: number): number {
  let exponent = 0;
  let digit = centimetres;
  for (; digit >= 10; exponent++) digit = Math.floor(digit / 10);
  return (digit << 4) | exponent;
}

function isSize(octet: number): boolean {
  return octet >> 4 <= 9 && (octet & 15) <= 9 && (octet === 0 || octet >> 4 > 0);
}

function angleText(thousandths: number, positive: string, negative: string): string {
  const size = Math.abs(thousandths);
  const seconds = `${Math.floor((size % 60_000) / 1000)}.${String(size % 1000).padStart(3, '0')}`;
  return `${Math.floor(size / DEGREE)} ${Math.floor((size % DEGREE) / 60_000)} ${seconds} ${thousandths < 0 ? negative : positive}`;
}

function metresText(centimetres: number): string {
  const size = Math.abs(centimetres);
  return `${centimetres < 0 ? '-' : ''}${Math.floor(size / 100)}.${String(size % 100).padStart(2, '0')}m`;
}
