// `meridian status`: the server in a line, what needs attention, zones and targets as tables.
import type { StatusView, TargetView, ZoneSummary } from '../api/views.ts';
import { visible } from '../base/visible.ts';
import { openClient } from './client.ts';
import { drainText } from './force.ts';
import type { ServerOptions } from './options.ts';
import { print } from './output.ts';
import { type Cell, formatSeconds, formatTable, paint, stateCell } from './table.ts';

export async function status(options: ServerOptions & { readonly json?: true }): Promise<void> {
  const client = openClient(options);
  const view = await client.ask<StatusView>('GET', '/api/v1/status');
  const { targets } = await client.ask<{ targets: TargetView[] }>('GET', '/api/v1/health');
  if (options.json) {
    print(`${JSON.stringify({ ...view, targets }, null, 2)}\n`);
    return;
  }
  print(formatStatus(view, targets, Date.now()));
}

/** The whole text. `nowMs` is what ages are counted from. */
function formatStatus(view: StatusView, targets: readonly TargetView[], nowMs: number): string {
  const threads = `${view.dataThreads} thread${view.dataThreads === 1 ? '' : 's'}`;
  const head = `meridian ${view.version}, up ${formatSeconds(view.uptimeSeconds)}, ${threads}, UDP by ${view.udp}`;
  const parts = [
    `${head}\nanswers on ${view.listen.join(' ')}\n${placesBy(view)}`,
    attention(view)
      .map((line) => `${paint({ text: '!', colour: 'red' })} ${visible(line)}\n`)
      .join(''),
    formatTable(ZONE_HEAD, view.zones.map(zoneRow)),
    formatTable(
      TARGET_HEAD,
      targets.map((target) => targetRow(target, nowMs)),
    ),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** The databases, and how old they are. */
function placesBy({ geo }: StatusView): string {
  const known = geo.databases.map(({ file, embedded, ageDays }) => {
    const age = ageDays === null ? [] : [`${ageDays} ${ageDays === 1 ? 'day' : 'days'} old`];
    const notes = [...(embedded ? ['embedded'] : []), ...age].join(', ');
    return notes === '' ? file : `${file} (${notes})`;
  });
  return known.length === 0 ? '' : `places clients by ${known.join(', ')}\n`;
}

function attention({ ready, failOpen, health, warnings, geo }: StatusView): string[] {
  const lines = ready ? [] : ['not ready: the first round of probes is not in'];
  for (const set of failOpen) lines.push(`fail-open active: ${set} answers with members that are down`);
  if (health.blackout) lines.push(`blackout: verdicts are held until ${health.blackout.until}`);
  if (health.frozen) {
    lines.push(`frozen by ${health.frozen.by} until ${health.frozen.until ?? 'lifted'}: ${health.frozen.reason}`);
  }
  return [...lines, ...geo.problems, ...warnings];
}

const ZONE_HEAD = [
  'ZONE',
  'STATE',
  'NAMES',
  'SETS',
  'TARGETS',
  'ERRORS',
  'WARNINGS',
  'ECS',
  'RESOLVER',
  'NOWHERE',
  'OWNER',
];

function zoneRow(zone: ZoneSummary): Cell[] {
  const { names, records, targets, errors, warnings, queries } = zone;
  const counts = [names, records, targets, errors, warnings, queries.ecs, queries.resolver, queries.unknownPlace];
  return [zone.name, stateCell(zone.state), ...counts.map(String), zone.owner ?? ''];
}

const TARGET_HEAD = ['TARGET', 'STATE', 'FORCED', 'CHECK', 'SINCE', 'LATENCY', 'LAST PROBE'];

function targetRow(target: TargetView, nowMs: number): Cell[] {
  const { lastProbe, since, check } = target;
  const age = since === null ? '' : formatSeconds((nowMs - Date.parse(since)) / 1000);
  const probe = lastProbe === null ? '' : lastProbe.reason;
  const latency = lastProbe === null ? '' : `${lastProbe.latencyMs.toFixed(1)}ms`;
  const state = target.flapping
    ? { text: `${target.state} (flapping)`, colour: 'yellow' as const }
    : stateCell(target.state);
  return [target.id, state, forcedCell(target, nowMs), check ?? '-', age, latency, probe];
}

function forcedCell({ forced, drain }: TargetView, nowMs: number): Cell {
  if (forced === null) return '';
  const left = forced.until === null ? 'forever' : `${formatSeconds((Date.parse(forced.until) - nowMs) / 1000)} left`;
  const safe = drain === null ? '' : `, ${drainText(drain)}`;
  return { text: `${forced.state} (${left}${safe}; ${forced.by}: ${forced.reason})`, colour: 'blue' };
}
