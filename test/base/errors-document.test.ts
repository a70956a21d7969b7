// docs/errors.md explains every code, and every example in it gives the code that it stands for.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CODES } from '../../dist/base/codes.js';
import type { Diagnostic } from '../../dist/base/diagnostic.js';
import { Inhabited } from '../../dist/geo/inhabited.js';
import { readOverrides } from '../../dist/geo/overrides.js';
import { readSettings } from '../../dist/settings/settings.js';
import { fixFor, unreached } from '../../dist/zone/unreached.js';
import { parseCommon } from '../../dist/zonefile/common.js';
import type { GeoData } from '../../dist/zonefile/linted-zone.js';
import { parseZone } from '../../dist/zonefile/parse.js';
import { geoOf } from '../support/geo.ts';

/** A database of two countries, and no more than countries in it. */
const geo = geoOf([
  {
    file: 'country.mmdb',
    records: [
      ['81.2.69.0/24', { country_code: 'US' }],
      ['81.2.100.0/24', { country_code: 'AT' }],
    ],
  },
]);
const inhabited = new Inhabited(geo);
const NO_DATA: GeoData = {
  coordinates: false,
  subdivisions: false,
  cities: false,
  asNumbers: false,
  coordinatesOf: () => null,
  unreached: (regions) =>
    unreached(regions, geo, inhabited).map((found) => ({ ...found, fix: fixFor(found, geo, inhabited) })),
};
const OPTIONS = {
  baseDirectory: '/etc/meridian',
  checkRules: { exec: false, files: ['/etc/meridian/state/checks'], linkLocal: false },
  geoData: NO_DATA,
};

/** Codes that no text alone can show, with the tests that do. */
const SHOWN_ELSEWHERE: Readonly<Record<string, string>> = {
  'too-large': 'test/base/document.test.ts',
  'unread-zone': 'test/scenarios/zone-names.test.ts',
  'build-failed': 'test/loading/builder.test.ts',
  'linked-file': 'test/scenarios/isolation.test.ts',
  'common-broken': 'test/zonefile/common.test.ts',
  'network-in-two-lists': 'test/geo/overrides.test.ts',
  'unread-database': 'test/cli/check.test.ts',
  'bad-cookie-secret': 'test/guard/secrets.test.ts',
  'cookie-secret-exposed': 'test/guard/secrets.test.ts',
};

const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const base = /```yaml\n(.*?)```/s.exec(text)?.[1] ?? '';
const sections = text
  .split(/^### /m)
  .slice(1)
  .map((section) => {
    const example = /```yaml (\w+)\n(.*?)```/s.exec(section);
    return {
      code: section.slice(0, section.indexOf('\n')),
      severity: /\*\*(\w+)\.\*\*/.exec(section)?.[1],
      kind: example?.[1],
      example: example?.[2] ?? '',
    };
  });

/** The example with those keys of the base that it doesn't have itself. */
function wholeZone(example: string): string {
  const parts = base
    .split(/^(?=\S)/m)
    .filter((part) => !new RegExp(`^${part.slice(0, part.indexOf(':'))}:`, 'm').test(example));
  return parts.join('') + example;
}

function diagnosticsOf(kind: string | undefined, example: string): readonly Diagnostic[] {
  switch (kind) {
    case 'zone':
      return parseZone(
        { file: 'example.org.yaml', text: wholeZone(example), expectedName: 'example.org' },
        null,
        OPTIONS,
      ).diagnostics;
    case 'common':
      return parseCommon({ file: '_common.yaml', text: example }, OPTIONS).diagnostics;
    case 'settings':
      return readSettings({ file: 'meridian.yaml', text: example }).diagnostics;
    case 'overrides':
      return readOverrides('overrides.yaml', example, () => null).diagnostics;
    default:
      throw new Error(`an example of unknown kind ${kind}`);
  }
}

describe('docs/errors.md', () => {
  it('has a section for each code, in the order of the catalogue, with its severity', () => {
    expect(sections.map(({ code, severity }) => `${code} ${severity}`)).toEqual(
      Object.entries(CODES).map(([code, { severity }]) => `${code} ${severity}`),
    );
  });

  it.each(sections.filter(({ kind }) => kind !== undefined))(
    'shows $code by an example that gives it',
    ({ code, kind, example }) => {
      const diagnostics = diagnosticsOf(kind, example);
      expect(diagnostics.map((d) => d.code)).toContain(code);
      const expected = CODES[code as keyof typeof CODES].severity;
      for (const d of diagnostics.filter((found) => found.code === code)) expect(d.severity).toBe(expected);
      // An example of one mistake has no other (warnings aside, and what aliases for too much drag along).
      const others = diagnostics.filter((d) => d.severity === 'error' && d.code !== code).map((d) => d.code);
      expect(others, diagnostics.map((d) => d.message).join('\n')).toEqual([]);
    },
  );

  it.each(sections.filter(({ kind }) => kind === undefined))(
    'leaves $code, without example, to another test',
    ({ code }) => {
      const file = SHOWN_ELSEWHERE[code];
      expect(file).toBeDefined();
      expect(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')).toContain(`'${code}'`);
    },
  );

  it('has fixes and positions in every diagnostic of its examples', () => {
    for (const { kind, example } of sections.filter((section) => section.kind !== undefined)) {
      for (const d of diagnosticsOf(kind, example)) {
        expect(d.line).toBeGreaterThan(0);
        expect(d.col).toBeGreaterThan(0);
        expect(d.message).not.toBe('');
        expect(d.fix, d.message).not.toBe('');
      }
    }
  });
});
