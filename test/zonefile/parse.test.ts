// A zone file becomes the model that it describes; the contract's own example is read without an error.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nameToText } from '../../dist/wire/name.js';
import { TYPE } from '../../dist/wire/types.js';
import type { Pool, SteeredSet, ZoneModel } from '../../dist/zone/model.js';
import { fileOfZone, zoneOfFile } from '../../dist/zonefile/zone-file-name.js';
import { errorsOf, HEAD, modelOf, readZone } from '../support/zones.ts';

const contract = readFileSync(new URL('contract-zone.yaml', import.meta.url), 'utf8');

function setOf(model: ZoneModel, name: string, type: number) {
  return model.owners.find((owner) => nameToText(owner.name) === name)?.sets.find((set) => set.type === type);
}

function steered(model: ZoneModel, name: string, type: number): SteeredSet {
  const set = setOf(model, name, type);
  if (set?.kind !== 'steered') throw new Error(`${name} is not steered`);
  return set;
}

function pool(model: ZoneModel, name: string): Pool {
  const found = model.pools.get(name);
  if (found === undefined) throw new Error(`no pool ${name}`);
  return found;
}

describe("the contract's example zone", () => {
  const parsed = readZone(contract, null, 'net.cat');
  const model = parsed.model!;

  it('has no errors', () => {
    expect(parsed.diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
    expect(model.name).toBe('net.cat');
    expect(model.owner).toBe('web-team');
    expect(model.usesCommon).toBe(false);
  });

  it('gives SOA, NS and transfer', () => {
    expect(nameToText(model.soa.mname)).toBe('ns1.net.cat.');
    expect(nameToText(model.soa.rname)).toBe('hostmaster.net.cat.');
    expect(model.soa).toMatchObject({ minimum: 60, ttlSeconds: 300, serial: null });
    expect(model.ns.names.map((name) => nameToText(name))).toEqual(['ns1.net.cat.', 'ns2.net.cat.']);
    expect(model.transfer?.allow.map(({ length }) => length)).toEqual([24]);
    expect(model.transfer?.notify.map(({ port }) => port)).toEqual([53]);
  });

  it('gives pools with members, check and place', () => {
    const moscow = pool(model, 'moscow');
    expect(moscow).toMatchObject({ zone: 'net.cat', at: [55.75, 37.62], pick: 'weighted', bias: 1, shed: null });
    expect(moscow.minLive).toEqual({ kind: 'count', count: 1 });
    expect(
      moscow.members.map(({ address, family, weight, stickyName }) => [address, family, weight, stickyName]),
    ).toEqual([
      ['203.0.113.10', 4, 1, '203.0.113.10'],
      ['203.0.113.11', 4, 3, 'msk2'],
      ['2001:db8::10', 6, 1, '2001:db8::10'],
    ]);
    expect(moscow.check).toMatchObject({
      name: 'web',
      intervalMs: 10_000,
      timeoutMs: 2_000,
      fall: 3,
      rise: 2,
      fastRecheck: true,
    });
    expect(moscow.check?.probe).toMatchObject({
      kind: 'http',
      tls: false,
      port: 80,
      path: '/healthz',
      host: 'net.cat',
    });
    expect(pool(model, 'cdn').members[0]).toMatchObject({ family: 'name', address: 'lb.example.net.' });
    expect(pool(model, 'cdn').check).toBeNull();
  });

  it('splits ADDR into A and AAAA with the same steering', () => {
    const a = steered(model, 'net.cat.', TYPE.A);
    const aaaa = steered(model, 'net.cat.', TYPE.AAAA);
    expect(a.steering).toBe(aaaa.steering);
    expect(a).toMatchObject({ ttl: { max: 60, min: 60, dynamic: false }, answers: 2, whenAllDown: 'serve' });
    expect(a.steering.regions.map(({ name, places, list }) => [name, places.length, list])).toEqual([
      [
        'russia',
        3,
        [
          { kind: 'pool', pool: 'moscow' },
          { kind: 'pool', pool: 'newyork' },
        ],
      ],
      ['latin', 2, [{ kind: 'pool', pool: 'rio' }]],
      ['FR', 1, [{ kind: 'pool', pool: 'newyork' }]],
    ]);
    expect(a.steering.regions[2]?.places).toEqual([{ kind: 'country', code: 'FR' }]);
    expect(a.steering.default).toEqual([{ kind: 'closest', pools: ['moscow', 'rio', 'newyork'], spreadKm: 0 }]);
  });

  it('gives the other policies as a default without regions', () => {
    expect(steered(model, 'api.net.cat.', TYPE.A).steering).toEqual({
      regions: [],
      default: [
        { kind: 'pool', pool: 'moscow' },
        { kind: 'pool', pool: 'newyork' },
      ],
    });
    expect(steered(model, 'near.net.cat.', TYPE.A).steering.default).toMatchObject([{ kind: 'closest' }]);
    expect(steered(model, 'canary.net.cat.', TYPE.A).steering.default).toEqual([
      {
        kind: 'weighted',
        shares: [
          { pool: 'moscow', weight: 95 },
          { pool: 'newyork', weight: 5 },
        ],
      },
    ]);
    expect(steered(model, 'media.net.cat.', TYPE.CNAME)).toMatchObject({ ttl: { max: 60 }, answers: null });
    expect(steered(model, '*.user.net.cat.', TYPE.A).ttl.max).toBe(300);
  });

  it('gives static record sets with their TTL', () => {
    expect(setOf(model, 'static.net.cat.', TYPE.A)).toMatchObject({ kind: 'static', ttlSeconds: 86_400 });
    expect(setOf(model, 'net.cat.', TYPE.MX)).toMatchObject({ kind: 'static', ttlSeconds: 300 });
    const txt = setOf(model, 'net.cat.', TYPE.TXT);
    expect(txt?.kind === 'static' && Buffer.from(txt.records[0]!.bytes).toString('latin1')).toBe('\x0bv=spf1 -all');
    expect(setOf(model, 'sub.net.cat.', TYPE.NS)).toMatchObject({ kind: 'static' });
  });
});

describe('a zone file', () => {
  it('needs a zone and its nameservers', () => {
    expect(errorsOf('records: {}\n')).toEqual(['missing-key 1:1', 'missing-key 1:1']);
    expect(errorsOf('zone: example.org\n')).toEqual(['missing-key 1:7']);
  });

  it('may be almost empty', () => {
    const model = modelOf('zone: example.org\nns: [ns.example.net.]\n');
    expect(model.owners).toEqual([]);
    expect(nameToText(model.soa.mname)).toBe('ns.example.net.');
    expect(nameToText(model.soa.rname)).toBe('hostmaster.example.org.');
    expect(model.transfer).toBeNull();
  });

  it('must have the name of its zone', () => {
    const text = 'zone: Example.ORG.\nns: [ns.example.net.]\n';
    expect(readZone(text, null, 'example.org').model?.name).toBe('example.org');
    const { diagnostics } = readZone(text, null, 'example.net');
    expect(diagnostics.map((d) => [d.code, d.line, d.col])).toEqual([['zone-file-name', 1, 7]]);
    expect(diagnostics[0]?.fix).toContain('example.org.yaml');
  });

  it('has a file name for every name of a zone', () => {
    const files = ['net.cat.yaml', 'root.yaml', '_acme-challenge.net.cat.yaml', '0%2F25.2.0.192.in-addr.arpa.yaml'];
    const zones = ['net.cat', '.', '_acme-challenge.net.cat', '0/25.2.0.192.in-addr.arpa'];
    expect(files.map(zoneOfFile)).toEqual(zones);
    expect(zones.map(fileOfZone)).toEqual(files);
    expect(['0%2f25.Net.Cat.yaml', '_common.yaml', '.hidden.yaml', 'net.cat.yml'].map(zoneOfFile)).toEqual([
      '0/25.net.cat',
      null,
      null,
      null,
    ]);
    const { diagnostics } = readZone('zone: 0/25.net.cat\nns: [ns.example.net.]\n', null, 'net.cat');
    expect(diagnostics[0]?.fix).toContain('call the file 0%2F25.net.cat.yaml');
  });

  it('can be the root', () => {
    const model = modelOf('zone: .\nns: [ns]\nrecords: { ns: { A: 192.0.2.1 }, "@": { TXT: root } }\n');
    expect(model.name).toBe('.');
    expect(model.apex).toEqual(new Uint8Array(1));
    expect(model.owners.map((owner) => nameToText(owner.name))).toEqual(['ns.', '.']);
    const text =
      'zone: .\nns: [ns.example.net.]\nrecords: { net: { NS: a.example.net. }, a.example.net: { A: 192.0.2.1 } }\n';
    expect(readZone(text, null, '.').model).not.toBeNull();
  });

  it('takes only its own version', () => {
    expect(errorsOf(`version: meridian/v2\n${HEAD}`)).toEqual(['bad-choice 1:10']);
    expect(errorsOf(`version: meridian/v1\n${HEAD}`)).toEqual([]);
  });

  it('names the nearest key for one that it does not have', () => {
    const { diagnostics } = readZone(`${HEAD}recods: {}\n`);
    const unknown = diagnostics.find((d) => d.code === 'unknown-key');
    expect(unknown).toMatchObject({ line: 7, col: 1, excerpt: 'recods: {}' });
    expect(unknown?.fix).toContain('did you mean "records"?');
  });

  it('reports every mistake at once, each in its place', () => {
    const text = `version: meridian/v1
zone: net.cat
ttl: 4294967295
ns: [ns1]
colour: blue
regions:
  britain: [UK]
pools:
  a: { check: wbe, members: [192.0.2.300] }
checks:
  web: { tcp: { port: 80 } }
records:
  ns1: { A: 192.0.2.1, A: 192.0.2.2 }
  www: { CNAME: x.example.net., TXT: hi }
  out.example.com.: { A: 192.0.2.1 }
  "@": { MX: "10 mail.example.net" }
  api: { A: { pools: [b] } }
`;
    expect(errorsOf(text)).toEqual([
      'ttl-range 3:6',
      'unknown-key 5:1',
      'unknown-country 7:13',
      'unknown-check 9:15',
      'bad-address 9:30',
      'duplicate-key 13:24',
      'cname-and-other-data 14:10',
      'name-outside-zone 15:3',
      'missing-final-dot 16:14',
      'unknown-pool 17:23',
    ]);
  });

  it('gives no model when it has errors', () => {
    expect(readZone('zone: example.org\nns: [ns.example.net.]\nttl: x\n').model).toBeNull();
    expect(readZone('a: [').model).toBeNull();
    expect(readZone('- a\n').diagnostics.map((d) => d.code)).toEqual(['wrong-shape']);
  });

  it('is read in linear time', () => {
    /** The least time of some tries: a machine with more to do only adds. */
    const leastMs = (count: number): number => {
      const sets = Array.from({ length: count }, (_, i) => `  name${i}: { A: { ttl: 30, pools: [paris, tokyo] } }\n`);
      const text = `${HEAD}records:\n${sets.join('')}`;
      const tries = Array.from({ length: 3 }, () => {
        const start = performance.now();
        expect(readZone(text).model?.owners.length).toBe(count);
        return performance.now() - start;
      });
      return Math.min(...tries);
    };
    // Eight times as much: squares would take sixty-four times as long.
    expect(leastMs(16_000) / leastMs(2_000)).toBeLessThan(30);
  });
});

describe('soa and ns', () => {
  const soa = (text: string) => modelOf(`zone: example.org\nns: [ns.example.net.]\nttl: 1h\nsoa: ${text}\n`).soa;

  it('take every key, in durations', () => {
    expect(soa('{ refresh: 1h, retry: 10m, expire: 2w, minimum: 0, ttl: 1d, serial: 2026010100 }')).toMatchObject({
      refresh: 3600,
      retry: 600,
      expire: 1_209_600,
      minimum: 0,
      ttlSeconds: 86_400,
      serial: 2_026_010_100,
    });
    expect(soa('{}')).toMatchObject({ ttlSeconds: 3600, serial: null });
  });

  it('take a mail address for rname', () => {
    expect(nameToText(soa('{ rname: jane.doe@example.net }').rname)).toBe('jane\\.doe.example.net.');
  });

  it('check names, numbers and keys', () => {
    const head = 'zone: example.org\nns: [ns.example.net.]\nsoa: ';
    expect(errorsOf(`${head}{ mname: ns.example.net }\n`)).toEqual(['missing-final-dot 3:15']);
    expect(errorsOf(`${head}{ serial: 4294967296, refesh: 1h }\n`)).toEqual(['out-of-range 3:16', 'unknown-key 3:28']);
    expect(errorsOf(`${head}{ refresh: 500ms }\n`)).toEqual(['bad-ttl 3:17']);
  });

  it('take ns as a name, a list, or with a TTL', () => {
    const ns = (text: string) => modelOf(`zone: example.org\nttl: 60\nns: ${text}\n`).ns;
    expect(ns('a.example.net.').names.length).toBe(1);
    expect(ns('[a.example.net., b.example.net.]')).toMatchObject({ ttlSeconds: 60 });
    expect(ns('{ ttl: 1d, values: [a.example.net.] }')).toMatchObject({ ttlSeconds: 86_400 });
    expect(errorsOf('zone: example.org\nns: []\n')).toEqual(['no-values 2:5']);
  });
});

describe('transfer', () => {
  it('takes networks and addresses, ports included', () => {
    const text = `${HEAD}transfer: { allow: [192.0.2.0/24, "2001:db8::1"], notify: ["192.0.2.54:5300", "[2001:db8::2]:5301", "2001:db8::3"] }\n`;
    const { transfer } = modelOf(text);
    expect(transfer?.allow.map(({ length }) => length)).toEqual([24, 128]);
    expect(transfer?.notify.map(({ port }) => port)).toEqual([5300, 5301, 53]);
  });

  it('refuses host bits and what is no address', () => {
    const text = `${HEAD}transfer: { allow: [192.0.2.1/24], notify: [ns.example.net.] }\n`;
    expect(errorsOf(text)).toEqual(['host-bits 7:21', 'bad-address 7:45']);
  });
});
