// Prints the tables of a run and writes them with the machine, the versions and the commit.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';

/** What the figures were measured on. */
export function machine(root) {
  const git = (...args) => {
    try {
      return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      return '';
    }
  };
  let system = '';
  try {
    system = /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';
  } catch {}
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', '--short=12', 'HEAD'),
    changed: git('status', '--porcelain', '--', 'src', 'package-lock.json') !== '',
    cpu: cpus()[0]?.model.trim() ?? '',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    kernel: release(),
    system,
  };
}

/** Text of a figure: `digits` after the point, a dash for what wasn't measured. */
export const figure = (value, digits = 2) =>
  typeof value === 'number' ? (Number.isFinite(value) ? value.toFixed(digits) : '-') : (value ?? '-');

/** A markdown table: `columns` is `[[heading, row => text]…]`. */
export function table(rows, columns) {
  const cells = [
    columns.map(([heading]) => heading),
    ...rows.map((row) => columns.map(([, text]) => String(text(row)))),
  ];
  const widths = columns.map((_, i) => Math.max(3, ...cells.map((line) => line[i].length)));
  const line = (texts) =>
    `| ${texts.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join('\n');
}

const cpuColumns = [
  ['server', (row) => row.server],
  ['q/s', (row) => figure(row.qps, 0)],
  ['us user', (row) => figure(row.userUs)],
  ['us sys', (row) => figure(row.sysUs)],
  ['us total', (row) => figure(row.totalUs)],
  ['x gdnsd', (row) => figure(row.toGdnsd)],
  ['x floor', (row) => figure(row.toFloor)],
  ['x knot', (row) => figure(row.toKnot)],
  ['x pdns', (row) => figure(row.toPdns)],
  ['lost', (row) => row.lost],
  ['core shared', (row) => `${figure(row.foreign * 100, 0)}%`],
];

const latencyColumns = [
  ['server', (row) => row.server],
  ['q/s', (row) => figure(row.rate, 0)],
  ['of at most', (row) => figure(row.saturation, 0)],
  ['p50 us', (row) => figure(row.p50Us, 1)],
  ['p99 us', (row) => figure(row.p99Us, 1)],
  ['p99.9 us', (row) => figure(row.p999Us, 1)],
  ['max us', (row) => figure(row.maxUs, 0)],
  ['p50 x gdnsd', (row) => figure(row.toGdnsd.p50Us)],
  ['p99 x gdnsd', (row) => figure(row.toGdnsd.p99Us)],
  ['p99.9 x gdnsd', (row) => figure(row.toGdnsd.p999Us)],
  ['lost', (row) => row.lost],
];

/** The columns of the parts whose rows are plain figures. */
const plainColumns = (rows) =>
  [...new Set(rows.flatMap((row) => Object.keys(row)))].map((key) => [
    key,
    (row) => (typeof row[key] === 'number' ? figure(row[key], Number.isInteger(row[key]) ? 0 : 2) : (row[key] ?? '-')),
  ]);

/** The tables of one part as markdown. */
export function section(part) {
  const lines = [`## ${part.title}`, ''];
  if (part.workloads)
    for (const [kind, { title, rows }] of Object.entries(part.workloads))
      lines.push(`${kind}: ${title}`, '', table(rows, cpuColumns), '');
  else if (part.rows?.[0]?.toGdnsd) lines.push(table(part.rows, latencyColumns), '');
  else if (part.rows?.length > 0) lines.push(table(part.rows, part.columns ?? plainColumns(part.rows)), '');
  for (const remark of part.remarks ?? []) lines.push(remark, '');
  return lines.join('\n');
}

/** The head of the report. */
export function head(results) {
  const { machine: m } = results;
  return [
    '# Benchmark',
    '',
    `${m.date.slice(0, 16).replace('T', ' ')} UTC, commit ${m.commit || 'unknown'}${m.changed ? ' with changes' : ''}; ${m.cores} cores of ${m.cpu}, ${m.memoryGb} GB, ${m.system}, Linux ${m.kernel}.`,
    '',
    `Servers: ${results.servers.map((server) => `${server.name} ${server.version}`).join('; ')}.${results.absent.length > 0 ? ` Not installed: ${results.absent.join(', ')}.` : ''}`,
    '',
    `One data thread each, server pinned to core ${results.options.serverCore}, load generator (${results.options.generator}) to core ${results.options.loadCore}. CPU is user + sys of the whole server process divided by answered queries. Figures are medians, ratios the medians of the rounds' ratios. "core shared" is the share of the server's core that others used or the hypervisor kept: above 5%, measure again.`,
    '',
  ].join('\n');
}

/** Writes NAME.json and NAME.md into `directory`; returns the path of the markdown. */
export function write(directory, name, results) {
  mkdirSync(directory, { recursive: true });
  const text = [
    head(results),
    ...Object.values(results.parts).map(section),
    ...(results.notes.length > 0 ? ['## Remarks', '', ...results.notes.map((note) => `- ${note}`), ''] : []),
  ].join('\n');
  writeFileSync(join(directory, `${name}.json`), `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(directory, `${name}.md`), text);
  return join(directory, `${name}.md`);
}
