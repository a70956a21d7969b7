// `whoami.ZONE TXT`: an operator asks through a resolver, and sees what the server sees of it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningServer, startServer } from '../support/server.ts';
import { askFor, countries, dataOf, scopeOf } from '../support/story.ts';
import { errorsOf } from '../support/zones.ts';

const GEO = countries({ '1.0.0.0/8': 'RU', '2a00::/16': 'BR' });

describe('whoami of a zone', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({
      files: {
        'geoip/countries.mmdb': GEO,
        'zones/example.org.yaml':
          'zone: example.org\nns: [ns.example.net.]\nwhoami: true\nrecords:\n  www: { CNAME: whoami }\n  "*": { A: 192.0.2.1 }\n',
        'zones/other.org.yaml': 'zone: other.org\nns: [ns.example.net.]\nrecords: { www: { A: 192.0.2.1 } }\n',
      },
    });
  });
  afterAll(() => server?.stop());

  const told = async (name: string, asking: object = {}): Promise<string> =>
    dataOf(await askFor(server, name, { type: 'TXT', ...asking })).join(' ');

  test('tells the resolver, the client subnet and where they place the client', async () => {
    const plain = await told('whoami.example.org');
    expect(plain).toContain('resolver 127.0.0.1');
    expect(plain).toContain('transport udp');
    expect(plain).toContain('place unknown');
    expect(plain).not.toContain('subnet');
    const subnet = await told('whoami.example.org', { subnet: '1.2.3.0/24' });
    expect(subnet).toContain('subnet 1.2.3.0/24');
    expect(subnet).toContain('country RU');
    const six = await told('WHOAMI.example.org', { subnet: '2a00:1:203::/48' });
    expect(six).toContain('subnet 2a00:1:203:0:0:0:0:0/48');
    expect(six).toContain('country BR');
  });

  test('is for this client alone: TTL 0, and the full scope', async () => {
    const reply = await askFor(server, 'whoami.example.org', { type: 'TXT', subnet: '1.2.3.0/24' });
    expect(scopeOf(reply)).toBe(32);
    expect(reply.answers.map(({ ttl }) => ttl)).toEqual([0]);
  });

  test('is reached over TCP and through an alias, and has no other type', async () => {
    expect(await told('www.example.org')).toContain('resolver 127.0.0.1');
    expect(dataOf(await askFor(server, 'whoami.example.org', { type: 'A' }))).toEqual([]);
  });

  test('is there only where the zone says so', async () => {
    expect(await told('whoami.other.org')).toBe('');
  });

  test('is a name that the zone cannot have as well', () => {
    const text = 'zone: example.org\nns: [ns.example.net.]\nwhoami: true\nrecords: { whoami: { A: 192.0.2.1 } }\n';
    expect(errorsOf(text)).toEqual(['duplicate-name 4:12']);
  });
});
