// Reading YAML: values stay text, every mistake has its place, and no text can make the reader throw or hang.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Document, readDocument } from '../../dist/base/document.js';
import { limits } from '../../dist/base/limits.js';
import { HANGS_MS } from '../support/patience.ts';

function read(text: string): Document {
  return readDocument('test.yaml', text);
}

function found(text: string): string[] {
  return read(text).diagnostics.map((d) => `${d.code} ${d.line}:${d.col}`);
}

/** A value as ordinary objects, to compare. */
function plain(text: string): unknown {
  return JSON.parse(JSON.stringify(read(text).value ?? null));
}

describe('a document', () => {
  it('leaves every scalar as the text that it is', () => {
    expect(plain('a: NO\nb: 010\nc: 10:30\nd: ~\ne: null\nf: 1e3\ng: true\nh: ""\n"i": 0x1f\n')).toEqual({
      a: 'NO',
      b: '010',
      c: '10:30',
      d: '~',
      e: 'null',
      f: '1e3',
      g: 'true',
      h: '',
      i: '0x1f',
    });
  });

  it('is an empty map when the text is empty or only comments', () => {
    for (const text of ['', '\n', '# nothing\n', '---\n']) {
      expect(plain(text)).toEqual({});
      expect(found(text)).toEqual([]);
    }
  });

  it('takes keys such as __proto__ and constructor for keys', () => {
    const value = read('__proto__: { polluted: yes }\nconstructor: x\n').value as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('accepts anchors and aliases', () => {
    expect(plain('a: &x [b, c]\nd: *x\n')).toEqual({ a: ['b', 'c'], d: ['b', 'c'] });
    expect(found('a: &x [b, c]\nd: *x\n')).toEqual([]);
  });

  it('accepts a byte order mark and Windows line ends, and counts columns without them', () => {
    expect(found('\ufeffa: @\r\nb: @\r\n')).toEqual(['quote-it 1:4', 'quote-it 2:4']);
    expect(read('\ufeffa: 1\r\nb: 2\r\n').lineText(1)).toBe('a: 1');
  });

  it('knows where keys, values and list elements stand', () => {
    const document = read('pools:\n  moscow:\n    members: [a,\n      b]\n');
    expect(document.at(['pools', 'moscow'], 'key')).toEqual({ line: 2, col: 3 });
    expect(document.at(['pools', 'moscow', 'members', 0])).toEqual({ line: 3, col: 15 });
    expect(document.at(['pools', 'moscow', 'members', 1])).toEqual({ line: 4, col: 7 });
    expect(document.at(['pools', 'moscow', 'check'])).toEqual(document.at(['pools', 'moscow']));
    expect(document.at([])).toEqual({ line: 1, col: 1 });
  });

  it('reports at a path, with the line, and the same mistake once', () => {
    const document = read('a:\n  b: c\n');
    document.reportAt('bad-value', ['a', 'b'], 'value', 'wrong', 'right');
    document.reportAt('bad-value', ['a', 'b'], 'value', 'wrong', 'right');
    expect(document.diagnostics).toEqual([
      {
        code: 'bad-value',
        severity: 'error',
        file: 'test.yaml',
        line: 2,
        col: 6,
        message: 'wrong',
        fix: 'right',
        excerpt: '  b: c',
      },
    ]);
  });

  it('reports no more than a thousand mistakes', () => {
    expect(found('a: 1\n'.repeat(3000)).length).toBe(limits.diagnosticsPerFile);
  });
});

describe('a document with a great many findings', () => {
  it('counts errors and warnings apart, and stays failed', () => {
    const document = read('a: b\n');
    for (let i = 0; i < 1_500; i++) document.report('unused-pool', 0, `pool ${i}`, 'use it');
    expect(document.failed).toBe(false);
    document.report('bad-value', 0, 'wrong', 'right');
    expect(document.failed).toBe(true);
    expect(document.diagnostics.filter((d) => d.severity === 'error')).toHaveLength(1);
    expect(document.diagnostics).toHaveLength(limits.diagnosticsPerFile + 1);
  });
});

describe('mistakes of YAML', () => {
  it.each([
    ['a: [b\nc: d\n', 'yaml-syntax 2:1'],
    ['a: b: c\n', 'yaml-syntax 1:4'],
    ['a: "b\n', 'yaml-syntax 2:1'],
    ['a:\n\tb: c\n', 'yaml-tab 2:1'],
    ['a: \x07\n', 'yaml-character 1:4'],
    ['a: b\n\ufeffc: d\n', 'yaml-character 2:1'],
    ['a: \ufffd\n', 'not-utf8 1:4'],
    ['a: 1\n---\nb: 2\n', 'yaml-documents 2:1'],
    ['%YAML 1.1\n---\na: 1\n', 'yaml-directive 1:1'],
    ['%TAG ! !x\n---\na: 1\n', 'yaml-directive 1:1'],
    ['a: !!str 1\n', 'yaml-tag 1:4'],
    ['a: !x [b]\n', 'yaml-tag 1:4'],
    ['a: &x { b: c }\nd:\n  <<: *x\n', 'yaml-merge 3:3'],
    ['a: *x\n', 'yaml-alias 1:4'],
    ['a: &x [*x]\n', 'yaml-alias 1:8'],
    ['[a, b]: c\n', 'yaml-key 1:1'],
    ['? { a: b }\n: c\n', 'yaml-key 1:3'],
    ['a: 1\nb: 2\na: 3\n', 'duplicate-key 3:1'],
    ['a: { b: 1, b: 2 }\n', 'duplicate-key 1:12'],
    ['a: 1\n"a": 2\n', 'duplicate-key 2:1'],
    ['a:\nb: 1\n', 'empty-value 1:1'],
    ['a: { b, c: 1 }\n', 'empty-value 1:6'],
    ['a: { b: }\n', 'empty-value 1:6'],
    ['a:\n  - b\n  -\n', 'empty-value 3:4'],
    ['a: # later\n', 'empty-value 1:1'],
  ])('%j gives %s alone', (text, expected) => {
    expect(found(text)).toEqual([expected]);
  });

  it('says where the first of two equal keys is', () => {
    expect(read('# x\na: 1\nb: 2\na: 3\n').diagnostics[0]?.message).toContain('line 2');
  });

  it('reports all of them at once', () => {
    const text = '%YAML 1.2\n---\na:\nb: !t x\nc: *no\nd: @\nd: 2\n<<: { e: 1 }\n- f\n';
    expect(new Set(read(text).diagnostics.map((d) => d.code))).toEqual(
      new Set(['yaml-directive', 'yaml-tag', 'yaml-alias', 'quote-it', 'duplicate-key', 'yaml-merge', 'yaml-syntax']),
    );
  });

  it('refuses a file that is too large', () => {
    const document = read('a: 1\n'.padEnd(limits.yamlFileBytes + 1, '#'));
    expect(document.diagnostics.map((d) => d.code)).toEqual(['too-large']);
    expect(document.value).toBeUndefined();
  });

  it('is not blown up by aliases of aliases', () => {
    const letters = Array.from('abcdefghijkl');
    const text = letters
      .map(
        (letter, i) =>
          `${letter}: &${letter} [${Array(10)
            .fill(i === 0 ? 'x' : `*${letters[i - 1]}`)
            .join(', ')}]\n`,
      )
      .join('');
    expect(read(text).diagnostics.map((d) => d.code)).toEqual(['yaml-aliases']);
  });
});

describe('slips that YAML makes of bare values', () => {
  it.each([
    ['@: { A: b }\n', 1, 1, '"@"'],
    ['a: @\n', 1, 4, '"@"'],
    ['a: [b, @]\n', 1, 8, '"@"'],
    ['*.user: { A: b }\n', 1, 1, '"*.user"'],
    ['a: { *.user: b }\n', 1, 6, '"*.user"'],
    ['a:\n  - *.example.net.\n', 2, 5, '"*.example.net."'],
    ['a: [*.x, b]\n', 1, 5, '"*.x"'],
    ['*: { A: b }\n', 1, 1, '"*"'],
    ['a:\n  - 2001:db8::\n', 2, 5, '"2001:db8::"'],
    ['a: 2001:db8::\n', 1, 4, '"2001:db8::"'],
    ['a: [2001:db8::, 2001:db8::1]\n', 1, 5, '"2001:db8::"'],
    ['a: { b: 2001:db8::, c: d }\n', 1, 9, '"2001:db8::"'],
    ['a: { b: 2001:db8:: }\n', 1, 9, '"2001:db8::"'],
    ['a:\n  - ::\n', 2, 5, '"::"'],
    ['a: `b`\n', 1, 4, '"`b`"'],
  ])('%j gives one "quote it"', (text, line, col, fix) => {
    const { diagnostics } = read(text);
    expect(diagnostics.map((d) => `${d.code} ${d.line}:${d.col}`)).toEqual([`quote-it ${line}:${col}`]);
    expect(diagnostics[0]?.message).toContain('quote it');
    expect(diagnostics[0]?.fix).toContain(fix);
  });

  it('does not hide the mistakes behind it, nor shift their places', () => {
    const text = '*.user: { A: 1 }\nb:\n  - 2001:db8::\n  - *.x\nb: 2\nc: { d: 2001:db8::, d: e }\n';
    expect(found(text)).toEqual([
      'quote-it 1:1',
      'quote-it 3:5',
      'quote-it 4:5',
      'duplicate-key 5:1',
      'quote-it 6:9',
      'duplicate-key 6:21',
    ]);
    expect(plain(text)).toEqual({ '*.user': { A: '1' }, b: ['2001:db8::', '*.x'], c: { d: '2001:db8::' } });
  });
});

describe('cost', () => {
  const time = (text: string): number => {
    const start = performance.now();
    read(text);
    return performance.now() - start;
  };
  const zone = (sets: number): string =>
    `records:\n${Array.from({ length: sets }, (_, i) => `  name${i}: { A: { ttl: 30, pools: [moscow, newyork] } }\n`).join('')}`;

  it('grows with the text: 20,000 record sets take some ten times what 2,000 take, not a hundred', () => {
    /** Processor time, which a machine with more to do hardly changes; the least of some tries. */
    const leastUs = (sets: number): number => {
      const text = zone(sets);
      const tries = Array.from({ length: 5 }, () => {
        const before = process.cpuUsage();
        read(text);
        const { user, system } = process.cpuUsage(before);
        return user + system;
      });
      return Math.min(...tries);
    };
    expect(leastUs(20_000) / leastUs(2_000)).toBeLessThan(50);
  });

  it.each([
    ['brackets', '['.repeat(20_000)],
    ['maps in maps', Array.from({ length: 2_000 }, (_, i) => `${' '.repeat(i)}a:\n`).join('')],
    ['one key, often', 'a: 1\n'.repeat(20_000)],
    ['garbage', '}{][: \n'.repeat(5_000)],
    ['slips', '- *.a\n'.repeat(5_000)],
    ['aliases', `a: &a x\nb: [${'*a, '.repeat(50_000)}]\n`],
  ])('is not driven up by %s', (_, text) => {
    expect(time(text)).toBeLessThan(HANGS_MS);
  });
});

describe('any text', () => {
  const pieces = fc.constantFrom(
    ...[
      'a',
      'b: ',
      ': ',
      '- ',
      '\n',
      '\n  ',
      '\n    ',
      ' ',
      '{',
      '}',
      '[',
      ']',
      ',',
      ', ',
      '"',
      "'",
      '#',
      ' # c',
      '&x ',
      '*x',
      '*',
    ],
    ...[
      '!t ',
      '@',
      '|',
      '>',
      '?',
      '%',
      '---',
      '...',
      '\t',
      '::',
      '2001:db8::',
      '<<',
      '__proto__: ',
      '\\',
      '\r\n',
      '\u0000',
      '\ufeff',
    ],
  );
  it('never throws, and every mistake stands inside of the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(pieces, { maxLength: 40 }).map((all) => all.join('')),
          fc.string({ unit: 'binary' }),
        ),
        (text) => {
          const document = read(text);
          const lines = text.split('\n');
          for (const d of document.diagnostics) {
            expect(d.line).toBeGreaterThanOrEqual(1);
            expect(d.line).toBeLessThanOrEqual(lines.length);
            expect(d.col).toBeGreaterThanOrEqual(1);
            expect(d.col).toBeLessThanOrEqual((lines[d.line - 1] ?? '').length + 1);
          }
          void document.value;
          if (document.root === null) expect(document.failed).toBe(true);
        },
      ),
      { numRuns: 1_500 },
    );
  });
});
