// Record data between the text of master files and the octets of the wire, for every type.
import { limits } from '../base/limits.ts';
import { nameToText } from './name.ts';
import { type Failure, failure, shown, type Token, tokenize } from './presentation.ts';
import { type Draft, type Field, type Host, hexOctets } from './rdata-field.ts';
import { isWellFormed, type RdataForm, rdataForm } from './rdata-table.ts';
import { isMetaType, TYPE, typeToText } from './types.ts';

export type { Host } from './rdata-field.ts';

/** One record's data in wire form, names uncompressed and in the case that was written. */
export interface ParsedRdata {
  readonly ok: true;
  readonly bytes: Uint8Array;
  /** Offsets in `bytes` of the domain names that may be compressed (RFC 3597 4: only the types of RFC 1035). */
  readonly names: readonly number[];
  /** Every domain name of the data, the root's too, in the order of the fields; absolute text where it was written in hexadecimal. */
  readonly hosts: readonly Host[];
}

export interface RdataMistake {
  readonly ok: false;
  /** What is wrong. */
  readonly reason: string;
  /** What to write instead, or a correct example. */
  readonly fix: string;
}

/** Longest character string, RFC 1035 3.3. */
const STRING_OCTETS = 255;

/**
 * Reads one record's data of `type`: what a master file says (relative names are relative to `origin`, an absolute wire name),
 * the generic `\# length hex` of RFC 3597, and for TXT and SPF also a text without quotes, which is one literal string that is
 * split at 255 octets. Never throws.
 */
export function parseRdata(type: number, text: string, origin: Uint8Array): ParsedRdata | RdataMistake {
  const form = rdataForm(type);
  const read = readRdata(type, form, text, origin);
  if ('reason' in read)
    return { ok: false, reason: read.reason, fix: read.fix === '' ? exampleOf(type, form) : read.fix };
  const { names, hosts } = namesIn(form, read.bytes);
  return { ok: true, bytes: read.bytes, names, hosts: read.hosts ?? hosts };
}

/**
 * The presentation form of one record's data, with absolute names; data that is not well formed, or of an unknown type, in the
 * generic form `\# length hex`. What it gives for well-formed data is read back by `parseRdata` to the same octets. Never throws.
 */
export function rdataToText(type: number, bytes: Uint8Array): string {
  const form = rdataForm(type);
  if (form === undefined || !isWellFormed(form, bytes)) return genericText(bytes);
  const texts: string[] = [];
  let at = 0;
  for (const field of form.fields) {
    const end = field.skip(bytes, at);
    const text = field.print(bytes, at, end);
    if (text !== '') texts.push(text);
    at = end;
  }
  return texts.join(' ');
}

/** Well-formed octets; `hosts` null: nobody wrote them as names. */
type Read = { readonly bytes: Uint8Array; readonly hosts: readonly Host[] | null } | Failure;

function readRdata(type: number, form: RdataForm | undefined, text: string, origin: Uint8Array): Read {
  if (isMetaType(type)) return failure(`${typeToText(type)} is a type for questions, not for data`, 'remove it');
  if ((type === TYPE.TXT || type === TYPE.SPF) && isLiteral(text)) return fitting(literalText(text), null);
  const tokens = tokenize(text);
  if ('reason' in tokens) return tokens;
  const first = tokens[0];
  if (first === undefined) return failure('the value is empty');
  if (first.form === 'plain' && first.text === '\\#') return readGeneric(type, form, tokens);
  if (form === undefined) return failure(`data of type ${typeToText(type)} is only known in the generic form`);

  const draft: Draft = { origin, octets: [], hosts: [] };
  let taken = 0;
  for (const field of form.fields) {
    const own = field.takes === 'one' ? tokens.slice(taken, taken + 1) : tokens.slice(taken);
    const wrong = mismatch(field, own) ?? field.parse(own, draft);
    if (wrong !== null) return wrong;
    taken += own.length;
  }
  const extra = tokens[taken];
  if (extra !== undefined) return failure(`${shown(extra.text)} is one value too many`);
  const fitted = fitting(Uint8Array.from(draft.octets), draft.hosts);
  if ('reason' in fitted) return fitted;
  const mistake = form.mistake?.(fitted.bytes) ?? null;
  return mistake === null ? fitted : failure(mistake);
}

/** Whether the tokens can be the field's at all. */
function mismatch(field: Field, tokens: readonly Token[]): Failure | null {
  if (tokens.length === 0 && field.takes !== 'optional rest') return failure(`the ${field.label} is missing`);
  for (const token of tokens) {
    if (token.form === 'plain') continue;
    if (field.quotes === 'never') return failure(`the ${field.label} must be without quotes, not ${shown(token.text)}`);
    if (token.form === 'mixed' && field.quotes === 'allowed') {
      return failure(`a quote stands inside of ${shown(token.text)}`, 'put the whole text in quotes');
    }
    if (token.form === 'quoted' && field.quotes === 'in values') {
      return failure(`the key of ${shown(token.text)} must stand before the quotes`, 'write it as alpn="h2,h3"');
    }
  }
  return null;
}

/** RFC 3597 5: `\\# length hex`; for a type that is known here the content must be well formed. */
function readGeneric(type: number, form: RdataForm | undefined, tokens: readonly Token[]): Read {
  const example = 'for example \\# 4 c0000201';
  const length = tokens[1]?.text ?? '';
  if (!/^(0|[1-9][0-9]{0,4})$/.test(length)) return failure('the length in octets must follow \\#', example);
  const hex = tokens.slice(2).map((token) => token.text);
  const bytes = hex.length === 0 ? new Uint8Array(0) : hexOctets(hex.join(''));
  if (bytes === null)
    return failure('what follows the length is no hexadecimal text with two digits an octet', example);
  if (bytes.length !== Number(length)) {
    return failure(`the length is given as ${length}, but ${bytes.length} octets follow`, `write \\# ${bytes.length}`);
  }
  const broken = form !== undefined && !isWellFormed(form, bytes);
  return broken ? failure(`these octets are no data of type ${typeToText(type)}`) : fitting(bytes, null);
}

function fitting(bytes: Uint8Array, hosts: readonly Host[] | null): Read {
  if (bytes.length <= limits.rdataBytes) return { bytes, hosts };
  const reason = `the data has ${bytes.length} octets; at most ${limits.rdataBytes} are allowed`;
  return failure(reason, 'make it shorter, or split it into several records');
}

/** The domain names in well-formed data: offsets of those that may be compressed, and all with their absolute text. */
function namesIn(form: RdataForm | undefined, bytes: Uint8Array): { names: number[]; hosts: Host[] } {
  const names: number[] = [];
  const hosts: Host[] = [];
  let at = 0;
  for (const field of form?.fields ?? []) {
    const end = field.skip(bytes, at);
    if (field.name === 'compressible') names.push(at);
    if (field.name !== undefined) hosts.push({ text: nameToText(bytes, at), wire: bytes.slice(at, end) });
    at = end;
  }
  return { names, hosts };
}

/**
 * Whether the value of a TXT is meant literally: it has neither quotes at its start, nor parentheses around quotes (a record
 * copied from a master file), nor the generic form.
 */
function isLiteral(text: string): boolean {
  const enclosed = /^\(\s*"/.test(text) && text.trimEnd().endsWith(')');
  return !text.startsWith('"') && !enclosed && !/^\\#\s/.test(text);
}

function literalText(text: string): Uint8Array {
  const octets = Buffer.from(text, 'utf8');
  const strings = Math.max(1, Math.ceil(octets.length / STRING_OCTETS));
  const bytes = new Uint8Array(octets.length + strings);
  for (let i = 0; i < strings; i++) {
    const part = octets.subarray(i * STRING_OCTETS, (i + 1) * STRING_OCTETS);
    bytes[i * (STRING_OCTETS + 1)] = part.length;
    bytes.set(part, i * (STRING_OCTETS + 1) + 1);
  }
  return bytes;
}

function genericText(bytes: Uint8Array): string {
  return bytes.length === 0 ? '\\# 0' : `\\# ${bytes.length} ${Buffer.from(bytes).toString('hex')}`;
}

/** A value of the type as a zone file holds it. */
function exampleOf(type: number, form: RdataForm | undefined): string {
  const example = form?.example ?? '\\# 4 c0000201';
  return `for example ${typeToText(type)}: ${/["\\:]/.test(example) ? `'${example}'` : example}`;
}
