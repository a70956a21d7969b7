// What an operator knows better than the databases: geoip/overrides.yaml and the lists of networks that it names.
import { dirname, resolve } from 'node:path';
import { formatPrefix, hasHostBits, type Prefix, parseAddress, parsePrefix } from '../base/address.ts';
import { CODES, type Code } from '../base/codes.ts';
import { compareDiagnostics, type Diagnostic } from '../base/diagnostic.ts';
import { type Document, type Node, readDocument } from '../base/document.ts';
import { Fields, hostBitsProblem, readDecimal, readList, readMap, readText, readWhole } from '../base/fields.ts';
import { limits } from '../base/limits.ts';
import { isCountry } from './countries.ts';
import { placedPrefix } from './embedded.ts';
import type { Coordinates } from './place.ts';

/** What an override says of its network. */
export interface OverridePlace {
  readonly country: string | null;
  readonly subdivision: string | null;
  readonly city: string | null;
  readonly at: Coordinates | null;
}

/** One network. */
export interface Override {
  readonly prefix: Prefix;
  /** null: the databases decide. */
  readonly place: OverridePlace | null;
  /** 0: the databases decide. */
  readonly as: number;
}

/** The files as they were read: what has to be kept to come back to a good state. */
export interface OverridesSource {
  readonly file: string;
  readonly text: string;
  /** Absolute paths. */
  readonly lists: readonly { readonly file: string; readonly text: string }[];
}

export interface OverridesResult {
  /** In order of precedence among equal networks. Only to be used when no diagnostic is an error. */
  readonly overrides: readonly Override[];
  readonly source: OverridesSource;
  readonly diagnostics: readonly Diagnostic[];
  /** Absolute paths of every list, readable or not: to be watched. */
  readonly listFiles: readonly string[];
}

type Written = Omit<Override, 'prefix'>;

const SUBDIVISION = /^[A-Z]{2}-[A-Z0-9]{1,3}$/;

/**
 * Reads overrides. Every mistake in the file and its lists is in `diagnostics`.
 * @param file path of overrides.yaml; paths of lists are relative to its folder
 * @param readFile the text of a list, or null where it can't be read
 */
export function readOverrides(file: string, text: string, readFile: (path: string) => string | null): OverridesResult {
  const document = readDocument(file, text);
  const reader = new OverridesReader(document);
  const root =
    document.root === null
      ? undefined
      : readMap(document, document.root, 'the file', undefined, 'networks: { 192.0.2.0/24: RU }');
  if (root !== undefined) {
    const fields = new Fields(document, root, 'overrides', ['version', 'networks', 'lists']);
    fields.choice('version', ['meridian/v1']);
    fields.read('networks', (_, node) => reader.readNetworks(node));
    fields.read('lists', (_, node) => reader.readLists(node, dirname(file), readFile));
  }
  return {
    overrides: reader.overrides,
    source: { file, text, lists: reader.lists },
    diagnostics: [...document.diagnostics, ...reader.listDiagnostics].sort(compareDiagnostics),
    listFiles: reader.listFiles,
  };
}

class OverridesReader {
  readonly overrides: Override[] = [];
  readonly lists: { file: string; text: string }[] = [];
  readonly listFiles: string[] = [];
  readonly listDiagnostics: Diagnostic[] = [];
  readonly #document: Document;
  readonly #seen = new Map<string, { where: string; written: Written }>();

  constructor(document: Document) {
    this.#document = document;
  }

  readNetworks(node: Node): undefined {
    const document = this.#document;
    const map = readMap(document, node, 'networks', 'a map of networks and their places', '{ 192.0.2.0/24: RU }');
    for (const { key, value } of map?.entries.values() ?? []) {
      const prefix = networkIn(key.text, (code, message, fix) => document.report(code, key, message, fix));
      const written = this.#readPlace(value);
      if (prefix === undefined || written === undefined) continue;
      const name = formatPrefix(prefix);
      if (this.#seen.has(name))
        document.report('duplicate-network', key, `${name} stands twice`, 'remove one of the two');
      else this.#add(name, prefix, written, document.file);
    }
    return undefined;
  }

  readLists(node: Node, folder: string, readFile: (path: string) => string | null): undefined {
    const document = this.#document;
    for (const item of readList(document, node, 'lists')?.items ?? []) {
      const map = readMap(
        document,
        item,
        'a list',
        'a map with file and place',
        '{ file: offices.txt, place: { country: RU } }',
      );
      if (map === undefined) continue;
      const fields = new Fields(document, map, 'a list', ['file', 'place']);
      const name = fields.require('file', 'offices.txt', readText);
      const written = fields.require('place', '{ country: RU }', (_, value) => this.#readPlace(value));
      if (name === undefined) continue;
      const path = resolve(folder, name);
      this.listFiles.push(path);
      const text = readFile(path);
      if (text === null) {
        const fix = 'create the file, or correct its name (it is relative to the folder of this file)';
        document.report('unreadable-file', fields.node('file')!, `the list ${name} can't be read`, fix);
        continue;
      }
      this.lists.push({ file: path, text });
      this.#readListLines(path, text, written);
    }
    return undefined;
  }

  /** One network a line; an address alone is a network of its own; `#` begins a comment. */
  #readListLines(file: string, text: string, written: Written | undefined): void {
    const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
    let mistakes = 0;
    for (const [index, line] of lines.entries()) {
      const word = line.replace(/#.*$/, '').trim();
      if (word === '') continue;
      const report = (code: Code, message: string, fix: string): void => {
        if (mistakes++ >= limits.diagnosticsPerFile) return;
        const { severity } = CODES[code];
        const col = line.indexOf(word) + 1;
        this.listDiagnostics.push({
          code,
          severity,
          file,
          line: index + 1,
          col,
          message,
          fix,
          excerpt: line.slice(0, 500),
        });
      };
      const prefix = networkIn(word, report);
      if (prefix === undefined || written === undefined) continue;
      const name = formatPrefix(prefix);
      const first = this.#seen.get(name);
      if (first === undefined) this.#add(name, prefix, written, file);
      else if (JSON.stringify(first.written) !== JSON.stringify(written)) {
        report(
          'network-in-two-lists',
          `${name} has another place already (${first.where}), which stays`,
          'remove one of the two',
        );
      }
    }
  }

  #add(name: string, prefix: Prefix, written: Written, where: string): void {
    this.#seen.set(name, { where, written });
    this.overrides.push({ prefix, ...written });
    if (this.overrides.length !== limits.overrideNetworks + 1) return;
    const message = `more than ${limits.overrideNetworks} networks in this file and its lists`;
    this.#document.report('too-many', 0, message, 'join neighbouring networks, or make a database of them');
  }

  /** `RU`, or a map of what is known. */
  #readPlace(node: Node): Written | undefined {
    const document = this.#document;
    if (node.kind === 'scalar') {
      const country = readCountry(document, node, 'country');
      return country === undefined ? undefined : { place: { country, subdivision: null, city: null, at: null }, as: 0 };
    }
    const map = readMap(
      document,
      node,
      'a place',
      'a country or a map',
      '{ country: RU, city: Moscow, at: [55.75, 37.62] }',
    );
    if (map === undefined) return undefined;
    const fields = new Fields(document, map, 'a place', ['country', 'subdivision', 'city', 'at', 'as']);
    const subdivision = fields.read('subdivision', readSubdivision) ?? null;
    const written = fields.read('country', readCountry) ?? null;
    const city = fields.text('city') ?? null;
    const at = fields.read('at', readCoordinates) ?? null;
    const as = fields.read('as', (_, value) => readWhole(document, value, 'as', 1, 0xffff_ffff)) ?? 0;
    const country = written ?? subdivision?.slice(0, 2) ?? null;
    if (map.entries.size === 0) {
      document.report(
        'empty-place',
        map,
        'a place that says nothing',
        'write at least a country, such as { country: RU }',
      );
    }
    if (subdivision !== null && !subdivision.startsWith(`${country}-`)) {
      const fix = `write country: ${subdivision.slice(0, 2)}, or a subdivision of ${country}`;
      document.report('place-mismatch', fields.node('subdivision')!, `${subdivision} does not lie in ${country}`, fix);
    }
    if (city !== null && !fields.has('country') && !fields.has('subdivision')) {
      document.report(
        'place-mismatch',
        fields.node('city')!,
        'a city without its country',
        'add country: and its code',
      );
    }
    const says = country !== null || city !== null || at !== null;
    return { place: says ? { country, subdivision, city, at } : null, as };
  }
}

/** The network that a text names, in the family that its addresses are placed in; mistakes are reported. */
function networkIn(text: string, report: (code: Code, message: string, fix: string) => void): Prefix | undefined {
  const address = parseAddress(text);
  const prefix = address ? { address, length: address.bytes.length * 8 } : parsePrefix(text);
  if (prefix === undefined) {
    report('bad-network', `"${text}" is not a network`, 'write a network such as 192.0.2.0/24 or 2001:db8::/32');
    return undefined;
  }
  if (hasHostBits(prefix)) {
    report('host-bits', ...hostBitsProblem(prefix));
    return undefined;
  }
  const placed = placedPrefix(prefix);
  if (placed === undefined) {
    report(
      'embedded-network',
      `${text} lies where IPv6 addresses carry IPv4 ones, which are placed as IPv4`,
      'write the IPv4 network',
    );
  }
  return placed;
}

function readCountry(document: Document, node: Node, what: string): string | undefined {
  const code = readText(document, node, what);
  if (code === undefined || isCountry(code)) return code;
  const upper = code.toUpperCase();
  const fix = isCountry(upper) ? `did you mean ${upper}?` : 'write an ISO 3166-1 alpha-2 code such as DE';
  document.report('unknown-country', node, `there is no country "${code}"`, fix);
  return undefined;
}

function readSubdivision(document: Document, node: Node, what: string): string | undefined {
  const code = readText(document, node, what);
  if (code === undefined || (SUBDIVISION.test(code) && isCountry(code.slice(0, 2)))) return code;
  const upper = code.toUpperCase();
  const fix = SUBDIVISION.test(upper) ? `did you mean ${upper}?` : 'write an ISO 3166-2 code such as US-CA';
  document.report('unknown-place', node, `"${code}" is not a subdivision code`, fix);
  return undefined;
}

function readCoordinates(document: Document, node: Node): Coordinates | undefined {
  const items = readList(document, node, 'at')?.items;
  if (items === undefined) return undefined;
  if (items.length !== 2) {
    document.report('wrong-shape', node, 'at must be a latitude and a longitude', 'write at: [55.75, 37.62]');
    return undefined;
  }
  const latitude = readDecimal(document, items[0]!, 'the latitude', -90, 90);
  const longitude = readDecimal(document, items[1]!, 'the longitude', -180, 180);
  return latitude === undefined || longitude === undefined ? undefined : [latitude, longitude];
}
