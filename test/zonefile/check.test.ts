// Lint: what is allowed but hardly meant is said once, and what is meant is not.
import { describe, expect, it } from 'vitest';
import { Inhabited } from '../../dist/geo/inhabited.js';
import { fixFor, unreached } from '../../dist/zone/unreached.js';
import type { GeoData } from '../../dist/zonefile/linted-zone.js';
import { parseZone } from '../../dist/zonefile/parse.js';
import { geoOf } from '../support/geo.ts';
import { OPTIONS, readZone } from '../support/zones.ts';

const HEAD = 'zone: example.org\nns: [ns.example.net.]\n';

/** Warnings with these codes, `code line:col`. */
function warnings(text: string, ...codes: string[]): string[] {
  return readZone(text)
    .diagnostics.filter((d) => d.severity === 'warning' && (codes.length === 0 || codes.includes(d.code)))
    .map((d) => `${d.code} ${d.line}:${d.col}`);
}

function messages(text: string, code: string): string[] {
  return readZone(text)
    .diagnostics.filter((d) => d.code === code)
    .map((d) => d.message);
}

describe('lint', () => {
  it('has nothing to say about a tidy zone', () => {
    const text = `${HEAD}regions: { east: [RU] }
checks: { web: { http: {} } }
pools:
  paris: { check: web, at: [48.9, 2.4], members: [192.0.2.1, 192.0.2.2] }
  tokyo: { check: web, at: [35.7, 139.7], members: [198.51.100.1] }
records:
  www: { A: { ttl: 30, regions: { east: tokyo, default: { closest: [paris, tokyo] } } } }
`;
    expect(readZone(text).diagnostics).toEqual([]);
  });

  it('names what nothing uses', () => {
    const text = `${HEAD}regions: { east: [RU] }\nchecks: { web: { http: {} }, ssh: { tcp: { port: 22 } } }\npools: { a: { check: web, members: [192.0.2.1] } }\n`;
    expect(warnings(text)).toEqual(['unused-region 3:12', 'unused-check 4:30', 'unused-pool 5:10']);
    // A part of a combination is used.
    expect(warnings(`${HEAD}checks: { a: { http: {} }, b: { all: [a] } }\n`)).toEqual(['unused-check 3:28']);
  });

  it('names places that two regions have', () => {
    expect(warnings(`${HEAD}regions: { a: [RU, BY], b: [FI, RU] }\n`, 'place-in-two-regions')).toEqual([
      'place-in-two-regions 3:33',
    ]);
  });
});

describe('lint of networks', () => {
  const zone = (regions: string, more = '') =>
    `${HEAD}regions: ${regions}\npools: { p: { members: [192.0.2.1] } }\nrecords: { x: { A: { regions: { a: p, b: p${more}, default: p } } } }\n`;

  it('says nothing of one inside of another: the longer one wins, and that is what it is for', () => {
    expect(warnings(zone('{ a: [10.0.0.0/8], b: [10.1.0.0/16, 10.2.0.0/16, 192.168.0.0/16] }'))).toEqual([]);
  });

  it('finds regions that others cover whole', () => {
    expect(warnings(zone('{ a: [10.0.0.0/8], b: [10.0.0.0/9, 10.128.0.0/9] }'), 'region-never-matches')).toEqual([
      'region-never-matches 5:33',
    ]);
    expect(warnings(zone('{ a: [10.0.0.0/8], b: [10.0.0.0/9, 10.128.0.0/10] }'), 'region-never-matches')).toEqual([]);
    // In three steps.
    expect(
      warnings(zone('{ a: [10.0.0.0/8], b: [10.0.0.0/9, 10.128.0.0/10, 10.192.0.0/10] }'), 'region-never-matches'),
    ).toHaveLength(1);
    // Another place of the region still matches.
    expect(warnings(zone('{ a: [10.0.0.0/8, RU], b: [10.0.0.0/9, 10.128.0.0/9] }'), 'region-never-matches')).toEqual(
      [],
    );
  });

  it('finds continents whose countries all stand for themselves', () => {
    const text = zone('{ a: [antarctica], b: [AQ, BV, GS, HM, TF] }');
    expect(warnings(text, 'region-never-matches')).toEqual(['region-never-matches 5:33']);
    expect(warnings(zone('{ a: [antarctica], b: [AQ, BV, GS, HM] }'), 'region-never-matches')).toEqual([]);
  });
});

describe('lint of steering', () => {
  const zone = (pool: string, set: string, type = 'A') =>
    `${HEAD}checks: { web: { http: {} }, slow: { http: {}, interval: 1m, fall: 5 } }\npools: { p: ${pool} }\nrecords: { x: { ${type}: ${set} } }\n`;

  it('says how slow failover is beyond a minute, and the TTL that would do', () => {
    const text = zone('{ check: web, members: [192.0.2.1] }', '{ ttl: 60, pools: [p] }');
    expect(warnings(text, 'slow-failover')).toEqual(['slow-failover 5:27']);
    const found = readZone(text).diagnostics.find((d) => d.code === 'slow-failover');
    // 10 + 2 x 2 + 2 + 60.
    expect(found?.message).toContain('up to 76 seconds, 16 more than a minute');
    expect(found?.fix).toContain('ttl: 44');
    expect(warnings(zone('{ check: web, members: [192.0.2.1] }', '{ ttl: 44, pools: [p] }'), 'slow-failover')).toEqual(
      [],
    );
    expect(warnings(zone('{ members: [192.0.2.1] }', '{ ttl: 1d, pools: [p] }'), 'slow-failover')).toEqual([]);
    expect(
      warnings(
        zone('{ check: web, members: [192.0.2.1] }', '{ ttl: { max: 1h, min: 5 }, pools: [p] }'),
        'slow-failover',
      ),
    ).toEqual([]);
    const slow = readZone(zone('{ check: slow, members: [192.0.2.1] }', '{ ttl: 1, pools: [p] }')).diagnostics;
    expect(slow.find((d) => d.code === 'slow-failover')?.fix).toContain('check more often');
  });

  it('recommends servfail over nodata', () => {
    const text = zone('{ members: [192.0.2.1] }', '{ pools: [p], when-all-down: nodata }');
    expect(warnings(text, 'nodata-when-all-down')).toEqual(['nodata-when-all-down 5:49']);
  });

  it('finds weights that choose nothing, once for a pool', () => {
    const pool = '{ members: [{ address: 192.0.2.1, weight: 3 }, 192.0.2.2] }';
    expect(warnings(zone(pool, '{ pools: [p] }'), 'weights-without-effect')).toEqual(['weights-without-effect 5:17']);
    expect(warnings(zone(pool, '{ pools: [p], answers: 2 }'), 'weights-without-effect')).toEqual([
      'weights-without-effect 5:43',
    ]);
    expect(warnings(zone(pool, '{ pools: [p], answers: 1 }'), 'weights-without-effect')).toEqual([]);
    expect(warnings(zone('{ members: [192.0.2.1, 192.0.2.2] }', '{ pools: [p] }'), 'weights-without-effect')).toEqual(
      [],
    );
    // Weight 0 means: only when nothing else is there.
    const spare = '{ members: [{ address: 192.0.2.1, weight: 0 }, 192.0.2.2] }';
    expect(warnings(zone(spare, '{ pools: [p] }'), 'weights-without-effect')).toEqual([]);
  });

  it('finds answers that no packet holds', () => {
    const members = (count: number) => Array.from({ length: count }, (_, i) => `192.0.2.${i}`).join(', ');
    expect(warnings(zone(`{ members: [${members(80)}] }`, '{ pools: [p] }'), 'answer-too-long')).toHaveLength(1);
    expect(warnings(zone(`{ members: [${members(80)}] }`, '{ pools: [p], answers: 60 }'), 'answer-too-long')).toEqual(
      [],
    );
    expect(warnings(zone(`{ members: [${members(70)}] }`, '{ pools: [p] }'), 'answer-too-long')).toEqual([]);
    expect(warnings(zone(`{ pick: sticky, members: [${members(80)}] }`, '{ pools: [p] }'), 'answer-too-long')).toEqual(
      [],
    );
  });

  it('says once that pools have one family only', () => {
    const text = `${HEAD}pools: { p: { members: [192.0.2.1] }, q: { members: ["2001:db8::1"] }, r: { members: [192.0.2.1, "2001:db8::1"] } }
records: { x: { ADDR: { pools: [p, q, r] } }, y: { ADDR: { pools: [p] } } }
`;
    expect(warnings(text, 'one-family')).toEqual(['one-family 4:17']);
    expect(messages(text, 'one-family')[0]).toContain('p, q;');
    expect(messages(text, 'one-family')[0]).toContain('pdns-recursor');
    // AAAA of some regions alone is as bad; where the next pool has it, nobody gets NODATA.
    expect(
      warnings(text.replace('x: { ADDR: { pools: [p, q, r] } }', 'x: { AAAA: { pools: [p, r] } }'), 'one-family'),
    ).toHaveLength(1);
    expect(warnings(text.replaceAll(/(pools: \[[pqr, ]+\])/g, '$1, on-missing-family: next'), 'one-family')).toEqual(
      [],
    );
  });

  it('finds aliases that differ by client and lead out of the zone', () => {
    const at = (steering: string, target = 'lb.example.net.'): string[] =>
      warnings(
        `${HEAD}pools: { p: { members: [${target}] }, q: { members: [www.example.org.] } }
records: { www: { A: 192.0.2.1 }, x: { CNAME: ${steering} } }
`,
        'steered-cname-outside',
      );
    expect(at('{ regions: { RU: p, default: q } }')).toEqual(['steered-cname-outside 4:40']);
    expect(at('{ regions: { RU: p, default: q } }', 'www.example.org.')).toEqual([]);
    // What everybody gets may be shared.
    expect(at('{ pools: [p, q] }')).toEqual([]);
  });

  it('finds record sets that never have an answer', () => {
    expect(warnings(zone('{ members: [192.0.2.1] }', '{ pools: [p] }', 'AAAA'), 'never-answers')).toEqual([
      'never-answers 5:17',
    ]);
    expect(warnings(zone('{ members: [192.0.2.1] }', '{ pools: [p] }'), 'never-answers')).toEqual([]);
  });

  it('finds pools that can never be up', () => {
    const minLive = (pool: string) => warnings(zone(pool, '{ pools: [p] }'), 'min-live-unreachable');
    expect(minLive('{ min-live: 2, members: [192.0.2.1] }')).toEqual(['min-live-unreachable 4:25']);
    expect(minLive('{ min-live: 2, members: [192.0.2.1, 192.0.2.2, "2001:db8::1"] }')).toHaveLength(1);
    expect(minLive('{ min-live: "100%", members: [192.0.2.1] }')).toEqual([]);
  });

  it('finds probes that outlast their interval', () => {
    const text = `${HEAD}checks: { a: { http: {}, interval: 1s }, b: { all: [a] } }\npools: { p: { check: b, members: [192.0.2.1] } }\n`;
    expect(warnings(text, 'timeout-over-interval')).toEqual(['timeout-over-interval 3:36']);
    const timed = `${HEAD}checks:\n  a: { http: {}, interval: 1s, timeout: 3s }\npools:\n  p: { check: a, members: [192.0.2.1] }\n  q: { check: a, members: [192.0.2.1] }\n`;
    expect(warnings(timed, 'timeout-over-interval')).toEqual(['timeout-over-interval 4:41']);
  });

  it('warns that secondaries do not follow health', () => {
    const transfer = 'transfer: { allow: [192.0.2.0/24] }\n';
    expect(
      warnings(zone('{ members: [192.0.2.1] }', '{ pools: [p] }') + transfer, 'transfer-ignores-health'),
    ).toHaveLength(1);
    expect(warnings(`${HEAD}${transfer}records: { a: { A: 192.0.2.1 } }\n`, 'transfer-ignores-health')).toEqual([]);
  });
});

describe('lint of data', () => {
  const none: GeoData = {
    coordinates: false,
    subdivisions: false,
    cities: false,
    asNumbers: false,
    unreached: () => [],
    coordinatesOf: () => null,
  };
  const text = `${HEAD}pools: { p: { at: [0, 0], members: [192.0.2.1] } }
records:
  x: { A: { regions: { AS64500: p, US-CA: p, "city:RU/Moscow": p, RU: p, default: p } } }
  y: { A: { closest: [p] } }
`;
  const found = (data: GeoData) =>
    parseZone({ file: 'z.yaml', text, expectedName: null }, null, { ...OPTIONS, geoData: data }).diagnostics.map(
      (d) => d.code,
    );

  it('names the database that a rule would need', () => {
    expect(found(none)).toEqual(['no-as-data', 'no-subdivision-data', 'no-city-data', 'closest-by-country']);
    expect(found({ ...none, asNumbers: true })).not.toContain('no-as-data');
    // Said where the place is written, not where the region is named.
    const region = `${HEAD}regions:\n  far: [RU,\n    AS64500]\npools: { p: { members: [192.0.2.1] } }\nrecords: { x: { A: { regions: { far: p, default: p } } } }\n`;
    const { diagnostics } = parseZone({ file: 'z.yaml', text: region, expectedName: null }, null, {
      ...OPTIONS,
      geoData: none,
    });
    expect(diagnostics.map(({ code, line, col }) => `${code} ${line}:${col}`)).toEqual(['no-as-data 5:5']);
    expect(found({ ...none, coordinates: true, subdivisions: true, cities: true, asNumbers: true })).toEqual([]);
  });

  it('says which places no database has an address in, where they are written, and which regions others cover', () => {
    const geo = geoOf([
      {
        file: 'city.mmdb',
        records: [
          ['81.2.69.0/25', { country_code: 'US', state1: 'California', city: 'Fresno' }],
          ['81.2.69.128/25', { country_code: 'US', state1: 'Texas', city: 'Austin' }],
          ['81.2.100.0/24', { country_code: 'KR', state1: 'Busan', city: 'Busan' }],
        ],
      },
    ]);
    const inhabited = new Inhabited(geo);
    const unreachedIn: GeoData['unreached'] = (regions) =>
      unreached(regions, geo, inhabited).map((found) => ({ ...found, fix: fixFor(found, geo, inhabited) }));
    const written = `${HEAD}regions:
  far: [KR-11, KR-26,
    "city:US/Fresmo"]
  states: [US-CA, US-TX]
  usa: [US]
pools: { p: { at: [0, 0], members: [81.2.69.1] } }
records:
  x: { A: { regions: { far: p, states: p, usa: p, US-ZZ: p, US-PR: p, default: p } } }
`;
    const { diagnostics } = parseZone({ file: 'z.yaml', text: written, expectedName: null }, null, {
      ...OPTIONS,
      geoData: { ...none, coordinates: true, subdivisions: true, cities: true, unreached: unreachedIn },
    });
    const head = HEAD.split('\n').length - 1;
    expect(diagnostics.map(({ code, line, col, message, fix }) => [code, line - head, col, message, fix])).toEqual([
      [
        'place-without-addresses',
        2,
        9,
        'no loaded database has an address in KR-11 (Seoul)',
        'correct it, or remove it; if it is right, accept: [place-without-addresses]',
      ],
      ['place-without-addresses', 3, 5, 'no loaded database has an address in city:US/Fresmo', 'did you mean Fresno?'],
      [
        'region-never-matches',
        8,
        expect.any(Number),
        'x A: the region usa never matches: more specific places of other regions have every address in it',
        'remove it, or the places that cover it',
      ],
      [
        'place-without-addresses',
        8,
        expect.any(Number),
        'no loaded database has an address in US-ZZ',
        'correct it: it is no code of ISO 3166-2',
      ],
      [
        'place-without-addresses',
        8,
        expect.any(Number),
        'no loaded database has an address in US-PR',
        'write PR: databases have it as a country',
      ],
    ]);
  });
});
