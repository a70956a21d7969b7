// A mount namespace of a test's own: disks that are full, read-only or gone, seen by what is started in it and by nobody else.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { have, lacking } from './programs.ts';

/** Whether mount namespaces can be made here. */
export function canMount(): boolean {
  if (process.platform !== 'linux') return lacking('Linux, for mount namespaces');
  if (!have('unshare', 'nsenter', 'mount')) return false;
  if (process.getuid?.() !== 0) return lacking('root, to mount');
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'pipe' });
    return true;
  } catch (error) {
    return lacking(`mount namespaces (${String(error).split('\n')[0]})`);
  }
}

export class Mounts {
  readonly #holder: ChildProcess;
  /** What enters it, for `startServer`'s `within`. */
  readonly within: readonly string[];

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
    this.within = ['nsenter', '-t', String(holder.pid), '-m', '--'];
  }

  static async create(): Promise<Mounts> {
    const holder = spawn('unshare', ['-m', '--propagation', 'private', 'sh', '-c', 'echo in; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    return new Mounts(holder);
  }

  /** Runs a shell command inside and returns what it prints. */
  sh(command: string): string {
    return execFileSync(this.within[0]!, [...this.within.slice(1), 'sh', '-c', command], { encoding: 'utf8' });
  }

  /** A path inside as this side reaches it. */
  path(path: string): string {
    return `/proc/${this.#holder.pid}/root${path}`;
  }

  exists(path: string): boolean {
    return existsSync(this.path(path));
  }

  remove(): void {
    this.#holder.kill('SIGKILL');
  }
}
