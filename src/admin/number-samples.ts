// The metrics of what was asked and answered: pools, types, countries, and the histograms of sizes and times.
import type { Histogram, NumbersView } from '../api/views.ts';
import { type Samples, sampleText } from './exposition.ts';
import type { MetricName } from './metric-table.ts';

/** Those that have few samples. */
export function putNumbers(series: Samples, { types, clients, sizes, seconds }: NumbersView): void {
  for (const { type, transport, queries } of types) {
    series.put('meridian_queries_by_type_total', queries, { type, transport });
  }
  for (const { country, queries } of clients) series.put('meridian_clients_total', queries, { country });
  putHistogram(series, 'meridian_response_size_bytes', sizes);
  putHistogram(series, 'meridian_response_seconds', seconds);
}

/** A line for each pool, region and family that there was an answer of. */
export function* poolLines({ pools }: NumbersView): Generator<string> {
  for (const { zone, pool, region, family, answers } of pools) {
    yield sampleText('meridian_pool_answers_total', answers, { zone, pool, region, family });
  }
}

/** Buckets hold all that is below their bound. */
function putHistogram(series: Samples, name: MetricName, { bounds, counts, sum }: Histogram): void {
  let below = 0;
  bounds.forEach((bound, i) => {
    below += counts[i]!;
    series.put(name, below, { le: String(bound) }, '_bucket');
  });
  below += counts[bounds.length]!;
  series.put(name, below, { le: '+Inf' }, '_bucket');
  series.put(name, sum, {}, '_sum');
  series.put(name, below, {}, '_count');
}
