// A network namespace of a test's own, joined to this one by a veth pair: real packets, real interfaces, nothing else touched.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { have, lacking, Program } from './programs.ts';

const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

function run(...args: string[]): void {
  execFileSync(args[0]!, args.slice(1), { stdio: ['ignore', 'ignore', 'pipe'], env });
}

/** Whether namespaces can be made here. */
export function canMakeNamespaces(): boolean {
  if (!have('ip')) return false;
  if (process.getuid?.() !== 0) return lacking('root, to make a network namespace');
  try {
    run('ip', 'netns', 'add', 'mrd-try');
    run('ip', 'netns', 'del', 'mrd-try');
    return true;
  } catch (error) {
    return lacking(`network namespaces (${String(error).split('\n')[0]})`);
  }
}

/** Whether TUN devices can be made here. */
export function hasTun(): boolean {
  return existsSync('/dev/net/tun') || lacking('/dev/net/tun');
}

/** A namespace with one address; this side has the address before it. */
export class Namespace {
  readonly name: string;
  readonly address: string;
  readonly #link: string;

  /** `number` (0 to 255) tells the namespaces of a run apart; addresses are from 198.18.0.0/15, which is for tests (RFC 2544). */
  constructor(number: number) {
    this.name = `mrd${process.pid % 100_000}-${number}`;
    this.#link = `mrd${process.pid % 100_000}${String.fromCharCode(97 + (number % 26))}`;
    const net = `198.19.${process.pid % 256}`;
    const host = (number * 4) % 252;
    this.address = `${net}.${host + 2}`;
    run('ip', 'netns', 'add', this.name);
    run('ip', 'link', 'add', this.#link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.name);
    run('ip', 'addr', 'add', `${net}.${host + 1}/30`, 'dev', this.#link);
    run('ip', 'link', 'set', this.#link, 'up');
    this.exec('ip', 'addr', 'add', `${this.address}/30`, 'dev', 'eth0');
    this.exec('ip', 'link', 'set', 'eth0', 'up');
    this.exec('ip', 'link', 'set', 'lo', 'up');
  }

  /** Runs a program inside, to its end. */
  exec(...args: string[]): void {
    run('ip', 'netns', 'exec', this.name, ...args);
  }

  /** Starts a program inside. */
  start(command: string, args: readonly string[], more: Record<string, string> = {}): Program {
    return new Program('ip', ['netns', 'exec', this.name, command, ...args], { ...env, ...more });
  }

  remove(): void {
    run('ip', 'netns', 'del', this.name);
  }
}
