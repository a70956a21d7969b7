import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { allCommands, commandTree, SHELLS } from '../../dist/cli/command-tree.js';
import { program } from '../../dist/cli/program.js';
import { temporaryFolder } from '../support/admin.ts';
import { meridian } from '../support/meridian.ts';
import { have } from '../support/programs.ts';

const folder = temporaryFolder();
const root = commandTree(program({ code: 0 }));
const zshDriver = fileURLToPath(new URL('../support/zsh-complete.zsh', import.meta.url));

const BASH = `
source "$1"
read -ra COMP_WORDS <<<"$2"
[[ $2 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
_meridian
printf '%s\\n' "\${COMPREPLY[@]}"
`;
const FISH = 'source $argv[1]; complete -C $argv[2]';

/** How each shell is asked what it would offer for a line, with its script in a file. */
const ASK: Record<(typeof SHELLS)[number], (script: string, line: string) => string[]> = {
  bash: (script, line) => ['bash', '--norc', '-c', BASH, 'bash', script, line],
  zsh: (script, line) => ['zsh', '-f', zshDriver, script, line],
  fish: (script, line) => ['fish', '--no-config', '-c', FISH, script, line],
};

/** What a shell offers, sorted, without descriptions. */
function offered(shell: (typeof SHELLS)[number], line: string): string[] {
  const [command, ...args] = ASK[shell](join(folder, `script.${shell}`), line) as [string, ...string[]];
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder, TERM: 'dumb' };
  return execFileSync(command, args, { encoding: 'utf8', cwd: folder, env })
    .split('\n')
    .map((text) => text.split('\t')[0]!)
    .filter((text) => text !== '')
    .sort();
}

beforeAll(async () => {
  writeFileSync(join(folder, 'my zone.yaml'), '');
  writeFileSync(join(folder, 'myzone.yaml'), '');
  for (const shell of SHELLS) {
    const { code, stdout } = await meridian(['completion', shell]);
    expect(code).toBe(0);
    writeFileSync(join(folder, `script.${shell}`), stdout);
  }
});

describe.each(SHELLS)('meridian completion %s', (shell) => {
  const here = it.skipIf(!have(shell));

  here('is a script that the shell takes', () => {
    execFileSync(shell, ['-n', join(folder, `script.${shell}`)]);
  });

  here('offers the commands, by their beginning, also those below another', () => {
    expect(offered(shell, 'meridian se')).toEqual(['serve']);
    expect(offered(shell, 'meridian ')).toEqual(expect.arrayContaining(root.commands.map(({ name }) => name)));
    expect(offered(shell, 'meridian token ad')).toEqual(['add']);
  });

  here('offers every option of every command', () => {
    // Each shell is slow to start: the commands with most of them stand for the others, whose lists are made alike.
    for (const name of ['serve', 'explain', 'force']) {
      const { path, options } = root.commands.find((command) => command.name === name)!;
      const long = options.flatMap(({ names }) => names.filter((option) => option.startsWith('--')));
      expect(offered(shell, `${path} --`)).toEqual(expect.arrayContaining(long));
    }
  });

  here('offers the words that a value can be, and no command there', () => {
    expect(offered(shell, 'meridian force net.cat/rio --state ')).toEqual(['down', 'drain', 'up']);
    expect(offered(shell, 'meridian completion ')).toEqual(expect.arrayContaining([...SHELLS]));
    expect(offered(shell, 'meridian force net.cat/rio --reason ')).toEqual([]);
  });

  here('offers files where files are meant, with blanks in their names too', () => {
    for (const line of ['meridian check my', 'meridian serve --config my']) {
      const files = offered(shell, line).map((name) => name.replaceAll('\\', ''));
      expect(files).toEqual(['my zone.yaml', 'myzone.yaml']);
    }
  });
});

describe('meridian completion', () => {
  it('names the shells that it knows when asked for another', async () => {
    const { code, stderr } = await meridian(['completion', 'tcsh']);
    expect(code).toBe(2);
    expect(stderr).toContain('bash, zsh, fish');
  });
});

describe('the manual page', () => {
  const page = fileURLToPath(new URL('../../dist/man/meridian.1', import.meta.url));

  it.skipIf(!have('mandoc'))('is one that mandoc finds nothing against', () => {
    expect(execFileSync('mandoc', ['-T', 'lint', '-W', 'style', page], { encoding: 'utf8' })).toBe('');
  });

  it.skipIf(!have('mandoc'))('has every command with every option, and the exit codes', () => {
    const text = execFileSync('mandoc', ['-T', 'utf8', '-O', 'width=200', page], { encoding: 'utf8' }).replace(
      /.[\b]/g,
      '',
    );
    for (const { path, name, commands, options } of allCommands(root)) {
      if (commands.length > 0 || name === 'help') continue;
      const [, section] = text.split(new RegExp(`^ +${path}(?: .*)?$`, 'm'));
      expect(section, path).toBeDefined();
      for (const { flags } of options) expect(section, path).toContain(flags);
    }
    expect(text).toMatch(/EXIT STATUS\n +0 good/);
  });
});
