// What the server says of itself: status, zones, and the counts in them.

import type { ProblemView, StatusView, UpdateView, ZoneDetail, ZoneSummary } from '../api/views.ts';
import { formatPrefix } from '../base/address.ts';
import type { Storage } from '../base/storage.ts';
import { isLive, packTarget } from '../board/board.ts';
import { ZONE_COUNT } from '../board/counters.ts';
import { ageDays, oldDatabases } from '../geo/age.ts';
import type { HealthClient, HealthStats } from '../health/client.ts';
import type { Freeze } from '../health/saved.ts';
import { LATE_MS } from '../health/schedule.ts';
import type { Serving } from '../loading/serving.ts';
import type { ServedZone } from '../loading/zones.ts';
import type { Notifier } from '../notify/notifier.ts';
import { failOpenSets } from '../targets/fail-open.ts';
import type { Targets } from '../targets/targets.ts';

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

export function zoneSummary(zone: ServedZone, serving: Serving): ZoneSummary {
  const { rows } = serving;
  const count = (severity: string): number => zone.diagnostics.filter((d) => d.severity === severity).length;
  return {
    name: zone.name,
    file: zone.file,
    owner: zone.meta?.owner ?? null,
    state: zone.state,
    serial: zone.serial,
    names: zone.meta?.names ?? 0,
    records: zone.meta?.records ?? 0,
    targets: zone.meta?.targets.length ?? 0,
    loadedAt: iso(zone.loadedAtMs),
    errors: count('error'),
    warnings: count('warning'),
    queries: {
      ecs: rows.zone(zone.number, ZONE_COUNT.ecs),
      resolver: rows.zone(zone.number, ZONE_COUNT.resolver),
      unknownPlace: rows.zone(zone.number, ZONE_COUNT.unknownPlace),
    },
    failOpen: failOpenSets(zone, serving),
  };
}

export function zoneDetail(zone: ServedZone, serving: Serving, notifier: Notifier): ZoneDetail {
  const { meta } = zone;
  const pools = (meta?.pools ?? []).map((pool) => {
    const ids = pool.members.map((number) => meta!.targets[number]!.id);
    const live = ids.filter((id) => {
      const slot = serving.board.slotOf(id);
      return slot !== undefined && isLive(packTarget(serving.board.get(slot)));
    }).length;
    return { name: pool.name, zone: pool.zone, members: ids, live };
  });
  const transfer = meta?.transfer && {
    allow: meta.transfer.allow.map(formatPrefix),
    notify: notifier.views(zone.name),
  };
  return { ...zoneSummary(zone, serving), diagnostics: zone.diagnostics, transfer: transfer ?? null, pools };
}

/** Rules that nothing can match, since no loaded database has such data. */
function missingData(serving: Serving): string[] {
  const { geo } = serving;
  if (geo === null) return [];
  const lacking = [
    { kind: 'as', has: geo.hasAs, what: 'AS numbers (a GeoLite2-ASN-like database)' },
    { kind: 'city', has: geo.hasCities, what: 'cities (a GeoLite2-City-like database)' },
    { kind: 'subdivision', has: geo.hasSubdivisions, what: 'subdivisions (a GeoLite2-City-like database)' },
  ].filter((data) => !data.has);
  return [...serving.zones.all.values()].flatMap((zone) => {
    const places = (zone.meta?.maps ?? []).flatMap((map) => map.regions.flatMap((region) => region.places));
    return lacking
      .filter(({ kind }) => places.some((place) => place.kind === kind))
      .map(
        ({ what }) =>
          `zone ${zone.name} has rules by what no loaded database knows: ${what}; only overrides can match them`,
      );
  });
}

/** A freeze of the verdicts as the admin tells it. */
export function frozenView(frozen: Freeze | null): StatusView['health']['frozen'] {
  return frozen === null ? null : { until: iso(frozen.untilMs), reason: frozen.reason, by: frozen.by };
}

function healthCounters(stats: HealthStats): Record<string, number> {
  return {
    probesStarted: stats.started,
    probesRunning: stats.running,
    probesWaiting: stats.waiting,
    ...Object.fromEntries(LATE_MS.map((ms, i) => [`probesLate${ms}`, stats.late[i] ?? 0])),
    healthRestarts: stats.restarts,
    healthEventsDropped: stats.droppedEvents,
    healthLinesDropped: stats.droppedLines,
  };
}

export interface StatusParts {
  readonly serving: Serving;
  readonly targets: Targets;
  readonly health: HealthClient;
  readonly notifier: Notifier;
  readonly version: string;
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly ready: boolean;
  readonly listen: readonly string[];
  readonly admin: string;
  readonly dataThreads: number;
  readonly udp: 'recvmmsg' | 'dgram';
  readonly problems: readonly string[];
  readonly updates: readonly UpdateView[];
  /** Rules that no client matches, in words. */
  readonly unreached: readonly string[];
  /** What the control plane itself counts. */
  readonly ownCounters: Readonly<Record<string, number>>;
  readonly storage: Storage;
}

function problemsOf({ unsaved, damaged }: Storage): ProblemView[] {
  return [
    ...unsaved.map(({ file, reason, sinceMs }) => {
      const message = `${file} cannot be stored: ${reason}; what it should hold is in memory alone`;
      return { code: 'state-unsaved' as const, message, file, since: iso(sinceMs) };
    }),
    ...damaged.map(({ file, reason }) => {
      return { code: 'state-damaged' as const, message: `${file}: ${reason}`, file, since: null };
    }),
  ];
}

function updateTrouble({ file, error, failures, triedAt, nextAt }: UpdateView): string[] {
  if (error === null) return [];
  const times = failures === 1 ? '' : ` ${failures} times, the last`;
  const next = nextAt === null ? '' : `; the next try is at ${nextAt}`;
  return [`the update of ${file} failed${times} at ${triedAt ?? 'an unknown time'}: ${error}${next}`];
}

export function statusView(parts: StatusParts): StatusView {
  const { serving, targets, health, nowMs } = parts;
  const zones = [...serving.zones.all.values()].map((zone) => zoneSummary(zone, serving));
  const views = targets.views(nowMs);
  const geo = serving.geo;
  const blackout = health.blackout();
  const problems = problemsOf(parts.storage);
  const old = oldDatabases(geo?.sources ?? [], nowMs);
  const warnings = [
    ...problems.map(({ code, message }) => `${code}: ${message}`),
    ...parts.problems,
    ...old,
    ...(geo?.unread ?? []).map(({ file, reason, fix }) => `${file} is not read: ${reason} (${fix})`),
    ...parts.updates.flatMap(updateTrouble),
    ...missingData(serving),
    ...parts.unreached,
    ...serving.diagnostics().map((d) => `${d.file}:${d.line}:${d.col}: ${d.severity} ${d.code}: ${d.message}`),
  ];
  return {
    version: parts.version,
    startedAt: new Date(parts.startedAtMs).toISOString(),
    uptimeSeconds: Math.floor((nowMs - parts.startedAtMs) / 1000),
    ready: parts.ready,
    listen: parts.listen,
    admin: parts.admin,
    dataThreads: parts.dataThreads,
    udp: parts.udp,
    zones,
    geo: {
      databases: (geo?.sources ?? []).map((source) => ({
        file: source.file,
        type: source.type,
        built: new Date(source.builtAt * 1000).toISOString(),
        embedded: source.kind === 'embedded',
        ageDays: ageDays(source, nowMs),
      })),
      overrides: geo?.overrides ? 1 : 0,
      problems: (geo?.problems ?? []).map((problem) => `${problem.file}: ${problem.message}`),
      old,
      updates: parts.updates,
    },
    health: {
      targets: views.length,
      up: views.filter((t) => t.state === 'up').length,
      down: views.filter((t) => t.state === 'down').length,
      unknown: views.filter((t) => t.state === 'unknown').length,
      forced: views.filter((t) => t.forced !== null).length,
      frozen: frozenView(health.frozen()),
      blackout: blackout === null ? null : { since: iso(blackout.sinceMs)!, until: iso(blackout.untilMs)! },
    },
    failOpen: zones.flatMap((zone) => zone.failOpen),
    problems,
    warnings,
    counters: {
      ...serving.rows.totals(),
      ...parts.notifier.totals(),
      ...healthCounters(health.stats()),
      ...parts.ownCounters,
    },
  };
}
