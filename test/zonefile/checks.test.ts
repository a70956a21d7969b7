// Checks: every kind with its keys and defaults, combinations, and where a check is looked up.
import { describe, expect, it } from 'vitest';
import type { Check } from '../../dist/zone/model.js';
import { parseZone } from '../../dist/zonefile/parse.js';
import { errorsOf, modelOf, OPTIONS, places } from '../support/zones.ts';

const HEAD = 'zone: example.org\nns: [ns.example.net.]\n';

/** The check of a pool that names `c`, which is `text`. */
function check(text: string, more = ''): Check {
  const model = modelOf(`${HEAD}checks:\n  c: ${text}\n${more}pools: { p: { check: c, members: [192.0.2.1] } }\n`);
  return model.pools.get('p')!.check!;
}

/** Errors of a check whose map begins in 4:6. */
const errors = (text: string) => errorsOf(`${HEAD}checks:\n  c: ${text}\n`);
const key = Buffer.alloc(32, 7).toString('base64');

describe('the rhythm', () => {
  it('has the defaults of the contract', () => {
    expect(check('{ tcp: { port: 80 } }')).toMatchObject({
      name: 'c',
      intervalMs: 10_000,
      timeoutMs: 2_000,
      fall: 3,
      rise: 2,
      fastRecheck: true,
    });
  });

  it('takes durations in milliseconds and counts', () => {
    expect(
      check('{ tcp: { port: 80 }, interval: 1m, timeout: 500ms, fall: 1, rise: 1, fast-recheck: false }'),
    ).toMatchObject({
      intervalMs: 60_000,
      timeoutMs: 500,
      fall: 1,
      rise: 1,
      fastRecheck: false,
    });
  });

  it('has bounds', () => {
    const one = (text: string) => errors(`{ tcp: { port: 80 }, ${text} }`);
    expect(one('interval: 99ms')).toEqual(['out-of-range 4:37']);
    expect(one('interval: 10sec')).toEqual(['bad-duration 4:37']);
    expect(one('timeout: 0')).toEqual(['out-of-range 4:36']);
    expect(one('fall: 0')).toEqual(['out-of-range 4:33']);
    expect(one('fast-recheck: yes')).toEqual(['bad-choice 4:41']);
    expect(one('intervall: 10s')).toEqual(['unknown-key 4:27']);
  });
});

describe('http and https', () => {
  it('have their defaults', () => {
    expect(check('{ http: {} }').probe).toEqual({
      kind: 'http',
      tls: false,
      port: 80,
      method: 'GET',
      path: '/',
      host: null,
      sni: null,
      headers: {},
      expectStatus: [[200, 299]],
      expectBody: null,
      verify: true,
      caFile: null,
      minDays: null,
      version: '1.1',
      reuse: false,
      load: null,
    });
    expect(check('{ https: {} }').probe).toMatchObject({ tls: true, port: 443, verify: true });
  });

  it('take every key', () => {
    const text = `{ https: { port: 8443, path: "/h?x=1", host: net.cat, sni: tls.net.cat, method: HEAD, headers: { X-Probe: meridian },
      expect-status: [200, 300-399], expect-body: "regex:^ok", verify: false, ca-file: ca.pem, min-days: 7, version: 2, reuse: true } }`;
    expect(check(text).probe).toMatchObject({
      port: 8443,
      path: '/h?x=1',
      host: 'net.cat',
      sni: 'tls.net.cat',
      method: 'HEAD',
      headers: { 'X-Probe': 'meridian' },
      expectStatus: [
        [200, 200],
        [300, 399],
      ],
      expectBody: { kind: 'regex', source: '^ok' },
      verify: false,
      caFile: '/etc/meridian/ca.pem',
      minDays: 7,
      version: '2',
      reuse: true,
    });
  });

  it('read the load from a header or a JSON body, written beside the kind or in it', () => {
    const header = { kind: 'header', name: 'X-Load' };
    expect(check('{ http: {}, load: { header: X-Load } }').probe).toMatchObject({ load: header });
    expect(check('{ http: { load: { header: X-Load } } }').probe).toMatchObject({ load: header });
    expect(check('{ http: {}, load: { json: /load } }').probe).toMatchObject({
      load: { kind: 'json', pointer: '/load' },
    });
    expect(errors('{ http: {}, load: { header: a, json: /b } }')).toEqual(['wrong-shape 4:24']);
    expect(errors('{ http: {}, load: {} }')).toEqual(['wrong-shape 4:24']);
    expect(errors('{ tcp: { port: 1 }, load: { header: a } }')).toEqual(['unsupported 4:26']);
  });

  it('refuse what is wrong', () => {
    const one = (text: string) => errors(`{ http: { ${text} } }`);
    expect(one('port: 0')).toEqual(['out-of-range 4:22']);
    expect(one('port: 65536')).toEqual(['out-of-range 4:22']);
    expect(one('path: healthz')).toEqual(['bad-value 4:22']);
    for (const method of ['get', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'CONNECT'])
      expect(one(`method: ${method}`), method).toEqual(['bad-value 4:24']);
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST']) expect(one(`method: ${method}`), method).toEqual([]);
    expect(one('host: "a b"')).toEqual(['bad-value 4:22']);
    expect(one('expect-status: [99]')).toEqual(['bad-value 4:32']);
    expect(one('expect-status: 299-200')).toEqual(['bad-value 4:31']);
    for (const source of ['(', '(?=ok)', '(?<!no)ok', '(a)\\\\1', '(a{1000}){1000}'])
      expect(one(`expect-body: "regex:${source}"`), source).toEqual(['bad-regex 4:29']);
    expect(one('headers: { Host: x }')).toEqual(['bad-value 4:27']);
    for (const name of ['TE', 'keep-alive', 'Upgrade', 'Proxy-Connection', 'HTTP2-Settings', 'Expect'])
      expect(one(`headers: { ${name}: x }`)).toEqual(['bad-value 4:27']);
    expect(one('headers: { X-A: "a\\nb" }')).toEqual(['bad-value 4:32']);
    // These belong to https.
    expect(one('verify: false')).toEqual(['unknown-key 4:16']);
    expect(one('version: 2')).toEqual(['unsupported 4:25']);
  });
});

describe('the other kinds', () => {
  it('are tcp', () => {
    expect(check('{ tcp: { port: 22, send: "hex:00", expect: "SSH-2.0" } }').probe).toEqual({
      kind: 'tcp',
      port: 22,
      tls: false,
      sni: null,
      verify: true,
      caFile: null,
      send: Uint8Array.of(0),
      expect: { kind: 'bytes', bytes: new Uint8Array(Buffer.from('SSH-2.0')) },
    });
    expect(
      check('{ tcp: { port: 1, tls: true, sni: a.example, verify: false, ca-file: /x/ca.pem } }').probe,
    ).toMatchObject({
      tls: true,
      sni: 'a.example',
      verify: false,
      caFile: '/x/ca.pem',
    });
    expect(errors('{ tcp: {} }')).toEqual(['missing-key 4:13']);
    expect(errors('{ tcp: { port: 1, sni: a } }')).toEqual(['without-effect 4:24']);
    expect(errors('{ tcp: { port: 1, send: "hex:0" } }')).toEqual(['bad-value 4:30']);
    expect(errors('{ tcp: { port: 1, send: "regex:x" } }')).toEqual(['bad-value 4:30']);
  });

  it('are udp', () => {
    expect(check('{ udp: { port: 27015, send: "hex:ffffffff54", expect: "hex:ffffffff" } }').probe).toEqual({
      kind: 'udp',
      port: 27_015,
      send: Uint8Array.of(255, 255, 255, 255, 0x54),
      expect: { kind: 'bytes', bytes: Uint8Array.of(255, 255, 255, 255) },
    });
    expect(check('{ udp: { port: 1 } }').probe).toMatchObject({ send: new Uint8Array(0), expect: null });
  });

  it('are dns', () => {
    expect(check('{ dns: { name: example.net. } }').probe).toEqual({
      kind: 'dns',
      port: 53,
      transport: 'udp',
      name: 'example.net.',
      type: 'A',
      expectRcode: 'NOERROR',
      expectValue: null,
    });
    expect(
      check(
        '{ dns: { port: 5300, transport: tcp, name: "@", type: aaaa, expect-rcode: refused, expect-value: "::1" } }',
      ).probe,
    ).toMatchObject({
      name: 'example.org.',
      type: 'AAAA',
      expectRcode: 'REFUSED',
      expectValue: '::1',
      transport: 'tcp',
    });
    expect(errors('{ dns: { type: A } }')).toEqual(['missing-key 4:13']);
    expect(errors('{ dns: { name: a.b.c, type: ANY, expect-rcode: OK } }')).toEqual([
      'missing-final-dot 4:21',
      'unknown-type 4:34',
      'bad-value 4:53',
    ]);
    const value = (type: string, text: string) =>
      errors(`{ dns: { name: a, type: ${type}, expect-value: '${text}' } }`);
    for (const [type, text] of [
      ['A', '2001:db8::1'],
      ['MX', 'mail.example.org.'],
      ['TLSA', '3 1 1 zz'],
      ['TYPE1234', 'abc'],
    ])
      expect(value(type!, text!), type).toEqual([`bad-record 4:${46 + type!.length}`]);
    for (const [type, text] of [
      ['MX', '10 mail.example.org'],
      ['HTTPS', '1 . alpn="h2,h3"'],
      ['TYPE1234', '\\# 1 00'],
      ['TXT', 'v=spf1 -all'],
    ])
      expect(value(type!, text!), type).toEqual([]);
  });

  it('are wireguard', () => {
    expect(
      check(`{ wireguard: { public-key: "${key}", private-key-file: state/wg.key, preshared-key: "${key}" } }`).probe,
    ).toEqual({
      kind: 'wireguard',
      port: 51_820,
      publicKey: new Uint8Array(32).fill(7),
      privateKeyFile: '/etc/meridian/state/wg.key',
      presharedKey: new Uint8Array(32).fill(7),
    });
    expect(errors('{ wireguard: { public-key: "AAAA", private-key-file: k } }')).toEqual(['bad-key 4:33']);
    expect(errors('{ wireguard: {} }')).toEqual(['missing-key 4:19', 'missing-key 4:19']);
  });

  it('refuse the placeholder of the documentation as soon as a pool uses it', () => {
    const text = '{ wireguard: { public-key: "base64", private-key-file: k } }';
    expect(errors(text)).toEqual([]);
    expect(errorsOf(`${HEAD}checks: { c: ${text} }\npools: { p: { check: c, members: [192.0.2.1] } }\n`)).toEqual([
      'bad-key 4:22',
    ]);
  });

  it('are exec, where settings allow it', () => {
    expect(check('{ exec: [/bin/probe, -v, "a b"] }').probe).toEqual({
      kind: 'exec',
      command: '/bin/probe',
      args: ['-v', 'a b'],
    });
    expect(check('{ exec: { command: /bin/probe, args: [x] } }').probe).toEqual({
      kind: 'exec',
      command: '/bin/probe',
      args: ['x'],
    });
    expect(errors('{ exec: [probe] }')).toEqual(['bad-path 4:14']);
    expect(errors('{ exec: [] }')).toEqual(['bad-path 4:14']);
    const text = `${HEAD}checks: { c: { exec: [/bin/probe] } }\n`;
    const { diagnostics } = parseZone({ file: 'z.yaml', text, expectedName: null }, null, {
      ...OPTIONS,
      checkRules: { exec: false, files: ['/etc/meridian/state/checks'], linkLocal: false },
    });
    expect(places(diagnostics, 'error')).toEqual(['exec-not-allowed 3:22']);
  });

  it('are file', () => {
    const expected = { kind: 'file', path: '/etc/meridian/state/checks/quota' };
    expect(check('{ file: state/checks/quota }').probe).toEqual(expected);
    expect(check('{ file: { path: state/checks/../checks/quota } }').probe).toEqual(expected);
    for (const path of ['state/tokens', 'state/checks/../tokens', '/etc/passwd', 'state/checks-not/x', 'state/checks'])
      expect(errors(`{ file: ${path} }`), path).toEqual(['file-not-allowed 4:14']);
    expect(errors('{ file: { path: /etc/passwd } }')).toEqual(['file-not-allowed 4:22']);
  });

  it('go to no link-local or metadata address, unless settings allow it', () => {
    const text = (pools: string) =>
      `${HEAD}checks: { c: { tcp: { port: 1 } }, f: { file: state/checks/x }, a: { all: [f, c] } }\npools:\n${pools}`;
    const found = (pools: string, linkLocal = false) =>
      places(
        parseZone({ file: 'z.yaml', text: text(pools), expectedName: null }, null, {
          ...OPTIONS,
          checkRules: { ...OPTIONS.checkRules, linkLocal },
        }).diagnostics,
        'error',
      );
    const bad = '  p: { check: c, members: [192.0.2.1, 169.254.169.254, "fe80::1", "::ffff:169.254.0.1"] }\n';
    expect(found(bad)).toEqual(['link-local 5:39', 'link-local 5:56', 'link-local 5:67']);
    expect(found(bad, true)).toEqual([]);
    expect(found('  p: { check: a, members: [169.254.0.1] }\n')).toEqual(['link-local 5:28']);
    // Nothing is sent to these.
    expect(found('  p: { check: f, members: [169.254.0.1] }\n  q: { members: [169.254.0.1] }\n')).toEqual([]);
  });

  it('are exactly one, and no others', () => {
    expect(errors('{ http: {}, tcp: { port: 1 } }')).toEqual(['one-of 4:18']);
    expect(errors('{ interval: 1s }')).toEqual(['one-of 4:6']);
    expect(errors('{ icmp: {} }')).toEqual(['one-of 4:6', 'unknown-key 4:8']);
    expect(errors('{ htpp: {} }')).toEqual(['unknown-key 4:8']);
    expect(errors('web')).toEqual(['wrong-shape 4:6']);
  });
});

describe('combinations', () => {
  const parts =
    '  a: { tcp: { port: 1 }, interval: 5s }\n  b: { tcp: { port: 2 }, timeout: 4s, fast-recheck: false }\n';
  const combined = (text: string) => check(text, parts);

  it('need all, any, or some of their parts', () => {
    expect(combined('{ all: [a, b] }').probe).toMatchObject({
      kind: 'combined',
      atLeast: 2,
      of: [{ name: 'a' }, { name: 'b' }],
    });
    expect(combined('{ any: [a, b] }').probe).toMatchObject({ atLeast: 1 });
    expect(combined('{ at-least: 2, of: [a, b, { http: {} }] }').probe).toMatchObject({
      atLeast: 2,
      of: [{}, {}, { name: 'http:80' }],
    });
  });

  it('are as slow as their slowest part', () => {
    expect(combined('{ all: [a, b] }')).toMatchObject({ intervalMs: 10_000, timeoutMs: 4_000, fastRecheck: false });
  });

  it('may be combined again, but not with themselves', () => {
    expect(combined('{ any: [{ all: [a, b] }, a] }').probe).toMatchObject({
      of: [{ probe: { atLeast: 2 } }, { name: 'a' }],
    });
    expect(errors('{ all: [c] }')).toEqual(['check-cycle 4:3']);
    expect(errorsOf(`${HEAD}checks:\n  a: { all: [b] }\n  b: { any: [c] }\n  c: { at-least: 1, of: [a] }\n`)).toEqual([
      'check-cycle 4:3',
    ]);
  });

  it('have a rhythm of their own nowhere', () => {
    expect(errorsOf(`${HEAD}checks:\n  c: { all: [a], interval: 5s }\n${parts}`)).toEqual(['without-effect 4:18']);
  });

  it('are whole', () => {
    expect(errors('{ all: [] }')).toEqual(['no-values 4:13']);
    expect(errors('{ at-least: 1 }')).toEqual(['wrong-shape 4:6']);
    expect(errors('{ at-least: 2, of: [{ http: {} }] }')).toEqual(['out-of-range 4:18']);
    expect(errors('{ all: [d] }')).toEqual(['unknown-check 4:14']);
    expect(errors('{ all: [{ http: {} }], any: [{ http: {} }] }')).toEqual(['one-of 4:29']);
  });
});

describe('a pool', () => {
  it('names its check, or writes it out', () => {
    const model = modelOf(`${HEAD}pools: { p: { check: { tcp: { port: 22 } }, members: [192.0.2.1] } }\n`);
    expect(model.pools.get('p')?.check).toMatchObject({ name: 'tcp:22', probe: { port: 22 } });
  });

  it('has none where it says so', () => {
    const model = modelOf(`${HEAD}pools: { p: { check: none, members: [192.0.2.1] } }\n`);
    expect(model.pools.get('p')?.check).toBeNull();
  });

  it('hears of the nearest check when its own does not exist', () => {
    const text = `${HEAD}checks: { web: { http: {} } }\npools: { p: { check: wbe, members: [192.0.2.1] } }\n`;
    expect(errorsOf(text)).toEqual(['unknown-check 4:22']);
  });
});

describe('combinations that stand for more than anybody probes', () => {
  const doubling = (levels: number): string =>
    `${HEAD}checks:\n  c0: { tcp: { port: 1 } }\n${Array.from({ length: levels }, (_, i) => `  c${i + 1}: { all: [c${i}, c${i}] }\n`).join('')}`;

  it('are errors where they pass the bound, in no time', () => {
    expect(errorsOf(doubling(6))).toEqual([]);
    const found = errorsOf(doubling(40)).filter((text) => text.includes('check-too-large'));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/ 11:/);
  });

  it('may nest 16 deep, and no deeper, whichever end is read first', () => {
    const chain = (length: number, name: (i: number) => number): string =>
      `${HEAD}checks:\n${Array.from({ length }, (_, i) => `  c${name(i)}: { all: [c${name(i) + 1}] }\n`).join('')}  c${length}: { tcp: { port: 1 } }\n`;
    for (const upwards of [false, true]) {
      const text = (length: number): string => chain(length, (i) => (upwards ? length - 1 - i : i));
      expect(errorsOf(text(15))).toEqual([]);
      expect(errorsOf(text(20_000)).filter((error) => error.includes('check-too-large'))).toHaveLength(1);
    }
  });
});
