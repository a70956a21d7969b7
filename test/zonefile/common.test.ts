// _common.yaml: what zones take from it, what they replace, and what happens when it is broken.
import { describe, expect, it } from 'vitest';
import { nameToText } from '../../dist/wire/name.js';
import { TYPE } from '../../dist/wire/types.js';
import { parseCommon } from '../../dist/zonefile/common.js';
import { codesOf, errorsOf, modelOf, OPTIONS, places, readZone } from '../support/zones.ts';

const COMMON = `version: meridian/v1
ttl: 1h
soa: { mname: ns1.example.net., minimum: 30 }
ns: [ns1.example.net.]
regions: { east: [RU], north: [FI] }
checks: { web: { http: {} }, ssh: { tcp: { port: 22 } } }
pools:
  paris: { check: web, at: [48.9, 2.4], members: [192.0.2.1] }
  tokyo: { members: [192.0.2.2] }
`;

const commonErrors = (text: string) =>
  places(parseCommon({ file: '_common.yaml', text }, OPTIONS).diagnostics, 'error');

describe('a zone with _common.yaml', () => {
  it('takes ttl, soa and ns from it, whole', () => {
    const model = modelOf('zone: example.org\nrecords: { a: { A: 192.0.2.1 } }\n', COMMON);
    expect(model.ns.names.map((name) => nameToText(name))).toEqual(['ns1.example.net.']);
    expect(model.soa).toMatchObject({ minimum: 30, ttlSeconds: 3600 });
    expect(nameToText(model.soa.rname)).toBe('hostmaster.example.org.');
    expect(model.owners[0]?.sets[0]).toMatchObject({ ttlSeconds: 3600 });
    expect(model.usesCommon).toBe(true);
  });

  it('replaces them whole', () => {
    const text = 'zone: example.org\nttl: 60\nns: [a.example.net.]\nsoa: { retry: 600 }\n';
    const model = modelOf(text, COMMON);
    expect(nameToText(model.soa.mname)).toBe('a.example.net.');
    expect(model.soa).toMatchObject({ minimum: 60, retry: 600, ttlSeconds: 60 });
    expect(model.usesCommon).toBe(false);
  });

  it('replaces regions, checks and pools of the same name', () => {
    const text = `zone: example.org
ns: [a.example.net.]
regions: { east: [CN] }
checks: { web: { tcp: { port: 81 } } }
pools: { tokyo: { check: web, members: [198.51.100.1] }, rome: { check: ssh, members: [198.51.100.2] } }
records: { a: { A: { regions: { east: tokyo, north: paris, default: rome } } } }
`;
    const model = modelOf(text, COMMON);
    const pools = Object.fromEntries(
      [...model.pools].map(([name, pool]) => [name, [pool.zone, pool.members[0]?.address, pool.check?.name]]),
    );
    expect(pools).toEqual({
      paris: ['_common', '192.0.2.1', 'web'],
      tokyo: ['example.org', '198.51.100.1', 'web'],
      rome: ['example.org', '198.51.100.2', 'ssh'],
    });
    // The zone's own "web" is not what a common pool means.
    expect(model.pools.get('paris')?.check?.probe.kind).toBe('http');
    expect(model.pools.get('tokyo')?.check?.probe.kind).toBe('tcp');
    const set = model.owners[0]?.sets.find(({ type }) => type === TYPE.A);
    expect(set?.kind === 'steered' && set.steering.regions.map(({ places }) => places)).toEqual([
      [{ kind: 'country', code: 'CN' }],
      [{ kind: 'country', code: 'FI' }],
    ]);
  });

  it('reads relative names in soa and ns as its own', () => {
    const common = 'ns: [ns1]\nsoa: { rname: admin }\n';
    const model = modelOf('zone: example.org\nrecords: { ns1: { A: 192.0.2.1 } }\n', common);
    expect(nameToText(model.ns.names[0]!)).toBe('ns1.example.org.');
    expect(nameToText(model.soa.rname)).toBe('admin.example.org.');
    // The address is missing in the zone, so that is where it is said.
    expect(errorsOf('zone: example.org\n', common)).toEqual(['ns-without-address 1:7']);
  });

  it('does not use it when it names nothing of it', () => {
    expect(modelOf('zone: example.org\nns: [a.example.net.]\nttl: 1\nsoa: {}\n', COMMON).usesCommon).toBe(false);
    expect(
      modelOf(
        'zone: example.org\nns: [a.example.net.]\nrecords: { a: { A: { pools: [paris] } } }\n',
        'pools: { paris: { members: [192.0.2.1] } }\n',
      ).usesCommon,
    ).toBe(true);
  });
});

describe('_common.yaml', () => {
  it('has no keys but its own', () => {
    expect(commonErrors('zone: example.org\nrecords: {}\n')).toEqual(['unknown-key 1:1', 'unknown-key 2:1']);
    expect(commonErrors('')).toEqual([]);
  });

  it('looks up the checks of its pools in itself only', () => {
    expect(commonErrors('pools: { a: { check: web, members: [192.0.2.1] } }\n')).toEqual(['unknown-check 1:22']);
    const zone =
      'zone: example.org\nns: [a.example.net.]\nchecks: { web: { http: {} } }\npools: { b: { check: web, members: [192.0.2.1] } }\n';
    expect(codesOf(zone, 'pools: { a: { check: web, members: [192.0.2.1] } }\n')).toEqual([]);
  });

  it('has absolute names where no zone is', () => {
    expect(commonErrors('pools: { a: { members: [lb.example.net] }, b: { members: [lb] } }\n')).toEqual([
      'name-not-absolute 1:25',
      'name-not-absolute 1:59',
    ]);
    expect(commonErrors('checks: { a: { dns: { name: example.net } } }\n')).toEqual(['name-not-absolute 1:29']);
    expect(commonErrors('ns: [ns1.example.net]\n')).toEqual(['name-not-absolute 1:6']);
    expect(commonErrors('ns: [ns1]\nsoa: { mname: ns1 }\n')).toEqual([]);
  });

  it('reports every mistake at once', () => {
    const text =
      'ttl: x\nsoa: { retri: 1 }\nregions: { a: [UK] }\nchecks: { b: { tcp: {} } }\npools: { c: { members: [] } }\n';
    expect(commonErrors(text)).toEqual([
      'bad-ttl 1:6',
      'unknown-key 2:8',
      'unknown-country 3:16',
      'missing-key 4:21',
      'no-values 5:24',
    ]);
  });
});

describe('a broken _common.yaml', () => {
  const broken = `${COMMON}colour: blue\n`;

  it('puts zones in error that take anything from it', () => {
    const { diagnostics, model } = readZone('zone: example.org\n', broken);
    expect(model).toBeNull();
    expect(places(diagnostics, 'error')).toEqual(['common-broken 1:7']);
    const own = 'zone: example.org\nns: [a.example.net.]\nttl: 1\nsoa: {}\n';
    expect(errorsOf(`${own}records: { a: { A: { pools: [paris] } } }\n`, broken)).toEqual(['common-broken 1:7']);
    expect(errorsOf(`${own}pools: { a: { check: web, members: [192.0.2.1] } }\n`, broken)).toEqual([
      'common-broken 1:7',
    ]);
  });

  it('leaves the others alone', () => {
    expect(
      errorsOf('zone: example.org\nns: [a.example.net.]\nttl: 1\nsoa: {}\nrecords: { a: { A: 192.0.2.1 } }\n', broken),
    ).toEqual([]);
  });

  it('that is no YAML is known to have said something', () => {
    const text = 'ttl: 1h\nns: [a\nregions: {}\n';
    expect(codesOf('zone: example.org\nsoa: {}\n', text)).toContain('common-broken');
    expect(codesOf('zone: example.org\nns: [a.example.net.]\n', text)).toEqual(['common-broken']);
    expect(codesOf('zone: example.org\nttl: 1\nns: [a.example.net.]\n', text)).toEqual([]);
  });
});
