// The image without an engine: the Dockerfile's steps as an ordinary user in folders, and its command in a root that can't be written.
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Copy, DockerfileParser, type Instruction, type JSONInstruction, type Workdir } from 'dockerfile-ast';
import { have, lacking } from './programs.ts';

/** The repository: what `docker build .` would be given, before .dockerignore. */
export const CONTEXT = fileURLToPath(new URL('../../', import.meta.url));

/** Where an image's own files may lie; all else of it is this machine's, and can't be written. */
const FOLDERS = ['/build', '/opt', '/etc/meridian', '/var', '/usr/local/bin'];

/** What a base image has too. */
const BASE = [
  '/etc/passwd',
  '/etc/group',
  '/etc/ssl',
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/nsswitch.conf',
  '/etc/npmrc',
  '/etc/alternatives',
];

/** Who builds and runs when the tests themselves are root's. */
const NOBODY = 65_534;

export interface Copied {
  readonly sources: readonly string[];
  readonly target: string;
  /** The stage that it is taken from; null: the context. */
  readonly from: string | null;
}

export interface Stage {
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile in their order. */
export function stagesOf(text: string): Stage[] {
  const stages: { name: string; instructions: Instruction[] }[] = [];
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const words = instruction.getArguments().map((argument) => argument.getValue());
    if (instruction.getKeyword() === 'FROM') stages.push({ name: words[2] ?? String(stages.length), instructions: [] });
    else stages.at(-1)!.instructions.push(instruction);
  }
  return stages;
}

/** What a COPY copies. */
export function copied(instruction: Instruction): Copied {
  const words = instruction.getArguments().map((argument) => argument.getValue());
  const from =
    (instruction as Copy)
      .getFlags()
      .find((flag) => flag.getName() === 'from')
      ?.getValue() ?? null;
  return { sources: words.slice(0, -1), target: words.at(-1)!, from };
}

/** Whether the steps can be run here. */
export function canBuildImages(): boolean {
  return have('bwrap', 'setpriv') && (process.platform === 'linux' || lacking('Linux'));
}

export class Image {
  readonly #folder: string;
  readonly #env: Record<string, string> = {};
  #workdir = '/';
  #user = '0:0';
  #command: string[] = [];
  #entrypoint: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  get user(): string {
    return this.#user;
  }

  get workdir(): string {
    return this.#workdir;
  }

  /** What the container runs. */
  get command(): readonly string[] {
    return [...this.#entrypoint, ...this.#command];
  }

  /** Runs all steps of the Dockerfile in `folder`, with `context` for COPY; returns the last stage. */
  static async build(folder: string, context: string): Promise<Image> {
    const stages = new Map<string, Image>();
    let last = new Image(folder);
    for (const stage of stagesOf(readFileSync(join(CONTEXT, 'Dockerfile'), 'utf8'))) {
      last = new Image(join(folder, stage.name));
      stages.set(stage.name, last);
      for (const path of FOLDERS) mkdirSync(last.on(path), { recursive: true });
      last.#own();
      for (const instruction of stage.instructions) await last.#step(instruction, context, stages);
    }
    return last;
  }

  /** The path on this machine of a path in the image. */
  on(path: string): string {
    return join(this.#folder, path);
  }

  /**
   * The command line that runs a program in the image. `readOnly`: nothing of it can be written but /var/lib/meridian.
   * `mounts`: folders of this machine by their path in the image, read-only.
   */
  inside(
    args: readonly string[],
    { readOnly, mounts = {} }: { readOnly: boolean; mounts?: Record<string, string> },
  ): string[] {
    const [uid, gid] = readOnly ? this.#user.split(':') : ['0', '0'];
    const bind = readOnly ? '--ro-bind' : '--bind';
    return [
      ...(process.getuid?.() === 0
        ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--bounding-set=-all']
        : []),
      ...['bwrap', '--unshare-user', '--unshare-pid', '--die-with-parent', '--clearenv', '--uid', uid!, '--gid', gid!],
      ...['--dir', '/etc', '--ro-bind', '/usr', '/usr', '--proc', '/proc', '--dev', '/dev'],
      ...['bin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
      ...BASE.flatMap((path) => ['--ro-bind-try', path, path]),
      ...FOLDERS.flatMap((path) => [bind, this.on(path), path]),
      ...(readOnly ? ['--bind', this.on('/var/lib/meridian'), '/var/lib/meridian'] : ['--tmpfs', '/tmp']),
      ...Object.entries(mounts).flatMap(([path, folder]) => ['--ro-bind', folder, path]),
      // The base image has its programs there.
      ...['--setenv', 'PATH', '/usr/local/bin:/usr/bin:/bin'],
      ...Object.entries(this.#env).flatMap(([name, value]) => ['--setenv', name, value]),
      ...(readOnly ? ['--remount-ro', '/'] : ['--setenv', 'HOME', '/tmp', ...this.#passed()]),
      ...['--chdir', this.#workdir, ...args],
    ];
  }

  /** How the way to the registry is told, on a machine that has one of its own. */
  #passed(): string[] {
    const names = [
      'NODE_EXTRA_CA_CERTS',
      'HTTP_PROXY',
      'HTTPS_PROXY',
      'http_proxy',
      'https_proxy',
      'npm_config_registry',
    ];
    return names.flatMap((name) => (process.env[name] === undefined ? [] : ['--setenv', name, process.env[name]]));
  }

  async #step(instruction: Instruction, context: string, stages: ReadonlyMap<string, Image>): Promise<void> {
    const text = instruction.getArgumentsContent() ?? '';
    switch (instruction.getKeyword()) {
      case 'WORKDIR':
        this.#workdir = posix.resolve(this.#workdir, (instruction as Workdir).getPath()!);
        mkdirSync(this.on(this.#workdir), { recursive: true });
        break;
      case 'ENV': {
        const [name, value] = text.split('=') as [string, string];
        this.#env[name] = value;
        break;
      }
      case 'COPY':
        this.#copy(copied(instruction), context, stages);
        break;
      case 'RUN':
        await this.#run(text);
        break;
      case 'USER':
        this.#user = text;
        break;
      case 'ENTRYPOINT':
        this.#entrypoint = words(instruction);
        break;
      case 'CMD':
        this.#command = words(instruction);
        break;
      default:
        // LABEL, EXPOSE, VOLUME, HEALTHCHECK, STOPSIGNAL: nothing to do in folders.
        break;
    }
    this.#own();
  }

  #copy({ sources, target, from }: Copied, context: string, stages: ReadonlyMap<string, Image>): void {
    const path = this.on(posix.resolve(this.#workdir, target));
    for (const source of sources) {
      const file = from === null ? join(context, source) : stages.get(from)!.on(source);
      const isFolder = statSync(file).isDirectory();
      // A folder's content goes into the target; files go into a target that ends with a slash.
      cpSync(file, !isFolder && target.endsWith('/') ? join(path, basename(source)) : path, {
        recursive: true,
        verbatimSymlinks: true,
      });
    }
  }

  async #run(text: string): Promise<void> {
    // In a namespace of an ordinary user nobody else exists: what is given to others stays ours, which comes to the same.
    const shims = join(this.#folder, 'shims');
    mkdirSync(shims, { recursive: true });
    writeFileSync(join(shims, 'chown'), '#!/bin/sh\nexit 0\n');
    chmodSync(join(shims, 'chown'), 0o755);
    const script = `PATH=/shims:$PATH; ${text}`;
    const [command, ...args] = this.inside(['/bin/sh', '-c', script], { readOnly: false, mounts: { '/shims': shims } });
    try {
      await promisify(execFile)(command!, args, { maxBuffer: 64 * 1024 * 1024 });
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`RUN ${text} failed:\n${stdout}${stderr}`);
    }
  }

  /** Gives what was made here to who builds. */
  #own(): void {
    if (process.getuid?.() === 0) giveTo(this.#folder);
  }
}

function giveTo(folder: string): void {
  // Links are left: they lead out of the folder.
  execFileSync('chown', ['-R', '-h', `${NOBODY}:${NOBODY}`, folder]);
}

function words(instruction: Instruction): string[] {
  return (instruction as JSONInstruction).getJSONStrings().map((word) => JSON.parse(word.getValue()) as string);
}

/** Opens a folder's way to who builds. */
export function openWay(folder: string): void {
  if (existsSync(folder)) chmodSync(folder, 0o755);
  if (process.getuid?.() === 0) chownSync(folder, NOBODY, NOBODY);
}
