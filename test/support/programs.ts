// Real programs that tests run beside the code; where one is missing the test is skipped, but not in CI.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { HANGS_MS } from './patience.ts';

/** Whether all of `programs` can be run. In CI a missing one is an error, elsewhere a message that says what to install. */
export function have(...programs: string[]): boolean {
  const missing = programs.filter((program) => {
    try {
      execFileSync('/bin/sh', ['-c', `command -v ${program}`], {
        stdio: 'ignore',
        env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
      });
      return false;
    } catch {
      return true;
    }
  });
  return lacking(
    missing.length > 0
      ? `${missing.join(', ')} (Debian: apt-get install ${missing.map((program) => PACKAGES[program] ?? program).join(' ')})`
      : null,
  );
}

/** False when something is missing; throws instead in CI. */
export function lacking(what: string | null): boolean {
  if (what === null) return true;
  if (process.env.CI === 'true') throw new Error(`tests need ${what}`);
  console.warn(`skipped: needs ${what}`);
  return false;
}

const PACKAGES: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  dig: 'bind9-dnsutils',
  delv: 'bind9-dnsutils',
  host: 'bind9-host',
  named: 'bind9',
  kdig: 'knot-dnsutils',
  drill: 'ldnsutils',
  wg: 'wireguard-tools',
  nft: 'nftables',
  'nsd-checkconf': 'nsd',
  pdns_recursor: 'pdns-recursor',
  kresd: 'knot-resolver',
  dnsmasq: 'dnsmasq-base',
  getent: 'libc-bin',
  fstrm_dump: 'fstrm-bin',
  fstrm_capture: 'fstrm-bin',
  dnstap: 'golang-github-dnstap-golang-dnstap-cli',
  bwrap: 'bubblewrap',
  setpriv: 'util-linux',
  promtool: 'prometheus',
  'systemd-analyze': 'systemd',
};

/** A program that runs until `stop`. */
export class Program {
  readonly process: ChildProcess;
  output = '';
  #ended = false;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.process = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    const keep = (chunk: Buffer): void => {
      this.output = (this.output + chunk.toString()).slice(-10_000);
    };
    this.process.stdout!.on('data', keep);
    this.process.stderr!.on('data', keep);
    this.process.on('exit', () => {
      this.#ended = true;
    });
    this.process.on('error', (error) => {
      this.#ended = true;
      this.output += String(error);
    });
  }

  /** Waits until `ready` resolves true; fails when the program ends, or seems to hang. */
  async until(ready: () => Promise<boolean>): Promise<void> {
    const endMs = Date.now() + HANGS_MS;
    while (!(await ready())) {
      if (this.#ended || Date.now() > endMs)
        throw new Error(`${this.process.spawnfile} did not get ready:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<void> {
    if (this.#ended) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    const force = setTimeout(() => this.process.kill('SIGKILL'), HANGS_MS / 4);
    await ended;
    clearTimeout(force);
  }
}
