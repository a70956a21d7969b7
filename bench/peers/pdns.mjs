// Configures PowerDNS with its geoip backend.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findExecutable, outputOf } from '../process.mjs';
import { regions, serviceOf, services, serviceTexts, ttlSeconds } from '../workload.mjs';

const libraries = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib',
  '/usr/lib64',
  '/usr/local/lib',
];

export const pdns = {
  name: 'pdns',
  steers: true,
  mostNames: 10_000,
  version: () =>
    findExecutable('pdns_server') &&
    libraries.some((library) => existsSync(join(library, 'pdns', 'libgeoipbackend.so')))
      ? /Server ([\d.]+)/.exec(outputOf('pdns_server', ['--version']))?.[1]
      : undefined,
  prepare({ directory, port, zones, geography }) {
    mkdirSync(join(directory, 'run'), { recursive: true });
    const rest = regions.length - 1;
    const domains = zones.map((zone) => {
      const lines = [
        `  - domain: ${zone.origin}`,
        `    ttl: ${ttlSeconds}`,
        '    records:',
        `      ${zone.origin}:`,
        `        - soa: ns1.${zone.origin} hostmaster.${zone.origin} 1 7200 1800 259200 60`,
        `        - ns: ns1.${zone.origin}`,
      ];
      for (let service = 0; service < services; service++)
        for (const [i, region] of regions.entries()) {
          const addresses = serviceTexts(service, i).map((text) => `        - a: ${text}`);
          const places = i === rest ? ['unknown'] : [region.name];
          for (const place of places) lines.push(`      ${place}.s${service}.${zone.origin}:`, ...addresses);
        }
      lines.push('    services:');
      for (let n = zone.first; n < zone.first + zone.count; n++)
        lines.push(`      h${n}.${zone.origin}: ['%mp.s${serviceOf(n)}.${zone.origin}']`);
      return lines.join('\n');
    });
    const mapping = regions.flatMap((region) =>
      region.countries.map((code) => `  ${code.toLowerCase()}: ${region.name}`),
    );
    writeFileSync(
      join(directory, 'geo.yaml'),
      `domains:\n${domains.join('\n')}\nmapping_lookup_formats: ['%cc']\ncustom_mapping:\n${mapping.join('\n')}\n`,
    );
    writeFileSync(
      join(directory, 'pdns.conf'),
      `launch=geoip
geoip-zones-file=${join(directory, 'geo.yaml')}
geoip-database-files=mmdb:${geography.path}
edns-subnet-processing=yes
local-address=127.0.0.1
local-port=${port}
receiver-threads=1
distributor-threads=1
signing-threads=1
socket-dir=${join(directory, 'run')}
daemon=no
guardian=no
disable-syslog=yes
loglevel=3
webserver=no
api=no
primary=no
`,
    );
    return { command: findExecutable('pdns_server'), args: [`--config-dir=${directory}`] };
  },
};
