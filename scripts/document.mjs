// Writes the parts of docs/ that follow from the code: the files of each room, and the table of the metrics. Run after a build.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { METRICS } from '../dist/admin/metric-table.js';
import { EMBEDDED_DATABASE } from '../dist/geo/embedded-database.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What a source file says of itself: the first sentence of its first comment. */
function purposeOf(path) {
  const [comment] = /(?:^\/\/ .*\n)+/m.exec(readFileSync(`${root}${path}`, 'utf8')) ?? [''];
  return comment
    .replaceAll(/^\/\/ /gm, '')
    .trim()
    .replaceAll('\n', ' ')
    .replace(/(\.)\s+[A-Z].*$/, '$1');
}

function filesOf(room) {
  return readdirSync(`${root}src/${room}`, { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => `- \`${room}/${name}\`: ${purposeOf(`src/${room}/${name}`)}`)
    .join('\n');
}

function metricRows() {
  return Object.entries(METRICS)
    .map(([name, { kind, labels, help }]) => {
      const shown = labels.map((label) => `\`${label}\``).join(' ');
      return `| \`${name}\` | ${kind} | ${shown} | ${help} |`;
    })
    .join('\n');
}

/** Replaces what stands between `<!-- NAME -->` and `<!-- end -->`. */
function fill(file, contentOf) {
  const text = readFileSync(`${root}${file}`, 'utf8');
  const filled = text.replaceAll(
    /(<!-- ([a-z]+ ?[a-z]*) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_all, begin, name, end) => `${begin}${contentOf(name)}\n${end}`,
  );
  writeFileSync(`${root}${file}`, filled);
}

const { path, file, homepage, licence, attribution, attributionUrl } = EMBEDDED_DATABASE;
const database = file.replace('.mmdb', '');

fill(
  'README.md',
  () =>
    `The country database that comes with it is [${database}](${homepage}): [${attribution}](${attributionUrl}), ${licence}, see [NOTICE](NOTICE).`,
);
fill(
  'dashboard/index.html',
  () =>
    `  <p>Embedded country database: <a href="${homepage}">${database}</a>, <a href="${attributionUrl}">${attribution}</a>, ${licence}.</p>`,
);
const notice = readFileSync(`${root}NOTICE`, 'utf8');
writeFileSync(
  `${root}NOTICE`,
  // The paragraph that names a database and its package.
  notice.replace(
    /^\S+\.mmdb \(in the package[\s\S]*?\n(?=\n|$(?![\s\S]))/m,
    `${file} (in the package ${path.replace(`/${file}`, '')}, ${homepage})
  ${attribution}, ${attributionUrl}
  ${licence} (https://creativecommons.org/licenses/by/4.0/). Its makers merged the publishers' data into one file; Meridian passes that on as it is.
`,
  ),
);
fill('docs/ARCHITECTURE.md', (name) => filesOf(name.replace(/^files /, '')));
fill('docs/operations.md', () => `| metric | kind | labels | meaning |\n| --- | --- | --- | --- |\n${metricRows()}`);
