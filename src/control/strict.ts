// What `--strict` asks of a start: not one error in the files.
import { StartError } from '../api/start-error.ts';
import type { Serving } from '../loading/serving.ts';

/** Throws StartError with everything that is wrong with what was loaded. */
export function mustBeRight(serving: Serving): void {
  const problems = serving.geo?.problems ?? [];
  if (problems.length > 0) {
    const lines = problems.map((problem) => `${problem.file}: ${problem.message}`);
    throw new StartError([...lines, '--strict was given: not started'].join('\n'), 1);
  }
  const errors = serving.diagnostics().filter((d) => d.severity === 'error');
  if (errors.length === 0) return;
  const lines = errors.map((d) => `${d.file}:${d.line}:${d.col}: ${d.code}: ${d.message}`);
  throw new StartError(
    [
      ...lines,
      `${errors.length} ${errors.length === 1 ? 'error' : 'errors'}, and --strict was given: not started`,
    ].join('\n'),
    1,
  );
}
