// A folder on a file system that hangs: every call that goes there waits until `answer`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Mounts } from './mounts.ts';
import { canMount } from './mounts.ts';
import { have, lacking } from './programs.ts';

const SCRIPT = fileURLToPath(new URL('hung-mount.py', import.meta.url));

export function canHang(): boolean {
  return canMount() && have('python3') && (existsSync('/dev/fuse') || lacking('/dev/fuse'));
}

export interface Hung {
  /** Ends the hanging: what waits there fails, and nothing is mounted any more. */
  answer(): Promise<void>;
}

/** Mounts it over a folder, for what runs inside of `mounts`. */
export async function hang(mounts: Mounts, folder: string): Promise<Hung> {
  const [program, ...args] = mounts.within as [string, ...string[]];
  const child = spawn(program, [...args, 'python3', SCRIPT, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [first] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
  if (!Buffer.isBuffer(first)) throw new Error(`no file system that hangs: ${String(first)}`);
  return {
    answer: async () => {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}
