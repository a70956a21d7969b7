// The parameters of SVCB and HTTPS records (RFC 9460): from text, to text, and what makes them well formed.
import { formatAddress, parseAddress } from '../base/address.ts';
import { nameLength } from './name.ts';
import { type Failure, failure, quotedText, shown, type Token, textOctets } from './presentation.ts';
import { base64Octets, brokenEscape, type Field, latin1, numberAt, pushNumber } from './rdata-field.ts';

/** One kind of parameter. `parse` gives the value's octets, or what is wrong with it. */
interface Parameter {
  readonly key: number;
  readonly name: string;
  /** The value as an example shows it; '' for parameters that have none. */
  readonly example: string;
  parse(value: Uint8Array): number[] | string;
  /** null when well formed, else what is wrong. */
  check(value: Uint8Array): string | null;
  /** The presentation form behind the `=`. */
  print(value: Uint8Array): string;
}

const MANDATORY = 0;
const ALPN = 1;
const NO_DEFAULT_ALPN = 2;
/** RFC 9460 14.3.2: reserved as "invalid key". */
const INVALID_KEY = 0xffff;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

const PARAMETERS: readonly Parameter[] = [
  mandatory(),
  alpn(),
  flag(NO_DEFAULT_ALPN, 'no-default-alpn'),
  port(),
  hints(4, 'ipv4hint', 4, '192.0.2.1'),
  ech(),
  hints(6, 'ipv6hint', 6, '2001:db8::1'),
  dohPath(),
  flag(8, 'ohttp'),
];
const BY_KEY: ReadonlyMap<number, Parameter> = new Map(PARAMETERS.map((parameter) => [parameter.key, parameter]));
const BY_NAME: ReadonlyMap<string, Parameter> = new Map(PARAMETERS.map((parameter) => [parameter.name, parameter]));

/** SvcParams: in the text in any order, on the wire sorted by key. What they demand of each other is `serviceMistake`'s. */
export function serviceParameters(): Field {
  return {
    label: 'SvcParams',
    takes: 'optional rest',
    quotes: 'in values',
    parse: (tokens, draft) => {
      const parameters = new Map<number, readonly number[]>();
      for (const token of tokens) {
        const read = readParameter(token);
        if ('reason' in read) return read;
        // RFC 9460 2.1: a key stands at most once.
        if (parameters.has(read.key))
          return failure(`${keyName(read.key)} stands twice`, 'join the two, or remove one');
        parameters.set(read.key, read.value);
      }
      // RFC 9460 2.2: strictly increasing keys.
      for (const [key, value] of [...parameters].sort(([a], [b]) => a - b)) {
        pushNumber(draft.octets, key, 2);
        pushNumber(draft.octets, value.length, 2);
        for (const octet of value) draft.octets.push(octet);
      }
      return null;
    },
    skip: (bytes, at) => {
      let previous = -1;
      for (let p = at; p < bytes.length; p += 4 + numberAt(bytes, p + 2, 2)) {
        const key = numberAt(bytes, p, 2);
        if (p + 4 > bytes.length || p + 4 + numberAt(bytes, p + 2, 2) > bytes.length) return -1;
        if (key <= previous || key === INVALID_KEY) return -1;
        previous = key;
      }
      return bytes.length;
    },
    print: (bytes, at) =>
      [...parametersAt(bytes, at)]
        .map(([key, value]) => {
          const text = BY_KEY.get(key)?.print(value) ?? (value.length === 0 ? '' : quotedText(value));
          return text === '' ? keyName(key) : `${keyName(key)}=${text}`;
        })
        .join(' '),
  };
}

/**
 * What is wrong with the data of an SVCB or HTTPS record as a whole (its fields are well formed already), or null: values, and
 * what the parameters demand of each other.
 */
export function serviceMistake(bytes: Uint8Array): string | null {
  const parameters = parametersAt(bytes, 2 + nameLength(bytes, 2));
  // RFC 9460 2.4.2: an alias has no parameters; resolvers would ignore them.
  if (numberAt(bytes, 0, 2) === 0 && parameters.size > 0) {
    return 'priority 0 makes an alias, and an alias has no parameters; a service has a priority of 1 or more';
  }
  for (const [key, value] of parameters) {
    const wrong = BY_KEY.get(key)?.check(value) ?? null;
    if (wrong !== null) return wrong;
  }
  const mandatoryKeys = parameters.get(MANDATORY) ?? new Uint8Array(0);
  for (let i = 0; i < mandatoryKeys.length; i += 2) {
    const key = numberAt(mandatoryKeys, i, 2);
    // RFC 9460 8: each mandatory key must stand in the record.
    if (!parameters.has(key)) return `mandatory names ${keyName(key)}, which does not stand in the record`;
  }
  // RFC 9460 7.1.1: no-default-alpn without alpn leaves no protocol.
  if (parameters.has(NO_DEFAULT_ALPN) && !parameters.has(ALPN))
    return 'no-default-alpn needs an alpn, else no protocol is left';
  return null;
}

/** The parameters from `bytes[at]` on, by key; an empty map for what is not well formed. */
function parametersAt(bytes: Uint8Array, at: number): Map<number, Uint8Array> {
  const parameters = new Map<number, Uint8Array>();
  for (let p = at; p + 4 <= bytes.length; ) {
    const end = p + 4 + numberAt(bytes, p + 2, 2);
    parameters.set(numberAt(bytes, p, 2), bytes.subarray(p + 4, end));
    p = end;
  }
  return parameters;
}

function keyName(key: number): string {
  return BY_KEY.get(key)?.name ?? `key${key}`;
}

/** The number of `alpn` or `key65333`; -1 for anything else. RFC 9460 2.1: no leading zeros. */
function keyNumber(text: string): number {
  const known = BY_NAME.get(text);
  if (known !== undefined) return known.key;
  const number = /^key(0|[1-9][0-9]{0,4})$/.test(text) ? Number(text.slice(3)) : INVALID_KEY;
  return number < INVALID_KEY ? number : -1;
}

function readParameter(token: Token): { readonly key: number; readonly value: readonly number[] } | Failure {
  const equals = token.text.indexOf('=');
  const keyText = (equals < 0 ? token.text : token.text.slice(0, equals)).toLowerCase();
  const key = keyNumber(keyText);
  if (key < 0) {
    return failure(
      `${shown(keyText)} is no SvcParam key`,
      `known keys: ${PARAMETERS.map((p) => p.name).join(' ')}, and key0 to key65534`,
    );
  }
  const text = equals < 0 ? '' : token.text.slice(equals + 1);
  const value = textOctets(text);
  if (value === null) return brokenEscape(text);
  const parameter = BY_NAME.get(keyText);
  // RFC 9460 2.1: the value behind keyNNNNN is taken as it stands.
  if (parameter === undefined) return { key, value: [...value] };
  const example = parameter.example === '' ? keyText : `${keyText}=${parameter.example}`;
  if (value.length === 0 && parameter.example !== '')
    return failure(`${keyText} has no value`, `for example ${example}`);
  const octets = parameter.parse(value);
  return typeof octets === 'string' ? failure(octets, `for example ${example}`) : { key, value: octets };
}

/** Items of a value list (RFC 9460 A.1): separated by commas; `\,` and `\\` stand for themselves. null: it is none. */
function listItems(value: Uint8Array): number[][] | null {
  const items: number[][] = [[]];
  for (let i = 0; i < value.length; i++) {
    let octet = value[i]!;
    if (octet === COMMA) {
      items.push([]);
      continue;
    }
    if (octet === BACKSLASH) {
      octet = value[++i] ?? -1;
      if (octet !== COMMA && octet !== BACKSLASH) return null;
    }
    items.at(-1)!.push(octet);
  }
  return items.some((item) => item.length === 0) ? null : items;
}

function mandatory(): Parameter {
  return {
    key: MANDATORY,
    name: 'mandatory',
    example: 'alpn,port',
    parse: (value) => {
      const keys: number[] = [];
      for (const text of latin1(value, 0, value.length).split(',')) {
        const key = keyNumber(text.toLowerCase());
        if (key < 0) return `mandatory lists ${shown(text)}, which is no SvcParam key`;
        keys.push(key);
      }
      const octets: number[] = [];
      for (const key of keys.sort((a, b) => a - b)) pushNumber(octets, key, 2);
      return octets;
    },
    check: (value) => {
      if (value.length === 0 || value.length % 2 !== 0) return 'mandatory must list keys';
      for (let i = 0; i < value.length; i += 2) {
        const key = numberAt(value, i, 2);
        // RFC 9460 8: not itself, ascending, each once.
        if (key === MANDATORY) return 'mandatory must not list itself';
        if (key === INVALID_KEY) return 'mandatory lists key65535, which is reserved';
        if (i > 0 && key <= numberAt(value, i - 2, 2))
          return `mandatory must list each key once, in order; see ${keyName(key)}`;
      }
      return null;
    },
    print: (value) => Array.from({ length: value.length / 2 }, (_, i) => keyName(numberAt(value, 2 * i, 2))).join(','),
  };
}

function alpn(): Parameter {
  return {
    key: ALPN,
    name: 'alpn',
    example: 'h2,h3',
    parse: (value) => {
      const items = listItems(value);
      if (items === null) return 'alpn must be protocols with commas between them, none empty';
      if (items.some((item) => item.length > 255)) return 'a protocol of alpn has more than 255 octets';
      return items.flatMap((item) => [item.length, ...item]);
    },
    check: (value) => {
      if (value.length === 0) return 'alpn must name a protocol';
      for (let p = 0; p < value.length; p += 1 + value[p]!) {
        if (value[p] === 0 || p + 1 + value[p]! > value.length) return 'alpn has an empty or broken protocol';
      }
      return null;
    },
    print: (value) => {
      const octets: number[] = [];
      for (let p = 0; p < value.length; p += 1 + value[p]!) {
        if (p > 0) octets.push(COMMA);
        for (const octet of value.subarray(p + 1, p + 1 + value[p]!)) {
          if (octet === COMMA || octet === BACKSLASH) octets.push(BACKSLASH);
          octets.push(octet);
        }
      }
      return quotedText(Uint8Array.from(octets));
    },
  };
}

function flag(key: number, name: string): Parameter {
  return {
    key,
    name,
    example: '',
    parse: (value) => (value.length === 0 ? [] : `${name} takes no value`),
    check: (value) => (value.length === 0 ? null : `${name} takes no value`),
    print: () => '',
  };
}

function port(): Parameter {
  return {
    key: 3,
    name: 'port',
    example: '8443',
    parse: (value) => {
      const text = latin1(value, 0, value.length);
      const number = /^(0|[1-9][0-9]{0,4})$/.test(text) ? Number(text) : -1;
      return number >= 0 && number <= 0xffff ? [number >> 8, number & 0xff] : `${shown(text)} is no port (0 to 65535)`;
    },
    check: (value) => (value.length === 2 ? null : 'port must have two octets'),
    print: (value) => String(numberAt(value, 0, 2)),
  };
}

function hints(key: number, name: string, family: 4 | 6, example: string): Parameter {
  const size = family === 4 ? 4 : 16;
  return {
    key,
    name,
    example,
    parse: (value) => {
      const octets: number[] = [];
      for (const text of latin1(value, 0, value.length).split(',')) {
        const address = parseAddress(text);
        if (address?.family !== family) return `${shown(text)} in ${name} is no IPv${family} address`;
        for (const octet of address.bytes) octets.push(octet);
      }
      return octets;
    },
    check: (value) =>
      value.length > 0 && value.length % size === 0 ? null : `${name} must hold IPv${family} addresses`,
    print: (value) =>
      Array.from({ length: value.length / size }, (_, i) =>
        formatAddress({ family, bytes: value.subarray(size * i, size * (i + 1)) }),
      ).join(','),
  };
}

/** RFC 9460 7.2, RFC 9848: an ECHConfigList in base64, opaque here. */
function ech(): Parameter {
  return {
    key: 5,
    name: 'ech',
    example: 'AEn+DQBFKwAgACABWIHUGj4u+PIggYXcR5JF0gYk3dCRioBW8uJq9H4mKAAIAAEAAQABAANAEnB1YmxpYy50bHMtZWNoLmRldgAA',
    parse: (value) => {
      const octets = base64Octets(latin1(value, 0, value.length));
      return octets === null ? 'ech is no base64 text' : [...octets];
    },
    check: (value) => (value.length > 0 ? null : 'ech must not be empty'),
    print: (value) => Buffer.from(value).toString('base64'),
  };
}

/** RFC 9461 5: a relative URI template in UTF-8 that has the variable `dns`. */
function dohPath(): Parameter {
  const mistake = (value: Uint8Array): string | null => {
    const text = latin1(value, 0, value.length);
    return text.startsWith('/') && /\{[^}]*\bdns\b[^}]*\}/.test(text)
      ? null
      : 'dohpath must begin with / and have the variable dns';
  };
  return {
    key: 7,
    name: 'dohpath',
    example: '/dns-query{?dns}',
    parse: (value) => mistake(value) ?? [...value],
    check: mistake,
    print: (value) => quotedText(value),
  };
}
