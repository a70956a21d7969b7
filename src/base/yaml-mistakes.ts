// Which of the parser's complaints are told: one mistake makes it stumble many times, and the first says what matters.
import type { YamlMistake } from './yaml-slip.ts';

/** What follows from a tab, or from a line that is indented wrongly. */
const STRUCTURAL: ReadonlySet<string> = new Set(['yaml-syntax', 'yaml-tab', 'yaml-key', 'empty-value']);

/** Lines that a message names. */
const LINES_NAMED = 5;

/** The mistakes that are told of a text that is no YAML: one for all of its tabs, and each complaint that follows from another left out. */
export function toldMistakes(text: string, mistakes: readonly YamlMistake[]): YamlMistake[] {
  const ordered = [...mistakes].sort((a, b) => a.offset - b.offset);
  const tabs = tabLines(text, ordered);
  const first = tabs[0];
  if (first === undefined) return withoutEchoes(text, ordered);
  // The parser may stumble at the end of the line before.
  const before = text.lastIndexOf('\n', Math.max(0, first.offset - first.column - 2));
  const kept = ordered.filter(({ code, offset }) => !STRUCTURAL.has(code) || offset < before);
  return [...withoutEchoes(text, kept), tabMistake(tabs)].sort((a, b) => a.offset - b.offset);
}

interface TabLine {
  /** Of the tab. */
  readonly offset: number;
  readonly line: number;
  /** Characters before the tab on its line. */
  readonly column: number;
}

/**
 * The lines that are indented with tabs, if that is what the parser stumbles over: it says so, or its first complaint is beside one. Elsewhere
 * a text block may have them and mean it.
 */
function tabLines(text: string, mistakes: readonly YamlMistake[]): TabLine[] {
  const named = mistakes.find(({ code }) => code === 'yaml-tab');
  const complaint = named ?? mistakes.find(({ code }) => code === 'yaml-syntax');
  if (complaint === undefined) return [];
  const tabs: TabLine[] = [];
  let start = 0;
  let complaintLine = 1;
  for (const [i, line] of text.split('\n').entries()) {
    if (start <= complaint.offset) complaintLine = i + 1;
    const indent = /^[ \t]*(?=\S)/.exec(line)?.[0] ?? '';
    const column = indent.indexOf('\t');
    if (column >= 0) tabs.push({ offset: start + column, line: i + 1, column });
    start += line.length + 1;
  }
  if (named !== undefined) return tabs.filter(({ line }) => line >= complaintLine);
  return tabs.filter(({ line }) => Math.abs(line - complaintLine) <= 1);
}

function tabMistake(tabs: readonly TabLine[]): YamlMistake {
  const [first, ...others] = tabs;
  const lines = others.slice(0, LINES_NAMED).map(({ line }) => line);
  const more = others.length > LINES_NAMED ? ` and ${others.length - LINES_NAMED} more` : '';
  const also = others.length === 0 ? '' : `; also on line${others.length === 1 ? '' : 's'} ${lines.join(', ')}${more}`;
  return {
    code: 'yaml-tab',
    offset: first!.offset,
    message: `a tab stands where YAML wants spaces${also}`,
    fix: 'indent with spaces',
  };
}

/** What every complaint may be followed by: the parser has lost its way, and takes the rest of the text for rubbish. */
const LOST = 'lost';

/** Complaints with one of these come again and again behind the first. */
function echoOf(message: string): string {
  if (/in YAML stream|must start at the same column/.test(message)) return LOST;
  return message.replace(/Flow (?:map|sequence)/, 'Flow').replace(/[\]}]$/, '');
}

/** Of several complaints on one line the first, and of equal ones further down the first too: those say again that the indentation is lost. */
function withoutEchoes(text: string, mistakes: readonly YamlMistake[]): YamlMistake[] {
  const stumbled = new Set<number>();
  const said = new Set<string>();
  let counted = 0;
  let line = 0;
  return mistakes.filter(({ code, offset, message }) => {
    for (let at = text.indexOf('\n', counted); at >= 0 && at < offset; at = text.indexOf('\n', counted)) {
      counted = at + 1;
      line++;
    }
    const echo = code === 'yaml-syntax' && (stumbled.has(line) || (said.size > 0 && said.has(echoOf(message))));
    stumbled.add(line);
    if (code === 'yaml-syntax') said.add(echoOf(message)).add(LOST);
    return !echo;
  });
}
