// Configures NSD with the names as a static zone: what a server costs that need not choose.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findExecutable, outputOf } from '../process.mjs';
import { localRegion, serviceOf, serviceTexts, ttlSeconds } from '../workload.mjs';

export const nsd = {
  name: 'nsd',
  steers: false,
  mostNames: 1_000_000,
  version: () => findExecutable('nsd') && /version ([\d.]+)/.exec(outputOf('nsd', ['-v']))?.[1],
  prepare({ directory, port, zones }) {
    mkdirSync(join(directory, 'zones'), { recursive: true });
    for (const zone of zones) {
      const lines = [
        `$ORIGIN ${zone.origin}.`,
        '@ 3600 SOA ns1 hostmaster 1 7200 1800 259200 60',
        '@ 3600 NS ns1',
        'ns1 3600 A 192.0.2.53',
      ];
      for (let n = zone.first; n < zone.first + zone.count; n++)
        for (const text of serviceTexts(serviceOf(n), localRegion)) lines.push(`h${n} ${ttlSeconds} A ${text}`);
      writeFileSync(join(directory, 'zones', `${zone.origin}.zone`), `${lines.join('\n')}\n`);
    }
    writeFileSync(
      join(directory, 'nsd.conf'),
      `server:
  server-count: 1
  ip-address: 127.0.0.1@${port}
  username: ""
  chroot: ""
  database: ""
  zonesdir: "${join(directory, 'zones')}"
  pidfile: "${join(directory, 'nsd.pid')}"
  xfrdfile: "${join(directory, 'xfrd.state')}"
  zonelistfile: "${join(directory, 'zone.list')}"
  cookie-secret-file: "${join(directory, 'cookies')}"
  rrl-ratelimit: 0
  minimal-responses: yes
  refuse-any: yes
  verbosity: 0
remote-control:
  control-enable: no
${zones.map((zone) => `zone:\n  name: ${zone.origin}\n  zonefile: ${zone.origin}.zone\n`).join('')}`,
    );
    return { command: findExecutable('nsd'), args: ['-d', '-c', join(directory, 'nsd.conf')] };
  },
};
