import { describe, expect, it } from 'vitest';
import type { UpdateSettings } from '../../dist/settings/geoip-update.js';
import { readSettings } from '../../dist/settings/settings.js';
import { places } from '../support/zones.ts';

const FILE = '/etc/meridian/meridian.yaml';
const read = (update: string) => readSettings({ file: FILE, text: `geoip: { update: ${update} }\n` });
const mistakes = (update: string): string[] =>
  read(update).diagnostics.map(({ code, message, fix }) => `${code}: ${message} (${fix})`);

function settings(update: string): UpdateSettings | null {
  const found = read(update);
  if (found.settings === null) throw new Error(JSON.stringify(found.diagnostics));
  return found.settings.geoip.update;
}

describe('geoip.update', () => {
  it('is off when it is not written', () => {
    expect(readSettings({ file: FILE, text: '' }).settings?.geoip.update).toBeNull();
  });

  it('fills in what is not written', () => {
    const defaults = {
      url: null,
      account: null,
      licenceKeyFile: null,
      caFile: null,
      baseUrl: null,
      everyMs: 7 * 86_400_000,
      maxChange: 0.2,
    };
    expect(settings('{ source: rir }')).toEqual({ ...defaults, source: 'rir', editions: [] });
    expect(settings('{ source: dbip }')).toEqual({ ...defaults, source: 'dbip', editions: ['dbip-country-lite'] });
    const url = 'https://geo.example.net/country.mmdb.gz';
    expect(settings(`{ source: "${url}" }`)).toEqual({ ...defaults, source: 'url', url, editions: [] });
    expect(settings('{ source: maxmind, account: 123456, licence-key-file: maxmind.key }')).toEqual({
      ...defaults,
      source: 'maxmind',
      editions: ['GeoLite2-Country'],
      account: '123456',
      licenceKeyFile: '/etc/meridian/maxmind.key',
    });
  });

  it('takes every value, several editions among them', () => {
    const text =
      '{ source: maxmind, account: "1", licence-key-file: /run/key, edition: [GeoLite2-City, GeoLite2-ASN], ca-file: ca.pem, base-url: "https://mirror.example/x", every: 1d, max-change: "2.5%" }';
    expect(settings(text)).toMatchObject({
      editions: ['GeoLite2-City', 'GeoLite2-ASN'],
      licenceKeyFile: '/run/key',
      caFile: '/etc/meridian/ca.pem',
      baseUrl: 'https://mirror.example/x',
      everyMs: 86_400_000,
      maxChange: 0.025,
    });
    expect(settings('{ source: rir, every: never, max-change: "0%" }')).toMatchObject({ everyMs: null, maxChange: 0 });
    expect(settings('{ source: dbip, edition: dbip-city-lite }')).toMatchObject({ editions: ['dbip-city-lite'] });
    const twice = '{ source: dbip, edition: [dbip-city-lite, dbip-city-lite] }';
    expect(settings(twice)).toMatchObject({ editions: ['dbip-city-lite'] });
    expect(mistakes(twice)).toEqual([expect.stringMatching(/duplicate-value/)]);
  });

  it('reports every mistake at its place, all at once', () => {
    const found = readSettings({
      file: FILE,
      text: `geoip:
  update:
    source: maxmimd
    account: mine
    edition: [GeoLite2-City]
    every: 30s
    max-change: 20
    base-url: http://mirror.example
    key: abc
`,
    });
    expect(found.settings).toBeNull();
    expect(places(found.diagnostics, 'error').sort()).toEqual([
      'bad-choice 3:13',
      'bad-value 4:14',
      'bad-value 7:17',
      'bad-value 8:15',
      'out-of-range 6:12',
      'unknown-key 9:5',
    ]);
  });

  it.each([
    ['{ every: 1d }', /missing-key: geoip.update needs "source"/],
    ['{ source: ripe }', /bad-choice: .*it is one of maxmind, dbip, rir, or an https:\/\/ address/],
    ['{ source: "http://example.net/x.mmdb" }', /bad-choice/],
    ['{ source: "https://user:word@example.net/x.mmdb" }', /bad-choice/],
    ['{ source: maxmind, account: 1 }', /missing-key: geoip.update needs "licence-key-file"/],
    [
      '{ source: maxmind, account: 1, licence-key-file: k, edition: ../../x }',
      /bad-value: .*no edition.*GeoLite2-Country/,
    ],
    ['{ source: dbip, edition: GeoLite2-City }', /bad-value: .*no edition.*dbip-country-lite/],
    ['{ source: dbip, edition: [] }', /no-values: edition names no database/],
    ['{ source: rir, edition: x }', /without-effect: edition has no effect/],
    ['{ source: dbip, account: 1 }', /without-effect: account has no effect here: dbip has no account/],
    ['{ source: rir, max-change: "101%" }', /bad-value: .*no percentage/],
    ['rir', /wrong-shape/],
  ])('refuses %s', (text, expected) => {
    expect(mistakes(text)).toEqual([expect.stringMatching(expected)]);
    expect(read(text).settings).toBeNull();
  });
});
