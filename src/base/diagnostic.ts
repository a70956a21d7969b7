// One mistake in an operator's file: what it is, where it stands, how to mend it.
import { limits } from './limits.ts';
import { visible } from './visible.ts';

export type Severity = 'error' | 'warning';

/** A mistake (error) or a doubtful spot (warning) in a file; lines and columns count from 1. */
export interface Diagnostic {
  /** Stable, documented in docs/errors.md; see `base/codes.ts`. */
  readonly code: string;
  readonly severity: Severity;
  readonly file: string;
  readonly line: number;
  readonly col: number;
  readonly message: string;
  /** What to write instead, or what to do. */
  readonly fix: string;
  /** The line itself, as it stands in the file. */
  readonly excerpt: string;
}

/** Prints one diagnostic for people: place, code, message, the line with a caret, and the fix. */
export function formatDiagnostic(d: Diagnostic): string {
  const lines = [`${d.file}:${d.line}:${d.col}: ${d.severity} ${d.code}: ${d.message}`];
  // The caret stands below its character as it is printed: an unseen one takes more than one place.
  if (d.excerpt !== '')
    lines.push(`    ${d.excerpt}`, `    ${' '.repeat(visible(d.excerpt.slice(0, d.col - 1)).length)}^`);
  if (d.fix !== '') lines.push(`    fix: ${d.fix}`);
  return lines.map(visible).join('\n');
}

/** Order of appearance: file, line, column. */
export function compareDiagnostics(a: Diagnostic, b: Diagnostic): number {
  return a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.col - b.col;
}

/** The first errors, a line each, for the log: status has them all. */
export function firstErrors(diagnostics: readonly Diagnostic[]): string[] {
  const errors = diagnostics.filter((d) => d.severity === 'error').slice(0, limits.loggedErrors);
  return errors.map((d) => `${d.file}:${d.line}:${d.col} ${d.code}: ${d.message}`);
}
