// `meridian check`: every mistake and every doubtful spot in the files, at once.
import { compareDiagnostics, type Diagnostic, formatDiagnostic } from '../base/diagnostic.ts';
import { checkConfigured, checkPaths } from './check-files.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { print } from './output.ts';
import { count } from './table.ts';

export interface CheckOptions {
  readonly paths: readonly string[];
  readonly config: string | undefined;
  readonly json: boolean;
}

/** Prints what is wrong and returns the exit code: 1 when there are errors; warnings alone are good. */
export async function check({ paths, config, json }: CheckOptions): Promise<ExitCode> {
  const checked = paths.length === 0 ? await checkConfigured(config) : await checkPaths(paths, config);
  const diagnostics = [...checked.diagnostics].sort(compareDiagnostics);
  print(json ? formatJson(diagnostics) : formatText(diagnostics, checked.files));
  return diagnostics.some(({ severity }) => severity === 'error') ? EXIT.input : EXIT.good;
}

function formatJson(diagnostics: readonly Diagnostic[]): string {
  const list = diagnostics.map(({ code, severity, file, line, col, message, fix }) => ({
    code,
    severity,
    file,
    line,
    col,
    message,
    fix,
  }));
  return `${JSON.stringify(list, null, 2)}\n`;
}

function formatText(diagnostics: readonly Diagnostic[], files: number): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const warnings = diagnostics.length - errors;
  const summary = `${count(files, 'file')}: ${count(errors, 'error')}, ${count(warnings, 'warning')}`;
  return [...diagnostics.map(formatDiagnostic), summary].map((text) => `${text}\n`).join('');
}
