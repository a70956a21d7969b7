// Names of zone files: which are zones, which are told of because nobody reads them, and what times mean for serials.
import { renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningServer, startServer } from '../support/server.ts';
import { admin, force, got, meridian, until } from '../support/story.ts';

const CLASSLESS = '0/25.2.0.192.in-addr.arpa';
const REVERSE = `zone: ${CLASSLESS}
ns: [ns.elsewhere.test.]
pools: { one: { members: [192.0.2.1, 192.0.2.2] } }
records:
  "1": { PTR: www.example.org. }
  web: { A: { pools: [one] } }
`;

function zone(name: string, records: string): string {
  return `zone: ${name}\nns: [ns.elsewhere.test.]\nrecords:\n${records}`;
}

describe('zone files with unusual names', () => {
  let server: RunningServer;
  const path = (name: string): string => join(server.directory, 'zones', name);
  const status = async (): Promise<{ warnings: string[]; zones: { name: string; serial: number }[] }> =>
    (await admin(server, 'GET', '/api/v1/status')).json;

  beforeAll(async () => {
    server = await startServer({
      files: {
        'zones/example.org.yaml': zone('example.org', '  www: { A: 192.0.2.1 }\n'),
        'zones/_acme-challenge.example.org.yaml': zone('_acme-challenge.example.org', '  "@": { TXT: token }\n'),
        'zones/0%2F25.2.0.192.in-addr.arpa.yaml': REVERSE,
        'zones/other.test.yml': zone('other.test', '  www: { A: 192.0.2.1 }\n'),
        'zones/customers/inner.test.yaml': zone('inner.test', '  www: { A: 192.0.2.1 }\n'),
        'zones/..data/hidden.test.yaml': zone('hidden.test', '  www: { A: 192.0.2.1 }\n'),
        'zones/notes/README.md': 'nothing of a zone\n',
      },
      brokenZones: true,
    });
  });
  afterAll(() => server?.stop());

  test('are served: one that begins with an underscore, and one with a slash in its name', async () => {
    expect(await got(server, '_acme-challenge.example.org', { type: 'TXT' })).toContain('token');
    expect(await got(server, `1.${CLASSLESS}`, { type: 'PTR' })).toContain('www.example.org');
  });

  test('can be forced, though a slash in the name of a zone looks like any other', async () => {
    await force(server, `${CLASSLESS}/one/192.0.2.1`, 'down');
    expect(await got(server, `web.${CLASSLESS}`)).toBe('192.0.2.2');
    for (const target of [`${CLASSLESS}/one/192.0.2.1`, `${CLASSLESS}/one`]) {
      const { code, err } = await meridian(['unforce', target, '--admin', server.admin]);
      expect(code, err).toBe(0);
    }
  });

  test('that are not read are told of by status and check, with what to do', async () => {
    const { warnings } = await status();
    const unread = warnings.filter((text) => text.includes('not read')).join('\n');
    expect(unread).toContain('mv other.test.yml other.test.yaml');
    expect(unread).toContain('mv customers/inner.test.yaml .');
    expect(unread).not.toContain('notes');
    expect(unread).not.toContain('..data');
    const { code, out } = await meridian(['check', '--json', join(server.directory, 'zones')]);
    const found = JSON.parse(out) as { code: string; fix: string }[];
    expect(found.filter((d) => d.code === 'unread-zone').map((d) => d.fix)).toEqual([
      'move it up: mv customers/inner.test.yaml .',
      'rename it: mv other.test.yml other.test.yaml',
    ]);
    expect(code).toBe(0);
    expect(server.output()).toContain('"event":"zone-unread"');
  });

  test('that are two for one zone are told of', async () => {
    writeFileSync(path('Example.org.yaml'), zone('example.org', '  www: { A: 192.0.2.2 }\n'));
    await until(status, ({ warnings }) =>
      warnings.some((text) => text.includes('has the file Example.org.yaml already')),
    );
    rmSync(path('Example.org.yaml'));
    await until(status, ({ warnings }) => !warnings.some((text) => text.includes('Example.org.yaml')));
  });

  test('have the time of their modification as serial, not of the copying, and none to come', async () => {
    const serial = async (name: string): Promise<number | undefined> =>
      (await status()).zones.find((one) => one.name === name)?.serial;
    const add = (name: string, seconds: number): void => {
      const aside = join(server.directory, 'aside');
      writeFileSync(aside, zone(name, '  www: { A: 192.0.2.1 }\n'));
      utimesSync(aside, seconds, seconds);
      // As rsync does it: written aside, with its time.
      renameSync(aside, path(`${name}.yaml`));
    };
    const past = 1_700_000_000;
    add('copied.test', past);
    await until(
      () => serial('copied.test'),
      (seen) => seen !== undefined,
    );
    const before = Math.floor(Date.now() / 1000);
    add('ahead.test', before + 1_000_000);
    await until(
      () => serial('ahead.test'),
      (seen) => seen !== undefined,
    );
    const now = await serial('ahead.test');
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000));
    expect(await serial('copied.test')).toBe(past);
  });
});
