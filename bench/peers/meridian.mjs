// Configures Meridian: settings, zone files, the common database.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { regions, serviceOf, services, serviceTexts, ttlSeconds } from '../workload.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** The program of this checkout. */
export const program = join(root, 'dist', 'cli', 'main.js');

const regionLines = () => [
  'regions:',
  ...regions
    .filter((region) => region.countries.length > 0)
    .map((region) => `  ${region.name}: [${region.countries.join(', ')}]`),
];

const poolLines = () => [
  'pools:',
  ...Array.from({ length: services }, (_, service) =>
    regions.map((region, i) => `  ${region.name}-${service}: { members: [${serviceTexts(service, i).join(', ')}] }`),
  ).flat(),
];

/**
 * The text of meridian.yaml. Rate limiting is on, as it is where the server runs, with a limit that the benchmark
 * doesn't reach: its cost belongs to the figures.
 */
export function settings({ port, adminPort, workers = 1, extra = '' }) {
  return `version: meridian/v1
listen: ["127.0.0.1:${port}"]
admin: { listen: "127.0.0.1:${adminPort}" }
zones: zones
geoip: { directory: geoip }
state: state
workers: ${workers}
rate-limit: { responses-per-second: 1000000 }
log: { level: warn }
${extra}`;
}

/** The head of a zone file. */
export const zoneHead = (origin) => [
  'version: meridian/v1',
  `zone: ${origin}`,
  `ttl: ${ttlSeconds}`,
  `soa: { mname: ns1.${origin}., rname: hostmaster.${origin}., minimum: 60, serial: 1 }`,
  `ns: [ns1.${origin}.]`,
];

/** Writes the folder of a server that serves `zones`. */
export function writeFolder({ directory, port, adminPort, zones, geography, workers }) {
  for (const folder of ['zones', 'geoip', 'state']) mkdirSync(join(directory, folder), { recursive: true });
  if (geography) copyFileSync(geography.path, join(directory, 'geoip', 'country.mmdb'));
  writeFileSync(join(directory, 'meridian.yaml'), settings({ port, adminPort, workers }));
  const common = zones.length > 1;
  if (common)
    writeFileSync(
      join(directory, 'zones', '_common.yaml'),
      `${['version: meridian/v1', ...regionLines(), ...poolLines()].join('\n')}\n`,
    );
  for (const zone of zones) {
    const lines = [
      ...zoneHead(zone.origin),
      ...(common ? [] : [...regionLines(), ...poolLines()]),
      'records:',
      '  ns1: { A: 192.0.2.53 }',
    ];
    for (let n = zone.first; n < zone.first + zone.count; n++) {
      const map = regions.map(
        ({ name, countries }) => `${countries.length > 0 ? name : 'default'}: ${name}-${serviceOf(n)}`,
      );
      lines.push(`  h${n}: { A: { regions: { ${map.join(', ')} } } }`);
    }
    writeFileSync(join(directory, 'zones', `${zone.origin}.yaml`), `${lines.join('\n')}\n`);
  }
}

/** Meridian on one Node binary. */
export function meridian(node) {
  const runtime = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const command = (directory, flags = []) => ({
    command: node,
    args: [...flags, program, 'serve', '--config', join(directory, 'meridian.yaml')],
    cwd: directory,
  });
  return {
    name: `meridian (node ${runtime.slice(1).split('.')[0]})`,
    steers: true,
    own: true,
    command,
    mostNames: Number.POSITIVE_INFINITY,
    version: () => (existsSync(program) ? `${version}, Node ${runtime.slice(1)}` : undefined),
    prepare({ directory, port, adminPort, zones, geography, workers }) {
      writeFolder({ directory, port, adminPort, zones, geography, workers });
      return command(directory);
    },
  };
}
