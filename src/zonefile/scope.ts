// What reading a part of a file needs to know of the whole: the document, the zone that names are relative to, the folders.
import { isAbsolute, resolve } from 'node:path';
import type { Document, Node, ScalarNode } from '../base/document.ts';
import { readScalar } from '../base/fields.ts';
import { parseName } from '../wire/name.ts';
import type { CheckRules } from '../zone/model.ts';

/** A name that has an inner dot but no final one: right only if the zone has such a name. */
export interface DottedName {
  readonly text: string;
  readonly wire: Uint8Array;
  readonly document: Document;
  readonly offset: number;
}

/** One file while it is read. */
export interface Scope {
  readonly document: Document;
  /** The zone's name in wire form; null in `_common.yaml`, where every name must be absolute. */
  readonly apex: Uint8Array | null;
  /** The zone of its pools' targets: `net.cat`, `.` or `_common`. */
  readonly zone: string;
  /** Where relative paths start: the folder of meridian.yaml. */
  readonly baseDirectory: string;
  /** What settings allow checks to do. */
  readonly checkRules: CheckRules;
  /** Names to hold against the zone once all of it is read. */
  readonly dottedNames: DottedName[];
}

/** Whether a name in text form has a dot inside of it, but none at its end (escaped dots are none). */
export function isDottedRelative(text: string): boolean {
  const plain = text.replaceAll(/\\(?:[0-9]{3}|.)/g, 'x');
  return plain.includes('.') && !plain.endsWith('.');
}

/** A domain name as a value: absolute with a final dot, else relative to the zone. Returns its wire form, case as written. */
export function readName(scope: Scope, node: Node, what: string): Uint8Array | undefined {
  const scalar = readScalar(scope.document, node, what, 'a name');
  return scalar === undefined ? undefined : parseScalarName(scope, scalar, what);
}

/** As `readName`, for a scalar that is at hand. */
export function parseScalarName(scope: Scope, scalar: ScalarNode, what: string): Uint8Array | undefined {
  const { text, offset } = scalar;
  const { document, apex } = scope;
  const result = parseName(text, apex);
  if (!result.ok) {
    if (apex === null && parseName(`${text}.`, null).ok && text !== '@') {
      const message = `${what}: "${text}" has no final dot, and no zone is there that it could be relative to`;
      document.report('name-not-absolute', scalar, message, `write ${text}.`);
    } else {
      document.report(
        'bad-name',
        scalar,
        `${what}: ${result.reason}`,
        'write a domain name such as www or www.example.net.',
      );
    }
    return undefined;
  }
  if (isDottedRelative(text)) scope.dottedNames.push({ text, wire: result.wire, document, offset });
  return result.wire;
}

/** A path of the file system, made absolute. */
export function readPath(scope: Scope, node: Node, what: string): string | undefined {
  const scalar = readScalar(scope.document, node, what, 'a path');
  if (scalar === undefined) return undefined;
  if (scalar.text === '' || scalar.text.includes('\0')) {
    scope.document.report('bad-path', scalar, `${what}: this is no path`, 'write the path of a file');
    return undefined;
  }
  return isAbsolute(scalar.text) ? scalar.text : resolve(scope.baseDirectory, scalar.text);
}
