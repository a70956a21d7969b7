// `meridian coverage`: which pool each place gets now, as a table, CSV or JSON.
import type { CoverageRow } from '../api/views.ts';
import { openClient } from './client.ts';
import { loadSettings } from './config.ts';
import { EXIT, Failure } from './exit.ts';
import { fromFiles } from './offline.ts';
import type { ServerOptions } from './options.ts';
import { print } from './output.ts';
import { type Cell, formatTable } from './table.ts';

export interface CoverageOptions extends ServerOptions {
  readonly name: string;
  readonly type?: string;
  readonly csv?: true;
  readonly json?: true;
  readonly offline?: true;
}

export async function coverage(options: CoverageOptions): Promise<void> {
  if (options.csv && options.json) throw new Failure(EXIT.usage, 'give one of --csv and --json');
  const reply = options.offline ? await askFiles(options) : await askServer(options);
  if (options.json) print(`${JSON.stringify(reply, null, 2)}\n`);
  else print(options.csv ? formatCsv(reply.rows) : formatCoverage(reply.rows));
}

function askServer(options: CoverageOptions): Promise<{ rows: CoverageRow[] }> {
  const asked = new URLSearchParams({ name: options.name, type: options.type ?? 'A' });
  return openClient(options).ask('GET', `/api/v1/coverage?${asked}`);
}

function askFiles(options: CoverageOptions): Promise<{ rows: CoverageRow[] }> {
  return fromFiles(({ coverageOffline }) =>
    coverageOffline(loadSettings(options.config), options.name, options.type ?? 'A'),
  );
}

/** RFC 4180, with a head; an empty pool is a place that gets no pool. */
function formatCsv(rows: readonly CoverageRow[]): string {
  const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = rows.map(({ place, region, pool }) => [place, region, pool ?? ''].map(field).join(','));
  return ['place,region,pool', ...lines].map((line) => `${line}\r\n`).join('');
}

/** One row for each place, and a line that says how many fall to the default. */
function formatCoverage(rows: readonly CoverageRow[]): string {
  const cells = rows.map(({ place, region, pool }): Cell[] => [
    place,
    region === 'default' ? { text: region, colour: 'grey' } : region,
    pool ?? { text: 'none', colour: 'red' },
  ]);
  const byDefault = rows.filter(({ region }) => region === 'default').length;
  return `${formatTable(['PLACE', 'REGION', 'POOL'], cells)}\n${rows.length} places, ${byDefault} by default\n`;
}
