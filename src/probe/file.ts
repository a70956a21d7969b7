// The probe that reads another program's verdict: the first word of a file.
import { limits } from '../base/limits.ts';
import type { FileCheck } from '../zone/model.ts';
import { type ConfinedFiles, OutsideError } from './local-file.ts';
import { failed, failedBy, type Outcome, printable, succeeded } from './outcome.ts';
import type { Attempt, ProbeTarget } from './probe.ts';

/**
 * Reads the file: its first word is `up` or `down`, the rest of its line the reason. `{address}` in the path stands for the member's
 * address. Links are followed as long as they stay below one of `folders`. Only a file that begins as such files do is quoted.
 */
export async function probeFile(
  target: ProbeTarget,
  check: FileCheck,
  attempt: Attempt,
  files: ConfinedFiles,
  folders: readonly string[],
): Promise<Outcome> {
  let text: string;
  try {
    const path = check.path.replaceAll('{address}', target.address);
    text = (await files.read(path, folders, limits.probeEvidenceBytes, attempt.signal)).toString('utf8');
  } catch (error) {
    if (error instanceof OutsideError) return failed('file is outside of the folders in health.files');
    const outcome = failedBy(error);
    return outcome.reason === 'not found' ? { ...outcome, reason: 'file is missing' } : outcome;
  }
  const line = text.trimStart().split('\n', 1)[0] ?? '';
  const [word = '', ...rest] = line.trim().split(/\s+/);
  if (word === 'up') return succeeded(printable(line));
  if (word === 'down') return failed(rest.length > 0 ? printable(rest.join(' ')) : 'down', printable(line));
  return failed('file says neither up nor down');
}
