// What the server says of itself: status, zones, and the counts in them.

import type { StatusTold } from '../api/control-plane.ts';
import type { ProblemView, StatusView, UpdateView, ZoneDetail, ZoneSummary } from '../api/views.ts';
import { formatPrefix } from '../base/address.ts';
import type { Slices } from '../base/slices.ts';
import type { Storage } from '../base/storage.ts';
import { isLive, packTarget } from '../board/board.ts';
import { ZONE_COUNT } from '../board/counters.ts';
import { ageDays, oldDatabases } from '../geo/age.ts';
import type { HealthClient, HealthStats } from '../health/client.ts';
import type { Freeze } from '../health/saved.ts';
import { LATE_MS } from '../health/schedule.ts';
import type { ServedZone } from '../loading/served-zone.ts';
import type { Serving } from '../loading/serving.ts';
import type { Notifier } from '../notify/notifier.ts';
import { type Certificate, certificateWarnings } from '../targets/certificates.ts';
import type { SetStates } from '../targets/set-states.ts';
import type { Targets } from '../targets/targets.ts';
import type { ZoneMeta } from '../zone/meta.ts';
import type { UnreachedRules } from './unreached-rules.ts';

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function zoneSummary(zone: ServedZone, serving: Serving, failOpen: readonly string[]): ZoneSummary {
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
    failOpen,
  };
}

/** What zones are told from. */
export interface ZoneParts {
  readonly serving: Serving;
  readonly setStates: SetStates;
}

/** All zones, each looked at when its turn comes. Throws Unwanted. */
export async function* zoneSummaries({ serving, setStates }: ZoneParts, slices: Slices): AsyncGenerator<ZoneSummary> {
  for (const zone of serving.zones.all.values()) {
    const failOpen = await setStates.of(zone, 'failOpen', slices);
    if (slices.isOver) await slices.rest();
    yield zoneSummary(zone, serving, failOpen);
  }
}

export async function zoneDetail(
  zone: ServedZone,
  { serving, setStates, notifier }: ZoneParts & { readonly notifier: Notifier },
  slices: Slices,
): Promise<ZoneDetail> {
  const failOpen = await setStates.of(zone, 'failOpen', slices);
  const { meta } = zone;
  const pools: ZoneDetail['pools'][number][] = [];
  for (const pool of meta?.pools ?? []) {
    if (slices.isOver) await slices.rest();
    const ids = pool.members.map((number) => meta!.targets[number]!.id);
    const live = ids.filter((id) => {
      const slot = serving.board.slotOf(id);
      return slot !== undefined && isLive(packTarget(serving.board.get(slot)));
    }).length;
    pools.push({ name: pool.name, zone: pool.zone, members: ids, live });
  }
  const transfer = meta?.transfer && {
    allow: meta.transfer.allow.map(formatPrefix),
    notify: notifier.views(zone.name),
  };
  return { ...zoneSummary(zone, serving, failOpen), diagnostics: zone.diagnostics, transfer: transfer ?? null, pools };
}

/** Kinds of places that a zone's rules name: looked for once, there may be a million. */
const kindsOf = new WeakMap<ZoneMeta, ReadonlySet<string>>();

function placeKinds(meta: ZoneMeta): ReadonlySet<string> {
  const known = kindsOf.get(meta);
  if (known !== undefined) return known;
  const kinds = new Set<string>();
  for (const { regions } of meta.maps) for (const { places } of regions) for (const { kind } of places) kinds.add(kind);
  kindsOf.set(meta, kinds);
  return kinds;
}

/** Rules that nothing can match, since no loaded database has such data. */
async function* missingData(serving: Serving, slices: Slices): AsyncGenerator<string> {
  const { geo } = serving;
  if (geo === null) return;
  const lacking = [
    { kind: 'as', code: 'no-as-data', has: geo.hasAs, what: 'AS numbers (a GeoLite2-ASN-like database)' },
    { kind: 'city', code: 'no-city-data', has: geo.hasCities, what: 'cities (a GeoLite2-City-like database)' },
    {
      kind: 'subdivision',
      code: 'no-subdivision-data',
      has: geo.hasSubdivisions,
      what: 'subdivisions (a GeoLite2-City-like database)',
    },
  ].filter((data) => !data.has);
  if (lacking.length === 0) return;
  for (const { name, meta } of serving.zones.all.values()) {
    if (slices.isOver) await slices.rest();
    for (const { kind, code, what } of lacking) {
      if (meta === null || meta.accept.includes(code) || !placeKinds(meta).has(kind)) continue;
      yield `zone ${name} has rules by what no loaded database knows: ${what}; only overrides can match them`;
    }
  }
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

export interface StatusParts extends ZoneParts {
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
  readonly unreached: UnreachedRules;
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

async function certificates(targets: Targets, slices: Slices): Promise<Certificate[]> {
  const found: Certificate[] = [];
  for (const certificate of targets.certificates()) {
    if (slices.isOver) await slices.rest();
    if (certificate !== null) found.push(certificate);
  }
  return found;
}

async function* warningsOf(
  parts: StatusParts,
  problems: readonly ProblemView[],
  old: readonly string[],
  slices: Slices,
): AsyncGenerator<string> {
  const { serving } = parts;
  for (const { code, message } of problems) yield `${code}: ${message}`;
  yield* parts.problems;
  yield* old;
  for (const { file, reason, fix } of [...serving.zones.unread, ...(serving.geo?.unread ?? [])]) {
    yield `${file} is not read: ${reason} (${fix})`;
  }
  yield* parts.updates.flatMap(updateTrouble);
  yield* certificateWarnings(await certificates(parts.targets, slices));
  yield* missingData(serving, slices);
  yield* parts.unreached.tell(serving, slices);
  for (const d of serving.diagnostics()) {
    yield `${d.file}:${d.line}:${d.col}: ${d.severity} ${d.code}: ${d.message}`;
  }
}

/** Throws Unwanted. */
export async function statusView(parts: StatusParts, slices: Slices): Promise<StatusTold> {
  const { serving, setStates, targets, health, nowMs } = parts;
  const failOpen: string[] = [];
  for (const zone of serving.zones.all.values()) failOpen.push(...(await setStates.of(zone, 'failOpen', slices)));
  const tally = await targets.tally(slices);
  const geo = serving.geo;
  const blackout = health.blackout();
  const problems = problemsOf(parts.storage);
  const old = oldDatabases(geo?.sources ?? [], nowMs);
  return {
    version: parts.version,
    startedAt: new Date(parts.startedAtMs).toISOString(),
    uptimeSeconds: Math.floor((nowMs - parts.startedAtMs) / 1000),
    ready: parts.ready,
    listen: parts.listen,
    admin: parts.admin,
    dataThreads: parts.dataThreads,
    udp: parts.udp,
    zones: zoneSummaries(parts, slices),
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
      targets: tally.up + tally.down + tally.unknown,
      ...tally,
      frozen: frozenView(health.frozen()),
      blackout: blackout === null ? null : { since: iso(blackout.sinceMs)!, until: iso(blackout.untilMs)! },
    },
    failOpen,
    problems,
    warnings: warningsOf(parts, problems, old, slices),
    counters: {
      ...serving.rows.totals(),
      ...parts.notifier.totals(),
      ...healthCounters(health.stats()),
      ...parts.ownCounters,
    },
  };
}
