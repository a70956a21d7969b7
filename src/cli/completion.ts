// `meridian completion SHELL`: prints the script that lets a shell complete our commands, options, files and fixed words.
import { allCommands, type CommandNode, type OptionNode, SHELLS, type Values } from './command-tree.ts';
import { EXIT, Failure } from './exit.ts';

/** The script for a shell. Throws Failure for one that we don't know. */
export function completionScript(shell: string, root: CommandNode): string {
  if (shell === 'bash') return bash(root);
  if (shell === 'zsh') return zsh(root);
  if (shell === 'fish') return fish(root);
  throw new Failure(EXIT.usage, `there is no completion for "${shell}": use ${SHELLS.join(', ')}`);
}

/** In single quotes of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Words that name a command below the one before: every shell's script walks along the line by them. */
function steps(root: CommandNode): string[] {
  return allCommands(root)
    .flatMap(({ commands }) => commands)
    .map(({ path }) => path);
}

// ---- bash -------------------------------------------------------------------------------------------------------------

function bash(root: CommandNode): string {
  const commands = allCommands(root);
  const afterOption = commands.flatMap(({ path, options }) =>
    options.filter(({ value }) => value !== null).flatMap((option) => bashValues(path, option)),
  );
  const words = commands.map((command) => {
    const values = command.arguments.map((argument) => argument.values);
    const list = [
      ...command.commands.map(({ name }) => name),
      ...values.filter((each) => each !== 'files' && each !== null).flat(),
      ...command.options.flatMap(({ names }) => names),
    ];
    return `    ${quoted(command.path)}) words=${quoted(list.join(' '))}${values.includes('files') ? ' files=yes' : ''} ;;`;
  });
  return `# bash completion of meridian: source <(meridian completion bash)
_meridian() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path=meridian words='' files='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
      ${steps(root).map(quoted).join(' | ')}) path="$path \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path $before" in
${afterOption.join('\n')}
  *) case "$path" in
${words.join('\n')}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  if [ -n "$files" ]; then
    local IFS=$'\\n'
    COMPREPLY+=($(compgen -f -- "$word"))
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _meridian meridian
`;
}

function bashValues(path: string, { names, values }: OptionNode): string {
  const patterns = names.map((name) => quoted(`${path} ${name}`)).join(' | ');
  if (values === 'files') return `  ${patterns}) files=yes ;;`;
  return `  ${patterns}) words=${quoted((values ?? []).join(' '))} ;;`;
}

// ---- zsh --------------------------------------------------------------------------------------------------------------

function zsh(root: CommandNode): string {
  return `#compdef meridian
# zsh completion of meridian: a file _meridian in a folder of $fpath, or: source <(meridian completion zsh)
${allCommands(root).map(zshFunction).join('\n')}
if [ "\${funcstack[1]}" = _meridian ]; then _meridian "$@"; else compdef _meridian meridian; fi
`;
}

const zshName = (path: string): string => `_${path.replaceAll(' ', '_').replaceAll('-', '_')}`;

function zshFunction(command: CommandNode): string {
  const { path, options, commands } = command;
  const specs = options.map(zshOption);
  if (commands.length === 0) {
    const args = command.arguments.map(({ name, many, values }) => `'${many ? '*' : ''}:${name}:${zshAction(values)}'`);
    return `${zshName(path)}() {\n  _arguments -S ${[...specs, ...args].join(' \\\n    ')}\n}`;
  }
  const described = commands.map(({ name, description }) => quoted(`${name}:${description.replaceAll(':', '\\:')}`));
  const cases = commands.map((below) => `    ${below.name}) ${zshName(below.path)} ;;`);
  return `${zshName(path)}() {
  local curcontext=$curcontext state line ret=1
  _arguments -C ${[...specs, "'1:command:->command'", "'*::argument:->argument'"].join(' \\\n    ')} && ret=0
  case $state in
  command)
    local -a commands=(${described.join(' ')})
    _describe command commands && ret=0 ;;
  argument)
    case $line[1] in
${cases.join('\n')}
    esac && ret=0 ;;
  esac
  return ret
}`;
}

function zshOption({ names, description, value, values }: OptionNode): string {
  const told = description.replace(/[[\]:\\]/g, '\\$&');
  const excluded = names.length > 1 ? quoted(`(${names.join(' ')})`) : '';
  const name = names.length > 1 ? `{${names.join(',')}}` : names[0];
  return `${excluded}${name}${quoted(`[${told}]${value === null ? '' : `:${value}:${zshAction(values)}`}`)}`;
}

function zshAction(values: Values): string {
  return values === 'files' ? '_files' : values === null ? '( )' : `(${values.join(' ')})`;
}

// ---- fish -------------------------------------------------------------------------------------------------------------

const fishQuoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function fish(root: CommandNode): string {
  return `# fish completion of meridian: meridian completion fish > ~/.config/fish/completions/meridian.fish
function __meridian_at
  set -l path meridian
  for word in (commandline -opc)[2..]
    if contains -- "$path $word" ${steps(root).map(fishQuoted).join(' ')}
      set path "$path $word"
    end
  end
  test "$path" = "$argv[1]"
end
complete -c meridian -f
${allCommands(root).flatMap(fishLines).join('\n')}
`;
}

function fishLines(command: CommandNode): string[] {
  const at = `complete -c meridian -n ${fishQuoted(`__meridian_at ${fishQuoted(command.path)}`)}`;
  return [
    ...command.commands.map(({ name, description }) => `${at} -a ${name} -d ${fishQuoted(description)}`),
    ...command.arguments.flatMap(({ values }) =>
      values === 'files' ? [`${at} -F`] : values === null ? [] : [`${at} -a ${fishQuoted(values.join(' '))}`],
    ),
    ...command.options.map(({ names, description, value, values }) => {
      const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
      const taken =
        value === null
          ? ''
          : values === 'files'
            ? ' -r -F'
            : ` -x${values === null ? '' : ` -a '${values.join(' ')}'`}`;
      return `${at} ${flags.join(' ')}${taken} -d ${fishQuoted(description)}`;
    }),
  ];
}
