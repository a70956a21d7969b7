// The metrics of what was asked and answered: pools, types, countries, and the histograms of sizes and times.
import type { Histogram, NumbersView } from '../api/views.ts';
import { METRICS, type MetricName } from './metric-table.ts';

/** Takes a sample of a metric. */
export interface SampleSink {
  put(name: MetricName, value: number, labels?: Record<string, string>): void;
}

export function putNumbers(series: SampleSink, { pools, types, clients }: NumbersView): void {
  for (const { zone, pool, region, family, answers } of pools) {
    series.put('meridian_pool_answers_total', answers, { zone, pool, region, family });
  }
  for (const { type, transport, queries } of types) {
    series.put('meridian_queries_by_type_total', queries, { type, transport });
  }
  for (const { country, queries } of clients) series.put('meridian_clients_total', queries, { country });
}

/** The histograms as text, their heads included. */
export function histogramsText({ sizes, seconds }: NumbersView): string {
  return histogramText('meridian_response_size_bytes', sizes) + histogramText('meridian_response_seconds', seconds);
}

function histogramText(name: MetricName, { bounds, counts, sum }: Histogram): string {
  let text = `# HELP ${name} ${METRICS[name].help}\n# TYPE ${name} histogram\n`;
  let below = 0;
  bounds.forEach((bound, i) => {
    below += counts[i]!;
    text += `${name}_bucket{le="${bound}"} ${below}\n`;
  });
  below += counts[bounds.length]!;
  return `${text}${name}_bucket{le="+Inf"} ${below}\n${name}_sum ${sum}\n${name}_count ${below}\n`;
}
