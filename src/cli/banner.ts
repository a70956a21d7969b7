// What `serve` prints once it answers: what it serves and where, and for the demo what to try.

import type { ControlPlane } from '../api/control-plane.ts';
import type { EventView, ZoneSummary } from '../api/views.ts';
import type { LineSink } from '../base/line-sink.ts';
import type { Demo } from '../control/demo.ts';
import { printable } from './output.ts';
import { paint } from './table.ts';

/** The example zone, and clients of it: a network in Russia, Brazil and the United States each. */
const EXAMPLE = 'net.cat';
const CLIENTS = [
  ['Moscow', '77.88.8.0/24'],
  ['Rio', '200.160.2.0/24'],
  ['New York', '128.122.1.0/24'],
] as const;

/** What it tells of. */
interface Told {
  readonly listen: readonly string[];
  readonly servedZones: readonly Pick<ZoneSummary, 'name' | 'file' | 'state'>[];
  readonly oldDatabases: readonly string[];
}

/** The text, some lines. */
export function banner(control: Told, admin: string, demo: Demo | null): string {
  const zones = control.servedZones;
  const names = zones.slice(0, 5).map(({ name, state }) => (state === 'ok' ? name : `${name} (${state})`));
  const more = zones.length > 5 ? ` and ${zones.length - 5} more` : '';
  const lines = [
    `Meridian serves ${zones.length === 0 ? 'no zones yet' : names.join(', ')}${more}`,
    `  DNS on ${control.listen.join(' and ')} (UDP and TCP)`,
    `  dashboard and admin on ${admin}`,
  ];
  for (const { name, file, state } of zones.filter((zone) => zone.state !== 'ok').slice(0, 5)) {
    lines.push(`  ${name} is in ${state}: "meridian check ${file}" says why`);
  }
  lines.push(...control.oldDatabases.map((sentence) => `  ${sentence}`));
  if (demo !== null) lines.push(...tries(control, demo));
  // A zone in error may be called whatever a file can be called.
  return printable(`${lines.join('\n')}\n`);
}

function tries(control: Told, demo: Demo): string[] {
  const match = /^\[?(.*?)\]?:(\d+)$/.exec(control.listen[0] ?? '');
  const server = `@${match?.[1] ?? '127.0.0.1'} -p ${match?.[2] ?? 53}`;
  const zones = control.servedZones;
  const zone = zones.find(({ name }) => name === EXAMPLE) ?? zones[0];
  if (zone === undefined) return [];
  const width = Math.max(...CLIENTS.map(([city]) => city.length));
  return [
    '',
    'Ask as a client of each city:',
    ...CLIENTS.map(
      ([city, subnet]) => `  ${city.padEnd(width)}  dig ${server} ${zone.name} A +short +subnet=${subnet}`,
    ),
    '',
    'Stop the backend in Rio, watch it leave the answers, and start it again:',
    `  curl -X POST ${demo.url}/stop/rio`,
    `  curl -X POST ${demo.url}/start/rio`,
    '',
    'Ctrl-C ends it. What happens to the backends:',
  ];
}

/** Prints each change of a backend's health as it happens. */
export function tellEvents(control: ControlPlane, output: LineSink): void {
  control.onEvent((event) => output.write(printable(`  ${eventLine(event)}\n`)));
}

function eventLine({ at, message, detail }: EventView): string {
  const time = new Date(at).toTimeString().slice(0, 8);
  const colour = detail.to === 'down' ? 'red' : detail.to === 'up' ? 'green' : 'yellow';
  return `${time}  ${paint({ text: message, colour })}`;
}
