// Steered record sets: policies, lists of pools, regions, TTLs, and every way to get them wrong.
import { describe, expect, it } from 'vitest';
import { TYPE } from '../../dist/wire/types.js';
import type { SteeredSet } from '../../dist/zone/model.js';
import { errorsOf, modelOf, readZone, withRecords } from '../support/zones.ts';

function steered(set: string, type = 'A', more = ''): SteeredSet {
  const found = modelOf(withRecords(`x:\n  ${type}: ${set}`, more)).owners[0]?.sets[0];
  if (found?.kind !== 'steered') throw new Error('not steered');
  return found;
}

/** Errors of a record set `A: ...`, whose value begins in 9:8. */
function errors(set: string, type = 'A', more = ''): string[] {
  return errorsOf(withRecords(`x:\n  ${type}: ${set}`, more));
}

const paris = { kind: 'pool', pool: 'paris' };
const tokyo = { kind: 'pool', pool: 'tokyo' };
const closest = { kind: 'closest', pools: ['paris', 'tokyo'], spreadKm: 0 };
const weighted = {
  kind: 'weighted',
  shares: [
    { pool: 'paris', weight: 95 },
    { pool: 'tokyo', weight: 5 },
  ],
};

describe('a list of pools', () => {
  const list = (text: string) => steered(`{ regions: { RU: ${text}, default: nodata } }`).steering.regions[0]?.list;

  it('is a name, a list, closest, weighted, or a list with these in it', () => {
    expect(list('paris')).toEqual([paris]);
    expect(list('[paris, tokyo]')).toEqual([paris, tokyo]);
    expect(list('{ closest: [paris, tokyo] }')).toEqual([closest]);
    expect(list('{ weighted: { paris: 95, tokyo: 5 } }')).toEqual([weighted]);
    expect(list('[paris, { closest: [paris, tokyo] }, { weighted: { paris: 95, tokyo: 5 } }]')).toEqual([
      paris,
      closest,
      weighted,
    ]);
  });

  it('stands under pools, too', () => {
    expect(steered('{ pools: paris }').steering.default).toEqual([paris]);
    expect(steered('{ pools: [{ closest: [paris, tokyo] }, paris] }').steering.default).toEqual([closest, paris]);
  });

  it('is nothing else', () => {
    const inRegion = (text: string) => errors(`{ regions: { default: ${text} } }`);
    expect(inRegion('[]')).toEqual(['no-values 9:30']);
    expect(inRegion('{ closest: [] }')).toEqual(['no-values 9:41']);
    expect(inRegion('{ weighted: {} }')).toEqual(['no-values 9:42']);
    expect(inRegion('{ closest: [paris], weighted: { paris: 1 } }')).toEqual(['one-of 9:30']);
    expect(inRegion('{ pools: [paris] }')).toEqual(['one-of 9:30', 'unknown-key 9:32']);
    expect(inRegion('[[paris]]')).toEqual(['wrong-shape 9:31']);
    expect(inRegion('{ closest: [{ weighted: { paris: 1 } }] }')).toEqual(['wrong-shape 9:42']);
    expect(inRegion('{ weighted: [paris] }')).toEqual(['wrong-shape 9:42']);
  });

  it('names pools that exist, with the nearest one for those that do not', () => {
    const { diagnostics } = readZone(withRecords('x: { A: { pools: [pariss, tokio] } }'));
    const unknown = diagnostics.filter((d) => d.code === 'unknown-pool');
    expect(unknown.map((d) => [d.line, d.col])).toEqual([
      [8, 21],
      [8, 29],
    ]);
    expect(unknown.map((d) => d.fix)).toEqual(['did you mean "paris"?', 'did you mean "tokyo"?']);
  });

  it('names each pool once on a level', () => {
    expect(errors('{ pools: [paris, tokyo, paris] }')).toEqual(['duplicate-pool 9:32']);
    expect(errors('{ closest: [paris, paris] }')).toEqual(['duplicate-pool 9:27']);
    expect(errors('{ pools: [paris, { closest: [paris, tokyo] }] }')).toEqual([]);
  });

  it('has addresses for A, AAAA and ADDR, and names for CNAME', () => {
    expect(errors('{ pools: [paris, cdn] }')).toEqual(['wrong-pool 9:25']);
    expect(errors('{ pools: [cdn] }', 'ADDR')).toEqual(['wrong-pool 9:21']);
    expect(errors('{ pools: [paris] }', 'CNAME')).toEqual(['wrong-pool 9:22']);
    expect(steered('{ pools: [cdn] }', 'CNAME')).toMatchObject({ type: TYPE.CNAME });
  });

  it('of closest has pools with a place', () => {
    const more = '';
    const text = `zone: example.org
ns: [ns.example.net.]
pools: { a: { members: [192.0.2.1] } }
records: { x: { A: { closest: [a] } } }
${more}`;
    expect(errorsOf(text)).toEqual(['pool-without-at 4:32']);
  });

  it('of weighted has whole weights from 0', () => {
    expect(errors('{ weighted: { paris: 0, tokyo: 65535 } }')).toEqual([]);
    expect(errors('{ weighted: { paris: -1, tokyo: 65536 } }')).toEqual(['out-of-range 9:29', 'out-of-range 9:40']);
    expect(errors('{ weighted: { paris: 1.5 } }')).toEqual(['bad-number 9:29']);
    expect(errors('{ weighted: { paris: 05 } }')).toEqual(['bad-number 9:29']);
  });
});

describe('the policy', () => {
  it('is exactly one', () => {
    expect(errors('{ pools: [paris], closest: [paris] }')).toEqual(['one-of 9:26']);
    expect(errors('{ regions: { default: paris }, weighted: { paris: 1 } }')).toEqual(['one-of 9:39']);
  });

  it('is for A, AAAA, ADDR and CNAME', () => {
    for (const type of ['MX', 'TXT', 'SRV', 'HTTPS', 'PTR']) {
      expect(errors('{ pools: [paris] }', type)).toEqual(['not-steerable 9:5']);
    }
  });

  it('shares its spread with every closest', () => {
    const set = steered('{ spread: 50km, regions: { RU: { closest: [paris] }, default: { closest: [tokyo] } } }');
    expect(set.steering.regions[0]?.list).toMatchObject([{ spreadKm: 50 }]);
    expect(set.steering.default).toMatchObject([{ spreadKm: 50 }]);
    expect(steered('{ closest: [paris], spread: 2.5km }').steering.default).toMatchObject([{ spreadKm: 2.5 }]);
    for (const bad of ['50', '50mi', '-1km', '30000km', 'km']) {
      expect(errors(`{ closest: [paris], spread: ${bad} }`), bad).toEqual(['bad-value 9:36']);
    }
    expect(errors('{ pools: [paris], spread: 50km }')).toEqual(['without-effect 9:26']);
  });
});

describe('on-missing-family', () => {
  it('is nodata or next, for both families of an ADDR', () => {
    expect(steered('{ pools: [paris] }').onMissingFamily).toBe('nodata');
    expect(steered('{ pools: [paris], on-missing-family: nodata }').onMissingFamily).toBe('nodata');
    expect(steered('{ pools: [paris], on-missing-family: next }', 'AAAA').onMissingFamily).toBe('next');
    expect(errors('{ pools: [paris], on-missing-family: next }', 'ADDR')).toEqual([]);
    expect(errors('{ pools: [paris], on-missing-family: skip }')).toEqual(['bad-choice 9:45']);
  });

  it('is nothing for CNAME, whose members are of no family', () => {
    expect(errors('{ pools: [cdn], on-missing-family: next }', 'CNAME')).toEqual(['without-effect 9:28']);
  });
});

describe('regions', () => {
  const more = 'regions:\n  east: [RU, BY]\n  office: [198.51.100.0/24]\n';

  it('are names of the file, or places by themselves', () => {
    const set = steered(
      '{ regions: { east: paris, US-CA: tokyo, europe: tokyo, AS64500: paris, 192.0.2.0/24: paris, "city:FR/Lyon": paris, default: tokyo } }',
      'A',
      more,
    );
    expect(set.steering.regions.map(({ name, places }) => [name, places.map(({ kind }) => kind).join(' ')])).toEqual([
      ['east', 'country country'],
      ['US-CA', 'subdivision'],
      ['europe', 'continent'],
      ['AS64500', 'as'],
      ['192.0.2.0/24', 'network'],
      ['city:FR/Lyon', 'city'],
    ]);
  });

  it('win over places of the same name', () => {
    const set = steered('{ regions: { europe: paris, default: tokyo } }', 'A', 'regions: { europe: [RU] }\n');
    expect(set.steering.regions[0]?.places).toEqual([{ kind: 'country', code: 'RU' }]);
  });

  it('need a default, which may be nodata', () => {
    expect(errors('{ regions: { RU: paris } }')).toEqual(['no-default 9:10']);
    expect(steered('{ regions: { RU: paris, default: nodata } }').steering.default).toEqual([]);
    expect(errors('{ regions: { RU: nodata, default: paris } }')).toEqual(['unknown-pool 9:25']);
    expect(errors('{ regions: { default: [nodata] } }')).toEqual(['unknown-pool 9:31']);
  });

  it('that do not exist are errors with the nearest name', () => {
    const { diagnostics } = readZone(
      withRecords(
        'x: { A: { regions: { esat: paris, afrika: paris, UK: paris, "10.0.0.1/8": paris, default: paris } } }',
        more,
      ),
    );
    const errorsFound = diagnostics.filter((d) => d.severity === 'error');
    expect(errorsFound.map((d) => d.code)).toEqual([
      'unknown-region',
      'unknown-region',
      'unknown-country',
      'host-bits',
    ]);
    expect(errorsFound.map((d) => d.fix)).toEqual([
      'did you mean "east"?',
      'did you mean "africa"?',
      'did you mean GB?',
      'write 10.0.0.0/8',
    ]);
  });

  it('of one record set have each place once', () => {
    expect(errors('{ regions: { east: paris, RU: tokyo, default: paris } }', 'A', more)).toEqual([
      'duplicate-place 12:34',
    ]);
    expect(errors('{ regions: { 198.51.100.0/24: paris, office: tokyo, default: paris } }', 'A', more)).toEqual([
      'duplicate-place 12:45',
    ]);
    expect(errors('{ regions: { east: paris, europe: tokyo, default: paris } }', 'A', more)).toEqual([]);
    const spellings =
      'regions: { a: ["2001:db8::/32"], b: ["2001:DB8:0::/32"], c: ["city:FR/Lyon"], d: ["city:FR/LYON"] }\n';
    expect(errors('{ regions: { a: paris, b: tokyo, c: paris, d: paris, default: paris } }', 'A', spellings)).toEqual([
      'duplicate-place 10:31',
      'duplicate-place 10:51',
    ]);
  });
});

describe('the other keys', () => {
  it('are a TTL, fixed or between bounds', () => {
    expect(steered('{ pools: [paris], ttl: 1m }').ttl).toEqual({ max: 60, min: 60, dynamic: false });
    expect(steered('{ pools: [paris], ttl: { max: 5m, min: 20 } }').ttl).toEqual({ max: 300, min: 20, dynamic: true });
    expect(errors('{ pools: [paris], ttl: { max: 20, min: 21 } }')).toEqual(['ttl-range 9:47']);
    expect(errors('{ pools: [paris], ttl: { max: 20 } }')).toEqual(['missing-key 9:31']);
    expect(errors('{ pools: [paris], ttl: [20] }')).toEqual(['wrong-shape 9:31']);
  });

  it('are a number of answers, for CNAME one', () => {
    expect(steered('{ pools: [paris], answers: 3 }').answers).toBe(3);
    expect(steered('{ pools: [paris] }').answers).toBeNull();
    expect(errors('{ pools: [paris], answers: 0 }')).toEqual(['out-of-range 9:35']);
    expect(errors('{ pools: [paris], answers: all }')).toEqual(['bad-number 9:35']);
    expect(errors('{ pools: [cdn], answers: 2 }', 'CNAME')).toEqual(['out-of-range 9:37']);
  });

  it('are what happens when all are down', () => {
    for (const word of ['serve', 'nodata', 'servfail']) {
      expect(steered(`{ pools: [paris], when-all-down: ${word} }`).whenAllDown).toBe(word);
    }
    expect(errors('{ pools: [paris], when-all-down: serv }')).toEqual(['bad-choice 9:41']);
  });

  it('are no others', () => {
    expect(errors('{ pools: [paris], anwsers: 1 }')).toEqual(['unknown-key 9:26']);
    expect(errors('{ pool: [paris] }')).toEqual(['unknown-key 9:10']);
    expect(errors('{ answers: 2 }')).toEqual(['missing-key 9:5']);
    expect(errors('{ pools: [paris], values: [192.0.2.1] }')).toEqual(['one-of 9:26']);
  });
});
