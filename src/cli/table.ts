// Prints rows as columns that line up, with colours where somebody sees them.
import { visible } from '../base/visible.ts';

const COLOURS = { green: 32, red: 31, yellow: 33, blue: 34, grey: 90, bold: 1 } as const;

/** Their codes as a terminal knows them. */
export const COLOUR_CODES: readonly number[] = Object.values(COLOURS);

export type Colour = keyof typeof COLOURS;

/** A cell: text, with a colour that doesn't count for its width. */
export type Cell = string | { readonly text: string; readonly colour: Colour };

/** Whether standard output shows colours: a terminal, and nobody has set NO_COLOR (no-color.org). */
function showsColours(): boolean {
  return process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';
}

/** A cell in its colour, where colours are shown. */
export function paint(cell: Cell, colours = showsColours()): string {
  const text = textOf(cell);
  return colours && typeof cell !== 'string' ? `\u001b[${COLOURS[cell.colour]}m${text}\u001b[0m` : text;
}

/** The state of a target, a zone or a pool in the colour that it is known by. */
export function stateCell(state: string): Cell {
  if (state === 'up' || state === 'ok') return { text: state, colour: 'green' };
  if (state === 'down' || state === 'error') return { text: state, colour: 'red' };
  return { text: state, colour: 'yellow' };
}

/** Lines of a table, each ended; no rows give no lines. Two spaces stand between columns, none at the end of a line. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  colours = showsColours(),
): string {
  if (rows.length === 0) return '';
  const all: readonly (readonly Cell[])[] = [head.map((text): Cell => ({ text, colour: 'grey' })), ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => textOf(row[column]).length)));
  return all
    .map((row) => {
      const last = row.findLastIndex((cell) => textOf(cell) !== '');
      const cells = row.slice(0, last + 1).map((cell, column) => {
        const padding = column === last ? 0 : widths[column]! - textOf(cell).length;
        return paint(cell, colours) + ' '.repeat(padding);
      });
      return `${cells.join('  ')}\n`;
    })
    .join('');
}

function textOf(cell: Cell | undefined): string {
  return cell === undefined ? '' : visible(typeof cell === 'string' ? cell : cell.text);
}

/** How long something lasts, roughly: `45s`, `12m`, `3h`, `2d`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole}s`;
  if (whole < 7_200) return `${Math.round(whole / 60)}m`;
  if (whole < 172_800) return `${Math.round(whole / 3_600)}h`;
  return `${Math.round(whole / 86_400)}d`;
}

/** A number and what it counts: `1 zone`, `2 zones`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
