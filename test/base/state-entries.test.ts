// Maps in state files: whatever happens to some bytes, the entries that are still there count, and nothing is made up.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { joinEntries, nameFew, parseDamaged, sortEntries } from '../../dist/base/state-entries.js';

const schema = z.object({ n: z.number() });
const json = fc.jsonValue({ maxDepth: 3 });

describe('entries', () => {
  it('are sorted into those that fit and those that stay as they are', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), (entries) => {
        const { known, unknown } = sortEntries(JSON.parse(JSON.stringify(entries)), schema);
        expect([...known.keys(), ...unknown.keys()].sort()).toEqual(Object.keys(entries).sort());
        const joined = JSON.parse(JSON.stringify(joinEntries([], unknown)));
        for (const [key, value] of Object.entries(joined))
          expect(value).toEqual(JSON.parse(JSON.stringify(entries[key])));
      }),
    );
  });

  it('of a text that is cut anywhere are those before the cut', () => {
    const texts = fc.dictionary(fc.string(), json, { minKeys: 1 }).map((entries) => JSON.stringify(entries, null, 1));
    fc.assert(
      fc.property(texts, fc.double({ min: 0, max: 1, noNaN: true }), (text, share) => {
        const cut = text.slice(0, Math.floor(share * text.length));
        let value: unknown;
        try {
          value = parseDamaged(cut).value;
        } catch {
          return;
        }
        const whole = Object.entries(JSON.parse(text) as Record<string, unknown>);
        const found = Object.entries(value as Record<string, unknown>);
        // A number loses digits and stays a number: the last one may be another, every one before is as it was.
        expect(found.slice(0, -1)).toEqual(whole.slice(0, Math.max(0, found.length - 1)));
      }),
    );
  });

  it('of a list, a number or garbage are none', () => {
    for (const text of ['[]', '7', 'null', '"x"'])
      expect(() => sortEntries(parseDamaged(text).value, schema)).toThrow();
    for (const text of ['', '\0', '{', '{"a"', 'nonsense']) expect(() => parseDamaged(text)).toThrow();
  });

  it('have names in messages, the first few of many', () => {
    expect(nameFew(['a', 'b'])).toBe('a, b');
    expect(nameFew(Array.from({ length: 1000 }, (_, i) => `n${i}`))).toBe('n0, n1, n2, n3, n4 and 995 more');
  });
});
