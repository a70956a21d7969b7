// What is told of a text that is no YAML: each mistake once, and nothing that only follows from it.
import { describe, expect, it } from 'vitest';
import { readDocument } from '../../dist/base/document.js';

const GOOD = `zone: example.org
pools:
  paris:
    at: [48.9, 2.4]
    members:
      - 192.0.2.1
      - { address: 192.0.2.2, weight: 3 }
records:
  "@":
    A:
      regions:
        FR: paris
        default: tokyo
  txt:
    TXT: |
      foo
      bar
`;

function told(text: string): string[] {
  return readDocument('f.yaml', text).diagnostics.map(({ code, line, message }) => `${code} ${line}: ${message}`);
}

describe('what is told of a text that is no YAML', () => {
  it('says one error for one tab, wherever it stands in the indentation and whatever it stands in', () => {
    expect(told(GOOD)).toEqual([]);
    for (const [i, line] of GOOD.split('\n').entries()) {
      if (line === '') continue;
      for (const indent of ['\t', ' \t', line.slice(2).replace(/\S.*/, '\t')]) {
        const lines = GOOD.split('\n');
        lines[i] = indent + line.trimStart();
        const mistakes = told(lines.join('\n'));
        // Below the first line of a text block a tab behind its indentation is text.
        if (mistakes.length === 0 && i >= 15) continue;
        expect(mistakes, JSON.stringify(lines[i])).toEqual([`yaml-tab ${i + 1}: a tab stands where YAML wants spaces`]);
      }
    }
  });

  it('names the other lines of a file that is indented with tabs', () => {
    const tabbed = GOOD.replaceAll('  ', '\t').replace('\t\t\tfoo', '      foo');
    expect(told(tabbed)).toEqual([
      'yaml-tab 3: a tab stands where YAML wants spaces; also on lines 4, 5, 6, 7, 9 and 7 more',
    ]);
  });

  it('still says another mistake that stands before the tab, and one that has nothing to do with it', () => {
    const mistakes = told(GOOD.replace('zone: example.org', 'zone: !!str example.org').replace('    A:', '\tA:'));
    expect(mistakes.map((text) => text.split(':')[0])).toEqual(['yaml-tag 1', 'yaml-tab 10']);
  });

  it('does not blame the tabs of a text block for a mistake elsewhere', () => {
    const text = `txt: |\n  a\n  \tb\nother: 1\nmore: 2\npools: [a\nrecords: b\n`;
    expect(told(text).map((line) => line.split(' ')[0])).not.toContain('yaml-tab');
  });

  it('says once that a line is indented wrongly, not again for each line behind it', () => {
    const text = 'a:\n  b: 1\n c: 2\n d: 3\n e: 4\nf: 5\n';
    expect(told(text)).toHaveLength(1);
  });
});
