// Says in a line what a process that may open too few files would end with in the middle of loading its modules.
import { readFileSync } from 'node:fs';
import { limits } from '../base/limits.ts';
import { EXIT, Failure } from './exit.ts';

/** Throws Failure where this process may open too few files. */
export function demandDescriptors(): void {
  let text: string;
  try {
    text = readFileSync('/proc/self/limits', 'utf8');
  } catch (error) {
    // Not Linux: nobody knows.
    if (isShortOfDescriptors(error)) throw tooFew(null);
    return;
  }
  const most = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  if (most !== undefined && Number(most) < limits.descriptors) throw tooFew(Number(most));
}

/** Whether something failed for want of descriptors. */
export function isShortOfDescriptors(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE' || /\bE[MN]FILE\b/.test(message ?? '');
}

export function tooFew(most: number | null): Failure {
  const now = most === null ? 'too few files may be open at once' : `only ${most} files may be open at once`;
  return new Failure(EXIT.server, `${now}: allow more (ulimit -n 4096; systemd: LimitNOFILE=)`);
}
