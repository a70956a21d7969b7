// Counters go on when another process takes over: what the one before had counted is added to what this one counts.

/** Values of counters and of histograms' parts, by their series as the metrics' text has them. */
export type Carried = Readonly<Record<string, number>>;

/** The process' own, which begin anew with it. */
const OF_PROCESS = /^(?:process|nodejs)_/;

/** What the names of a family's series have behind its own. */
const PARTS = ['', '_bucket', '_sum', '_count'];

/** A line of the metrics' text. */
interface Line {
  readonly raw: string;
  /** The counter or histogram that it belongs to; '': it is of another kind. */
  readonly family: string;
  /** What it counts; null: it is no sample of a family. */
  readonly sample: { readonly series: string; readonly value: number } | null;
}

/** The counters in a text of metrics, which comes in pieces of whole lines. */
export async function countersOf(pieces: AsyncIterable<string>): Promise<Carried> {
  const values: Record<string, number> = {};
  for await (const { sample } of linesOf(pieces)) if (sample !== null) values[sample.series] = sample.value;
  return values;
}

/**
 * Adds what was carried over to a text that comes in pieces of whole lines. A series that isn't counted yet in this process joins its
 * family; one of a zone that isn't served any more goes.
 */
export async function* addCarried(
  pieces: AsyncIterable<string>,
  carried: Carried,
  isServed: (zone: string) => boolean,
): AsyncGenerator<string> {
  const left = byName(carried);
  if (left.size === 0) {
    yield* pieces;
    return;
  }
  let family = '';
  for await (const line of linesOf(pieces)) {
    if (line.family !== family) {
      yield* rest(left, family, isServed);
      family = line.family;
    }
    const { sample } = line;
    const ofName = sample === null ? undefined : left.get(nameOf(sample.series));
    const more = sample === null ? undefined : ofName?.get(sample.series);
    if (sample === null || more === undefined) yield `${line.raw}\n`;
    else {
      ofName!.delete(sample.series);
      yield `${sample.series} ${sample.value + more}\n`;
    }
  }
  yield* rest(left, family, isServed);
}

/** The series by the name before their labels. */
function byName(carried: Carried): Map<string, Map<string, number>> {
  const names = new Map<string, Map<string, number>>();
  for (const series in carried) {
    const name = nameOf(series);
    const ofName = names.get(name) ?? new Map<string, number>();
    names.set(name, ofName.set(series, carried[series]!));
  }
  return names;
}

/** What is left of a family. */
function* rest(
  left: Map<string, Map<string, number>>,
  family: string,
  isServed: (zone: string) => boolean,
): Generator<string> {
  if (family === '') return;
  for (const part of PARTS) {
    for (const [series, value] of left.get(family + part) ?? []) {
      const zone = zoneOf(series);
      if (zone === null || isServed(zone)) yield `${series} ${value}\n`;
    }
    left.delete(family + part);
  }
}

function nameOf(series: string): string {
  const brace = series.indexOf('{');
  return brace < 0 ? series : series.slice(0, brace);
}

/** The zone that a series is of; null: of none. */
function zoneOf(series: string): string | null {
  const found = /[{,]zone="((?:[^"\\]|\\.)*)"/.exec(series);
  return found === null ? null : found[1]!.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}

async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<Line> {
  let family = '';
  for await (const piece of pieces) {
    for (const raw of piece.split('\n')) {
      if (raw === '') continue;
      if (raw.startsWith('#')) {
        // HELP begins a family, its kind stands in the next line.
        const [, word, name = '', kind] = raw.split(' ');
        const counts = word === 'TYPE' && (kind === 'counter' || kind === 'histogram') && !OF_PROCESS.test(name);
        family = counts ? name : '';
        yield { raw, family, sample: null };
        continue;
      }
      const space = raw.lastIndexOf(' ');
      const value = Number(raw.slice(space + 1));
      const sample = family === '' || !Number.isFinite(value) ? null : { series: raw.slice(0, space), value };
      yield { raw, family, sample };
    }
  }
}
