// The route of the metrics: what the control plane tells, in Prometheus' text, filled in when it is scraped.
import { performance } from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ControlPlane, StatusView, TargetView, ZoneSummary } from '../api/views.ts';
import { LATE_MS } from '../health/schedule.ts';
import { COUNTER_METRICS, METRICS, type MetricName } from './metric-table.ts';

type Labels = Record<string, string>;

/** The metrics of the table in a registry of their own: counters hold what they are told, they don't add up. */
class Series {
  readonly registry = new Registry();
  readonly #metrics = new Map<MetricName, Counter | Gauge>();

  constructor() {
    for (const [name, { kind, labels, help }] of Object.entries(METRICS)) {
      const settings = { name, help, labelNames: [...labels], registers: [this.registry] };
      this.#metrics.set(name as MetricName, kind === 'counter' ? new Counter(settings) : new Gauge(settings));
    }
  }

  /** Forgets every value: a target that is gone must not stay. */
  clear(): void {
    for (const metric of this.#metrics.values()) metric.reset();
  }

  put(name: MetricName, value: number, labels: Labels = {}): void {
    this.#metrics.get(name)!.inc(labels, value);
  }
}

/** Adds it. */
export function addMetrics(app: FastifyInstance, control: ControlPlane): void {
  const series = new Series();
  addNodeMetrics(series.registry);
  const events = new Map<string, number>();
  const stop = control.onEvent((event) => events.set(event.type, (events.get(event.type) ?? 0) + 1));
  app.addHook('onClose', (_app, done) => {
    stop();
    series.registry.clear();
    done();
  });
  app.get('/metrics', async (_request, reply) => {
    series.clear();
    const status = control.status();
    putServer(series, status, control.ready());
    putCounters(series, status.counters);
    for (const zone of status.zones) putZone(series, zone);
    putHealth(series, status);
    for (const target of control.health().targets) putTarget(series, target);
    for (const [type, count] of events) series.put('meridian_events_total', count, { type });
    return reply.type(series.registry.contentType).send(await series.registry.metrics());
  });
}

/** What Node's histogram of the event loop's delay is read as. */
const SAMPLED_LAG = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'];

/**
 * The process' and Node's own metrics, without the lag that Node samples with a timer of some milliseconds, for ever: an idle server would
 * wake up fifty times a second for it, and beside a data thread on the same core such a wake-up is a late answer. How busy the
 * event loop is tells meridian_control_busy_seconds_total.
 */
function addNodeMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 2 ** 31 - 1 });
  for (const part of SAMPLED_LAG) registry.removeSingleMetric(`nodejs_eventloop_lag_${part}_seconds`);
}

function putServer(series: Series, status: StatusView, ready: boolean): void {
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

function putCounters(series: Series, counters: Readonly<Record<string, number>>): void {
  for (const [name, [metric, labels]] of Object.entries(COUNTER_METRICS)) {
    series.put(metric, counters[name] ?? 0, labels);
  }
  series.put('meridian_notify_total', counters.notifySent ?? 0, { result: 'sent' });
  series.put('meridian_notify_total', counters.notifyAcknowledged ?? 0, { result: 'acknowledged' });
  series.put('meridian_notify_total', counters.notifyFailed ?? 0, { result: 'failed' });
  series.put('meridian_internal_errors_total', counters.internalErrors ?? 0);
  series.put('meridian_log_dropped_total', counters.logDropped ?? 0);
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

function putZone(series: Series, zone: ZoneSummary): void {
  const labels = { zone: zone.name };
  for (const state of ['ok', 'stale', 'error'] as const) {
    series.put('meridian_zone_state', zone.state === state ? 1 : 0, { ...labels, state });
  }
  if (zone.loadedAt !== null) series.put('meridian_zone_loaded_timestamp_seconds', seconds(zone.loadedAt), labels);
  if (zone.serial !== null) series.put('meridian_zone_serial', zone.serial, labels);
  series.put('meridian_zone_names', zone.names, labels);
  series.put('meridian_zone_problems', zone.errors, { ...labels, severity: 'error' });
  series.put('meridian_zone_problems', zone.warnings, { ...labels, severity: 'warning' });
  series.put('meridian_zone_queries_total', zone.queries.ecs, { ...labels, client: 'ecs' });
  series.put('meridian_zone_queries_total', zone.queries.resolver, { ...labels, client: 'resolver' });
  series.put('meridian_zone_unknown_place_total', zone.queries.unknownPlace, labels);
  series.put('meridian_zone_fail_open_sets', zone.failOpen.length, labels);
}

function putHealth(series: Series, { health, failOpen }: StatusView): void {
  for (const state of ['up', 'down', 'unknown'] as const) series.put('meridian_targets', health[state], { state });
  series.put('meridian_fail_open_active', failOpen.length);
  series.put('meridian_health_frozen', health.frozen === null ? 0 : 1);
  series.put('meridian_health_blackout', health.blackout === null ? 0 : 1);
}

function putTarget(series: Series, target: TargetView): void {
  const labels = { zone: target.zone, pool: target.pool, address: target.address };
  if (target.state !== 'unknown') series.put('meridian_target_up', target.state === 'up' ? 1 : 0, labels);
  if (target.forced !== null) series.put('meridian_target_forced', 1, { ...labels, state: target.forced.state });
  if (target.flapping) series.put('meridian_target_flapping', 1, labels);
  if (target.load !== null) series.put('meridian_target_load', target.load, labels);
  if (target.lastProbe === null) return;
  series.put('meridian_target_probe_latency_seconds', target.lastProbe.latencyMs / 1000, labels);
  series.put('meridian_target_probe_timestamp_seconds', seconds(target.lastProbe.at), labels);
}

/** Seconds since 1970 of an ISO timestamp. */
function seconds(timestamp: string): number {
  return Date.parse(timestamp) / 1000;
}
