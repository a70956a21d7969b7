import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { METRICS } from '../../dist/admin/metric-table.js';
import { have } from '../support/programs.ts';

const deploy = (path: string): string => fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url));
const read = (path: string): string => readFileSync(deploy(path), 'utf8');

/** Series as Prometheus has them: a histogram is three. */
const SERIES = new Set(
  Object.entries(METRICS).flatMap(([name, { kind }]) =>
    kind === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`) : [name],
  ),
);

/** Metrics of ours in a text, and label names that stand in braces behind one. */
function used(text: string): { name: string; labels: string[] }[] {
  return [...text.matchAll(/\b(meridian_[a-z0-9_]+)(?:\{([^}]*)\})?/g)].map(([, name, matchers = '']) => {
    return { name: name!, labels: [...matchers.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)].map((label) => label[1]!) };
  });
}

function expectKnown(text: string): void {
  const all = used(text);
  expect(all.length).toBeGreaterThan(10);
  for (const { name, labels } of all) {
    expect(SERIES).toContain(name);
    const metric =
      METRICS[name.replace(/_(bucket|sum|count)$/, '') as keyof typeof METRICS] ??
      METRICS[name as keyof typeof METRICS];
    const own: readonly string[] = [...metric.labels, 'instance', 'job', 'le'];
    for (const label of labels) expect(own, `${label} of ${name}`).toContain(label);
  }
}

describe('what is shipped for Prometheus and Grafana', () => {
  it('has alerts on metrics and labels that exist', () => {
    expectKnown(read('prometheus/meridian.rules.yaml').replace(/^.*record:.*$/gm, ''));
  });

  it('has a dashboard of metrics and labels that exist', () => {
    const dashboard = JSON.parse(read('grafana/meridian.json')) as {
      panels: { id: number; type: string; targets?: { expr: string }[] }[];
      templating: { list: { query: string }[] };
    };
    const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expectKnown(expressions.join('\n'));
    for (const name of used(dashboard.templating.list.map(({ query }) => query).join('\n')))
      expect(SERIES).toContain(name.name);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    for (const { type, targets } of dashboard.panels) if (type !== 'row') expect(targets!.length).toBeGreaterThan(0);
  });

  it('shows the answers that operators ask for in the dashboard', () => {
    const text = read('grafana/meridian.json');
    for (const name of [
      'meridian_pool_answers_total',
      'meridian_member_answers_total',
      'meridian_queries_by_type_total',
      'meridian_response_seconds_bucket',
      'meridian_clients_total',
      'meridian_target_certificate_days',
    ])
      expect(text).toContain(name);
  });

  it('has a test in which each alert fires', () => {
    const alerts = [...read('prometheus/meridian.rules.yaml').matchAll(/- alert: (\w+)/g)].map(([, name]) => name!);
    const tests = read('prometheus/meridian.rules.test.yaml');
    for (const name of alerts) expect(tests).toContain(name);
  });

  it.runIf(have('promtool'))('passes the tools of Prometheus', () => {
    const run = (...args: string[]): string => {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: deploy('prometheus'), encoding: 'utf8' });
      return `${status} ${status === 0 ? '' : stdout + stderr}`;
    };
    expect(run('check', 'rules', 'meridian.rules.yaml')).toBe('0 ');
    expect(run('test', 'rules', 'meridian.rules.test.yaml')).toBe('0 ');
    expect(run('check', 'config', 'prometheus.yml')).toBe('0 ');
  });
});
