// What was asked and answered, as the metrics tell it: from the threads' rows, with the names of what they count.
import {
  countryOfColumn,
  NUMBERS,
  SECONDS_BOUNDS,
  SIZE_BOUNDS,
  TYPE_LABELS,
  typeLabelColumn,
} from '../answer/numbers.ts';
import type { Histogram, NumbersView } from '../api/views.ts';
import type { Serving } from '../loading/serving.ts';

export function numbersView(serving: Serving): NumbersView {
  const row = serving.rows.numbers();
  const types = TYPE_LABELS.flatMap((type, label) =>
    (['udp', 'tcp'] as const).map((transport, tcp) => {
      return { type, transport, queries: row[typeLabelColumn(label, tcp as 0 | 1)]! };
    }),
  );
  const clients: { country: string; queries: number }[] = [];
  for (let column = NUMBERS.countries; column < row.length; column++) {
    const country = countryOfColumn(column);
    if (country !== null && row[column]! > 0) clients.push({ country, queries: row[column]! });
  }
  return {
    pools: pools(serving),
    types,
    clients,
    sizes: histogram(row, SIZE_BOUNDS, NUMBERS.sizes, NUMBERS.sizeSum),
    seconds: histogram(row, SECONDS_BOUNDS, NUMBERS.seconds, NUMBERS.secondsSum),
  };
}

function histogram(row: Float64Array, bounds: readonly number[], at: number, sum: number): Histogram {
  return { bounds, counts: [...row.subarray(at, at + bounds.length + 1)], sum: row[sum]! };
}

function* pools({
  rows,
  images,
}: Serving): Generator<NumbersView['pools'] extends Iterable<infer Share> ? Share : never> {
  const { shareNames } = images;
  for (const { pool, region, answers } of rows.shares()) {
    yield { ...shareNames.poolOf(pool), region: shareNames.regionOf(region), answers };
  }
}
