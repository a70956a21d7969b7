import { describe, expect, it } from 'vitest';
import { formatPrefix } from '../../dist/base/address.js';
import { type OverridesResult, readOverrides } from '../../dist/geo/overrides.js';

function read(text: string, lists: Record<string, string> = {}): OverridesResult {
  return readOverrides('/etc/m/geoip/overrides.yaml', text, (path) => lists[path] ?? null);
}

function problems(text: string, lists: Record<string, string> = {}): string[] {
  return read(text, lists).diagnostics.map((d) => `${d.file.split('/').at(-1)}:${d.line}:${d.col} ${d.code}`);
}

describe('geoip/overrides.yaml', () => {
  it('reads countries, whole places and lists', () => {
    const { overrides, diagnostics, source, listFiles } = read(
      `version: meridian/v1
networks:
  203.0.113.0/24: RU
  198.51.100.0/24: { country: US, subdivision: US-CA, city: Fresno, at: [36.7, -119.8], as: 64501 }
  2001:db8::/32: { as: 64502 }
lists:
  - { file: offices.txt, place: { country: NO } }
`,
      { '/etc/m/geoip/offices.txt': '# ours\n192.0.2.0/25  # Oslo\n\n192.0.2.200\r\n2001:db8:1::/48\n' },
    );
    expect(diagnostics).toEqual([]);
    expect(listFiles).toEqual(['/etc/m/geoip/offices.txt']);
    expect(source.lists).toHaveLength(1);
    const norway = { country: 'NO', subdivision: null, city: null, at: null };
    expect(overrides.map(({ prefix, place, as }) => [formatPrefix(prefix), place, as])).toEqual([
      ['203.0.113.0/24', { country: 'RU', subdivision: null, city: null, at: null }, 0],
      ['198.51.100.0/24', { country: 'US', subdivision: 'US-CA', city: 'Fresno', at: [36.7, -119.8] }, 64501],
      ['2001:db8::/32', null, 64502],
      ['192.0.2.0/25', norway, 0],
      ['192.0.2.200/32', norway, 0],
      ['2001:db8:1::/48', norway, 0],
    ]);
  });

  it('reads NO as Norway, and a subdivision with its country', () => {
    const { overrides } = read('networks:\n  192.0.2.0/24: NO\n  192.0.3.0/24: { subdivision: US-CA }\n');
    expect(overrides.map(({ place }) => place?.country)).toEqual(['NO', 'US']);
  });

  it('takes networks inside IPv6 that stand for IPv4 networks as those', () => {
    const { overrides } = read('networks:\n  "::ffff:203.0.113.0/120": RU\n  "2002:c633:6400::/40": RU\n');
    expect(overrides.map(({ prefix }) => formatPrefix(prefix))).toEqual(['203.0.113.0/24', '198.51.100.0/24']);
  });

  it('reports every mistake at once, each at its place', () => {
    expect(
      problems(
        `version: meridian/v2
networks:
  203.0.113.1/24: RU
  203.0.113.0/33: RU
  192.0.2.0/24: UK
  192.0.3.0/24: { country: US, subdivision: CA-QC }
  192.0.4.0/24: { city: Fresno }
  192.0.5.0/24: { country: US, at: [91, 0], as: 0 }
  192.0.6.0/24: {}
  192.0.7.0/24: { countri: US }
  2001:DB8::/32: US
  2001:db8::/32: US
  "2001:0:1::/48": US
lists:
  - { file: missing.txt, place: RU }
  - { file: bad.txt, place: RU }
networs: {}
`,
        { '/etc/m/geoip/bad.txt': 'hello\n  10.0.0.1/8\n' },
      ),
    ).toEqual([
      'bad.txt:1:1 bad-network',
      'bad.txt:2:3 host-bits',
      'overrides.yaml:1:10 bad-choice',
      'overrides.yaml:3:3 host-bits',
      'overrides.yaml:4:3 bad-network',
      'overrides.yaml:5:17 unknown-country',
      'overrides.yaml:6:45 place-mismatch',
      'overrides.yaml:7:25 place-mismatch',
      'overrides.yaml:8:37 out-of-range',
      'overrides.yaml:8:49 out-of-range',
      'overrides.yaml:9:17 empty-place',
      'overrides.yaml:10:19 unknown-key',
      'overrides.yaml:12:3 duplicate-network',
      'overrides.yaml:13:3 embedded-network',
      'overrides.yaml:15:13 unreadable-file',
      'overrides.yaml:17:1 unknown-key',
    ]);
  });

  it('warns where lists disagree, and keeps the first', () => {
    const { overrides, diagnostics } = read(
      'networks: { 192.0.2.0/24: RU }\nlists: [{ file: a, place: US }, { file: b, place: RU }]\n',
      {
        '/etc/m/geoip/a': '192.0.2.0/24\n192.0.3.0/24\n',
        '/etc/m/geoip/b': '192.0.2.0/24\n192.0.3.0/24\n',
      },
    );
    expect(diagnostics.map((d) => [d.severity, d.code, d.file, d.line])).toEqual([
      ['warning', 'network-in-two-lists', '/etc/m/geoip/a', 1],
      ['warning', 'network-in-two-lists', '/etc/m/geoip/b', 2],
    ]);
    expect(overrides.map(({ place }) => place?.country)).toEqual(['RU', 'US']);
  });
});
