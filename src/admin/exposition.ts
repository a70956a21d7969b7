// Writes Prometheus' text format (version 0.0.4): the head of a metric and its samples, a line each.
import { METRICS, type MetricName } from './metric-table.ts';

export type Labels = Readonly<Record<string, string>>;

export type HistogramPart = '_bucket' | '_sum' | '_count';

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The lines HELP and TYPE. */
export function headText(name: MetricName): string {
  const { kind, help } = METRICS[name];
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${kind}\n`;
}

/** One sample with its line end. `part`: of a histogram, what its name ends with. */
export function sampleText(
  name: MetricName,
  value: number,
  labels: Labels = {},
  part: HistogramPart | '' = '',
): string {
  let inner = '';
  for (const label in labels) inner += `${inner === '' ? '' : ','}${label}="${escapeLabel(labels[label]!)}"`;
  return `${name}${part}${inner === '' ? '' : `{${inner}}`} ${valueText(value)}\n`;
}

function escapeLabel(text: string): string {
  if (!/[\\"\n]/.test(text)) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** Samples of the metrics that have few of them, kept by metric until their turn. */
export class Samples {
  readonly #texts = new Map<MetricName, string>();

  put(name: MetricName, value: number, labels: Labels = {}, part: HistogramPart | '' = ''): void {
    this.#texts.set(name, (this.#texts.get(name) ?? '') + sampleText(name, value, labels, part));
  }

  text(name: MetricName): string {
    return this.#texts.get(name) ?? '';
  }
}
