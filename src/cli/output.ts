// Prints for people: whatever of a text would act on the terminal is made visible, except our own colours.
import { visibleLines } from '../base/visible.ts';
import { COLOUR_CODES } from './table.ts';

/** Our own colours stay colours; between them nothing does more than be read. */
const COLOURED = new RegExp(`(\\u001b\\[(?:0|${COLOUR_CODES.join('|')})m)`);

/** A text of lines as a terminal may have it. */
export function printable(text: string): string {
  return text
    .split(COLOURED)
    .map((part, i) => (i % 2 === 1 ? part : visibleLines(part)))
    .join('');
}

/** To standard output. */
export function print(text: string): void {
  process.stdout.write(printable(text));
}

/** To standard error. */
export function printError(text: string): void {
  process.stderr.write(printable(text));
}
