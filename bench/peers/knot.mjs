// Configures Knot DNS with its module geoip.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findExecutable, outputOf } from '../process.mjs';
import { regions, serviceOf, serviceTexts, ttlSeconds } from '../workload.mjs';

/** Debian packs the module on its own: without its file the server starts but doesn't steer. */
function hasModule() {
  return ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib', '/usr/lib64', '/usr/local/lib'].some(
    (library) => {
      const folder = join(library, 'knot');
      return existsSync(folder) && readdirSync(folder).some((modules) => existsSync(join(folder, modules, 'geoip.so')));
    },
  );
}

export const knot = {
  name: 'knot',
  steers: true,
  mostNames: 10_000,
  version: () =>
    findExecutable('knotd') && hasModule() ? /version ([\d.]+)/.exec(outputOf('knotd', ['-V']))?.[1] : undefined,
  prepare({ directory, port, zones, geography }) {
    for (const folder of ['zones', 'run', 'storage']) mkdirSync(join(directory, folder), { recursive: true });
    const rest = regions.length - 1;
    for (const zone of zones) {
      const names = Array.from({ length: zone.count }, (_, i) => zone.first + i);
      const geo = names.map((n) => {
        const block = (place, region) =>
          `  - geo: "${place}"\n    A: [${serviceTexts(serviceOf(n), region)
            .map((text) => `"${text}"`)
            .join(', ')}]\n`;
        const places = regions.flatMap((region, i) => region.countries.map((code) => block(code, i)));
        return `h${n}.${zone.origin}:\n${places.join('')}`;
      });
      writeFileSync(join(directory, 'zones', `${zone.origin}.geo`), geo.join(''));
      // What stands in the zone itself is for clients that no entry of the module fits.
      const lines = [
        `$ORIGIN ${zone.origin}.`,
        '@ 3600 SOA ns1 hostmaster 1 7200 1800 259200 60',
        '@ 3600 NS ns1',
        'ns1 3600 A 192.0.2.53',
        ...names.flatMap((n) => serviceTexts(serviceOf(n), rest).map((text) => `h${n} ${ttlSeconds} A ${text}`)),
      ];
      writeFileSync(join(directory, 'zones', `${zone.origin}.zone`), `${lines.join('\n')}\n`);
    }
    writeFileSync(
      join(directory, 'knot.conf'),
      `server:
  rundir: "${join(directory, 'run')}"
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  edns-client-subnet: on
  automatic-acl: off
log:
  - target: stderr
    any: warning
database:
  storage: "${join(directory, 'storage')}"
template:
  - id: default
    storage: "${join(directory, 'zones')}"
    zonefile-load: whole
    zonefile-sync: -1
    journal-content: none
mod-geoip:
${zones
  .map(
    (zone, i) => `  - id: geo${i}
    config-file: "${join(directory, 'zones', `${zone.origin}.geo`)}"
    ttl: ${ttlSeconds}
    mode: geodb
    geodb-file: "${geography.path}"
    geodb-key: [country/iso_code]
`,
  )
  .join('')}
zone:
${zones.map((zone, i) => `  - domain: ${zone.origin}.\n    file: ${zone.origin}.zone\n    module: mod-geoip/geo${i}\n`).join('')}`,
    );
    return { command: findExecutable('knotd'), args: ['-c', join(directory, 'knot.conf')] };
  },
};
