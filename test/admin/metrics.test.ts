import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COUNTER_METRICS, METRICS } from '../../dist/admin/metric-table.js';
import { COUNTERS } from '../../dist/board/counters.js';
import { SERVE_COUNTERS } from '../../dist/serve/counters.js';
import { type RunningAdmin, runAdmin } from '../support/admin.ts';

let running: RunningAdmin;

beforeEach(async () => {
  running = await runAdmin();
});

afterEach(() => running.admin.stop());

const scrape = async (): Promise<string> => (await running.ask('GET', '/metrics')).text;

describe('metrics', () => {
  it('are in the text format of Prometheus', async () => {
    const reply = await running.ask('GET', '/metrics');
    expect(reply.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    const line = /^(?:#.*|[a-z0-9_]+(?:\{(?:[a-z_]+="[^"]*",?)*\})? (?:[-+0-9.e]+|Nan|NaN))$/;
    for (const text of reply.text.trimEnd().split('\n')) if (text !== '') expect(text).toMatch(line);
  });

  it('say what the data plane counted, the same at every scrape', async () => {
    await scrape();
    const text = await scrape();
    expect(text).toContain('meridian_queries_total{transport="udp"} 90\n');
    expect(text).toContain('meridian_responses_total{rcode="NXDOMAIN"} 3\n');
    expect(text).toContain('meridian_ecs_ratio 0.25\n');
    expect(text).toContain('meridian_tcp_open 2\n');
  });

  it('say how old the geographic databases are, and how their updates go', async () => {
    const text = await scrape();
    expect(text).toContain('meridian_geo_databases_old 1\n');
    expect(text).toContain('meridian_geo_update_failures{file="a.mmdb"} 2\n');
    expect(text).toContain('meridian_geo_update_failures{file="b.mmdb"} 0\n');
    expect(text).toMatch(/meridian_geo_update_good_timestamp_seconds\{file="a\.mmdb"\} \d+/);
    expect(text).not.toMatch(/meridian_geo_update_good_timestamp_seconds\{file="b\.mmdb"\}/);
  });

  it('say which targets are up, and forget those that are gone', async () => {
    const { control } = running;
    let text = await scrape();
    expect(text).toContain('meridian_target_up{zone="net.cat",pool="moscow",address="127.0.1.1"} 1\n');
    expect(text).toContain('meridian_target_up{zone="net.cat",pool="rio",address="2001:db8::1"} 0\n');
    expect(text).toContain(
      'meridian_target_probe_latency_seconds{zone="net.cat",pool="rio",address="2001:db8::1"} 0.0015\n',
    );
    control.targets = [{ ...control.targets[0]!, state: 'unknown', lastProbe: null }];
    text = await scrape();
    expect(text).not.toContain('pool="rio"');
    expect(text).not.toContain('meridian_target_up{');
  });

  it('say that something fails open, and what state zones are in', async () => {
    const text = await scrape();
    expect(text).toContain('meridian_fail_open_active 1\n');
    expect(text).toContain('meridian_zone_state{zone="net.cat",state="ok"} 1\n');
    expect(text).toContain('meridian_zone_state{zone="net.cat",state="error"} 0\n');
    expect(text).toContain('meridian_zone_queries_total{zone="net.cat",client="ecs"} 30\n');
  });

  it('count events by type', async () => {
    running.control.emit('target.down', 'a');
    running.control.emit('target.down', 'b');
    expect(await scrape()).toContain('meridian_events_total{type="target.down"} 2\n');
  });

  it('tell about the event loop and the process, without a timer that wakes an idle server', async () => {
    const text = await scrape();
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds \d/m);
    expect(text).toMatch(/^meridian_control_busy_seconds_total [\d.]*[1-9]/m);
    expect(text).toContain('process_resident_memory_bytes');
    expect(text).not.toContain('nodejs_eventloop_lag_p99_seconds');
  });

  it('have one for every counter of the data plane', () => {
    expect(Object.keys(COUNTER_METRICS).sort()).toEqual([...COUNTERS, ...SERVE_COUNTERS].sort());
    for (const [metric, labels] of Object.values(COUNTER_METRICS)) {
      expect(Object.keys(labels)).toEqual([...METRICS[metric].labels]);
    }
  });

  it('stand in docs/operations.md exactly as the code has them', () => {
    const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const documented = [...text.matchAll(/^\| `(meridian_[a-z0-9_]+)` \| (\w+) \| (.*?) \| (.*?) \|$/gm)].map((row) =>
      row.slice(1),
    );
    const labelText = (labels: readonly string[]): string => labels.map((label) => `\`${label}\``).join(' ');
    const known = Object.entries(METRICS).map(([name, m]) => [name, m.kind, labelText(m.labels), m.help]);
    expect(documented).toEqual(known);
  });
});
