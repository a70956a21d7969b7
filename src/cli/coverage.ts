// `meridian coverage`: which pool each place gets now, as a table, CSV or JSON.
import type { CoverageRow, CoverageView } from '../api/views.ts';
import { openClient } from './client.ts';
import { loadSettings } from './config.ts';
import { EXIT, Failure } from './exit.ts';
import { fromFiles } from './offline.ts';
import type { ServerOptions } from './options.ts';
import { print, printable } from './output.ts';
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
  else if (options.csv) process.stdout.write(formatCsv(reply.rows));
  else print(formatCoverage(reply));
}

function askServer(options: CoverageOptions): Promise<CoverageView> {
  const asked = new URLSearchParams({ name: options.name, type: options.type ?? 'A' });
  return openClient(options).ask('GET', `/api/v1/coverage?${asked}`);
}

function askFiles(options: CoverageOptions): Promise<CoverageView> {
  return fromFiles(({ coverageOffline }) =>
    coverageOffline(loadSettings(options.config), options.name, options.type ?? 'A'),
  );
}

/** RFC 4180, with a head; an empty pool is a place that gets no pool. */
function formatCsv(rows: readonly CoverageRow[]): string {
  const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = rows.map(({ place, region, pool }) => [place, region, pool ?? ''].map(printable).map(field).join(','));
  return ['place,region,pool', ...lines].map((line) => `${line}\r\n`).join('');
}

/** One row for each place, a line that says how many fall to the default, and what is doubtful. */
function formatCoverage({ rows, withoutAddresses, warnings, split }: CoverageView): string {
  const cells = rows.map(({ place, region, pool }): Cell[] => [
    place,
    region === 'default' ? { text: region, colour: 'grey' } : region,
    pool ?? { text: 'none', colour: 'red' },
  ]);
  const byDefault = rows.filter(({ region }) => region === 'default').length;
  const empty = withoutAddresses.length;
  const without = empty === 0 ? '' : `, ${empty} without an address in any loaded database`;
  return [
    formatTable(['PLACE', 'REGION', 'POOL'], cells),
    `${rows.length} places, ${byDefault} by default${without}`,
    ...splitText(split),
    ...warnings.map((warning) => `warning: ${warning}`),
    '',
  ].join('\n');
}

/** How many client subnets hold clients of several lists: their resolvers may give the answer of one to all. */
function splitText({ ipv4, ipv6 }: CoverageView['split']): string[] {
  if (ipv4 + ipv6 === 0) return [];
  const counts = [`${ipv4} IPv4 /24`, `${ipv6} IPv6 /56`].join(' and ');
  return [
    `${counts} hold clients of several lists of pools: a resolver may give all of one the answer of its first address`,
  ];
}
