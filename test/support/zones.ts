// Reads zone texts in tests: whole ones, and records of an example zone.
import { type Diagnostic, formatDiagnostic } from '../../dist/base/diagnostic.js';
import type { ZoneModel } from '../../dist/zone/model.js';
import { type ParsedCommon, parseCommon } from '../../dist/zonefile/common.js';
import { type ParsedZone, parseZone, type ZoneOptions } from '../../dist/zonefile/parse.js';

export const OPTIONS: ZoneOptions = {
  baseDirectory: '/etc/meridian',
  checkRules: { exec: true, files: ['/etc/meridian/state/checks'], linkLocal: false },
  geoData: null,
};

/** Parses a whole zone text. `name` is what the file's name promises; null: anything. */
export function readZone(text: string, common: string | null = null, name: string | null = null): ParsedZone {
  const file = `${name ?? 'zone'}.yaml`;
  return parseZone({ file, text, expectedName: name }, common === null ? null : readCommon(common), OPTIONS);
}

export function readCommon(text: string): ParsedCommon {
  return parseCommon({ file: '_common.yaml', text }, OPTIONS).common;
}

/** The first lines of a zone example.org with two pools; `ns` is outside of it. */
export const HEAD = `zone: example.org
ns: [ns.example.net.]
pools:
  paris: { at: [48.9, 2.4], members: [192.0.2.1, 192.0.2.2, "2001:db8::1"] }
  tokyo: { at: [35.7, 139.7], members: [198.51.100.1, 198.51.100.2, "2001:db8::2"] }
  cdn: { members: [lb.example.net.] }
`;

/** A zone of `HEAD`, `regions` if any, and records; each line of the records is indented by two. */
export function withRecords(records: string, more = ''): string {
  const indented = records
    .replace(/^\n/, '')
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n');
  return `${HEAD}${more}records:\n${indented}\n`;
}

/** The model of a text; fails with its errors where there is none. */
export function modelOf(text: string, common: string | null = null): ZoneModel {
  const { model, diagnostics } = readZone(text, common);
  if (model === null) throw new Error(diagnostics.map(formatDiagnostic).join('\n'));
  return model;
}

/** `code line:col` of each error, in the order of the file. */
export function errorsOf(text: string, common: string | null = null): string[] {
  return places(readZone(text, common).diagnostics, 'error');
}

/** `code line:col` of each warning. */
export function warningsOf(text: string, common: string | null = null): string[] {
  return places(readZone(text, common).diagnostics, 'warning');
}

export function places(diagnostics: readonly Diagnostic[], severity: Diagnostic['severity']): string[] {
  return diagnostics.filter((d) => d.severity === severity).map((d) => `${d.code} ${d.line}:${d.col}`);
}

/** Codes of all errors of a text. */
export function codesOf(text: string, common: string | null = null): string[] {
  return readZone(text, common)
    .diagnostics.filter((d) => d.severity === 'error')
    .map((d) => d.code);
}
