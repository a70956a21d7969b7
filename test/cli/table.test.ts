import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { formatSeconds, formatTable, stateCell } from '../../dist/cli/table.js';

describe('tables', () => {
  const rows = [
    ['net.cat/rio', stateCell('up'), ''],
    ['net.cat/newyork', stateCell('down'), 'refused'],
  ];

  it('line up, and end no line with spaces', () => {
    expect(formatTable(['TARGET', 'STATE', 'WHY'], rows, false)).toBe(
      'TARGET           STATE  WHY\nnet.cat/rio      up\nnet.cat/newyork  down   refused\n',
    );
  });

  it('line up in colours too', () => {
    const painted = formatTable(['TARGET', 'STATE', 'WHY'], rows, true);
    expect(painted).toContain('\u001b[31mdown\u001b[0m');
    expect(stripVTControlCharacters(painted)).toBe(formatTable(['TARGET', 'STATE', 'WHY'], rows, false));
  });

  it('are nothing without rows', () => {
    expect(formatTable(['TARGET'], [], false)).toBe('');
  });

  it.each([
    [-3, '0s'],
    [90.4, '90s'],
    [600, '10m'],
    [10_800, '3h'],
    [864_000, '10d'],
  ])('show %d seconds as %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
});
