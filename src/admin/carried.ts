// Counters go on when another process takes over: what the one before had counted is added to what this one counts.

/** Values of counters and of histograms' parts, by their series as the metrics' text has them. */
export type Carried = Readonly<Record<string, number>>;

/** The process' own, which begin anew with it. */
const OF_PROCESS = /^(?:process|nodejs)_/;

interface Line {
  readonly series: string;
  readonly value: number;
}

/** The counters in a text of metrics. */
export function countersOf(text: string): Carried {
  const values: Record<string, number> = {};
  walk(text, (line) => {
    if (line !== null) values[line.series] = line.value;
  });
  return values;
}

/**
 * Adds what was carried over. A series that isn't counted yet in this process joins its family; one of a zone that isn't served any
 * more goes.
 */
export function addCarried(text: string, carried: Carried): string {
  const left = new Map(Object.entries(carried));
  if (left.size === 0) return text;
  const zones = new Set([...text.matchAll(/\bzone="((?:[^"\\]|\\.)*)"/g)].map((found) => found[1]!));
  const out: string[] = [];
  let family = '';
  const endFamily = (): void => {
    if (family === '') return;
    for (const [series, value] of left) {
      if (!belongsTo(series, family)) continue;
      left.delete(series);
      const zone = /\bzone="((?:[^"\\]|\\.)*)"/.exec(series)?.[1];
      if (zone === undefined || zones.has(zone)) out.push(`${series} ${value}`);
    }
  };
  walk(text, (line, raw, name) => {
    if (name !== family) {
      endFamily();
      family = name;
    }
    const more = line === null ? undefined : left.get(line.series);
    if (line === null || more === undefined) {
      out.push(raw);
      return;
    }
    left.delete(line.series);
    out.push(`${line.series} ${line.value + more}`);
  });
  endFamily();
  return `${out.join('\n')}\n`;
}

function belongsTo(series: string, family: string): boolean {
  const name = /^[^{ ]+/.exec(series)![0];
  return name === family || name.replace(/_(?:bucket|sum|count)$/, '') === family;
}

/** Calls back for each line: with its value where it is one of a counter, and with the name of its family ('' where it is of another kind). */
function walk(text: string, visit: (line: Line | null, raw: string, family: string) => void): void {
  let family = '';
  for (const raw of text.split('\n')) {
    if (raw === '') continue;
    if (raw.startsWith('# HELP ')) {
      // Of the family that begins; its kind stands in the next line.
      visit(null, raw, '');
      family = '';
      continue;
    }
    if (raw.startsWith('#')) {
      const [, , name = '', kind] = raw.split(' ');
      family = (kind === 'counter' || kind === 'histogram') && !OF_PROCESS.test(name) ? name : '';
      visit(null, raw, family);
      continue;
    }
    const space = raw.lastIndexOf(' ');
    const value = Number(raw.slice(space + 1));
    visit(family === '' || !Number.isFinite(value) ? null : { series: raw.slice(0, space), value }, raw, family);
  }
}
