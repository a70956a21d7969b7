// Regular expressions in linear time: RE2's syntax, the same matches as re2js itself, whatever the pieces, and a bound on the work.
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { limits } from '../../dist/base/limits.js';
import { type Found, type Regex, readRegex } from '../../dist/base/regex.js';

function regex(source: string): Regex {
  const read = readRegex(source);
  if ('reason' in read) throw new Error(read.reason);
  return read;
}

function find(source: string, text: string | Uint8Array, cuts: readonly number[] = []): Found {
  const search = regex(source).search(limits.regexWork);
  let from = 0;
  for (const to of [...cuts].sort((a, b) => a - b).concat(text.length)) {
    search.push(text.slice(from, to));
    from = to;
  }
  return search.end();
}

describe('a regular expression', () => {
  test.each([
    ['^ok$', 'ok', 'match'],
    ['^ok$', 'ok\n', 'more'],
    ['(?m)^ok$', 'no\nok\n', 'match'],
    ['\\bup\\b', 'it is up.', 'match'],
    ['\\bup\\b', 'soup', 'more'],
    ['(?i)STATUS: *ok', 'status:   OK', 'match'],
    ['caf\\u00e9', 'un café', 'match'],
    ['\\\\u00e9', '\\u00e9', 'match'],
    ['^.$', '\u{1f600}', 'match'],
    ['', '', 'match'],
    ['(?<load>\\d+)%', 'load 12%', 'match'],
  ])('%s in %j: %s', (source, text, found) => {
    expect(find(source, text)).toBe(found);
  });

  test('sees bytes as the characters of their number', () => {
    expect(find('^\\xff\\x00[\\x80-\\xfe]$', Uint8Array.of(255, 0, 128))).toBe('match');
  });

  test('finds what re2js finds, however the text is cut', () => {
    const part = fc.constantFrom('a', 'b', '.', '\\d', '\\w', '[^a]', '^', '$', '\\b', '\\B', '(a|b)', '(?i:A)', '\\n');
    const source = fc
      .array(fc.tuple(part, fc.constantFrom('', '', '*', '+?', '{2}', '?')), { maxLength: 6 })
      .map((parts) => parts.map(([what, times]) => (/^(\^|\$|\\[bB])$/.test(what) ? what : what + times)).join(''));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '1', ' ', '\n', '_', '\x80'), maxLength: 30 });
    fc.assert(
      fc.property(source, text, fc.array(fc.nat(30), { maxLength: 5 }), (pattern, input, cuts) => {
        expect(find(pattern, input, cuts) === 'match').toBe(RE2JS.compile(pattern).test(input));
      }),
      { numRuns: 500 },
    );
  });

  test.each(['^(\\w+\\s?)*$', '(x+x+)+y', '(a|a)*b', '(.*)(.*)(.*)(.*)z'])('%s takes linear time', (source) => {
    expect(find(source, `${'a'.repeat(60_000)}!`)).toBe('more');
  });

  test('gives up on a text that makes it grow and grow, and is as good as new afterwards', () => {
    const grows = regex('a[ab]{60}[cd]');
    let text = '';
    for (let i = 0, bits = 1; i < 65_536; i++) {
      bits = (Math.imul(bits, 1_103_515_245) + 12_345) | 0;
      text += bits & 65_536 ? 'a' : 'b';
    }
    const search = grows.search(limits.regexWork);
    expect(search.push(text)).toBe('too much work');
    expect(search.left).toBeLessThanOrEqual(0);
    expect(search.push(`a${'b'.repeat(60)}c`)).toBe('too much work');
    const again = grows.search(limits.regexWork);
    again.push(`a${'b'.repeat(60)}c`);
    expect(again.end()).toBe('match');
  });

  test('says what it cannot do, and what to do instead', () => {
    for (const [source, reason, fix] of [
      ['(?=ok)', /lookaheads/, /RE2/],
      ['(?<!no)ok', /lookbehinds/, /RE2/],
      ['(a)\\1', /back-references/, /RE2/],
      ['(?<n>a)\\k<n>', /back-references/, /RE2/],
      ['(?>a)', /atomic/, /RE2/],
      ['(', /missing closing/, /correct/],
      ['(a{1000}){1000}', /repeat count/, /1000/],
      ['(\\w{30}x?y?){33}', /too large/, /repeat less/],
      ['\\pL{500}', /too large/, /repeat less/],
      ['x'.repeat(2_000), /2000 characters/, /shorter/],
    ] as const) {
      expect(readRegex(source), source).toMatchObject({
        reason: expect.stringMatching(reason),
        fix: expect.stringMatching(fix),
      });
    }
  });
});
