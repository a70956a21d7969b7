// docs/zone-reference.md and the example zone: what they show is right, without an error or a doubt.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatDiagnostic } from '../../dist/base/diagnostic.js';
import { TYPE } from '../../dist/wire/types.js';
import { parseCommon } from '../../dist/zonefile/common.js';
import { parseZone } from '../../dist/zonefile/parse.js';
import { PROBE_KINDS } from '../../dist/zonefile/probes.js';
import { zoneOfFile } from '../../dist/zonefile/zone-file-name.js';
import { OPTIONS } from '../support/zones.ts';

const reference = readFileSync(new URL('../../docs/zone-reference.md', import.meta.url), 'utf8');
const zones = [...reference.matchAll(/```yaml zone\n(.*?)```/gs)].map((match) => match[1] ?? '');

/** Doubts that an example may raise: it shows a feature, not a zone. */
const ALLOWED = new Set(['one-family', 'unused-check', 'transfer-ignores-health', 'networks-overlap']);

function problems(diagnostics: ReturnType<typeof parseZone>['diagnostics']): string[] {
  return diagnostics.filter((d) => !ALLOWED.has(d.code)).map(formatDiagnostic);
}

describe('docs/zone-reference.md', () => {
  it('has whole zones in it', () => {
    expect(zones.length).toBeGreaterThanOrEqual(5);
  });

  it.each(zones.map((text) => [/^zone: (.*)$/m.exec(text)?.[1], text]))(
    'shows a zone %s that is read',
    (_, text = '') => {
      const { model, diagnostics } = parseZone({ file: 'reference.yaml', text, expectedName: null }, null, OPTIONS);
      expect(problems(diagnostics)).toEqual([]);
      expect(model).not.toBeNull();
    },
  );

  it('shows a _common.yaml that is read', () => {
    const common = [...reference.matchAll(/```yaml common\n(.*?)```/gs)];
    expect(common.length).toBe(1);
    for (const match of common) {
      expect(problems(parseCommon({ file: '_common.yaml', text: match[1] ?? '' }, OPTIONS).diagnostics)).toEqual([]);
    }
  });

  it('names every kind of check, and every type that the contract promises', () => {
    for (const kind of PROBE_KINDS) expect(reference).toContain(`\`${kind}\``);
    const promised = [
      'A',
      'AAAA',
      'NS',
      'CNAME',
      'MX',
      'TXT',
      'SRV',
      'CAA',
      'PTR',
      'NAPTR',
      'TLSA',
      'SSHFP',
      'DS',
      'HTTPS',
      'SVCB',
      'HINFO',
    ];
    for (const type of promised) {
      expect(reference).toContain(`\`${type}\``);
      expect(Object.keys(TYPE)).toContain(type);
    }
  });
});

describe('the zones of the repository', () => {
  const folder = new URL('../../zones/', import.meta.url);
  it.each(readdirSync(folder).filter((name) => name.endsWith('.yaml') && name !== '_common.yaml'))(
    '%s is tidy',
    (name) => {
      const text = readFileSync(new URL(name, folder), 'utf8');
      const { diagnostics } = parseZone({ file: name, text, expectedName: zoneOfFile(name) }, null, OPTIONS);
      expect(diagnostics.map(formatDiagnostic)).toEqual([]);
    },
  );
});
