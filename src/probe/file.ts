// The probe that reads another program's verdict: the first word of a file.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { limits } from '../base/limits.ts';
import type { FileCheck } from '../zone/model.ts';
import { failed, failedBy, printable, succeeded } from './outcome.ts';
import type { ProbeFunction } from './probe.ts';

/** Reads the file: its first word is `up` or `down`, the rest of its line the reason. `{address}` in the path stands for the member's address. */
export const probeFile: ProbeFunction<FileCheck> = async (target, check) => {
  let text: string;
  try {
    // Without O_NONBLOCK a named pipe would hold a thread for good.
    const handle = await open(
      check.path.replaceAll('{address}', target.address),
      constants.O_RDONLY | constants.O_NONBLOCK,
    );
    try {
      const buffer = Buffer.alloc(limits.probeEvidenceBytes);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
      text = buffer.toString('utf8', 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const outcome = failedBy(error);
    return outcome.reason === 'not found' ? { ...outcome, reason: 'file is missing' } : outcome;
  }
  const line = text.trimStart().split('\n', 1)[0] ?? '';
  const [word = '', ...rest] = line.trim().split(/\s+/);
  if (word === 'up') return succeeded(printable(line));
  if (word === 'down') return failed(rest.length > 0 ? printable(rest.join(' ')) : 'down', printable(line));
  return failed('file says neither up nor down', printable(line));
};
