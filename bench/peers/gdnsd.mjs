// Configures gdnsd with its geoip plugin.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { countries } from 'countries-list';
import { findExecutable, outputOf } from '../process.mjs';
import { regions, serviceOf, services, serviceTexts, ttlSeconds } from '../workload.mjs';

/** The map of gdnsd goes down from continents: `NA => { US => [americas, rest] … }`. */
function map() {
  const places = [];
  for (const region of regions)
    for (const code of region.countries) places.push([countries[code].continent, `${code} => [${region.name}, rest]`]);
  return [...new Set(places.map(([continent]) => continent))].map((continent) => {
    const list = places.filter(([other]) => other === continent).map(([, line]) => line);
    return `${continent} => { ${list.join(', ')} }`;
  });
}

export const gdnsd = {
  name: 'gdnsd',
  steers: true,
  mostNames: 1_000_000,
  version: () => findExecutable('gdnsd') && /version ([\d.]+)/.exec(outputOf('gdnsd', ['-h']))?.[1],
  prepare({ directory, port, zones, geography }) {
    for (const folder of ['zones', 'run', 'state']) mkdirSync(join(directory, folder), { recursive: true });
    const resources = Array.from({ length: services }, (_, service) => {
      const centres = regions.map((region, i) => `${region.name} => [${serviceTexts(service, i).join(', ')}]`);
      return `      s${service} => { map => m, service_types => up, dcmap => { ${centres.join(', ')} } }`;
    });
    writeFileSync(
      join(directory, 'config'),
      `options => {
  listen => { 127.0.0.1:${port} => { udp_threads => 1, tcp_threads => 1 } }
  run_dir => ${join(directory, 'run')}
  state_dir => ${join(directory, 'state')}
}
plugins => {
  geoip => {
    maps => {
      m => {
        geoip2_db => ${geography.path}
        datacenters => [rest, americas, europe, asia]
        map => { default => [rest], ${map().join(', ')} }
      }
    }
    resources => {
${resources.join('\n')}
    }
  }
}
`,
    );
    for (const zone of zones) {
      const lines = [
        '@ 3600 SOA ns1 hostmaster 1 7200 1800 259200 60',
        '@ 3600 NS ns1',
        'ns1 3600 A 192.0.2.53',
        ...Array.from({ length: zone.count }, (_, i) => {
          const n = zone.first + i;
          return `h${n} ${ttlSeconds} DYNA geoip!s${serviceOf(n)}`;
        }),
      ];
      writeFileSync(join(directory, 'zones', zone.origin), `${lines.join('\n')}\n`);
    }
    return { command: findExecutable('gdnsd'), args: ['-c', directory, 'start'] };
  },
};
