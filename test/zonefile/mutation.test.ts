// Whatever becomes of a zone file under somebody's fingers: it is read, or it is said where it is wrong.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../dist/settings/settings.js';
import { parseCommon } from '../../dist/zonefile/common.js';
import type { ParsedZone } from '../../dist/zonefile/parse.js';
import { OPTIONS, readZone } from '../support/zones.ts';

const contract = readFileSync(new URL('contract-zone.yaml', import.meta.url), 'utf8');

function expectInside(text: string, diagnostics: ParsedZone['diagnostics']): void {
  const lines = text.split('\n');
  for (const d of diagnostics) {
    expect(d.line).toBeGreaterThanOrEqual(1);
    expect(d.line).toBeLessThanOrEqual(lines.length);
    expect(d.col).toBeGreaterThanOrEqual(1);
    expect(d.col).toBeLessThanOrEqual((lines[d.line - 1] ?? '').length + 1);
    expect(d.message).not.toBe('');
    expect(d.fix).not.toBe('');
  }
}

const words = fc.constantFrom(
  ...[
    '',
    'x',
    '0',
    '-1',
    '010',
    '1e9',
    '999999999999',
    '500ms',
    '1h',
    '@',
    '"@"',
    '*',
    '"*.x"',
    'null',
    '~',
    '""',
    '[]',
    '{}',
    '[x]',
    '{ x: y }',
  ],
  ...[
    '192.0.2.1',
    '2001:db8::1',
    '"2001:db8::"',
    'RU',
    'UK',
    'europe',
    'default',
    'nodata',
    'moscow',
    'cdn',
    'web',
    'a.b',
    'a.b.',
    'net.cat.',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hex:0',
    'regex:(',
    '50%',
    '50km',
    'A',
    'CNAME',
    'ADDR',
    'NS',
    'SOA',
    'TYPE1',
    '!x',
    '&a',
    '*a',
    '\\',
    "'",
  ],
);

describe('a zone with one change', () => {
  it('is read, or reported with a place in the file', () => {
    // A token of the text: a word, a number, or one sign.
    const tokens = [...contract.matchAll(/[\w./:@*-]+|[^\s\w]/g)];
    fc.assert(
      fc.property(fc.nat(tokens.length - 1), words, (index, word) => {
        const token = tokens[index]!;
        const text = contract.slice(0, token.index) + word + contract.slice(token.index + token[0].length);
        const { model, diagnostics } = readZone(text, null, 'net.cat');
        expectInside(text, diagnostics);
        expect(model === null).toBe(diagnostics.some((d) => d.severity === 'error'));
      }),
      { numRuns: 1_500 },
    );
  });

  it('by characters, too', () => {
    const insert = fc.constantFrom(...Array.from('ab1 :,.-_"\'[]{}#@*&!|>%\n\t'), '\n  ', ': ', '- ', '');
    fc.assert(
      fc.property(fc.nat(contract.length - 1), fc.nat(4), insert, (at, remove, text) => {
        const changed = contract.slice(0, at) + text + contract.slice(at + remove);
        const { model, diagnostics } = readZone(changed, null, 'net.cat');
        expectInside(changed, diagnostics);
        expect(model === null).toBe(diagnostics.some((d) => d.severity === 'error'));
      }),
      { numRuns: 800 },
    );
  });
});

describe('any tree of the words of the format', () => {
  const keys = fc.constantFrom(
    ...[
      'zone',
      'ns',
      'soa',
      'ttl',
      'regions',
      'checks',
      'pools',
      'records',
      'transfer',
      'members',
      'values',
      'closest',
      'weighted',
      'default',
    ],
    ...[
      'A',
      'ADDR',
      'CNAME',
      'MX',
      'www',
      '@',
      'http',
      'all',
      'check',
      'at',
      'min',
      'max',
      '__proto__',
      'listen',
      'admin',
      'udp',
    ],
  );
  const values = fc.constantFrom('x', '1', '192.0.2.1', 'web', 'RU', '10 mail', 'meridian/v1', '50%', '');
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      values,
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.array(fc.tuple(keys, tie('tree')), { maxLength: 5 }).map((pairs) => Object.fromEntries(pairs) as unknown),
    ),
  }));

  it('never makes a reader throw', () => {
    fc.assert(
      fc.property(tree, (value) => {
        // JSON is YAML.
        const text = JSON.stringify(value);
        expectInside(text, readZone(text).diagnostics);
        expectInside(
          text,
          readZone(`{"zone": "a", "ns": "b.", "pools": {"x": ${text}}, "records": ${text}}`).diagnostics.slice(0, 0),
        );
        expectInside(text, parseCommon({ file: '_common.yaml', text }, OPTIONS).diagnostics);
        expectInside(text, readSettings({ file: 'meridian.yaml', text }).diagnostics);
      }),
      { numRuns: 1_000 },
    );
  });
});
