// The setting query-log: its forms, its defaults, and each mistake with a way out.
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../dist/settings/settings.js';

const read = (text: string) => readSettings({ file: '/etc/meridian/meridian.yaml', text: `query-log: ${text}\n` });
const log = (text: string) => read(text).settings?.queryLog;

describe('query-log', () => {
  it('is off, unless it says where to', () => {
    expect(log('off')).toBeNull();
    expect(log('{ to: queries.log }')).toEqual({
      to: { kind: 'file', path: '/etc/meridian/queries.log' },
      format: 'json',
      sample: 1,
      addresses: 'prefix',
      rotateBytes: 100e6,
      keep: 5,
    });
  });

  it('goes to standard output, a path or a socket', () => {
    expect(log('{ to: stdout }')?.to).toEqual({ kind: 'stdout' });
    expect(log('{ to: /var/log/q }')?.to).toEqual({ kind: 'file', path: '/var/log/q' });
    expect(log('{ to: "unix:run/tap.sock" }')?.to).toEqual({ kind: 'socket', path: '/etc/meridian/run/tap.sock' });
  });

  it('has shares and sizes as people write them', () => {
    for (const [text, share] of [
      ['0.01', 0.01],
      ['1%', 0.01],
      ['1', 1],
      ['100%', 1],
      ['0.5%', 0.005],
    ] as const) {
      expect(log(`{ to: q, sample: ${text} }`)?.sample).toBe(share);
    }
    for (const [text, bytes] of [
      ['64kB', 64e3],
      ['100MB', 100e6],
      ['1 GiB', 2 ** 30],
      ['70000', 70_000],
    ] as const) {
      expect(log(`{ to: q, rotate: ${text} }`)?.rotateBytes).toBe(bytes);
    }
    expect(log('{ to: q, addresses: whole, keep: 0, format: dnstap }')).toMatchObject({
      addresses: 'whole',
      keep: 0,
      format: 'dnstap',
    });
  });

  it.each([
    ['on', 'bad-choice', 'write off, or { to: on }'],
    ['{ format: json }', 'missing-key', 'add to: stdout, or a path, or unix: and a path'],
    ['{ to: "unix:" }', 'bad-path', 'write stdout, a path, or unix:PATH'],
    ['{ to: logs/ }', 'bad-path', 'write stdout, a path, or unix:PATH'],
    [
      `{ to: "unix:/${'x'.repeat(108)}" }`,
      'bad-path',
      'put the socket into a folder with a shorter path, such as /run',
    ],
    ['{ to: q, sample: 100 }', 'out-of-range', 'write a share: 0.01 for one query of 100, 1 for all'],
    [
      '{ to: q, sample: 0 }',
      'out-of-range',
      'write a share of the queries such as 1 (all), 0.01 or 1%; to log none write query-log: off',
    ],
    [
      '{ to: q, sample: often }',
      'out-of-range',
      'write a share of the queries such as 1 (all), 0.01 or 1%; to log none write query-log: off',
    ],
    ['{ to: q, rotate: big }', 'bad-value', 'write a number with kB, MB, GB, KiB, MiB or GiB, such as 100MB'],
    ['{ to: q, rotate: 1kB }', 'out-of-range', 'write 64kB to 1000GB'],
    ['{ to: stdout, format: dnstap }', 'bad-choice', 'write to: PATH, or unix:PATH'],
    ['{ to: q, format: csv }', 'bad-choice', 'it is one of json, dnstap'],
    [
      '{ to: q, adresses: whole }',
      'unknown-key',
      'did you mean "addresses"?; known here: to, format, sample, addresses, rotate, keep',
    ],
  ])('%s is the mistake %s, with what to write', (text, code, fix) => {
    const { settings, diagnostics } = read(text);
    expect(settings).toBeNull();
    expect(diagnostics.map((d) => [d.code, d.fix])).toEqual([[code, fix]]);
  });
});
