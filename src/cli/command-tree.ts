// The commands as data, read from what `--help` is made of: what shell completion and the manual page are written from.
import type { Argument, Command, Option } from 'commander';
import { ROLES } from '../admin/tokens.ts';

/** What may stand in the place of an argument or of an option's value: files, one of some words, or anything (null). */
export type Values = 'files' | readonly string[] | null;

export interface OptionNode {
  /** As help shows it: `-f, --follow`. */
  readonly flags: string;
  /** As they are typed, short first: `-f` and `--follow`. */
  readonly names: readonly string[];
  readonly description: string;
  /** The value's name, such as `file`; null: it takes none. */
  readonly value: string | null;
  readonly values: Values;
}

export interface ArgumentNode {
  /** As help shows it: `<name>`, `[path...]`. */
  readonly shown: string;
  readonly name: string;
  readonly many: boolean;
  readonly values: Values;
}

export interface CommandNode {
  /** As it is typed: `meridian token add`. */
  readonly path: string;
  readonly name: string;
  /** Without the name: `[options] <name>`. */
  readonly usage: string;
  readonly description: string;
  readonly options: readonly OptionNode[];
  readonly arguments: readonly ArgumentNode[];
  /** What help shows below its lists: examples, for the whole program the exit codes too. */
  readonly after: string;
  readonly commands: readonly CommandNode[];
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** By the names of arguments and values in `program.ts`. */
const VALUES: Readonly<Record<string, Values>> = {
  file: 'files',
  path: 'files',
  state: ['up', 'down', 'drain'],
  role: ROLES,
  shell: SHELLS,
  type: ['A', 'AAAA', 'CNAME', 'HTTPS', 'MX', 'NS', 'SOA', 'SRV', 'SVCB', 'TXT'],
  duration: ['30m', '2h', '1d', 'forever'],
};

/** Reads a command and all below it. */
export function commandTree(command: Command, above = ''): CommandNode {
  const help = command.createHelp();
  const path = `${above}${command.name()}`;
  return {
    path,
    name: command.name(),
    usage: command.usage(),
    description: command.description(),
    options: help.visibleOptions(command).map(optionNode),
    arguments: command.registeredArguments.map(argumentNode),
    after: afterLists(command),
    // `meridian help token` is enough: `meridian token help` too would only be in the way.
    commands: help
      .visibleCommands(command)
      .filter((below) => command.parent === null || below.name() !== 'help')
      .map((below) => commandTree(below, `${path} `)),
  };
}

/** A command and all below it, in the order of help. */
export function allCommands(root: CommandNode): CommandNode[] {
  return [root, ...root.commands.flatMap(allCommands)];
}

/** The text from "Examples:" on; it can only be read off the whole. */
function afterLists(command: Command): string {
  const before = command.configureOutput();
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  command.configureOutput(before);
  const at = text.indexOf('\nExamples:\n');
  return at < 0 ? '' : text.slice(at + 1).trimEnd();
}

function optionNode({ flags, short, long, description, required, optional }: Option): OptionNode {
  const value = required || optional ? (/[<[]([\w-]+)/.exec(flags)?.[1] ?? 'value') : null;
  const names = [short, long].filter((name) => name !== undefined);
  return { flags, names, description, value, values: value === null ? null : (VALUES[value] ?? null) };
}

function argumentNode(argument: Argument): ArgumentNode {
  const name = argument.name();
  const inner = `${name}${argument.variadic ? '...' : ''}`;
  const values = VALUES[name] ?? null;
  return { shown: argument.required ? `<${inner}>` : `[${inner}]`, name, many: argument.variadic, values };
}
