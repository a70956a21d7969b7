import { readFileSync } from 'node:fs';
import { init, parse } from 'es-module-lexer';
import { describe, expect, it } from 'vitest';

await init;

describe.each([
  ['a data thread', 'serve/udp-worker'],
  ['the health thread', 'control/health-worker'],
])('the program of %s', (_thread, entry) => {
  const bundle = readFileSync(new URL(`../../dist/${entry}.bundle.js`, import.meta.url), 'utf8');

  it('is one module: it imports nothing but what Node has', () => {
    // `import.meta` has no specifier.
    const imports = parse(bundle)[0].flatMap(({ specifier }) => (typeof specifier === 'string' ? [specifier] : []));
    expect(imports.length).toBeGreaterThan(0);
    expect(imports.filter((specifier) => !specifier.startsWith('node:'))).toEqual([]);
  });

  it('exports nothing: V8 knows what a constant is only while nobody outside can see it', () => {
    expect(parse(bundle)[1]).toEqual([]);
  });
});
