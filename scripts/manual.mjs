// Writes the manual page, dist/man/meridian.1, from what `--help` says. Run after the compiler.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { allCommands, commandTree } from '../dist/cli/command-tree.js';
import { program } from '../dist/cli/program.js';

/** Text for mdoc: no macro, no escape of its own, and minus signs that can be copied. */
function plain(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');
}

/** A sentence on lines of less than 80 letters; none begins with what a macro begins with. */
function sentence(text) {
  const lines = [''];
  for (const part of `${capital(text)}${text.endsWith('.') ? '' : '.'}`.split(' ')) {
    if (lines.at(-1) !== '' && lines.at(-1).length + part.length > 72) lines.push('');
    lines.push(`${lines.pop()} ${part}`.trim());
  }
  return plain(lines.join('\n'));
}

/** An argument of a macro: one word, whatever is in it. */
const word = (text) => `"${plain(text).replaceAll('"', '\\(dq')}"`;

function options(list) {
  return list.flatMap(({ flags, description }) => [`.It ${word(flags)}`, sentence(description)]);
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function examples({ after }) {
  const [list] = after.replace(/^Examples:\n/, '').split('\n\n');
  if (after === '') return [];
  const lines = list.split('\n').map((line) => plain(line.replace(/^ {2}/, '')));
  return ['.Bd -literal -offset indent', ...lines, '.Ed'];
}

function section(command) {
  return [
    // A bracket at the end would be taken for punctuation.
    `.Ss ${word(`${command.path} ${command.usage}`)}\\&`,
    sentence(command.description),
    '.Bl -tag -width Ds',
    ...options(command.options),
    '.El',
    ...examples(command),
  ];
}

const root = commandTree(program({ code: 0 }));
const commands = allCommands(root).filter(({ commands, path }) => commands.length === 0 && path !== 'meridian help');
const page = [
  '.\\" Made from the help of the commands by scripts/manual.mjs.',
  '.Dd $Mdocdate$',
  '.Dt MERIDIAN 1',
  '.Os',
  '.Sh NAME',
  '.Nm meridian',
  '.Nd authoritative DNS server that answers each client with the nearest backend that is alive',
  '.Sh SYNOPSIS',
  '.Nm',
  '.Ar command',
  '.Op Ar options',
  '.Sh DESCRIPTION',
  sentence(root.description),
  'Its settings are in',
  '.Pa meridian.yaml ,',
  'its zones in',
  '.Pa zones/ .',
  '.Bl -tag -width Ds',
  ...options(root.options),
  '.El',
  '.Sh COMMANDS',
  ...commands.flatMap(section),
  '.Sh FILES',
  '.Bl -tag -width Ds',
  '.It Pa meridian.yaml',
  'The settings, in the current folder where no other file is named.',
  '.It Pa zones/*.yaml',
  'A file for each zone.',
  '.It Pa geoip/',
  'Geographic databases and',
  '.Pa overrides.yaml .',
  '.It Pa state/',
  'What outlives a restart.',
  '.El',
  '.Sh EXIT STATUS',
  sentence(root.after.slice(root.after.indexOf('Exit codes: ') + 'Exit codes: '.length)),
  '.Sh EXAMPLES',
  ...examples(root),
];

const folder = fileURLToPath(new URL('../dist/man/', import.meta.url));
mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}meridian.1`, `${page.join('\n')}\n`);
