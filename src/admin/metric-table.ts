// Every metric by name, with its kind, labels and meaning; docs/operations.md has the same table, and a test compares them.
import type { CounterName } from '../board/counters.ts';
import type { SERVE_COUNTERS } from '../serve/counters.ts';

export interface MetricEntry {
  readonly kind: 'counter' | 'gauge';
  readonly labels: readonly string[];
  readonly help: string;
}

const counter = (help: string, ...labels: string[]): MetricEntry => ({ kind: 'counter', labels, help });
const gauge = (help: string, ...labels: string[]): MetricEntry => ({ kind: 'gauge', labels, help });

/** A released name is never given another meaning. */
export const METRICS = {
  meridian_info: gauge('Always 1; the version and the way that UDP is read are labels', 'version', 'udp'),
  meridian_start_time_seconds: gauge('When the server started, in seconds since 1970'),
  meridian_ready: gauge('1 once the server answers'),
  meridian_state_unsaved: gauge('1 while something that should be in the state folder cannot be stored'),
  meridian_data_threads: gauge('Threads that answer queries'),
  meridian_control_busy_seconds_total: counter(
    'Seconds that the main thread did not wait in: near 1 a second, the admin and reloads are late; probes are not',
  ),

  meridian_internal_errors_total: counter(
    'Mistakes of the program that were caught: each is in the log as internal-error',
  ),
  meridian_log_dropped_total: counter('Log lines that were dropped, since nobody took them in time'),

  meridian_queries_total: counter('Requests that were read', 'transport'),
  meridian_queries_ipv6_total: counter('Requests over IPv6'),
  meridian_queries_ecs_total: counter('Queries with a client subnet (RFC 7871)'),
  meridian_ecs_ratio: gauge('Share of the queries that came with a client subnet, 0 to 1, since the start'),
  meridian_queries_unknown_place_total: counter('Steered queries whose client no database knows'),
  meridian_queries_special_total: counter('Queries outside of the daily work', 'kind'),
  meridian_answers_total: counter('Responses that were sent'),
  meridian_responses_total: counter('Responses by response code', 'rcode'),
  meridian_nodata_total: counter('Responses without data for a name that exists'),
  meridian_referrals_total: counter('Responses that name the servers of a delegated zone'),
  meridian_steered_total: counter('Answers whose values were chosen from pools'),
  meridian_steered_climbed_total: counter("Steered answers that had to leave the client's own region"),
  meridian_steered_fail_open_total: counter('Steered answers with members that are down, since nothing else was left'),
  meridian_truncated_total: counter('Responses with TC set: the client asks again over TCP'),
  meridian_cut_total: counter('Steered answers that were cut to fewer addresses to fit'),
  meridian_silent_total: counter('Packets that got no response: no header, responses, garbage'),
  meridian_rate_limited_total: counter('Queries over the rate limit', 'action'),
  meridian_cookies_total: counter('Queries with a DNS cookie (RFC 7873)', 'verdict'),

  meridian_received_total: counter('Messages that the transport received', 'transport'),
  meridian_sent_total: counter('Messages that the transport sent', 'transport'),
  meridian_unanswered_total: counter('Messages that the transport received and had no answer for', 'transport'),
  meridian_udp_port_zero_total: counter('Datagrams from port 0, where no answer can go'),
  meridian_udp_send_failed_total: counter('Answers that the kernel would not take'),
  meridian_udp_batches_total: counter('Batches that datagrams were received in'),
  meridian_udp_gathered_total: counter('Rounds of reading before which a busy thread gathered packets'),
  meridian_tcp_accepted_total: counter('TCP connections that were accepted'),
  meridian_tcp_open: gauge('TCP connections that are open now'),
  meridian_tcp_refused_total: counter('TCP connections over a limit', 'limit'),
  meridian_tcp_closed_total: counter('TCP connections that the server closed', 'why'),
  meridian_tcp_transfers_total: counter('Zone transfers that were begun'),
  meridian_notify_total: counter(
    'NOTIFY messages by what became of them (RFC 1996); failed counts secondaries',
    'result',
  ),

  meridian_zone_state: gauge('1 for the state that a zone is in: ok, stale or error', 'zone', 'state'),
  meridian_zone_loaded_timestamp_seconds: gauge('When the served version of a zone was loaded', 'zone'),
  meridian_zone_serial: gauge('Serial of the served version of a zone', 'zone'),
  meridian_zone_names: gauge('Names of a zone', 'zone'),
  meridian_zone_problems: gauge("Errors and warnings in a zone's file", 'zone', 'severity'),
  meridian_zone_queries_total: counter('Steered queries by what placed the client: ecs or resolver', 'zone', 'client'),
  meridian_zone_unknown_place_total: counter('Steered queries from clients that no database knows', 'zone'),
  meridian_zone_fail_open_sets: gauge('Record sets of a zone that fail open now', 'zone'),
  meridian_fail_open_active: gauge('Record sets that fail open now, over all zones: above 0, somebody should look'),

  meridian_targets: gauge('Targets by verdict', 'state'),
  meridian_target_up: gauge('1 for up, 0 for down; absent while unknown', 'zone', 'pool', 'address'),
  meridian_target_forced: gauge('1 for what an operator forced a target to', 'zone', 'pool', 'address', 'state'),
  meridian_target_flapping: gauge(
    '1 for a target that is held down because it flips too often',
    'zone',
    'pool',
    'address',
  ),
  meridian_target_probe_latency_seconds: gauge('How long the last probe took', 'zone', 'pool', 'address'),
  meridian_target_probe_timestamp_seconds: gauge('When the last probe ended', 'zone', 'pool', 'address'),
  meridian_target_load: gauge('Load that a target reported, 0 to 1', 'zone', 'pool', 'address'),
  meridian_health_frozen: gauge('1 while an operator has frozen the verdicts'),
  meridian_health_blackout: gauge('1 while the blackout guard holds the verdicts'),
  meridian_probes_total: counter('Probes that were started'),
  meridian_probes_late_total: counter(
    'Probes that started more than so many seconds after they were due, the first of each target left out',
    'over',
  ),
  meridian_probes_running: gauge('Probes that are under way'),
  meridian_probes_waiting: gauge('Probes that are due and wait for a place (health.max-concurrent)'),
  meridian_health_restarts_total: counter('Times that the health thread was started again'),
  meridian_health_dropped_total: counter(
    'Events and log lines of the health thread that found no room while the main thread was busy',
    'what',
  ),
  meridian_events_total: counter('Events since the admin started', 'type'),
  meridian_geo_problems: gauge('Geographic databases and overrides with problems'),
  meridian_geo_database_built_timestamp_seconds: gauge('When a geographic database was built', 'file', 'type'),
  meridian_geo_databases_old: gauge('Geographic databases that were built 90 days ago or earlier'),
  meridian_geo_update_failures: gauge('Failed updates of a geographic database since the last good one', 'file'),
  meridian_geo_update_good_timestamp_seconds: gauge(
    'When a geographic database was last found or made the newest',
    'file',
  ),
} as const satisfies Record<string, MetricEntry>;

export type MetricName = keyof typeof METRICS;

export type DataCounter = CounterName | (typeof SERVE_COUNTERS)[number];

/** The metric, with its labels, that each counter of the data plane appears as. */
export const COUNTER_METRICS: Readonly<Record<DataCounter, readonly [MetricName, Readonly<Record<string, string>>]>> = {
  udpQueries: ['meridian_queries_total', { transport: 'udp' }],
  tcpQueries: ['meridian_queries_total', { transport: 'tcp' }],
  ipv6Queries: ['meridian_queries_ipv6_total', {}],
  ecsQueries: ['meridian_queries_ecs_total', {}],
  answered: ['meridian_answers_total', {}],
  silent: ['meridian_silent_total', {}],
  noerror: ['meridian_responses_total', { rcode: 'NOERROR' }],
  formerr: ['meridian_responses_total', { rcode: 'FORMERR' }],
  servfail: ['meridian_responses_total', { rcode: 'SERVFAIL' }],
  nxdomain: ['meridian_responses_total', { rcode: 'NXDOMAIN' }],
  notimp: ['meridian_responses_total', { rcode: 'NOTIMP' }],
  refused: ['meridian_responses_total', { rcode: 'REFUSED' }],
  badvers: ['meridian_responses_total', { rcode: 'BADVERS' }],
  nodata: ['meridian_nodata_total', {}],
  referral: ['meridian_referrals_total', {}],
  steered: ['meridian_steered_total', {}],
  climbed: ['meridian_steered_climbed_total', {}],
  failOpen: ['meridian_steered_fail_open_total', {}],
  truncated: ['meridian_truncated_total', {}],
  cut: ['meridian_cut_total', {}],
  placeUnknown: ['meridian_queries_unknown_place_total', {}],
  any: ['meridian_queries_special_total', { kind: 'any' }],
  chaos: ['meridian_queries_special_total', { kind: 'chaos' }],
  transferRefused: ['meridian_queries_special_total', { kind: 'transfer-refused' }],
  transferCurrent: ['meridian_queries_special_total', { kind: 'transfer-current' }],
  transferServed: ['meridian_queries_special_total', { kind: 'transfer-served' }],
  transferBrokenOff: ['meridian_queries_special_total', { kind: 'transfer-broken-off' }],
  rateLimitDropped: ['meridian_rate_limited_total', { action: 'dropped' }],
  rateLimitSlipped: ['meridian_rate_limited_total', { action: 'slipped' }],
  cookieValid: ['meridian_cookies_total', { verdict: 'valid' }],
  cookieInvalid: ['meridian_cookies_total', { verdict: 'invalid' }],
  udp_received: ['meridian_received_total', { transport: 'udp' }],
  udp_sent: ['meridian_sent_total', { transport: 'udp' }],
  udp_silent: ['meridian_unanswered_total', { transport: 'udp' }],
  udp_port_zero: ['meridian_udp_port_zero_total', {}],
  udp_send_failed: ['meridian_udp_send_failed_total', {}],
  udp_batches: ['meridian_udp_batches_total', {}],
  udp_gathered: ['meridian_udp_gathered_total', {}],
  tcp_accepted: ['meridian_tcp_accepted_total', {}],
  tcp_open: ['meridian_tcp_open', {}],
  tcp_refused_client: ['meridian_tcp_refused_total', { limit: 'client' }],
  tcp_refused_full: ['meridian_tcp_refused_total', { limit: 'all' }],
  tcp_received: ['meridian_received_total', { transport: 'tcp' }],
  tcp_sent: ['meridian_sent_total', { transport: 'tcp' }],
  tcp_silent: ['meridian_unanswered_total', { transport: 'tcp' }],
  tcp_transfers: ['meridian_tcp_transfers_total', {}],
  tcp_closed_idle: ['meridian_tcp_closed_total', { why: 'idle' }],
  tcp_closed_garbage: ['meridian_tcp_closed_total', { why: 'garbage' }],
  tcp_closed_unread: ['meridian_tcp_closed_total', { why: 'unread' }],
};
