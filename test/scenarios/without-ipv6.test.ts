import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../dist/base/log.js';
import { listenAddresses } from '../../dist/control/listen-addresses.js';
import { readSettings } from '../../dist/settings/settings.js';
import { temporaryFolder } from '../support/admin.ts';
import { MAIN } from '../support/meridian.ts';
import { canMakeNamespaces, Namespace } from '../support/namespace.ts';
import type { Program } from '../support/programs.ts';

describe('the addresses that are listened on', () => {
  const log = createLog('silent');
  const four = { lo: [{ address: '127.0.0.1' }] };
  const ports = (text: string, interfaces: object): string[] => {
    const settings = readSettings({ file: '/m.yaml', text }).settings!;
    return listenAddresses(settings, log, interfaces as typeof four).map(({ address }) => `IPv${address.family}`);
  };

  it('are the default ones that the machine has', () => {
    expect(ports('', { lo: [...four.lo, { address: '::1' }] })).toEqual(['IPv4', 'IPv6']);
    expect(ports('', four)).toEqual(['IPv4']);
    expect(ports('', { lo: [{ address: '::1' }] })).toEqual(['IPv6']);
  });

  it('are all of them where none is there, so that the failure says what is wrong', () => {
    expect(ports('', {})).toEqual(['IPv4', 'IPv6']);
  });

  it('are those that are written, whatever the machine has', () => {
    expect(ports('listen: ["127.0.0.1:53", "[::1]:53"]', four)).toEqual(['IPv4', 'IPv6']);
  });
});

describe.skipIf(!canMakeNamespaces())('a machine without IPv6', () => {
  let namespace: Namespace;
  const folder = temporaryFolder();

  beforeAll(() => {
    namespace = new Namespace(62);
    namespace.exec('sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.lo.disable_ipv6=1');
    mkdirSync(join(folder, 'zones'));
    const zone =
      'version: meridian/v1\nzone: example.test\nns: [ns1.example.net.]\nrecords: { www: { A: 192.0.2.1 } }\n';
    writeFileSync(join(folder, 'zones/example.test.yaml'), zone);
  });
  afterAll(() => namespace.remove());

  const serve = (settings: string): Program => {
    writeFileSync(join(folder, 'meridian.yaml'), `version: meridian/v1\n${settings}`);
    return namespace.start(process.execPath, [MAIN, 'serve', '--config', join(folder, 'meridian.yaml')]);
  };

  it.each(['recvmmsg', 'dgram'])(
    'serves on 127.0.0.1 where nothing is written (%s), and says what it left out',
    async (udp) => {
      writeFileSync(join(folder, 'meridian.yaml'), 'version: meridian/v1\n');
      const args = [MAIN, 'serve', '--config', join(folder, 'meridian.yaml')];
      const server = namespace.start(process.execPath, args, { MERIDIAN_UDP: udp });
      try {
        await server.until(async () => server.output.includes('Meridian serves'));
        expect(server.output).toContain('DNS on 127.0.0.1:5300 (UDP and TCP)');
        expect(server.output).toContain('"event":"address-left-out","listen":"[::1]:5300"');
      } finally {
        await server.stop();
      }
    },
  );

  it('refuses to start with an IPv6 address that is written, and says which', async () => {
    const server = serve('listen: ["127.0.0.1:5300", "[::1]:5300"]\n');
    const code = await new Promise((resolve) => server.process.once('exit', resolve));
    expect(code).toBe(3);
    expect(server.output).toMatch(/cannot listen on \[::1\]:5300.*EADDRNOTAVAIL/);
  });
});
