// The quick reader of plain YAML gives what the whole parser gives, node for node, or leaves the text to it.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWholeYaml } from '../../dist/base/yaml.js';
import { parsePlainYaml } from '../../dist/base/yaml-plain.js';

const zone = readFileSync(new URL('../zonefile/contract-zone.yaml', import.meta.url), 'utf8');

const SEEDS = [
  zone,
  'a:\n- b\n- c: d\n  e: f\n- [x, y]\nb: {c: d,\n  e: f # x\n  , g: "h"}\nc: \'it\'\'s\'\nd: "a\\"b"\n',
  'a: {\n# c\n  b: c, # d\n# e\n  f: g\n# h\n\n  ,\n  i: [ # j\n  k,\n  # l\n  m # n\n  # o\n  ] }\n# p\nb: [\n  {a: b}, c\n\n  ]\n',
  'x:\n  - a: {b: c}\n    d:\n    - e\n    - f: g\n\n # h\n  - "i": j\n    k:   l   # m\nn: ["o" , p]\n',
];

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.integer({ min: 0, max: 3 }),
  insert: fc.constantFrom(
    ...[
      '',
      ' ',
      '\n',
      '\n  ',
      '  ',
      ':',
      ': ',
      '-',
      '- ',
      '#',
      ' #',
      '[',
      ']',
      '{',
      '}',
      ',',
      '"',
      "'",
      'a',
      'b: c',
      '\\',
    ],
    ...['&', '*', '1', '::', '|', '>', '?', '!', 'x: y\n', '@', '%', '<<: ', '\t', '\r\n', '---\n'],
  ),
});

describe('plain YAML', () => {
  it('has a whole zone file in it', () => {
    expect(parsePlainYaml(zone)).not.toBeNull();
  });

  it('is read as the whole parser reads it, after any edits', () => {
    let plain = 0;
    const property = fc.property(
      fc.constantFrom(...SEEDS),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 3, max: 25 }),
      fc.array(edit, { maxLength: 3 }),
      (seed, from, count, edits) => {
        let text = seed
          .split('\n')
          .slice(from % 20, (from % 20) + count)
          .join('\n');
        for (const { at, remove, insert } of edits) {
          const place = Math.floor(at * text.length);
          text = text.slice(0, place) + insert + text.slice(place + remove);
        }
        const quick = parsePlainYaml(text);
        if (quick === null) return;
        plain++;
        expect(parseWholeYaml(text)).toEqual({ root: quick, mistakes: [] });
      },
    );
    fc.assert(property, { numRuns: 2_500 });
    // Else the property says nothing.
    expect(plain).toBeGreaterThan(200);
  });
});
