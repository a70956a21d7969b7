// A small internet of a test's own: hosts in network namespaces on one bridge, with any addresses, joined to nothing else.
import { type ExecFileSyncOptions, execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Program } from './programs.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

/** How long a server may take until it answers: eight of them start at once, beside other tests. */
const READY_MS = 120_000;
const runAside = promisify(execFile);

function run(command: string, args: readonly string[], options: ExecFileSyncOptions = {}): string {
  return String(
    execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
      timeout: 180_000,
      ...options,
    }),
  );
}

/** The whole: a bridge, its hosts, a folder for their files. `close` ends their programs and removes everything. */
export class Internet {
  readonly directory = mkdtempSync(join(tmpdir(), 'internet-'));
  readonly #prefix = `mrd${process.pid % 100_000}`;
  readonly #hub: string;
  readonly #hosts: Host[] = [];

  constructor() {
    this.#hub = `${this.#prefix}-hub`;
    run('ip', ['netns', 'add', this.#hub]);
    // Nothing here asks whether an address is taken, or who is on the bridge: every packet may go at once.
    const quiet = ['net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'];
    run('ip', ['netns', 'exec', this.#hub, 'sysctl', '-q', '-w', ...quiet]);
    run('ip', ['-n', this.#hub, 'link', 'add', 'br0', 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0']);
    run('ip', ['-n', this.#hub, 'link', 'set', 'br0', 'up']);
  }

  /** A host with these addresses; all others are its neighbours. */
  host(...addresses: string[]): Host {
    const number = this.#hosts.length;
    const name = `${this.#prefix}-h${number}`;
    run('ip', ['netns', 'add', name]);
    const host = new Host(name, addresses, join(this.directory, `h${number}`));
    this.#hosts.push(host);
    run('ip', ['-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `v${number}`, 'netns', this.#hub]);
    run('ip', ['-n', this.#hub, 'link', 'set', `v${number}`, 'master', 'br0', 'up']);
    run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    run('ip', ['-n', name, 'link', 'set', 'eth0', 'up']);
    for (const address of addresses) {
      const six = address.includes(':');
      run('ip', ['-n', name, 'addr', 'add', `${address}/${six ? 128 : 32}`, 'dev', 'eth0', ...(six ? ['nodad'] : [])]);
    }
    for (const family of ['-4', '-6']) run('ip', [family, '-n', name, 'route', 'add', 'default', 'dev', 'eth0']);
    return host;
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.stop()));
    for (const host of this.#hosts) run('ip', ['netns', 'del', host.name]);
    run('ip', ['netns', 'del', this.#hub]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** One machine of it. */
export class Host {
  readonly #programs: Program[] = [];

  constructor(
    readonly name: string,
    readonly addresses: readonly string[],
    /** For its files. */
    readonly directory: string,
  ) {
    mkdirSync(directory);
  }

  /** Its first address. */
  get address(): string {
    return this.addresses[0]!;
  }

  /** Writes a file below its folder and returns the path. */
  write(path: string, text: string): string {
    const file = join(this.directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  /** Runs a program to its end and returns what it prints; throws when it fails. */
  run(command: string, ...args: string[]): string {
    return run('ip', ['netns', 'exec', this.name, command, ...args]);
  }

  /** Asks with dig, again where no answer comes (Unbound drops those that took it two seconds), and returns its output. */
  dig(server: Host, ...args: string[]): string {
    return this.run('dig', `@${server.address}`, '+tries=6', '+timeout=3', ...args);
  }

  /** Starts a program that ends with the test. */
  start(command: string, ...args: string[]): Program {
    const program = new Program('ip', ['netns', 'exec', this.name, command, ...args], env);
    this.#programs.push(program);
    return program;
  }

  /** Ends its programs. */
  async stop(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.stop()));
  }

  /** Waits until a server on this host answers for a name, asked from the host itself. */
  async answers(program: Program, name: string): Promise<void> {
    const args = ['netns', 'exec', this.name, 'dig', `@${this.address}`, '+tries=1', '+timeout=1', name, 'SOA'];
    const endMs = Date.now() + READY_MS;
    for (;;) {
      // Many hosts start at once: none may hold up the others.
      const reply = await runAside('ip', args, { env }).catch(() => ({ stdout: '' }));
      if (reply.stdout.includes('status: NOERROR')) return;
      if (program.process.exitCode !== null || Date.now() > endMs) {
        throw new Error(`${program.process.spawnargs.join(' ')} does not answer:\n${program.output}`);
      }
    }
  }

  /** NSD with these zones, master files by name. */
  async nsd(zones: Readonly<Record<string, string>>): Promise<void> {
    const names = Object.keys(zones);
    const files = names.map((name, i) => this.write(`zone${i}`, zones[name]!));
    const conf = this.write(
      'nsd.conf',
      `server:
${this.addresses.map((address) => `  ip-address: ${address}`).join('\n')}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "${this.directory}"
  pidfile: "${this.directory}/pid"
  xfrdfile: "${this.directory}/xfrd"
  xfrdir: "${this.directory}"
  zonelistfile: "${this.directory}/zonelist"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
${names.map((name, i) => `zone:\n  name: "${name}"\n  zonefile: "${files[i]}"\n`).join('')}`,
    );
    await this.answers(this.start('nsd', '-d', '-c', conf), names[0]!);
  }

  /** Meridian on all addresses of the host, with files below its folder. @param zone one that it must answer for */
  async meridian(files: Readonly<Record<string, string>>, zone: string, settings = ''): Promise<Program> {
    for (const [path, text] of Object.entries(files)) this.write(path, text);
    const listen = this.addresses.map((address) => `"${address.includes(':') ? `[${address}]` : address}:53"`);
    const config = this.write(
      'meridian.yaml',
      `version: meridian/v1\nlisten: [${listen.join(', ')}]\nadmin: { listen: "127.0.0.1:8053" }\n${settings}`,
    );
    const program = this.start(process.execPath, MAIN, 'serve', '--config', config);
    await this.answers(program, zone);
    return program;
  }

  /** A figure of Meridian's /metrics: those with a label (`verdict="valid"`), or all, added up. */
  metric(name: string, label = ''): number {
    const ask =
      'exec 3<>/dev/tcp/127.0.0.1/8053; printf "GET /metrics HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n" >&3; cat <&3';
    const text = this.run('bash', '-c', ask);
    const lines = [...text.matchAll(new RegExp(`^${name}(\\{[^}]*\\})? (\\S+)$`, 'gm'))];
    const values = lines.filter((line) => label === '' || line[1]?.includes(label)).map((line) => Number(line[2]));
    if (values.length === 0) throw new Error(`no metric ${name}`);
    return values.reduce((sum, value) => sum + value, 0);
  }
}
