// Makes data/subdivisions.txt: the ISO 3166-2 codes, what each lies in, and the names that databases without codes use for them.
//
//   node scripts/subdivisions.mjs [--packages FOLDER] [--names FILE] [--to FILE]
//
// The codes and local names are those of iso-3166, the English names and the levels those of Unicode's CLDR; what real files write
// besides stands in scripts/subdivision-names.txt. Without --packages they are installed into a folder that is removed afterwards.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { foldName } from '../dist/geo/place.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Fixed, so that the same script makes the same file. */
const PACKAGES = { 'iso-3166': '4.4.0', 'cldr-subdivisions-full': '48.2.0', 'cldr-core': '48.2.0' };

const HEAD = `# ISO 3166-2: code, the code that it lies in (none: a country's widest subdivisions), its names. Made by scripts/subdivisions.mjs.
# From iso-3166 (MIT, Copyright (c) 2020 Titus Wormer), cldr-core and cldr-subdivisions-full (Unicode-3.0, Copyright (c) 1991-2026
# Unicode, Inc.) and scripts/subdivision-names.txt. The licences stand in NOTICE.
`;

/** Codes that the list still has though ISO withdrew them, and whose names are today's of others: Denmark's counties until 2007, Luxembourg's districts until 2015. */
const WITHDRAWN = /^(?:DK-[01]|LU-[DGL]$)/;

/** Codes that ISO has for what is no subdivision: the United Kingdom itself and parts of it together. */
const WHOLES = /^GB-(?:EAW|GBN|UKM)$/;

/** Codes of countries that have their own: databases say MQ or HK, not FR or CN. */
const COUNTRIES = /^(?:CN-(?:HK|MO|TW)|FR-(?:BL|CP|MF|NC|PF|PM|TF|WF)|NL-(?:AW|CW|SX)|US-(?:AS|GU|MP|PR|UM|VI)|FI-01)$/;

/** Countries and codes that CLDR still names as before ISO gave the codes to others. */
const RENUMBERED = /^(?:IR-|MA-[01]|MA-FAH|UG-331)/;

async function withPackages(folder, use) {
  if (folder !== undefined) return use(folder);
  const temporary = mkdtempSync(join(tmpdir(), 'meridian-subdivisions-'));
  try {
    const wanted = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
    const args = ['install', '--prefix', temporary, '--ignore-scripts', '--no-audit', '--no-fund', ...wanted];
    const { status, stderr } = spawnSync('npm', args, { encoding: 'utf8', shell: process.platform === 'win32' });
    if (status !== 0) throw new Error(`npm can't install ${wanted.join(' ')}: ${stderr}`);
    return await use(join(temporary, 'node_modules'));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** `gbeng` is GB-ENG. */
function codeOf(id) {
  return `${id.slice(0, 2)}-${id.slice(2)}`.toUpperCase();
}

function readJson(...path) {
  return JSON.parse(readFileSync(join(...path), 'utf8'));
}

/** The ways in which a list's entry may be read: `Praha, Hlavní město` is also Praha and Hlavní město Praha. */
function readings(name) {
  const plain = name.replace(/[²†]/g, '').trim();
  const out = [plain];
  const outside = plain.replace(/\s*\([^)]*\)/g, '');
  if (outside !== plain) out.push(outside);
  const inverted = /^([^,]+), ([^,]+)$/.exec(outside);
  if (inverted !== null) out.push(inverted[1], `${inverted[2]} ${inverted[1]}`);
  if (/[^/]\/[^/]/.test(outside)) out.push(...outside.split('/'));
  return out.map((text) => text.trim());
}

/** `[!] CODE [< CODE] name | name`, one a line; `#` begins a comment. */
function readNames(file) {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
    .map((line) => {
      const parts = /^(! )?([A-Z]{2}-[A-Z0-9]{1,3})(?: < ([A-Z]{2}-[A-Z0-9]{1,3}))? (.+)$/.exec(line);
      if (parts === null) throw new Error(`${file}: "${line}" is no code with names`);
      const [, not, code, parent, names] = parts;
      return { not: not !== undefined, code, parent, names: names.split('|').map((name) => name.trim()) };
    });
}

function removeNames(entry, names) {
  const folded = new Set(names.map(foldName));
  entry.names = entry.names.filter((name) => !folded.has(foldName(name)));
}

/** Gives a code names, and takes them from the others of its rank in the country. */
function claimNames(entries, code, names) {
  const own = entries.get(code);
  for (const [other, entry] of entries)
    if (other.slice(0, 2) === code.slice(0, 2) && entry.parent === own.parent) removeNames(entry, names);
  own.names.push(...names);
}

async function collect(packages, namesFile) {
  const { iso31662 } = await import(pathToFileURL(join(packages, 'iso-3166/2.js')).href);
  const { localeDisplayNames } = readJson(packages, 'cldr-subdivisions-full/subdivisions/en/en.json').subdivisions;
  const { subdivisionContainment } = readJson(
    packages,
    'cldr-core/supplemental/subdivisionContainment.json',
  ).supplemental;
  const entries = new Map();
  for (const { code, name, parent } of iso31662) {
    if (WITHDRAWN.test(code) || WHOLES.test(code) || COUNTRIES.test(code)) continue;
    entries.set(code, { parent: parent.includes('-') ? parent : '', names: readings(name) });
  }
  for (const [container, { _contains: parts }] of Object.entries(subdivisionContainment)) {
    if (/^[A-Z]/.test(container)) continue;
    for (const part of parts) {
      const entry = entries.get(codeOf(part));
      if (entry !== undefined && entries.has(codeOf(container))) entry.parent = codeOf(container);
    }
  }
  for (const [id, name] of Object.entries(localeDisplayNames.subdivisions))
    if (!RENUMBERED.test(codeOf(id))) entries.get(codeOf(id))?.names.unshift(...readings(name));
  const written = readNames(namesFile);
  for (const { not, code, parent } of written) {
    const entry = entries.get(code);
    if (entry === undefined && !not) entries.set(code, { parent: parent ?? '', names: [] });
    else if (parent !== undefined) entry.parent = parent;
  }
  for (const { not, code, names } of written) {
    if (not) removeNames(entries.get(code), names);
    else claimNames(entries, code, names);
  }
  return entries;
}

/** Each name once: those that the program takes for the same are the same. */
function distinct(names) {
  const seen = new Set();
  return names.filter((name) => {
    const folded = foldName(name);
    if (folded === '' || seen.has(folded)) return false;
    seen.add(folded);
    return true;
  });
}

const { values } = parseArgs({
  options: { packages: { type: 'string' }, names: { type: 'string' }, to: { type: 'string' } },
});
const namesFile = values.names ?? join(root, 'scripts/subdivision-names.txt');
const entries = await withPackages(values.packages, (packages) => collect(packages, namesFile));
const lines = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
const text = lines.map(([code, { parent, names }]) => `${code}\t${parent}\t${distinct(names).join('|')}\n`).join('');
writeFileSync(values.to ?? join(root, 'data/subdivisions.txt'), HEAD + text);
