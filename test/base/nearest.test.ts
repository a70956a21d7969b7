// "Did you mean": the known word that is a slip or two away.
import { describe, expect, it } from 'vitest';
import { nearest, Suggestions } from '../../dist/base/nearest.js';

describe('the nearest word', () => {
  it.each([
    ['recods', ['records', 'regions'], 'records'],
    ['wieghted', ['weighted', 'ordered'], 'weighted'],
    ['TTL', ['ttl', 'transfer'], 'ttl'],
    ['wbe', ['web', 'ssh'], 'web'],
    ['colour', ['records', 'regions'], undefined],
    ['x', ['ns'], undefined],
    ['', ['a'], 'a'],
  ])('to %j is as expected', (word, candidates, expected) => expect(nearest(word, candidates)).toBe(expected));

  it('is found quickly among many names, for many words', () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `pool-number-${i}`);
    const suggestions = new Suggestions(() => names);
    const start = performance.now();
    for (let i = 0; i < 20_000; i++) suggestions.nearest(`pool-nmuber-${i}`);
    expect(performance.now() - start).toBeLessThan(15_000);
    expect(suggestions.nearest('pool-nmuber-7')).toBe('pool-number-7');
  });
});
