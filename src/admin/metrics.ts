// The route of the metrics: what the control plane tells, in Prometheus' text, made in slices as it is read.
import { performance } from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { ControlPlane, StatusTold } from '../api/control-plane.ts';
import type { TargetView, ZoneSummary } from '../api/views.ts';
import { limits } from '../base/limits.ts';
import { Slices } from '../base/slices.ts';
import { LATE_MS } from '../health/schedule.ts';
import { addCarried, type Carried, countersOf } from './carried.ts';
import type { Connections } from './connections.ts';
import { CONTENT_TYPE, headText, type Labels, Samples, sampleText } from './exposition.ts';
import type { LongAnswers } from './long-answers.ts';
import { COUNTER_METRICS, METRICS, type MetricName } from './metric-table.ts';
import { poolLines, putNumbers } from './number-samples.ts';

/** Parts of the admin that are counted too. */
export interface Counted {
  readonly connections: Connections;
  readonly long: LongAnswers;
}

/**
 * Adds it.
 * @param carried what a process that this one took the place of had counted
 * @returns what tells the counters as they are, that included
 */
export function addMetrics(
  app: FastifyInstance,
  control: ControlPlane,
  counted: Counted,
  carried: () => Carried,
): () => Promise<Carried> {
  const registry = new Registry();
  addNodeMetrics(registry);
  const events = new Map<string, number>();
  const stop = control.onEvent((event) => events.set(event.type, (events.get(event.type) ?? 0) + 1));
  app.addHook('onClose', (_app, done) => {
    stop();
    registry.clear();
    done();
  });

  async function* text(slices: Slices): AsyncGenerator<string> {
    const series = new Samples();
    const status = await control.status(slices);
    putServer(series, status, control.ready());
    putCounters(series, status.counters);
    putHealth(series, status);
    putAdmin(series, counted);
    const numbers = control.numbers();
    putNumbers(series, numbers);
    for (const [type, count] of events) series.put('meridian_events_total', count, { type });
    const zones: ZoneSummary[] = [];
    for await (const zone of status.zones) zones.push(zone);
    const held = await hold(control.targets(), slices);
    for (const name of Object.keys(METRICS) as MetricName[]) {
      yield headText(name) + series.text(name);
      if (name === 'meridian_pool_answers_total') yield* poolLines(numbers);
      const ofZone = ZONE_SAMPLES[name];
      if (ofZone !== undefined) yield* gathered(zones, (zone) => linesOf(name, ofZone(zone), { zone: zone.name }));
      const ofTarget = TARGET_SAMPLES[name];
      if (ofTarget === undefined) continue;
      yield* gathered(held ?? control.targets(), (target) => {
        const { zone, pool, address } = target;
        return linesOf(name, ofTarget(target), { zone, pool, address });
      });
    }
    yield await registry.metrics();
  }

  const summed = (slices: Slices): AsyncGenerator<string> =>
    inPieces(
      addCarried(text(slices), carried(), (zone) => control.hasZone(zone)),
      slices,
    );
  app.get('/metrics', counted.long.text('metrics', CONTENT_TYPE, summed));
  return () => countersOf(summed(new Slices()));
}

/** The targets, looked at once for all of their metrics; null where there are too many to be held: then each metric looks at them anew. */
async function hold(targets: Iterable<TargetView>, slices: Slices): Promise<TargetView[] | null> {
  const held: TargetView[] = [];
  for (const target of targets) {
    if (held.length === limits.metricsTargetsHeld) return null;
    if (slices.isOver) await slices.rest();
    held.push(target);
  }
  return held;
}

/** Lines of each, some at a time: a step of its own for each would cost more than making it. */
function* gathered<T>(all: Iterable<T>, lines: (one: T) => string): Generator<string> {
  let text = '';
  let count = 0;
  for (const one of all) {
    text += lines(one);
    if (++count % limits.metricsStep !== 0) continue;
    yield text;
    text = '';
  }
  yield text;
}

/** Lines gathered to pieces of about `limits.adminPieceBytes`, with a rest when the slice is used up. */
async function* inPieces(lines: AsyncIterable<string>, slices: Slices): AsyncGenerator<string> {
  let piece = '';
  for await (const line of lines) {
    if (slices.isOver) await slices.rest();
    piece += line;
    if (piece.length < limits.adminPieceBytes) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

/** What a zone or target says to a metric: values, each with labels beside those that say whose it is. */
type Values = readonly (readonly [value: number, labels?: Labels])[];

function linesOf(name: MetricName, values: Values, whose: Labels): string {
  let text = '';
  for (const [value, labels] of values) text += sampleText(name, value, labels ? { ...whose, ...labels } : whose);
  return text;
}

/** What Node's histogram of the event loop's delay is read as. */
const SAMPLED_LAG = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'];

/** Gauges that Prometheus' own linter objects to: their names end as those of counters. The same by type is there without `_total`. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/**
 * The process' and Node's own metrics, without the lag that Node samples with a timer of some milliseconds, for ever: an idle server would
 * wake up fifty times a second for it, and beside a data thread on the same core such a wake-up is a late answer. How busy the
 * event loop is tells meridian_control_busy_seconds_total.
 */
function addNodeMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 2 ** 31 - 1 });
  for (const part of SAMPLED_LAG) registry.removeSingleMetric(`nodejs_eventloop_lag_${part}_seconds`);
  for (const name of MISNAMED) registry.removeSingleMetric(name);
}

function putServer(series: Samples, status: StatusTold, ready: boolean): void {
  series.put('meridian_info', 1, { version: status.version, udp: status.udp });
  series.put('meridian_start_time_seconds', seconds(status.startedAt));
  series.put('meridian_ready', ready ? 1 : 0);
  const unsaved = status.problems.some(({ code }) => code === 'state-unsaved');
  series.put('meridian_state_unsaved', unsaved ? 1 : 0);
  series.put('meridian_data_threads', status.dataThreads);
  series.put('meridian_control_busy_seconds_total', performance.eventLoopUtilization().active / 1000);
  series.put('meridian_geo_problems', status.geo.problems.length);
  for (const { file, type, built } of status.geo.databases) {
    series.put('meridian_geo_database_built_timestamp_seconds', seconds(built), { file, type });
  }
  series.put('meridian_geo_databases_old', status.geo.old.length);
  for (const { file, failures, goodAt } of status.geo.updates) {
    series.put('meridian_geo_update_failures', failures, { file });
    if (goodAt !== null) series.put('meridian_geo_update_good_timestamp_seconds', seconds(goodAt), { file });
  }
}

function putCounters(series: Samples, counters: Readonly<Record<string, number>>): void {
  for (const [name, [metric, labels]] of Object.entries(COUNTER_METRICS)) {
    series.put(metric, counters[name] ?? 0, labels);
  }
  series.put('meridian_notify_total', counters.notifySent ?? 0, { result: 'sent' });
  series.put('meridian_notify_total', counters.notifyAcknowledged ?? 0, { result: 'acknowledged' });
  series.put('meridian_notify_total', counters.notifyFailed ?? 0, { result: 'failed' });
  series.put('meridian_internal_errors_total', counters.internalErrors ?? 0);
  series.put('meridian_log_dropped_total', counters.logDropped ?? 0);
  series.put('meridian_query_log_written_total', counters.queryLogWritten ?? 0);
  series.put('meridian_query_log_dropped_total', counters.queryLogDropped ?? 0);
  series.put('meridian_probes_total', counters.probesStarted ?? 0);
  series.put('meridian_probes_running', counters.probesRunning ?? 0);
  series.put('meridian_probes_waiting', counters.probesWaiting ?? 0);
  for (const ms of LATE_MS)
    series.put('meridian_probes_late_total', counters[`probesLate${ms}`] ?? 0, { over: String(ms / 1000) });
  series.put('meridian_health_restarts_total', counters.healthRestarts ?? 0);
  series.put('meridian_health_dropped_total', counters.healthEventsDropped ?? 0, { what: 'event' });
  series.put('meridian_health_dropped_total', counters.healthLinesDropped ?? 0, { what: 'line' });
  const queries = (counters.udpQueries ?? 0) + (counters.tcpQueries ?? 0);
  series.put('meridian_ecs_ratio', queries === 0 ? 0 : (counters.ecsQueries ?? 0) / queries);
}

const ZONE_SAMPLES: Partial<Record<MetricName, (zone: ZoneSummary) => Values>> = {
  meridian_zone_state: (zone) =>
    (['ok', 'stale', 'error'] as const).map((state) => [zone.state === state ? 1 : 0, { state }]),
  meridian_zone_loaded_timestamp_seconds: ({ loadedAt }) => (loadedAt === null ? [] : [[seconds(loadedAt)]]),
  meridian_zone_serial: ({ serial }) => (serial === null ? [] : [[serial]]),
  meridian_zone_names: ({ names }) => [[names]],
  meridian_zone_problems: ({ errors, warnings }) => [
    [errors, { severity: 'error' }],
    [warnings, { severity: 'warning' }],
  ],
  meridian_zone_queries_total: ({ queries }) => [
    [queries.ecs, { client: 'ecs' }],
    [queries.resolver, { client: 'resolver' }],
  ],
  meridian_zone_unknown_place_total: ({ queries }) => [[queries.unknownPlace]],
  meridian_zone_fail_open_sets: ({ failOpen }) => [[failOpen.length]],
};

function putHealth(series: Samples, { health, failOpen }: StatusTold): void {
  for (const state of ['up', 'down', 'unknown'] as const) series.put('meridian_targets', health[state], { state });
  series.put('meridian_fail_open_active', failOpen.length);
  series.put('meridian_health_frozen', health.frozen === null ? 0 : 1);
  series.put('meridian_health_blackout', health.blackout === null ? 0 : 1);
}

const TARGET_SAMPLES: Partial<Record<MetricName, (target: TargetView) => Values>> = {
  meridian_target_up: ({ state }) => (state === 'unknown' ? [] : [[state === 'up' ? 1 : 0]]),
  meridian_target_forced: ({ forced }) => (forced === null ? [] : [[1, { state: forced.state }]]),
  meridian_target_flapping: ({ flapping }) => (flapping ? [[1]] : []),
  meridian_target_load: ({ load }) => (load === null ? [] : [[load]]),
  meridian_target_certificate_days: ({ certificateDays }) => (certificateDays === null ? [] : [[certificateDays]]),
  meridian_member_answers_total: ({ answers }) => [[answers]],
  meridian_target_probe_latency_seconds: ({ lastProbe }) => (lastProbe === null ? [] : [[lastProbe.latencyMs / 1000]]),
  meridian_target_probe_timestamp_seconds: ({ lastProbe }) => (lastProbe === null ? [] : [[seconds(lastProbe.at)]]),
};

function putAdmin(series: Samples, { connections, long }: Counted): void {
  const { open, refusedOfClient, refusedInAll, closed } = connections.counts();
  series.put('meridian_admin_connections', open);
  series.put('meridian_admin_connections_refused_total', refusedOfClient, { limit: 'client' });
  series.put('meridian_admin_connections_refused_total', refusedInAll, { limit: 'all' });
  for (const [why, count] of Object.entries(closed)) {
    series.put('meridian_admin_connections_closed_total', count, { why });
  }
  for (const [kind, count] of long.refused()) series.put('meridian_admin_requests_refused_total', count, { kind });
}

/** Seconds since 1970 of an ISO timestamp. */
function seconds(timestamp: string): number {
  return Date.parse(timestamp) / 1000;
}
